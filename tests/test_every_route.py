"""Every route and whatever is thrown at it: never a 5xx, never a change that was not asked for."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.conftest import PHONE
from tests.every_operation import FORMS
from watchword.asgi import App
from watchword.kit import Kit
from watchword.wire.routes import ROUTES, Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
PATHS = sorted({route.path for route in ROUTES})
READS = [route for route in ROUTES if route.method == "GET"]
WRITES = [route for route in ROUTES if route.method == "POST"]


@pytest.fixture
def http(watchword_kit: Kit) -> Iterator[TestClient]:
    """Give a client with the right credentials; a fault of the server would be raised in it."""
    known = watchword_kit.engine.credentials
    basic = base64.b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
    client = TestClient(App(watchword_kit.engine, development=True))
    client.headers["Authorization"] = f"Basic {basic}"
    yield client
    client.close()


@pytest.fixture
def made(watchword_kit: Kit, http: TestClient) -> dict[str, str]:
    """Make one of everything; return what fills the paths."""
    service = f"/v2/Services/{watchword_kit.service_sid}"
    send = {"To": PHONE, "Channel": "sms"}
    limit = http.post(f"{service}/RateLimits", data={"UniqueName": "ip"}).json()["sid"]
    buckets = f"{service}/RateLimits/{limit}/Buckets"
    http.post(f"{service}/MessagingConfigurations", data=FORMS["CreateMessagingConfiguration"])
    http.post("/v2/SafeList/Numbers", data={"PhoneNumber": PHONE})
    started = http.post(f"{service}/Verifications", data=send).json()
    return {
        "ServiceSid": watchword_kit.service_sid,
        "Service": watchword_kit.service_sid,
        "RateLimitSid": limit,
        "RateLimit": limit,
        "Bucket": http.post(buckets, data={"Max": "5", "Interval": "60"}).json()["sid"],
        "Webhook": http.post(f"{service}/Webhooks", data=FORMS["CreateWebhook"]).json()["sid"],
        "Country": "CM",
        "PhoneNumber": PHONE.replace("+", "%2B"),
        "Verification": started["sid"],
        "VerificationAttempt": started["send_code_attempts"][0]["attempt_sid"],
    }


def filled(path: str, resource: str, made: dict[str, str]) -> str:
    parts = [part.strip("{}") if part.startswith("{") else part for part in path.split("/")]
    return "/".join(made[resource] if part == "Sid" else made.get(part, part) for part in parts)


def resource_of(path: str) -> str:
    return next(route.resource for route in ROUTES if route.path == path)


def rows(kit: Kit) -> Any:
    """Return everything that is stored, and what was sent."""
    store: Any = kit.engine.store
    return dict(store.inner._rows.cells), len(kit.inbox.messages())


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_there_is_refused_and_changes_nothing(
    path: str, http: TestClient, watchword_kit: Kit, made: dict[str, str]
) -> None:
    there = {route.method for route in ROUTES if route.path == path}
    there |= {"HEAD"} if "GET" in there else set()
    before = rows(watchword_kit)

    for method in set(METHODS) - there:
        answer = http.request(method, filled(path, resource_of(path), made))
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == there

    assert rows(watchword_kit) == before


@pytest.mark.parametrize("route", READS, ids=lambda route: route.operation)
def test_head_answers_as_get_does_without_the_body(
    route: Route, http: TestClient, made: dict[str, str]
) -> None:
    path = filled(route.path, route.resource, made)

    head, get = http.head(path), http.get(path)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.operation)
@pytest.mark.parametrize("what", ["doubled", "too large", "json", "multipart", "not UTF-8"])
def test_a_form_that_is_not_one_is_refused_and_changes_nothing(
    what: str, route: Route, http: TestClient, watchword_kit: Kit, made: dict[str, str]
) -> None:
    path = filled(route.path, route.resource, made)
    form = FORMS[route.operation]
    first = next(iter(form))
    single = "&".join(f"{name}={value}" for name, value in form.items())
    kind = "application/x-www-form-urlencoded"
    body, kind = {
        "doubled": (f"{single}&{first}={form[first]}", kind),
        "too large": (f"{single}&{'x' * 20000}=1", kind),
        "json": ("{" + f'"{first}": "{form[first]}"' + "}", "application/json"),
        "multipart": (f"--b\r\n{first}\r\n--b--", "multipart/form-data; boundary=b"),
        "not UTF-8": (f"{first}=%ff%fe", kind),
    }[what]
    before = rows(watchword_kit)

    answer = http.post(path, content=body, headers={"Content-Type": kind})

    if answer.status_code == 200:  # an update without a field that it knows
        assert not any(parameter.required for parameter in route.parameters)
    else:
        assert answer.status_code in (400, 413), answer.text
        assert rows(watchword_kit) == before


@pytest.mark.parametrize("path", [path for path in PATHS if "{" in path])
def test_a_path_that_names_nothing_is_not_found(path: str, http: TestClient) -> None:
    parts = [part if not part.startswith("{") else "%00%F0%9F%A6%86" for part in path.split("/")]

    for method in {route.method for route in ROUTES if route.path == path}:
        answer = http.request(method, "/".join(parts))
        assert answer.status_code in (400, 404), (method, answer.text)
