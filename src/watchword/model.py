"""The records watchword keeps: Twilio's resources and the counters behind them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Policy:
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


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What a service's owner may set beyond the code, in Twilio's words.

    Push, Totp and Passkeys are kept for the factors they belong to.
    """

    lookup_enabled: bool = False
    psd2_enabled: bool = False
    skip_sms_to_landlines: bool = False
    dtmf_input_required: bool = True
    tts_name: str | None = None
    do_not_share_warning_enabled: bool = False
    default_template_sid: str | None = None
    verify_event_subscription_enabled: bool = False
    push_include_date: bool = False
    push_apn_credential_sid: str | None = None
    push_fcm_credential_sid: str | None = None
    totp_issuer: str | None = None
    totp_time_step: int | None = None
    totp_code_length: int | None = None
    totp_skew: int | None = None
    whatsapp_msg_service_sid: str | None = None
    whatsapp_from: str | None = None
    relying_party_id: str | None = None
    relying_party_name: str | None = None
    relying_party_origins: tuple[str, ...] = ()
    authenticator_attachment: str | None = None
    discoverable_credentials: str | None = None
    user_verification: str | None = None
    allowed_countries: tuple[str, ...] = ()  # ours: none listed, all allowed
    blocked_countries: tuple[str, ...] = ()  # ours


@dataclass(frozen=True, slots=True)
class Bucket:
    """One window of a rate limit (`BL…`): so many starts in so many seconds."""

    sid: str
    max: int
    interval: int
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit on starts by some key of the caller's (`RK…`), with its buckets."""

    sid: str
    unique_name: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    buckets: tuple[Bucket, ...] = ()

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class MessagingConfiguration:
    """Which messaging service (`MG…`) sends to a country, or to `all`."""

    country: str
    messaging_service_sid: str
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        return self.country


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events of a service are posted (`YW…`)."""

    sid: str
    friendly_name: str
    event_types: tuple[str, ...]
    url: str
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    version: str = "v2"

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Service:
    """One tenant's settings (`VA…`), with all that its owner has set up under it.

    Rate limits, messaging configurations and webhooks are few, change seldom and are needed at
    every start, so they lie in the service's own row.
    """

    sid: str
    account_sid: str
    friendly_name: str
    created_at: datetime
    updated_at: datetime
    code_length: int = 6  # Twilio's default
    custom_code_enabled: bool = False
    settings: ServiceSettings = ServiceSettings()
    rate_limits: tuple[RateLimit, ...] = ()
    messaging: tuple[MessagingConfiguration, ...] = ()
    webhooks: tuple[Webhook, ...] = ()

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Subject:
    """One address within one service: its latest verification, and its failures without a success.

    Whoever holds this row's lock decides for the address; `key` is a keyed fingerprint.
    """

    key: str
    service_sid: str
    verification_sid: str
    failures: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Wording:
    """How a request wants its message worded; what is None is chosen for it.

    `template` is the name or the sid of one of the operator's own.
    """

    locale: str | None = None
    friendly_name: str | None = None
    template: str | None = None
    app_hash: str | None = None
    do_not_share: bool = False
    send_digits: str | None = None  # dialled once a call is answered


PLAIN = Wording()


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """One line of a verification's `send_code_attempts`."""

    sid: str
    channel: Channel
    time: datetime


@dataclass(frozen=True, slots=True)
class Details:
    """What a start said of itself, fixed for the verification's life and kept sealed."""

    amount: str | None = None
    payee: str | None = None
    locale: str | None = None
    line_type: str | None = None  # where the service has LookupEnabled
    tags: tuple[tuple[str, str], ...] = ()


NO_DETAILS = Details()


@dataclass(frozen=True, slots=True)
class Verification:
    """One run of proving one address (`VE…`). The code itself is nowhere in it."""

    sid: str
    service_sid: str
    account_sid: str
    subject: str
    to: str = field(repr=False)
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

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message (`VL…`) and what became of it."""

    sid: str
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

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class SafeNumber:
    """A number that an account exempts from limits (`GN…`); `key` is a keyed fingerprint."""

    key: str
    sid: str
    account_sid: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How many starts one bucket has counted since its window opened."""

    bucket_sid: str
    opened_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class RateWindow:
    """The open windows of one rate limit for one value; `key` is a keyed fingerprint."""

    key: str
    service_sid: str
    tallies: tuple[Tally, ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant (`AC…`). Its auth token is nowhere in it: a key derives it from `nonce`."""

    sid: str
    friendly_name: str
    key_id: str
    nonce: str
    created_at: datetime
    updated_at: datetime
    revoked: bool = False

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A pair of an account's (`SK…`) beside its auth token; the secret is kept as a keyed MAC."""

    sid: str
    account_sid: str
    friendly_name: str
    key_id: str
    mac: str
    created_at: datetime
    updated_at: datetime
    revoked: bool = False

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Posting:
    """One event on its way to one webhook; it lies in the outbox until somebody took it.

    `due_at` is when it is to be tried next. Whoever tries it moves that on first, so that the
    others leave it alone, and so that it comes up again if he dies.
    """

    sid: str
    account_sid: str
    service_sid: str
    webhook_sid: str
    verification_sid: str
    event: str
    fields: tuple[tuple[str, str], ...]
    created_at: datetime
    due_at: datetime
    tries: int = 0

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Counter:
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


class PageStatus(StrEnum):
    """Where a hosted page stands."""

    OPEN = "open"
    APPROVED = "approved"
    CANCELED = "canceled"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class PageSession:
    """One person's visit to the hosted page (`WP…`); whose it is lies `sealed` in it."""

    sid: str
    service_sid: str
    account_sid: str
    status: PageStatus
    sealed: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Visitor:
    """How many codes one network address asked the hosted page for; `key` is a fingerprint."""

    key: str
    sends: int
    since: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of an operator (`AU…`); `target` is a masked number or a country."""

    sid: str
    account_sid: str
    operator: str
    action: str
    target: str
    created_at: datetime

    @property
    def key(self) -> str:
        return self.sid
