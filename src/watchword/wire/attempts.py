"""Attempts: the messages that were sent, whether they led to an approval, and a summary."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from watchword.commands.base import Context
from watchword.commands.reading import Reading, ReadOne
from watchword.errors import InvalidParameter
from watchword.mailbox import LONGEST, parse_address
from watchword.model import Attempt, Channel, Delivery, Status, Verification
from watchword.phone import PREFIX_DIGITS
from watchword.record import Record, replace
from watchword.store.base import Query, Store
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import PARAMETERS as PAGING
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Kind, Parameter, moment, one_of, sid, text

# What is known of a message, in Twilio's words for messages; calls have words of their own.
UNKNOWN_MESSAGE, UNKNOWN_CALL = "sending", "in-progress"
CALL_WORDS = {
    Delivery.SENT: "in-progress",
    Delivery.UNKNOWN: UNKNOWN_CALL,
    Delivery.DELIVERED: "completed",
    Delivery.UNDELIVERED: "no-answer",
}
UNCONVERTED = tuple(status for status in Status if status is not Status.APPROVED)
DESTINATION = re.compile(rf"\+?[0-9]{{1,{PREFIX_DIGITS}}}", re.ASCII)

COUNTRY = Parameter("Country", text(2, 2, "[A-Za-z]{2}"), "only to this country")
CHANNEL = Parameter(
    "Channel", one_of("sms", "call", "email", "whatsapp", "rbm"), "only by this channel"
)
SERVICE = Parameter("VerifyServiceSid", sid("VA"), "only of this service")
AFTER = Parameter("DateCreatedAfter", moment(), "only at this moment or later")
BEFORE = Parameter("DateCreatedBefore", moment(), "only before this moment")
LIST = (
    AFTER,
    BEFORE,
    Parameter("ChannelData.To", text(LONGEST), "only to this address"),
    COUNTRY,
    CHANNEL,
    SERVICE,
    Parameter("VerificationSid", sid("VE"), "only of this verification"),
    Parameter("Status", one_of("converted", "unconverted"), "only those that led to an approval"),
    *PAGING,
)


def _destination() -> Kind:
    def read(value: str) -> str:
        if not DESTINATION.fullmatch(value):
            raise ValueError(f"it takes 1 to {PREFIX_DIGITS} digits; more of a number is not kept")
        return value if value.startswith("+") else f"+{value}"

    return Kind({"type": "string", "pattern": f"^{DESTINATION.pattern}$"}, read)


SUMMARY = (
    SERVICE,
    AFTER,
    BEFORE,
    COUNTRY,
    CHANNEL,
    Parameter("DestinationPrefix", _destination(), "only to numbers that begin so"),
)


class Seen(Record, frozen=True):
    """An attempt beside the verification it belongs to, which is None once it is purged."""

    attempt: Attempt
    verification: Verification | None
    now: datetime

    @property
    def key(self) -> str:
        return self.attempt.sid

    @property
    def created_at(self) -> datetime:
        return self.attempt.created_at

    @property
    def expired(self) -> bool:
        return self.verification is None or self.now >= self.verification.expires_at


class ReadAttempt(Record, Reading[Seen], frozen=True):
    """Show one attempt."""

    query: Query

    def read(self, store: Store, context: Context) -> Seen:
        return _seen(store, context, [ReadOne(self.query, "attempt").read(store, context)])[0]


class Summary(Record, Reading[tuple[int, int]], frozen=True):
    """Count attempts, and those that led to an approval."""

    query: Query

    def read(self, store: Store, context: Context) -> tuple[int, int]:
        approved = dict(self.query.equal) | {"verification_status": Status.APPROVED}
        return store.count(self.query), store.count(replace(self.query, equal=approved))


def list_all(asked: Asked) -> Call:
    """List the account's attempts, newest first."""
    equal = _equal(asked)
    if "VerificationSid" in asked.values:
        equal["verification_sid"] = asked.get("VerificationSid")
    if "Status" in asked.values:
        converted = asked.get("Status") == "converted"
        equal["verification_status"] = (Status.APPROVED,) if converted else UNCONVERTED
    query = Query(Attempt, equal, asked.get("DateCreatedAfter"), asked.get("DateCreatedBefore"))
    to = asked.get("ChannelData.To")
    if to is not None:
        to = _address(to)

    def with_recipient(context: Context) -> Query:
        if to is None:
            return query
        names = context.keyring.names(asked.account_sid, to)
        return replace(query, equal=equal | {"recipient": names})

    return listing(asked, "attempts", with_recipient, lambda seen: show(seen, asked), _seen)


