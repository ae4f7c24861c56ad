"""The route table, and how a request finds its way through it."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from urllib.parse import unquote

from watchword.errors import InvalidParameter, NotFound
from watchword.record import Record
from watchword.wire import (
    attempts,
    buckets,
    messaging,
    rate_limits,
    safe_list,
    services,
    templates,
    verifications,
    webhooks,
)
from watchword.wire.http import Call, Request
from watchword.wire.paging import PARAMETERS as PAGING
from watchword.wire.parameters import Asked, Parameter, read_all

Handler = Callable[..., Call]  # (Asked, *path parameters) → Call


class Route(Record, frozen=True):
    """One operation: `operation` and `resource` are its names in Twilio's own specification.

    `parameters` are all it reads: of the form in a POST, of the query in a GET. `status` is what
    it answers when all is well; `key` is the name of the list in a list's answer.
    """

    method: str
    path: str
    operation: str
    resource: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    status: int = 200
    key: str | None = None

    @property
    def summary(self) -> str:
        """Return what the operation does, in one sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


def _five(
    module: ModuleType, resource: str, path: str, key: str, name: str = "{Sid}"
) -> tuple[Route, ...]:
    """Return the operations of a resource that is made, listed, shown, changed and deleted."""
    item = f"{path}/{name}"
    return (
        Route("POST", path, f"Create{resource}", resource, module.create, module.CREATE, 201),
        Route("GET", path, f"List{resource}", resource, module.list_all, PAGING, key=key),
        Route("GET", item, f"Fetch{resource}", resource, module.fetch),
        Route("POST", item, f"Update{resource}", resource, module.update, module.UPDATE),
        Route("DELETE", item, f"Delete{resource}", resource, module.delete, status=204),
    )


SERVICE = "/v2/Services/{ServiceSid}"
ROUTES: tuple[Route, ...] = (
    *_five(services, "Service", "/v2/Services", "services"),
    Route(
        "POST",
        f"{SERVICE}/Verifications",
        "CreateVerification",
        "Verification",
        verifications.create,
        verifications.CREATE,
        201,
    ),
    Route(
        "GET",
        f"{SERVICE}/Verifications/{{Sid}}",
        "FetchVerification",
        "Verification",
        verifications.fetch,
    ),
    Route(
        "POST",
        f"{SERVICE}/Verifications/{{Sid}}",
        "UpdateVerification",
        "Verification",
        verifications.update,
        verifications.UPDATE,
    ),
    Route(
        "POST",
        f"{SERVICE}/VerificationCheck",
        "CreateVerificationCheck",
        "VerificationCheck",
        verifications.check,
        verifications.CHECK,
        201,
    ),
    *_five(rate_limits, "RateLimit", f"{SERVICE}/RateLimits", "rate_limits"),
    *_five(buckets, "Bucket", f"{SERVICE}/RateLimits/{{RateLimitSid}}/Buckets", "buckets"),
    *_five(
        messaging,
        "MessagingConfiguration",
        f"{SERVICE}/MessagingConfigurations",
        "messaging_configurations",
        "{Country}",
    ),
    *_five(webhooks, "Webhook", f"{SERVICE}/Webhooks", "webhooks"),
    Route(
        "GET",
        "/v2/Templates",
        "ListVerificationTemplate",
        "VerificationTemplate",
        templates.list_all,
        templates.LIST,
        key="templates",
    ),
    Route(
        "POST",
        "/v2/SafeList/Numbers",
        "CreateSafelist",
        "Safelist",
        safe_list.create,
        safe_list.CREATE,
        201,
    ),
    Route(
        "GET", "/v2/SafeList/Numbers/{PhoneNumber}", "FetchSafelist", "Safelist", safe_list.fetch
    ),
    Route(
        "DELETE",
        "/v2/SafeList/Numbers/{PhoneNumber}",
        "DeleteSafelist",
        "Safelist",
        safe_list.delete,
        status=204,
    ),
    Route(
        "GET",
        "/v2/Attempts",
        "ListVerificationAttempt",
        "VerificationAttempt",
        attempts.list_all,
        attempts.LIST,
        key="attempts",
    ),
    Route(
        "GET",
        "/v2/Attempts/Summary",
        "FetchVerificationAttemptsSummary",
        "VerificationAttemptsSummary",
        attempts.summarize,
        attempts.SUMMARY,
    ),
    Route(
        "GET",
        "/v2/Attempts/{Sid}",
        "FetchVerificationAttempt",
        "VerificationAttempt",
        attempts.fetch,
    ),
)

