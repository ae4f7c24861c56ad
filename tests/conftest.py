"""The fixtures every test may use: a home of its own, a clock to turn, stores, an engine."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from twilio.rest import Client

from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.model import Service
from watchword.senders.inbox import InboxSender
from watchword.store.base import Store
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PHONE = "+237650000000"
KEYRING = Keyring.from_secrets([b"k" * 32])
CREDENTIALS = Credentials(
    account_sid="AC" + "a" * 32, auth_token="t" * 32, service_sid="VA" + "5" * 32
)
SERVICE = Service(
    sid=CREDENTIALS.service_sid,
    account_sid=CREDENTIALS.account_sid,
    friendly_name="Acme",
    created_at=NOON,
    updated_at=NOON,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a WATCHWORD_HOME of its own and none of the developer's settings."""
    for name in list(os.environ):
        if name.startswith(("WATCHWORD_", "TWILIO_")) or name.endswith("_RESEND_DURATION"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WATCHWORD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands at noon until it is turned."""
    return ManualClock(NOON)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return each store in turn."""
    opened: Store
    if request.param == "memory":
        opened = MemoryStore()
    else:
        opened = SqlStore(f"sqlite:///{tmp_path / 'store.db'}", KEYRING)
    yield opened
    opened.close()


@pytest.fixture
def inbox() -> Iterator[InboxSender]:
    """Return an inbox that is kept in memory."""
    sender = InboxSender()
    yield sender
    sender.close()


@pytest.fixture
def engine(store: Store, inbox: InboxSender, clock: ManualClock) -> Engine:
    """Return an engine on each store in turn, with one service."""
    return make_engine(store, inbox, clock)


@pytest.fixture
def client(engine: Engine) -> Client:
    """Return Twilio's own client, answered by the engine."""
    return Client(
        CREDENTIALS.account_sid, CREDENTIALS.auth_token, http_client=EmbeddedHttpClient(engine)
    )


def make_engine(
    store: Store, inbox: InboxSender, clock: ManualClock, service: Service = SERVICE
) -> Engine:
    """Return an engine that knows one service."""
    engine = Engine(store, inbox, KEYRING, CREDENTIALS, clock=clock)
    engine.perform(EnsureService(service))
    return engine
