"""Deliveries looked at: what became of messages that were sent."""

from watchword.commands.base import Context, Decision
from watchword.keys import Keyring
from watchword.model import Attempt
from watchword.record import Record
from watchword.store.base import Changes, Keys, Rows


class LookAtDeliveries(Record, frozen=True):
    """Return the send attempts of these sids, by sid; those that are gone are left out."""

    sids: tuple[str, ...]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Attempt, *self.sids)

    def decide(self, rows: Rows, context: Context) -> Decision[dict[str, Attempt]]:
        found = {sid: row for sid in self.sids if (row := rows.get(Attempt, sid))}
        return Decision(Changes(), found)
