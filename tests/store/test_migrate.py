"""The schema is made once, by one process; a server's is migrated when somebody says so."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner

from tests.conftest import KEYRING
from watchword.cli import main
from watchword.errors import StoreError
from watchword.model import Counter
from watchword.store.base import Changes, Keys
from watchword.store.connect import connect
from watchword.store.migrate import _config, migrate, migration_sql
from watchword.store.sql import SqlStore
from watchword.store.tables import SCHEMA_HEAD, metadata

SERVERS = ("postgres", "mariadb")
VERSIONS = Path(__file__).parents[2] / "src/watchword/store/migrations/versions"


def set_version(url: str, version: str) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()


def test_the_head_is_the_newest_migration() -> None:
    newest = max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))

    assert newest == SCHEMA_HEAD


def test_the_migrations_make_the_tables_that_are_declared(database_url: str) -> None:
    SqlStore(database_url, KEYRING).close()
    engine = connect(database_url)

    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)

    engine.dispose()
    assert [change for change in found if change[0] != "modify_default"] == []


def test_a_second_migration_does_nothing(database_url: str) -> None:
    engine = connect(database_url)
    migrate(engine)

    assert migrate(engine) is False
    engine.dispose()


def test_a_schema_of_a_newer_release_is_refused(
    new_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'newer.db'}"
    SqlStore(url, KEYRING).close()
    set_version(url, "9999")

    with pytest.raises(StoreError, match="upgrade watchword"):
        SqlStore(url, KEYRING)


@pytest.mark.parametrize("kind", SERVERS)
def test_an_older_schema_on_a_server_waits_for_migrate(
    kind: str, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(kind)
    SqlStore(url, KEYRING).close()
    set_version(url, "0000")

    with pytest.raises(StoreError, match="run: watchword migrate"):
        SqlStore(url, KEYRING)


@pytest.mark.parametrize("kind", SERVERS)
def test_the_sql_of_a_migration_makes_the_same_schema(
    kind: str, new_database: Callable[[str], str]
) -> None:
    url = new_database(kind)
    engine = connect(url)
    script = migration_sql(engine)

    with engine.begin() as connection:
        for statement in script.split(";\n"):
            lines = [line for line in statement.splitlines() if not line.startswith("--")]
            text = "\n".join(lines).strip().rstrip(";")
            if text and text not in ("BEGIN", "COMMIT"):
                connection.exec_driver_sql(text)
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        assert [change for change in found if change[0] != "modify_default"] == []

    assert migrate(engine) is False
    assert migration_sql(engine) == ""
    engine.dispose()


@pytest.mark.parametrize("kind", SERVERS)
def test_of_many_processes_that_find_an_empty_database_one_migrates(
    kind: str, new_database: Callable[[str], str]
) -> None:
    program = (
        "import sys; from watchword.store.connect import connect; "
        "from watchword.store.migrate import migrate; print(migrate(connect(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, new_database(kind)]

    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate()[0].strip() for process in started]

    assert sorted(answers) == ["False", "False", "False", "True"]


@pytest.mark.parametrize("kind", SERVERS)
def test_migrate_on_the_command_line_says_what_it_did(
    kind: str, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", new_database(kind))

    first = CliRunner().invoke(main, ["migrate"])
    second = CliRunner().invoke(main, ["migrate"])

    assert first.output == f"the schema is now at {SCHEMA_HEAD}\n"
    assert second.output == f"the schema was at {SCHEMA_HEAD}\n"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_table_of_another_program_is_not_touched(
    kind: str, new_database: Callable[[str], str]
) -> None:
    url = new_database(kind)
    engine = connect(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE svretries (id INTEGER PRIMARY KEY)")

    with pytest.raises(StoreError, match="watchword import svretries --in-place"):
        SqlStore(url, KEYRING)
    engine.dispose()


@pytest.mark.parametrize(
    "pairs",
    [("a", "A"), ("a", "a "), ("e", "é"), ("ss", "ß")],
    ids=["case", "blank", "accent", "ß"],
)
def test_pairs_are_told_apart_byte_by_byte(database_url: str, pairs: tuple[str, str]) -> None:
    from tests.conftest import NOON

    store = SqlStore(database_url, KEYRING)
    rows = [Counter(name, "user", count, None, NOON) for count, name in enumerate(pairs)]

    store.transact(Keys.of(Counter, *(row.key for row in rows)), lambda _: Changes.of(*rows))

    for row in rows:
        found = store.counter(row.unique_id, "user")
        assert found is not None
        assert found.count == row.count
    store.close()


def test_migrate_without_a_server_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    result = CliRunner().invoke(main, ["migrate"])

    assert result.exit_code == 69
    assert result.output == "watchword: the store cannot be reached; see: watchword doctor\n"


def older_database(url: str) -> sa.Engine:
    """Make a database of an older release, and return it."""
    engine = connect(url)
    with engine.connect() as connection:
        command.upgrade(_config(connection), "0011")
        connection.commit()
    return engine


@pytest.mark.parametrize("kind", SERVERS)
def test_a_migration_that_meets_a_long_transaction_keeps_no_request_waiting(
    kind: str, new_database: Callable[[str], str]
) -> None:
    engine = older_database(new_database(kind))
    look = sa.text("SELECT count(*) FROM subjects")
    done: list[bool] = []
    migration = threading.Thread(target=lambda: done.append(migrate(engine)))

    with engine.connect() as backup:
        backup.execute(look)
        migration.start()
        slowest = 0.0
        while slowest < 0.2 and migration.is_alive():  # until somebody has waited behind it
            began = time.monotonic()
            with engine.connect() as request:
                request.execute(look)
            slowest = max(slowest, time.monotonic() - began)
        assert done == []
    migration.join()

    assert done == [True]
    assert 0.2 <= slowest < 5  # of a busy machine; without patience it would be there still
    engine.dispose()


def test_a_migration_that_was_interrupted_on_mariadb_is_taken_up(
    new_database: Callable[[str], str],
) -> None:
    engine = older_database(new_database("mariadb"))
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE subjects ADD COLUMN sealed_name TEXT")

    assert migrate(engine)

    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [change for change in found if change[0] != "modify_default"] == []
    engine.dispose()
