"""Refusals on their way to the store: gathered in memory, written now and then, never in the way.

A refused command changes nothing, so it must not pay for a commit either. What it was refused for
is counted here and written at most every few seconds; a process that is killed loses the counts of
these seconds and nothing else.
"""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any

from watchword.commands.base import Command, Context, Decision
from watchword.commands.pages import TakeSend
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.errors import InvalidParameter, Refusal
from watchword.keys import Keyring
from watchword.phone import parse
from watchword.record import Record, replace
from watchword.refused import PREFIX, Reason, Refused, reason_of, slot_of
from watchword.store.base import Changes, Keys, Rows

WRITE_EVERY = 5.0  # seconds
MOST_PREFIXES = 200  # a slot; whoever sprays numbers must not make a row of each prefix


class AddRefused(Record, frozen=True):
    """Add counts to what the store has."""

    counts: tuple[Refused, ...]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Refused, *(count.key for count in self.counts))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        changes = Changes()
        for count in self.counts:
            stored = rows.get(Refused, count.key)
            total = count.count + (stored.count if stored else 0)
            changes.add(Changes.of(replace(count, count=total)))
        return Decision(changes, None)


class Refusals:
    """The counts of one engine that are not yet in its store."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.totals = dict.fromkeys(Reason, 0)  # since the start, written or not
        self._now = now
        self._lock = Lock()
        self._counts: dict[str, Refused] = {}
        self._written_at = -WRITE_EVERY
        self._slot: datetime | None = None
        self._prefixes: set[str] = set()

    def note(self, command: Command[Any], refusal: Refusal, now: datetime) -> None:
        """Count a refused command, if its refusal is one that protects somebody."""
        asked: Any = command.start if isinstance(command, GuardedStart) else command
        match asked:
            case StartVerification():
                to = asked.phone.to
            case CheckCode() | TakeSend():
                to = asked.to or ""
            case _:
                return
        self.count(refusal, asked.account_sid, asked.service_sid, to, now)

    def count(
        self, refusal: Refusal, account_sid: str, service_sid: str, to: str, now: datetime
    ) -> None:
        """Count one refusal; `to` is the number it is about, or "" where it is none."""
        reason = reason_of(refusal)
        if reason is None or not account_sid:
            return
        country = _country(to)
        with self._lock:
            self.totals[reason] += 1
            slot = slot_of(now)
            prefix = self._known_prefix(to[:PREFIX] if country else "", slot)
            one = Refused(account_sid, service_sid, reason.value, country, prefix, slot, 1)
            self._add(one)

    def is_due(self) -> bool:
        """Tell whether counts wait, and the last ones were written long enough ago."""
        return bool(self._counts) and self._now() - self._written_at >= WRITE_EVERY

    def take(self) -> AddRefused | None:
        """Return what is to be written, and forget it here; None when there is nothing."""
        with self._lock:
            counts, self._counts = tuple(self._counts.values()), {}
            self._written_at = self._now()
        return AddRefused(counts) if counts else None

    def put_back(self, taken: AddRefused) -> None:
        """Take back what could not be written."""
        with self._lock:
            for count in taken.counts:
                self._add(count)

    def _add(self, one: Refused) -> None:
        stored = self._counts.get(one.key)
        self._counts[one.key] = replace(one, count=one.count + (stored.count if stored else 0))

    def _known_prefix(self, prefix: str, slot: datetime) -> str:
        if slot != self._slot:
            self._slot, self._prefixes = slot, set()
        if prefix not in self._prefixes and len(self._prefixes) >= MOST_PREFIXES:
            return ""
        self._prefixes.add(prefix)
        return prefix


def _country(to: str) -> str:
    if not to.startswith("+"):
        return ""
    try:
        return parse(to).country
    except InvalidParameter:
        return ""
