"""The dispatcher: a background task that posts what lies in the outbox, beside its colleagues."""

import asyncio
import logging

from watchword.commands.accounts import FindToken
from watchword.commands.postings import ReadDuePostings, SettlePosting, Taken, TakePostings
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.posting.post import Poster

IDLE_SECONDS = 0.5
logger = logging.getLogger("watchword.webhooks")


class Dispatcher:
    """Post events at least once each; several processes share the work by taking leases."""

    def __init__(self, engine: Engine, *, private: bool = False) -> None:
        self._engine = engine
        self._poster = Poster(private=private)

    async def run(self) -> None:
        """Post until canceled."""
        try:
            while True:
                try:
                    busy = await self.step()
                except StoreError as fault:
                    logger.warning("the store did not answer: %s", fault)
                    busy = 0
                except Exception as fault:  # noqa: BLE001  # one bad row must not end all posting
                    logger.warning("a round failed: %s: %s", type(fault).__name__, fault)
                    busy = 0
                if not busy:
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            await self._poster.close()

    async def step(self) -> int:
        """Post what is due now; return how many postings that were."""
        due = await self._engine.read_async(ReadDuePostings())
        if not due:
            return 0
        taken = await self._engine.submit(TakePostings(tuple(due)))
        await asyncio.gather(*(self._post(each) for each in taken))
        return len(taken)

    async def close(self) -> None:
        """Close what `step` has opened."""
        await self._poster.close()

    async def _post(self, taken: Taken) -> None:
        posting = taken.posting
        fault = "the account has no token"
        token = await self._token(posting.account_sid)
        if token is not None:
            fault = await self._poster.post(taken.webhook.url, posting.fields, token) or ""
        again = await self._engine.submit(SettlePosting(posting.sid, was_taken=not fault))
        if fault:
            logger.warning(
                "webhook %s did not take %s (try %d): %s; %s",
                posting.webhook_sid,
                posting.sid,
                posting.tries,
                fault,
                "it is tried again" if again else "given up",
            )

    async def _token(self, account_sid: str) -> str | None:
        known = self._engine.credentials
        if account_sid == known.account_sid:
            return known.auth_token
        return await self._engine.read_async(FindToken(account_sid))
