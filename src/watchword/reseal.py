"""Lead rows from older keys to the newest: sealed and named anew, a few at a time, beside servers.

What is to be led is found without a lock, and judged again under the locks that commands take, so
a command in between loses nothing. It can be stopped at any moment and run again.
"""

import itertools
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from watchword.commands.naming import kept
from watchword.errors import ConfigurationError, StoreError
from watchword.keys import Keyring
from watchword.model import Attempt, Counter, RateWindow, SafeNumber, Subject, Verification
from watchword.record import Record, replace
from watchword.rules.ladder import stricter
from watchword.store.base import Changes, Keys, Query, Rows
from watchword.store.kinds import KINDS
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore
from watchword.store.walk import walk
from watchword.tenants import Posting
from watchword.visits import PageSession

LOT = 50  # rows a transaction: some ten milliseconds, so that requests hardly wait
PAUSE_SECONDS = 0.01  # between two transactions, for the requests
LADDERS = ("page", "cli")  # who climbs the ladders that a key names

Stored = SqlStore | MemoryStore
Led = Tally[str]  # rows led to the newest key, by table


class Address(Record, frozen=True):
    """A row that a key has named, and what it is named for."""

    key: str
    scope: str  # the service or the account within which it is named
    text: str

    @property
    def to(self) -> str:
        """Return the address without a known device's lane."""
        return self.text.partition(" ")[0]

    @property
    def climbers(self) -> tuple[str, ...]:
        """Return who climbs the ladders of this address."""
        lane = self.text[len(self.to) :]
        return (f"page{lane}",) if lane else LADDERS


def reseal(store: Stored, keyring: Keyring, *, pause: float = PAUSE_SECONDS) -> Iterator[Led]:
    """Lead every row that can be led; yield what each transaction did."""
    for work in (_subjects, _safe_numbers, _rate_windows, _verifications, _pages, _postings):
        for led in work(store, keyring):
            yield led
            time.sleep(pause)


def _subjects(store: Stored, keyring: Keyring) -> Iterator[Led]:
    """Lead phones, their latest verification's word of them, and their ladders."""

    def keys(address: Address) -> Keys:
        names = keyring.names(address.scope, address.text)
        return Keys.one_of(Subject, *names) | ladder_keys(keyring, address)

    def lead(rows: Rows, address: Address) -> Changes:
        changes = _named_anew(rows, keyring, Subject, address)
        name = keyring.fingerprint(address.scope, address.text)
        subject = next((row for row in changes.cells.values() if isinstance(row, Subject)), None)
        latest = rows.get(Verification, subject.verification_sid) if subject else None
        if latest is not None and latest.subject != name:
            changes.add(Changes.of(replace(latest, subject=name)))
        changes.add(_ladders_anew(rows, keyring, address))
        return changes

    for lot in lots(walk(store, Subject)):
        known = addresses(store, keyring, lot)
        stale = {row.key for row in lot if not _is_named_anew(row, keyring)}
        named_anew = [each for each in known if each.key not in stale]
        climbing = _with_older_ladders(store, keyring, named_anew)
        moving = [each for each in known if each.key in stale or each in climbing]
        yield from _led(store, moving, keys, lead)


def _safe_numbers(store: Stored, keyring: Keyring) -> Iterator[Led]:
    return _named(store, keyring, SafeNumber, "account_sid")


def _rate_windows(store: Stored, keyring: Keyring) -> Iterator[Led]:
    return _named(store, keyring, RateWindow, "service_sid")


def _named(
    store: Stored, keyring: Keyring, kind: type[SafeNumber] | type[RateWindow], scope: str
) -> Iterator[Led]:
    """Lead rows that a key names, and that no other row has to follow."""

    def keys(address: Address) -> Keys:
        return Keys.one_of(kind, *keyring.names(address.scope, address.text))

    def lead(rows: Rows, address: Address) -> Changes:
        return _named_anew(rows, keyring, kind, address)

    stale = (row for row in walk(store, kind) if not _is_named_anew(row, keyring))
    for lot in lots(stale):
        opened = ((row, _opened(row, keyring)) for row in lot)
        known = [Address(row.key, getattr(row, scope), text) for row, text in opened if text]
        yield from _led(store, known, keys, lead)


