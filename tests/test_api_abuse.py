"""Every route, asked as nobody should ask it: never a 5xx, never a change of what is stored."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS, NOON, make_engine
from tests.every_operation import FORMS
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore
from watchword.wire.routes import ROUTES, Route

AUTH = (CREDENTIALS.account_sid, CREDENTIALS.auth_token)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
PATHS = sorted({route.path for route in ROUTES})
WRITES = [route for route in ROUTES if route.method == "POST"]
LARGE = "x=" + "y" * 20_000


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def http(store: MemoryStore, inbox: InboxSender) -> Iterator[TestClient]:
    engine = make_engine(store, inbox, ManualClock(NOON))
    with TestClient(App(engine, development=True)) as client:
        yield client


@pytest.fixture
def names(http: TestClient) -> dict[str, str]:
    """Make a thing of each kind, and return what paths call them by."""
    service = f"/v2/Services/{CREDENTIALS.service_sid}"

    def make(path: str, operation: str) -> dict[str, Any]:
        answer = http.post(path, data=FORMS[operation], auth=AUTH)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    limit = make(f"{service}/RateLimits", "CreateRateLimit")["sid"]
    make("/v2/SafeList/Numbers", "CreateSafelist")
    make(f"{service}/MessagingConfigurations", "CreateMessagingConfiguration")
    started = make(f"{service}/Verifications", "CreateVerification")
    return {
        "{ServiceSid}": CREDENTIALS.service_sid,
        "{RateLimitSid}": limit,
        "{Country}": "CM",
        "{PhoneNumber}": str(FORMS["CreateSafelist"]["PhoneNumber"]),
        "Service": CREDENTIALS.service_sid,
        "RateLimit": limit,
        "Bucket": make(f"{service}/RateLimits/{limit}/Buckets", "CreateBucket")["sid"],
        "Webhook": make(f"{service}/Webhooks", "CreateWebhook")["sid"],
        "Verification": started["sid"],
        "VerificationAttempt": started["send_code_attempts"][0]["attempt_sid"],
    }


def named(route: Route, names: dict[str, str]) -> str:
    parts = route.path.split("/")
    return "/".join(
        names[route.resource if part == "{Sid}" else part] if part.startswith("{") else part
        for part in parts
    )


def test_methods_that_a_path_does_not_know_change_nothing(
    http: TestClient, store: MemoryStore, names: dict[str, str]
) -> None:
    before = dict(store._rows.cells)
    for path in PATHS:
        here = [route for route in ROUTES if route.path == path]
        there = {route.method for route in here}
        there |= {"HEAD"} if "GET" in there else set()
        for method in set(METHODS) - there:
            answer = http.request(method, named(here[0], names), auth=AUTH)
            assert answer.status_code == 405, f"{method} {path}"
            assert set(answer.headers["allow"].split(", ")) == there
    assert store._rows.cells == before


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.operation)
def test_a_write_that_is_not_a_proper_form_changes_nothing(
    route: Route, http: TestClient, store: MemoryStore, names: dict[str, str]
) -> None:
    before = dict(store._rows.cells)
    path, good = named(route, names), urlencode(FORMS[route.operation], doseq=True)

    def ask(body: str | bytes, headers: dict[str, str] = FORM) -> int:
        return http.post(path, content=body, headers=headers, auth=AUTH).status_code

    repeated = {p.name for p in route.parameters if p.repeated}
    single = [(name, value) for name, value in FORMS[route.operation].items()]
    doubled = urlencode([pair for pair in single * 2 if pair[0] not in repeated])
    answers = {
        "doubled": ask(doubled),
        "too large": ask(f"{good}&{LARGE}"),
        "JSON": ask('{"FriendlyName": "x"}', {"Content-Type": "application/json"}),
        "a file": ask(good, {"Content-Type": "multipart/form-data; boundary=x"}),
        "no type": ask(good, {}),
        "bad UTF-8": ask(f"{good}&Description=%ff%fe"),
        "bad bytes": ask(good.encode() + b"&Description=\xff"),
        "too many fields": ask("&".join([good, *(f"a{i}=1" for i in range(300))])),
    }

    assert answers.pop("too large") == 413
    assert set(answers.values()) <= {400}, answers
    assert store._rows.cells == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_without_credentials_nothing_is_read_and_nothing_changes(
    route: Route, http: TestClient, store: MemoryStore, names: dict[str, str]
) -> None:
    before = dict(store._rows.cells)
    form = FORMS[route.operation] if route.method == "POST" else None

    answer = http.request(route.method, named(route, names), data=form)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert answer.headers["twilio-request-id"].startswith("RQ")
    assert store._rows.cells == before


@pytest.mark.parametrize("sid", ["%00", "%ff", "VA", "VE" + "g" * 32, "x" * 3000, "%2F"])
def test_a_path_that_names_nothing_is_404(http: TestClient, sid: str) -> None:
    for path in PATHS:
        if "{" not in path:
            continue
        asked = "/".join(sid if part.startswith("{") else part for part in path.split("/"))
        method = next(route.method for route in ROUTES if route.path == path)
        form = FORMS[next(route.operation for route in ROUTES if route.path == path)]
        answer = http.request(method, asked, auth=AUTH, data=form if method == "POST" else None)
        assert answer.status_code == 404, f"{method} {asked[:80]}"
        assert answer.json()["code"] == 20404


@pytest.mark.parametrize(
    "query",
    [
        "PageSize=0",
        "PageSize=1001",
        "PageSize=x",
        "PageSize=٣",
        "Page=-1",
        "Page=" + "9" * 40,
        "PageToken=PA0.%00",
        "PageToken=nonsense",
        "PageSize=1&PageSize=2",
        "PageSize=%ff",
    ],
)
def test_a_page_that_cannot_be_is_a_bad_request(http: TestClient, query: str) -> None:
    for path in ("/v2/Services", "/v2/Attempts", "/v2/Templates"):
        answer = http.get(f"{path}?{query}", auth=AUTH)
        assert (answer.status_code, answer.json()["code"]) == (400, 60200), query
