"""Settings: one table of names, read once from the environment into a frozen record."""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from watchword.errors import ConfigurationError, InvalidParameter
from watchword.tenants import LONGEST_NAME, MOST_DIGITS_IN_A_NAME

PREFIX = "WATCHWORD_"
ENVIRONMENTS = ("development", "production")
SENDERS = ("", "routes", "inbox", "console")
LOG_LEVELS = ("error", "warning", "info", "debug")
A_LOT: Final = 1_000_000
CENTURY_IN_DAYS: Final = 36_500
YEAR_IN_MILLISECONDS: Final = 31_536_000_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its default as it would be typed, how it is read, what it does."""

    variable: str
    default: str
    read: Callable[[str], Any]
    help: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process goes by."""

    home: Path
    database_url: str
    env: str
    sender: str
    friendly_name: str
    secrets: tuple[bytes, ...] = field(repr=False)
    max_failures: int
    ladder: tuple[timedelta, ...]
    max_batch: int
    retention_days: int
    audit_days: int
    config_file: Path
    answer_within: timedelta
    public_url: str
    fixed_codes: tuple[tuple[str, str], ...] = field(repr=False)
    return_urls: tuple[str, ...]
    private_webhooks: bool
    trusted_proxies: tuple[str, ...]
    log: str
    metrics_token: str = field(default="", repr=False)

    @property
    def production(self) -> bool:
        return self.env == "production"


def _text(value: str) -> str:
    return value.strip()  # an env file written elsewhere ends its lines with more than a line feed


def _name(value: str) -> str:
    """Read what messages call the sender by: as short and plain as a service's own name."""
    digits = sum(map(str.isdigit, value))
    if not value.isprintable() or len(value) > LONGEST_NAME or digits > MOST_DIGITS_IN_A_NAME:
        raise ValueError(
            f"a plain name of up to {LONGEST_NAME} characters, "
            f"{MOST_DIGITS_IN_A_NAME} of them digits at most,"
        )
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser().resolve()


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return read


