"""How each record lies in its table: one pair of functions per kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from watchword.keys import KeyDropped, Keyring
from watchword.model import (
    CHANNELS,
    DELIVERIES,
    NO_DETAILS,
    STATUSES,
    Attempt,
    Counter,
    Details,
    RateWindow,
    SafeNumber,
    SendAttempt,
    Subject,
    Tally,
    Verification,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
Row = dict[str, Any]  # column name to what the driver takes
Found = Any  # a row that was read: its cells by their columns' names
# msgspec looks at a type when it first meets it, and two threads must not do so at once.
_TALLIES = msgspec.json.Decoder(list[tuple[str, int, int]])
_SENDS = msgspec.json.Decoder(list[tuple[str, str, int]])
_DETAILS = msgspec.json.Decoder(Details)


def to_ms(moment: datetime) -> int:
    """Return a moment as whole milliseconds since 1970."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC moment of so many milliseconds since 1970."""
    return EPOCH + milliseconds * MILLISECOND


def subject_row(subject: Subject) -> Row:
    return {
        "key": subject.key,
        "service_sid": subject.service_sid,
        "verification_sid": subject.verification_sid,
        "failures": subject.failures,
        "sealed_name": subject.sealed_name,
        "updated_at": to_ms(subject.updated_at),
    }


def subject_record(row: Found) -> Subject:
    return Subject(
        key=row.key,
        service_sid=row.service_sid,
        verification_sid=row.verification_sid,
        failures=row.failures,
        updated_at=from_ms(row.updated_at),
        sealed_name=row.sealed_name,
    )


def verification_row(verification: Verification, keyring: Keyring) -> Row:
    return verification_changes(verification) | {
        "service_sid": verification.service_sid,
        "account_sid": verification.account_sid,
        "sealed_to": keyring.seal(verification.to, bound_to=verification.sid),
        "code_length": verification.code_length,
        "key_id": verification.key_id,
        "nonce": verification.nonce,
        "sealed_details": _seal(verification, keyring),
        "created_at": to_ms(verification.created_at),
        "expires_at": to_ms(verification.expires_at),
    }


def verification_changes(verification: Verification) -> Row:
    """Return the key, and the cells that change in a verification's life."""
    return {
        "sid": verification.sid,
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
        to=_address(row, keyring),
        channel=CHANNELS[row.channel],
        status=STATUSES[row.status],
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
        channel=CHANNELS[row.channel],
        country=row.country,
        status=DELIVERIES[row.status],
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
        "sealed_name": number.sealed_name,
        "created_at": to_ms(number.created_at),
    }


def safe_number_record(row: Found) -> SafeNumber:
    return SafeNumber(row.key, row.sid, row.account_sid, from_ms(row.created_at), row.sealed_name)


def rate_window_row(window: RateWindow) -> Row:
    lines = [(each.bucket_sid, to_ms(each.opened_at), each.count) for each in window.tallies]
    return {
        "key": window.key,
        "service_sid": window.service_sid,
        "tallies": msgspec.json.encode(lines).decode(),
        "sealed_name": window.sealed_name,
        "ends_at": to_ms(window.ends_at),
    }


def rate_window_record(row: Found) -> RateWindow:
    lines = _TALLIES.decode(row.tallies)
    tallies = tuple(Tally(sid, from_ms(opened), count) for sid, opened, count in lines)
    return RateWindow(row.key, row.service_sid, tallies, from_ms(row.ends_at), row.sealed_name)


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


def _pack(sends: tuple[SendAttempt, ...]) -> str:
    lines = [(send.sid, str(send.channel), to_ms(send.time)) for send in sends]
    return msgspec.json.encode(lines).decode()


def _unpack(text: str) -> tuple[SendAttempt, ...]:
    lines = _SENDS.decode(text)
    return tuple(SendAttempt(sid, CHANNELS[channel], from_ms(time)) for sid, channel, time in lines)


def _seal(verification: Verification, keyring: Keyring) -> str | None:
    if verification.details == NO_DETAILS:
        return None
    details = msgspec.json.encode(verification.details).decode()
    return keyring.seal(details, bound_to=f"{verification.sid} details")


def _unseal(row: Found, keyring: Keyring) -> Details:
    if row.sealed_details is None:
        return NO_DETAILS
    try:
        opened = keyring.unseal(row.sealed_details, bound_to=f"{row.sid} details")
    except KeyDropped:
        return NO_DETAILS
    return _DETAILS.decode(opened)


def _address(row: Found, keyring: Keyring) -> str:
    """Return whom it was sent to; nothing once the key is gone: then the row is history."""
    try:
        return keyring.unseal(row.sealed_to, bound_to=row.sid)
    except KeyDropped:
        return ""
