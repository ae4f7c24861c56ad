"""Reports on messages that come by a sender's own connection: found by the provider's id, recorded.

A receipt may reach any process that is bound, and may be quicker than our own record of what the
provider answered. So the attempt is looked for in the store, and for a while again.
"""

import asyncio
import logging

from watchword.commands.receipts import FindSent, RecordNotice
from watchword.engine import Engine
from watchword.senders.dispatch import dispatch_of
from watchword.senders.provider import Notice
from watchword.senders.smpp import SmppSender

logger = logging.getLogger("watchword.senders")
PAUSES = (0.0, 0.2, 1.0, 3.0)  # seconds before each look for an attempt


class Reports:
    """Take the reports of one engine's senders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dispatch = dispatch_of(engine.sender)
        lanes = dispatch.lanes.values() if dispatch else ()
        self._senders = [x.sender for x in lanes if isinstance(x.sender, SmppSender)]
        for sender in self._senders:
            sender.listen(self.take)

    async def take(self, sender: str, notice: Notice) -> None:
        """Record a report by the provider's id of its message; raise StoreError when it cannot be.

        One that fits no message of ours is another program's, on the same account.
        """
        for pause in PAUSES:
            await asyncio.sleep(pause)
            find = FindSent(sender, notice.message_id or "")
            attempt = await self._engine.read_async(find)
            if attempt is not None:
                record = RecordNotice(attempt.sid, sender, notice, attempt)
                await asyncio.to_thread(self._engine.perform, record)
                return
        logger.info("report.unclaimed sender=%s status=%s", sender, notice.status.value)

    async def keep(self) -> None:
        """Keep the connections that reports come by, until cancelled."""
        await asyncio.gather(*(sender.keep() for sender in self._senders))
