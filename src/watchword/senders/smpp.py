"""SMPP 3.4: straight to a message centre, by one bind that is kept, with its receipts."""

import asyncio
import contextlib
import itertools
import logging
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final

from watchword.errors import StoreError
from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.portal import end
from watchword.senders.provider import Given, Notice, Option, TakeNotice, without_plus
from watchword.senders.smpp_codes import read_answer, read_refusal, read_report, shown
from watchword.senders.smpp_link import (
    Bind,
    BindRefused,
    Link,
    NotSent,
    Unanswered,
    WindowFull,
    open_link,
)
from watchword.senders.smpp_pdu import (
    GSM_DEFAULT,
    LATIN_1,
    ROK,
    RX_T_APPN,
    SUBMIT_SM,
    UCS2,
    UDH,
    Address,
    Delivered,
    Submission,
    read_message_id,
)
from watchword.texts.segments import Encoding, encode_gsm, measure, split

LONG: Final = ("udh", "payload")
ALPHABETS: Final = ("gsm", "latin-1")
RECEIPT_IDS: Final = ("same", "decimal")
YES: Final = {"yes": True, "no": False}
WAITS: Final = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds between tries to have the bind again
NETWORK, ALPHANUMERIC, INTERNATIONAL, ISDN = 3, 5, 1, 1  # types of number; a numbering plan
SHORT_CODE: Final = 6  # digits; a longer number is one that can be called
LONGEST_SHORT: Final = {Encoding.GSM7: 160, Encoding.UCS2: 140}  # bytes; more is a payload

logger = logging.getLogger("watchword.senders")


