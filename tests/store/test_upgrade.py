"""T-36: every released schema is brought to head, and none of its rows is lost."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from proofs.upgrades import releases, upgrade
from tests.conftest import KEYRING
from tests.databases import Missing
from tests.store.test_migrate import VERSIONS
from watchword.store.connect import connect
from watchword.store.migrate import _config, migrate
from watchword.store.sql import SqlStore

RELEASES = sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))[:-1]
ROWS = 1_000
EXPIRES = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001  # as the column keeps it


def old_database(url: str, release: str) -> None:
    """Make a database of that release, with rows in it."""
    engine = connect(url)
    with engine.connect() as connection:
        command.upgrade(_config(connection), release)
        connection.commit()
        svretries = sa.Table("svretries", sa.MetaData(), autoload_with=connection)
        rows = [
            {
                "userId": "user",
                "uniqueId": f"hash {number}",
                "count": number % 5,
                "expires": EXPIRES,
                "createdAt": EXPIRES,
            }
            for number in range(ROWS)
        ]
        connection.execute(svretries.insert(), rows)
        subjects = sa.Table("subjects", sa.MetaData(), autoload_with=connection)
        subject = {"service_sid": "VA", "verification_sid": "VE", "failures": 7, "updated_at": 1}
        connection.execute(
            subjects.insert(), [{"key": f"{number:032}"} | subject for number in range(ROWS)]
        )
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
def test_every_released_schema_comes_to_head_with_all_its_rows(
    kind: str, new_database: Callable[[str], str], tmp_path: Path
) -> None:
    slowest = timedelta()
    for release in RELEASES:
        url = f"sqlite:///{tmp_path / release}.db" if kind == "sqlite" else new_database(kind)
        old_database(url, release)
        engine = connect(url)

        began = time.monotonic()
        assert migrate(engine)
        slowest = max(slowest, timedelta(seconds=time.monotonic() - began))

        store = SqlStore(url, KEYRING)
        with engine.connect() as connection:
            for table in ("svretries", "subjects"):
                count = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))
                assert count == ROWS, (release, table)
        row = store.counter("hash 999", "user")
        assert row is not None
        assert row.count == 4
        assert row.expires is not None
        assert row.expires.replace(tzinfo=None) == EXPIRES
        store.close()
        engine.dispose()

    assert slowest < timedelta(seconds=30)  # of a busy machine; a step takes a fraction of one


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])  # a file too, in proofs/upgrades.py
def test_the_release_before_serves_on_while_its_schema_is_migrated(
    kind: str, new_database: Callable[[str], str]
) -> None:
    try:
        release, commit = releases()[0]
    except Missing as missing:
        pytest.skip(str(missing))
    url = new_database(kind)

    counts = list(upgrade(url, release, commit, rows=ROWS, seconds=0.3))

    *others, slowest_ms = counts  # of a busy machine; proofs/upgrades.py holds it to a second
    assert [count.what for count in others if not count.ok] == []
    assert slowest_ms.found < 10_000
