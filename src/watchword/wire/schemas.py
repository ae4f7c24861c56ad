"""What each resource looks like in an answer, as JSON Schema: every key there, none beside them."""

from collections.abc import Mapping
from typing import Any

from watchword.model import Channel, Status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES_OR_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
URL: Schema = {"type": "string", "format": "uri"}
COUNTRIES: Schema = {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2}$"}}


def sid(prefix: str) -> Schema:
    """Describe a sid."""
    return {"type": "string", "pattern": f"^{prefix}[0-9a-f]{{32}}$"}


def maybe(schema: Schema) -> Schema:
    """Describe what may also be null."""
    if "enum" in schema:
        return schema | {"type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def many(items: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": items}


def words(*choices: str) -> Schema:
    """Describe one of some words."""
    return {"type": "string", "enum": list(choices)}


def record(**properties: Schema) -> Schema:
    """Describe an object that has all of these keys and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def links(*names: str) -> Schema:
    """Describe the links of a resource."""
    return record(**dict.fromkeys(names, URL))


DATES = {"date_created": MOMENT, "date_updated": MOMENT}
OWNED = {"account_sid": sid("AC"), "service_sid": sid("VA")}

_VERIFICATION: dict[str, Schema] = {
    "sid": sid("VE"),
    **OWNED,
    "to": TEXT,
    "channel": words(*Channel),
    "status": words(*Status),
    "valid": YES_OR_NO,
    **DATES,
    "amount": maybe(TEXT),
    "payee": maybe(TEXT),
}
VERIFICATION = record(
    **_VERIFICATION,
    lookup={"type": "object"},
    send_code_attempts=many(record(time=MOMENT, channel=TEXT, attempt_sid=sid("VL"))),
    sna=maybe({"type": "object"}),
    url=URL,
)
VERIFICATION_CHECK = record(
    **_VERIFICATION, sna_attempts_error_codes=maybe(many({"type": "object"}))
)
SERVICE = record(
    sid=sid("VA"),
    account_sid=sid("AC"),
    friendly_name=TEXT,
    code_length=WHOLE,
    lookup_enabled=YES_OR_NO,
    psd2_enabled=YES_OR_NO,
    skip_sms_to_landlines=YES_OR_NO,
    dtmf_input_required=YES_OR_NO,
    tts_name=maybe(TEXT),
    do_not_share_warning_enabled=YES_OR_NO,
    custom_code_enabled=YES_OR_NO,
    push=record(
        include_date=maybe(YES_OR_NO),
        apn_credential_sid=maybe(sid("CR")),
        fcm_credential_sid=maybe(sid("CR")),
    ),
    totp=record(
        issuer=maybe(TEXT), time_step=maybe(WHOLE), code_length=maybe(WHOLE), skew=maybe(WHOLE)
    ),
    whatsapp=record(**{"msg_service_sid": maybe(sid("MG")), "from": maybe(TEXT)}),
    passkeys=record(
        relying_party=record(id=maybe(TEXT), name=maybe(TEXT), origins=many(TEXT)),
        authenticator_attachment=maybe(TEXT),
        discoverable_credentials=maybe(TEXT),
        user_verification=maybe(TEXT),
    ),
    default_template_sid=maybe(sid("HJ")),
    verify_event_subscription_enabled=YES_OR_NO,
    **DATES,
    url=URL,
    links=links(
        "verification_checks",
        "verifications",
        "rate_limits",
        "messaging_configurations",
        "entities",
        "webhooks",
        "access_tokens",
    ),
    allowed_countries=COUNTRIES,
    blocked_countries=COUNTRIES,
)
RATE_LIMIT = record(
    sid=sid("RK"),
    **OWNED,
    unique_name=TEXT,
    description=maybe(TEXT),
    **DATES,
    url=URL,
    links=links("buckets"),
)
BUCKET = record(
    sid=sid("BL"), rate_limit_sid=sid("RK"), **OWNED, max=WHOLE, interval=WHOLE, **DATES, url=URL
)
WEBHOOK = record(
    sid=sid("YW"),
    **OWNED,
    friendly_name=TEXT,
    event_types=many(TEXT),
    status=words("enabled", "disabled"),
    version=words("v1", "v2"),
    webhook_url=URL,
    webhook_method=words("GET", "POST"),
    **DATES,
    url=URL,
)
MESSAGING_CONFIGURATION = record(
    **OWNED, country=TEXT, messaging_service_sid=sid("MG"), **DATES, url=URL
)
SAFELIST = record(sid=sid("GN"), phone_number=TEXT, url=URL)
TEMPLATE = record(
    sid=sid("HJ"),
    account_sid=sid("AC"),
    friendly_name=TEXT,
    channels=many(TEXT),
    translations={"type": "object"},
)
ATTEMPT = record(
    sid=sid("VL"),
    **OWNED,
    verification_sid=sid("VE"),
    **DATES,
    conversion_status=words("converted", "unconverted"),
    channel=words("sms", "call", "email", "whatsapp", "rbm"),
    price=maybe({"type": "object"}),
    channel_data={"type": "object"},
    url=URL,
)
SUMMARY = record(
    total_attempts=WHOLE,
    total_converted=WHOLE,
    total_unconverted=WHOLE,
    conversion_rate_percentage=TEXT,
    url=URL,
)
ERROR = record(code=WHOLE, message=TEXT, more_info=URL, status=WHOLE)
META = record(
    page=WHOLE,
    page_size=WHOLE,
    first_page_url=URL,
    previous_page_url=maybe(URL),
    url=URL,
    next_page_url=maybe(URL),
    key=TEXT,
)

# A resource's name in the route table → what an answer shows of it.
RESOURCES: Mapping[str, Schema] = {
    "Service": SERVICE,
    "Verification": VERIFICATION,
    "VerificationCheck": VERIFICATION_CHECK,
    "RateLimit": RATE_LIMIT,
    "Bucket": BUCKET,
    "Webhook": WEBHOOK,
    "MessagingConfiguration": MESSAGING_CONFIGURATION,
    "Safelist": SAFELIST,
    "VerificationTemplate": TEMPLATE,
    "VerificationAttempt": ATTEMPT,
    "VerificationAttemptsSummary": SUMMARY,
}
