"""A provider's report on a message, recorded beside the attempt it is about."""

from dataclasses import dataclass, replace

from watchword.commands.base import Context, Decision
from watchword.keys import Keyring
from watchword.model import Attempt
from watchword.rules.delivery import merge
from watchword.senders.base import WORDS
from watchword.senders.provider import Notice
from watchword.store.base import Changes, Keys, Rows


@dataclass(frozen=True, slots=True)
class RecordNotice:
    """Record one report; answer whether it was about a message of that sender's."""

    attempt_sid: str
    sender: str
    notice: Notice

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Attempt, self.attempt_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[bool]:
        stored = rows.get(Attempt, self.attempt_sid)
        if stored is None or stored.sender not in (None, self.sender):
            return Decision(Changes(), False)
        merged = merge(stored, self._news(stored))
        if merged == stored:
            return Decision(Changes(), True)
        return Decision(Changes.of(replace(merged, updated_at=context.now)), True)

    def _news(self, stored: Attempt) -> Attempt:
        notice = self.notice
        return replace(
            stored,
            status=notice.status,
            sender=self.sender,
            message_id=notice.message_id,
            reason=WORDS[notice.trouble] if notice.trouble else None,
            error_code=notice.error_code,
            price=notice.price,
            currency=notice.currency,
            mcc=notice.mcc,
            mnc=notice.mnc,
        )
