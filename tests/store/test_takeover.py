"""A living `svretries` table, made by peewee, is taken over and no wait gets shorter."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import peewee
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import KEYRING, NOON
from watchword.cli import main
from watchword.config import load
from watchword.errors import TooSoon
from watchword.home import keys_in
from watchword.keys import Keyring
from watchword.model import Counter, Policy
from watchword.rules import ladder as rules
from watchword.rules.takeover import OldRow, as_counter, merge, to_utc
from watchword.store.connect import connect
from watchword.store.sql import SqlStore

LADDER = Policy().ladder
NEW_YORK = ZoneInfo("America/New_York")


def old_table(database: peewee.Database) -> type[peewee.Model]:
    """Declare the table as the class's original does."""

    class Svretries(peewee.Model):
        id = peewee.AutoField()
        userId = peewee.CharField(null=True)  # noqa: N815
        uniqueId = peewee.CharField(null=True)  # noqa: N815
        count = peewee.IntegerField(null=True)
        expires = peewee.DateTimeField(null=True)
        createdAt = peewee.DateTimeField(default=datetime.now)  # noqa: N815

        class Meta:
            database: Any
            table_name = "svretries"

    Svretries._meta.database = database
    return Svretries


def peewee_database(url: str) -> peewee.Database:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return peewee.SqliteDatabase(parsed.database)
    known: dict[str, Any] = {"host": parsed.host, "port": parsed.port, "user": parsed.username}
    if parsed.get_backend_name() == "mysql":
        return peewee.MySQLDatabase(parsed.database, password=parsed.password, **known)
    return peewee.PostgresqlDatabase(parsed.database, prefer_psycopg3=True, **known)


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def old_url(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], tmp_path: Path
) -> str:
    """Return a database with an old table: duplicates, null counts, waits over and running."""
    kind = request.param
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else new_database(kind)
    database = peewee_database(url)
    table = old_table(database)
    now = datetime.now(ZoneInfo("Africa/Douala")).replace(tzinfo=None)
    soon, later = now + timedelta(minutes=3), now + timedelta(hours=20)
    with database:
        database.create_tables([table])
        for user, unique, count, expires in [
            ("u1", "running", 4, later),
            ("u2", "twice", 1, soon),
            ("u2", "twice", None, later),
            ("u3", "null", None, None),
            ("u4", "over", 2, now - timedelta(days=3)),
            (None, None, 1, soon),
        ]:
            table.create(userId=user, uniqueId=unique, count=count, expires=expires)
    database.close()
    return url


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["import", "svretries", *arguments])
    assert result.exit_code == 0, result.output
    return result


def ours() -> SqlStore:
    settings = load()
    return SqlStore(settings.database_url, Keyring.from_secrets(keys_in(settings.home)))


def waits(store: SqlStore, unique: str, user: str) -> tuple[int, float] | None:
    """Return a counter's count and the hours of its wait still to come."""
    found = store.counter(unique, user)
    if found is None:
        return None
    left = (found.expires - datetime.now(UTC)).total_seconds() / 3600 if found.expires else 0
    return found.count, round(left, 1)


def check_all_is_there() -> None:
    store = ours()
    assert waits(store, "running", "u1") == (4, 20.0)
    assert waits(store, "twice", "u2") == (1, 20.0)
    assert waits(store, "null", "u3") == (0, 0)
    assert waits(store, "over", "u4") == (2, -72.0)
    store.close()


def test_an_old_table_is_copied_with_every_wait(old_url: str) -> None:
    given = ("--from", old_url, "--timezone", "Africa/Douala", "--json")

    dry = json.loads(run(*given, "--dry-run").stdout)
    wet = json.loads(run(*given).stdout)

    assert dry == wet
    assert {name: wet[name] for name in ("rows", "pairs", "duplicates", "added")} == {
        "rows": 6,
        "pairs": 4,
        "duplicates": 1,
        "added": 4,
    }
    assert (wet["null_counts"], wet["without_pair"], wet["running_waits"]) == (2, 1, 2)
    check_all_is_there()