# The sid a path parameter holds, by its name or, for `{Sid}`, by the resource it names. Any other
# text in its place is answered with 404. A verification is also named by its address.
PREFIXES: Mapping[str, str] = {
    "{ServiceSid}": "VA",
    "{RateLimitSid}": "RK",
    "Service": "VA",
    "RateLimit": "RK",
    "Bucket": "BL",
    "Webhook": "YW",
    "VerificationAttempt": "VL",
}
REMEMBERED_PATHS = 1024
SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}", re.ASCII)


class MethodNotAllowed(Exception):
    """The path is known, the method is not; `allowed` lists those that are."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"allowed: {', '.join(allowed)}")
        self.allowed = allowed


def find(request: Request, account_sid: str) -> tuple[Route, Call]:
    """Return the operation that a request asks for, and what it comes to; HEAD asks what GET does.

    Raises NotFound for a path nobody serves, MethodNotAllowed, or a Refusal of its parameters.
    """
    route, values = _locate("GET" if request.method == "HEAD" else request.method, request.path)
    given = request.query if route.method == "GET" else request.form
    if route.method == "DELETE":
        given = {}  # nothing in it is read
    if given is None:
        raise InvalidParameter(
            "Body", "it takes a form (application/x-www-form-urlencoded) in UTF-8"
        )
    asked = Asked(account_sid, request.base_url, request.path, read_all(route.parameters, given))
    return route, route.handler(asked, *values)


@lru_cache(maxsize=REMEMBERED_PATHS)  # a tenant's starts and checks all go to the same two
def _locate(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Find the operation, and read what the path says of it."""
    routes, segments = _match(path)
    route = routes.get(method)
    if route is None:
        also = ("HEAD",) if "GET" in routes else ()  # RFC 9110 9.3.2: without the body
        raise MethodNotAllowed(tuple(sorted((*routes, *also))))
    names = route.path.strip("/").split("/")
    return route, tuple(
        _path_value(route, name, segment)
        for name, segment in zip(names, segments, strict=True)
        if name.startswith("{")
    )


def _path_value(route: Route, name: str, segment: str) -> str:
    """Decode one path parameter; refuse with NotFound what can name nothing."""
    try:
        value = unquote(segment, errors="strict")
    except UnicodeDecodeError as fault:
        raise NotFound("resource") from fault
    prefix = PREFIXES.get(route.resource if name == "{Sid}" else name)
    if prefix is None:
        return value
    if not value.startswith(prefix) or not SID.fullmatch(value):
        raise NotFound("resource")
    return prefix + value[2:].lower()


def _match(path: str) -> tuple[dict[str, Route], list[str]]:
    """Walk the path through the table; a literal segment wins over a parameter."""
    segments = path.strip("/").split("/")
    for pattern, routes in _patterns().get(len(segments), ()):
        if all(want is None or want == have for want, have in zip(pattern, segments, strict=True)):
            return routes, segments
    raise NotFound("resource")


Pattern = tuple[str | None, ...]  # None stands for a parameter


@lru_cache(maxsize=1)
def _patterns() -> dict[int, list[tuple[Pattern, dict[str, Route]]]]:
    table: dict[Pattern, dict[str, Route]] = {}
    for route in ROUTES:
        segments = route.path.strip("/").split("/")
        pattern = tuple(None if part.startswith("{") else part for part in segments)
        table.setdefault(pattern, {})[route.method] = route
    by_length: dict[int, list[tuple[Pattern, dict[str, Route]]]] = {}
    for pattern in sorted(table, key=lambda parts: [part is None for part in parts]):
        by_length.setdefault(len(pattern), []).append((pattern, table[pattern]))
    return by_length
