"""What one process has done since its start, in plain numbers: counted as it goes, read by others.

Where a request passes, a count is one addition. Nothing here names a person: no number, no sid.
"""

from bisect import bisect_left
from collections import defaultdict

import msgspec

from watchword.model import Channel
from watchword.refused import Reason


class Histogram(msgspec.Struct):
    """How often a value lay under each bound; the last bucket is for what lay over all of them."""

    bounds: tuple[float, ...]
    buckets: list[int]
    sum: float = 0.0

    @classmethod
    def of(cls, *bounds: float) -> "Histogram":
        """Begin one with nothing in it."""
        return cls(bounds, [0] * (len(bounds) + 1))

    @property
    def count(self) -> int:
        return sum(self.buckets)

    def add(self, value: float) -> None:
        """Count one value."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Answers(msgspec.Struct):
    """The answers to one kind of request, by HTTP status and by Twilio's code of the error."""

    by_status: dict[int, int] = msgspec.field(default_factory=lambda: defaultdict(int))
    by_code: dict[int, int] = msgspec.field(default_factory=lambda: defaultdict(int))

    def add(self, status: int, code: int) -> None:
        """Count one answer; `code` is 0 when all is well."""
        self.by_status[status] += 1
        if code:
            self.by_code[code] += 1


def _channels() -> dict[Channel, int]:
    return dict.fromkeys(Channel, 0)


def _rules() -> dict[Reason, int]:
    return dict.fromkeys(Reason, 0)


def _commands() -> Histogram:
    return Histogram.of(1, 4, 16, 64, 256)


def _seconds() -> Histogram:
    return Histogram.of(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Counts(msgspec.Struct):
    """All that is counted. Only the loop that serves counts, so no count needs a lock."""

    starts: Answers = msgspec.field(default_factory=Answers)
    checks: Answers = msgspec.field(default_factory=Answers)
    others: Answers = msgspec.field(default_factory=Answers)
    rules: dict[Reason, int] = msgspec.field(default_factory=_rules)  # by the rule that refused
    overloads: int = 0  # requests for which there was no room
    inside: int = 0  # requests let in and not yet answered
    waiting: int = 0  # of these, in the queue before a batch
    sending: int = 0  # messages that senders wait for
    batch_commands: Histogram = msgspec.field(default_factory=_commands)
    batch_seconds: Histogram = msgspec.field(default_factory=_seconds)
    started: dict[Channel, int] = msgspec.field(default_factory=_channels)  # verifications
    approved: dict[Channel, int] = msgspec.field(default_factory=_channels)
    messages: dict[Channel, int] = msgspec.field(default_factory=_channels)  # resends among them
    wrong_codes: int = 0

    def answers(self) -> tuple[tuple[str, Answers], ...]:
        """Return the answers by the kind of request."""
        return ("start", self.starts), ("check", self.checks), ("other", self.others)