def _verifications(store: Stored, keyring: Keyring) -> Iterator[Led]:
    """Lead verifications, and what is kept of their numbers elsewhere.

    A superseded one of a known device's lane keeps its older name, as its lane is not kept: nobody
    looks for it by that.
    """

    def keys(found: Verification) -> Keys:
        attempts = [send.sid for send in found.sends]
        return (
            Keys.of(Verification, found.sid)
            | Keys.of(Attempt, *attempts)
            | Keys.one_of(Subject, *keyring.names(found.service_sid, found.to))
            | Keys.one_of(SafeNumber, *keyring.names(found.account_sid, found.to))
        )

    def lead(rows: Rows, found: Verification) -> Changes:
        changes = Changes()
        stored = rows.get(Verification, found.sid)
        if stored is None:
            return changes  # purged meanwhile
        names = keyring.names(found.service_sid, found.to)
        subject = next((name for name in names if rows.get(Subject, name)), names[0])
        after = replace(stored, subject=subject) if stored.subject in names else stored
        if after != stored or isinstance(store, SqlStore):
            changes.rewrite(after)
        account = keyring.names(found.account_sid, found.to)
        for send in found.sends:
            attempt = rows.get(Attempt, send.sid)
            if attempt is not None and attempt.recipient in account[1:]:
                changes.rewrite(replace(attempt, recipient=account[0]))
        safe = Address("", found.account_sid, found.to)
        changes.add(_named_anew(rows, keyring, SafeNumber, safe))
        return changes

    def stale() -> Iterator[Verification]:
        for lot in lots(walk(store, Verification)):
            found = [as_verification(row, keyring) for row in lot]
            named = {each.sid for each, _, _ in named_by_older(store, keyring, found)}
            for row, each in zip(lot, found, strict=True):
                if each.to and (each.sid in named or not _is_sealed_anew(row, keyring)):
                    yield each

    for lot in lots(stale()):
        yield from _led(store, lot, keys, lead)


def _pages(store: Stored, keyring: Keyring) -> Iterator[Led]:
    """Seal what page sessions hold anew."""

    def lead(rows: Rows, sid: str) -> Changes:
        page = rows.get(PageSession, sid)
        if page is None or keyring.is_sealed_anew(page.sealed):
            return Changes()
        text = _unsealed(keyring, page.sealed, sid)
        if text is None:
            return Changes()
        return Changes.of(replace(page, sealed=keyring.seal(text, bound_to=sid)))

    rows = walk(store, PageSession, "sid", "sealed")
    stale = (row.sid for row in rows if not keyring.is_sealed_anew(row.sealed))
    for lot in lots(stale):
        yield from _led(store, lot, lambda sid: Keys.of(PageSession, sid), lead)


def _postings(store: Stored, keyring: Keyring) -> Iterator[Led]:
    """Seal events on their way to webhooks anew."""

    def lead(rows: Rows, sid: str) -> Changes:
        posting = rows.get(Posting, sid)
        return Changes().rewrite(posting) if posting is not None and posting.fields else Changes()

    if isinstance(store, MemoryStore):
        return  # what lies in memory is not sealed
    rows = walk(store, Posting, "sid", "sealed_fields")
    stale = (row.sid for row in rows if not keyring.is_sealed_anew(row.sealed_fields))
    for lot in lots(stale):
        yield from _led(store, lot, lambda sid: Keys.of(Posting, sid), lead)


def as_verification(row: Any, keyring: Keyring) -> Verification:
    """Return the record of a row that was walked by."""
    if isinstance(row, Verification):
        return row
    found: Verification = KINDS[Verification].record(row, keyring)
    return found


def named_by_older(
    store: Stored, keyring: Keyring, lot: list[Verification]
) -> Iterator[tuple[Verification, type[Any], str]]:
    """Yield what an older key has named of these: the verification itself, or a message of it.

    Beside each, its kind and the key. Whatever key sealed them: while keys rotate, one server may
    send again what another has started.
    """
    if len(list(keyring)) == 1:
        return
    sids = tuple(send.sid for found in lot for send in found.sends)
    query = Query(Attempt, {"sid": sids}, limit=len(sids))
    recipients = {each.sid: each.recipient for each in store.page(query)} if sids else {}
    for found in lot:
        phones = _older_names(keyring, found.service_sid, found.to)
        if found.subject in phones:
            yield found, Verification, phones[found.subject]
        to = _older_names(keyring, found.account_sid, found.to)
        for recipient in (recipients.get(send.sid) for send in found.sends):
            if recipient in to:
                yield found, Attempt, to[recipient]


def _older_names(keyring: Keyring, scope: str, text: str) -> dict[str | None, str]:
    """Return the names that older keys give, and which of them gives which."""
    pairs = zip(keyring.names(scope, text), keyring, strict=True)
    return {name: key.id for name, key in itertools.islice(pairs, 1, None)}