def test_looking_changes_nothing_in_a_file_of_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    database = peewee_database(f"sqlite:///{path}")
    with database:
        database.create_tables([old_table(database)])
    before = path.read_bytes()

    run("--from", f"sqlite:///{path}", "--dry-run")

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.glob("old.db*")] == ["old.db"]


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'mistyped.db'}"

    result = CliRunner().invoke(main, ["import", "svretries", "--from", url, "--dry-run"])

    assert result.exit_code == 78
    assert "there is no file" in result.output
    assert not (tmp_path / "mistyped.db").exists()


def test_a_second_copy_changes_nothing_and_both_can_be_undone(old_url: str) -> None:
    given = ("--from", old_url, "--timezone", "Africa/Douala")
    run(*given)

    again = json.loads(run(*given, "--json").stdout)

    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 4)
    assert "took back 4 counters" in run("--undo").output
    store = ours()
    assert store.counter("running", "u1") is None
    store.close()


def test_undo_leaves_what_has_moved_on(old_url: str) -> None:
    run("--from", old_url, "--timezone", "Africa/Douala")
    store = ours()
    from watchword.store.base import Changes, Keys

    moved = Counter("null", "u3", 1, NOON, NOON)
    store.transact(Keys.of(Counter, moved.key), lambda _: Changes.of(moved))

    output = run("--undo").output

    assert output == "took back 3 counters; 1 have changed since and stay\n"
    assert store.counter("null", "u3") is not None
    store.close()


def test_an_old_table_is_adopted_in_place_and_given_back(
    old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", old_url)
    given = ("--in-place", "--timezone", "Africa/Douala")

    run(*given)
    check_all_is_there()
    run(*given)  # again, without harm
    check_all_is_there()
    run("--undo", "--in-place")

    engine = connect(old_url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM svretries")) == 6
    engine.dispose()
    run(*given)
    check_all_is_there()


def test_a_table_that_is_another_one_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    engine = connect(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE svretries (id INTEGER)")
    engine.dispose()

    result = CliRunner().invoke(main, ["import", "svretries", "--from", url])

    assert result.exit_code == 78
    assert "is it another one?" in result.output


def test_watchwords_own_table_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ours.db'}"
    SqlStore(url, KEYRING).close()

    result = CliRunner().invoke(main, ["import", "svretries", "--from", url])

    assert result.exit_code == 78
    assert "watchword's own already" in result.output


def test_an_hour_that_comes_twice_is_read_as_the_later() -> None:
    in_the_fold = datetime(2026, 11, 1, 1, 30)  # noqa: DTZ001

    assert to_utc(in_the_fold, NEW_YORK) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


MOMENTS = st.datetimes(datetime(2026, 10, 31), datetime(2026, 11, 3))  # noqa: DTZ001
ROWS = st.builds(
    OldRow,
    unique_id=st.just("a"),
    user_id=st.just("b"),
    count=st.none() | st.integers(0, 6),
    expires=st.none() | MOMENTS,
    created_at=st.none() | MOMENTS,
)


def old_next_send(row: OldRow, now: datetime) -> datetime:
    """Return the first moment at which the old program would have sent."""
    if row.expires is None:
        return now
    return max(now, row.expires.replace(tzinfo=NEW_YORK).astimezone(UTC))


def old_wait_after(row: OldRow) -> timedelta:
    """Return how long the old program would have waited after that: its fifth step is none."""
    count = row.count or 0
    return LADDER[count] if count < len(LADDER) else timedelta()


@given(
    rows=st.lists(ROWS, min_size=1, max_size=5),
    now=st.datetimes(datetime(2026, 10, 31), datetime(2026, 11, 3), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_no_send_is_allowed_earlier_than_any_old_row_allowed_it(
    rows: list[OldRow], now: datetime
) -> None:
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    merged = merge([as_counter(row, NEW_YORK, LADDER, now) for row in rows], LADDER)

    for row in rows:
        allowed = old_next_send(row, now)
        if allowed > now:
            with pytest.raises(TooSoon):
                rules.look(merged, allowed - timedelta(milliseconds=1), LADDER)
    first = max(now, merged.expires or now)
    after = rules.climb(rules.look(merged, first, LADDER), first, LADDER)
    assert after.expires is not None
    assert after.expires - first >= max(old_wait_after(row) for row in rows)
