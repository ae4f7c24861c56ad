"""The page at `/`: from a number to a code to "approved", beside the inbox the code arrives in."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from watchword.codes import LONGEST, SHORTEST
from watchword.commands.ladder import ForgetCounter
from watchword.commands.verifications import (
    CheckCode,
    FetchVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import (
    DeliveryFailed,
    InvalidParameter,
    NotFound,
    Refusal,
    TooManyChecks,
    TooManySends,
    TooSoon,
)
from watchword.model import Status, Verification
from watchword.phone import mask, parse
from watchword.senders.inbox import inbox_of
from watchword.ui.console import Console
from watchword.ui.hosted import HostedPages
from watchword.ui.inbox import InboxPage
from watchword.ui.look import static
from watchword.ui.page_api import PageApi
from watchword.ui.returns import Places

HERE = Path(__file__).parent
COOKIE = "watchword_try"
USER = "page"
APPROVED = "approved"
SHOWN_MESSAGES = 5
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page_routes(engine: Engine, places: Places) -> list[BaseRoute]:
    """Return the pages' routes; what only developers need is not there in production."""
    routes: list[BaseRoute] = [
        *PageApi(engine, places).routes(),
        *HostedPages(engine, places).routes(),
        *Console(engine, places).routes(),
        static(),
        Route("/robots.txt", _robots),
    ]
    if not places.development:
        return [Route("/", _closed), *routes]
    page = TryPage(engine)
    return [
        Route("/", page.show),
        Route("/start", page.start, methods=["POST"]),
        Route("/check", page.check, methods=["POST"]),
        Route("/again", page.again, methods=["POST"]),
        *_inbox(engine),
        *routes,
    ]


def _inbox(engine: Engine) -> list[Route]:
    inbox = inbox_of(engine.sender)
    return InboxPage(engine, inbox).routes() if inbox else []


async def _robots(_request: Request) -> Response:
    """Keep search engines off: a page here is for one person, or for whoever runs the server."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain", headers=HEADERS)


async def _closed(_request: Request) -> Response:
    return Response("watchword is running\n", media_type="text/plain", headers=HEADERS)


class TryPage:
    """Walk a person through one verification; the cookie holds its sid and nothing else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
        )
        self._template = environment.get_template("try.html")

    async def show(self, request: Request) -> Response:
        """Show the step the person is at."""
        return await self._render(request.cookies.get(COOKIE))

    async def start(self, request: Request) -> Response:
        """Take a number, send a code, and go on to asking for it."""
        if not _same_origin(request):
            return await self._render(None, error=CROSS_SITE, status=403)
        to = str((await request.form()).get("to", ""))
        try:
            phone = parse(to)
            known = self._engine.credentials
            start = StartVerification(known.service_sid, known.account_sid, phone)
            guarded = await self._engine.submit(GuardedStart(start, *self._pair(phone.e164)))
        except (Refusal, DeliveryFailed) as refusal:
            return await self._render(
                request.cookies.get(COOKIE), error=explain(refusal), to=to, status=_status(refusal)
            )
        return _go_home(guarded.started.verification.sid)

    async def check(self, request: Request) -> Response:
        """Take a code and compare it."""
        if not _same_origin(request):
            return await self._render(None, error=CROSS_SITE, status=403)
        sid = request.cookies.get(COOKIE, "")
        typed = str((await request.form()).get("code", ""))
        code = "".join(str(int(c)) for c in typed if c.isdecimal())[:LONGEST]
        if len(code) < SHORTEST:
            return await self._render(sid, error=TOO_SHORT, status=422)
        known = self._engine.credentials
        try:
            found = await self._engine.submit(
                CheckCode(known.service_sid, known.account_sid, code, verification_sid=sid)
            )
        except Refusal as refusal:
            return await self._render(sid, error=explain(refusal), status=_status(refusal))
        if found.status is not Status.APPROVED:
            return await self._render(sid, error=WRONG_CODE, status=422)
        await self._engine.submit(ForgetCounter(*self._pair(found.to)))
        return _go_home(APPROVED)

    def _pair(self, to: str) -> tuple[str, str, tuple[str, ...]]:
        return self._engine.ladder(to, USER)

    async def again(self, request: Request) -> Response:
        """Forget where the person is and begin with the number."""
        return _go_home("")

    async def _render(
        self, cookie: str | None, *, error: str = "", to: str = "", status: int = 200
    ) -> Response:
        found = await self._open(cookie)
        html = self._template.render(
            step="approved" if cookie == APPROVED else "code" if found else "number",
            masked=mask(found.to) if found else "",
            to=to or (found.to if found else ""),
            error=error,
            messages=self._messages(),
            has_inbox=inbox_of(self._engine.sender) is not None,
            sender=self._engine.sender.name if self._engine.sender else "",
            credentials=self._engine.credentials,
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    async def _open(self, sid: str | None) -> Verification | None:
        """Return the verification the person is at, or None when there is none to go on with."""
        if not sid or sid == APPROVED:
            return None
        known = self._engine.credentials
        try:
            found = await self._engine.submit(
                FetchVerification(known.service_sid, known.account_sid, verification_sid=sid)
            )
        except NotFound:
            return None
        return found if found.status is Status.PENDING else None

    def _messages(self) -> list[object]:
        inbox = inbox_of(self._engine.sender)
        return list(inbox.messages(limit=SHOWN_MESSAGES)) if inbox else []


TOO_SHORT = "The code is the number in the message. Type its digits."
WRONG_CODE = "That is not the code. Check it and try again."
CROSS_SITE = "This form was sent from another site. Open this page and try again."


def explain(refusal: Refusal | DeliveryFailed) -> str:
    """Say a refusal in words a person can act on; nothing in them tells what is stored."""
    match refusal:
        case InvalidParameter():
            return f"That number cannot be used: {refusal}."
        case TooSoon():
            wait = _wait(refusal.retry_after)
            return f"A code was sent a moment ago. You can ask for another in {wait}."
        case TooManySends():
            return "This number has had all its codes for now. Wait ten minutes and begin again."
        case TooManyChecks():
            return "Too many wrong codes. Wait ten minutes and begin again."
        case NotFound(what="service"):
            return "The default service was deleted. Restart watchword, which makes it again."
        case NotFound():
            return "That code has expired or was used. Ask for a new one."
        case DeliveryFailed():
            return "The code could not be sent. Try again in a minute."
    return "That did not work. Begin again."


def _wait(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


def _status(refusal: Refusal | DeliveryFailed) -> int:
    match refusal:
        case TooSoon() | TooManyChecks() | TooManySends():
            return 429
        case DeliveryFailed():
            return 503
    return 422


def _same_origin(request: Request) -> bool:
    """Tell whether a form came from this very page, by headers that no page can forge."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host')}"


def _go_home(cookie: str) -> Response:
    response = RedirectResponse("/", status_code=303, headers=HEADERS)
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", max_age=3600)
    return response
