"""How each record lies in its table: one pair of functions per kind."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from watchword.keys import Keyring
from watchword.model import (
    NO_DETAILS,
    Account,
    ApiKey,
    Attempt,
    AuditEntry,
    Channel,
    Counter,
    Delivery,
    Details,
    MessagingConfiguration,
    PageSession,
    PageStatus,
    Posting,
    RateLimit,
    RateWindow,
    SafeNumber,
    SendAttempt,
    Service,
    ServiceSettings,
    Status,
    Subject,
    Tally,
    Verification,
    Visitor,
    Webhook,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
Row = dict[str, Any]  # column name to what the driver takes
Found = Any  # a row that was read: its cells by their columns' names


def to_ms(moment: datetime) -> int:
    """Return a moment as whole milliseconds since 1970."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC moment of so many milliseconds since 1970."""
    return EPOCH + milliseconds * MILLISECOND


@dataclass(frozen=True, slots=True)
class _Document:
    """The part of a service that is read whole and never searched: JSON in one column."""

    settings: ServiceSettings = field(default_factory=ServiceSettings)
    rate_limits: tuple[RateLimit, ...] = ()
    messaging: tuple[MessagingConfiguration, ...] = ()
    webhooks: tuple[Webhook, ...] = ()


_PLAIN = _Document()


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
        document = msgspec.json.decode(row.document, type=_Document)
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


def subject_row(subject: Subject) -> Row:
    return {
        "key": subject.key,
        "service_sid": subject.service_sid,
        "verification_sid": subject.verification_sid,
        "failures": subject.failures,
        "updated_at": to_ms(subject.updated_at),
    }


def subject_record(row: Found) -> Subject:
    return Subject(
        key=row.key,
        service_sid=row.service_sid,
        verification_sid=row.verification_sid,
        failures=row.failures,
        updated_at=from_ms(row.updated_at),
    )


def verification_row(verification: Verification, keyring: Keyring) -> Row:
    return {
        "sid": verification.sid,
        "service_sid": verification.service_sid,
        "account_sid": verification.account_sid,
        "sealed_to": keyring.seal(verification.to, bound_to=verification.sid),
        "code_length": verification.code_length,
        "key_id": verification.key_id,
        "nonce": verification.nonce,
        "sealed_details": _seal(verification, keyring),
        "created_at": to_ms(verification.created_at),
        "expires_at": to_ms(verification.expires_at),
    } | verification_changes(verification)


def verification_changes(verification: Verification) -> Row:
    """Return the cells that change in a verification's life."""
    return {
        "subject": verification.subject,
        "channel": str(verification.channel),
        "status": str(verification.status),
        "custom_code_mac": verification.custom_code_mac,
        "checks": verification.checks,
        "sends": _pack(verification.sends),
        "updated_at": to_ms(verification.updated_at),
    }


def verification_record(row: Found, keyring: Keyring) -> Verification:
    return Verification(
        sid=row.sid,
        service_sid=row.service_sid,
        account_sid=row.account_sid,
        subject=row.subject,
        to=keyring.unseal(row.sealed_to, bound_to=row.sid),
        channel=Channel(row.channel),
        status=Status(row.status),
        code_length=row.code_length,
        key_id=row.key_id,
        nonce=row.nonce,
        details=_unseal(row, keyring),
        custom_code_mac=row.custom_code_mac,
        checks=row.checks,
        sends=_unpack(row.sends),
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
        expires_at=from_ms(row.expires_at),
    )


def attempt_row(attempt: Attempt) -> Row:
    return {
        "sid": attempt.sid,
        "verification_sid": attempt.verification_sid,
        "service_sid": attempt.service_sid,
        "account_sid": attempt.account_sid,
        "channel": str(attempt.channel),
        "country": attempt.country,
        "status": str(attempt.status),
        "sender": attempt.sender,
        "message_id": attempt.message_id,
        "reason": attempt.reason,
        "recipient": attempt.recipient,
        "prefix": attempt.prefix,
        "error_code": attempt.error_code,
        "price": attempt.price,
        "currency": attempt.currency,
        "mcc": attempt.mcc,
        "mnc": attempt.mnc,
        "created_at": to_ms(attempt.created_at),
        "updated_at": to_ms(attempt.updated_at),
    }


