"""What a sender is: it takes one message and says what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from watchword.model import Channel, Delivery
from watchword.record import Hidden, Record
from watchword.texts.write import Text


class Trouble(StrEnum):
    """Why a message did not get through, by what can be done about it."""

    CREDENTIALS = "credentials"
    SETUP = "setup"
    FUNDS = "funds"
    RECIPIENT = "recipient"
    DESTINATION = "destination"
    OPTED_OUT = "opted-out"
    CONTENT = "content"
    BUSY = "busy"
    OUTAGE = "outage"
    UNCLEAR = "unclear"


WORDS = {  # what happened, and what to do next
    Trouble.CREDENTIALS: "the provider refused the credentials; check the account and its secret",
    Trouble.SETUP: "the provider or this sender is not set up for it; check the sender's options",
    Trouble.FUNDS: "the provider's account is out of funds or suspended; top it up",
    Trouble.RECIPIENT: "this number cannot be reached; ask for another one",
    Trouble.DESTINATION: "the provider does not send there; allow the country or add a route",
    Trouble.OPTED_OUT: "the person has told the provider to stop; they must send START first",
    Trouble.CONTENT: "the provider refused the message's text or sender name",
    Trouble.BUSY: "the provider takes no more just now; slow down or raise the limit",
    Trouble.OUTAGE: "the provider cannot be reached or is out of order; it is tried again later",
    Trouble.UNCLEAR: "nobody knows whether it was sent; it is not sent again in this window",
}
ABOUT_ONE_MESSAGE = frozenset(  # these say nothing of the sender: a stranger could make it rest
    {Trouble.RECIPIENT, Trouble.DESTINATION, Trouble.OPTED_OUT, Trouble.CONTENT}
)


class Message(Record, frozen=True):
    """One message to one person. `attempt_sid` names it: a sender never delivers it twice.

    `receipts_url` is where a provider may report on it; `{sender}` in it is the sender's name.
    """

    attempt_sid: str
    to: Hidden[str]
    channel: Channel
    body: Hidden[str]
    code: Hidden[str]
    sender_name: str
    created_at: datetime
    country: str = ""
    text: Hidden[Text | None] = None  # the same in its parts, for voice and mail
    send_digits: str | None = None  # for a call: dialled once it is answered
    asks_for_key: bool = True  # for a call: a key is pressed before the code is read
    voice: str | None = None  # for a call: the voice that reads it
    script_url: Hidden[str | None] = None  # for a call: who asks there with a key gets the rest
    receipts_url: Hidden[str | None] = None
    messaging_service_sid: str | None = None  # what the service has set for the country
    mail_from: str | None = None  # for e-mail: the address and the name the request wants
    mail_name: str | None = None


class Script(Record, frozen=True):
    """What a call says once a key was pressed: sentences, and the language and voice of them."""

    language: str
    sentences: Hidden[tuple[str, ...]]
    voice: str | None = None

    def encode(self) -> str:
        """Write it as text, to be sealed."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str) -> "Script":
        """Read what `encode` wrote."""
        return msgspec.json.decode(text, type=cls)


class Receipt(Record, frozen=True):
    """What a sender says of a message.

    SENT: taken. FAILED: definitely not sent, so another send may follow at once. UNKNOWN: it may
    have been sent, so no other send may follow in this window. `error_code` is Twilio's number
    for the trouble; `detail` the provider's own words with every number taken out.
    """

    status: Delivery
    message_id: str | None = None
    reason: str | None = None
    trouble: Trouble | None = None
    error_code: int | None = None
    detail: str = ""
    price: str | None = None
    currency: str | None = None
    retry_after: float | None = None
    sender: str | None = None

    @classmethod
    def sent(
        cls, message_id: str | None, *, price: str | None = None, currency: str | None = None
    ) -> "Receipt":
        """Say that the provider took it."""
        return cls(Delivery.SENT, message_id, price=price, currency=currency)

    @classmethod
    def failed(
        cls,
        trouble: Trouble,
        error_code: int | None = None,
        detail: str = "",
        *,
        retry_after: float | None = None,
    ) -> "Receipt":
        """Say that it was definitely not sent."""
        return cls(
            Delivery.FAILED,
            reason=WORDS[trouble],
            trouble=trouble,
            error_code=error_code,
            detail=scrub(detail),
            retry_after=retry_after,
        )

    @classmethod
    def unknown(cls, trouble: Trouble = Trouble.UNCLEAR, detail: str = "") -> "Receipt":
        """Say that nobody knows."""
        return cls(
            Delivery.UNKNOWN,
            reason=WORDS[Trouble.UNCLEAR],
            trouble=trouble,
            detail=scrub(detail),
        )


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


def scrub(text: str) -> str:
    """Take every number and address out of a provider's words: they love to repeat them."""
    shown = " ".join(text.split())[:200]
    return " ".join("•" if _may_name_somebody(word) else word for word in shown.split())


def _may_name_somebody(word: str) -> bool:
    return "@" in word or sum(map(str.isdigit, word)) > 3
