"""Tell the senders that want to know how a verification ended: Twilio Verify does.

It is told behind the caller's back and once; what is lost with a process is lost to Twilio's
statistics and to nothing of ours.
"""

import asyncio
import logging
from dataclasses import dataclass

from watchword.commands.base import Context
from watchword.commands.reading import Reading
from watchword.engine import Engine
from watchword.model import Attempt, Status, Verification
from watchword.senders.dispatch import dispatch_of
from watchword.senders.twilio_verify import VerifySender
from watchword.store.base import Query, Store

logger = logging.getLogger("watchword.senders")
MOST_SENDS = 50


@dataclass(frozen=True, slots=True)
class FindSends(Reading[list[Attempt]]):
    """Find the messages of one verification."""

    verification_sid: str

    def read(self, store: Store, context: Context) -> list[Attempt]:
        named = {"verification_sid": self.verification_sid}
        return store.page(Query(Attempt, named, limit=MOST_SENDS))


class Outcomes:
    """Hear of one engine's verifications that ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dispatch = dispatch_of(engine.sender)
        lanes = dispatch.lanes.items() if dispatch else ()
        self._senders = {name: x.sender for name, x in lanes if isinstance(x.sender, VerifySender)}
        if self._senders:
            engine.on_end = self.tell

    async def tell(self, verification: Verification) -> None:
        """Tell each sender that carried this verification's code how it ended."""
        approved = verification.status is Status.APPROVED
        sends = await asyncio.to_thread(self._engine.read, FindSends(verification.sid))
        told = {(one.sender, one.message_id) for one in sends if one.sender in self._senders}
        for name, message_id in told:
            if (
                name
                and message_id
                and not await self._senders[name].tell(message_id, approved=approved)
            ):
                logger.warning("outcome.untold sid=%s sender=%s", verification.sid, name)
