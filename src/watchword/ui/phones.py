"""What the inbox shows of messages: threads, phones, and the story of each message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from watchword.model import Attempt, Delivery
from watchword.senders.inbox import InboxMessage
from watchword.texts.segments import Size, measure

SHOWN_MESSAGES = 40  # a phone's newest; the rest stays in the file


@dataclass(frozen=True, slots=True)
class Thread:
    """A number's line in the list of threads."""

    number: str
    pretty: str
    count: int
    newest: InboxMessage


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of a message's way."""

    name: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as a phone shows it: the text around its code, and how it travelled."""

    id: int
    before: str
    code: str
    after: str
    sender: str
    channel: str
    at: datetime
    size: Size
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone on the screen, newest message first."""

    number: str
    pretty: str
    region: str
    bubbles: tuple[Bubble, ...]


def threads_of(messages: Sequence[InboxMessage]) -> list[Thread]:
    """Return one thread a number, the one with the newest message first."""
    by_number: dict[str, list[InboxMessage]] = {}
    for message in messages:
        by_number.setdefault(message.to, []).append(message)
    return [
        Thread(number, pretty(number), len(held), held[0]) for number, held in by_number.items()
    ]


def phones_of(
    messages: Sequence[InboxMessage], numbers: Sequence[str], deliveries: Mapping[str, Attempt]
) -> list[Phone]:
    """Return these numbers as phones; one that was never written to is an empty phone."""
    return [
        Phone(
            number,
            pretty(number),
            _region(number),
            tuple(
                _bubble(message, deliveries.get(message.attempt_sid.removesuffix("-again")))
                for message in messages
                if message.to == number
            )[:SHOWN_MESSAGES],
        )
        for number in numbers
    ]


def pretty(number: str) -> str:
    """Write a number in the groups its country writes it in; an e-mail address as it is."""
    if "@" in number:
        return number
    return phonenumbers.format_number(
        phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )


def _region(number: str) -> str:
    if "@" in number:
        return "e-mail"
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def _bubble(message: InboxMessage, attempt: Attempt | None) -> Bubble:
    before, code, after = message.body, "", ""
    if message.code and message.code in message.body:
        before, code, after = message.body.partition(message.code)
    return Bubble(
        id=message.id,
        before=before,
        code=code,
        after=after,
        sender=message.sender,
        channel=message.channel,
        at=message.created_at,
        size=measure(message.body),
        events=tuple(_events(message, attempt)),
    )


def _events(message: InboxMessage, attempt: Attempt | None) -> list[Event]:
    asked = attempt.created_at if attempt else message.created_at
    events = [Event("asked for", asked), Event("arrived", message.created_at, "in this inbox")]
    if attempt is not None and attempt.status is not Delivery.QUEUED:
        said = "sent" if attempt.status is Delivery.SENT else attempt.status.value
        events.append(Event(f"recorded as {said}", attempt.updated_at, attempt.reason or ""))
    return events
