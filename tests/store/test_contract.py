"""What every store promises: rows loaded together, decided over, written or not written at all."""

import threading
from datetime import timedelta

import pytest

from tests.conftest import KEYRING, NOON, PHONE, SERVICE
from watchword.model import (
    Attempt,
    Channel,
    Counter,
    Delivery,
    SendAttempt,
    Status,
    Subject,
    Verification,
)
from watchword.record import replace
from watchword.store.base import Changes, Keys, Rows, Store
from watchword.tenants import Service

VERIFICATION = Verification(
    sid="VE" + "1" * 32,
    service_sid=SERVICE.sid,
    account_sid=SERVICE.account_sid,
    subject="5" * 32,
    to=PHONE,
    channel=Channel.SMS,
    status=Status.PENDING,
    code_length=6,
    key_id=KEYRING.newest.id,
    nonce="0" * 32,
    custom_code_mac=None,
    checks=0,
    sends=(SendAttempt("VL" + "1" * 32, Channel.SMS, NOON),),
    created_at=NOON,
    updated_at=NOON,
    expires_at=NOON + timedelta(minutes=10),
)
SUBJECT = Subject("5" * 32, SERVICE.sid, VERIFICATION.sid, 0, NOON)
ATTEMPT = Attempt(
    sid="VL" + "1" * 32,
    verification_sid=VERIFICATION.sid,
    service_sid=SERVICE.sid,
    account_sid=SERVICE.account_sid,
    channel=Channel.SMS,
    country="CM",
    status=Delivery.QUEUED,
    created_at=NOON,
    updated_at=NOON,
)
COUNTER = Counter("hash", "user", 0, None, NOON)


def write(store: Store, changes: Changes) -> None:
    """Write changes over the rows they concern, as a batch does."""
    keys = Keys.union(Keys.of(kind, key) for kind, key in changes.cells)
    store.transact(keys, lambda _: changes)


def read(store: Store, keys: Keys) -> Rows:
    """Return the rows of these keys."""
    seen: list[Rows] = []

    def decide(rows: Rows) -> Changes:
        seen.append(rows)
        return Changes()

    store.transact(keys, decide)
    return seen[-1]


@pytest.mark.parametrize(
    "record", [SERVICE, SUBJECT, VERIFICATION, ATTEMPT], ids=lambda r: type(r).__name__
)
def test_a_record_comes_back_as_it_was_put(
    store: Store, record: Service | Subject | Verification | Attempt
) -> None:
    write(store, Changes.of(record))

    assert read(store, Keys.of(type(record), record.key)).get(type(record), record.key) == record


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SERVICE, replace(SERVICE, friendly_name="Other", custom_code_enabled=True)),
        (SUBJECT, replace(SUBJECT, failures=7, verification_sid="VE" + "2" * 32)),
        (
            VERIFICATION,
            replace(VERIFICATION, status=Status.APPROVED, checks=3, channel=Channel.CALL),
        ),
        (ATTEMPT, replace(ATTEMPT, status=Delivery.SENT, sender="inbox", message_id="m1")),
    ],
    ids=["service", "subject", "verification", "attempt"],
)
def test_a_record_that_changes_is_changed(
    store: Store,
    before: Service | Subject | Verification | Attempt,
    after: Service | Subject | Verification | Attempt,
) -> None:
    write(store, Changes.of(before))

    write(store, Changes.of(after))

    assert read(store, Keys.of(type(after), after.key)).get(type(after), after.key) == after


def test_what_is_not_there_is_none(store: Store) -> None:
    rows = read(store, Keys.of(Subject, "6" * 32) | Keys.of(Counter, ("no", "body")))

    assert rows.get(Subject, "6" * 32) is None
    assert rows.get(Counter, ("no", "body")) is None
    assert store.counter("no", "body") is None


def test_a_subject_brings_its_latest_verification(store: Store) -> None:
    write(store, Changes.of(SUBJECT, VERIFICATION))

    assert (
        read(store, Keys.of(Subject, SUBJECT.key)).get(Verification, VERIFICATION.sid)
        == VERIFICATION
    )


def test_a_verification_brings_its_subject_and_that_ones_latest(store: Store) -> None:
    newer = replace(VERIFICATION, sid="VE" + "2" * 32)
    write(store, Changes.of(replace(SUBJECT, verification_sid=newer.sid), VERIFICATION, newer))

    rows = read(store, Keys.of(Verification, VERIFICATION.sid))

    assert rows.get(Subject, SUBJECT.key) == replace(SUBJECT, verification_sid=newer.sid)
    assert rows.get(Verification, newer.sid) == newer


