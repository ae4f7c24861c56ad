"""From a request to its response, for a caller that waits and for one that awaits."""

from watchword.commands.reading import Reading
from watchword.engine import Engine
from watchword.errors import DeliveryFailed, Refusal
from watchword.wire import errors
from watchword.wire.http import Call, Request, Response
from watchword.wire.routes import MethodNotAllowed, Route, find

ANSWERED = (Refusal, DeliveryFailed)  # what the dialect has words for; other faults pass through


def answer(engine: Engine, request: Request) -> Response:
    """Answer one request; a StoreError or a ConfigurationError passes through to the door."""
    try:
        route, call = find(request, engine.enter(request.credentials))
        if isinstance(call.command, Reading):
            return _show(route, call, engine.read(call.command))
        return _show(route, call, engine.perform(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        return _refuse(refusal, request)


async def answer_async(engine: Engine, request: Request) -> Response:
    """Answer one request together with those that arrive in the same turn; else `answer`."""
    try:
        route, call = find(request, await engine.enter_async(request.credentials))
        if isinstance(call.command, Reading):
            return _show(route, call, await engine.read_async(call.command))
        return _show(route, call, await engine.submit(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        return _refuse(refusal, request)


def _show(route: Route, call: Call, result: object) -> Response:
    if call.show is None:
        return Response(204)
    return Response.json(route.status, call.show(result))


def _refuse(refusal: Refusal | DeliveryFailed | MethodNotAllowed, request: Request) -> Response:
    if isinstance(refusal, MethodNotAllowed):
        return errors.body(*errors.METHOD_NOT_ALLOWED, ("Allow", ", ".join(refusal.allowed)))
    return errors.respond(refusal, request.path)
