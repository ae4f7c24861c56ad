"""Talk to a provider over HTTP: kept connections, one timeout, and the question what has left.

A fault before the request left is a definite failure, one after it is nobody's knowledge. So
that this is known and not guessed, aiohttp's own trace says when the headers went out.
"""

import asyncio
import ssl
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp

from watchword.model import Channel
from watchword.record import replace
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.portal import end
from watchword.senders.provider import HttpRequest, HttpResponse, Provider

CONNECT_SECONDS = 3.0
KEEP_SECONDS = 15.0  # most servers close an idle connection later, so that none is used half dead
MAX_ANSWER = 64 * 1024
AGENT = "watchword"


@dataclass(slots=True)
class _Progress:
    left: bool = False


class HttpSender:
    """Send through one provider; a session for each event loop that sends."""

    waits = True

    def __init__(self, name: str, provider: Provider, *, timeout: float = 10.0) -> None:
        self.name = name
        self.provider = provider
        self.channels: frozenset[Channel] = provider.CHANNELS
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=CONNECT_SECONDS)
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def send(self, message: Message) -> Receipt:
        """Ask the provider for one message, once."""
        url = message.receipts_url
        callback = url.replace("{sender}", self.name) if url else None
        if message.script_url:
            script_url = message.script_url.replace("{sender}", self.name)
            message = replace(message, script_url=script_url)
        progress = _Progress()
        try:
            response = await self._ask(self.provider.request(message, callback), progress)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            return _fault(fault, progress)
        return self.provider.read(response)

    async def fetch(self, request: HttpRequest) -> HttpResponse:
        """Ask for something that sends no message; faults are aiohttp's own."""
        return await self._ask(request, _Progress())

    def close(self) -> None:
        """Close the connections, in whichever loop they were opened."""
        sessions, self._sessions = self._sessions, {}
        for loop, session in sessions.items():
            end(loop, session.close)

    async def _ask(self, request: HttpRequest, progress: _Progress) -> HttpResponse:
        async with self._session().request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,  # a code goes where the configuration says and nowhere else
            trace_request_ctx=progress,
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            try:
                body = await response.content.read(MAX_ANSWER)
                while len(body) < MAX_ANSWER and (more := await response.content.read(MAX_ANSWER)):
                    body += more
            except (aiohttp.ClientError, OSError, TimeoutError):
                body = b""  # the status was heard; what it means without a body, `read` knows
            return HttpResponse(response.status, headers, body)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_left)
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_SECONDS),
                timeout=self._timeout,
                trace_configs=[trace],
                headers={"User-Agent": AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._sessions[loop] = session
        return session


async def _note_left(_session: aiohttp.ClientSession, context: SimpleNamespace, _: Any) -> None:
    context.trace_request_ctx.left = True


def _fault(fault: Exception, progress: _Progress) -> Receipt:
    """Say what a fault of the network means; its text may hold addresses, so only its kind."""
    kind = type(fault).__name__
    if progress.left:
        return Receipt.unknown(Trouble.UNCLEAR, f"no answer after the request had left: {kind}")
    if isinstance(fault, aiohttp.ClientSSLError | ssl.SSLError):
        return Receipt.failed(Trouble.SETUP, None, f"no safe connection: {kind}")
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return Receipt.failed(Trouble.OUTAGE, None, "the provider's name cannot be looked up")
    if isinstance(fault, aiohttp.InvalidURL):
        return Receipt.failed(Trouble.SETUP, None, "the address is not one")
    return Receipt.failed(Trouble.OUTAGE, None, f"no connection: {kind}")
