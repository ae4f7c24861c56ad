"""The page at `/`: from number to code to "approved", with forms alone."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.conftest import PHONE
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.engine import Engine
from watchword.senders.base import Sender
from watchword.senders.configured import dispatch_from
from watchword.senders.console import ConsoleSender
from watchword.senders.inbox import InboxSender

MASKED = "+237•••••••00"


@pytest.fixture
def browser(engine: Engine) -> Iterator[TestClient]:
    with TestClient(App(engine, development=True), base_url="http://testserver") as client:
        yield client


def test_a_person_goes_from_number_to_code_to_approved(
    browser: TestClient, inbox: InboxSender
) -> None:
    assert "What is your number?" in browser.get("/").text

    asked = browser.post("/start", data={"to": "+237 650 00 00 00"})
    assert "Enter your code" in asked.text
    assert MASKED in asked.text
    code = inbox.messages()[0].code
    assert code in asked.text

    done = browser.post("/check", data={"code": f" {code[:3]} {code[3:]} "})
    assert "approved" in done.text
    assert "Verify another number" in done.text


def test_a_wrong_code_can_be_corrected(browser: TestClient, inbox: InboxSender) -> None:
    browser.post("/start", data={"to": PHONE})
    code = inbox.messages()[0].code

    wrong = browser.post("/check", data={"code": f"{(int(code) + 1) % 10**6:06}"})

    assert wrong.status_code == 422
    assert "not the code" in wrong.text
    assert "approved" in browser.post("/check", data={"code": code}).text


def test_a_number_that_is_none_is_explained_and_kept(browser: TestClient) -> None:
    answer = browser.post("/start", data={"to": "+1555<script>"})

    assert answer.status_code == 422
    assert "cannot be used" in answer.text
    assert "<script>" not in answer.text
    assert "+1555&lt;script&gt;" in answer.text


def test_asking_again_too_soon_says_when(browser: TestClient, clock: ManualClock) -> None:
    browser.post("/start", data={"to": PHONE})

    early = browser.post("/start", data={"to": PHONE})
    assert early.status_code == 429
    assert re.search(r"in 2 minutes|in 1\d\d seconds", early.text)
    clock.advance(minutes=2)

    assert browser.post("/start", data={"to": PHONE}).status_code == 200


def test_too_many_wrong_codes_are_told(browser: TestClient, inbox: InboxSender) -> None:
    browser.post("/start", data={"to": PHONE})
    code = inbox.messages()[0].code
    for _ in range(5):
        browser.post("/check", data={"code": f"{(int(code) + 1) % 10**6:06}"})

    answer = browser.post("/check", data={"code": code})

    assert answer.status_code == 429
    assert "Too many wrong codes" in answer.text


def test_an_empty_code_costs_no_guess(browser: TestClient, inbox: InboxSender) -> None:
    browser.post("/start", data={"to": PHONE})
    for _ in range(6):
        assert browser.post("/check", data={"code": "abc"}).status_code == 422

    assert "approved" in browser.post("/check", data={"code": inbox.messages()[0].code}).text


def test_after_an_approval_the_same_number_may_begin_at_once(
    browser: TestClient, inbox: InboxSender
) -> None:
    for _ in range(2):
        browser.post("/start", data={"to": PHONE})
        browser.post("/check", data={"code": inbox.messages()[0].code})
        browser.post("/again")

    assert len(inbox.messages()) == 2


def test_a_form_of_another_site_is_refused(browser: TestClient, inbox: InboxSender) -> None:
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
        answer = browser.post("/start", data={"to": PHONE}, headers=headers)
        assert answer.status_code == 403

    assert inbox.messages() == []


def test_the_page_allows_no_script_and_no_frame(browser: TestClient) -> None:
    policy = browser.get("/").headers["content-security-policy"]

    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in browser.get("/").text


def test_a_code_is_shown_where_it_stands_in_the_message(
    browser: TestClient, engine: Engine, inbox: InboxSender
) -> None:
    known = engine.credentials
    browser.post(
        f"/v2/Services/{known.service_sid}",
        data={"DoNotShareWarningEnabled": "true"},
        auth=(known.account_sid, known.auth_token),
    )

    page = browser.post("/start", data={"to": "+12025550143"}).text

    code = inbox.messages()[0].code
    assert f"verification code is: <strong>{code}</strong>. Don" in page


def test_a_default_service_that_was_deleted_is_named(browser: TestClient, engine: Engine) -> None:
    known = engine.credentials
    gone = browser.delete(
        f"/v2/Services/{known.service_sid}", auth=(known.account_sid, known.auth_token)
    )

    page = browser.post("/start", data={"to": PHONE}).text

    assert gone.status_code == 204
    assert "The default service was deleted. Restart watchword" in page


@pytest.mark.parametrize("address", ["/nope", "/static/nope.css", "/start"])
def test_a_person_who_is_lost_is_led_back_and_a_program_is_told(
    browser: TestClient, address: str
) -> None:
    status = 405 if address == "/start" else 404

    person = browser.get(address, headers={"Accept": "text/html,*/*"})
    program = browser.get(address)

    assert (person.status_code, program.status_code) == (status, status)
    assert "There is no such page" in person.text
    assert 'href="/"' in person.text
    assert "<" not in program.text


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        (ConsoleSender(), "Codes are printed where the server runs"),
        (
            dispatch_from({"senders": [{"type": "webhook", "url": "http://127.0.0.1:1/"}]}, {}),
            "for real: use a number of yours",
        ),
    ],
    ids=["console", "routes"],
)
def test_where_messages_leave_the_page_promises_no_inbox(
    engine: Engine, sender: Sender, said: str
) -> None:
    engine.sender = sender
    with TestClient(App(engine, development=True)) as client:
        pages = client.get("/").text, client.get("/docs").text

    assert said in pages[0]
    assert "Nothing leaves this machine" not in pages[0]
    assert 'href="/inbox"' not in pages[0] + pages[1]


def test_the_code_field_is_one_that_phones_fill_in(browser: TestClient) -> None:
    page = browser.post("/start", data={"to": PHONE}).text

    assert page.count('name="code"') == 1
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page


def test_health_is_told_by_healthz(browser: TestClient) -> None:
    assert browser.get("/healthz").json() == {"status": "ok"}


def test_in_production_there_is_no_page_and_no_inbox(engine: Engine) -> None:
    with TestClient(App(engine, development=False)) as client:
        assert client.get("/").text == "watchword is running\n"
        assert client.post("/start", data={"to": PHONE}).status_code == 404
