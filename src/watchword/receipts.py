"""`/receipts/<sender>`: where providers report on messages; `/calls/<sender>`: what a call says.

The address each message carries names its attempt and proves itself by a MAC, so that a report
on one message says nothing about another. Where the provider signs as well, that is checked too.
Meta reports to one address for all messages, and its signature alone says that it is Meta.
"""

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchword.commands.receipts import FindAttempt, FindSent, RecordNotice
from watchword.engine import Engine
from watchword.errors import ConfigurationError
from watchword.model import Attempt
from watchword.senders.dispatch import dispatch_of
from watchword.senders.http import HttpSender
from watchword.senders.provider import Callback, NotAuthentic, Notice
from watchword.senders.twilio_voice import TwilioVoice, said
from watchword.senders.whatsapp import WhatsApp

MAX_BODY = 64 * 1024
MAX_TOGETHER = 3 * 1024 * 1024  # Meta puts up to a thousand reports into one


class Receipts:
    """Take reports for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, request: Request) -> Response:
        """Record a report: 204 for one that is ours, 403 for one nobody signed, 404 else."""
        sender = self._sender(request.path_params["sender"])
        if sender is None:
            return Response(status_code=404)
        together = isinstance(sender.provider, WhatsApp)
        if _length(request) > (MAX_TOGETHER if together else MAX_BODY):
            return Response(status_code=413)
        if isinstance(sender.provider, WhatsApp):
            return await self._take_many(request, sender.name, sender.provider)
        query = dict(request.query_params)
        attempt_sid = query.pop("attempt", "")
        if not self._is_ours(attempt_sid, query.pop("mac", "")):
            return Response(status_code=403)
        try:
            notices = sender.provider.notices(await self._callback(request, query))
        except NotAuthentic:
            return Response(status_code=403)
        for notice in notices:
            if notice.attempt_sid in (None, "", attempt_sid):
                about = await self._engine.read_async(FindAttempt(attempt_sid))
                await self._engine.submit(RecordNotice(attempt_sid, sender.name, notice, about))
        return Response(status_code=204)

    async def speak(self, request: Request) -> Response:
        """Give a call its words once somebody pressed a key; asked by the provider of the call."""
        sender = self._sender(request.path_params["sender"])
        if sender is None or not isinstance(sender.provider, TwilioVoice):
            return Response(status_code=404)
        query = dict(request.query_params)
        attempt_sid, sealed = query.pop("attempt", ""), query.pop("script", "")
        if _length(request) > MAX_BODY:
            return Response(status_code=413)
        try:
            sender.provider.pressed(await self._callback(request, query))
            script = self._engine.open_script(attempt_sid, sealed)
        except (NotAuthentic, ConfigurationError):
            return Response(status_code=403)
        return Response(said(script), media_type="text/xml")

    async def _take_many(self, request: Request, name: str, provider: WhatsApp) -> Response:
        """Record what Meta has put together, each report by the attempt or the id it names."""
        query = dict(request.query_params)
        try:
            if request.method != "POST":
                return PlainTextResponse(provider.challenge(query))
            notices = provider.notices(await self._callback(request, query))
        except NotAuthentic:
            return Response(status_code=403)
        for notice in notices:
            about = await self._about(name, notice)
            if about is not None:
                await self._engine.submit(RecordNotice(about.sid, name, notice, about))
        return Response(status_code=204)

    async def _about(self, name: str, notice: Notice) -> Attempt | None:
        if notice.attempt_sid:
            return await self._engine.read_async(FindAttempt(notice.attempt_sid))
        return await self._engine.read_async(FindSent(name, notice.message_id or ""))

    def _sender(self, name: str) -> HttpSender | None:
        dispatch = dispatch_of(self._engine.sender)
        lane = dispatch.lanes.get(name) if dispatch else None
        return lane.sender if lane and isinstance(lane.sender, HttpSender) else None

    def _is_ours(self, attempt_sid: str, mac: str) -> bool:
        macs: Sequence[str] = self._engine.receipt_macs(attempt_sid)
        return any(hmac.compare_digest(mac.encode(), known.encode()) for known in macs)

    async def _callback(self, request: Request, query: dict[str, str]) -> Callback:
        body = (await request.body())[:MAX_TOGETHER]
        is_form = request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        )
        text = body.decode("utf-8", "replace") if is_form else ""
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Callback(
            url=f"{self._engine.public_url}{asked}",
            method=request.method,
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            form=dict(parse_qsl(text, keep_blank_values=True)),
        )


def _length(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdigit() else 0


def receipt_routes(engine: Engine) -> list[Route]:
    """Return the routes of reports, which some providers GET, and of calls."""
    receipts = Receipts(engine)
    return [
        Route("/receipts/{sender}", receipts.take, methods=["GET", "POST"]),
        Route("/calls/{sender}", receipts.speak, methods=["POST"]),
    ]
