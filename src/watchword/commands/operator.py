"""What an operator asks and does: figures, one phone's file, and acts that leave a trace."""

from datetime import datetime
from typing import Any

from watchword.commands.base import Command, Context, Decision
from watchword.commands.pages import count_visitor
from watchword.commands.reading import Reading
from watchword.commands.safe_list import find_safe_number
from watchword.commands.services import owned_service
from watchword.errors import NotFound
from watchword.keys import Keyring
from watchword.model import Attempt, Counter, SafeNumber, Subject, Verification
from watchword.record import Record, replace
from watchword.refused import Refused, slot_of
from watchword.rules import figures
from watchword.rules.figures import Figures
from watchword.rules.reasons import PhoneFile
from watchword.store.base import Changes, Keys, Query, Rows, Store
from watchword.tenants import Service
from watchword.visits import AuditEntry, Visitor

MOST_ROWS = 20_000  # that one look counts; more are counted from the newest back
PAGE = 2_000
LADDERS = ("page", "cli")  # who climbs the ladders that we keep ourselves


class ReadFigures(Record, Reading[Figures], frozen=True):
    """Count what happened in an account since a moment, until another one or now."""

    account_sid: str
    since: datetime
    until: datetime | None = None
    slices: int = figures.BARS

    def read(self, store: Store, context: Context) -> Figures:
        until = self.until or context.now
        attempts = self._newest(store, Attempt, self.since)
        verifications = self._newest(store, Verification, self.since)
        refused = self._newest(store, Refused, slot_of(self.since))
        complete = max(len(attempts), len(verifications), len(refused)) < MOST_ROWS
        return figures.count(
            attempts,
            verifications,
            refused,
            self.since,
            until,
            complete=complete,
            slices=self.slices,
        )

    def _newest(self, store: Store, kind: type[Any], since: datetime) -> list[Any]:
        found: list[Any] = []
        while len(found) < MOST_ROWS:
            equal = {"account_sid": self.account_sid}
            query = Query(kind, equal, since=since, until=self.until, offset=len(found), limit=PAGE)
            rows = store.page(query)
            found += rows
            if len(rows) < PAGE:
                break
        return found


class Sent(Record, frozen=True):
    """One message beside its verification, which is None once it is purged."""

    attempt: Attempt
    verification: Verification | None


class ReadSent(Record, Reading[list[Sent]], frozen=True):
    """Return an account's newest messages, or those to one address."""

    account_sid: str
    to: str | None = None
    limit: int = 12

    def read(self, store: Store, context: Context) -> list[Sent]:
        equal: dict[str, str | tuple[str, ...]] = {"account_sid": self.account_sid}
        if self.to is not None:
            equal["recipient"] = context.keyring.names(self.account_sid, self.to)
        attempts: list[Attempt] = store.page(Query(Attempt, equal, limit=self.limit))
        sids = tuple({attempt.verification_sid for attempt in attempts})
        rows = store.page(Query(Verification, {"sid": sids}, limit=len(sids))) if sids else []
        by_sid = {row.sid: row for row in rows}
        return [Sent(attempt, by_sid.get(attempt.verification_sid)) for attempt in attempts]


class ReadAudit(Record, Reading[list[AuditEntry]], frozen=True):
    """Return the newest acts of an account's operators."""

    account_sid: str
    limit: int = 20

    def read(self, store: Store, context: Context) -> list[AuditEntry]:
        equal = {"account_sid": self.account_sid}
        found: list[AuditEntry] = store.page(Query(AuditEntry, equal, limit=self.limit))
        return found


class ReadServices(Record, Reading[list[Service]], frozen=True):
    """Return an account's services, the oldest first: for one operator to choose from."""

    account_sid: str
    limit: int = 50

    def read(self, store: Store, context: Context) -> list[Service]:
        equal = {"account_sid": self.account_sid}
        found: list[Service] = store.page(Query(Service, equal, limit=self.limit))
        return found[::-1]


class LookUpPhone(Record, frozen=True):
    """Return an address's file."""

    service_sid: str
    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return (
            Keys.reading(Service, self.service_sid)
            | Keys.one_of(Subject, *keyring.names(self.service_sid, self.to))
            | _ladders(keyring, self.service_sid, self.to)
            | Keys.one_of(SafeNumber, *keyring.names(self.account_sid, self.to))
        )

    def decide(self, rows: Rows, context: Context) -> Decision[PhoneFile]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        subject = _subject(rows, context.keyring, service.sid, self.to)
        latest = rows.get(Verification, subject.verification_sid) if subject else None
        pairs = _ladders(context.keyring, service.sid, self.to).wanted
        counters = tuple(row for _, pair in pairs if (row := rows.get(Counter, pair)))
        safe = find_safe_number(rows, context.keyring, self.account_sid, self.to)
        return Decision(
            Changes(), PhoneFile(service, subject, latest, counters, is_safe=safe is not None)
        )


class ForgiveFailures(Record, frozen=True):
    """Set an address's wrong codes back to none."""

    service_sid: str
    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        names = keyring.names(self.service_sid, self.to)
        return Keys.reading(Service, self.service_sid) | Keys.one_of(Subject, *names)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        owned_service(rows, self.service_sid, self.account_sid)
        subject = _subject(rows, context.keyring, self.service_sid, self.to)
        if subject is None:
            raise NotFound("phone")
        forgiven = replace(subject, failures=0, updated_at=max(context.now, subject.updated_at))
        return Decision(Changes.of(forgiven), None)


class ForgetLadders(Record, frozen=True):
    """End an address's resend waits."""

    service_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return _ladders(keyring, self.service_sid, self.to)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        changes = Changes()
        for _, pair in _ladders(context.keyring, self.service_sid, self.to).wanted:
            if rows.get(Counter, pair) is not None:
                changes.delete(Counter, pair)
        return Decision(changes, None)


class SetCountry(Record, frozen=True):
    """Send to a country, or send there no more."""

    service_sid: str
    account_sid: str
    country: str
    blocked: bool

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        others = set(service.settings.blocked_countries) - {self.country}
        blocked = tuple(sorted(others | ({self.country} if self.blocked else set())))
        settings = replace(service.settings, blocked_countries=blocked)
        changed = replace(service, settings=settings, updated_at=context.now)
        return Decision(Changes.of(changed), None)


class Audited(Record, frozen=True):
    """Do something and write down who did what, in one commit; a refused act leaves no trace."""

    command: Command[Any]
    account_sid: str
    operator: str
    action: str
    target: str

    def keys(self, keyring: Keyring) -> Keys:
        return self.command.keys(keyring)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        changes = self.command.decide(rows, context).changes
        entry = AuditEntry(
            sid=context.new_sid("AU"),
            account_sid=self.account_sid,
            operator=self.operator,
            action=self.action,
            target=self.target,
            created_at=context.now,
        )
        changes.add(Changes.of(entry))
        return Decision(changes, None)


class TakeLogin(Record, frozen=True):
    """Count one try to sign in from a network address; refuse when it has had its share."""

    addresses: tuple[str, ...]  # what each key calls it, newest first

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.one_of(Visitor, *self.addresses)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        return Decision(count_visitor(rows, self.addresses, context.now), None)


def _ladders(keyring: Keyring, service_sid: str, to: str) -> Keys:
    names = keyring.names(service_sid, to)
    return Keys.union(Keys.one_of(Counter, *((name, user) for name in names)) for user in LADDERS)


def _subject(rows: Rows, keyring: Keyring, service_sid: str, to: str) -> Subject | None:
    names = keyring.names(service_sid, to)
    return next((row for name in names if (row := rows.get(Subject, name))), None)
