"""Webhooks: where a service's events are posted."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from watchword.commands.services import ReadService
from watchword.commands.webhooks import CreateWebhook, DeleteWebhook, UpdateWebhook, find_webhook
from watchword.errors import InvalidParameter
from watchword.events import EVENT_TYPES
from watchword.tenants import Webhook
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Kind, Parameter, one_of, text

LONGEST_URL = 2048


def _web_url() -> Kind:
    line = text(LONGEST_URL)

    def read(value: str) -> str:
        try:
            parts = urlsplit(line.read(value))
            known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        if not known or not value.isascii() or " " in value or "\\" in value:
            raise ValueError("it takes an http or https URL")
        return value

    return Kind(dict(line.schema) | {"format": "uri"}, read)


FIELDS = (
    Parameter("FriendlyName", text(64), "what it is for", required=True),
    Parameter(
        "EventTypes", one_of(*EVENT_TYPES), "the events to post", required=True, repeated=True
    ),
    Parameter("WebhookUrl", _web_url(), "where they are posted", required=True),
    Parameter("Status", one_of("enabled", "disabled"), "whether they are posted"),
    Parameter("Version", one_of("v1", "v2"), "kept; both are posted alike"),
)
CREATE = FIELDS
UPDATE = tuple(parameter.optional() for parameter in FIELDS)


def create(asked: Asked, service_sid: str) -> Call:
    """Say where events are to be posted."""
    command = CreateWebhook(service_sid, asked.account_sid, _fields(asked))
    return Call(command, lambda made: show(made, asked, service_sid))


def list_all(asked: Asked, service_sid: str) -> Call:
    """List a service's webhooks, newest first."""
    source = ReadService(service_sid, asked.account_sid, lambda service: service.webhooks)
    return listing(asked, "webhooks", source, lambda each: show(each, asked, service_sid))


def fetch(asked: Asked, service_sid: str, sid: str) -> Call:
    """Show a webhook."""
    reading = ReadService(
        service_sid, asked.account_sid, lambda service: find_webhook(service, sid)
    )
    return Call(reading, lambda found: show(found, asked, service_sid))


def update(asked: Asked, service_sid: str, sid: str) -> Call:
    """Change what is given of a webhook."""
    command = UpdateWebhook(service_sid, asked.account_sid, sid, _fields(asked))
    return Call(command, lambda changed: show(changed, asked, service_sid))


def delete(asked: Asked, service_sid: str, sid: str) -> Call:
    """Post no more events there."""
    return Call(DeleteWebhook(service_sid, asked.account_sid, sid))


def show(webhook: Webhook, asked: Asked, service_sid: str) -> dict[str, Any]:
    """Show a Webhook resource, every key present."""
    parent = f"{asked.base_url}/v2/Services/{service_sid}/Webhooks"
    return {
        "sid": webhook.sid,
        "service_sid": service_sid,
        "account_sid": asked.account_sid,
        "friendly_name": webhook.friendly_name,
        "event_types": list(webhook.event_types),
        "status": "enabled" if webhook.enabled else "disabled",
        "version": webhook.version,
        "webhook_url": webhook.url,
        "webhook_method": "POST",
        "date_created": timestamp(webhook.created_at),
        "date_updated": timestamp(webhook.updated_at),
        "url": f"{parent}/{webhook.sid}",
    }


def _fields(asked: Asked) -> Mapping[str, Any]:
    """Return what was given, by the record's names."""
    names = {
        "FriendlyName": "friendly_name",
        "EventTypes": "event_types",
        "WebhookUrl": "url",
        "Version": "version",
    }
    fields = {field: asked.get(name) for name, field in names.items() if name in asked.values}
    if "event_types" in fields:
        if not fields["event_types"]:
            raise InvalidParameter("EventTypes", "name at least one event")
        fields["event_types"] = tuple(dict.fromkeys(fields["event_types"]))
    if "Status" in asked.values:
        fields["enabled"] = asked.get("Status") == "enabled"
    return fields
