"""A message centre on loopback, written from the SMPP 3.4 specification and from nothing of ours.

It reads and writes with `struct` what our codec reads and writes, so that one checks the other.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SILENT, DROP = -1, -2  # instead of a status: no answer at all; the connection cut
GSM = dict(enumerate("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"))
GSM_ESCAPED = {0x65: "€", 0x28: "{", 0x29: "}", 0x3C: "[", 0x3E: "]"}


@dataclass
class Submitted:
    """A submit_sm as the specification lays it out (§4.4.1)."""

    service_type: str
    source: tuple[int, int, str]
    to: tuple[int, int, str]
    esm_class: int
    validity: str
    registered: int
    data_coding: int
    short: bytes
    options: dict[int, bytes]

    @property
    def text(self) -> str:
        """Return the text as a phone would show it, without its user data header."""
        raw = self.short or self.options.get(0x0424, b"")
        if self.esm_class & 0x40:
            raw = raw[raw[0] + 1 :]
        if self.data_coding == 8:
            return raw.decode("utf-16-be")
        return raw.decode("latin-1") if self.data_coding == 3 else read_gsm(raw)


def read_gsm(raw: bytes) -> str:
    """Read the GSM default alphabet: ASCII but for what the tests use of its first 32 places."""
    found, escaped = "", False
    for code in raw:
        if escaped:
            found, escaped = found + GSM_ESCAPED[code], False
        elif code == 0x1B:
            escaped = True
        else:
            found += GSM.get(code, {0x24: "¤", 0x40: "¡", 0x7F: "à"}.get(code, chr(code)))
    return found


@dataclass
class Smsc:
    """What it was asked, and how it answers."""

    port: int = 0
    password: str = "secret"
    bound: list[str] = field(default_factory=list)
    submitted: list[Submitted] = field(default_factory=list)
    answers: Callable[[int], int] = lambda _: 0  # the number of a submit_sm → its status
    acknowledged: list[int] = field(default_factory=list)  # statuses of deliver_sm_resp
    enquiries: int = 0
    unbound: int = 0
    nacks: int = 0
    answered: int = 0  # questions of ours
    answers_enquiries: bool = True
    loop: asyncio.AbstractEventLoop | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def deliver(self, text: bytes, options: dict[int, bytes], esm_class: int = 4) -> None:
        """Push a deliver_sm to the newest bind (§4.6.1)."""
        body = b"\0" + b"\1\x0133612345678\0" + b"\5\0Acme\0" + bytes((esm_class, 0, 0)) + b"\0\0"
        body += bytes((0, 0, 0, 0, len(text))) + text
        for tag, value in options.items():
            body += struct.pack(">HH", tag, len(value)) + value
        self.push(5, body)

    def push(self, command: int, body: bytes = b"", sequence: int = 900) -> None:
        """Write a PDU to the newest bind."""
        pdu = struct.pack(">4I", 16 + len(body), command, 0, sequence) + body
        self._soon(lambda: self.writers[-1].write(pdu))

    def stop(self) -> None:
        """End serving."""
        self._soon(self.stopped.set)

    def _soon(self, act: Callable[[], Any]) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(act)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length, command, status, sequence = struct.unpack(
                    ">4I", await reader.readexactly(16)
                )
                body = await reader.readexactly(length - 16)
                answer = self._answer(command, status, body)
                if command in (2, 9):
                    self.writers.append(writer)
                if answer == DROP:
                    writer.transport.abort()
                    return
                if answer != SILENT:
                    said = self._said(command)
                    head = (16 + len(said), command | 0x80000000, answer, sequence)
                    writer.write(struct.pack(">4I", *head) + said)
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    def _answer(self, command: int, status: int, body: bytes) -> int:
        match command:
            case 2 | 9:
                system_id, password, _ = (part.decode() for part in body.split(b"\0", 2))
                self.bound.append(system_id)
                return 0 if password == self.password else 0x0E
            case 4:
                self.submitted.append(read_submit(body))
                return self.answers(len(self.submitted))
            case 0x15:
                self.enquiries += 1
                return 0 if self.answers_enquiries else SILENT
            case 6:
                self.unbound += 1
            case 0x80000005:
                self.acknowledged.append(status)
                return SILENT
            case 0x80000015:
                self.answered += 1
            case 0x80000000:
                self.nacks += 1
        return SILENT if command & 0x80000000 else 0

    def _said(self, command: int) -> bytes:
        if command in (2, 9):
            return b"centre\0"
        return f"{0xA0 + len(self.submitted):08X}".encode() + b"\0" if command == 4 else b""


def read_submit(body: bytes) -> Submitted:
    """Read a submit_sm's body field by field."""

    def c() -> str:
        nonlocal body
        text, _, body = body.partition(b"\0")
        return text.decode("ascii")

    def byte() -> int:
        nonlocal body
        found, body = body[0], body[1:]
        return found

    service_type = c()
    source = (byte(), byte(), c())
    to = (byte(), byte(), c())
    esm_class, _protocol, _priority = byte(), byte(), byte()
    _schedule, validity = c(), c()
    registered, _replace, coding, _default = byte(), byte(), byte(), byte()
    length = byte()
    short, body = body[:length], body[length:]
    options = {}
    while body:
        tag, size = struct.unpack(">HH", body[:4])
        options[tag], body = body[4 : 4 + size], body[4 + size :]
    return Submitted(
        service_type, source, to, esm_class, validity, registered, coding, short, options
    )


@contextmanager
def centre(context: ssl.SSLContext | None = None) -> Iterator[Smsc]:
    """Serve on a free port from a thread of its own; over TLS with a context."""
    smsc, ready = Smsc(), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0, ssl=context)
        smsc.port = server.sockets[0].getsockname()[1]
        smsc.loop = asyncio.get_running_loop()
        ready.set()
        await smsc.stopped.wait()
        server.close()
        for writer in smsc.writers:
            writer.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield smsc
    finally:
        smsc.stop()
        thread.join()