def fetch(asked: Asked, attempt_sid: str) -> Call:
    """Show an attempt."""
    query = Query(Attempt, {"sid": attempt_sid, "account_sid": asked.account_sid})
    return Call(ReadAttempt(query), lambda seen: show(seen, asked))


def summarize(asked: Asked) -> Call:
    """Count the account's attempts, and those that led to an approval."""
    prefix = asked.get("DestinationPrefix")
    query = Query(
        Attempt,
        _equal(asked),
        asked.get("DateCreatedAfter"),
        asked.get("DateCreatedBefore"),
        None if prefix is None else ("prefix", prefix),
    )
    return Call(Summary(query), lambda counts: show_summary(counts[0], counts[1], asked.url))


def show(seen: Seen, asked: Asked) -> dict[str, Any]:
    """Show a VerificationAttempt resource, every key present."""
    attempt = seen.attempt
    converted = seen.verification is not None and seen.verification.status is Status.APPROVED
    return {
        "sid": attempt.sid,
        "account_sid": attempt.account_sid,
        "service_sid": attempt.service_sid,
        "verification_sid": attempt.verification_sid,
        "date_created": timestamp(attempt.created_at),
        "date_updated": timestamp(attempt.updated_at),
        "conversion_status": "converted" if converted else "unconverted",
        "channel": attempt.channel,
        "price": _price(attempt),
        "channel_data": _channel_data(seen),
        "url": f"{asked.base_url}/v2/Attempts/{attempt.sid}",
    }


def show_summary(total: int, converted: int, url: str) -> dict[str, Any]:
    """Show a VerificationAttemptsSummary resource, every key present."""
    rate = 100 * converted / total if total else 0
    return {
        "total_attempts": total,
        "total_converted": converted,
        "total_unconverted": total - converted,
        "conversion_rate_percentage": f"{rate:.9f}".rstrip("0").rstrip("."),
        "url": url,
    }


def _channel_data(seen: Seen) -> dict[str, Any]:
    attempt, verification = seen.attempt, seen.verification
    call = attempt.channel is Channel.CALL
    return {
        "verification_sid": attempt.verification_sid,
        "to": None if verification is None else verification.to,
        "status": _standing(seen),
        "call_status" if call else "message_status": _delivery(attempt),
        "error_code": None if attempt.error_code is None else str(attempt.error_code),
        "country": attempt.country or None,
        "code_length": None if verification is None else verification.code_length,
        "locale": None if verification is None else verification.details.locale,
        "mcc": attempt.mcc,
        "mnc": attempt.mnc,
        "carrier": None,
    }


def _price(attempt: Attempt) -> dict[str, str] | None:
    if attempt.price is None:
        return None
    return {"value": attempt.price, "currency": (attempt.currency or "usd").lower()}


def _standing(seen: Seen) -> str:
    """Return where the code stands, in the three words attempts have for it."""
    if seen.verification is None or seen.verification.status is not Status.APPROVED:
        return "expired" if seen.expired else "unconfirmed"
    return "confirmed"


def _delivery(attempt: Attempt) -> str:
    if attempt.channel is Channel.CALL:
        return CALL_WORDS.get(attempt.status, attempt.status.value)
    return UNKNOWN_MESSAGE if attempt.status is Delivery.UNKNOWN else attempt.status.value


def _seen(store: Store, context: Context, attempts: list[Attempt]) -> Sequence[Seen]:
    """Lay each attempt beside its verification."""
    sids = tuple({attempt.verification_sid for attempt in attempts})
    rows = store.page(Query(Verification, {"sid": sids}, limit=len(sids))) if sids else []
    found = {row.sid: row for row in rows}
    return [Seen(attempt, found.get(attempt.verification_sid), context.now) for attempt in attempts]


def _equal(asked: Asked) -> dict[str, str | tuple[str, ...]]:
    """Return the filters that lists and summaries share."""
    names = {"VerifyServiceSid": "service_sid", "Channel": "channel"}
    equal = {field: asked.get(name) for name, field in names.items() if name in asked.values}
    if "Country" in asked.values:
        equal["country"] = asked.get("Country").upper()
    return {"account_sid": asked.account_sid} | equal


def _address(to: str) -> str:
    try:
        return parse_address(to).to
    except InvalidParameter as fault:
        raise InvalidParameter("ChannelData.To", str(fault)) from fault
