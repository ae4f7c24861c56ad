from app import app

PHONE = "+237650000000"


def test_a_person_logs_in_with_the_code_they_were_sent(watchword_inbox, watchword_clock):
    browser = app.test_client()

    assert browser.post("/login", data={"phone": PHONE}).status_code == 200
    assert browser.post("/login", data={"phone": PHONE}).status_code == 429  # not within 2 minutes
    watchword_clock.advance(minutes=2)
    assert browser.post("/login", data={"phone": PHONE}).status_code == 200

    code = watchword_inbox.wait_code(PHONE)
    assert browser.post("/code", data={"phone": PHONE, "code": code}).data == b"welcome"
