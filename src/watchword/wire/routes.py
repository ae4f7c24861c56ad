"""The route table, and how a request finds its way through it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from watchword.errors import NotFound
from watchword.wire import verifications
from watchword.wire.http import Call, Request

Handler = Callable[..., Call]  # (request, account_sid, *path parameters) → Call


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `operation` is its name in Twilio's own specification."""

    method: str
    path: str
    operation: str
    handler: Handler


ROUTES = (
    Route(
        "POST",
        "/v2/Services/{ServiceSid}/Verifications",
        "CreateVerification",
        verifications.create,
    ),
    Route(
        "GET",
        "/v2/Services/{ServiceSid}/Verifications/{Sid}",
        "FetchVerification",
        verifications.fetch,
    ),
    Route(
        "POST",
        "/v2/Services/{ServiceSid}/Verifications/{Sid}",
        "UpdateVerification",
        verifications.update,
    ),
    Route(
        "POST",
        "/v2/Services/{ServiceSid}/VerificationCheck",
        "CreateVerificationCheck",
        verifications.check,
    ),
)


class MethodNotAllowed(Exception):
    """The path is known, the method is not; `allowed` lists those that are."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"allowed: {', '.join(allowed)}")
        self.allowed = allowed


def find(request: Request, account_sid: str) -> Call:
    """Return the call that a request asks for.

    Raises NotFound for a path nobody serves, MethodNotAllowed, or a Refusal of its parameters.
    """
    handlers, values = _match(request.path)
    handler = handlers.get(request.method)
    if handler is None:
        raise MethodNotAllowed(tuple(sorted(handlers)))
    return handler(request, account_sid, *values)


def _match(path: str) -> tuple[dict[str, Handler], list[str]]:
    """Walk the path through the table; a literal segment wins over a parameter."""
    segments = path.strip("/").split("/")
    for pattern, handlers in _patterns().get(len(segments), ()):
        if all(want is None or want == have for want, have in zip(pattern, segments, strict=True)):
            values = [
                unquote(have) for want, have in zip(pattern, segments, strict=True) if want is None
            ]
            return handlers, values
    raise NotFound("resource")


Pattern = tuple[str | None, ...]  # None stands for a parameter


@lru_cache(maxsize=1)
def _patterns() -> dict[int, list[tuple[Pattern, dict[str, Handler]]]]:
    table: dict[Pattern, dict[str, Handler]] = {}
    for route in ROUTES:
        segments = route.path.strip("/").split("/")
        pattern = tuple(None if part.startswith("{") else part for part in segments)
        table.setdefault(pattern, {})[route.method] = route.handler
    by_length: dict[int, list[tuple[Pattern, dict[str, Handler]]]] = {}
    for pattern in sorted(table, key=lambda parts: [part is None for part in parts]):
        by_length.setdefault(len(pattern), []).append((pattern, table[pattern]))
    return by_length
