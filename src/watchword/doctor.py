"""`watchword doctor`: look at every part, say what is wrong and how to mend it."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from watchword import config
from watchword.board import Board
from watchword.clock import SystemClock
from watchword.config import Settings
from watchword.development.controls import FILE, Controls, State
from watchword.errors import WatchwordError
from watchword.home import credentials_in, keys_in
from watchword.key_use import Glance, glance
from watchword.runtime import BOARD, keyring_of, open_sender, open_store
from watchword.senders.base import WORDS
from watchword.store.connect import connect, is_networked
from watchword.store.health import examine_database
from watchword.store.migrate import schema_version
from watchword.store.tables import SCHEMA_HEAD


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and how to mend it when it is not right."""

    check: str
    ok: bool
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Run every check; one that cannot run is a finding too."""
    try:
        settings = config.load()
    except WatchwordError as error:
        return [
            Finding("settings", ok=False, found=str(error), mend="correct it and run this again")
        ]
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _home,
        _development,
        _twilio,
        _sender,
        _resting,
        _database,
    )
    findings = [Finding("settings", ok=True, found=f"{settings.env}, home {settings.home}")]
    for check in checks:
        findings.extend(check(settings))
    return findings


def _development(settings: Settings) -> Iterator[Finding]:
    """Look for what a test has left switched on; production does not look at it."""
    path = settings.home / FILE
    if settings.production or not path.exists():
        return
    state = Controls(path).read()
    clean = state == State()
    yield Finding(
        "development",
        ok=clean,
        found="the clock is right and no fault is on"
        if clean
        else f"the clock is {state.offset} ahead, faults: {state.faults}",
        mend="" if clean else f"delete {path}, or DELETE /dev/clock and /dev/faults",
    )


def _home(settings: Settings) -> Iterator[Finding]:
    try:
        keys_in(settings.home)
        credentials_in(settings.home)
    except WatchwordError as error:
        yield Finding(
            "home", ok=False, found=str(error), mend="set WATCHWORD_HOME to a folder of yours"
        )
        return
    for name in ("keys", "credentials.json"):
        path = settings.home / name
        open_to_others = _is_open_to_others(path)
        yield Finding(
            name,
            ok=not open_to_others,
            found="readable by others" if open_to_others else "private",
            mend=f"chmod 600 {path}",
        )


def _twilio(_settings: Settings) -> Iterator[Finding]:
    missing = [name for name in config.TWILIO if not config.documented(name)]
    base_url = config.documented("TWILIO_VERIFY_BASE_URL")
    if not missing:
        whom = base_url or "Twilio"
        yield Finding("codes", ok=True, found=f"OTP_Model sends and checks them through {whom}")
    elif len(missing) == len(config.TWILIO) and not base_url:
        yield Finding("codes", ok=True, found="OTP_Model sends and checks them in this process")
    else:
        yield Finding(
            "codes",
            ok=False,
            found=f"{missing[0]} is missing",
            mend="set all three TWILIO_ settings, or none",
        )


def _sender(settings: Settings) -> Iterator[Finding]:
    try:
        sender = open_sender(settings)
    except WatchwordError as error:
        yield Finding("sender", ok=False, found=str(error), mend="see: watchword config")
    else:
        yield Finding("sender", ok=True, found=sender.name)
        sender.close()


def _resting(settings: Settings) -> Iterator[Finding]:
    """Look for senders that the running workers of this machine have stopped using."""
    for worker in Board(settings.home / BOARD).read():
        for health in worker.senders:
            if health.rests:
                yield Finding(
                    f"sender {health.name}",
                    ok=False,
                    found=f"worker {worker.pid} lets it rest ({health.trouble or 'faults'})",
                    mend=WORDS[health.trouble] if health.trouble else "see: watchword senders",
                )


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        engine = connect(settings.database_url)
    except WatchwordError as error:  # its words are: what is wrong; what to do
        found, _, mend = str(error).partition("; ")
        yield Finding("database", ok=False, found=found, mend=mend)
        return
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            version = schema_version(connection)
            healths = list(examine_database(connection))
        engine.dispose()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        said = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[
            0
        ]
        yield Finding(
            "database",
            ok=False,
            found=f"{where} does not answer: {said}",
            mend=_database_mend(str(error), engine),
        )
        return
    yield Finding("database", ok=True, found=where)
    yield Finding(
        "schema",
        ok=version in (None, SCHEMA_HEAD),
        found=f"{version}, this release has {SCHEMA_HEAD}"
        if version
        else "none yet; the first start makes it",
        mend="watchword migrate",
    )
    for health in healths:
        yield Finding(health.check, ok=health.ok, found=health.found, mend=health.mend)
    if version == SCHEMA_HEAD:
        yield from _keys(settings)


def _database_mend(said: str, engine: sa.Engine) -> str:
    if "statement pooling" in said:
        return "set pool_mode = transaction in pgbouncer.ini"
    if is_networked(engine):
        return "check WATCHWORD_DATABASE_URL and that the server runs"
    if "not a database" in said or "malformed" in said:
        return "put the file back from a copy, or name another in WATCHWORD_DATABASE_URL"
    return "see that nothing holds the file, and that it may be written"


def _keys(settings: Settings) -> Iterator[Finding]:
    """Say whether a quick look shows a row that needs an older key than the newest."""
    try:
        keyring = keyring_of(settings)
        with closing(open_store(settings)) as store:
            found = glance(store, keyring, SystemClock().now())
    except WatchwordError as error:
        yield Finding("keys in use", ok=False, found=str(error), mend="see: watchword config")
        return
    dropped = sorted(key for key in found.keys if keyring.get(key) is None)
    if dropped:
        yield Finding(
            "keys in use",
            ok=False,
            found=f"rows need key {dropped[0]}, which is not listed",
            mend="put it back at the end of WATCHWORD_KEYS, then run: watchword reseal",
        )
    else:
        yield Finding("keys in use", ok=True, found=_older(found))


def _older(found: Glance) -> str:
    if found.keys:
        return f"rows still need the older key {min(found.keys)}; watchword reseal leads them on"
    if found.unsealed:
        return (
            "rows from before their names were sealed may need an older key; "
            "watchword reseal says which"
        )
    return "the newest is enough for the rows looked at; watchword reseal --dry-run looks at all"


def _is_open_to_others(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
