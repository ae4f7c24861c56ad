"""What was refused, counted: which rule kept whom from a code, where, and how often."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from watchword.errors import (
    CountryBlocked,
    InvalidParameter,
    Landline,
    PageRefused,
    RateLimited,
    Refusal,
    TooManyChecks,
    TooManySends,
    TooSoon,
)
from watchword.record import Record

SLOT = timedelta(minutes=5)
PREFIX = 5  # characters, the plus included: where a number leads, and hardly to whom


class Reason(StrEnum):
    """The rule that refused."""

    WAIT = "resend wait"
    SENDS = "all messages sent"
    CHECKS = "wrong codes"
    CAP = "wrong codes for life"
    RATE_LIMIT = "rate limit"
    COUNTRY = "country blocked"
    LANDLINE = "landline"
    NUMBER = "not a number"
    NETWORK = "network's share"


REASONS: dict[type[Refusal], Reason] = {
    TooSoon: Reason.WAIT,
    TooManySends: Reason.SENDS,
    RateLimited: Reason.RATE_LIMIT,
    CountryBlocked: Reason.COUNTRY,
    Landline: Reason.LANDLINE,
}
PAGE_REASONS = {"early": Reason.WAIT, "sends": Reason.SENDS, "network": Reason.NETWORK}


class Refused(Record, frozen=True):
    """How often one rule refused one kind of number within one slot of time."""

    account_sid: str
    service_sid: str
    reason: str
    country: str
    prefix: str
    created_at: datetime  # when the slot began
    count: int

    @property
    def key(self) -> str:
        moment = int(self.created_at.timestamp())
        return f"{moment}.{self.service_sid}.{self.reason}.{self.country}.{self.prefix}"


def reason_of(refusal: Refusal) -> Reason | None:
    """Return the rule that an operator wants counted, or None for what is no protection."""
    match refusal:
        case TooManyChecks():
            return Reason.CAP if refusal.for_life else Reason.CHECKS
        case PageRefused():
            return PAGE_REASONS.get(refusal.reason)
        case InvalidParameter():
            return Reason.NUMBER if refusal.name == "To" else None
    return REASONS.get(type(refusal))


def slot_of(now: datetime) -> datetime:
    """Return when the slot of a moment began."""
    seconds = int(SLOT.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
