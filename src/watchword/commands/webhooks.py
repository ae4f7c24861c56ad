"""Webhooks: made, changed and deleted within their service's row."""

from collections.abc import Mapping
from typing import Any

from watchword.commands.base import Context, Decision
from watchword.commands.services import changed, owned_service
from watchword.errors import NotFound, TooManyWebhooks
from watchword.keys import Keyring
from watchword.record import Record, replace
from watchword.store.base import Keys, Rows
from watchword.tenants import Service, Webhook

MOST_WEBHOOKS = 20  # ours: each of them is a request per event


class CreateWebhook(Record, frozen=True):
    """Say where events are to be posted."""

    service_sid: str
    account_sid: str
    fields: Mapping[str, Any]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Webhook]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        if len(service.webhooks) >= MOST_WEBHOOKS:
            raise TooManyWebhooks
        now = context.now
        made = Webhook(sid=context.new_sid("YW"), created_at=now, updated_at=now, **self.fields)
        written = changed(service, context, webhooks=(*service.webhooks, made))
        return Decision(written.changes, made)


class UpdateWebhook(Record, frozen=True):
    """Change what is given of a webhook."""

    service_sid: str
    account_sid: str
    sid: str
    fields: Mapping[str, Any]

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Webhook]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        found = find_webhook(service, self.sid)
        after = replace(found, **self.fields)
        if after != found:
            after = replace(after, updated_at=context.now)
        kept = tuple(after if each is found else each for each in service.webhooks)
        return Decision(changed(service, context, webhooks=kept).changes, after)


class DeleteWebhook(Record, frozen=True):
    """Post no more events there."""

    service_sid: str
    account_sid: str
    sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        gone = find_webhook(service, self.sid)
        kept = tuple(each for each in service.webhooks if each is not gone)
        return Decision(changed(service, context, webhooks=kept).changes, None)


def find_webhook(service: Service, sid: str) -> Webhook:
    """Return a service's webhook; refuse with NotFound when there is none of that sid."""
    found = next((each for each in service.webhooks if each.sid == sid), None)
    if found is None:
        raise NotFound("webhook")
    return found
