import app  # noqa: F401  # it sets Django up
from django.test import Client

PHONE = "+237650000000"


def test_a_person_logs_in_with_the_code_they_were_sent(watchword_inbox, watchword_clock):
    browser = Client()

    assert browser.post("/login", {"phone": PHONE}).status_code == 200
    assert browser.post("/login", {"phone": PHONE}).status_code == 429
    watchword_clock.advance(minutes=2)
    assert browser.post("/login", {"phone": PHONE}).status_code == 200

    code = watchword_inbox.wait_code(PHONE)
    assert browser.post("/code", {"phone": PHONE, "code": "0000"}).status_code == 403
    assert browser.post("/code", {"phone": PHONE, "code": code}).content == b"welcome"
