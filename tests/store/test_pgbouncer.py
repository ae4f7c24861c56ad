"""The promise of a store by way of pgbouncer, which lends connections by the transaction."""

from collections.abc import Iterator

import pytest

from tests.conftest import KEYRING, empty, session_server
from tests.databases import Missing, PgBouncer
from tests.store import test_contract
from watchword.doctor import examine
from watchword.store.base import Store
from watchword.store.connect import connect
from watchword.store.health import examine_database
from watchword.store.sql import SqlStore
from watchword.torture import SHORT, torture

# Every promise of every store, with the `store` of this file.
globals().update({name: it for name, it in vars(test_contract).items() if name.startswith("test_")})


@pytest.fixture(scope="module")
def bouncer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PgBouncer]:
    server = session_server("postgres", tmp_path_factory)
    try:
        bouncer = PgBouncer(server)
    except Missing as missing:
        pytest.skip(str(missing))
    yield bouncer
    bouncer.remove()


@pytest.fixture
def url(bouncer: PgBouncer, postgres_database: str) -> Iterator[str]:
    yield bouncer.url(postgres_database.rpartition("/")[2])
    empty(postgres_database)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = SqlStore(url, KEYRING)
    yield opened
    opened.close()


def test_races_and_kills_come_out_right(url: str) -> None:
    counts = list(torture(url, SHORT))

    assert [count.what for count in counts if not count.ok] == []


def test_doctor_sees_the_proxy(url: str, postgres_url: str) -> None:
    def proxy(url: str) -> str:
        engine = connect(url)
        with engine.connect() as connection:
            found = {health.check: health for health in examine_database(connection)}
        engine.dispose()
        assert all(health.ok for name, health in found.items() if name != "durability")
        return found["proxy"].found

    assert proxy(url) == "one that lends connections by the transaction, which is served as well"
    assert proxy(postgres_url) == "none that lends connections by the transaction"


def test_doctor_says_how_to_mend_a_proxy_that_lends_by_the_statement(
    tmp_path_factory: pytest.TempPathFactory, bouncer: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_statement = PgBouncer(session_server("postgres", tmp_path_factory), mode="statement")
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", by_statement.url("postgres"))
    try:
        findings = {finding.check: finding for finding in examine()}
    finally:
        by_statement.remove()

    assert not findings["database"].ok
    assert findings["database"].mend == "set pool_mode = transaction in pgbouncer.ini"
