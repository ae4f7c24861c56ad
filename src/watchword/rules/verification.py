"""A verification's life: started, sent again, checked, canceled, approved, expired."""

from datetime import datetime

from watchword import codes
from watchword.errors import InvalidParameter, NotFound, TooManyChecks, TooManySends
from watchword.keys import Key, Keyring
from watchword.model import (
    NO_DETAILS,
    Channel,
    Details,
    Policy,
    SendAttempt,
    Status,
    Subject,
    Verification,
)
from watchword.record import Hidden, Record, replace
from watchword.tenants import Service


class Ask(Record, frozen=True):
    """What a start asks for, with the fresh names it may use."""

    subject: str
    to: Hidden[str]
    channel: Channel
    custom_code: Hidden[str | None]
    sid: str
    attempt_sid: str
    nonce: str
    details: Details = NO_DETAILS


class Verdict(Record, frozen=True):
    """What a check came to: the subject and verification as they are to be stored."""

    subject: Subject
    verification: Verification
    right: bool


def start(
    service: Service,
    subject: Subject | None,
    latest: Verification | None,
    ask: Ask,
    now: datetime,
    *,
    keyring: Keyring,
    policy: Policy,
) -> tuple[Subject, Verification]:
    """Start a verification, or send the open one's code again.

    Refuses with TooManyChecks when the guesses of the code or of the phone are used up, with
    TooManySends after the last send, and with InvalidParameter for a custom code that cannot be.
    """
    now = _never_back(subject, now)
    if subject is not None and subject.failures >= policy.max_failures:
        raise TooManyChecks(for_life=True)
    if subject is None or latest is None or now >= latest.expires_at:
        return _start_new(service, subject, ask, now, keyring, policy)
    if latest.status is Status.MAX_ATTEMPTS_REACHED:
        raise TooManyChecks  # Twilio 60202: "wait for the verification to expire"
    key = keyring.get(latest.key_id)
    if latest.status is not Status.PENDING or key is None:
        return _start_new(service, subject, ask, now, keyring, policy)
    return _start_again(service, subject, latest, ask, now, key, policy)


def check(
    subject: Subject,
    verification: Verification,
    code: str,
    now: datetime,
    *,
    keyring: Keyring,
    policy: Policy,
    payment: tuple[str | None, str | None] | None = None,
) -> Verdict:
    """Spend one guess on an open verification.

    Where a `payment` (amount, payee) is to fit as well, another one makes the code a wrong one.
    The fifth wrong guess closes it. Refuses with TooManyChecks when the guesses are used up,
    for this code or for this phone, and with NotFound when there is nothing open to check.
    """
    now = _never_back(subject, now)
    if now >= verification.expires_at:
        raise NotFound
    if verification.status is Status.MAX_ATTEMPTS_REACHED:
        raise TooManyChecks
    if verification.status is not Status.PENDING:
        raise NotFound
    if subject.failures >= policy.max_failures:
        raise TooManyChecks(for_life=True)
    paid = (verification.details.amount, verification.details.payee)
    if _is_right(verification, code, keyring) and payment in (None, paid):
        approved = replace(
            verification, status=Status.APPROVED, checks=verification.checks + 1, updated_at=now
        )
        return Verdict(replace(subject, failures=0, updated_at=now), approved, right=True)
    checks = verification.checks + 1
    status = Status.MAX_ATTEMPTS_REACHED if checks >= policy.max_checks else Status.PENDING
    wrong = replace(verification, status=status, checks=checks, updated_at=now)
    return Verdict(
        replace(subject, failures=subject.failures + 1, updated_at=now), wrong, right=False
    )


def close(
    subject: Subject, verification: Verification, status: Status, now: datetime
) -> tuple[Subject, Verification]:
    """Cancel or approve by the owner's word; an approval clears the failures."""
    now = _never_back(subject, now)
    if verification.status is not Status.PENDING or now >= verification.expires_at:
        raise NotFound
    failures = 0 if status is Status.APPROVED else subject.failures
    return (
        replace(subject, failures=failures, updated_at=now),
        replace(verification, status=status, updated_at=now),
    )


