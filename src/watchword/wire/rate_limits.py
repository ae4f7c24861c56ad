"""Rate limits: made, listed, described anew and deleted."""

from typing import Any

from watchword.commands.rate_limits import (
    CreateRateLimit,
    DeleteRateLimit,
    UpdateRateLimit,
    find_rate_limit,
)
from watchword.commands.services import ReadService
from watchword.tenants import RateLimit
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Parameter, text

DESCRIPTION = Parameter("Description", text(256), "what it is for", clears=True)
CREATE = (
    Parameter(
        "UniqueName",
        text(128),
        "the key in a start's RateLimits: letters, digits, -, _ and . (60209)",
        required=True,
    ),
    DESCRIPTION,
)
UPDATE = (DESCRIPTION,)


def create(asked: Asked, service_sid: str) -> Call:
    """Make a rate limit; it limits nothing until it has a bucket."""
    command = CreateRateLimit(
        service_sid, asked.account_sid, asked.get("UniqueName"), asked.get("Description")
    )
    return Call(command, lambda limit: show(limit, asked, service_sid))


def list_all(asked: Asked, service_sid: str) -> Call:
    """List a service's rate limits, newest first."""
    source = ReadService(service_sid, asked.account_sid, lambda service: service.rate_limits)
    return listing(asked, "rate_limits", source, lambda limit: show(limit, asked, service_sid))


def fetch(asked: Asked, service_sid: str, sid: str) -> Call:
    """Show a rate limit."""
    reading = ReadService(
        service_sid, asked.account_sid, lambda service: find_rate_limit(service, sid)
    )
    return Call(reading, lambda limit: show(limit, asked, service_sid))


def update(asked: Asked, service_sid: str, sid: str) -> Call:
    """Describe a rate limit anew."""
    if "Description" not in asked.values:
        return fetch(asked, service_sid, sid)
    command = UpdateRateLimit(service_sid, asked.account_sid, sid, asked.get("Description"))
    return Call(command, lambda limit: show(limit, asked, service_sid))


def delete(asked: Asked, service_sid: str, sid: str) -> Call:
    """Delete a rate limit with its buckets."""
    return Call(DeleteRateLimit(service_sid, asked.account_sid, sid))


def show(limit: RateLimit, asked: Asked, service_sid: str) -> dict[str, Any]:
    """Show a RateLimit resource, every key present."""
    url = f"{asked.base_url}/v2/Services/{service_sid}/RateLimits/{limit.sid}"
    return {
        "sid": limit.sid,
        "service_sid": service_sid,
        "account_sid": asked.account_sid,
        "unique_name": limit.unique_name,
        "description": limit.description,
        "date_created": timestamp(limit.created_at),
        "date_updated": timestamp(limit.updated_at),
        "url": url,
        "links": {"buckets": f"{url}/Buckets"},
    }
