"""The HTTP door: what it refuses before a rule is asked, and that it never answers with a 5xx."""

import base64
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS, NOON, PHONE, SERVICE, make_engine
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore

AUTH = (CREDENTIALS.account_sid, CREDENTIALS.auth_token)
START = f"/v2/Services/{SERVICE.sid}/Verifications"
CHECK = f"/v2/Services/{SERVICE.sid}/VerificationCheck"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
def http(engine: Engine) -> Iterator[TestClient]:
    with TestClient(App(engine, development=True)) as client:
        yield client


def test_without_credentials_nothing_is_told(http: TestClient) -> None:
    for path in (START, CHECK, "/v2/Nothing"):
        answer = http.post(path, data={"To": PHONE, "Channel": "sms"})
        assert answer.status_code == 401
        assert answer.json()["code"] == 20003
        assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ???", "Bearer x", "Basic eA==eA==", "Basic \u00e9", "\u00ff"]
)
def test_a_header_that_cannot_be_read_is_no_credentials(http: TestClient, header: str) -> None:
    encoded = header.encode("latin-1")

    answer = http.post(START, headers={b"Authorization": encoded}, data={"To": PHONE})

    assert answer.status_code == 401


def test_a_credential_with_other_letters_is_refused(http: TestClient) -> None:
    encoded = base64.b64encode(f"{AUTH[0]}:pässwörd".encode()).decode()

    assert http.post(START, headers={"Authorization": f"Basic {encoded}"}).status_code == 401


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [START, CHECK, f"{START}/VE{'0' * 32}"])
def test_a_wrong_method_is_told_the_right_ones(http: TestClient, method: str, path: str) -> None:
    answer = http.request(method, path, auth=AUTH)

    if answer.status_code == 405:
        assert answer.headers["allow"] in ("POST", "GET, HEAD, POST")
    else:
        assert answer.status_code in (400, 404)


def test_a_body_too_large_is_refused_and_nothing_is_sent(
    http: TestClient, inbox: InboxSender
) -> None:
    answer = http.post(START, auth=AUTH, data={"To": PHONE, "Channel": "sms", "X": "x" * 20_000})

    assert answer.status_code == 413
    assert inbox.messages() == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_a_body_of_another_type_holds_no_field(http: TestClient, kind: str) -> None:
    answer = http.post(
        START, auth=AUTH, content=f"To={PHONE}&Channel=sms", headers={"Content-Type": kind}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, 60200)


def test_a_doubled_field_is_refused_and_nothing_is_sent(
    http: TestClient, inbox: InboxSender
) -> None:
    body = "To=%2B12025550143&Channel=call&To=%2B237650000000&Channel=sms"

    assert http.post(START, auth=AUTH, content=body, headers=FORM).status_code == 400
    assert inbox.messages() == []


@pytest.mark.parametrize(
    "body", ["To=%FF%FE&Channel=sms", "&" * 5000, "%", "To", "=", "\x00", "To=%00&Channel=sms"]
)
def test_a_form_that_cannot_be_read_is_a_bad_request(http: TestClient, body: str) -> None:
    assert http.post(START, auth=AUTH, content=body, headers=FORM).status_code == 400


def test_urls_are_on_the_host_that_was_asked(http: TestClient) -> None:
    answer = http.post(
        START,
        auth=AUTH,
        data={"To": PHONE, "Channel": "sms"},
        headers={"Host": "verify.example:8443"},
    )

    assert answer.json()["url"].startswith("http://verify.example:8443/v2/Services/VA")


def test_a_store_that_does_not_answer_is_503_with_retry_after(inbox: InboxSender) -> None:
    class Broken(MemoryStore):
        def transact(self, keys: object, decide: object) -> None:
            raise StoreError("down")

    engine = make_engine(MemoryStore(), inbox, ManualClock(NOON))
    engine.store = Broken()
    with TestClient(App(engine, development=True)) as client:
        answer = client.post(START, auth=AUTH, data={"To": PHONE, "Channel": "sms"})

    assert (answer.status_code, answer.json()["code"]) == (503, 20503)
    assert answer.headers["retry-after"] == "1"
    assert inbox.messages() == []


TEXT = st.text(max_size=40)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from(METHODS),
    path=st.one_of(st.sampled_from([START, CHECK]), TEXT.map(lambda text: f"{START}/{text}")),
    form=st.dictionaries(
        st.sampled_from(["To", "Channel", "Code", "CustomCode", "Status", "VerificationSid"]), TEXT
    ),
)
def test_no_request_is_answered_with_a_5xx(
    http: TestClient, method: str, path: str, form: dict[str, str]
) -> None:
    url = quote(path, errors="replace")
    body = urlencode(form, errors="replace")

    answer = http.request(method, url, auth=AUTH, content=body, headers=FORM)

    assert answer.status_code < 500