def attempt_record(row: Found) -> Attempt:
    return Attempt(
        sid=row.sid,
        verification_sid=row.verification_sid,
        service_sid=row.service_sid,
        account_sid=row.account_sid,
        channel=Channel(row.channel),
        country=row.country,
        status=Delivery(row.status),
        sender=row.sender,
        message_id=row.message_id,
        reason=row.reason,
        recipient=row.recipient,
        prefix=row.prefix,
        error_code=row.error_code,
        price=row.price,
        currency=row.currency,
        mcc=row.mcc,
        mnc=row.mnc,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def safe_number_row(number: SafeNumber) -> Row:
    return {
        "key": number.key,
        "sid": number.sid,
        "account_sid": number.account_sid,
        "created_at": to_ms(number.created_at),
    }


def safe_number_record(row: Found) -> SafeNumber:
    return SafeNumber(row.key, row.sid, row.account_sid, from_ms(row.created_at))


def rate_window_row(window: RateWindow) -> Row:
    lines = [(each.bucket_sid, to_ms(each.opened_at), each.count) for each in window.tallies]
    return {
        "key": window.key,
        "service_sid": window.service_sid,
        "tallies": msgspec.json.encode(lines).decode(),
        "ends_at": to_ms(window.ends_at),
    }


def rate_window_record(row: Found) -> RateWindow:
    lines = msgspec.json.decode(row.tallies, type=list[tuple[str, int, int]])
    tallies = tuple(Tally(sid, from_ms(opened), count) for sid, opened, count in lines)
    return RateWindow(row.key, row.service_sid, tallies, from_ms(row.ends_at))


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
    """Return the cells that change while a posting waits."""
    return {"tries": posting.tries, "due_at": to_ms(posting.due_at)}


def posting_record(row: Found, keyring: Keyring) -> Posting:
    fields = keyring.unseal(row.sealed_fields, bound_to=row.sid)
    return Posting(
        sid=row.sid,
        account_sid=row.account_sid,
        service_sid=row.service_sid,
        webhook_sid=row.webhook_sid,
        verification_sid=row.verification_sid,
        event=row.event,
        fields=msgspec.json.decode(fields, type=tuple[tuple[str, str], ...]),
        tries=row.tries,
        created_at=from_ms(row.created_at),
        due_at=from_ms(row.due_at),
    )


def counter_row(counter: Counter) -> Row:
    return {
        "uniqueId": counter.unique_id,
        "userId": counter.user_id,
        "count": counter.count,
        "expires": counter.expires,
        "createdAt": counter.created_at,
    }


def counter_record(row: Found) -> Counter:
    return Counter(
        unique_id=row.uniqueId,
        user_id=row.userId,
        count=row.count or 0,  # the documented table allows none
        expires=row.expires,
        created_at=row.createdAt,
        id=row.id,
    )


def page_row(page: PageSession) -> Row:
    return {
        "sid": page.sid,
        "service_sid": page.service_sid,
        "account_sid": page.account_sid,
        "status": page.status.value,
        "sealed": page.sealed,
        "created_at": to_ms(page.created_at),
        "updated_at": to_ms(page.updated_at),
        "expires_at": to_ms(page.expires_at),
    }


def page_record(row: Found) -> PageSession:
    return PageSession(
        sid=row.sid,
        service_sid=row.service_sid,
        account_sid=row.account_sid,
        status=PageStatus(row.status),
        sealed=row.sealed,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
        expires_at=from_ms(row.expires_at),
    )


def audit_row(entry: AuditEntry) -> Row:
    return {
        "sid": entry.sid,
        "account_sid": entry.account_sid,
        "operator": entry.operator,
        "action": entry.action,
        "target": entry.target,
        "created_at": to_ms(entry.created_at),
    }


def audit_record(row: Found) -> AuditEntry:
    return AuditEntry(
        sid=row.sid,
        account_sid=row.account_sid,
        operator=row.operator,
        action=row.action,
        target=row.target,
        created_at=from_ms(row.created_at),
    )


def visitor_row(visitor: Visitor) -> Row:
    return {"key": visitor.key, "sends": visitor.sends, "since": to_ms(visitor.since)}


def visitor_record(row: Found) -> Visitor:
    return Visitor(key=row.key, sends=row.sends, since=from_ms(row.since))


def _pack(sends: tuple[SendAttempt, ...]) -> str:
    lines = [(send.sid, str(send.channel), to_ms(send.time)) for send in sends]
    return msgspec.json.encode(lines).decode()


def _unpack(text: str) -> tuple[SendAttempt, ...]:
    lines = msgspec.json.decode(text, type=list[tuple[str, str, int]])
    return tuple(SendAttempt(sid, Channel(channel), from_ms(time)) for sid, channel, time in lines)


def _seal(verification: Verification, keyring: Keyring) -> str | None:
    if verification.details == NO_DETAILS:
        return None
    details = msgspec.json.encode(verification.details).decode()
    return keyring.seal(details, bound_to=f"{verification.sid} details")


def _unseal(row: Found, keyring: Keyring) -> Details:
    if row.sealed_details is None:
        return NO_DETAILS
    opened = keyring.unseal(row.sealed_details, bound_to=f"{row.sid} details")
    return msgspec.json.decode(opened, type=Details)
