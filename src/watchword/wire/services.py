"""Services: a tenant's settings, made, listed, changed and deleted."""

import re
from collections.abc import Mapping
from typing import Any

from watchword import codes
from watchword.commands.reading import ReadOne
from watchword.commands.services import CreateService, DeleteService, UpdateService
from watchword.errors import InvalidParameter
from watchword.numbering import check_country
from watchword.store.base import Query
from watchword.tenants import (
    LONGEST_NAME,
    MOST_DIGITS_IN_A_NAME,
    Service,
    ServiceSettings,
)
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import listing
from watchword.wire.parameters import (
    Asked,
    Kind,
    Parameter,
    boolean,
    integer,
    one_of,
    sid,
    text,
)

NAME = re.compile(r"[\w -]+")
COUNTRIES = re.compile(r"[A-Za-z]{2}(?:,[A-Za-z]{2})*", re.ASCII)


def _friendly_name() -> Kind:
    def read(value: str) -> str:
        if not 1 <= len(value) <= LONGEST_NAME:
            raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
        if not NAME.fullmatch(value):
            raise ValueError("a name holds letters, digits, spaces, dashes and underscores")
        if sum(character.isdigit() for character in value) > MOST_DIGITS_IN_A_NAME:
            raise ValueError(f"a name holds {MOST_DIGITS_IN_A_NAME} digits at most")
        return value

    return Kind({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}, read)


def _countries() -> Kind:
    def read(value: str) -> tuple[str, ...]:
        if not COUNTRIES.fullmatch(value):
            raise ValueError("it takes two-letter country codes with commas between")
        return tuple(sorted(set(map(check_country, value.upper().split(",")))))

    return Kind({"type": "string", "pattern": f"^{COUNTRIES.pattern}$"}, read)


def _comma_list() -> Kind:
    line = text()
    return Kind(
        line.schema, lambda value: tuple(part.strip() for part in line.read(value).split(","))
    )


_NEED = ("required", "preferred", "discouraged")

# The parameter of each setting, under the name of its field in ServiceSettings.
SETTINGS: Mapping[str, Parameter] = {
    "lookup_enabled": Parameter("LookupEnabled", boolean(), "look the number up at each start"),
    "skip_sms_to_landlines": Parameter(
        "SkipSmsToLandlines", boolean(), "refuse SMS to landlines (60205); needs LookupEnabled"
    ),
    "dtmf_input_required": Parameter(
        "DtmfInputRequired", boolean(), "a call asks for a key before it reads the code"
    ),
    "tts_name": Parameter("TtsName", text(64), "the voice that reads the code", clears=True),
    "psd2_enabled": Parameter("Psd2Enabled", boolean(), "Amount and Payee are needed (60206)"),
    "do_not_share_warning_enabled": Parameter(
        "DoNotShareWarningEnabled", boolean(), "end an SMS with a warning not to share the code"
    ),
    "push_include_date": Parameter("Push.IncludeDate", boolean(), "kept for push factors"),
    "push_apn_credential_sid": Parameter(
        "Push.ApnCredentialSid", sid("CR"), "kept for push factors", clears=True
    ),
    "push_fcm_credential_sid": Parameter(
        "Push.FcmCredentialSid", sid("CR"), "kept for push factors", clears=True
    ),
    "totp_issuer": Parameter("Totp.Issuer", text(128), "kept for TOTP factors", clears=True),
    "totp_time_step": Parameter("Totp.TimeStep", integer(20, 60), "kept for TOTP factors"),
    "totp_code_length": Parameter("Totp.CodeLength", integer(3, 8), "kept for TOTP factors"),
    "totp_skew": Parameter("Totp.Skew", integer(0, 2), "kept for TOTP factors"),
    "default_template_sid": Parameter(
        "DefaultTemplateSid", sid("HJ"), "the template of each SMS that names none", clears=True
    ),
    "whatsapp_msg_service_sid": Parameter(
        "Whatsapp.MsgServiceSid", sid("MG"), "the messaging service for WhatsApp", clears=True
    ),
    "whatsapp_from": Parameter("Whatsapp.From", text(64), "the WhatsApp sender", clears=True),
    "relying_party_id": Parameter(
        "Passkeys.RelyingParty.Id", text(255), "kept for passkeys", clears=True
    ),
    "relying_party_name": Parameter(
        "Passkeys.RelyingParty.Name", text(255), "kept for passkeys", clears=True
    ),
    "relying_party_origins": Parameter(
        "Passkeys.RelyingParty.Origins", _comma_list(), "kept for passkeys", clears=True
    ),
    "authenticator_attachment": Parameter(
        "Passkeys.AuthenticatorAttachment",
        one_of("platform", "cross-platform", "any"),
        "kept for passkeys",
        clears=True,
    ),
    "discoverable_credentials": Parameter(
        "Passkeys.DiscoverableCredentials", one_of(*_NEED), "kept for passkeys", clears=True
    ),
    "user_verification": Parameter(
        "Passkeys.UserVerification", one_of(*_NEED), "kept for passkeys", clears=True
    ),
    "verify_event_subscription_enabled": Parameter(
        "VerifyEventSubscriptionEnabled", boolean(), "send verification events to webhooks"
    ),
    "allowed_countries": Parameter(
        "AllowedCountries",
        _countries(),
        "only these may be sent to (60605)",
        clears=True,
        extension=True,
    ),
    "blocked_countries": Parameter(
        "BlockedCountries",
        _countries(),
        "these may not be sent to (60605)",
        clears=True,
        extension=True,
    ),
}
FRIENDLY_NAME = Parameter(
    "FriendlyName", _friendly_name(), "the name in the message", required=True
)
CODE = (
    Parameter("CodeLength", integer(codes.SHORTEST, codes.LONGEST), "digits in a code"),
    Parameter("CustomCodeEnabled", boolean(), "whether CustomCode is listened to"),
)
CREATE = (FRIENDLY_NAME, *CODE, *SETTINGS.values())
UPDATE = (FRIENDLY_NAME.optional(), *CODE, *SETTINGS.values())