def test_a_counter_gets_an_id_and_is_found_by_it(store: Store) -> None:
    write(store, Changes.of(COUNTER))

    found = store.counter("hash", "user")

    assert found is not None
    assert found.id is not None
    assert replace(found, id=None) == COUNTER
    assert read(store, Keys(counter_ids=(found.id,))).counter_by_id(found.id) == found


def test_a_counter_keeps_its_id_and_its_milliseconds(store: Store) -> None:
    write(store, Changes.of(COUNTER))
    first = store.counter("hash", "user")
    climbed = replace(COUNTER, count=2, expires=NOON + timedelta(milliseconds=1234))

    write(store, Changes.of(climbed))

    again = store.counter("hash", "user")
    assert first is not None
    assert again == replace(climbed, id=first.id)


def test_a_deleted_counters_id_is_never_used_again(store: Store) -> None:
    write(store, Changes.of(COUNTER))
    first = store.counter("hash", "user")
    write(store, Changes().delete(Counter, COUNTER.key))
    write(store, Changes.of(COUNTER))

    again = store.counter("hash", "user")

    assert first is not None
    assert again is not None
    assert again.id != first.id


def test_pairs_that_share_a_half_are_not_mixed_up(store: Store) -> None:
    pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("A", "x"), ("a ", "x")]
    counters = [Counter(unique, user, n, None, NOON) for n, (unique, user) in enumerate(pairs)]
    write(store, Changes.of(*counters))

    rows = read(store, Keys.of(Counter, ("a", "x"), ("b", "y")))

    assert {cell[1] for cell in rows.cells} == {("a", "x"), ("b", "y")}
    found = [store.counter(*pair) for pair in pairs]
    assert [counter.count for counter in found if counter] == [0, 1, 2, 3, 4, 5]


def test_a_deleted_row_is_gone_and_deleting_nothing_is_no_fault(store: Store) -> None:
    write(store, Changes.of(SUBJECT))

    write(store, Changes().delete(Subject, SUBJECT.key))
    write(store, Changes().delete(Subject, SUBJECT.key))

    assert read(store, Keys.of(Subject, SUBJECT.key)).get(Subject, SUBJECT.key) is None


@pytest.mark.parametrize(
    "text",
    ['"', "\\", "'", "%s", "\n\t\r", "\x01\x7f", "{}", "[1]", "€ 😀 ñ", "/* rows */", "$1", "null"],
)
def test_every_text_comes_back_as_it_was_put(store: Store, text: str) -> None:
    service = replace(SERVICE, friendly_name=text)
    counter = replace(COUNTER, unique_id=text, user_id=text, expires=NOON)
    for count in (1, 2):  # inserted, then changed
        write(store, Changes.of(service, replace(counter, count=count)))

    rows = read(store, Keys.of(Service, service.sid) | Keys.of(Counter, counter.key))

    found = rows.get(Counter, counter.key)
    assert found is not None
    assert replace(found, id=None) == replace(counter, count=2)
    assert rows.get(Service, service.sid) == service


def test_a_decision_that_fails_writes_nothing(store: Store) -> None:
    def fail(rows: Rows) -> Changes:
        rows.put(Changes.of(SUBJECT))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.transact(Keys.of(Subject, SUBJECT.key), fail)

    assert read(store, Keys.of(Subject, SUBJECT.key)).get(Subject, SUBJECT.key) is None


def test_a_batch_larger_than_any_limit_on_parameters_is_one_transaction(store: Store) -> None:
    many = [replace(SUBJECT, key=f"{number:032}") for number in range(700)]

    write(store, Changes.of(*many))

    rows = read(store, Keys.of(Subject, *(subject.key for subject in many)))
    assert len([cell for cell in rows.cells if cell[0] is Subject]) == 700


def test_decisions_over_one_row_never_overlap(store: Store) -> None:
    write(store, Changes.of(SUBJECT))

    def count() -> None:
        for _ in range(25):
            store.transact(Keys.of(Subject, SUBJECT.key), add_one)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    subject = read(store, Keys.of(Subject, SUBJECT.key)).get(Subject, SUBJECT.key)
    assert subject is not None
    assert subject.failures == 100


def test_two_who_make_the_same_row_at_once_make_one(store: Store) -> None:
    made = threading.Barrier(4)

    def make() -> None:
        made.wait()
        store.transact(Keys.of(Counter, COUNTER.key), climb)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = store.counter("hash", "user")
    assert found is not None
    assert found.count == 4


def test_a_store_that_answers_pings(store: Store) -> None:
    store.ping()


def add_one(rows: Rows) -> Changes:
    subject = rows.get(Subject, SUBJECT.key)
    assert subject is not None
    return Changes.of(replace(subject, failures=subject.failures + 1))


def climb(rows: Rows) -> Changes:
    counter = rows.get(Counter, COUNTER.key) or COUNTER
    return Changes.of(replace(counter, count=counter.count + 1))
