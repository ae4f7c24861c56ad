"""The fixtures every test may use: a home of its own, a clock to turn, stores, an engine."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from twilio.rest import Client

from tests.databases import Missing, Server, shared
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.senders.inbox import InboxSender
from watchword.store.base import Store
from watchword.store.connect import connect
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore
from watchword.store.tables import metadata
from watchword.tenants import Service

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


@pytest.fixture(params=["memory", "sqlite", "postgres", "mariadb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return each store in turn, empty."""
    opened: Store
    if request.param == "memory":
        opened = MemoryStore()
    elif request.param == "sqlite":
        opened = SqlStore(f"sqlite:///{tmp_path / 'store.db'}", KEYRING)
    else:
        opened = SqlStore(request.getfixturevalue(f"{request.param}_url"), KEYRING)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database.db'}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def postgres_url(postgres_database: str) -> Iterator[str]:
    """Return this worker's PostgreSQL database, with the schema in it and nothing else."""
    yield postgres_database
    empty(postgres_database)


@pytest.fixture
def mariadb_url(mariadb_database: str) -> Iterator[str]:
    """Return this worker's MariaDB database, with the schema in it and nothing else."""
    yield mariadb_database
    empty(mariadb_database)


@pytest.fixture(scope="session")
def postgres_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _database("postgres", tmp_path_factory)


@pytest.fixture(scope="session")
def mariadb_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _database("mariadb", tmp_path_factory)


@pytest.fixture
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Return a maker of databases without any table, by kind of server."""

    def make(kind: str) -> str:
        server = session_server(kind, tmp_path_factory)
        name = f"new_{secrets.token_hex(6)}"
        server.create(name)
        return server.url(name)

    return make


def session_server(kind: str, factory: pytest.TempPathFactory) -> Server:
    """Return the server that all workers of this session share, or skip saying what is missing."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    base = factory.getbasetemp().parent if worker else factory.getbasetemp()
    try:
        return shared(kind, base)
    except Missing as missing:
        pytest.skip(str(missing))


def _database(kind: str, factory: pytest.TempPathFactory) -> str:
    server = session_server(kind, factory)
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(3)}"
    server.create(name)
    url = server.url(name)
    SqlStore(url, KEYRING).close()
    return url


def empty(url: str) -> None:
    """Delete every row that a test left."""
    engine = connect(url)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
    engine.dispose()


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
