"""What is hard to try with a real provider: expiry, guessing, a sender and a database that fail."""

import pytest
from app import app

PHONE = "+237650000000"


@pytest.fixture
def browser(watchword):
    """Give a browser; with `watchword` asked for, nothing leaves this process."""
    return app.test_client()


def test_a_code_dies_after_ten_minutes(browser, watchword_inbox, watchword_clock):
    browser.post("/login", data={"phone": PHONE})
    code = watchword_inbox.wait_code(PHONE)

    watchword_clock.advance(minutes=10)

    assert browser.post("/code", data={"phone": PHONE, "code": code}).status_code == 403


def test_after_five_wrong_codes_the_right_one_is_refused(browser, watchword_inbox):
    browser.post("/login", data={"phone": PHONE})
    code = watchword_inbox.wait_code(PHONE)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    for _ in range(5):
        assert browser.post("/code", data={"phone": PHONE, "code": wrong}).status_code == 403

    assert browser.post("/code", data={"phone": PHONE, "code": code}).status_code == 403


def test_a_message_that_was_not_sent_costs_no_wait(browser, watchword_faults):
    watchword_faults.sender_fails()
    assert browser.post("/login", data={"phone": PHONE}).status_code == 500

    watchword_faults.clear()
    assert browser.post("/login", data={"phone": PHONE}).status_code == 200


def test_nobody_gets_in_while_the_database_is_away(browser, watchword_inbox, watchword_faults):
    browser.post("/login", data={"phone": PHONE})
    code = watchword_inbox.wait_code(PHONE)
    watchword_faults.store_unavailable()

    assert browser.post("/code", data={"phone": PHONE, "code": code}).status_code == 500
