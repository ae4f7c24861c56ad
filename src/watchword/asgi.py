"""The HTTP door: Twilio's routes under `/v2`, a health check, and a page to try it on."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as PageRequest
from starlette.responses import PlainTextResponse
from starlette.responses import Response as PageResponse
from starlette.routing import Route

from watchword import config
from watchword.board import Board, Worker
from watchword.dev_api import dev_routes
from watchword.dispatcher import Dispatcher
from watchword.door import DOOR, MAX_BODY, PREFIX, TOO_LARGE, Asked, Door
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.health import Health
from watchword.metrics import metrics_routes
from watchword.receipts import receipt_routes
from watchword.record import replace
from watchword.reports import Reports
from watchword.runtime import BOARD, open_engine
from watchword.sids import new_sid
from watchword.ui.look import show_missing, show_trouble
from watchword.ui.page import page_routes
from watchword.ui.reference import reference_routes
from watchword.ui.returns import Places
from watchword.wire import errors
from watchword.wire.http import Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_PAGE_BODY = 4 * MAX_BODY  # some providers report on many messages at once
GARBAGE = (50_000, 20, 50)  # objects between two looks for cycles: a request leaves hardly any


class App:
    """The ASGI application of one engine."""

    def __init__(
        self,
        engine: Engine,
        *,
        development: bool,
        places: Places | None = None,
        dispatcher: Dispatcher | None = None,
        board: Board | None = None,
        metrics_token: str = "",
    ) -> None:
        self.engine = engine
        self._door = Door(engine)
        self._dispatcher = dispatcher
        self._health = Health(engine)
        self._board = board
        self._pages = Starlette(
            routes=[
                Route("/healthz", self._health.show),
                *reference_routes(engine, development=development),
                *receipt_routes(engine),
                *metrics_routes(board, self._tell, self._health, metrics_token),
                *dev_routes(engine, development=development),
                *page_routes(engine, places or Places(development=development)),
            ],
            exception_handlers={
                StoreError: _unavailable,
                _TooLarge: _too_large,
                HTTPException: _missing,
            },
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `/v2` without a framework in between, and everything else through Starlette."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            response = await self._answer(scope, receive)
            await _send(send, response, has_body=scope["method"] != "HEAD")
        else:
            await self._pages(scope, _limited(receive), send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        headers = dict(scope["headers"])
        asked = Asked(scope["method"], path, scope["query_string"], scope["scheme"], headers)
        response = self._door.refuses(asked) or await self._let_in(asked, receive)
        self._door.answered(asked, response)
        return response

    async def _let_in(self, asked: Asked, receive: Receive) -> Response:
        body = await _read(receive)
        return TOO_LARGE if body is None else await self._door.answer(replace(asked, body=body))

    def _tell(self) -> Worker:
        return Worker.of(self.engine.sender, self.engine.counts)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[dict[str, Door]]:
        gc.freeze()  # what is here now stays; looking it through again stops everybody
        gc.set_threshold(*GARBAGE)
        beside = [asyncio.create_task(Reports(self.engine).keep())]
        if self._dispatcher is not None:
            beside.append(asyncio.create_task(self._dispatcher.run()))
        if self._board is not None:
            beside.append(asyncio.create_task(self._board.keep(self._tell)))
        yield {DOOR: self._door}  # for `protocol.py`
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        self._health.close()
        await self.engine.aclose()


def from_environment() -> App:
    """Make the application of the environment's settings: what a server's worker calls."""
    settings = config.load()
    engine = open_engine(settings)
    return App(
        engine,
        development=not settings.production,
        places=Places.of(settings),
        dispatcher=Dispatcher(engine, private=settings.private_webhooks),
        board=Board(settings.home / BOARD),
        metrics_token=settings.metrics_token,
    )


class _TooLarge(Exception):
    """A page or a route was sent more than it can want."""


def _limited(receive: Receive) -> Receive:
    """Read no more of a body than a form or a report can have."""
    size = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_PAGE_BODY:
            raise _TooLarge
        return message

    return counted


async def _too_large(_request: PageRequest, _fault: Exception) -> PageResponse:
    said = errors.body(*errors.TOO_LARGE)
    return PageResponse(said.body, said.status, dict(said.headers))


async def _missing(request: PageRequest, fault: Exception) -> PageResponse:
    """Answer where no page is, or none that takes this method."""
    if not isinstance(fault, HTTPException):
        raise fault
    if "text/html" in request.headers.get("accept", ""):
        return show_missing(fault.status_code)
    return PlainTextResponse(fault.detail, fault.status_code, fault.headers)


async def _unavailable(request: PageRequest, fault: Exception) -> PageResponse:
    """Answer for a page or a route that the store left without an answer."""
    if "text/html" in request.headers.get("accept", ""):
        return show_trouble(request, fault)
    said = errors.respond(StoreError(str(fault)), request.url.path)
    return PageResponse(said.body, said.status, dict(said.headers))


async def _read(receive: Receive) -> bytes | None:
    """Read a request's body, or return None when it is larger than it may be."""
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send(send: Send, response: Response, *, has_body: bool) -> None:
    headers = [
        (b"twilio-request-id", new_sid("RQ").encode()),
        *[(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers],
    ]
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body if has_body else b""})
