"""A verification's commands: started, guarded, checked, closed, fetched, its message recorded."""

from watchword.commands.base import Context, Decision
from watchword.commands.finding import Named, find_held
from watchword.commands.ladder import ClimbIfFree
from watchword.commands.naming import kept
from watchword.commands.postings import announce, announce_expiry, announce_message
from watchword.commands.safe_list import find_safe_number
from watchword.commands.services import owned_service
from watchword.errors import AmountNeeded, TemplateNotFound
from watchword.keys import Keyring
from watchword.mailbox import Address
from watchword.model import (
    NO_DETAILS,
    PLAIN,
    Attempt,
    Channel,
    Counter,
    Delivery,
    Details,
    RateWindow,
    SafeNumber,
    Status,
    Subject,
    Verification,
    Wording,
)
from watchword.phone import prefix
from watchword.record import Hidden, Record, replace
from watchword.rules import verification
from watchword.rules.admission import Wish, admit
from watchword.rules.delivery import merge
from watchword.rules.rate_limit import count_start
from watchword.store.base import Changes, Keys, Rows
from watchword.tenants import Service


class Started(Record, frozen=True):
    """A committed start: the message `attempt` may now be sent, once."""

    service: Service
    verification: Verification
    attempt: Attempt
    code: Hidden[str]
    delivery: Delivery = Delivery.QUEUED
    wording: Wording = PLAIN


class Guarded(Record, frozen=True):
    """A committed guarded start, with the ladder as it was and as it is now."""

    started: Started
    before: Counter
    counter: Counter
    formerly: tuple[str, ...] = ()


class StartVerification(Record, frozen=True):
    """Start a verification, or send an open one's code again.

    `limited_by` holds a value for each rate limit, by its unique name, that is to count this
    start; a name the service does not have counts nothing.
    """

    service_sid: str
    account_sid: str
    phone: Hidden[Address]
    channel: Channel = Channel.SMS
    custom_code: Hidden[str | None] = None
    wording: Wording = PLAIN
    details: Hidden[Details] = NO_DETAILS
    limited_by: Hidden[tuple[tuple[str, str], ...]] = ()
    risk_check: bool = True
    lane: str = ""  # a known device's own: what strangers do to the number does not reach it

    def keys(self, keyring: Keyring) -> Keys:
        names = keyring.names(self.service_sid, self.phone.to + self.lane)
        safe = keyring.names(self.account_sid, self.phone.to)
        keys = Keys.reading(Service, self.service_sid) | Keys.one_of(Subject, *names)
        keys |= Keys.reading(SafeNumber, *safe)
        for unique_name, value in self.limited_by:
            windows = keyring.names(self.service_sid, limited(unique_name, value))
            keys |= Keys.one_of(RateWindow, *windows)
        return keys

    def decide(self, rows: Rows, context: Context) -> Decision[Started]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        keyring, to = context.keyring, self.phone.to
        wish = Wish(self.phone, self.channel, self.wording, self.details, self.risk_check)
        safe = find_safe_number(rows, keyring, service.account_sid, to) is not None
        admit(service, wish, context.channels, safe=safe)
        wording = _worded(service, self.wording, self.channel, context)
        changes = Changes() if safe else self._count(service, rows, context)
        names = keyring.names(service.sid, to + self.lane)
        held = find_held(rows, names)
        ask = verification.Ask(
            subject=names[0],
            to=to,
            channel=self.channel,
            custom_code=self.custom_code,
            sid=context.new_sid("VE"),
            attempt_sid=context.new_sid("VL"),
            nonce=context.new_nonce(),
            details=_detailed(service, self.details, self.phone),
        )
        subject, started = verification.start(
            service,
            held.subject,
            held.latest,
            ask,
            context.now,
            keyring=keyring,
            policy=context.policy,
        )
        attempt = _attempt(started, self.phone.country, keyring)
        changes.add(kept(held.subject, subject, to + self.lane, names[0], keyring))
        changes.add(Changes.of(replace(started, subject=names[0]), attempt))
        if len(started.sends) == 1:
            changes.add(announce(service, "verification.pending", started, context))
            changes.add(announce_expiry(service, started, context))
        derived = verification.code_of(started, keyring)
        code = derived or verification.chosen_code(service, ask, context.policy) or ""
        return Decision(changes, Started(service, started, attempt, code, wording=wording))

    def _count(self, service: Service, rows: Rows, context: Context) -> Changes:
        """Count this start in every rate limit it names; the first that is full refuses it."""
        changes = Changes()
        for unique_name, value in self.limited_by:
            limit = next((x for x in service.rate_limits if x.unique_name == unique_name), None)
            if limit is None or not limit.buckets:
                continue
            text = limited(unique_name, value)
            names = context.keyring.names(service.sid, text)
            found = next((row for name in names if (row := rows.get(RateWindow, name))), None)
            window = found or RateWindow(names[0], service.sid, (), context.now)
            window = count_start(limit, window, context.now)
            changes.add(kept(found, window, text, names[0], context.keyring))
        return changes


