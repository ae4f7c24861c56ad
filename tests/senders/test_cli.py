"""`watchword senders` and `watchword send-test`: each end in words that say what to do."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.senders.fakes import Fake, broken_server, fake_provider
from tests.senders.reference import PAGE, page
from watchword.cli import main

NUMBER = "+33612345678"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_provider() as one:
        yield one


@pytest.fixture
def toml(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home.mkdir()
    monkeypatch.setenv("TOKEN", "secret")
    return home / "watchword.toml"


def twilio(url: str, more: str = "") -> str:
    return (
        '[[senders]]\nname = "tw"\ntype = "twilio"\naccount_sid = "AC1"\nfrom = "+1555"\n'
        f'auth_token_env = "TOKEN"\nurl = "{url}"\n{more}\n'
    )


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def send_test(*more: str) -> Result:
    return run("send-test", "--to", NUMBER, "--sender", "tw", *more)


def test_a_sent_message_shows_each_step(toml: Path, fake: Fake) -> None:
    toml.write_text(twilio(fake.url))
    fake.says(201, {"sid": "SM1", "price": "-0.05", "price_unit": "USD"})

    result = send_test()

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "1 text     fr, GSM-7, 1 segment(s)",
        "2 sender   tw",
        "3 answer   sent, id SM1, price 0.05 USD",
        "the provider took it; look at the phone",
    ]
    assert fake.asked[0].form["To"] == NUMBER


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, 20003, "check the account and its secret"),
        (400, 21211, "this number cannot be reached; ask for another one"),
        (400, 21610, "they must send START first"),
    ],
)
def test_a_refusal_ends_in_words_that_say_what_to_do(
    toml: Path, fake: Fake, status: int, code: int, words: str
) -> None:
    toml.write_text(twilio(fake.url))
    fake.says(status, {"code": code, "message": f"{NUMBER} is bad"})

    result = send_test()

    assert result.exit_code == 69
    assert f"failed, error {code}, in its words: • is bad" in result.stdout
    assert words in result.stderr
    assert "secret" not in result.stdout


def test_a_timeout_says_that_nobody_knows(toml: Path) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(65536)

    with broken_server(silent) as broken:
        toml.write_text(twilio(broken.url, "timeout_seconds = 0.3"))
        result = send_test()

    assert result.exit_code == 75
    assert "nobody knows whether it was sent" in result.stderr


def test_a_name_or_a_channel_that_is_not_there_is_named(toml: Path) -> None:
    without = send_test()
    toml.write_text(twilio("http://127.0.0.1:1"))

    assert without.exit_code == 78
    assert "there are no [[senders]]" in without.stderr
    assert "there are tw" in run("send-test", "--to", NUMBER, "--sender", "x").stderr
    assert "tw does not serve call" in send_test("--channel", "call").stderr
    assert "there is no channel fax" in send_test("--channel", "fax").stderr


def test_senders_shows_who_can_be_reached_and_sends_nothing(toml: Path, fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    down = twilio(f"http://127.0.0.1:{port}").replace('"tw"', '"down"')
    toml.write_text(twilio(fake.url) + down)

    result = run("senders")
    as_json = json.loads(run("senders", "--json").stdout)

    assert result.exit_code == 69
    assert "ok    tw (sms, whatsapp)" in result.stdout
    assert "FAIL  down" in result.stdout
    assert [line["ok"] for line in as_json] == [True, False]
    assert fake.asked == []


def test_the_types_and_their_options_are_listed() -> None:
    listed = run("senders", "--types").stdout

    assert "auth_token_env" in listed
    assert "smtp: e-mail" in listed
    assert "webhook" in json.loads(run("senders", "--types", "--json").stdout)


def test_the_reference_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "write it: python -m tests.senders.reference"
