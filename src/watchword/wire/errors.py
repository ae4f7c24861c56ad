"""The one table from what went wrong to Twilio's HTTP status, code and words."""

from watchword.errors import (
    DeliveryFailed,
    InvalidParameter,
    MissingAddress,
    NotAuthenticated,
    NotFound,
    StoreError,
    TooManyChecks,
    TooManySends,
    TooSoon,
    WatchwordError,
)
from watchword.wire.http import Response

# class → (HTTP status, Twilio code, Twilio's words, or None for the error's own)
TABLE: dict[type[WatchwordError], tuple[int, int, str | None]] = {
    NotAuthenticated: (401, 20003, "Authenticate"),
    NotFound: (404, 20404, None),
    InvalidParameter: (400, 60200, None),
    MissingAddress: (400, 60221, "Either To or VerificationSid is required"),
    TooManyChecks: (429, 60202, "Max check attempts reached"),
    TooManySends: (429, 60203, "Max send attempts reached"),
    TooSoon: (429, 20429, "Too many requests"),
    DeliveryFailed: (503, 20503, "Service unavailable: no sender took the message"),
    StoreError: (503, 20503, "Service unavailable: try again"),
}
METHOD_NOT_ALLOWED = (405, 20004, "Method not allowed")
TOO_LARGE = (413, 20413, "Request body is larger than 16384 bytes")
SERVER_ERROR = (500, 20500, "Internal server error")
RETRY_SECONDS = 1


def respond(error: WatchwordError, path: str) -> Response:
    """Show an error as Twilio shows it; `path` is the path that was asked for."""
    status, code, words = TABLE[type(error)]
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, NotAuthenticated):
        headers = (("WWW-Authenticate", 'Basic realm="Twilio API"'),)
    if isinstance(error, TooSoon):
        headers = (("Retry-After", str(error.retry_after)),)
    if status == 503:
        headers = (("Retry-After", str(RETRY_SECONDS)),)
    if isinstance(error, NotFound):
        words = f"The requested resource {path.removeprefix('/v2')} was not found"
    if isinstance(error, InvalidParameter):
        words = f"Invalid parameter `{error.name}`: {error}"
    return body(status, code, words or str(error), *headers)


def body(status: int, code: int, words: str, *headers: tuple[str, str]) -> Response:
    """Write Twilio's error body."""
    return Response.json(
        status,
        {
            "code": code,
            "message": words,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        *headers,
    )
