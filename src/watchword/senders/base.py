"""What a sender is: it takes one message and says what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from watchword.model import Channel, Delivery
from watchword.texts.write import Text


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `attempt_sid` names it: a sender never delivers it twice."""

    attempt_sid: str
    to: str = field(repr=False)
    channel: Channel
    body: str = field(repr=False)
    code: str = field(repr=False)
    sender_name: str
    created_at: datetime
    country: str = ""
    text: Text | None = field(default=None, repr=False)  # the same in its parts, for voice and mail
    send_digits: str | None = None  # for a call: dialled once it is answered
    asks_for_key: bool = True  # for a call: a key is pressed before the code is read
    voice: str | None = None  # for a call: the voice that reads it


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender says of a message.

    SENT: taken. FAILED: definitely not sent, so another send may follow at once. UNKNOWN: it may
    have been sent, so no other send may follow in this window.
    """

    status: Delivery
    message_id: str | None = None
    reason: str | None = None


class Sender(Protocol):
    """Deliver messages on some channels.

    One that never `waits` may be driven without an event loop. Errors it foresees come back as a
    Receipt; an exception counts as UNKNOWN, since nobody knows how far it got.
    """

    @property
    def name(self) -> str:
        """Return the name it is configured by."""

    @property
    def waits(self) -> bool:
        """Return whether `send` waits for anything outside this machine."""

    async def send(self, message: Message) -> Receipt:
        """Deliver one message and say what became of it."""

    def close(self) -> None:
        """Give back what the sender holds open."""
