"""How much a connection may say, and how long it may take, before its request is whole.

uvicorn waits without end for a request that has begun, and keeps whatever its head holds.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = 64 * 1024  # bytes of a request line and its headers
MAX_MESSAGE = 1024 * 1024  # bytes of a whole request; what is done with more than a few is refused
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
HEAD_TOO_LARGE = BAD_REQUEST.replace(b"400 Bad Request", b"431 Request Header Fields Too Large")


class Intake:
    """Watch one connection; `is_busy` tells whether an answer is under way."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        seconds: float,
        is_busy: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._is_busy = is_busy
        self.is_inside = False  # of a request that has not come whole
        self.is_in_head = False
        self.begun = 0  # requests
        self._size = 0
        self._seen = 0  # the request that the clock has met unfinished
        self._since = loop.time()
        self._clock = loop.call_later(seconds, self._look)

    def begins(self) -> None:
        """Notice that a request begins."""
        self.begun += 1
        self.is_inside = self.is_in_head = True
        self._size = 0

    def is_too_long(self, begun: int, size: int) -> bool:
        """Count what was heard since so many requests had begun; tell whether it is too much.

        A piece in which a request begins may hold others before it, so it is not counted.
        """
        if self.is_inside and self.begun == begun:
            self._size += size
        return self._size > (MAX_HEAD if self.is_in_head else MAX_MESSAGE)

    def ends(self) -> None:
        """Notice that the request is whole."""
        self.is_inside = False
        self._size = 0

    def answered(self) -> None:
        """Notice that an answer was written: from now on the next request is waited for."""
        self._since = self._loop.time()

    def leave(self) -> None:
        """Watch no longer."""
        self._clock.cancel()

    def _look(self) -> None:
        """Cut a connection that is idle for too long, takes too long to ask, or does not read."""
        left = self._since + self._seconds - self._loop.time()
        if self._is_busy():
            left = self._seconds
        elif left <= 0 and self.is_inside and self._seen != self.begun:
            self._seen = self.begun  # it may have begun a moment ago
            left = self._seconds
        if left <= 0:
            self._transport.abort()  # `close` would wait until what was written is read
        else:
            self._clock = self._loop.call_later(left, self._look)


class Pages(HttpToolsProtocol):
    """uvicorn's own protocol, watched."""

    _intake: Intake

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._intake = Intake(
            self.loop, transport, self.config.timeout_keep_alive, self._is_answering
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._intake.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        begun = self._intake.begun
        super().data_received(data)
        if self._intake.is_too_long(begun, len(data)) and not self.transport.is_closing():
            if not self._is_answering():
                self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._intake.begins()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._intake.is_in_head:  # what follows a body is nobody's word
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._intake.is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._intake.ends()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._intake.answered()
        super().on_response_complete()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete
