"""A purge removes what has no further use, and nothing else."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import KEYRING, NOON, PHONE, SERVICE
from tests.store.test_contract import ATTEMPT, COUNTER, SUBJECT, VERIFICATION, read
from watchword.errors import StoreError
from watchword.model import Attempt, Counter, Policy, Subject, Verification
from watchword.record import replace
from watchword.rules.retention import Retention, is_spent
from watchword.store import purge as purge_module
from watchword.store.base import Changes, Keyed, Keys, Rows
from watchword.store.faults import TOO_BUSY
from watchword.store.purge import purge
from watchword.store.sql import SqlStore
from watchword.tenants import Posting
from watchword.visits import AuditEntry, PageSession, PageStatus, Visitor

LADDER = Policy().ladder
RETENTION = Retention(timedelta(days=30), LADDER)
LATER = NOON + timedelta(days=31)
POSTING = Posting(
    sid="EV" + "1" * 32,
    account_sid=SERVICE.account_sid,
    service_sid=SERVICE.sid,
    webhook_sid="YW" + "1" * 32,
    verification_sid=VERIFICATION.sid,
    event="verification.pending",
    fields=(("to", PHONE),),
    created_at=NOON,
    due_at=NOON,
    tries=3,
)
PAGE = PageSession(
    sid="WP" + "1" * 32,
    service_sid=SERVICE.sid,
    account_sid=SERVICE.account_sid,
    status=PageStatus.OPEN,
    sealed="sealed",
    created_at=NOON,
    updated_at=NOON,
    expires_at=NOON + timedelta(minutes=30),
)
AUDIT = AuditEntry("AU" + "1" * 32, SERVICE.account_sid, "ada", "reset", "+237•••00", NOON)


@pytest.mark.parametrize(
    ("record", "spent"),
    [
        (VERIFICATION, True),
        (replace(VERIFICATION, expires_at=LATER - timedelta(days=29)), False),
        (ATTEMPT, True),
        (replace(ATTEMPT, created_at=LATER - timedelta(days=29)), False),
        (SUBJECT, True),
        (replace(SUBJECT, failures=1), False),
        (replace(SUBJECT, updated_at=LATER - timedelta(days=29)), False),
        (COUNTER, True),
        (replace(COUNTER, count=1, expires=NOON), False),
        (replace(COUNTER, count=3, expires=NOON), False),
        (replace(COUNTER, count=4, expires=NOON), True),
        (replace(COUNTER, count=4, expires=LATER + timedelta(hours=1)), False),
        (POSTING, True),
        (replace(POSTING, due_at=LATER - timedelta(days=29)), False),
        (PAGE, True),
        (replace(PAGE, expires_at=LATER - timedelta(days=29)), False),
        (Visitor("8" * 32, 3, LATER - timedelta(hours=25)), True),
        (Visitor("8" * 32, 3, LATER - timedelta(hours=2)), False),
        (AUDIT, False),
        (replace(AUDIT, created_at=LATER - timedelta(days=366)), True),
    ],
    ids=str,
)
def test_what_is_spent(record: object, spent: bool) -> None:
    assert is_spent(record, LATER, RETENTION) is spent


def test_spent_rows_go_in_lots_and_the_others_stay(database_url: str) -> None:
    store = SqlStore(database_url, KEYRING)
    old = [replace(ATTEMPT, sid=f"VL{number:032}") for number in range(450)]
    young = replace(ATTEMPT, sid="VL" + "f" * 32, created_at=LATER)
    failing = replace(SUBJECT, key="6" * 32, failures=3)
    waiting = replace(COUNTER, count=1, expires=LATER + timedelta(minutes=1))
    done = Counter("done", "user", 4, NOON, NOON)
    visitor = Visitor("8" * 32, 3, NOON)
    records: list[Keyed] = [*old, young, SUBJECT, VERIFICATION, failing, waiting, done]
    records += [POSTING, PAGE, visitor, AUDIT]
    keys = Keys.union(Keys.of(type(record), record.key) for record in records)
    store.transact(keys, lambda _: Changes.of(*records))

    steps = list(purge(store, RETENTION, lambda: LATER, pause=0))

    assert steps == [
        ("attempts", 200),
        ("attempts", 200),
        ("attempts", 50),
        ("verifications", 1),
        ("subjects", 1),
        ("postings", 1),
        ("page_sessions", 1),
        ("visitors", 1),
        ("svretries", 1),
    ]
    rows = read(store, keys)
    assert rows.get(Attempt, young.key) == young
    assert rows.get(Subject, failing.key) == failing
    assert rows.get(Subject, SUBJECT.key) is None
    assert rows.get(Verification, VERIFICATION.key) is None
    assert rows.get(Counter, done.key) is None
    assert rows.get(Counter, waiting.key) is not None
    assert rows.get(PageSession, PAGE.key) is None
    assert rows.get(AuditEntry, AUDIT.key) == AUDIT
    again = dict(purge(store, RETENTION, lambda: LATER, pause=0))
    assert not any(again.values())
    store.close()


def test_a_table_is_walked_in_parts(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge_module, "SCAN", 3)
    monkeypatch.setattr(purge_module, "LOT", 2)
    store = SqlStore(database_url, KEYRING)
    old_ones = {0, 2, 3, 4, 5, 8, 10, 11}
    records = [
        replace(ATTEMPT, sid=f"VL{n:032}", created_at=NOON if n in old_ones else LATER)
        for n in range(12)
    ]
    keys = Keys.of(Attempt, *(each.key for each in records))
    store.transact(keys, lambda _: Changes.of(*records))

    steps = list(purge(store, RETENTION, lambda: LATER, pause=0))

    assert steps == [("attempts", 2)] * 4
    left = {record.key for record in read(store, keys).cells.values() if record is not None}
    assert left == {f"VL{n:032}" for n in set(range(12)) - old_ones}
    store.close()


def test_a_server_purges_by_itself(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge_module, "FIRST_WITHIN", timedelta())
    store = SqlStore(database_url, KEYRING)
    store.transact(Keys.of(Attempt, ATTEMPT.key), lambda _: Changes.of(ATTEMPT))
    closed = threading.Event()

    class Watched(SqlStore):
        def close(self) -> None:
            super().close()
            closed.set()

    purge_module.purge_daily(lambda: Watched(database_url, KEYRING), RETENTION, lambda: LATER)

    assert closed.wait(20)
    assert read(store, Keys.of(Attempt, ATTEMPT.key)).get(Attempt, ATTEMPT.key) is None
    store.close()


def test_a_lot_that_loses_every_race_goes_in_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'busy.db'}", KEYRING)
    old = [replace(ATTEMPT, sid=f"VL{number:032}") for number in range(200)]
    keys = Keys.of(Attempt, *(each.key for each in old))
    store.transact(keys, lambda _: Changes.of(*old))
    transact, sizes = store.transact, []

    def too_busy_for_many(keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        sizes.append(len(keys.wanted))
        if sizes[-1] > 50:
            raise StoreError(TOO_BUSY)
        transact(keys, decide)

    monkeypatch.setattr(store, "transact", too_busy_for_many)

    assert list(purge(store, RETENTION, lambda: LATER, pause=0)) == [("attempts", 200)]
    assert sizes == [200, 100, 50, 50, 100, 50, 50]
    store.close()
