"""Services: made, and found by whoever owns them."""

from dataclasses import dataclass

from watchword.commands.base import Context, Decision
from watchword.errors import NotFound
from watchword.keys import Keyring
from watchword.model import Service
from watchword.store.base import Changes, Keys, Rows


@dataclass(frozen=True, slots=True)
class EnsureService:
    """Make a service unless it is there already."""

    service: Service

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Service]:
        found = rows.get(Service, self.service.sid)
        if found is not None:
            return Decision(Changes(), found)
        return Decision(Changes.of(self.service), self.service)


def owned_service(rows: Rows, sid: str, account_sid: str) -> Service:
    """Return the service of that sid, if it is this account's; else refuse with NotFound."""
    service = rows.get(Service, sid)
    if service is None or service.account_sid != account_sid:
        raise NotFound("service")
    return service
