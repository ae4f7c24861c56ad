"""The hosted page's API for an app's backend: open a page, look at it, use its result."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchword.commands.pages import LookAtPage, OpenedPage, OpenPage, UseResult
from watchword.engine import Engine
from watchword.errors import InvalidParameter, WatchwordError
from watchword.mailbox import Mailbox, parse_address
from watchword.model import Channel
from watchword.rules.page import Look, Visit
from watchword.ui.colour import HEX, RADIUS
from watchword.ui.returns import Places
from watchword.wire import errors
from watchword.wire.auth import read_basic
from watchword.wire.http import timestamp

LONGEST_USER = 255
LONGEST_NAME = 40
CHANNELS = ("sms", "call", "whatsapp", "email")
TRUE = frozenset({"true", "1", "yes"})
Handler = Callable[[Request, str], Awaitable[Response]]


class PageApi:
    """Answer an app's backend, which says who it is by HTTP Basic."""

    def __init__(self, engine: Engine, places: Places) -> None:
        self._engine = engine
        self._places = places

    def routes(self) -> list[Route]:
        """Return the API's routes."""
        return [
            Route("/pages", self._known(self.open), methods=["POST"]),
            Route("/pages/results", self._known(self.use), methods=["POST"]),
            Route("/pages/{sid}", self._known(self.look)),
            Route("/.well-known/jwks.json", self.keys),
        ]

    async def open(self, request: Request, account_sid: str) -> Response:
        """Make a page for one person and say where it is."""
        form = await request.form()
        service_sid = _text(form, "ServiceSid") or self._engine.credentials.service_sid
        visit = _visit(form, self._places)
        own = self._places.own(str(request.base_url))
        opened = await self._engine.submit(OpenPage(service_sid, account_sid, visit))
        shown = _show(opened) | {"url": f"{own}/p/{opened.session.sid}"}
        return JSONResponse(shown, status_code=201)

    async def look(self, request: Request, account_sid: str) -> Response:
        """Show where a page stands."""
        found = await self._engine.submit(LookAtPage(request.path_params["sid"], account_sid))
        return JSONResponse(_show(found))

    async def use(self, request: Request, account_sid: str) -> Response:
        """Use a result once, and say whose it is."""
        token = _text(await request.form(), "Result")
        if not token:
            raise InvalidParameter("Result", "it is required")
        used = await self._engine.submit(UseResult(account_sid, token))
        more = {"to": used.visit.to, "verification_sid": used.visit.verification_sid}
        return JSONResponse(_show(used) | more | {"status": "approved"})

    async def keys(self, _request: Request) -> Response:
        """Show the public keys that results are signed with."""
        return JSONResponse(self._engine.public_keys(), headers={"Cache-Control": "max-age=300"})

    def _known(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                given = read_basic(request.headers.get("authorization", ""))
                return await handler(request, await self._engine.enter_async(given))
            except WatchwordError as fault:
                if type(fault) not in errors.TABLE:
                    raise
                said = errors.respond(fault, request.url.path)
                return Response(said.body, said.status, dict(said.headers))

        return answer


def _visit(form: FormData, places: Places) -> Visit:
    """Read what the app wants of the page; refuse with InvalidParameter what cannot be."""
    user_id = _text(form, "UserId")
    if not 0 < len(user_id) <= LONGEST_USER:
        raise InvalidParameter("UserId", f"it has 1 to {LONGEST_USER} characters")
    to, channels = _text(form, "To"), _channels(form)
    address = parse_address(to) if to else None
    if address is not None and isinstance(address, Mailbox) != (channels == (Channel.EMAIL,)):
        raise InvalidParameter("To", "an e-mail address goes with Channels=email, a number without")
    return Visit(
        user_id=user_id,
        return_url=places.allow(_text(form, "ReturnUrl")),
        look=_look(form),
        code_length=0,  # the service's, which the command knows
        modal=_text(form, "Modal").lower() in TRUE,
        locale=_text(form, "Locale")[:35],
        country=_text(form, "Country").upper()[:2],
        channels=channels,
        to=address.to if address else None,
        to_is_given=bool(to),
    )


def _look(form: FormData) -> Look:
    name, accent = _text(form, "Name"), _text(form, "Accent")
    logo, radius = _text(form, "Logo"), _text(form, "Radius")
    if len(name) > LONGEST_NAME:
        raise InvalidParameter("Name", f"it has {LONGEST_NAME} characters at most")
    if accent and not HEX.fullmatch(accent):
        raise InvalidParameter("Accent", "it is a colour such as #1d4ed8")
    if radius and not RADIUS.fullmatch(radius):
        raise InvalidParameter("Radius", "it is 0 to 29px")
    host = urlsplit(logo).hostname if logo.startswith("https://") else None
    plain = logo.isascii() and not set(logo) & set(" \"'<>\\;,")
    if logo and not (host and plain and len(logo) <= 500):
        raise InvalidParameter("Logo", "it is an https:// address of a picture")
    return Look(name, accent, logo, radius)


def _channels(form: FormData) -> tuple[Channel, ...]:
    named = [part.strip() for part in (_text(form, "Channels") or "sms").lower().split(",")]
    if not set(named) <= set(CHANNELS):
        raise InvalidParameter("Channels", f"it takes {', '.join(CHANNELS)}")
    channels = tuple(dict.fromkeys(Channel(part) for part in named))
    if Channel.EMAIL in channels and len(channels) > 1:
        raise InvalidParameter("Channels", "email stands alone: a page has one kind of address")
    return channels


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _show(opened: OpenedPage) -> dict[str, Any]:
    session = opened.session
    return {
        "sid": session.sid,
        "account_sid": session.account_sid,
        "service_sid": session.service_sid,
        "user_id": opened.visit.user_id,
        "status": session.status.value,
        "date_created": timestamp(session.created_at),
        "date_updated": timestamp(session.updated_at),
        "date_expires": timestamp(session.expires_at),
    }
