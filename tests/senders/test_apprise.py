"""Apprise services: told apart as far as they can be, silent in every log, never waited upon."""

import logging
import socket
import time
from collections.abc import Iterator

import pytest

from tests.senders.fakes import CODE, NUMBER, Fake, broken_server, fake_provider, message, send
from watchword.errors import ConfigurationError
from watchword.model import Channel, Delivery
from watchword.senders.apprise import AppriseSender
from watchword.senders.base import Receipt, Trouble
from watchword.senders.configured import dispatch_from

TARGET = "json://{}/sms?:to={{{{to}}}}&:number={{{{number}}}}"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_provider() as one:
        yield one


def make(url: str, timeout: float = 5.0) -> AppriseSender:
    return AppriseSender("tail", {"url": url}, timeout=timeout)


def at(fake: Fake) -> str:
    return TARGET.format(fake.url.removeprefix("http://"))


def test_a_message_goes_to_the_service_that_the_url_names(fake: Fake) -> None:
    fake.says(200, {})

    receipt = send(make(at(fake)))[0]

    asked = fake.asked[0].json
    assert receipt == Receipt(Delivery.SENT)
    assert asked["message"] == f"Your Acme verification code is: {CODE}"
    assert (asked["to"], asked["number"]) == (NUMBER, NUMBER.removeprefix("+"))


def test_an_e_mail_gets_its_subject(fake: Fake) -> None:
    fake.says(200, {})

    send(make(at(fake)), message(Channel.EMAIL, to="ada@acme.example"))

    assert "Acme" in fake.asked[0].json["title"]
    assert fake.asked[0].json["to"] == "ada@acme.example"


@pytest.mark.parametrize(
    ("answered", "status", "trouble"),
    [
        (401, Delivery.FAILED, Trouble.CREDENTIALS),
        (404, Delivery.FAILED, Trouble.SETUP),
        (429, Delivery.FAILED, Trouble.BUSY),
        (503, Delivery.FAILED, Trouble.OUTAGE),
        (500, Delivery.UNKNOWN, Trouble.OUTAGE),
    ],
)
def test_a_no_is_told_apart_by_the_status_that_it_names(
    fake: Fake, answered: int, status: Delivery, trouble: Trouble
) -> None:
    fake.says(answered, {})

    receipt = send(make(at(fake)))[0]

    assert (receipt.status, receipt.trouble) == (status, trouble)


def test_a_redirect_is_not_followed(fake: Fake) -> None:
    fake.says(307, {}, Location=f"{fake.url}/elsewhere")

    receipt = send(make(at(fake)))[0]

    assert receipt.status is not Delivery.SENT
    assert len(fake.asked) == 1


def test_nobody_listening_is_definite_and_silence_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nobody = send(make(TARGET.format(f"127.0.0.1:{port}")))[0]

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with broken_server(silent) as broken:
        silence = send(make(TARGET.format(f"127.0.0.1:{broken.port}"), timeout=0.4))[0]

    assert (nobody.status, nobody.trouble) == (Delivery.FAILED, Trouble.OUTAGE)
    assert silence.status is Delivery.UNKNOWN


def test_ten_messages_do_not_wait_for_one_another(fake: Fake) -> None:
    fake.says(200, {})
    sender = make(at(fake).replace("json://", "form://"))
    begun = time.monotonic()

    receipts = send(sender, *(message() for _ in range(10)))

    assert {receipt.status for receipt in receipts} == {Delivery.SENT}
    assert time.monotonic() - begun < 4  # Apprise's own pause is 5.5 s between two


def test_nothing_of_it_reaches_a_log_even_at_debug(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for answered in (200, 400, 500):
        fake.says(answered, {"message": f"{NUMBER} {CODE}"})
        receipt = send(make(f"{at(fake)}&-code={CODE}"))[0]
        assert CODE not in repr(receipt)

    logged = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records)
    assert CODE not in logged
    assert NUMBER.removeprefix("+") not in logged
    assert "urllib3" not in logged
    assert "apprise" not in logged

    logging.getLogger("apprise").debug("somebody else's")
    assert "somebody else's" in caplog.text


@pytest.mark.parametrize(
    ("url", "more", "named"),
    [
        ("json://localhost/", {"channels": ["sms"]}, r"without \{\{to\}\} or \{\{number\}\}"),
        ("nothing://{{to}}", {"channels": ["sms"]}, r"Apprise knows no service by it"),
        ("json://localhost/{{to}}", {}, r"channels: name what it serves"),
    ],
)
def test_what_cannot_be_is_refused_without_the_url(
    url: str, more: dict[str, list[str]], named: str
) -> None:
    tables = {"senders": [{"type": "apprise", "name": "tail", "url_env": "URL"} | more]}

    with pytest.raises(ConfigurationError, match=named) as refused:
        dispatch_from(tables, {"URL": url})

    assert url not in str(refused.value)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.senders.kinds.find_spec", lambda _name: None)

    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[apprise\]'"):
        dispatch_from({"senders": [{"type": "apprise"}]}, {})
