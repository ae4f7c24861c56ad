"""How an engine is opened: from settings, once per process and settings."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from watchword.commands.services import EnsureService
from watchword.config import BY_VARIABLE, Settings
from watchword.config_file import read_config_file
from watchword.development.clock import TurnedClock
from watchword.development.controls import FILE, Controls
from watchword.development.faults import FaultySender, FaultyStore
from watchword.engine import Engine
from watchword.errors import ConfigurationError
from watchword.home import credentials_in, keys_in
from watchword.keys import Keyring
from watchword.model import Policy
from watchword.outcomes import Outcomes
from watchword.reports import Reports
from watchword.senders.base import Sender
from watchword.senders.configured import dispatch_from
from watchword.senders.console import ConsoleSender
from watchword.senders.inbox import InboxSender
from watchword.store.clock import DatabaseClock
from watchword.store.sql import SqlStore
from watchword.tenants import Service
from watchword.texts.configured import texts_from
from watchword.texts.write import Texts

BOARD = "health"  # the folder in the home where workers say how their senders are doing
_lock = Lock()
_shared: dict[tuple[int, Settings, bool], Engine] = {}
_used: list[Engine] = []


def open_engine(settings: Settings, *, sending: bool = True) -> Engine:
    """Open the store, the keys and the sender that the settings name.

    `sending=False` leaves the sender out: for programs whose codes Twilio sends. Raises
    ConfigurationError for settings that cannot be, StoreError for a database that does not answer.
    """
    keyring = keyring_of(settings)
    store = SqlStore(settings.database_url, keyring)
    engine = Engine(
        store,
        open_sender(settings) if sending else None,
        keyring,
        credentials_in(settings.home),
        policy=Policy(
            max_failures=settings.max_failures,
            ladder=settings.ladder,
            fixed_codes=settings.fixed_codes,
        ),
        clock=DatabaseClock(store) if store.is_networked else None,
        max_batch=settings.max_batch,
        texts=open_texts(settings),
        answer_within=settings.answer_within,
        public_url=settings.public_url,
    )
    if not settings.production:
        add_controls(engine, Controls(settings.home / FILE))
    Reports(engine)  # what comes in on a sender's own connection is recorded from now on
    Outcomes(engine)  # and who wants to know how verifications end is told
    renames = settings.friendly_name != BY_VARIABLE["WATCHWORD_FRIENDLY_NAME"].default
    engine.perform(EnsureService(_default_service(engine, settings), renames=renames))
    return engine


def keyring_of(settings: Settings) -> Keyring:
    """Read the keys, from the environment or the home."""
    return Keyring.from_secrets(settings.secrets or keys_in(settings.home))


def open_store(settings: Settings) -> SqlStore:
    """Open the database by itself, for what is done to it beside the engine."""
    return SqlStore(settings.database_url, keyring_of(settings))


def add_controls(engine: Engine, controls: Controls) -> None:
    """Put development's clock and faults around what an engine uses."""
    engine.clock = TurnedClock(engine.clock, controls)
    engine.store = FaultyStore(engine.store, controls)
    if engine.sender is not None:
        engine.sender = FaultySender(engine.sender, controls)


@contextmanager
def use(engine: Engine) -> Iterator[Engine]:
    """Let this engine be the one that `OTP_Model` and its like share, until the block ends."""
    with _lock:
        _used.append(engine)
    try:
        yield engine
    finally:
        with _lock:
            _used.remove(engine)


def shared_engine(settings: Settings, *, sending: bool = True) -> Engine:
    """Return this process's engine for these settings; a forked child opens its own."""
    key = (os.getpid(), settings, sending)
    with _lock:
        if _used:
            return _used[-1]
        if key not in _shared:
            atexit.unregister(_close_shared)  # a fork inherits it; once is enough
            atexit.register(_close_shared)
            for stale in [other for other in _shared if other[0] != os.getpid()]:
                del _shared[stale]
            _shared[key] = open_engine(settings, sending=sending)
        return _shared[key]


def _close_shared() -> None:
    """Close what `OTP_Model` and its like have used, when the process ends.

    What is still being sent is recorded, refusals are written down, connections are closed.
    """
    with _lock:
        mine = [_shared.pop(key) for key in list(_shared) if key[0] == os.getpid()]
    for engine in mine:
        engine.close()


def open_texts(settings: Settings) -> Texts:
    """Return the texts of this installation; raise ConfigurationError for one nobody may get."""
    return texts_from(read_config_file(settings).get("texts", {}))


def open_sender(settings: Settings) -> Sender:
    """Open the senders of `watchword.toml`, else the inbox; in production only the former.

    Raises ConfigurationError for an entry that cannot be, and for a development sender in
    production: it shows codes to whoever looks.
    """
    if settings.sender in ("", "routes"):
        configured = dispatch_from(read_config_file(settings), os.environ)
        if configured is not None:
            return configured
        if settings.sender == "routes" or settings.production:
            why = "WATCHWORD_ENV=production" if settings.production else "WATCHWORD_SENDER=routes"
            raise ConfigurationError(
                f"{why} sends for real, and there are no [[senders]] in {settings.config_file}; "
                "docs/how-to/send-for-real.md shows how to name one",
                name="senders",
            )
    if settings.production:
        raise ConfigurationError(
            f"the {settings.sender} sender shows codes to whoever looks, so it does not run with "
            "WATCHWORD_ENV=production; unset WATCHWORD_SENDER and name [[senders]] in "
            f"{settings.config_file}",
            name="WATCHWORD_SENDER",
        )
    if settings.sender == "console":
        return ConsoleSender()
    return InboxSender(settings.home / "inbox.db")


def _default_service(engine: Engine, settings: Settings) -> Service:
    now = engine.clock.now()
    return Service(
        sid=engine.credentials.service_sid,
        account_sid=engine.credentials.account_sid,
        friendly_name=settings.friendly_name,
        created_at=now,
        updated_at=now,
    )
