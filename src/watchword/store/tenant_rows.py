"""How a tenant's records lie in their tables."""

from dataclasses import dataclass, field

import msgspec

from watchword.keys import KeyDropped, Keyring
from watchword.store.rows import Found, Row, from_ms, to_ms
from watchword.tenants import (
    Account,
    ApiKey,
    MessagingConfiguration,
    Posting,
    RateLimit,
    Service,
    ServiceSettings,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class _Document:
    """The part of a service that is read whole and never searched: JSON in one column."""

    settings: ServiceSettings = field(default_factory=ServiceSettings)
    rate_limits: tuple[RateLimit, ...] = ()
    messaging: tuple[MessagingConfiguration, ...] = ()
    webhooks: tuple[Webhook, ...] = ()


_PLAIN = _Document()
# msgspec looks at a type when it first meets it, and two threads must not do so at once.
_DOCUMENT = msgspec.json.Decoder(_Document)
_FIELDS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def service_row(service: Service) -> Row:
    document = _Document(service.settings, service.rate_limits, service.messaging, service.webhooks)
    return {
        "sid": service.sid,
        "account_sid": service.account_sid,
        "friendly_name": service.friendly_name,
        "code_length": service.code_length,
        "custom_code_enabled": service.custom_code_enabled,
        "document": None if document == _PLAIN else msgspec.json.encode(document).decode(),
        "created_at": to_ms(service.created_at),
        "updated_at": to_ms(service.updated_at),
    }


def service_record(row: Found) -> Service:
    document = _PLAIN
    if row.document is not None:
        document = _DOCUMENT.decode(row.document)
    return Service(
        sid=row.sid,
        account_sid=row.account_sid,
        friendly_name=row.friendly_name,
        code_length=row.code_length,
        custom_code_enabled=row.custom_code_enabled,
        settings=document.settings,
        rate_limits=document.rate_limits,
        messaging=document.messaging,
        webhooks=document.webhooks,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def account_row(account: Account) -> Row:
    return {
        "sid": account.sid,
        "friendly_name": account.friendly_name,
        "key_id": account.key_id,
        "nonce": account.nonce,
        "revoked": account.revoked,
        "created_at": to_ms(account.created_at),
        "updated_at": to_ms(account.updated_at),
    }


def account_record(row: Found) -> Account:
    return Account(
        sid=row.sid,
        friendly_name=row.friendly_name,
        key_id=row.key_id,
        nonce=row.nonce,
        revoked=bool(row.revoked),
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def api_key_row(api_key: ApiKey) -> Row:
    return {
        "sid": api_key.sid,
        "account_sid": api_key.account_sid,
        "friendly_name": api_key.friendly_name,
        "key_id": api_key.key_id,
        "mac": api_key.mac,
        "revoked": api_key.revoked,
        "created_at": to_ms(api_key.created_at),
        "updated_at": to_ms(api_key.updated_at),
    }


def api_key_record(row: Found) -> ApiKey:
    return ApiKey(
        sid=row.sid,
        account_sid=row.account_sid,
        friendly_name=row.friendly_name,
        key_id=row.key_id,
        mac=row.mac,
        revoked=bool(row.revoked),
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def posting_row(posting: Posting, keyring: Keyring) -> Row:
    fields = msgspec.json.encode(posting.fields).decode()
    return {
        "sid": posting.sid,
        "account_sid": posting.account_sid,
        "service_sid": posting.service_sid,
        "webhook_sid": posting.webhook_sid,
        "verification_sid": posting.verification_sid,
        "event": posting.event,
        "sealed_fields": keyring.seal(fields, bound_to=posting.sid),
        "created_at": to_ms(posting.created_at),
    } | posting_changes(posting)


def posting_changes(posting: Posting) -> Row:
    """Return the key, and the cells that change while a posting waits."""
    return {"sid": posting.sid, "tries": posting.tries, "due_at": to_ms(posting.due_at)}


def posting_record(row: Found, keyring: Keyring) -> Posting:
    try:
        fields = _FIELDS.decode(keyring.unseal(row.sealed_fields, bound_to=row.sid))
    except KeyDropped:
        fields = ()  # it cannot be told any more
    return Posting(
        sid=row.sid,
        account_sid=row.account_sid,
        service_sid=row.service_sid,
        webhook_sid=row.webhook_sid,
        verification_sid=row.verification_sid,
        event=row.event,
        fields=fields,
        tries=row.tries,
        created_at=from_ms(row.created_at),
        due_at=from_ms(row.due_at),
    )