class SmppSender:
    """Submit each message over a kept bind; a bind for each event loop that sends."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("host", "the message centre"),
        Option("port", "its port", "2775"),
        Option("tls", "yes where the port speaks TLS", "no"),
        Option("system_id", "the account's system_id"),
        Option("password", "its password", secret=True),
        Option("system_type", "the system_type, where one is wanted", ""),
        Option("from", "the number, short code or name (up to 11 letters) that it comes from"),
        Option("service_type", "the service_type, where one is wanted", ""),
        Option("receipts", "no to bind as transmitter, without delivery receipts", "yes"),
        Option("receipt_ids", "decimal where receipts repeat a hexadecimal id so", "same"),
        Option("alphabet", "the centre's default alphabet: gsm or latin-1", "gsm"),
        Option("long", "how a text of several segments goes: udh or payload", "udh"),
        Option("validity_minutes", "how long the centre tries; then the code is over", "10"),
        Option("window", "how many messages may wait for an answer at once", "10"),
        Option("enquire_seconds", "after how much silence the link is tested", "30"),
    )
    waits = True

    def __init__(self, name: str, given: Given, *, timeout: float = 10.0) -> None:
        _check(given)
        self.name = name
        self.address = (given["host"], int(given["port"]), YES[given["tls"]])
        self._given = given
        self._timeout = timeout
        self._bind = Bind(
            given["host"],
            int(given["port"]),
            given["system_id"],
            given["password"],
            given["system_type"],
            receives=YES[given["receipts"]],
            tls=YES[given["tls"]],
            window=int(given["window"]),
            enquire_seconds=float(given["enquire_seconds"]),
            answer_seconds=timeout,
        )
        self._source = _source(given["from"])
        self._take: TakeNotice | None = None
        self._links: dict[asyncio.AbstractEventLoop, Link] = {}
        self._opening: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}
        self._references = itertools.cycle(range(256))

    def listen(self, take: TakeNotice) -> None:
        """Hand the receipts that come in on the bind to `take`."""
        self._take = take

    async def keep(self) -> None:
        """Have the bind from now on, also while nothing is sent: receipts come when they come."""
        waits = iter(WAITS)
        while True:
            try:
                link = await self._link()
                waits = iter(WAITS)
                await link.ended.wait()
            except (OSError, TimeoutError, BindRefused, NotSent) as fault:
                why = (
                    shown(fault.status) if isinstance(fault, BindRefused) else type(fault).__name__
                )
                logger.warning("sender.unbound sender=%s why=%s", self.name, why)
            await asyncio.sleep(next(waits, WAITS[-1]))

    async def look(self) -> str:
        """Bind as a transmitter, which draws no receipts, and unbind; say what came of it."""
        try:
            link = await open_link(replace(self._bind, receives=False), self._hear)
        except BindRefused as fault:
            return read_refusal(fault.status).reason or ""
        await link.close()
        return ""

    async def send(self, message: Message) -> Receipt:
        """Submit one message, in as many parts as it needs, once."""
        try:
            async with asyncio.timeout(self._timeout):
                link = await self._link()
        except BindRefused as fault:
            return read_refusal(fault.status)
        except ssl.SSLError as fault:
            return Receipt.failed(
                Trouble.SETUP, None, f"no safe connection: {type(fault).__name__}"
            )
        except (OSError, TimeoutError, NotSent) as fault:
            return Receipt.failed(Trouble.OUTAGE, None, f"no bind: {type(fault).__name__}")
        message_id = None
        for number, part in enumerate(self._parts(message)):
            receipt = await self._submit(link, part)
            if receipt.status is not Delivery.SENT:
                begun = number and receipt.status is Delivery.FAILED
                return Receipt.unknown(detail="a part of it was taken") if begun else receipt
            message_id = receipt.message_id
        return Receipt.sent(message_id)

    def close(self) -> None:
        """Unbind, in whichever loop the bind was made."""
        links, self._links = self._links, {}
        for loop, link in links.items():
            end(loop, link.close)

    async def _link(self) -> Link:
        loop = asyncio.get_running_loop()
        async with self._opening.setdefault(loop, asyncio.Lock()):
            link = self._links.get(loop)
            if link is None or not link.is_open:
                link = self._links[loop] = await open_link(self._bind, self._hear)
            return link

    async def _submit(self, link: Link, part: Submission) -> Receipt:
        try:
            answer = await link.ask(SUBMIT_SM, part.encode())
        except WindowFull:
            return Receipt.failed(Trouble.BUSY, 20429, "too many messages wait for an answer")
        except NotSent:
            return Receipt.failed(Trouble.OUTAGE, None, "the bind had ended")
        except Unanswered as fault:
            return Receipt.unknown(detail=f"no answer after the request had left: {fault}")
        return read_answer(answer, self._named(read_message_id(answer.body), base=16))

    def _parts(self, message: Message) -> Iterator[Submission]:
        """Cut a text into what one PDU holds; the last part alone asks for a receipt."""
        encoding, coding = self._coding(message.body)
        cut = self._given["long"] == "udh"
        texts = split(message.body, encoding) if cut else [message.body]
        reference = next(self._references)
        for number, text in enumerate(texts, 1):
            data, header = _encoded(text, coding), b""
            if len(texts) > 1:  # 3GPP TS 23.040 §9.2.3.24.1
                header = bytes((5, 0, 3, reference, len(texts), number))
            yield Submission(
                self._source,
                Address(without_plus(message.to), INTERNATIONAL, ISDN),
                header + data,
                coding,
                self._given["service_type"],
                UDH if header else 0,
                _validity(int(self._given["validity_minutes"])),
                wants_receipt=number == len(texts) and self._bind.receives,
                as_payload=len(data) > LONGEST_SHORT[encoding],
            )

    def _coding(self, text: str) -> tuple[Encoding, int]:
        """Choose the alphabet that a text is counted in and the data_coding that says so."""
        encoding = measure(text).encoding
        if encoding is Encoding.GSM7 and self._given["alphabet"] == "gsm":
            return encoding, GSM_DEFAULT
        if encoding is Encoding.GSM7 and all(ord(character) < 256 for character in text):
            return encoding, LATIN_1
        return Encoding.UCS2, UCS2

    async def _hear(self, delivered: Delivered) -> int:
        """Hand a receipt on; 'not now' when it cannot be kept, so that it comes again."""
        notice = self._notice(delivered)
        if notice is None or self._take is None:
            return ROK
        with contextlib.suppress(StoreError):
            await self._take(self.name, notice)
            return ROK
        return RX_T_APPN

    def _notice(self, delivered: Delivered) -> Notice | None:
        report = read_report(delivered)
        if report is None:
            return None
        named = self._named(report.message_id, base=16 if report.as_answered else 10)
        return Notice(report.status, named, trouble=report.trouble, error_code=report.error_code)

    def _named(self, message_id: str | None, base: int) -> str | None:
        """Write an id so that a receipt's equals the answer's, whose digits may be others."""
        if message_id is None or self._given["receipt_ids"] == "same":
            return message_id
        with contextlib.suppress(ValueError):
            return str(int(message_id, base))
        return message_id


def _check(given: Given) -> None:
    for option, known in (
        ("long", LONG),
        ("alphabet", ALPHABETS),
        ("receipt_ids", RECEIPT_IDS),
    ):
        if given[option] not in known:
            raise ValueError(f"{option}: there are {', '.join(known)}")
    for option in ("port", "window", "validity_minutes", "enquire_seconds"):
        if not given[option].isdigit() or not int(given[option]):
            raise ValueError(f"{option}: a number above 0 is expected")
    for option in ("tls", "receipts"):
        if given[option] not in YES:
            raise ValueError(f"{option}: yes or no is expected")


def _encoded(text: str, coding: int) -> bytes:
    if coding == GSM_DEFAULT:
        return encode_gsm(text)
    return text.encode("latin-1" if coding == LATIN_1 else "utf-16-be")


def _source(given: str) -> Address:
    digits = without_plus(given)
    if not digits.isdigit():
        if not 0 < len(given) <= 11 or not given.isascii():
            raise ValueError("from: a number, or a name of up to 11 plain letters, is expected")
        return Address(given, ALPHANUMERIC, 0)
    if len(digits) <= SHORT_CODE:
        return Address(digits, NETWORK, 0)
    return Address(digits, INTERNATIONAL, ISDN)


def _validity(minutes: int) -> str:
    """Write a time from now on as the specification does (§7.1.1)."""
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{rest:02}00000R"
