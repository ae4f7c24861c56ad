"""What a command is: data until a batch hands it its rows, then a decision.

`decide` returns what to write and what to answer, or raises a Refusal, which writes nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from watchword.keys import Keyring
from watchword.model import Channel, Policy
from watchword.record import Record, field
from watchword.store.base import Changes, Keys, Rows
from watchword.texts.write import Texts

A_co = TypeVar("A_co", covariant=True)


class Context(Record, frozen=True):
    """What every decision may use beside its rows."""

    now: datetime
    policy: Policy
    keyring: Keyring
    new_sid: Callable[[str], str]
    new_nonce: Callable[[], str]
    texts: Texts = field(default_factory=Texts)
    channels: frozenset[Channel] = frozenset(Channel)  # those that somebody delivers on


class Decision(Record, Generic[A_co], frozen=True):
    """What to write, and what to answer."""

    changes: Changes
    answer: A_co


class Command(Protocol[A_co]):
    """One request, as data."""

    def keys(self, keyring: Keyring) -> Keys:
        """Name the rows to load and lock."""

    def decide(self, rows: Rows, context: Context) -> Decision[A_co]:
        """Decide, or raise a Refusal."""
