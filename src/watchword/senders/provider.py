"""What a provider's file holds: how a message is asked for, and how an answer is read. Pure.

`HttpSender` does the talking, so that a provider is a request, a table of error codes, and the
reading of its delivery reports.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble

Blame = tuple[Trouble, int | None]  # what is the matter, and Twilio's number for the like of it
NO_REASON: Blame = (Trouble.OUTAGE, 30008)  # a message that did not arrive, and nobody says why
Given = Mapping[str, Any]  # an entry's options: text, or a table where the option says so


@dataclass(frozen=True, slots=True)
class Option:
    """One key of a `[[senders]]` entry; without a default it has to be there."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False
    table: bool = False


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a provider."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A provider's answer, header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; an empty one when it holds none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Callback:
    """A request from a provider. `url` is the whole address it was sent to."""

    url: str
    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    form: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider reports of one message: named by our attempt, where it repeats that."""

    status: Delivery
    message_id: str | None = None
    attempt_sid: str | None = None
    trouble: Trouble | None = None
    error_code: int | None = None
    price: str | None = None
    currency: str | None = None
    mcc: str | None = None
    mnc: str | None = None


# Given the sender's name; may raise StoreError.
TakeNotice = Callable[[str, Notice], Awaitable[None]]


def reported(
    status: Delivery,
    blame: Blame,
    *,
    message_id: str | None = None,
    attempt_sid: str | None = None,
    network: str = "",
    price: str | None = None,
    currency: str | None = None,
) -> Notice:
    """Return a notice; what is to blame is said only of a message that did not arrive.

    `network` is the country and network code of who delivered it, in one.
    """
    failed = status in (Delivery.FAILED, Delivery.UNDELIVERED)
    trouble, error_code = blame if failed else (None, None)
    return Notice(
        status,
        message_id,
        attempt_sid,
        trouble,
        error_code,
        price,
        currency,
        mcc=network[:3] or None,
        mnc=network[3:] or None,
    )


class NotAuthentic(Exception):
    """A callback that the provider did not sign."""


class Provider(Protocol):
    """How one provider is spoken to."""

    OPTIONS: ClassVar[tuple[Option, ...]]
    CHANNELS: ClassVar[frozenset[Channel]]

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Return the request that asks for this message."""

    def read(self, response: HttpResponse) -> Receipt:
        """Return what the provider's answer means."""

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a delivery report; raise NotAuthentic for one the provider did not send."""


def by_status(response: HttpResponse, detail: str = "") -> Receipt:
    """Read an answer by its HTTP status alone: what is left when the body says nothing.

    A 429 and a 503 say that nothing was done. After any other 5xx the message may be on its way.
    """
    status = response.status
    after = retry_after(response)
    if status in (401, 403):
        return Receipt.failed(Trouble.CREDENTIALS, 20003, detail)
    if status == 402:
        return Receipt.failed(Trouble.FUNDS, 30002, detail)
    if status == 429:
        return Receipt.failed(Trouble.BUSY, 20429, detail, retry_after=after)
    if status in (501, 503, 505):
        return Receipt.failed(Trouble.OUTAGE, 20503, detail, retry_after=after)
    if status >= 500:
        return Receipt.unknown(Trouble.OUTAGE, detail or f"answered {status}")
    if status == 404 or 300 <= status < 400:
        return Receipt.failed(Trouble.SETUP, 20404, detail or "there is no such address")
    if status >= 400:
        return Receipt.failed(Trouble.CONTENT, None, detail or f"answered {status}")
    return Receipt.unknown(
        Trouble.UNCLEAR, detail or f"answered {status} without saying what it did"
    )


def retry_after(response: HttpResponse) -> float | None:
    """Return a Retry-After header's seconds, or None: of a date it is not worth the reading."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def json_request(url: str, authorization: str, body: Mapping[str, Any]) -> HttpRequest:
    """Return a POST of JSON, as most providers want it."""
    kind = "application/json"
    headers = {"Authorization": authorization, "Content-Type": kind, "Accept": kind}
    return HttpRequest(url, headers, json.dumps(body).encode())


def without_plus(e164: str) -> str:
    """Return a number as most providers want it."""
    return e164.removeprefix("+")
