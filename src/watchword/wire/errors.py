"""The one table from what went wrong to Twilio's HTTP status, code and words."""

from watchword import errors
from watchword.errors import WatchwordError
from watchword.wire.http import Response

# class → (HTTP status, Twilio code, Twilio's words, or None for the error's own). Where Twilio's
# papers name a code without its status, it is 400, but for 403 and 409 where the code says so.
TABLE: dict[type[WatchwordError], tuple[int, int, str | None]] = {
    errors.NotAuthenticated: (401, 20003, "Authenticate"),
    errors.NotFound: (404, 20404, None),
    errors.SnaUnavailable: (400, 60001, None),
    errors.InvalidParameter: (400, 60200, None),
    errors.TooManyChecks: (429, 60202, "Max check attempts reached"),
    errors.TooManySends: (429, 60203, "Max send attempts reached"),
    errors.Landline: (403, 60205, None),
    errors.AmountNeeded: (400, 60206, None),
    errors.TooManyRateLimits: (400, 60207, None),
    errors.RateLimitExists: (400, 60208, None),
    errors.BadUniqueName: (400, 60209, None),
    errors.TooManyBuckets: (400, 60210, None),
    errors.BucketExists: (400, 60211, None),
    errors.MessagingConfigurationExists: (400, 60213, None),
    errors.CallWithPsd2: (400, 60214, None),
    errors.NoEmailSender: (400, 60217, None),
    errors.MissingAddress: (400, 60221, "Either To or VerificationSid is required"),
    errors.ChannelOff: (403, 60223, None),
    errors.TemplateNotFound: (404, 60228, None),
    errors.SnaWithPsd2: (400, 60329, None),
    errors.TooManyWebhooks: (400, 60200, None),  # no code of Twilio's says it
    errors.TemplateNeedsSms: (400, 60408, None),
    errors.SafeNumberExists: (409, 60411, None),
    errors.AppHashNeedsSms: (400, 60602, None),
    errors.CountryBlocked: (403, 60605, None),
    errors.TooSoon: (429, 20429, "Too many requests"),
    errors.RateLimited: (429, 20429, "Too many requests"),
    errors.DeliveryFailed: (503, 20503, "Service unavailable: no sender took the message"),
    errors.UnfitValue: (400, 60200, "Invalid parameter: a value is too long"),
    errors.StoreError: (503, 20503, "Service unavailable: try again"),
    errors.Overloaded: (503, 20503, None),
}
METHOD_NOT_ALLOWED = (405, 20004, "Method not allowed")
TOO_LARGE = (413, 20413, "Request body is larger than 16384 bytes")
SERVER_ERROR = (500, 20500, "Internal server error")
RETRY_SECONDS = 1


def respond(error: WatchwordError, path: str) -> Response:
    """Show an error as Twilio shows it; `path` is the path that was asked for."""
    status, code, words = TABLE[type(error)]
    if isinstance(error, errors.NotFound):
        words = f"The requested resource {path.removeprefix('/v2')} was not found"
    if isinstance(error, errors.InvalidParameter):
        words = f"Invalid parameter `{error.name}`: {error}"
    return body(status, code, words or str(error), *_headers(error, status))


def _headers(error: WatchwordError, status: int) -> list[tuple[str, str]]:
    if isinstance(error, errors.NotAuthenticated):
        return [("WWW-Authenticate", 'Basic realm="Twilio API"')]
    if isinstance(error, errors.TooSoon):
        return [("Retry-After", str(error.retry_after))]
    if isinstance(error, errors.RateLimited):
        return [
            ("Retry-After", str(error.retry_after)),
            ("Twilio-Reached-Rate-Limit", error.name),
        ]
    return [("Retry-After", str(RETRY_SECONDS))] if status == 503 else []


def body(status: int, code: int, words: str, *headers: tuple[str, str]) -> Response:
    """Write Twilio's error body."""
    told = {
        "code": code,
        "message": words,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Response.json(status, told, *headers, code=code)
