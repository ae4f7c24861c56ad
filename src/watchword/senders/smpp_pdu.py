"""SMPP 3.4 in bytes: the PDUs that a sender of messages writes and reads. Pure.

Names and numbers are those of the specification (Short Message Peer to Peer Protocol, issue 1.2);
the sections stand beside them.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

HEADER: Final = struct.Struct(">4I")  # length, command, status, sequence (§3.2)
LONGEST: Final = 70_000  # a message_payload of 64 KiB and everything around it
LAST_SEQUENCE: Final = 0x7FFFFFFF
RESPONSE: Final = 0x80000000  # added to a command's number by its answer (§5.1.2.1)

GENERIC_NACK: Final = 0x80000000
BIND_TRANSMITTER: Final = 0x00000002
BIND_TRANSCEIVER: Final = 0x00000009
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
ENQUIRE_LINK: Final = 0x00000015

ROK: Final = 0x00  # command_status (§5.1.3)
RINVCMDID: Final = 0x03
RX_T_APPN: Final = 0x64  # a receiver's "not now": the centre keeps the message and comes again

GSM_DEFAULT: Final = 0x00  # data_coding (§5.2.19)
LATIN_1: Final = 0x03
UCS2: Final = 0x08

UDH: Final = 0x40  # esm_class: the text begins with a user data header (§5.2.12)
KIND: Final = 0x3C  # the bits of esm_class that say what a delivered message is
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20

RECEIPTED_MESSAGE_ID: Final = 0x001E  # optional parameters (§5.3.2)
MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427


class NotSmpp(Exception):
    """Bytes that are no PDU, or one cut short."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One protocol data unit."""

    command: int
    status: int
    sequence: int
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """Return it as it travels."""
        length = HEADER.size + len(self.body)
        return HEADER.pack(length, self.command, self.status, self.sequence) + self.body


@dataclass(frozen=True, slots=True)
class Address:
    """A number or a name, its type and its numbering plan (§5.2.5, §5.2.6)."""

    text: str = field(repr=False)
    ton: int
    npi: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submit_sm asks for (§4.4.1)."""

    source: Address
    to: Address
    text: bytes = field(repr=False)
    data_coding: int
    service_type: str = ""
    esm_class: int = 0
    validity: str = ""
    wants_receipt: bool = False
    as_payload: bool = False

    def encode(self) -> bytes:
        """Return the PDU's body."""
        short, payload = (b"", self.text) if self.as_payload else (self.text, b"")
        return b"".join(
            (
                _c(self.service_type),
                _address(self.source),
                _address(self.to),
                bytes((self.esm_class, 0, 0)),  # protocol_id, priority_flag
                b"\0",  # schedule_delivery_time: now
                _c(self.validity),
                bytes((int(self.wants_receipt), 0, self.data_coding, 0, len(short))),
                short,
                struct.pack(">HH", MESSAGE_PAYLOAD, len(payload)) + payload if payload else b"",
            )
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a deliver_sm brought (§4.6.1): the centre's receipt, or somebody's message."""

    esm_class: int
    text: bytes = field(repr=False)
    options: dict[int, bytes] = field(repr=False)

    @property
    def is_receipt(self) -> bool:
        return self.esm_class & KIND in (RECEIPT, INTERMEDIATE)


def read_header(header: bytes) -> tuple[int, int, int, int]:
    """Return a header's length, command, status and sequence; raise NotSmpp for another's."""
    length, command, status, sequence = HEADER.unpack(header)
    if not HEADER.size <= length <= LONGEST:
        raise NotSmpp(f"a length of {length}")
    return length, command, status, sequence


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of a bind; version 3.4, no address range (§4.1)."""
    return _c(system_id) + _c(password) + _c(system_type) + bytes((0x34, 0, 0)) + b"\0"


def read_message_id(body: bytes) -> str | None:
    """Return the message_id of a submit_sm_resp, or None when it has none."""
    return body.partition(b"\0")[0].decode("ascii", "replace") or None


def read_delivered(body: bytes) -> Delivered:
    """Read the body of a deliver_sm; raise NotSmpp for one cut short."""
    try:
        place = _after_c(body, 0)  # service_type
        place = _after_c(body, place + 2)  # source
        place = _after_c(body, place + 2)  # destination
        esm_class = body[place]
        place = _after_c(body, place + 3)  # schedule_delivery_time
        place = _after_c(body, place)  # validity_period
        length = body[place + 4]
        place += 5
        text, rest = body[place : place + length], body[place + length :]
        options = _options(rest)
    except (ValueError, IndexError, struct.error) as fault:
        raise NotSmpp("a deliver_sm that is cut short") from fault
    return Delivered(esm_class, text or options.get(MESSAGE_PAYLOAD, b""), options)


def _options(rest: bytes) -> dict[int, bytes]:
    found = {}
    while rest:
        tag, length = struct.unpack_from(">HH", rest)
        found[tag] = rest[4 : 4 + length]
        rest = rest[4 + length :]
    return found


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + _c(address.text)


def _c(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


def _after_c(body: bytes, place: int) -> int:
    return body.index(b"\0", place) + 1
