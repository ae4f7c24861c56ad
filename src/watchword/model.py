"""The records of a verification: what was asked, sent and checked, and the counters behind it."""

from datetime import datetime, timedelta
from enum import StrEnum

from watchword.record import Hidden, Record, Resource


class Status(StrEnum):
    """Where a verification stands. `EXPIRED` is never stored: it follows from the time."""

    PENDING = "pending"
    APPROVED = "approved"
    CANCELED = "canceled"
    MAX_ATTEMPTS_REACHED = "max_attempts_reached"
    EXPIRED = "expired"


class Channel(StrEnum):
    """How a code travels."""

    SMS = "sms"
    CALL = "call"
    WHATSAPP = "whatsapp"
    EMAIL = "email"


class Delivery(StrEnum):
    """What is known of one message, in Twilio's words."""

    QUEUED = "queued"  # committed, not yet handed to a sender
    SENT = "sent"  # a sender took it
    FAILED = "failed"  # no sender took it: nothing was sent
    UNKNOWN = "unknown"  # a sender may have taken it: nobody can say
    UNDELIVERED = "undelivered"  # a sender took it, and it did not arrive
    DELIVERED = "delivered"  # it arrived
    READ = "read"  # and was looked at


CHANNELS = {channel.value: channel for channel in Channel}  # quicker than asking the Enum
STATUSES = {status.value: status for status in Status}
DELIVERIES = {delivery.value: delivery for delivery in Delivery}


class Policy(Record, frozen=True):
    """The numbers the rules go by."""

    ttl: timedelta = timedelta(minutes=10)  # Twilio: a verification lives ten minutes
    max_sends: int = 5  # Twilio: error 60203 after five sends
    max_checks: int = 5  # Twilio: error 60202 after five wrong codes
    max_failures: int = 50  # NIST SP 800-63B-4 §3.2.2 allows 100 without a success; we halve it
    ladder: tuple[timedelta, ...] = (
        timedelta(minutes=2),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=24),
    )
    fixed_codes: tuple[tuple[str, str], ...] = ()  # development: (number or "*", its code)

    def fixed_code(self, to: str) -> str | None:
        """Return the code that development has fixed for an address, if there is one."""
        if not self.fixed_codes:
            return None
        fixed = dict(self.fixed_codes)
        return fixed.get(to) or fixed.get("*")


class Subject(Record, frozen=True):
    """One address within one service: its latest verification, and its failures without a success.

    Whoever holds this row's lock decides for the address; `key` is a keyed fingerprint, and what
    it is one of lies sealed in `sealed_name`, so that a newer key can name the row again.
    """

    key: str
    service_sid: str
    verification_sid: str
    failures: int
    updated_at: datetime
    sealed_name: Hidden[str | None] = None


class Wording(Record, frozen=True):
    """How a request wants its message worded; what is None is chosen for it.

    `template` is the name or the sid of one of the operator's own.
    """

    locale: str | None = None
    friendly_name: str | None = None
    template: str | None = None
    app_hash: str | None = None
    do_not_share: bool = False
    send_digits: str | None = None  # dialled once a call is answered
    mail_from: str | None = None
    mail_name: str | None = None


PLAIN = Wording()


class SendAttempt(Record, frozen=True):
    """One line of a verification's `send_code_attempts`."""

    sid: str
    channel: Channel
    time: datetime


class Details(Record, frozen=True):
    """What a start said of itself, fixed for the verification's life and kept sealed."""

    amount: str | None = None
    payee: str | None = None
    locale: str | None = None
    line_type: str | None = None  # where the service has LookupEnabled
    tags: tuple[tuple[str, str], ...] = ()


NO_DETAILS = Details()


class Verification(Resource, frozen=True):
    """One run of proving one address (`VE…`). The code itself is nowhere in it."""

    service_sid: str
    account_sid: str
    subject: str
    to: Hidden[str]
    channel: Channel
    status: Status
    code_length: int
    key_id: str
    nonce: str
    custom_code_mac: str | None
    checks: int
    sends: tuple[SendAttempt, ...]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    details: Details = NO_DETAILS


class Attempt(Resource, frozen=True):
    """One message (`VL…`) and what became of it."""

    verification_sid: str
    service_sid: str
    account_sid: str
    channel: Channel
    country: str
    status: Delivery
    created_at: datetime
    updated_at: datetime
    sender: str | None = None
    message_id: str | None = None
    reason: str | None = None
    recipient: str | None = None  # a keyed fingerprint, to find all that went to one address
    prefix: str | None = None  # where the number leads, without the digits that say to whom
    error_code: int | None = None  # Twilio's number for what went wrong
    price: str | None = None  # as the provider wrote it
    currency: str | None = None
    mcc: str | None = None  # the mobile country and network code of who delivered it
    mnc: str | None = None


class SafeNumber(Record, frozen=True):
    """A number that an account exempts from limits (`GN…`); `key` is a keyed fingerprint."""

    key: str
    sid: str
    account_sid: str
    created_at: datetime
    sealed_name: Hidden[str | None] = None


class Tally(Record, frozen=True):
    """How many starts one bucket has counted since its window opened."""

    bucket_sid: str
    opened_at: datetime
    count: int


class RateWindow(Record, frozen=True):
    """The open windows of one rate limit for one value; `key` is a keyed fingerprint."""

    key: str
    service_sid: str
    tallies: tuple[Tally, ...]
    ends_at: datetime
    sealed_name: Hidden[str | None] = None


class Counter(Record, frozen=True):
    """One row of `svretries`: how far a pair has climbed the resend ladder."""

    unique_id: str
    user_id: str
    count: int
    expires: datetime | None
    created_at: datetime
    id: int | None = None  # given by the store

    @property
    def key(self) -> tuple[str, str]:
        return (self.unique_id, self.user_id)
