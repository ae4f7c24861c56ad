"""One good request for every operation, in an order in which each finds what it needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conftest import PHONE
from watchword.wire.routes import ROUTES, Route

# What each operation is sent, in this order; deletions come last, the innermost first.
FORMS: Mapping[str, Mapping[str, Any]] = {
    "CreateService": {"FriendlyName": "Acme", "CodeLength": "6"},
    "ListService": {"PageSize": "1"},
    "FetchService": {},
    "UpdateService": {"FriendlyName": "Acme Bank"},
    "CreateRateLimit": {"UniqueName": "end_user", "Description": "by address"},
    "ListRateLimit": {},
    "FetchRateLimit": {},
    "UpdateRateLimit": {"Description": "by IP address"},
    "CreateBucket": {"Max": "5", "Interval": "60"},
    "ListBucket": {},
    "FetchBucket": {},
    "UpdateBucket": {"Max": "6"},
    "CreateSafelist": {"PhoneNumber": PHONE},
    "FetchSafelist": {},
    "CreateMessagingConfiguration": {
        "Country": "CM",
        "MessagingServiceSid": "MG" + "0" * 32,
    },
    "ListMessagingConfiguration": {},
    "FetchMessagingConfiguration": {},
    "UpdateMessagingConfiguration": {"MessagingServiceSid": "MG" + "1" * 32},
    "CreateWebhook": {
        "FriendlyName": "ours",
        "EventTypes": ["*"],
        "WebhookUrl": "https://example.com/hook",
    },
    "ListWebhook": {},
    "FetchWebhook": {},
    "UpdateWebhook": {"Status": "disabled"},
    "ListVerificationTemplate": {},
    "CreateVerification": {"To": PHONE, "Channel": "sms"},
    "FetchVerification": {},
    "CreateVerificationCheck": {"To": PHONE, "Code": "00000000"},
    "UpdateVerification": {"Status": "canceled"},
    "ListVerificationAttempt": {"PageSize": "1"},
    "FetchVerificationAttempt": {},
    "FetchVerificationAttemptsSummary": {},
    "DeleteWebhook": {},
    "DeleteMessagingConfiguration": {},
    "DeleteSafelist": {},
    "DeleteBucket": {},
    "DeleteRateLimit": {},
    "DeleteService": {},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one operation answered."""

    route: Route
    status: int
    body: Any


# (method, path with its values, form or query) → (status, body)
Ask = Callable[[str, str, Mapping[str, Any]], tuple[int, Any]]


def drive(ask: Ask) -> Iterator[Answer]:
    """Send every operation its request, and hand out the answers."""
    routes = {route.operation: route for route in ROUTES}
    made: dict[str, str] = {"Safelist": PHONE.replace("+", "%2B"), "MessagingConfiguration": "CM"}
    for operation, form in FORMS.items():
        route = routes.get(operation)
        if route is None:
            continue
        status, body = ask(route.method, _filled(route, made), form)
        yield Answer(route, status, body)
        shown = body[route.key][0] if route.key and body and body.get(route.key) else body
        if isinstance(shown, dict) and "sid" in shown:
            made.setdefault(route.resource, shown["sid"])


def _filled(route: Route, made: Mapping[str, str]) -> str:
    values = {"ServiceSid": made.get("Service"), "RateLimitSid": made.get("RateLimit")}
    parts = []
    for part in route.path.split("/"):
        name = part.strip("{}")
        value = values.get(name) or made.get(route.resource)
        parts.append(str(value) if part.startswith("{") else part)
    return "/".join(parts)
