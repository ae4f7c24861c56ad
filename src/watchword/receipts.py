"""`/receipts/<sender>`: where providers report what became of a message.

The address each message carries names its attempt and proves itself by a MAC, so that a report
on one message says nothing about another. Where the provider signs as well, that is checked too.
"""

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword.commands.receipts import FindAttempt, RecordNotice
from watchword.engine import Engine
from watchword.senders.dispatch import dispatch_of
from watchword.senders.http import HttpSender
from watchword.senders.provider import Callback, NotAuthentic

MAX_BODY = 64 * 1024


class Receipts:
    """Take reports for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, request: Request) -> Response:
        """Record a report: 204 for one that is ours, 403 for one nobody signed, 404 else."""
        sender = self._sender(request.path_params["sender"])
        if sender is None:
            return Response(status_code=404)
        if int(request.headers.get("content-length") or 0) > MAX_BODY:
            return Response(status_code=413)
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

    def _sender(self, name: str) -> HttpSender | None:
        dispatch = dispatch_of(self._engine.sender)
        lane = dispatch.lanes.get(name) if dispatch else None
        return lane.sender if lane and isinstance(lane.sender, HttpSender) else None

    def _is_ours(self, attempt_sid: str, mac: str) -> bool:
        macs: Sequence[str] = self._engine.receipt_macs(attempt_sid)
        return any(hmac.compare_digest(mac.encode(), known.encode()) for known in macs)

    async def _callback(self, request: Request, query: dict[str, str]) -> Callback:
        body = (await request.body())[:MAX_BODY]
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


def receipt_routes(engine: Engine) -> list[Route]:
    """Return the routes of reports: some providers GET them."""
    return [Route("/receipts/{sender}", Receipts(engine).take, methods=["GET", "POST"])]