class GuardedStart(Record, frozen=True):
    """Look at the ladder, take the step and start, as one decision; else `ClimbIfFree`."""

    start: StartVerification
    unique_id: str
    user_id: str
    formerly: tuple[str, ...] = ()

    def keys(self, keyring: Keyring) -> Keys:
        return self.start.keys(keyring) | self._step.keys(keyring)

    @property
    def _step(self) -> ClimbIfFree:
        return ClimbIfFree(self.unique_id, self.user_id, self.formerly)

    def decide(self, rows: Rows, context: Context) -> Decision[Guarded]:
        climb = self._step.decide(rows, context)
        start = self.start.decide(rows, context)
        start.changes.add(climb.changes)
        step = climb.answer
        guarded = Guarded(start.answer, step.before, step.counter, self.formerly)
        return Decision(start.changes, guarded)


class CheckCode(Record, frozen=True):
    """Spend one guess, named by address or by verification; where both are given both must fit."""

    service_sid: str
    account_sid: str
    code: Hidden[str]
    to: Hidden[str | None] = None
    verification_sid: str | None = None
    amount: Hidden[str | None] = None
    payee: Hidden[str | None] = None
    lane: str = ""

    def keys(self, keyring: Keyring) -> Keys:
        return self._named.keys(keyring)

    @property
    def _named(self) -> Named:
        return Named(self.service_sid, self.to, self.verification_sid, self.lane)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        payment = None
        if service.settings.psd2_enabled:
            payment = (self.amount, self.payee)
            if None in payment:
                raise AmountNeeded
        subject, found = self._named.find(rows, context)
        verdict = verification.check(
            subject,
            found,
            self.code,
            context.now,
            keyring=context.keyring,
            policy=context.policy,
            payment=payment,
        )
        changes = Changes.of(verdict.subject, verdict.verification)
        if verdict.verification.status is not Status.PENDING:
            event = f"verification.{verdict.verification.status}"
            changes.add(announce(service, event, verdict.verification, context))
        # The guess that closes a verification is answered like any wrong one; the next is refused.
        status = Status.APPROVED if verdict.right else Status.PENDING
        return Decision(changes, replace(verdict.verification, status=status))


class CloseVerification(Record, frozen=True):
    """Cancel or approve an open verification by its owner's word."""

    service_sid: str
    account_sid: str
    status: Status
    to: Hidden[str | None] = None
    verification_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return self._named.keys(keyring)

    @property
    def _named(self) -> Named:
        return Named(self.service_sid, self.to, self.verification_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        subject, found = self._named.find(rows, context)
        subject, closed = verification.close(subject, found, self.status, context.now)
        changes = Changes.of(subject, closed)
        changes.add(announce(service, f"verification.{closed.status}", closed, context))
        return Decision(changes, closed)


class FetchVerification(Record, frozen=True):
    """Show a verification that is still there to be seen."""

    service_sid: str
    account_sid: str
    to: Hidden[str | None] = None
    verification_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return self._named.keys(keyring)

    @property
    def _named(self) -> Named:
        return Named(self.service_sid, self.to, self.verification_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Verification]:
        owned_service(rows, self.service_sid, self.account_sid)
        _, found = self._named.seek(rows, context)
        return Decision(Changes(), verification.show(found, context.now))


class RecordDelivery(Record, frozen=True):
    """Record what became of a message, and tell of it who listened when it was sent."""

    attempt: Attempt
    started: Started | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Attempt, self.attempt.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        stored = rows.get(Attempt, self.attempt.sid)
        if stored is None:
            return Decision(Changes(), None)  # purged meanwhile
        merged = merge(stored, self.attempt)  # a report may have been quicker than we were
        attempt = replace(merged, updated_at=context.now)
        changes = Changes.of(attempt)
        if self.started is not None and merged.status is self.attempt.status:
            service, verification = self.started.service, self.started.verification
            changes.add(announce_message(service, verification, attempt, context))
        return Decision(changes, None)


def limited(unique_name: str, value: str) -> str:
    """Say what a rate limit counts for one value; its row is named by a fingerprint of it."""
    return f"{unique_name}={value}"


def _worded(service: Service, wording: Wording, channel: Channel, context: Context) -> Wording:
    """Fill in what the service says of its messages; refuse a template that is not there."""
    if wording.template is not None and context.texts.template(wording.template) is None:
        raise TemplateNotFound
    if channel is not Channel.SMS:
        return wording
    settings = service.settings
    if not settings.do_not_share_warning_enabled and settings.default_template_sid is None:
        return wording
    return replace(
        wording,
        template=wording.template or settings.default_template_sid,
        do_not_share=wording.do_not_share or settings.do_not_share_warning_enabled,
    )


def _detailed(service: Service, details: Details, address: Address) -> Details:
    """Keep what the service wants kept: the line where it looks up, the payment under PSD2."""
    if not service.settings.psd2_enabled and (details.amount or details.payee):
        details = replace(details, amount=None, payee=None)
    if service.settings.lookup_enabled:
        details = replace(details, line_type=address.line_type)
    return details


def _attempt(started: Verification, country: str, keyring: Keyring) -> Attempt:
    send = started.sends[-1]
    return Attempt(
        sid=send.sid,
        verification_sid=started.sid,
        service_sid=started.service_sid,
        account_sid=started.account_sid,
        channel=send.channel,
        country=country,
        status=Delivery.QUEUED,
        created_at=send.time,
        updated_at=send.time,
        recipient=keyring.fingerprint(started.account_sid, started.to),
        prefix=prefix(started.to) if country else None,
    )
