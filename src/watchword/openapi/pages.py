"""The hosted page's routes in our document: what an app's backend calls."""

from typing import Any

from watchword.visits import PageStatus
from watchword.wire.http import JSON_TYPE as JSON
from watchword.wire.schemas import MOMENT, TEXT, URL, Schema, many, maybe, record, sid, words

FORM = "application/x-www-form-urlencoded"
TAG = "HostedPage"
_PAGE: dict[str, Schema] = {
    "sid": sid("WP"),
    "account_sid": sid("AC"),
    "service_sid": sid("VA"),
    "user_id": TEXT,
    "status": words(*PageStatus),
    "date_created": MOMENT,
    "date_updated": MOMENT,
    "date_expires": MOMENT,
}
_KEY = {
    "type": "object",
    "properties": dict.fromkeys(("kty", "crv", "x", "kid", "alg", "use"), TEXT),
    "required": ["kty", "crv", "x", "kid"],
}
PAGE_SCHEMAS: dict[str, Schema] = {
    "HostedPage": record(**_PAGE),
    "OpenedHostedPage": record(**_PAGE, url=URL),
    "HostedPageResult": record(**_PAGE, to=maybe(TEXT), verification_sid=maybe(sid("VE"))),
    "KeySet": record(keys=many(_KEY)),
}


def _field(about: str, **limits: Any) -> Schema:
    return TEXT | limits | {"description": about}


_OPEN: dict[str, Schema] = {
    "UserId": _field(
        "who this is, in your words; it comes back in the result", minLength=1, maxLength=255
    ),
    "ReturnUrl": _field("where the person goes afterwards; one of WATCHWORD_RETURN_URLS"),
    "ServiceSid": _field("another service than the default one", pattern="^VA[0-9a-f]{32}$"),
    "To": _field("the number or e-mail address, which the person then cannot change"),
    "Locale": _field("the page's language; else the browser's", maxLength=35),
    "Country": _field("the country chosen at first", pattern="^[A-Z]{2}$"),
    "Channels": _field("sms, call, whatsapp with commas, or email alone; the first one sends"),
    "Name": _field("the name at the top; else the service's", maxLength=40),
    "Accent": _field("a colour such as #1d4ed8", pattern="^#[0-9a-fA-F]{6}$"),
    "Radius": _field("how round the corners are: 0 to 29px", pattern="^(0|[12]?[0-9]px)$"),
    "Logo": _field("an https:// address of a picture", maxLength=500),
    "Modal": words("true", "false") | {"description": "to be opened in a dialog over your page"},
}


def _operation(
    name: str, summary: str, status: int, shown: str, form: dict[str, Schema], *needed: str
) -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{shown}"}}}
    refused = {"$ref": "#/components/responses/Error"}
    answers: dict[str, Any] = {str(status): {"description": summary, "content": content}}
    found: dict[str, Any] = {
        "operationId": name,
        "tags": [TAG],
        "summary": summary,
        "responses": answers | {str(code): refused for code in (400, 401, 404, 413, 503)},
    }
    if form:
        schema = {"type": "object", "properties": form, "required": list(needed)}
        found["requestBody"] = {"required": True, "content": {FORM: {"schema": schema}}}
    return found


_FETCH = _operation("FetchHostedPage", "Show where a page stands.", 200, "HostedPage", {})
_FETCH["parameters"] = [
    {"name": "Sid", "in": "path", "required": True, "schema": sid("WP")},
]
_KEYS = _operation(
    "FetchKeySet", "Show the public keys that results are signed with.", 200, "KeySet", {}
)
_KEYS["security"] = []
PAGES: dict[str, dict[str, Any]] = {
    "/pages": {
        "post": _operation(
            "OpenHostedPage",
            "Open a hosted page for one person; send the browser to its url.",
            201,
            "OpenedHostedPage",
            _OPEN,
            "UserId",
            "ReturnUrl",
        )
    },
    "/pages/{Sid}": {"get": _FETCH},
    "/pages/results": {
        "post": _operation(
            "UseHostedPageResult",
            "Use a result, once, and say whose it is.",
            200,
            "HostedPageResult",
            {"Result": _field("what the browser came back with", minLength=1)},
            "Result",
        )
    },
    "/.well-known/jwks.json": {"get": _KEYS},
}
