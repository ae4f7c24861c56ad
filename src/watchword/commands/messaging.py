"""Messaging configurations: which messaging service sends to a country."""

from watchword.commands.base import Context, Decision
from watchword.commands.services import changed, owned_service
from watchword.errors import MessagingConfigurationExists, NotFound
from watchword.keys import Keyring
from watchword.record import Record, replace
from watchword.store.base import Keys, Rows
from watchword.tenants import MessagingConfiguration, Service


class CreateMessagingConfiguration(Record, frozen=True):
    """Name the messaging service of a country, or of all the others."""

    service_sid: str
    account_sid: str
    country: str
    messaging_service_sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[MessagingConfiguration]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        if any(each.country == self.country for each in service.messaging):
            raise MessagingConfigurationExists
        now = context.now
        made = MessagingConfiguration(self.country, self.messaging_service_sid, now, now)
        written = changed(service, context, messaging=(*service.messaging, made))
        return Decision(written.changes, made)


class UpdateMessagingConfiguration(Record, frozen=True):
    """Name another messaging service for a country."""

    service_sid: str
    account_sid: str
    country: str
    messaging_service_sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[MessagingConfiguration]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        found = find_messaging_configuration(service, self.country)
        after = replace(found, messaging_service_sid=self.messaging_service_sid)
        if after != found:
            after = replace(after, updated_at=context.now)
        kept = tuple(after if each is found else each for each in service.messaging)
        return Decision(changed(service, context, messaging=kept).changes, after)


class DeleteMessagingConfiguration(Record, frozen=True):
    """Leave a country to the configuration for all, or to none."""

    service_sid: str
    account_sid: str
    country: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        gone = find_messaging_configuration(service, self.country)
        kept = tuple(each for each in service.messaging if each is not gone)
        return Decision(changed(service, context, messaging=kept).changes, None)


def find_messaging_configuration(service: Service, country: str) -> MessagingConfiguration:
    """Return the configuration for a country; refuse with NotFound when there is none."""
    found = next((each for each in service.messaging if each.country == country), None)
    if found is None:
        raise NotFound("messaging configuration")
    return found
