"""`watchword_server` sets the `TWILIO_…` variables to a real server on a free port."""

import pytest
from app import app
from fastapi.testclient import TestClient

PHONE = "+237650000000"


@pytest.fixture
def browser(watchword_server):
    """Give a browser to the program under test, which finds the server in its environment."""
    return TestClient(app)


def test_a_person_logs_in(browser, watchword_inbox):
    browser.post("/login", data={"phone": PHONE})
    code = watchword_inbox.wait_code(PHONE)

    assert browser.post("/code", data={"phone": PHONE, "code": "0000"}).status_code == 403
    assert browser.post("/code", data={"phone": PHONE, "code": code}).json() == {"welcome": PHONE}


def test_five_messages_are_all_there_are(browser):
    for _ in range(5):
        assert browser.post("/login", data={"phone": PHONE}).status_code == 200

    assert browser.post("/login", data={"phone": PHONE}).status_code == 429
