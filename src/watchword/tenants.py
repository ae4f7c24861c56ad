"""The records of a tenant: its account and keys, its services and what they may do."""

from datetime import datetime

from watchword.record import Record, Resource

LONGEST_NAME = 30  # Twilio: error 60200 says 30, the specification's request text 32
MOST_DIGITS_IN_A_NAME = 4  # Twilio: so that no phone number hides in it, and no code beside it


class ServiceSettings(Record, frozen=True):
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


class Bucket(Resource, frozen=True):
    """One window of a rate limit (`BL…`): so many starts in so many seconds."""

    max: int
    interval: int
    created_at: datetime
    updated_at: datetime


class RateLimit(Resource, frozen=True):
    """A limit on starts by some key of the caller's (`RK…`), with its buckets."""

    unique_name: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    buckets: tuple[Bucket, ...] = ()


class MessagingConfiguration(Record, frozen=True):
    """Which messaging service (`MG…`) sends to a country, or to `all`."""

    country: str
    messaging_service_sid: str
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        return self.country


class Webhook(Resource, frozen=True):
    """Where events of a service are posted (`YW…`)."""

    friendly_name: str
    event_types: tuple[str, ...]
    url: str
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    version: str = "v2"


class Service(Resource, frozen=True):
    """One tenant's settings (`VA…`), with all that its owner has set up under it.

    Rate limits, messaging configurations and webhooks are few, change seldom and are needed at
    every start, so they lie in the service's own row.
    """

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

    def messaging_service_for(self, country: str) -> str | None:
        """Return the messaging service set for a country, else the one for all, else None."""
        named = {each.country.upper(): each.messaging_service_sid for each in self.messaging}
        return named.get(country.upper()) or named.get("ALL")


class Account(Resource, frozen=True):
    """One tenant (`AC…`). Its auth token is nowhere in it: a key derives it from `nonce`."""

    friendly_name: str
    key_id: str
    nonce: str
    created_at: datetime
    updated_at: datetime
    revoked: bool = False


class ApiKey(Resource, frozen=True):
    """A pair of an account's (`SK…`) beside its auth token; the secret is kept as a keyed MAC."""

    account_sid: str
    friendly_name: str
    key_id: str
    mac: str
    created_at: datetime
    updated_at: datetime
    revoked: bool = False


class Posting(Resource, frozen=True):
    """One event on its way to one webhook; it lies in the outbox until somebody took it.

    `due_at` is when it is to be tried next. Whoever tries it moves that on first, so that the
    others leave it alone, and so that it comes up again if he dies.
    """

    account_sid: str
    service_sid: str
    webhook_sid: str
    verification_sid: str
    event: str
    fields: tuple[tuple[str, str], ...]
    created_at: datetime
    due_at: datetime
    tries: int = 0
