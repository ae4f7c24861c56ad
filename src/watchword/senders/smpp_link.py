"""One bind to a message centre: requests matched to answers, receipts handed on, kept alive.

What matters to whoever sends is whether a request had left when the link broke: `NotSent` says
that it had not, `Unanswered` that nobody knows.
"""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from watchword.senders.smpp_pdu import (
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    HEADER,
    LAST_SEQUENCE,
    RESPONSE,
    RINVCMDID,
    ROK,
    UNBIND,
    Delivered,
    NotSmpp,
    Pdu,
    bind_body,
    read_delivered,
    read_header,
)

Hear = Callable[[Delivered], Awaitable[int]]
GOODBYE_SECONDS = 1.0


class NotSent(Exception):
    """The link was down before the request was written."""


class WindowFull(NotSent):
    """So many requests wait for an answer that this one was not written."""


class Unanswered(Exception):
    """The request was written, and no answer came."""


class BindRefused(Exception):
    """The centre does not let us in; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:#04x}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Bind:
    """Where to bind, and as whom."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    receives: bool = True
    tls: bool = False
    window: int = 10
    enquire_seconds: float = 30.0
    answer_seconds: float = 10.0


class Link:
    """A bound connection; made by `open_link`, ended by `close` or by the other side."""

    def __init__(
        self, bind: Bind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Hear
    ) -> None:
        self._bind = bind
        self._reader, self._writer = reader, writer
        self._hear = hear
        self._waiting: dict[int, asyncio.Future[Pdu]] = {}
        self._sequences = itertools.cycle(range(1, LAST_SEQUENCE))
        self._window = asyncio.Semaphore(bind.window)
        self._last_heard = asyncio.get_running_loop().time()
        self._hearing: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._stay_alive())]

    @property
    def is_open(self) -> bool:
        return not self.ended.is_set()

    async def ask(self, command: int, body: bytes = b"") -> Pdu:
        """Send a request and return its answer; raise NotSent or Unanswered."""
        try:
            async with asyncio.timeout(self._bind.answer_seconds):
                await self._window.acquire()
        except TimeoutError as fault:
            raise WindowFull from fault
        try:
            return await self._ask(command, body)
        finally:
            self._window.release()

    async def close(self) -> None:
        """Unbind, as far as the other side still listens, and hang up."""
        if self.is_open:
            with contextlib.suppress(NotSent, Unanswered, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self.ask(UNBIND)
        self.hang_up()
        for task in (*self._tasks, *self._hearing):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._hearing, return_exceptions=True)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._writer.wait_closed()  # what was written last is still on its way
        self._writer.transport.abort()

    async def _ask(self, command: int, body: bytes) -> Pdu:
        if not self.is_open:
            raise NotSent
        sequence = next(self._sequences)
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answer
        try:
            self._write(Pdu(command, ROK, sequence, body))
            async with asyncio.timeout(self._bind.answer_seconds):
                return await answer
        except TimeoutError as fault:
            raise Unanswered("no answer in time") from fault
        finally:
            self._waiting.pop(sequence, None)

    def _write(self, pdu: Pdu) -> None:
        self._writer.write(pdu.encode())

    async def _read(self) -> None:
        try:
            while True:
                header = await self._reader.readexactly(HEADER.size)
                length, command, status, sequence = read_header(header)
                body = await self._reader.readexactly(length - HEADER.size)
                self._last_heard = asyncio.get_running_loop().time()
                if not self._take(Pdu(command, status, sequence, body)):
                    return
        except (OSError, EOFError, NotSmpp):
            pass  # whoever waits for an answer learns of it below
        finally:
            self.hang_up()

    def _take(self, pdu: Pdu) -> bool:
        """Act on one PDU; return whether to go on reading."""
        if pdu.command & RESPONSE:  # a generic_nack too names the request it is about
            answer = self._waiting.get(pdu.sequence)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
        elif pdu.command == DELIVER_SM:
            self._hearing.add(task := asyncio.create_task(self._deliver(pdu)))
            task.add_done_callback(self._hearing.discard)
        elif pdu.command in (ENQUIRE_LINK, UNBIND):
            self._write(Pdu(pdu.command | RESPONSE, ROK, pdu.sequence))
        else:
            self._write(Pdu(GENERIC_NACK, RINVCMDID, pdu.sequence))
        return pdu.command != UNBIND

    async def _deliver(self, pdu: Pdu) -> None:
        """Hand a receipt on, and answer only when it is kept: until then it is the centre's."""
        try:
            status = await self._hear(read_delivered(pdu.body))
        except NotSmpp:
            status = ROK  # it will not become readable by being sent again
        if self.is_open:
            self._write(Pdu(DELIVER_SM | RESPONSE, status, pdu.sequence, b"\0"))

    async def _stay_alive(self) -> None:
        """Ask whether the other side is there when it has been silent; hang up when it is not."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotSent, Unanswered):
            while self.is_open:
                silent = loop.time() - self._last_heard
                if silent >= self._bind.enquire_seconds:
                    await self.ask(ENQUIRE_LINK)
                    silent = 0.0
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._bind.enquire_seconds - silent):
                        await self.ended.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection at once; whoever waits for an answer learns that none comes."""
        self.ended.set()
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Unanswered("the connection broke"))


async def open_link(bind: Bind, hear: Hear) -> Link:
    """Connect and bind; raise OSError, BindRefused, or NotSent when the centre hangs up on us."""
    context = ssl.create_default_context() if bind.tls else None
    reader, writer = await asyncio.open_connection(bind.host, bind.port, ssl=context)
    link = Link(bind, reader, writer, hear)
    command = BIND_TRANSCEIVER if bind.receives else BIND_TRANSMITTER
    try:
        answer = await link.ask(command, bind_body(bind.system_id, bind.password, bind.system_type))
    except Unanswered as fault:
        await link.close()
        raise NotSent from fault
    except BaseException:
        await link.close()
        raise
    if answer.status != ROK:
        link.hang_up()  # nobody is bound, so there is nothing to unbind
        await link.close()
        raise BindRefused(answer.status)
    return link
