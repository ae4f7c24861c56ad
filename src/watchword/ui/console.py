"""The console at `/console`: what happens, why a number gets no code, and the acts that mend it."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchword.commands.base import Command
from watchword.commands.operator import (
    Audited,
    ForgetLadders,
    ForgiveFailures,
    LookUpPhone,
    ReadAudit,
    ReadFigures,
    ReadSent,
    ReadServices,
    SetCountry,
    TakeLogin,
)
from watchword.commands.safe_list import AddSafeNumber, RemoveSafeNumber
from watchword.commands.verifications import CloseVerification
from watchword.engine import Engine
from watchword.errors import NotAuthenticated, NotFound, PageRefused, Refusal, StoreError
from watchword.mailbox import Address, parse_address
from watchword.model import Status
from watchword.phone import mask
from watchword.rules.reasons import reasons
from watchword.ui.charts import bars
from watchword.ui.live import Live
from watchword.ui.look import PAGE_HEADERS, is_same_origin, render, show_trouble
from watchword.ui.operator import Operator, keep, operator_of, sign_in
from watchword.ui.phones import pretty
from watchword.ui.returns import Places
from watchword.ui.visitor import address_names
from watchword.ui.windows import WINDOWS, window_of

DONE = {
    "forgive": "The wrong codes are forgotten.",
    "unwait": "The resend waits are over.",
    "cancel": "The verification is canceled.",
    "safe": "The number is on the safe list.",
    "unsafe": "The number is no longer on the safe list.",
    "block": "The country is blocked.",
    "unblock": "The country is sent to again.",
}
ACTS = {  # what the list of acts calls them
    "forgive": "forgot its wrong codes",
    "unwait": "ended its waits",
    "cancel": "canceled its verification",
    "safe": "put it on the safe list",
    "unsafe": "took it off the safe list",
    "block": "blocked the country",
    "unblock": "sent to the country again",
}
Page = Callable[[Request, Operator], Awaitable[Response]]


class Console:
    """Show and act for one signed-in operator at a time."""

    def __init__(self, engine: Engine, places: Places) -> None:
        self._engine = engine
        self._secure = places.public_url.startswith("https:")
        self._live = Live(self._newest)

    def routes(self) -> list[Route]:
        """Return the console's routes."""
        return [
            Route("/console", self._for_operators(self.overview)),
            Route("/console/events", self._for_operators(self.events)),
            Route("/console/phone", self._for_operators(self.phone), methods=["GET", "POST"]),
            Route("/console/act", self._for_operators(self.act), methods=["POST"]),
            Route("/console/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/console/sign-out", self._for_operators(self.sign_out), methods=["POST"]),
        ]

    async def sign_in(self, request: Request) -> Response:
        """Take the account's sid and token; tries are counted by network address."""
        if request.method != "POST":
            return render("sign_in.html", error="")
        if not is_same_origin(request):
            return render("sign_in.html", 403, error="Open this page and try again.")
        form = await request.form()
        given = str(form.get("account", "")).strip(), str(form.get("token", "")).strip()
        addresses = address_names(self._engine, request, "sign in")
        try:
            await self._engine.submit(TakeLogin(addresses))
            account_sid = await self._engine.enter_async(given)
        except PageRefused:
            return render("sign_in.html", 429, error="Too many tries. Wait an hour.")
        except NotAuthenticated:
            return render("sign_in.html", 401, error="That is not the account and its token.")
        response = _to("/console")
        session = await sign_in(self._engine, account_sid, given[0])
        keep(response, session, secure=self._is_secure(request))
        return response

    async def sign_out(self, request: Request, _operator: Operator) -> Response:
        """End the session."""
        response = _to("/console/sign-in")
        keep(response, "", secure=self._is_secure(request))
        return response

    async def overview(self, request: Request, operator: Operator) -> Response:
        """Show the figures of a window, the newest messages and the newest acts."""
        now, account = self._engine.clock.now(), operator.account_sid
        window = window_of(request.query_params, now)
        await self._engine.tally.write_async()
        figures = await self._engine.read_async(
            ReadFigures(account, window.since, window.until, window.bars)
        )
        return render(
            "console.html",
            windows=[(key, choice[0], key == window.name) for key, choice in WINDOWS.items()],
            window=window,
            figures=figures,
            chart=bars(figures.bars, window.moment, window.closer),
            tail=await self._engine.read_async(ReadSent(account)),
            audit=await self._engine.read_async(ReadAudit(account)),
            acts=ACTS,
            mask=mask,
            form=operator.form_token(self._engine),
            done=DONE.get(request.query_params.get("done", ""), ""),
            now=now,
        )

    async def events(self, request: Request, _operator: Operator) -> Response:
        """Tell the overview whenever a message was sent."""
        return self._live.respond(request)

    async def phone(self, request: Request, operator: Operator) -> Response:
        """Show one number's file. The number comes in a form, so that no address holds it."""
        if request.method != "POST":
            return self._phone_page(operator)
        form = await request.form()
        return await self._show_phone(operator, _text(form, "number"), _text(form, "service"))

    async def act(self, request: Request, operator: Operator) -> Response:
        """Do one of the acts, write it down, and show what it has changed."""
        form = await request.form()
        action, number = _text(form, "action"), _text(form, "number")
        service = _text(form, "service")
        try:
            phone = parse_address(number)
            command = self._command(action, phone, operator, form)
            target = phone.country if action in ("block", "unblock") else mask(phone.to)
            await self._engine.submit(
                Audited(command, operator.account_sid, operator.name, action, target)
            )
        except Refusal as refusal:
            return await self._show_phone(operator, number, service, error=str(refusal))
        return await self._show_phone(operator, number, service, done=DONE[action])

    def _command(
        self, action: str, phone: Address, operator: Operator, form: FormData
    ) -> Command[Any]:
        service, account = _text(form, "service"), operator.account_sid
        match action:
            case "forgive":
                return ForgiveFailures(service, account, phone.to)
            case "unwait":
                return ForgetLadders(service, phone.to)
            case "cancel":
                return CloseVerification(
                    service, account, Status.CANCELED, verification_sid=_text(form, "verification")
                )
            case "safe":
                return AddSafeNumber(account, phone.to)
            case "unsafe":
                return RemoveSafeNumber(account, phone.to)
            case "block" | "unblock":
                return SetCountry(service, account, phone.country, blocked=action == "block")
        raise PageRefused("form")

    async def _show_phone(
        self, operator: Operator, number: str, wanted: str, *, error: str = "", done: str = ""
    ) -> Response:
        try:
            phone = parse_address(number)
        except Refusal as refusal:
            return self._phone_page(operator, typed=number, error=f"{refusal}", status=422)
        account = operator.account_sid
        services = await self._engine.read_async(ReadServices(account))
        service = wanted or next((known.sid for known in services), "")
        try:
            found = await self._engine.submit(LookUpPhone(service, account, phone.to))
        except NotFound as refusal:
            return self._phone_page(operator, typed=number, error=str(refusal), status=404)
        now, policy = self._engine.clock.now(), self._engine.policy
        told = reasons(found, phone.country, now, policy)
        latest = found.latest
        open_now = latest and latest.status is Status.PENDING and now < latest.expires_at
        values = {
            "service": service,
            "services": services,
            "pretty": pretty(phone.to),
            "e164": phone.to,
            "country": phone.country,
            "reasons": told,
            "allowed": all(reason.allows for reason in told),
            "found": found,
            "blocked": phone.country in found.service.settings.blocked_countries,
            "open_sid": latest.sid if latest and open_now else "",
            "sent": await self._engine.read_async(ReadSent(account, phone.to, 20)),
        }
        return self._phone_page(operator, phone=values, error=error, done=done)

    def _phone_page(
        self,
        operator: Operator,
        *,
        phone: dict[str, Any] | None = None,
        typed: str = "",
        error: str = "",
        done: str = "",
        status: int = 200,
    ) -> Response:
        form = operator.form_token(self._engine)
        return render(
            "phone.html", status, phone=phone, typed=typed, error=error, done=done, form=form
        )

    def _for_operators(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """Let operators through, and their own forms; send everybody else to sign in."""

        async def answer(request: Request) -> Response:
            try:
                secure = self._is_secure(request)
                operator = await operator_of(self._engine, request, secure=secure)
            except StoreError as fault:
                return show_trouble(request, fault)
            if operator is None:
                return _to("/console/sign-in")
            if request.method == "POST":
                token = _text(await request.form(), "form")
                if not (is_same_origin(request) and operator.sent_form(self._engine, token)):
                    return self._phone_page(
                        operator, error="this form was out of date; send it again", status=403
                    )
            try:
                return await page(request, operator)
            except StoreError as fault:
                return show_trouble(request, fault)

        return answer

    def _is_secure(self, request: Request) -> bool:
        return self._secure or request.url.scheme == "https"

    def _newest(self) -> object:
        try:
            newest = self._engine.read(ReadSent(self._engine.credentials.account_sid, limit=1))
        except StoreError:
            return None
        return [
            (sent.attempt.sid, sent.attempt.status, sent.verification and sent.verification.status)
            for sent in newest
        ]


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers=PAGE_HEADERS)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""
