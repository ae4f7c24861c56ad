"""A provider's report on a message, recorded beside the attempt it is about."""

from watchword.commands.base import Context, Decision
from watchword.commands.postings import announce_message
from watchword.commands.reading import Reading
from watchword.keys import Keyring
from watchword.model import Attempt, Verification
from watchword.record import Record, replace
from watchword.rules.delivery import merge
from watchword.senders.base import WORDS
from watchword.senders.provider import Notice
from watchword.store.base import Changes, Keys, Query, Rows, Store
from watchword.tenants import Service


class FindAttempt(Record, Reading[Attempt | None], frozen=True):
    """Find what a report is about, to name the rows its recording looks at."""

    sid: str

    def read(self, store: Store, context: Context) -> Attempt | None:
        return next(iter(store.page(Query(Attempt, {"sid": self.sid}))), None)


class FindSent(Record, Reading[Attempt | None], frozen=True):
    """Find what a report is about by the id that the provider gave the message."""

    sender: str
    message_id: str

    def read(self, store: Store, context: Context) -> Attempt | None:
        sent = {"message_id": self.message_id, "sender": self.sender}
        return next(iter(store.page(Query(Attempt, sent))), None)


class RecordNotice(Record, frozen=True):
    """Record one report; answer whether it was about a message of that sender's.

    With `about`, the attempt as it was a moment ago, webhooks that listen are told of it.
    """

    attempt_sid: str
    sender: str
    notice: Notice
    about: Attempt | None = None

    def keys(self, keyring: Keyring) -> Keys:
        keys = Keys.of(Attempt, self.attempt_sid)
        if self.about is None:
            return keys
        verification = Keys.reading(Verification, self.about.verification_sid)
        return keys | Keys.reading(Service, self.about.service_sid) | verification

    def decide(self, rows: Rows, context: Context) -> Decision[bool]:
        stored = rows.get(Attempt, self.attempt_sid)
        if stored is None or stored.sender not in (None, self.sender):
            return Decision(Changes(), False)
        merged = merge(stored, self._news(stored))
        if merged == stored:
            return Decision(Changes(), True)
        merged = replace(merged, updated_at=context.now)
        changes = Changes.of(merged)
        service = rows.get(Service, stored.service_sid)
        verification = rows.get(Verification, stored.verification_sid)
        if service and verification and merged.status is not stored.status:
            changes.add(announce_message(service, verification, merged, context))
        return Decision(changes, True)

    def _news(self, stored: Attempt) -> Attempt:
        notice = self.notice
        return replace(
            stored,
            status=notice.status,
            sender=self.sender,
            message_id=notice.message_id,
            reason=WORDS[notice.trouble] if notice.trouble else None,
            error_code=notice.error_code,
            price=notice.price,
            currency=notice.currency,
            mcc=notice.mcc,
            mnc=notice.mnc,
        )
