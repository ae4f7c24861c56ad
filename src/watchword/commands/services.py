"""Services: made, changed, deleted, and found by whoever owns them."""

from collections.abc import Callable, Mapping
from typing import Any

from watchword.commands.base import Context, Decision
from watchword.commands.reading import Reading, ReadOne
from watchword.errors import InvalidParameter, NotFound, TemplateNotFound
from watchword.keys import Keyring
from watchword.record import Record, replace
from watchword.store.base import Changes, Keys, Query, Rows, Store
from watchword.tenants import Service, ServiceSettings


class EnsureService(Record, frozen=True):
    """Make a service unless it is there already; `renames` gives one that is there its name."""

    service: Service
    renames: bool = False

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Service]:
        found = rows.get(Service, self.service.sid)
        if found is None:
            return Decision(Changes.of(self.service), self.service)
        name = self.service.friendly_name
        if not self.renames or found.friendly_name == name:
            return Decision(Changes(), found)
        renamed = replace(found, friendly_name=name, updated_at=context.now)
        return Decision(Changes.of(renamed), renamed)


class CreateService(Record, frozen=True):
    """Make a service; `fields` and `settings` hold what was given, by the record's names."""

    account_sid: str
    fields: Mapping[str, Any]
    settings: Mapping[str, Any]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys()

    def decide(self, rows: Rows, context: Context) -> Decision[Service]:
        service = Service(
            sid=context.new_sid("VA"),
            account_sid=self.account_sid,
            created_at=context.now,
            updated_at=context.now,
            settings=_settled(ServiceSettings(), self.settings, context),
            **self.fields,
        )
        return Decision(Changes.of(service), service)


class UpdateService(Record, frozen=True):
    """Change what is given of a service; nothing given changes nothing, not even its date."""

    service_sid: str
    account_sid: str
    fields: Mapping[str, Any]
    settings: Mapping[str, Any]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Service]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        settings = _settled(service.settings, self.settings, context)
        return changed(service, context, settings=settings, **self.fields)


class DeleteService(Record, frozen=True):
    """Delete a service with everything that lies in its row; its open codes die with it."""

    service_sid: str
    account_sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        owned_service(rows, self.service_sid, self.account_sid)
        return Decision(Changes().delete(Service, self.service_sid), None)


def owned_service(rows: Rows, sid: str, account_sid: str) -> Service:
    """Return the service of that sid, if it is this account's; else refuse with NotFound."""
    service = rows.get(Service, sid)
    if service is None or service.account_sid != account_sid:
        raise NotFound("service")
    return service


def changed(service: Service, context: Context, **changes: Any) -> Decision[Service]:
    """Write a service with these changes, if they change it."""
    after = replace(service, **changes)
    if after == service:
        return Decision(Changes(), service)
    after = replace(after, updated_at=context.now)
    return Decision(Changes.of(after), after)


def _settled(
    settings: ServiceSettings, given: Mapping[str, Any], context: Context
) -> ServiceSettings:
    settled = replace(settings, **given)
    template = given.get("default_template_sid")
    if template is not None and context.texts.template(template) is None:
        raise TemplateNotFound
    if settled.skip_sms_to_landlines and not settled.lookup_enabled:
        raise InvalidParameter("SkipSmsToLandlines", "it needs LookupEnabled")
    if set(settled.allowed_countries) & set(settled.blocked_countries):
        raise InvalidParameter("BlockedCountries", "a country is both allowed and blocked")
    return settled


class ReadService(Record, Reading[Any], frozen=True):
    """Show a part of a service; `pick` takes it out, or refuses."""

    service_sid: str
    account_sid: str
    pick: Callable[[Service], Any]

    def read(self, store: Store, context: Context) -> Any:
        wanted = {"sid": self.service_sid, "account_sid": self.account_sid}
        return self.pick(ReadOne(Query(Service, wanted), "service").read(store, context))
