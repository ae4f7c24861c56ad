"""The attacks of `watchword torture` are real, and every database withstands them."""

import json
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from watchword.cli import main
from watchword.store.connect import connect
from watchword.store.tables import metadata


def run(url: str) -> dict[str, Any]:
    command = ["torture", "--database-url", url, "--size", "short", "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code in (0, 1), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found | {"exit_code": result.exit_code}


def test_the_promise_holds_and_nothing_is_left(database_url: str) -> None:
    verdict = run(database_url)

    counts = [(count["found"], count["wanted"]) for count in verdict["counts"]]
    assert counts == [(0, "0"), (5, "5"), (0, "0"), (10, "10"), (0, "0"), (0, "0")]
    assert verdict["held"] is True
    engine = connect(database_url)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            count = sa.select(sa.func.count()).select_from(table)
            assert connection.scalar(count) == 0, table.name
    engine.dispose()


def test_a_store_that_forgets_to_lock_is_found_out(
    postgres_url: str,
) -> None:
    # The workers are new processes, so the fault travels by a setting of PostgreSQL's own: a
    # trigger that lets every approval be written as if it had never happened.
    engine = connect(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.status := 'pending'; NEW.checks := 0; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER forget BEFORE UPDATE ON verifications "
            "FOR EACH ROW EXECUTE FUNCTION forget()"
        )
    try:
        verdict = run(postgres_url)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION forget() CASCADE")
        engine.dispose()

    assert verdict["held"] is False
    assert verdict["exit_code"] == 1