def create(asked: Asked) -> Call:
    """Make a service."""
    command = CreateService(asked.account_sid, _fields(asked), _settings(asked))
    return Call(command, lambda service: show(service, asked.base_url))


def fetch(asked: Asked, service_sid: str) -> Call:
    """Show a service."""
    query = Query(Service, {"sid": service_sid, "account_sid": asked.account_sid})
    return Call(ReadOne(query, "service"), lambda service: show(service, asked.base_url))


def list_all(asked: Asked) -> Call:
    """List the account's services, newest first."""
    query = Query(Service, {"account_sid": asked.account_sid})
    return listing(asked, "services", query, lambda service: show(service, asked.base_url))


def update(asked: Asked, service_sid: str) -> Call:
    """Change what is given of a service."""
    command = UpdateService(service_sid, asked.account_sid, _fields(asked), _settings(asked))
    return Call(command, lambda service: show(service, asked.base_url))


def delete(asked: Asked, service_sid: str) -> Call:
    """Delete a service with everything under it."""
    return Call(DeleteService(service_sid, asked.account_sid))


def show(service: Service, base_url: str) -> dict[str, Any]:
    """Show a Service resource, every key present."""
    url = f"{base_url}/v2/Services/{service.sid}"
    settings = service.settings
    return {
        "sid": service.sid,
        "account_sid": service.account_sid,
        "friendly_name": service.friendly_name,
        "code_length": service.code_length,
        "lookup_enabled": settings.lookup_enabled,
        "psd2_enabled": settings.psd2_enabled,
        "skip_sms_to_landlines": settings.skip_sms_to_landlines,
        "dtmf_input_required": settings.dtmf_input_required,
        "tts_name": settings.tts_name,
        "do_not_share_warning_enabled": settings.do_not_share_warning_enabled,
        "custom_code_enabled": service.custom_code_enabled,
        "push": {
            "include_date": settings.push_include_date,
            "apn_credential_sid": settings.push_apn_credential_sid,
            "fcm_credential_sid": settings.push_fcm_credential_sid,
        },
        "totp": {
            "issuer": settings.totp_issuer,
            "time_step": settings.totp_time_step,
            "code_length": settings.totp_code_length,
            "skew": settings.totp_skew,
        },
        "whatsapp": {
            "msg_service_sid": settings.whatsapp_msg_service_sid,
            "from": settings.whatsapp_from,
        },
        "passkeys": _show_passkeys(settings),
        "default_template_sid": settings.default_template_sid,
        "verify_event_subscription_enabled": settings.verify_event_subscription_enabled,
        "date_created": timestamp(service.created_at),
        "date_updated": timestamp(service.updated_at),
        "url": url,
        "links": {
            "verification_checks": f"{url}/VerificationCheck",
            "verifications": f"{url}/Verifications",
            "rate_limits": f"{url}/RateLimits",
            "messaging_configurations": f"{url}/MessagingConfigurations",
            "entities": f"{url}/Entities",
            "webhooks": f"{url}/Webhooks",
            "access_tokens": f"{url}/AccessTokens",
        },
        # ours
        "allowed_countries": list(settings.allowed_countries),
        "blocked_countries": list(settings.blocked_countries),
    }


def _show_passkeys(settings: ServiceSettings) -> dict[str, Any]:
    return {
        "relying_party": {
            "id": settings.relying_party_id,
            "name": settings.relying_party_name,
            "origins": list(settings.relying_party_origins),
        },
        "authenticator_attachment": settings.authenticator_attachment,
        "discoverable_credentials": settings.discoverable_credentials,
        "user_verification": settings.user_verification,
    }


def _fields(asked: Asked) -> dict[str, Any]:
    """Return what was given of the fields that every verification needs."""
    names = {
        "FriendlyName": "friendly_name",
        "CodeLength": "code_length",
        "CustomCodeEnabled": "custom_code_enabled",
    }
    return {field: asked.get(name) for name, field in names.items() if name in asked.values}


def _settings(asked: Asked) -> dict[str, Any]:
    """Return what was given of the settings; an emptied list is an empty one."""
    given = {
        field: asked.get(parameter.name)
        for field, parameter in SETTINGS.items()
        if parameter.name in asked.values
    }
    for field in ("relying_party_origins", "allowed_countries", "blocked_countries"):
        if field in given and given[field] is None:
            given[field] = ()
    overlap = set(given.get("allowed_countries", ())) & set(given.get("blocked_countries", ()))
    if overlap:
        raise InvalidParameter("BlockedCountries", "a country is both allowed and blocked")
    return given
