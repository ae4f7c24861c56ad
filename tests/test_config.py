"""Settings: read once, refused by name when they cannot be, documented where they are read."""

from datetime import timedelta
from pathlib import Path

import pytest

from watchword import config
from watchword.commands.services import ReadService
from watchword.errors import ConfigurationError
from watchword.runtime import open_engine


def test_without_any_setting_there_is_a_default_for_each(tmp_path: Path) -> None:
    settings = config.load({"WATCHWORD_HOME": str(tmp_path)})

    assert settings.database_url == f"sqlite:///{tmp_path}/watchword.db"
    assert settings.ladder == (
        timedelta(minutes=2),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=24),
    )


def test_an_unknown_setting_stops_the_start_by_name() -> None:
    with pytest.raises(ConfigurationError, match="WATCHWORD_SENDR") as refusal:
        config.load({"WATCHWORD_SENDR": "console"})

    assert refusal.value.name == "WATCHWORD_SENDR"


def test_a_name_given_later_is_the_name_in_messages(tmp_path: Path) -> None:
    home = {"WATCHWORD_HOME": str(tmp_path)}

    for given, shown in (("", "watchword"), ("Acme", "Acme"), ("", "Acme"), ("Beta", "Beta")):
        engine = open_engine(config.load(home | {"WATCHWORD_FRIENDLY_NAME": given}))
        known = engine.credentials
        name = engine.read(
            ReadService(known.service_sid, known.account_sid, lambda service: service.friendly_name)
        )
        engine.close()

        assert name == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WATCHWORD_ENV", "staging"),
        ("WATCHWORD_MAX_FAILURES", "0"),
        ("WATCHWORD_MAX_FAILURES", "many"),
        ("WATCHWORD_KEYS", "not base64!"),
        ("WATCHWORD_TRUSTED_PROXIES", "*"),
        ("WATCHWORD_TRUSTED_PROXIES", "10.0.0.0/8 proxy.example"),
        ("WATCHWORD_FRIENDLY_NAME", "Acme 12345"),
        ("WATCHWORD_FRIENDLY_NAME", "Acme\nCode: 0000"),
        ("WATCHWORD_FRIENDLY_NAME", "\udcff"),
        ("WATCHWORD_FRIENDLY_NAME", "A" * 31),
        ("FIRST_RESEND_DURATION", "-1"),
        ("FIRST_RESEND_DURATION", "two minutes"),
    ],
)
def test_a_value_that_cannot_be_stops_the_start_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as refusal:
        config.load({name: value})

    assert refusal.value.name == name


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FIRST_RESEND_DURATION", "two minutes", "a whole number from 1 to 31536000000"),
        ("FIRST_RESEND_DURATION", "9" * 20, "a whole number from 1 to 31536000000"),
        ("WATCHWORD_RETENTION_DAYS", "9" * 12, "a whole number from 1 to 36500"),
        ("WATCHWORD_ANSWER_SECONDS", "soon", "a number of seconds up to 60"),
    ],
)
def test_a_number_that_cannot_be_is_told_which_can(name: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        config.load({name: value})

    assert str(refusal.value) == f"{name} cannot be read: {expected} is expected"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str, tmp_path: Path) -> None:
    settings = config.load({"WATCHWORD_HOME": str(tmp_path), "WATCHWORD_DATABASE_URL": url})

    with pytest.raises(ConfigurationError, match="a new one for each connection"):
        open_engine(settings)


@pytest.mark.parametrize("typed", ["AC1 ", "AC1\r", "\tAC1"])
def test_space_around_a_value_is_none_of_it(typed: str) -> None:
    assert config.documented("TWILIO_ACCOUNT_SID", {"TWILIO_ACCOUNT_SID": typed}) == "AC1"


def test_a_value_of_spaces_is_none() -> None:
    assert config.documented("TWILIO_ACCOUNT_SID", {"TWILIO_ACCOUNT_SID": " "}) is None


def test_an_empty_value_is_the_default() -> None:
    assert config.load({"WATCHWORD_ENV": ""}).env == "development"


def test_the_inbox_refuses_to_run_in_production(tmp_path: Path) -> None:
    production = {"WATCHWORD_HOME": str(tmp_path), "WATCHWORD_ENV": "production"}

    with pytest.raises(ConfigurationError, match="senders") as refusal:
        open_engine(config.load(production))
    assert refusal.value.name == "senders"

    with pytest.raises(ConfigurationError, match="inbox") as refusal:
        open_engine(config.load(production | {"WATCHWORD_SENDER": "inbox"}))
    assert refusal.value.name == "WATCHWORD_SENDER"


def test_settings_show_no_key() -> None:
    key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

    assert "kkk" not in repr(config.load({"WATCHWORD_KEYS": key}))


def test_every_setting_says_what_it_does() -> None:
    for setting in config.SETTINGS:
        assert len(setting.help) > 10, setting.variable