def addresses(store: Stored, keyring: Keyring, subjects: Iterable[Any]) -> list[Address]:
    """Say what these subjects are named for, those of which it can be told.

    One from before names were sealed is told by its latest verification, while that is kept.
    """
    rows = list(subjects)
    old = tuple({row.verification_sid for row in rows if row.sealed_name is None})
    query = Query(Verification, {"sid": old}, limit=len(old))
    numbers = {each.sid: each.to for each in store.page(query)} if old else {}
    found = []
    for row in rows:
        text = _opened(row, keyring) or numbers.get(row.verification_sid)
        if text and row.key in keyring.names(row.service_sid, text):
            found.append(Address(row.key, row.service_sid, text))
    return found


def _named_anew(
    rows: Rows,
    keyring: Keyring,
    kind: type[Subject] | type[SafeNumber] | type[RateWindow],
    address: Address,
) -> Changes:
    """Move a row to its newest name, if it is still there under another."""
    names = keyring.names(address.scope, address.text)
    found: Any = next((row for name in names if (row := rows.get(kind, name))), None)
    if found is None or _is_named_anew(found, keyring):
        return Changes()
    if found.key == names[0]:
        found = replace(found, sealed_name=None)  # so that it is sealed anew
    return kept(found, found, address.text, names[0], keyring)


def ladder_keys(keyring: Keyring, address: Address) -> Keys:
    """Want the ladders of an address."""
    names = keyring.names(address.scope, address.to)
    pairs = ([(name, climber) for name in names] for climber in address.climbers)
    return Keys.union(Keys.one_of(Counter, *each) for each in pairs)


def _ladders_anew(rows: Rows, keyring: Keyring, address: Address) -> Changes:
    """Move ladders to their newest name; where there are two by a fault, the stricter counts."""
    changes = Changes()
    newest, *older = keyring.names(address.scope, address.to)
    for climber, name in itertools.product(address.climbers, older):
        found = rows.get(Counter, (name, climber))
        if found is not None:
            standing = rows.get(Counter, (newest, climber))
            moved = stricter(standing or replace(found, unique_id=newest, id=None), found)
            changes.add(Changes.of(moved).delete(Counter, found.key))
    return changes


def _with_older_ladders(
    store: Stored, keyring: Keyring, known: list[Address]
) -> frozenset[Address]:
    """Look, without a lock, which of these addresses have a ladder that an older key named."""
    climbing: set[Address] = set()
    keys = [(address, ladder_keys(keyring, address).wanted) for address in known]

    def look(rows: Rows) -> Changes:
        climbing.clear()
        for address, cells in keys:
            newest = keyring.fingerprint(address.scope, address.to)
            older = [cell for cell in cells if cell[1][0] != newest]
            if any(rows.get(*cell) is not None for cell in older):
                climbing.add(address)
        return Changes()

    wanted = tuple(cell for _, cells in keys for cell in cells)
    if wanted:
        store.transact(Keys(only_read=wanted), look)
    return frozenset(climbing)


def _led(
    store: Stored, lot: list[Any], keys: Callable[[Any], Keys], lead: Callable[[Rows, Any], Changes]
) -> Iterator[Led]:
    """Lead a lot in one transaction; one that loses every race to busy requests goes in halves."""
    if not lot:
        return
    led: Led = Tally()

    def decide(rows: Rows) -> Changes:
        changes = Changes()
        for each in lot:
            one = lead(rows, each)
            rows.put(one)
            changes.add(one)
        led.clear()
        led.update(_tables(changes))
        return changes

    try:
        store.transact(Keys.union(map(keys, lot)), decide)
    except StoreError:
        if len(lot) == 1:
            raise
        half = len(lot) // 2
        yield from _led(store, lot[:half], keys, lead)
        yield from _led(store, lot[half:], keys, lead)
        return
    yield led


def _tables(changes: Changes) -> Iterator[str]:
    """Name the table of each row that was led; a word changed in passing is none."""
    for cell, record in changes.cells.items():
        if record is not None and (cell[0] is not Verification or cell in changes.whole):
            yield KINDS[cell[0]].table.name


def _is_named_anew(row: Any, keyring: Keyring) -> bool:
    return row.sealed_name is not None and keyring.is_sealed_anew(row.sealed_name)


def _is_sealed_anew(row: Any, keyring: Keyring) -> bool:
    """Tell whether a verification is; in memory nothing is sealed, but its number is named."""
    return keyring.is_sealed_anew(getattr(row, "sealed_to", ""))


def _opened(row: Any, keyring: Keyring) -> str | None:
    return None if row.sealed_name is None else _unsealed(keyring, row.sealed_name, row.key)


def _unsealed(keyring: Keyring, sealed: str, bound_to: str) -> str | None:
    """Open a seal; None for one whose key is gone, or that was altered."""
    try:
        return keyring.unseal(sealed, bound_to=bound_to)
    except ConfigurationError:
        return None


def lots(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Hand on rows a lot at a time."""
    left = iter(rows)
    while lot := list(itertools.islice(left, LOT)):
        yield lot
