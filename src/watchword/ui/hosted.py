"""The hosted page at `/p/WP…`: a number, a code, and back to the app with a signed result."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchword import codes
from watchword.commands.ladder import ForgetCounter
from watchword.commands.pages import (
    ClosePage,
    LookAtPage,
    OpenedPage,
    SignResult,
    StepOnPage,
    TakeSend,
)
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.engine import Engine
from watchword.errors import (
    DeliveryFailed,
    InvalidParameter,
    NotFound,
    NotServed,
    PageRefused,
    RateLimited,
    Refusal,
    StoreError,
    TooManyChecks,
    TooManySends,
    TooSoon,
)
from watchword.mailbox import parse_address
from watchword.model import Channel, Status, Wording
from watchword.phone import parse
from watchword.record import replace
from watchword.rules import page as rules
from watchword.rules.page import Visit
from watchword.ui.colour import look_sheet
from watchword.ui.hosted_view import (
    NO_TROUBLE,
    Trouble,
    Turn,
    headers_of,
    show,
    show_unavailable,
    step_of,
)
from watchword.ui.look import HEADERS, is_same_origin
from watchword.ui.returns import Places, with_parameter
from watchword.ui.visitor import Browser, address_names
from watchword.ui.words import choose
from watchword.visits import PageStatus

USER = "page"
STATUS = {
    "elsewhere": 409,
    "closed": 409,
    "early": 429,
    "sends": 429,
    "network": 429,
    "locked": 429,
}


Action = Callable[[Turn], Awaitable[Response]]


class HostedPages:
    """Walk a person through the page; every state in it is the server's."""

    def __init__(self, engine: Engine, places: Places) -> None:
        self._engine = engine
        self._places = places

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        actions: dict[str, Action] = {
            "number": self._number,
            "edit": self._edit,
            "send": self._send,
            "code": self._code,
            "leave": self._leave,
            "continue": self._continue,
        }
        return [
            Route("/p/{sid}", self.show),
            Route("/p/{sid}/look.css", self.look),
            *(
                Route(f"/p/{{sid}}/{name}", self._guarded(action), methods=["POST"])
                for name, action in actions.items()
            ),
        ]

    async def show(self, request: Request) -> Response:
        """Show the step the person is at."""
        try:
            return await self._render(await self._turn(request))
        except StoreError:
            return show_unavailable(request)

    async def look(self, request: Request) -> Response:
        """Return the app's colours as variables of the style sheet."""
        try:
            turn = await self._turn(request)
        except StoreError:
            return Response("", 503, media_type="text/css", headers=HEADERS)
        look = turn.opened.visit.look if turn.opened else None
        sheet = look_sheet(look.accent, look.radius) if look else ""
        return Response(sheet, media_type="text/css", headers=HEADERS)

    async def _turn(self, request: Request) -> Turn:
        secure = self._places.public_url.startswith("https:") or request.url.scheme == "https"
        try:
            opened = await self._engine.submit(LookAtPage(request.path_params["sid"]))
        except NotFound:
            opened = None
        wanted = opened.visit.locale if opened else ""
        accepted = request.headers.get("accept-language", "")
        words, region = choose(wanted, accepted)
        if opened and rules.is_by_mail(opened.visit):
            words = words.of_mail()
        return Turn(request, Browser.at(request, secure=secure), words, region, opened)

    def _guarded(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        """Take a form of our own page in its browser; say what went wrong on the page itself."""

        async def post(request: Request) -> Response:
            try:
                turn = await self._turn(request)
            except StoreError:
                return show_unavailable(request)
            if turn.opened is None:
                return await self._render(turn)
            turn.form = await request.form(max_files=0, max_fields=10)
            token = turn.field("form")
            ours = is_same_origin(request) and turn.browser.sent_form(self._engine, turn.sid, token)
            if not ours:
                return await self._render(turn, Trouble("form", 403))
            try:
                return await action(turn)
            except PageRefused as refusal:
                return await self._refuse(turn, refusal)
            except StoreError:
                return await self._render(turn, Trouble("unavailable", 503))

        return post

    async def _number(self, turn: Turn) -> Response:
        typed, country = turn.field("number"), turn.field("country").upper()
        try:
            to = _read(typed, country, by_mail=rules.is_by_mail(turn.visit))
        except InvalidParameter as refusal:
            if turn.opened is not None:
                session = turn.opened.session
                tally = self._engine.tally
                tally.count_async(refusal, session.account_sid, session.service_sid)
            return await self._render(turn, Trouble("number", 422, typed, country))
        await self._step(turn, lambda visit, _: rules.give_number(visit, to))
        return self._here(turn)

    async def _edit(self, turn: Turn) -> Response:
        await self._step(turn, lambda visit, _: rules.give_number(visit, None))
        return self._here(turn)

    async def _send(self, turn: Turn) -> Response:
        """Ask for a code. What others did to the number makes no difference to what is shown."""
        channel = next((c for c in Channel if c.value == turn.field("channel")), Channel.SMS)
        addresses = address_names(self._engine, turn.request)
        taken = await self._engine.submit(self._take_send(turn, addresses, channel))
        turn.opened = taken
        now, policy = self._engine.clock.now(), self._engine.policy
        sid, ends = taken.visit.verification_sid, rules.code_would_end(taken.visit, now, policy.ttl)
        try:
            guarded = await self._engine.submit(self._guarded_start(turn, taken, channel))
            found = guarded.started.verification
            sid, ends, retry = found.sid, found.expires_at, guarded.counter.expires or now
        except TooSoon as refusal:
            retry = refusal.expires
        except (TooManyChecks, TooManySends):
            retry = now + policy.ladder[0]
        except DeliveryFailed:
            return await self._render(turn, Trouble("undeliverable", 503))
        except (InvalidParameter, NotServed):
            return await self._render(turn, Trouble("number", 422))
        except RateLimited:
            return await self._render(turn, Trouble("network", 429))
        await self._step(turn, lambda visit, _: rules.sent(visit, sid, now, retry, ends))
        return self._here(turn)

    async def _code(self, turn: Turn) -> Response:
        """Compare a code; the guess is spent before it is looked at."""
        length = turn.visit.code_length
        code = codes.read(turn.field("code"), length)
        if len(code) != length:
            return await self._render(turn, Trouble("length", 422))
        turn.opened = await self._step(turn, rules.take_guess)
        visit, session = turn.visit, turn.opened.session
        named = (
            {"verification_sid": visit.verification_sid}
            if visit.verification_sid
            else {"to": visit.to, "lane": self._lane(turn)}
        )
        try:
            found = await self._engine.submit(
                CheckCode(session.service_sid, session.account_sid, code, **named)
            )
        except Refusal:
            return await self._wrong(turn)
        if found.status is not Status.APPROVED:
            return await self._wrong(turn)
        return await self._approve(turn, found.sid)

    async def _wrong(self, turn: Turn) -> Response:
        if rules.guesses_left(turn.visit) <= 0:
            over = rules.why_code_is_over(turn.visit, self._engine.clock.now())
            return await self._refuse(turn, PageRefused(over, until=turn.visit.retry_at))
        return await self._render(turn, Trouble("code", 422))

    async def _approve(self, turn: Turn, verification_sid: str) -> Response:
        visit, session = turn.visit, turn.opened.session if turn.opened else None
        to = visit.to or ""
        await self._step(turn, lambda at, _: replace(at, verification_sid=verification_sid))
        await self._engine.submit(ForgetCounter(*self._pair(turn)))
        turn.opened = await self._engine.submit(
            ClosePage(turn.sid, turn.browser.fingerprint, PageStatus.APPROVED)
        )
        response = self._here(turn) if visit.modal else await self._back(turn)
        if session is not None:
            service = session.service_sid
            turn.browser.remember(response, self._engine, service, to, modal=visit.modal)
        return response

    async def _continue(self, turn: Turn) -> Response:
        return await self._back(turn)

    async def _leave(self, turn: Turn) -> Response:
        await self._engine.submit(
            ClosePage(turn.sid, turn.browser.fingerprint, PageStatus.CANCELED)
        )
        url = with_parameter(turn.visit.return_url, "watchword_error", "canceled")
        return RedirectResponse(url, status_code=303, headers=headers_of(turn))

    async def _back(self, turn: Turn) -> Response:
        return RedirectResponse(
            await self._result_url(turn), status_code=303, headers=headers_of(turn)
        )

    async def _result_url(self, turn: Turn) -> str:
        issuer = self._places.own(str(turn.request.base_url))
        token = await self._engine.submit(SignResult(turn.sid, turn.browser.fingerprint, issuer))
        return with_parameter(turn.visit.return_url, "watchword_result", token)

    def _take_send(self, turn: Turn, addresses: tuple[str, ...], channel: Channel) -> TakeSend:
        session = turn.opened.session if turn.opened else None
        owner = (session.account_sid, session.service_sid) if session else ("", "")
        fingerprint = turn.browser.fingerprint
        return TakeSend(turn.sid, fingerprint, addresses, channel, *owner, turn.visit.to)

    async def _step(self, turn: Turn, step: Callable[[Visit, datetime], Visit]) -> OpenedPage:
        return await self._engine.submit(StepOnPage(turn.sid, turn.browser.fingerprint, step))

    def _guarded_start(self, turn: Turn, taken: OpenedPage, channel: Channel) -> GuardedStart:
        start = StartVerification(
            taken.session.service_sid,
            taken.session.account_sid,
            parse_address(taken.visit.to or ""),
            channel,
            wording=Wording(locale=turn.words.language, friendly_name=taken.visit.look.name),
            lane=self._lane(turn),
        )
        return GuardedStart(start, *self._pair(turn))

    def _lane(self, turn: Turn) -> str:
        if turn.opened is None:
            return ""
        service = turn.opened.session.service_sid
        return turn.browser.lane(self._engine, service, turn.visit.to or "")

    def _pair(self, turn: Turn) -> tuple[str, str, tuple[str, ...]]:
        """Name the ladder: the number's within the page's service, or the known device's own."""
        service = turn.opened.session.service_sid if turn.opened else None
        return self._engine.ladder(turn.visit.to or "", USER + self._lane(turn), service)

    async def _refuse(self, turn: Turn, refusal: PageRefused) -> Response:
        turn.opened = await self._engine.submit(LookAtPage(turn.sid))
        status = STATUS.get(refusal.reason, 422)
        trouble = Trouble(refusal.reason, status, until=refusal.until)
        return await self._render(turn, trouble)

    def _here(self, turn: Turn) -> Response:
        response = RedirectResponse(f"/p/{turn.sid}", status_code=303, headers=headers_of(turn))
        turn.browser.keep(response, modal=turn.visit.modal)
        return response

    async def _render(self, turn: Turn, trouble: Trouble = NO_TROUBLE) -> Response:
        done_in_frame = step_of(turn) == "done" and turn.visit.modal
        result = await self._result_url(turn) if done_in_frame else ""
        return show(self._engine, turn, trouble, result)


def _read(typed: str, country: str, *, by_mail: bool) -> str:
    """Return the address that a person typed; refuse with InvalidParameter what is none."""
    if not by_mail:
        return parse(typed, country or None).e164
    if "@" not in typed:
        raise InvalidParameter("To", "this is not an e-mail address")
    return parse_address(typed.strip()).to