def show(verification: Verification, now: datetime) -> Verification:
    """Return a verification as a fetch may see it; approved and expired ones are gone."""
    expired = verification.status is Status.PENDING and now >= verification.expires_at
    if expired or verification.status is Status.APPROVED:
        raise NotFound
    return verification


def code_of(verification: Verification, keyring: Keyring) -> str | None:
    """Derive the code, or return None for one the caller chose or whose key is gone."""
    key = keyring.get(verification.key_id)
    if key is None or verification.custom_code_mac is not None:
        return None
    return codes.derive(key, verification.sid, verification.nonce, verification.code_length)


def _never_back(subject: Subject | None, now: datetime) -> datetime:
    """Hold time still for an address when another machine's clock has been there before us."""
    return now if subject is None else max(now, subject.updated_at)


def _is_right(verification: Verification, code: str, keyring: Keyring) -> bool:
    key = keyring.get(verification.key_id)
    if key is None:
        return False
    if verification.custom_code_mac is not None:
        return codes.same(
            verification.custom_code_mac, codes.custom_mac(key, verification.sid, code)
        )
    right = codes.derive(key, verification.sid, verification.nonce, verification.code_length)
    return codes.same(right, code)


def chosen_code(service: Service, ask: Ask, policy: Policy) -> str | None:
    """Return the code somebody chose: the caller, where the service allows it, or development."""
    if ask.custom_code is None or not service.custom_code_enabled:
        return policy.fixed_code(ask.to)
    if not codes.SHORTEST <= len(ask.custom_code) <= codes.LONGEST:
        raise InvalidParameter("CustomCode", "a custom code has 4 to 10 characters")
    return ask.custom_code


def _start_new(
    service: Service,
    subject: Subject | None,
    ask: Ask,
    now: datetime,
    keyring: Keyring,
    policy: Policy,
) -> tuple[Subject, Verification]:
    custom = chosen_code(service, ask, policy)
    key = keyring.newest
    verification = Verification(
        sid=ask.sid,
        service_sid=service.sid,
        account_sid=service.account_sid,
        subject=ask.subject,
        to=ask.to,
        channel=ask.channel,
        status=Status.PENDING,
        code_length=service.code_length,
        key_id=key.id,
        nonce=ask.nonce,
        custom_code_mac=None if custom is None else codes.custom_mac(key, ask.sid, custom),
        checks=0,
        sends=(SendAttempt(ask.attempt_sid, ask.channel, now),),
        created_at=now,
        updated_at=now,
        expires_at=now + policy.ttl,
        details=ask.details,
    )
    if subject is None:
        return Subject(ask.subject, service.sid, ask.sid, 0, now), verification
    return replace(subject, verification_sid=ask.sid, updated_at=now), verification


def _start_again(
    service: Service,
    subject: Subject,
    latest: Verification,
    ask: Ask,
    now: datetime,
    key: Key,
    policy: Policy,
) -> tuple[Subject, Verification]:
    """Send the same code once more: the sid, the code and the end of its life stay."""
    if len(latest.sends) >= policy.max_sends:
        raise TooManySends
    if (ask.details.amount, ask.details.payee) != (latest.details.amount, latest.details.payee):
        raise InvalidParameter("Amount", "the open verification is for another; cancel it first")
    custom = chosen_code(service, ask, policy)
    mac = latest.custom_code_mac
    if custom is not None:
        mac = codes.custom_mac(key, latest.sid, custom)
    elif mac is not None:
        raise InvalidParameter("CustomCode", "a custom code is not kept; send it again")
    again = replace(
        latest,
        channel=ask.channel,
        custom_code_mac=mac,
        sends=(*latest.sends, SendAttempt(ask.attempt_sid, ask.channel, now)),
        updated_at=now,
    )
    return replace(subject, updated_at=now), again
