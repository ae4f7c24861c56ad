"""`watchword.toml`: read into senders and routes, or refused by the name of what is wrong."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from watchword import config
from watchword.cli import main
from watchword.errors import ConfigurationError
from watchword.model import Channel
from watchword.runtime import open_sender
from watchword.senders.configured import dispatch_from
from watchword.senders.dispatch import Dispatch
from watchword.senders.inbox import InboxSender
from watchword.senders.kinds import KINDS
from watchword.senders.routes import find_route

GOOD = """
[[senders]]
name = "one"
type = "twilio"
account_sid = "AC1"
auth_token_env = "TOKEN"
from = "+1555"

[[senders]]
name = "two"
type = "vonage"
api_key = "k"
api_secret_env = "TOKEN"
from = "Acme"

[[senders]]
name = "mail"
type = "smtp"
host = "localhost"
from = "Acme <no-reply@acme.example>"

[[routes]]
channel = "sms"
countries = ["fr"]
senders = ["two", { name = "one", weight = 2, cost = 0.05 }]
"""
ENVIRONMENT = {"TOKEN": "secret"}


def test_senders_and_routes_are_read() -> None:
    dispatch = dispatch_from(tomllib.loads(GOOD), ENVIRONMENT)

    assert dispatch is not None
    assert list(dispatch.lanes) == ["one", "two", "mail"]
    french = find_route(dispatch.routes, Channel.SMS, "+33612345678", "FR")
    mail = find_route(dispatch.routes, Channel.EMAIL, "a@b.example", "")
    assert french is not None
    assert [choice.sender for choice in french.choices] == ["two", "one"]
    assert mail is not None
    assert [choice.sender for choice in mail.choices] == ["mail"]
    assert find_route(dispatch.routes, Channel.CALL, "+33612345678", "FR") is None


def test_a_channel_without_routes_takes_its_senders_as_they_are_written() -> None:
    tables = tomllib.loads(GOOD.partition("[[routes]]")[0])

    dispatch = dispatch_from(tables, ENVIRONMENT)

    assert dispatch is not None
    anywhere = find_route(dispatch.routes, Channel.SMS, "+4915", "DE")
    assert anywhere is not None
    assert [choice.sender for choice in anywhere.choices] == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('type = "twilio"', 'type = "twillio"', r"senders\.one\.type: there are twilio"),
        ('from = "+1555"', 'form = "+1555"', r"senders\.one\.form: there is no such key"),
        ('from = "+1555"', "", r"senders\.one: from or messaging_service_sid"),
        ('account_sid = "AC1"', "", r"senders\.one\.account_sid: it is missing"),
        ('auth_token_env = "TOKEN"', 'auth_token = "x"', r"do not write it down; name a variable"),
        ('auth_token_env = "TOKEN"', 'auth_token_env = "GONE"', r"the variable GONE is not set"),
        ('auth_token_env = "TOKEN"', 'auth_token_file = "/no/x"', r"/no/x cannot be read"),
        ('name = "two"', 'name = "one"', r"senders\.one: two senders have this name"),
        ('channel = "sms"', 'channel = "fax"', r"routes\.channel: there are sms"),
        ('channel = "sms"', 'channel = "call"', r"no sender two serves call; there are none"),
        ('["two",', '["three",', r"no sender three serves sms; there are one, two"),
        ("weight = 2", "weigth = 2", r"routes\.senders\.weigth"),
        ("weight = 2", "weight = 0", r"a weight is a whole number"),
        ('countries = ["fr"]', 'countries = ["fra"]', r"routes\.countries"),
        (
            'countries = ["fr"]',
            'countries = ["uk"]',
            r"UK is no country that has phone numbers; GB",
        ),
        (
            'api_key = "k"',
            'api_key = "k"\nurl = "rest.nexmo.com"',
            r"two\.url: an address such as https",
        ),
        ('countries = ["fr"]', 'prefixes = ["33"]', r"a prefix begins with \+"),
        ('countries = ["fr"]', 'country = ["fr"]', r"routes\.country: there are"),
        ('countries = ["fr"]', 'pick = "luck"', r"routes\.pick: there are order, cost, weight"),
        ('host = "localhost"', 'host = "localhost"\nport = "smtp"', r"senders\.mail: port"),
        ('host = "localhost"', 'host = "x"\nsecurity = "ssl"', r"there are starttls, tls, none"),
        ('host = "localhost"', 'host = "x"\nchannels = ["sms"]', r"this type serves email"),
        ('host = "localhost"', 'host = "x"\ntimeout_seconds = 0', r"timeout_seconds"),
        ("[[routes]]", "[routes]", r"write \[\[routes\]\]"),
    ],
)
def test_what_cannot_be_is_refused_by_name(old: str, new: str, named: str) -> None:
    assert old in GOOD

    with pytest.raises(ConfigurationError, match=named):
        dispatch_from(tomllib.loads(GOOD.replace(old, new, 1)), ENVIRONMENT)


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    text = GOOD.replace('auth_token_env = "TOKEN"', f'auth_token_file = "{tmp_path / "token"}"')

    assert dispatch_from(tomllib.loads(text), ENVIRONMENT) is not None


def test_no_secret_shows_in_a_repr() -> None:
    dispatch = dispatch_from(tomllib.loads(GOOD), ENVIRONMENT)

    assert "secret" not in repr(dispatch)
    assert "secret" not in repr(dispatch.lanes if dispatch else "")


def test_every_type_says_what_its_options_are_for() -> None:
    for kind in KINDS.values():
        cls = kind.load()
        assert cls.CHANNELS
        assert all(option.help for option in cls.OPTIONS)


@pytest.fixture
def production(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home.mkdir()
    monkeypatch.setenv("WATCHWORD_ENV", "production")
    monkeypatch.setenv("TOKEN", "secret")
    return home / "watchword.toml"


def test_production_wants_real_senders_and_names_the_setting(
    production: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = CliRunner().invoke(main, ["verify", "+237650000000"])
    monkeypatch.setenv("WATCHWORD_SENDER", "inbox")
    with_inbox = CliRunner().invoke(main, ["verify", "+237650000000"])

    assert without.exit_code == 78
    assert "[[senders]]" in without.stderr
    assert with_inbox.exit_code == 78
    assert "WATCHWORD_SENDER" in with_inbox.stderr


def test_production_runs_with_real_senders(production: Path) -> None:
    production.write_text(GOOD)

    assert isinstance(open_sender(config.load()), Dispatch)


def test_development_may_have_the_inbox_back(
    production: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    production.write_text(GOOD)
    monkeypatch.delenv("WATCHWORD_ENV")
    real = open_sender(config.load())
    monkeypatch.setenv("WATCHWORD_SENDER", "inbox")
    inbox = open_sender(config.load())

    assert isinstance(real, Dispatch)
    assert isinstance(inbox, InboxSender)
    inbox.close()
