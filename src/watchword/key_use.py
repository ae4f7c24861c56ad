"""Which stored rows need which key, and which of them no job can lead to a newer one."""

import re
from collections import Counter as Tally
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from watchword.keys import Keyring
from watchword.model import Counter, RateWindow, SafeNumber, Status, Subject, Verification
from watchword.record import Record
from watchword.reseal import (
    LADDERS,
    Stored,
    addresses,
    as_verification,
    ladder_keys,
    lots,
    named_by_older,
)
from watchword.store.base import Changes, Keys, Rows
from watchword.store.kinds import KINDS
from watchword.store.rows import from_ms, to_ms
from watchword.store.sql import SqlStore
from watchword.store.walk import walk
from watchword.tenants import Account, ApiKey, Posting
from watchword.visits import PageSession

SEALED: dict[type[Any], str] = {  # the column that says which key sealed a row
    Subject: "sealed_name",
    SafeNumber: "sealed_name",
    RateWindow: "sealed_name",
    Verification: "sealed_to",
    PageSession: "sealed",
    Posting: "sealed_fields",
}
FINGERPRINT = re.compile("[0-9a-f]{32}")
ID = 8  # letters of a key's name
LOOK = 1_000  # rows at each end of a table that a quick look takes in


class KeyUse(Record, frozen=True):
    """What is stored that needs one key."""

    key: str
    place: int | None  # in the list, from 1 on; None for a key that is not listed
    rows: dict[str, int]  # sealed or named by it, by table: `watchword reseal` leads them on
    codes: int  # open codes made with it: they end by themselves
    codes_end_at: datetime | None
    accounts: tuple[str, ...]  # whose token is derived from it: to be rotated
    api_keys: tuple[str, ...]  # recognised by it: to be replaced

    @property
    def may_go(self) -> bool:
        """Tell whether nothing would be lost with it."""
        newest = self.place == 1
        return not (newest or self.rows or self.codes or self.accounts or self.api_keys)


class Unnamed(Record, frozen=True):
    """Rows that some key has named and no job can name again: what they are named for is not kept.

    They are from before it was, and stay good for as long as the key that named them is listed.
    """

    phones: int  # with wrong codes, and no verification kept any more
    safe_numbers: tuple[str, ...]  # by their sid
    windows_end_at: datetime | None  # when the last such rate limit window ends
    ladders: int  # steps of pages and terminals, of phones that are no longer on record


class Glance(Record, frozen=True):
    """What a quick look shows of older keys."""

    keys: frozenset[str]  # needed by rows that were looked at; some may not be listed
    unsealed: bool  # are there rows that any of the keys may have named, and none has sealed?


def uses(store: Stored, keyring: Keyring, now: datetime) -> list[KeyUse]:
    """Look at every row, and say of each key what needs it; the listed ones come first."""
    rows: dict[str, Tally[str]] = {key.id: Tally() for key in keyring}
    for kind, column in SEALED.items():
        for row in walk(store, kind, column):
            sealed = getattr(row, column, None)  # in memory there are no seals but those in records
            if sealed is not None:
                rows.setdefault(sealed[:ID], Tally())[KINDS[kind].table.name] += 1
    for key, kind in _named(store, keyring):
        rows[key][KINDS[kind].table.name] += 1
    ends = _open_codes(store, now)
    holders = [_holders(store, kind) for kind in (Account, ApiKey)]
    places = {key.id: place for place, key in enumerate(keyring, 1)}
    ids = dict.fromkeys([*rows, *ends, *holders[0], *holders[1]])
    return [
        KeyUse(
            key=each,
            place=places.get(each),
            rows=dict(rows.get(each, ())),
            codes=len(ends.get(each, ())),
            codes_end_at=max(ends[each]) if each in ends else None,
            accounts=tuple(holders[0].get(each, ())),
            api_keys=tuple(holders[1].get(each, ())),
        )
        for each in ids
    ]


