"""HTTP/1.1 from a socket to the door of `/v2`, without ASGI in between.

A server under uvicorn's `http=`. It is what an application would be told by uvicorn, at a part of
the price, which counts most where it is highest: when a flood has to be refused. A connection that
asks for anything but `/v2` is handed to uvicorn's own protocol, with all that it asks later.
"""

import asyncio
import ipaddress
import logging
from collections import deque
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from watchword.door import DOOR, MAX_BODY, PREFIX, TOO_LARGE, Asked, Door
from watchword.intake import BAD_REQUEST, HEAD_TOO_LARGE, Intake, Pages
from watchword.record import Record
from watchword.sids import new_sid
from watchword.wire.http import Response

OURS = b" " + PREFIX.encode()
LONGEST_METHOD = 7  # OPTIONS; a longer one is uvicorn's to answer
MAX_TURNS = 64  # requests piled up behind one that is being answered
SCHEMES = (b"http", b"https")
SIZE = b"content-length: %d\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

logger = logging.getLogger("watchword.door")


class Turn(Record, frozen=True):
    """A whole request, and what to do with its connection after the answer."""

    asked: Asked
    is_too_large: bool
    keeps_alive: bool


class Protocol(asyncio.Protocol):
    """One connection; its requests are answered one after another, in the order they came."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._has_door = DOOR in app_state
        if self._has_door:
            self._door: Door = app_state[DOOR]
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._intake: Intake
        self._scheme = "http"
        self._believes = False  # what the peer says of where a request came from
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._is_too_large = False
        self._turns: deque[Turn] = deque()  # that wait for the one being answered
        self._task: asyncio.Task[Response] | None = None
        self._closes = False  # after the answers that are owed; nothing is heard any more
        self._is_choked = False  # the peer does not read

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]  # it asks for shutdown() alone
        if transport.get_extra_info("sslcontext"):
            self._scheme = "https"
        if self._config.proxy_headers:
            peer = transport.get_extra_info("peername")
            self._believes = is_trusted(str(peer[0] if peer else ""), _trusted(self._config))
        seconds = self._config.timeout_keep_alive
        self._intake = Intake(self._loop, transport, seconds, lambda: self._task is not None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._turns.clear()

    def pause_writing(self) -> None:
        self._is_choked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_choked = False
        self._go_on()

    def shutdown(self) -> None:
        """Close now, or after the answers owed: uvicorn asks for it when it is to stop."""
        self._give_up(b"")

    def data_received(self, data: bytes) -> None:
        if self._closes:
            return
        owes = self._task is not None or self._turns
        if not owes and not self._intake.is_inside and not self._is_ours(data):
            self._hand_over(data)
            return
        begun = self._intake.begun
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # nothing is upgraded: it is answered, and that is all
            self._give_up(b"")
        except httptools.HttpParserError as fault:
            if isinstance(fault, httptools.HttpParserCallbackError):  # it is our fault, not theirs
                logger.exception("a request could not be taken in")
            self._give_up(BAD_REQUEST)
        if self._intake.is_too_long(begun, len(data)):
            self._give_up(HEAD_TOO_LARGE if self._intake.is_in_head else b"")

    def _is_ours(self, data: bytes) -> bool:
        return self._has_door and data.find(OURS, 0, LONGEST_METHOD + len(OURS)) > 0

    def _hand_over(self, data: bytes) -> None:
        self._leave()
        other = Pages(self._config, self._state, self._app_state, self._loop)
        self._transport.set_protocol(other)
        other.connection_made(self._transport)
        other.data_received(data)

    def _leave(self) -> None:
        self._state.connections.discard(self)
        self._intake.leave()

    def _give_up(self, last_words: bytes) -> None:
        """Hear nothing more and close after the answers that are owed; say why where none is."""
        self._closes = True
        self._headers = {}
        if self._task is not None or self._turns:
            self._transport.pause_reading()
        elif not self._transport.is_closing():
            self._transport.write(last_words)
            self._transport.close()

    # What it says

    def on_message_begin(self) -> None:
        self._intake.begins()
        self._url = b""
        self._headers = {}
        self._body = b""
        self._is_too_large = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._intake.is_in_head:  # what follows a body is nobody's word
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._intake.is_in_head = False
        waits = self._headers.get(b"expect", b"").lower() == b"100-continue"
        if waits and self._task is None and not self._turns:
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._is_too_large = self._is_too_large or len(self._body) + len(body) > MAX_BODY
        if not self._is_too_large:
            self._body += body

    def on_message_complete(self) -> None:
        self._intake.ends()
        if self._closes:
            return
        url = self._url.decode("latin-1")
        if not url.startswith(PREFIX) or len(self._turns) >= MAX_TURNS:
            self._give_up(b"")  # a page behind another request, or a pile: it is to ask again
            return
        path, _, query = url.partition("?")
        asked = Asked(
            self._parser.get_method().decode("latin-1"),
            path,
            query.encode("latin-1"),
            self._scheme_asked(),
            self._headers,
            self._body,
        )
        is_new = self._parser.get_http_version() != "1.0"
        keeps_alive = is_new and self._parser.should_keep_alive()
        self._turns.append(Turn(asked, self._is_too_large, keeps_alive))
        if self._task is None:
            self._go_on()
        else:
            self._transport.pause_reading()

    def _scheme_asked(self) -> str:
        if self._believes:
            said = self._headers.get(b"x-forwarded-proto", b"").strip()
            if said in SCHEMES:
                return said.decode()
        return self._scheme

    # What it is answered

    def _go_on(self) -> None:
        """Answer what waits, as far as that can be done at once; then read on."""
        while self._turns and not (self._task or self._is_choked or self._transport.is_closing()):
            self._begin(self._turns.popleft())
        if not (self._turns or self._closes or self._is_choked or self._transport.is_closing()):
            self._transport.resume_reading()

    def _begin(self, turn: Turn) -> None:
        refusal = TOO_LARGE if turn.is_too_large else self._door.refuses(turn.asked)
        if refusal is not None:
            self._write(turn, refusal)
            return
        self._task = task = self._loop.create_task(self._door.answer(turn.asked))
        self._state.tasks.add(task)  # type: ignore[arg-type]  # a stop waits for these
        task.add_done_callback(partial(self._answered, turn))

    def _answered(self, turn: Turn, task: asyncio.Task[Response]) -> None:
        self._task = None
        self._state.tasks.discard(task)
        if task.cancelled():
            self._transport.close()
            return
        self._write(turn, task.result())
        self._go_on()

    def _write(self, turn: Turn, response: Response) -> None:
        self._door.answered(turn.asked, response)
        if self._transport.is_closing():
            self._turns.clear()
            return
        self._state.total_requests += 1
        closes = not turn.keeps_alive or (self._closes and not self._turns)
        dates = b"".join([b"%s: %s\r\n" % header for header in self._state.default_headers])
        size = b"" if response.status == HTTPStatus.NO_CONTENT else SIZE % len(response.body)
        head = b"%b%b%btwilio-request-id: %b\r\n%b\r\n" % (
            _lines(response.status, response.headers),
            dates,
            size,
            new_sid("RQ").encode(),
            b"connection: close\r\n" if closes else b"",
        )
        body = b"" if turn.asked.method == "HEAD" else response.body
        self._transport.write(head + body)
        self._intake.answered()
        if closes:
            self._closes = True
            self._turns.clear()
            self._transport.close()


@lru_cache(maxsize=256)  # few statuses and headers; Retry-After may count down
def _lines(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    return (first + "".join([f"{name.lower()}: {value}\r\n" for name, value in headers])).encode(
        "latin-1"
    )


def _trusted(config: Config) -> tuple[str, ...]:
    allowed = config.forwarded_allow_ips or ()
    return tuple(allowed.split(",") if isinstance(allowed, str) else allowed)


@lru_cache(maxsize=1024)
def is_trusted(peer: str, networks: tuple[str, ...]) -> bool:
    """Tell whether a peer's address lies in one of these networks."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # a Unix socket has none
        return False
    return any(address in ipaddress.ip_network(network.strip()) for network in networks if network)