def _up_to(most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:  # its words are Python's, not those of whoever types a setting
            number = 0
        if not 1 <= number <= most:
            raise ValueError(f"a whole number from 1 to {most}")
        return number

    return read


def _days(value: str) -> int:
    return _up_to(CENTURY_IN_DAYS)(value)


def _milliseconds(value: str) -> timedelta:
    return timedelta(milliseconds=_up_to(YEAR_IN_MILLISECONDS)(value))


def _seconds(value: str) -> timedelta:
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not 0 < number <= 60:
        raise ValueError("a number of seconds up to 60")
    return timedelta(seconds=number)


def _url(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("an address such as https://verify.example.com")
    return value.rstrip("/")


def _fixed_codes(value: str) -> tuple[tuple[str, str], ...]:
    """Read `123456` for every number, or `+237650000000=123456` for one, as many as there are."""
    found = []
    for part in value.split():
        number, equals, code = part.rpartition("=")
        if not FIXED_CODE.fullmatch(code):
            raise ValueError("123456, or +237650000000=123456 …, with codes of 4 to 10 digits")
        found.append((_number(number) if equals else "*", code))
    return tuple(found)


def _number(text: str) -> str:
    from watchword.phone import parse  # its metadata takes a while to load, and few need it here

    try:
        return parse(text).e164
    except InvalidParameter as refusal:
        raise ValueError(f"a number that can be texted ({refusal})") from refusal


def _keys(value: str) -> tuple[bytes, ...]:
    try:
        return tuple(base64.b64decode(part, validate=True) for part in value.split())
    except binascii.Error as fault:
        raise ValueError("base64 keys, newest first, with a space between") from fault


def _networks(value: str) -> tuple[str, ...]:
    """Read addresses and networks; `*` would let anybody say where they come from."""
    try:
        return tuple(str(ip_network(part)) for part in value.split())
    except ValueError as fault:
        raise ValueError(
            "addresses or networks such as 10.0.0.0/8, with a space between"
        ) from fault


FIXED_CODE: Final = re.compile(r"[0-9]{4,10}")


def _urls(value: str) -> tuple[str, ...]:
    return tuple(_url(part) for part in value.split())


DEFAULT_HOME: Final = "~/.local/share/watchword"
SETTINGS: Final = (
    Setting(
        "WATCHWORD_HOME", DEFAULT_HOME, _path, "folder of the database, the keys and the inbox"
    ),
    Setting("WATCHWORD_DATABASE_URL", "", _text, "another database, as a SQLAlchemy URL"),
    Setting("WATCHWORD_ENV", "development", _one_of(*ENVIRONMENTS), "development or production"),
    Setting(
        "WATCHWORD_SENDER", "", _one_of(*SENDERS), "routes, inbox or console; else what is there"
    ),
    Setting(
        "WATCHWORD_FRIENDLY_NAME", "watchword", _name, "the name in messages of the default service"
    ),
    Setting("WATCHWORD_KEYS", "", _keys, "base64 keys, newest first; else the file in the home"),
    Setting(
        "WATCHWORD_MAX_FAILURES", "50", _up_to(A_LOT), "wrong codes a phone has without a right one"
    ),
    Setting(
        "WATCHWORD_CONFIG", "", _text, "senders, routes and texts; else watchword.toml in the home"
    ),
    Setting("WATCHWORD_ANSWER_SECONDS", "2.5", _seconds, "a slow sender is not waited for longer"),
    Setting("WATCHWORD_PUBLIC_URL", "", _url, "where the world reaches this server"),
    Setting(
        "WATCHWORD_PRIVATE_WEBHOOKS",
        "refuse",
        _one_of("refuse", "allow"),
        "whether webhooks may go to private addresses",
    ),
    Setting("WATCHWORD_RETENTION_DAYS", "30", _days, "how long what is over is kept"),
    Setting("WATCHWORD_AUDIT_DAYS", "365", _days, "how long operators' acts are kept"),
    Setting("WATCHWORD_MAX_BATCH", "256", _up_to(A_LOT), "requests that share one commit at most"),
    Setting(
        "WATCHWORD_TRUSTED_PROXIES", "", _networks, "whose X-Forwarded-For and -Proto to believe"
    ),
    Setting(
        "WATCHWORD_LOG",
        "warning",
        _one_of(*LOG_LEVELS),
        "how much the server logs: error, warning, info (each start) or debug",
    ),
    Setting("WATCHWORD_METRICS_TOKEN", "", _text, "who shows it as a Bearer token sees /metrics"),
    Setting(
        "WATCHWORD_RETURN_URLS", "", _urls, "where the hosted page may lead back to: URLs, spaced"
    ),
    Setting(
        "WATCHWORD_FIXED_CODES", "", _fixed_codes, "development: 123456, or +237650000000=123456 …"
    ),
    Setting(
        "TWILIO_ACCOUNT_SID", "", _text, "with the next two: Twilio sends and checks the codes"
    ),
    Setting("TWILIO_AUTH_TOKEN", "", _text, "the token of that account"),
    Setting("TWILIO_SERVICE_SID", "", _text, "the Verify service (VA…) of that account"),
    Setting(
        "TWILIO_VERIFY_BASE_URL", "", _url, "who answers for Twilio, such as a watchword server"
    ),
    Setting("FIRST_RESEND_DURATION", "120000", _milliseconds, "first wait, in milliseconds"),
    Setting("SECOND_RESEND_DURATION", "300000", _milliseconds, "second wait, in milliseconds"),
    Setting("THIRD_RESEND_DURATION", "900000", _milliseconds, "third wait, in milliseconds"),
    Setting("FOURTH_RESEND_DURATION", "86400000", _milliseconds, "fourth wait, in milliseconds"),
)
BY_VARIABLE: Final = {setting.variable: setting for setting in SETTINGS}
DEFAULTS: Final = tuple((setting.variable, setting.default) for setting in SETTINGS)
TWILIO: Final = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_SERVICE_SID")
LADDER: Final = tuple(s.variable for s in SETTINGS if s.variable.endswith("_RESEND_DURATION"))


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raise ConfigurationError, naming the variable, for any that cannot be.

    An unknown `WATCHWORD_…` variable stops the start as well: a misspelt guard guards nothing.
    """
    given = os.environ if environment is None else environment
    for name in given:
        if name.startswith(PREFIX) and name not in BY_VARIABLE:
            raise ConfigurationError(
                f"there is no setting {name}; see: watchword config", name=name
            )
    texts = tuple([given.get(name) or default for name, default in DEFAULTS])
    return read(texts, (_here(), given.get("HOME")))


@lru_cache(maxsize=8)  # `OTP_Model` asks anew for every number
def read(texts: tuple[str, ...], _paths_start_at: tuple[str, str | None]) -> Settings:
    """Read the texts of all settings, in order; relative paths start at a folder and a home."""
    values = {
        setting.variable: _read(setting, {setting.variable: text})
        for setting, text in zip(SETTINGS, texts, strict=True)
    }
    if values["WATCHWORD_ENV"] == "production" and values["WATCHWORD_FIXED_CODES"]:
        raise ConfigurationError(
            "fixed codes let anybody in, so WATCHWORD_FIXED_CODES cannot be set with "
            "WATCHWORD_ENV=production; unset one of them",
            name="WATCHWORD_FIXED_CODES",
        )
    home: Path = values["WATCHWORD_HOME"]
    return Settings(
        home=home,
        database_url=values["WATCHWORD_DATABASE_URL"] or f"sqlite:///{home / 'watchword.db'}",
        env=values["WATCHWORD_ENV"],
        sender=values["WATCHWORD_SENDER"],
        friendly_name=values["WATCHWORD_FRIENDLY_NAME"],
        secrets=values["WATCHWORD_KEYS"],
        max_failures=values["WATCHWORD_MAX_FAILURES"],
        ladder=tuple(values[name] for name in LADDER),
        max_batch=values["WATCHWORD_MAX_BATCH"],
        retention_days=values["WATCHWORD_RETENTION_DAYS"],
        audit_days=values["WATCHWORD_AUDIT_DAYS"],
        config_file=_path(values["WATCHWORD_CONFIG"] or str(home / "watchword.toml")),
        answer_within=values["WATCHWORD_ANSWER_SECONDS"],
        public_url=values["WATCHWORD_PUBLIC_URL"],
        fixed_codes=values["WATCHWORD_FIXED_CODES"],
        return_urls=values["WATCHWORD_RETURN_URLS"],
        private_webhooks=values["WATCHWORD_PRIVATE_WEBHOOKS"] == "allow",
        trusted_proxies=values["WATCHWORD_TRUSTED_PROXIES"],
        log=values["WATCHWORD_LOG"],
        metrics_token=values["WATCHWORD_METRICS_TOKEN"],
    )


def documented(name: str, environment: Mapping[str, str] | None = None) -> Any:
    """Read one setting as `settings.py` shows it: durations in milliseconds, None for none."""
    given = os.environ if environment is None else environment
    setting = BY_VARIABLE[name]
    value = _read(setting, given)
    return value // timedelta(milliseconds=1) if isinstance(value, timedelta) else value or None


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # a third of the time of Path.cwd
    except FileNotFoundError:  # the folder is gone; only relative paths would miss it
        return ""


def _read(setting: Setting, given: Mapping[str, str]) -> Any:
    text = given.get(setting.variable) or setting.default
    try:
        return setting.read(text)
    except ValueError as fault:
        raise ConfigurationError(
            f"{setting.variable} cannot be read: {fault} is expected", name=setting.variable
        ) from fault