def unnamed(store: Stored, keyring: Keyring, now: datetime) -> Unnamed:
    """Count what no job can name again."""
    known: set[int | None] = set()
    phones = 0
    for lot in lots(walk(store, Subject)):
        phones += sum(row.sealed_name is None and row.failures > 0 for row in lot)
        known |= _ladders_of(store, keyring, lot)
    windows = [
        _moment(row.ends_at)
        for row in walk(store, RateWindow, "sealed_name", "ends_at")
        if row.sealed_name is None
    ]
    safe = walk(store, SafeNumber, "sealed_name", "sid")
    return Unnamed(
        phones=phones,
        safe_numbers=tuple(row.sid for row in safe if row.sealed_name is None),
        windows_end_at=max((end for end in windows if end > now), default=None),
        ladders=sum(each not in known for each in _ladder_ids(store, keyring)),
    )


def glance(store: SqlStore, keyring: Keyring, now: datetime) -> Glance:
    """Look at the first and the last rows of each table, at the price of a few rows.

    Sids begin with the time, so the oldest rows come first. What a resealing that was stopped has
    left may lie between the ends, unseen: `uses` looks at every row.
    """
    keys: set[str] = set()
    unsealed = False
    with store.reading() as connection:
        for kind, column in SEALED.items():
            table = KINDS[kind].table
            by = table.primary_key.columns.values()[0]
            counts = _counts(kind, now).label("counts")
            for order in (by.asc(), by.desc()):
                look = sa.select(table.c[column], counts).order_by(order).limit(LOOK)
                for seal, is_counting in connection.execute(look):
                    if seal is not None:
                        keys.add(seal[:ID])
                    unsealed |= seal is None and bool(is_counting)
    for holder in (Account, ApiKey):
        keys |= _holders(store, holder).keys()
    several = len(list(keyring)) > 1
    return Glance(frozenset(keys - {keyring.newest.id}), unsealed=unsealed and several)


def _counts(kind: type[Any], now: datetime) -> sa.ColumnElement[bool]:
    """Say of which rows something would be lost with the key that named them."""
    columns = KINDS[kind].table.c
    if kind is Subject:
        return columns.failures > 0
    return columns.ends_at > to_ms(now) if kind is RateWindow else sa.true()


def _named(store: Stored, keyring: Keyring) -> Iterator[tuple[str, type[Any]]]:
    """Yield the key and the kind of what an older key has named, and has not sealed as well."""
    for lot in lots(walk(store, Verification)):
        seals = {row.sid: getattr(row, "sealed_to", "")[:ID] for row in lot}
        found = [as_verification(row, keyring) for row in lot]
        for each, kind, key in named_by_older(store, keyring, found):
            if kind is not Verification or seals[each.sid] != key:
                yield key, kind


def _open_codes(store: Stored, now: datetime) -> dict[str, list[datetime]]:
    ends: dict[str, list[datetime]] = {}
    for row in walk(store, Verification, "key_id", "status", "expires_at"):
        end = _moment(row.expires_at)
        if row.status == Status.PENDING and end > now:
            ends.setdefault(row.key_id, []).append(end)
    return ends


def _holders(store: Stored, kind: type[Account] | type[ApiKey]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in walk(store, kind, "sid", "key_id", "revoked"):
        if not row.revoked:
            found.setdefault(row.key_id, []).append(row.sid)
    return found


def _ladders_of(store: Stored, keyring: Keyring, subjects: list[Any]) -> set[int | None]:
    """Return the ids of the ladders of these phones, whichever key named them."""
    found: set[int | None] = set()
    known = addresses(store, keyring, subjects)
    keys = Keys.union(ladder_keys(keyring, address) for address in known)

    def look(rows: Rows) -> Changes:
        found.update(row.id for row in rows.cells.values() if isinstance(row, Counter))
        return Changes()

    store.transact(Keys(only_read=keys.wanted), look)
    return found


def _ladder_ids(store: Stored, keyring: Keyring) -> Iterator[int | None]:
    """Yield the ids of the ladders that a key has named."""
    for row in walk(store, Counter):
        counter = row if isinstance(row, Counter) else KINDS[Counter].record(row, keyring)
        climber = counter.user_id.partition(" ")[0]
        if climber in LADDERS and FINGERPRINT.fullmatch(counter.unique_id):
            yield counter.id


def _moment(at: Any) -> datetime:
    return at if isinstance(at, datetime) else from_ms(at)
