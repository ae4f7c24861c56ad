"""Development over HTTP, under `/dev`: read the inbox, turn the clock, switch faults on.

Everything is JSON. In production none of it is there, and every path answers 404.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword.development.clock import TurnedClock
from watchword.development.controls import FURTHEST, Controls, Faults
from watchword.engine import Engine
from watchword.errors import InvalidParameter, NotFound, WatchwordError
from watchword.phone import parse
from watchword.senders.inbox import InboxMessage, InboxSender, inbox_of
from watchword.wire import errors
from watchword.wire.http import Response as Answer

LONGEST_WAIT = 30.0  # seconds; a longer one would outlive proxies and hold up a stop
LOOK_EVERY = 0.02  # seconds; a look costs 50 microseconds
T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """What turns the clock on."""

    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=FURTHEST.total_seconds())]


class Time(msgspec.Struct):
    """What the clock says, and how far it is turned on."""

    now: datetime
    offset_seconds: float


def dev_routes(engine: Engine, *, development: bool) -> list[Route]:
    """Return the routes of `/dev`; in production, and for what is not there, they answer 404."""
    clock, inbox = engine.clock, inbox_of(engine.sender)
    table: list[tuple[str, str, Handler]] = []
    if development and inbox is not None:
        messages = _Inbox(inbox)
        table += [
            ("GET", "/dev/inbox/messages", messages.read),
            ("DELETE", "/dev/inbox/messages", messages.clear),
        ]
    if development and isinstance(clock, TurnedClock):
        turn, faults = _Clock(clock), _Faults(clock.controls)
        table += [
            ("GET", "/dev/clock", turn.read),
            ("POST", "/dev/clock", turn.advance),
            ("DELETE", "/dev/clock", turn.reset),
            ("GET", "/dev/faults", faults.read),
            ("PUT", "/dev/faults", faults.set),
            ("DELETE", "/dev/faults", faults.clear),
        ]
    allowed: dict[str, list[str]] = {}
    for method, path, _ in table:
        allowed.setdefault(path, []).append(method)
    return [
        *(Route(path, _answering(handler), methods=[method]) for method, path, handler in table),
        *(Route(path, _not_allowed(methods), methods=METHODS) for path, methods in allowed.items()),
        Route("/dev/{rest:path}", _nothing, methods=METHODS),
    ]


METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]


class _Inbox:
    def __init__(self, inbox: InboxSender) -> None:
        self._inbox = inbox

    async def read(self, request: Request) -> Response:
        """Answer with the messages, newest first; wait for one where none is there yet."""
        to, after = _to(request), int(_number(request, "after"))
        until = time.monotonic() + min(_number(request, "wait"), LONGEST_WAIT)
        while not (found := self._newer(to, after)) and time.monotonic() < until:
            if await request.is_disconnected():
                break
            await asyncio.sleep(LOOK_EVERY)
        return _json({"messages": [message.as_json() for message in found]})

    async def clear(self, request: Request) -> Response:
        """Forget the messages."""
        self._inbox.clear(_to(request))
        return Response(status_code=204)

    def _newer(self, to: str | None, after: int) -> list[InboxMessage]:
        return [message for message in self._inbox.messages(to) if message.id > after]


class _Clock:
    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock

    async def read(self, _request: Request) -> Response:
        """Tell the time."""
        state = self._clock.controls.read()
        return _json(Time(self._clock.now(), state.offset_seconds))

    async def advance(self, request: Request) -> Response:
        """Turn the clock on."""
        asked = await _body(request, Advance)
        try:
            self._clock.advance(seconds=asked.advance_seconds)
        except ValueError as fault:
            raise InvalidParameter("advance_seconds", str(fault)) from fault
        return await self.read(request)

    async def reset(self, request: Request) -> Response:
        """Let the clock tell the real time again."""
        self._clock.controls.reset_clock()
        return await self.read(request)


class _Faults:
    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    async def read(self, _request: Request) -> Response:
        """Say which faults are on."""
        return _json(self._controls.read().faults)

    async def set(self, request: Request) -> Response:
        """Switch these faults on and all others off."""
        return _json(self._controls.set_faults(await _body(request, Faults)).faults)

    async def clear(self, _request: Request) -> Response:
        """Switch every fault off."""
        return _json(self._controls.set_faults(Faults()).faults)


def _answering(handler: Handler) -> Handler:
    """Answer a refusal as the rest of the server does."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except WatchwordError as refusal:
            return _show(errors.respond(refusal, request.url.path))

    return endpoint


def _not_allowed(methods: list[str]) -> Handler:
    async def endpoint(_request: Request) -> Response:
        return _show(errors.body(*errors.METHOD_NOT_ALLOWED, ("Allow", ", ".join(sorted(methods)))))

    return endpoint


async def _nothing(request: Request) -> Response:
    return _show(errors.respond(NotFound("resource"), request.url.path))


def _show(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))


async def _body(request: Request, kind: type[T]) -> T:
    """Read a JSON body. Only `application/json` is taken: no other site's form can send it."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise InvalidParameter("Content-Type", "send application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as fault:
        raise InvalidParameter("body", str(fault)) from fault


def _to(request: Request) -> str | None:
    text = request.query_params.get("to")
    # A plus sign that was not encoded arrives as a space.
    return parse("+" + text[1:] if text.startswith(" ") else text).e164 if text else None


def _number(request: Request, name: str) -> float:
    text = request.query_params.get(name, "0")
    if not text.replace(".", "", 1).isdecimal():
        raise InvalidParameter(name, "it takes a number")
    return float(text)


def _json(value: object) -> Response:
    return Response(
        msgspec.json.encode(value),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
