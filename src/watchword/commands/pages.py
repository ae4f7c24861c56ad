"""The hosted page's commands: opened, looked at, moved on by a step, approved, its result used."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from watchword import signing
from watchword.commands.base import Context, Decision
from watchword.commands.services import owned_service
from watchword.errors import NotFound, PageRefused
from watchword.keys import Keyring
from watchword.model import Channel
from watchword.record import Record, replace
from watchword.rules import page
from watchword.rules.page import Visit
from watchword.store.base import Changes, Keys, Rows
from watchword.tenants import Service
from watchword.visits import PageSession, PageStatus, Visitor

GRACE = timedelta(minutes=1)  # clocks of machines differ; a result a minute over is still known
_VISIT = msgspec.json.Decoder(Visit)


class OpenedPage(Record, frozen=True):
    """A session and what was sealed in it."""

    session: PageSession
    visit: Visit


class OpenPage(Record, frozen=True):
    """Make a session for one person of the app's."""

    service_sid: str
    account_sid: str
    visit: Visit

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.reading(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        look = self.visit.look
        visit = replace(
            self.visit,
            code_length=service.code_length,
            look=replace(look, name=look.name or service.friendly_name),
        )
        sid = context.new_sid("WP")
        session = PageSession(
            sid=sid,
            service_sid=service.sid,
            account_sid=service.account_sid,
            status=PageStatus.OPEN,
            sealed=_seal(sid, visit, context.keyring),
            created_at=context.now,
            updated_at=context.now,
            expires_at=context.now + page.LIFE,
        )
        return Decision(Changes.of(session), OpenedPage(session, visit))


class LookAtPage(Record, frozen=True):
    """Return a session that has not expired; else refuse with NotFound."""

    sid: str
    account_sid: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(PageSession, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        opened = _opened(rows, context, self.sid)
        if self.account_sid not in (None, opened.session.account_sid):
            raise NotFound("page")
        return Decision(Changes(), opened)


class StepOnPage(Record, frozen=True):
    """Move an open session on by one of `rules.page`'s steps, for the browser that has it."""

    sid: str
    browser: str
    step: Callable[[Visit, datetime], Visit]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(PageSession, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        opened = _opened(rows, context, self.sid)
        if opened.session.status is not PageStatus.OPEN:
            raise PageRefused("closed")
        visit = self.step(page.take_up(opened.visit, self.browser), context.now)
        session = _with(opened.session, visit, context)
        return Decision(Changes.of(session), OpenedPage(session, visit))


class TakeSend(Record, frozen=True):
    """Spend one send of the session and one of the network address it is asked from."""

    sid: str
    browser: str
    addresses: tuple[str, ...]  # what each key calls the network address, newest first
    channel: Channel
    account_sid: str = ""  # whom a refusal is counted for: the page's own, as it was just read
    service_sid: str = ""
    to: str | None = None

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(PageSession, self.sid) | Keys.one_of(Visitor, *self.addresses)

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        step = StepOnPage(
            self.sid, self.browser, lambda visit, now: page.take_send(visit, self.channel, now)
        )
        decision = step.decide(rows, context)
        decision.changes.add(count_visitor(rows, self.addresses, context.now))
        return decision


class ClosePage(Record, frozen=True):
    """Approve or cancel an open session."""

    sid: str
    browser: str
    status: PageStatus

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(PageSession, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        step = StepOnPage(self.sid, self.browser, lambda visit, _: visit)
        opened = step.decide(rows, context).answer
        closed = replace(opened.session, status=self.status)
        return Decision(Changes.of(closed), replace(opened, session=closed))


class SignResult(Record, frozen=True):
    """Sign an approved session's result, for the browser that has it, until it is used.

    Every token of a session has the session's sid as its `jti`: one of them counts, once.
    """

    sid: str
    browser: str
    issuer: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(PageSession, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[str]:
        opened = _opened(rows, context, self.sid)
        page.take_up(opened.visit, self.browser)
        if opened.session.status is not PageStatus.APPROVED:
            raise PageRefused("closed")
        claims = {
            "iss": self.issuer,
            "aud": opened.session.service_sid,
            "sub": opened.visit.user_id,
            "jti": opened.session.sid,
            "iat": int(context.now.timestamp()),
            "exp": int((context.now + page.RESULT_LIFE).timestamp()),
            "amr": [opened.visit.channel.value],
            "verification_sid": opened.visit.verification_sid,
        }
        return Decision(Changes(), signing.sign(context.keyring, claims))


class UseResult(Record, frozen=True):
    """Use a result once: return whose it is; refuse with NotFound when it is not, or was."""

    account_sid: str
    token: str

    def keys(self, keyring: Keyring) -> Keys:
        claims = signing.read(keyring, self.token) or {}
        return Keys.of(PageSession, str(claims.get("jti", "")))

    def decide(self, rows: Rows, context: Context) -> Decision[OpenedPage]:
        claims = signing.read(context.keyring, self.token)
        if claims is None or context.now.timestamp() >= float(claims.get("exp", 0)):
            raise NotFound("result")
        opened = _opened(rows, context, str(claims["jti"]), grace=GRACE)
        session = opened.session
        if session.account_sid != self.account_sid or session.status is not PageStatus.APPROVED:
            raise NotFound("result")
        used = replace(session, status=PageStatus.REDEEMED, updated_at=context.now)
        return Decision(Changes.of(used), replace(opened, session=used))


def count_visitor(rows: Rows, names: tuple[str, ...], now: datetime) -> Changes:
    """Count one act of a network address, whichever key named it last; refuse one too many."""
    found = next((row for name in names if (row := rows.get(Visitor, name))), None)
    changes = Changes()
    if found is not None and found.key != names[0]:
        changes.delete(Visitor, found.key)
    changes.add(Changes.of(page.take_address_send(found, names[0], now)))
    return changes


def _opened(rows: Rows, context: Context, sid: str, grace: timedelta = timedelta(0)) -> OpenedPage:
    session = rows.get(PageSession, sid)
    if session is None or context.now >= session.expires_at + grace:
        raise NotFound("page")
    text = context.keyring.unseal(session.sealed, bound_to=sid)
    return OpenedPage(session, _VISIT.decode(text))


def _with(session: PageSession, visit: Visit, context: Context) -> PageSession:
    sealed = _seal(session.sid, visit, context.keyring)
    return replace(session, sealed=sealed, updated_at=context.now)


def _seal(sid: str, visit: Visit, keyring: Keyring) -> str:
    return keyring.seal(msgspec.json.encode(visit).decode(), bound_to=sid)
