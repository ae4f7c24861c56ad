"""From a request to its response, for a caller that waits and for one that awaits."""

import re
from collections.abc import Callable

from watchword.commands.reading import Reading
from watchword.engine import Engine
from watchword.errors import DeliveryFailed, InvalidParameter, Refusal
from watchword.wire import errors
from watchword.wire.http import Call, Request, Response
from watchword.wire.routes import MethodNotAllowed, Route, find

ANSWERED = (Refusal, DeliveryFailed)  # what the dialect has words for; other faults pass through
Count = Callable[[Refusal, str, str], None]
START = re.compile(r"/v2/Services/VA[0-9a-f]{32}/Verifications", re.ASCII)


def answer(engine: Engine, request: Request) -> Response:
    """Answer one request; a StoreError or a ConfigurationError passes through to the door."""
    account = ""
    try:
        account = engine.enter(request.credentials)
        route, call = find(request, account)
        if isinstance(call.command, Reading):
            return _show(route, call, engine.read(call.command))
        return _show(route, call, engine.perform(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        _note(engine.tally.count, account, refusal, request)
        return _refuse(refusal, request)


async def answer_async(engine: Engine, request: Request) -> Response:
    """Answer one request together with those that arrive in the same turn; else `answer`."""
    account = ""
    try:
        account = await engine.enter_async(request.credentials)
        route, call = find(request, account)
        if isinstance(call.command, Reading):
            return _show(route, call, await engine.read_async(call.command))
        return _show(route, call, await engine.submit(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        _note(engine.tally.count_async, account, refusal, request)
        return _refuse(refusal, request)


def _show(route: Route, call: Call, result: object) -> Response:
    if call.show is None:
        return Response(204)
    return Response.json(route.status, call.show(result))


def _note(count: Count, account: str, refusal: Exception, request: Request) -> None:
    """Count starts for what is no number: who sprays them is worth knowing of."""
    if isinstance(refusal, InvalidParameter) and START.fullmatch(request.path):
        count(refusal, account, request.path.split("/")[-2])


def _refuse(refusal: Refusal | DeliveryFailed | MethodNotAllowed, request: Request) -> Response:
    if isinstance(refusal, MethodNotAllowed):
        return errors.body(*errors.METHOD_NOT_ALLOWED, ("Allow", ", ".join(refusal.allowed)))
    return errors.respond(refusal, request.path)
