"""Events for webhooks: written beside what they tell of, taken up, posted, settled."""

import json
from datetime import datetime, timedelta

from watchword.commands.base import Context, Decision
from watchword.commands.reading import Reading
from watchword.events import ALL, VERIFICATION_EXPIRED
from watchword.keys import Keyring
from watchword.model import Attempt, Status, Verification
from watchword.record import Record, replace
from watchword.store.base import Changes, Cursor, Keys, Query, Rows, Store
from watchword.store.rows import EPOCH
from watchword.tenants import Posting, Service, Webhook

LEASE = timedelta(seconds=60)  # longer than any request may take: nobody else tries it meanwhile
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
MOST_TRIES = 20  # with these waits: half a day
BATCH = 50


class Taken(Record, frozen=True):
    """A posting that is ours to try now, and the webhook it is for."""

    posting: Posting
    webhook: Webhook


class ReadDuePostings(Record, Reading[list[Posting]], frozen=True):
    """List what is to be tried now, the longest due first."""

    def read(self, store: Store, context: Context) -> list[Posting]:
        first = Cursor(EPOCH, "", backwards=True)
        query = Query(Posting, until=context.now, by="due_at", cursor=first, limit=BATCH)
        return store.page(query)[::-1]


class TakePostings(Record, frozen=True):
    """Take up what is still due; what has become pointless is dropped."""

    due: tuple[Posting, ...]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.union(
            (
                Keys.of(Posting, *(each.sid for each in self.due)),
                Keys.reading(Service, *(each.service_sid for each in self.due)),
                Keys.reading(Verification, *(each.verification_sid for each in self.due)),
            )
        )

    def decide(self, rows: Rows, context: Context) -> Decision[list[Taken]]:
        changes, taken = Changes(), []
        for each in self.due:
            posting = rows.get(Posting, each.sid)
            if posting is None or posting.due_at >= context.now:
                continue  # somebody else was quicker
            webhook = _webhook(rows, posting)
            if webhook is None or _is_pointless(rows, posting):
                changes.delete(Posting, posting.sid)
                continue
            posting = replace(posting, tries=posting.tries + 1, due_at=context.now + LEASE)
            changes.add(Changes.of(posting))
            taken.append(Taken(posting, webhook))
        return Decision(changes, taken)


class SettlePosting(Record, frozen=True):
    """Forget a posting that was taken, or that was tried often enough; else try it again later."""

    sid: str
    was_taken: bool

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Posting, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[bool]:
        """Answer whether it is to be tried again."""
        posting = rows.get(Posting, self.sid)
        if posting is None:
            return Decision(Changes(), answer=False)
        if self.was_taken or posting.tries >= MOST_TRIES:
            return Decision(Changes().delete(Posting, self.sid), answer=False)
        wait = min(FIRST_WAIT * 2 ** (posting.tries - 1), LONGEST_WAIT)
        later = replace(posting, due_at=context.now + wait)
        return Decision(Changes.of(later), answer=True)


def announce(service: Service, event: str, verification: Verification, context: Context) -> Changes:
    """Write an event of a verification for each webhook that listens to it."""
    return _post(service, event, verification, (), context, context.now)


def announce_expiry(service: Service, verification: Verification, context: Context) -> Changes:
    """Write the event of a verification's end now; it is dropped should it end otherwise."""
    expired = replace(verification, status=Status.EXPIRED)
    due_at = verification.expires_at
    return _post(service, VERIFICATION_EXPIRED, expired, (), context, due_at)


def announce_message(
    service: Service, verification: Verification, attempt: Attempt, context: Context
) -> Changes:
    """Write an event of a message for each webhook that listens to it."""
    fields = (
        ("attempt_sid", attempt.sid),
        ("message_status", attempt.status.value),
        ("message_channel", attempt.channel.value),
        ("sender", attempt.sender or ""),
        ("reason", attempt.reason or ""),
    )
    event = f"message.{attempt.status.value}"
    return _post(service, event, verification, fields, context, context.now)


def _post(
    service: Service,
    event: str,
    verification: Verification,
    more: tuple[tuple[str, str], ...],
    context: Context,
    due_at: datetime,
) -> Changes:
    changes = Changes()
    for webhook in service.webhooks:
        if not _listens(service, webhook, event):
            continue
        sid = context.new_sid("EV")
        fields = (
            ("uuid", sid),
            ("type", event),
            ("account_sid", service.account_sid),
            ("service_sid", service.sid),
            ("webhook_sid", webhook.sid),
            *_told(service, verification),
            *more,
        )
        posting = Posting(
            sid=sid,
            account_sid=service.account_sid,
            service_sid=service.sid,
            webhook_sid=webhook.sid,
            verification_sid=verification.sid,
            event=event,
            fields=fields,
            created_at=context.now,
            due_at=due_at,
        )
        changes.add(Changes.of(posting))
    return changes


def _told(service: Service, verification: Verification) -> tuple[tuple[str, str], ...]:
    """Return what every event tells of its verification: all but the code."""
    return (
        ("friendly_name", service.friendly_name),
        ("verification_sid", verification.sid),
        ("to", verification.to),
        ("channel", verification.channel.value),
        ("verification_status", verification.status.value),
        ("code_length", str(verification.code_length)),
        ("send_attempts", str(len(verification.sends))),
        ("check_attempts", str(verification.checks)),
        ("created_at", verification.created_at.isoformat(timespec="milliseconds")),
        ("updated_at", verification.updated_at.isoformat(timespec="milliseconds")),
        ("tags", json.dumps(dict(verification.details.tags))),
    )


def _listens(service: Service, webhook: Webhook, event: str) -> bool:
    """Say whether a webhook wants an event; `*` means these only where the service says so.

    A `*` made for Twilio's factor events must not begin to receive phone numbers.
    """
    if not webhook.enabled:
        return False
    if event in webhook.event_types:
        return True
    return ALL in webhook.event_types and service.settings.verify_event_subscription_enabled


def _webhook(rows: Rows, posting: Posting) -> Webhook | None:
    service = rows.get(Service, posting.service_sid)
    webhooks = () if service is None else service.webhooks
    found = (each for each in webhooks if each.sid == posting.webhook_sid and each.enabled)
    return next(found, None)


def _is_pointless(rows: Rows, posting: Posting) -> bool:
    if not posting.fields:
        return True  # its key is gone, and with it what was to be told
    if posting.event != VERIFICATION_EXPIRED:
        return False
    verification = rows.get(Verification, posting.verification_sid)
    return verification is None or verification.status is not Status.PENDING
