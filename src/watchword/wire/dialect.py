"""From a request to its response, for a caller that waits and for one that awaits."""

from watchword.engine import Engine
from watchword.errors import DeliveryFailed, Refusal
from watchword.wire import errors
from watchword.wire.auth import authenticate
from watchword.wire.http import Call, Request, Response
from watchword.wire.routes import MethodNotAllowed, find

ANSWERED = (Refusal, DeliveryFailed)  # what the dialect has words for; other faults pass through


def answer(engine: Engine, request: Request) -> Response:
    """Answer one request; a StoreError or a ConfigurationError passes through to the door."""
    try:
        call = _call(engine, request)
        return _show(call, engine.perform(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        return _refuse(refusal, request)


async def answer_async(engine: Engine, request: Request) -> Response:
    """Answer one request together with those that arrive in the same turn; else `answer`."""
    try:
        call = _call(engine, request)
        return _show(call, await engine.submit(call.command))
    except (*ANSWERED, MethodNotAllowed) as refusal:
        return _refuse(refusal, request)


def _call(engine: Engine, request: Request) -> Call:
    return find(request, authenticate(engine.credentials, request.credentials))


def _show(call: Call, result: object) -> Response:
    return Response.json(call.status, call.show(result))


def _refuse(refusal: Refusal | DeliveryFailed | MethodNotAllowed, request: Request) -> Response:
    if isinstance(refusal, MethodNotAllowed):
        return errors.body(*errors.METHOD_NOT_ALLOWED, ("Allow", ", ".join(refusal.allowed)))
    return errors.respond(refusal, request.path)
