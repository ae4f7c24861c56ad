"""`/healthz`: whether this process and its store answer, said quickly even when they do not."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import JSONResponse

from watchword.engine import Engine
from watchword.errors import StoreError

PATIENCE_SECONDS = 1.0  # a load balancer asks every few seconds and waits about as long
FRESH_SECONDS = 1.0  # an answer of the store's so young will do: under load each costs a thread
WELL = {"status": "ok"}


class Health:
    """Ask the store from a thread of its own, one question at a time, however many ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "watchword-health")
        self._asking: asyncio.Future[str] | None = None
        self._well_until = 0.0

    async def show(self, _request: Request) -> JSONResponse:
        """Answer 200 when the store answers, else 503 with the reason."""
        reason = await self.trouble()
        if reason:
            return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)
        return JSONResponse(WELL)

    async def trouble(self) -> str:
        """Return why the store does not answer, or "" when it does."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._well_until:
            return ""
        if self._asking is None or self._asking.done():
            self._asking = loop.run_in_executor(self._thread, self._ping)
        asking = self._asking  # who comes after its end begins another
        await asyncio.wait((asking,), timeout=PATIENCE_SECONDS)
        reason = asking.result() if asking.done() else "the store takes its time"
        if not reason:
            self._well_until = loop.time() + FRESH_SECONDS
        return reason

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    def _ping(self) -> str:
        try:
            self._engine.store.ping()
        except StoreError as fault:
            return str(fault)
        return ""
