"""Messaging configurations: which messaging service sends to a country."""

import re
from typing import Any

from watchword.commands.messaging import (
    CreateMessagingConfiguration,
    DeleteMessagingConfiguration,
    UpdateMessagingConfiguration,
    find_messaging_configuration,
)
from watchword.commands.services import ReadService
from watchword.errors import NotFound
from watchword.numbering import check_country
from watchword.tenants import MessagingConfiguration
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Kind, Parameter, sid

COUNTRY = re.compile(r"[A-Za-z]{2}|all", re.ASCII)


def _country() -> Kind:
    def read(value: str) -> str:
        if not COUNTRY.fullmatch(value):
            raise ValueError("it takes a two-letter country code, or all")
        return value if value == "all" else check_country(value.upper())

    return Kind({"type": "string", "pattern": f"^(?:{COUNTRY.pattern})$"}, read)


MESSAGING_SERVICE = Parameter(
    "MessagingServiceSid", sid("MG"), "the messaging service that sends there", required=True
)
CREATE = (
    Parameter("Country", _country(), "two letters, or all for all the others", required=True),
    MESSAGING_SERVICE,
)
UPDATE = (MESSAGING_SERVICE,)


def create(asked: Asked, service_sid: str) -> Call:
    """Name the messaging service of a country."""
    command = CreateMessagingConfiguration(
        service_sid, asked.account_sid, asked.get("Country"), asked.get("MessagingServiceSid")
    )
    return Call(command, lambda made: show(made, asked, service_sid))


def list_all(asked: Asked, service_sid: str) -> Call:
    """List a service's messaging configurations, newest first."""
    source = ReadService(service_sid, asked.account_sid, lambda service: service.messaging)
    return listing(
        asked, "messaging_configurations", source, lambda each: show(each, asked, service_sid)
    )


def fetch(asked: Asked, service_sid: str, country: str) -> Call:
    """Show the messaging configuration of a country."""
    name = _named(country)
    reading = ReadService(
        service_sid,
        asked.account_sid,
        lambda service: find_messaging_configuration(service, name),
    )
    return Call(reading, lambda found: show(found, asked, service_sid))


def update(asked: Asked, service_sid: str, country: str) -> Call:
    """Name another messaging service for a country."""
    command = UpdateMessagingConfiguration(
        service_sid, asked.account_sid, _named(country), asked.get("MessagingServiceSid")
    )
    return Call(command, lambda changed: show(changed, asked, service_sid))


def delete(asked: Asked, service_sid: str, country: str) -> Call:
    """Leave a country to the configuration for all, or to none."""
    return Call(DeleteMessagingConfiguration(service_sid, asked.account_sid, _named(country)))


def show(found: MessagingConfiguration, asked: Asked, service_sid: str) -> dict[str, Any]:
    """Show a MessagingConfiguration resource, every key present."""
    parent = f"{asked.base_url}/v2/Services/{service_sid}/MessagingConfigurations"
    return {
        "account_sid": asked.account_sid,
        "service_sid": service_sid,
        "country": found.country,
        "messaging_service_sid": found.messaging_service_sid,
        "date_created": timestamp(found.created_at),
        "date_updated": timestamp(found.updated_at),
        "url": f"{parent}/{found.country}",
    }


def _named(country: str) -> str:
    if not COUNTRY.fullmatch(country):
        raise NotFound("messaging configuration")
    return country if country == "all" else country.upper()
