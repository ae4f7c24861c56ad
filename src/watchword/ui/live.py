"""Live pages: one server-sent event whenever what a page shows has changed.

A page opens `EventSource` and fetches itself again at each event, so that all drawing stays on
the server. One watcher a process looks; the pages it tells are counted, since each holds a
connection open.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from watchword.ui.look import HEADERS

LOOK_EVERY = 0.2  # seconds between looks; what changes is on the screen within one second
BEAT_EVERY = 15.0  # seconds between comments that keep proxies from closing a quiet stream
MAX_STREAMS = 64
RETRY_SECONDS = 5
STREAM = "text/event-stream"


class Live:
    """Tell pages of changes to what `look` returns."""

    def __init__(self, look: Callable[[], Any]) -> None:
        self._look = look
        self._streams = 0

    def respond(self, request: Request) -> Response:
        """Open a stream, or ask to come back later when there are too many."""
        if self._streams >= MAX_STREAMS:
            headers = HEADERS | {"Retry-After": str(RETRY_SECONDS)}
            return PlainTextResponse("too many live pages\n", status_code=503, headers=headers)
        headers = HEADERS | NO_BUFFER
        if request.method == "HEAD":  # a stream would hold the connection for a body nobody gets
            return Response(media_type=STREAM, headers=headers)
        return StreamingResponse(self._events(), media_type=STREAM, headers=headers)

    async def _events(self) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield f"retry: {RETRY_SECONDS * 1000}\n\n"
            seen, quiet = self._look(), 0.0
            while not _server_stops():
                await asyncio.sleep(LOOK_EVERY)
                found, quiet = self._look(), quiet + LOOK_EVERY
                if found != seen:
                    seen, quiet = found, 0.0
                    yield "data: changed\n\n"
                elif quiet >= BEAT_EVERY:
                    quiet = 0.0
                    yield ": still here\n\n"
        finally:
            self._streams -= 1


NO_BUFFER = {"X-Accel-Buffering": "no"}


def _server_stops() -> bool:
    """Tell whether uvicorn was told to stop: it waits for streams, so they must end themselves.

    Its signal handler is a method of the server that knows; no other door tells an application.
    """
    handler = signal.getsignal(signal.SIGTERM)
    server = getattr(handler, "__self__", None)
    return bool(getattr(server, "should_exit", False))
