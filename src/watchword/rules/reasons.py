"""Why a number gets a code, or does not: each decision in words, with what it rests on."""

from datetime import datetime

from watchword.model import Counter, Policy, Status, Subject, Verification
from watchword.record import Record
from watchword.tenants import Service


class Reason(Record, frozen=True):
    """One rule and what it says now."""

    rule: str
    allows: bool
    says: str


class PhoneFile(Record, frozen=True):
    """All that the decisions about one address rest on."""

    service: Service
    subject: Subject | None
    latest: Verification | None
    counters: tuple[Counter, ...]
    is_safe: bool


def reasons(found: PhoneFile, country: str, now: datetime, policy: Policy) -> list[Reason]:
    """Go through the rules in the order they are asked."""
    settings = found.service.settings
    blocked = country in settings.blocked_countries or bool(
        country and settings.allowed_countries and country not in settings.allowed_countries
    )
    failures = found.subject.failures if found.subject else 0
    return [
        Reason(
            "Country",
            allows=found.is_safe or not blocked,
            says=f"{country} is blocked" if blocked else f"{country or 'e-mail'} is sent to",
        ),
        Reason(
            "Wrong codes without a right one",
            allows=failures < policy.max_failures,
            says=f"{failures} of {policy.max_failures}",
        ),
        _latest(found, now, policy),
        *_ladders(found, now),
        Reason(
            "Safe list",
            allows=True,
            says="on it: exempt from limits and country lists" if found.is_safe else "not on it",
        ),
    ]


def _latest(found: PhoneFile, now: datetime, policy: Policy) -> Reason:
    latest = found.latest
    rule = "Latest verification"
    if latest is None:
        return Reason(rule, allows=True, says="none: a code starts a new one")
    if now >= latest.expires_at and latest.status is not Status.APPROVED:
        return Reason(rule, allows=True, says="it has ended: a code starts a new one")
    until = f"{latest.expires_at:%H:%M:%S} UTC"
    if latest.status is Status.MAX_ATTEMPTS_REACHED:
        says = f"{policy.max_checks} wrong codes closed it; the next can start at {until}"
        return Reason(rule, allows=False, says=says)
    if latest.status is Status.PENDING and len(latest.sends) >= policy.max_sends:
        says = f"it had all its {policy.max_sends} messages; the next can start at {until}"
        return Reason(rule, allows=False, says=says)
    if latest.status is Status.PENDING:
        says = f"open until {until}, {len(latest.sends)} sent, {latest.checks} wrong: sent again"
        return Reason(rule, allows=True, says=says)
    return Reason(rule, allows=True, says=f"{latest.status.value}: a code starts a new one")


def _ladders(found: PhoneFile, now: datetime) -> list[Reason]:
    told = []
    for counter in found.counters:
        waits = counter.expires is not None and now < counter.expires
        until = f"{counter.expires:%Y-%m-%d %H:%M:%S} UTC" if counter.expires else ""
        says = (
            f"step {counter.count}, waits until {until}" if waits else f"step {counter.count}, free"
        )
        told.append(Reason(f"Resend ladder ({counter.user_id})", allows=not waits, says=says))
    return told or [Reason("Resend ladder", allows=True, says="no step taken")]
