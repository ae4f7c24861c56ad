"""Verifications and VerificationCheck: forms to commands, records to Twilio's JSON."""

import re
from typing import Any

from watchword import codes
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    FetchVerification,
    Started,
    StartVerification,
)
from watchword.errors import InvalidParameter, MissingAddress, NotFound, SnaUnavailable
from watchword.mailbox import LONGEST, Mailbox, parse_address
from watchword.model import Channel, Details, SendAttempt, Status, Verification, Wording
from watchword.texts.languages import find_language
from watchword.wire.http import Call, timestamp
from watchword.wire.parameters import (
    Asked,
    Parameter,
    boolean,
    ip_address,
    json_object,
    one_of,
    sid,
    text,
)

SID = re.compile(r"VE[0-9a-fA-F]{32}", re.ASCII)
TO = text(LONGEST)
MOST_TAGS, LONGEST_TAG = 10, 128  # Twilio's numbers
LONGEST_VALUE = 256
NOT_SERVED = ("sna", "auto")  # Twilio's channels beside ours

CREATE = (
    Parameter("To", TO, "the phone in E.164 form, or the e-mail address", required=True),
    Parameter("Channel", one_of(*Channel, *NOT_SERVED), "how the code travels", required=True),
    Parameter("CustomFriendlyName", text(30), "the name in this message"),
    Parameter("CustomMessage", text(), "ignored: deprecated by Twilio, templates do it"),
    Parameter("SendDigits", text(32, 1, "[0-9wW#*]+"), "dialled once a call is answered"),
    Parameter("Locale", text(35), "the language; else the country's; unknown ones are refused"),
    Parameter(
        "CustomCode",
        text(codes.LONGEST, codes.SHORTEST),
        "the code to send, where the service has CustomCodeEnabled; else ignored",
    ),
    Parameter("Amount", text(32), "what is paid, where the service has Psd2Enabled"),
    Parameter("Payee", text(64), "to whom, where the service has Psd2Enabled"),
    Parameter("RateLimits", json_object(), "a value for each rate limit that is to count this"),
    Parameter("ChannelConfiguration", json_object(), "for e-mail: from, from_name"),
    Parameter("AppHash", text(11, 11, "[A-Za-z0-9+/]{11}"), "ends an SMS for Android (60602)"),
    Parameter("TemplateSid", sid("HJ"), "the operator's template; SMS and calls (60408)"),
    Parameter("TemplateCustomSubstitutions", json_object(), "ignored: templates hold no others"),
    Parameter("DeviceIp", ip_address(), "checked, and used by no channel that is served"),
    Parameter("EnableSnaClientToken", boolean(), "ignored: sna is not served"),
    Parameter("RiskCheck", one_of("enable", "disable"), "disable lets an SMS go to any country"),
    Parameter("Tags", json_object(), "up to ten names and values, repeated in events"),
)
UPDATE = (
    Parameter(
        "Status", one_of("canceled", "approved"), "what the verification becomes", required=True
    ),
)
CHECK = (
    Parameter("Code", text(codes.LONGEST, codes.SHORTEST), "what the person typed", required=True),
    Parameter("To", TO, "the address to check; this or VerificationSid"),
    Parameter("VerificationSid", sid("VE"), "the verification to check; this or To"),
    Parameter("Amount", text(32), "as at the start, where the service has Psd2Enabled"),
    Parameter("Payee", text(64), "as at the start, where the service has Psd2Enabled"),
    Parameter("SnaClientToken", text(), "ignored: sna is not served"),
)


def create(asked: Asked, service_sid: str) -> Call:
    """Start a verification, or send an open one's code again."""
    channel = _channel(asked.get("Channel"))
    mail_from, mail_name = _mail(asked.get("ChannelConfiguration", {}))
    command = StartVerification(
        service_sid=service_sid,
        account_sid=asked.account_sid,
        phone=parse_address(asked.get("To")),
        channel=channel,
        custom_code=asked.get("CustomCode"),
        wording=Wording(
            locale=_locale(asked.get("Locale"), channel),
            friendly_name=asked.get("CustomFriendlyName"),
            template=asked.get("TemplateSid"),
            app_hash=asked.get("AppHash"),
            send_digits=asked.get("SendDigits"),
            mail_from=mail_from,
            mail_name=mail_name,
        ),
        details=Details(
            amount=asked.get("Amount"),
            payee=asked.get("Payee"),
            locale=asked.get("Locale"),
            tags=_tags(asked.get("Tags", {})),
        ),
        limited_by=_limited_by(asked.get("RateLimits", {})),
        risk_check=asked.get("RiskCheck") != "disable",
    )
    return Call(command, lambda started: show_started(started, asked.base_url))


def fetch(asked: Asked, service_sid: str, name: str) -> Call:
    """Show a verification, named by its sid or by the address it is for."""
    command = FetchVerification(service_sid, asked.account_sid, **_named(name))
    return Call(command, lambda found: show_verification(found, asked.base_url))


def update(asked: Asked, service_sid: str, name: str) -> Call:
    """Cancel or approve an open verification."""
    status = Status(asked.get("Status"))
    command = CloseVerification(service_sid, asked.account_sid, status, **_named(name))
    return Call(command, lambda closed: show_verification(closed, asked.base_url))


def check(asked: Asked, service_sid: str) -> Call:
    """Compare a code."""
    to, verification_sid = asked.get("To"), asked.get("VerificationSid")
    if to is None and verification_sid is None:
        raise MissingAddress
    command = CheckCode(
        service_sid=service_sid,
        account_sid=asked.account_sid,
        code=asked.get("Code"),
        to=None if to is None else parse_address(to).to,
        verification_sid=verification_sid,
        amount=asked.get("Amount"),
        payee=asked.get("Payee"),
    )
    return Call(command, show_check)


def show_started(started: Started, base_url: str) -> dict[str, Any]:
    """Show a verification that was just started."""
    return show_verification(started.verification, base_url)


def show_verification(verification: Verification, base_url: str) -> dict[str, Any]:
    """Show a Verification resource, every key present."""
    url = f"{base_url}/v2/Services/{verification.service_sid}/Verifications/{verification.sid}"
    return _common(verification) | {
        "lookup": _show_lookup(verification),
        "send_code_attempts": [_show_send(send) for send in verification.sends],
        "sna": None,
        "url": url,
    }


def show_check(verification: Verification) -> dict[str, Any]:
    """Show a VerificationCheck resource: without url, lookup and send_code_attempts."""
    return _common(verification) | {"sna_attempts_error_codes": []}


def _common(verification: Verification) -> dict[str, Any]:
    return {
        "sid": verification.sid,
        "service_sid": verification.service_sid,
        "account_sid": verification.account_sid,
        "to": verification.to,
        "channel": verification.channel,
        "status": verification.status,
        "valid": verification.status is Status.APPROVED,
        "date_created": timestamp(verification.created_at),
        "date_updated": timestamp(verification.updated_at),
        "amount": verification.details.amount,
        "payee": verification.details.payee,
    }


def _show_send(send: SendAttempt) -> dict[str, Any]:
    # Twilio's examples write SMS and CALL in capitals, whatsapp in small letters.
    channel = "whatsapp" if send.channel is Channel.WHATSAPP else send.channel.upper()
    return {"time": timestamp(send.time), "channel": channel, "attempt_sid": send.sid}


def _show_lookup(verification: Verification) -> dict[str, Any]:
    """Show what the digits tell of the line; the carrier's name would need the carrier."""
    if verification.details.line_type is None:
        return {}
    unknown = ("mobile_country_code", "mobile_network_code", "name", "error_code")
    return {"carrier": dict.fromkeys(unknown) | {"type": verification.details.line_type}}


def _channel(name: str) -> Channel:
    if name == "sna":
        raise SnaUnavailable
    if name == "auto":
        raise InvalidParameter("Channel", f"it takes {', '.join(Channel)}")
    return Channel(name)


def _locale(name: str | None, channel: Channel) -> str | None:
    if name is not None and channel is not Channel.EMAIL and find_language(name) is None:
        raise InvalidParameter("Locale", "there are no texts in this language")
    return name


def _tags(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if len(given) > MOST_TAGS:
        raise InvalidParameter("Tags", f"it takes {MOST_TAGS} tags at most")
    for name, value in given.items():
        if not isinstance(value, str) or max(len(name), len(value)) > LONGEST_TAG:
            raise InvalidParameter("Tags", f"names and values have {LONGEST_TAG} characters")
    return tuple(sorted(given.items()))


def _limited_by(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    for value in given.values():
        if isinstance(value, dict | list) or value is None:
            raise InvalidParameter("RateLimits", "it takes one text or number for each name")
        if len(str(value)) > LONGEST_VALUE:
            raise InvalidParameter("RateLimits", f"a value has {LONGEST_VALUE} characters")
    return tuple(sorted((name, str(value)) for name, value in given.items()))


def _mail(given: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the address and the name that an e-mail is to come from."""
    name = given.get("from_name")
    if name is not None and not (isinstance(name, str) and name.isprintable() and len(name) <= 64):
        raise InvalidParameter("ChannelConfiguration", "its from_name is not a plain name")
    sender = given.get("from")
    if sender is None:
        return None, name
    try:
        address = parse_address(str(sender))
    except InvalidParameter:
        address = None
    if not isinstance(address, Mailbox):
        raise InvalidParameter("ChannelConfiguration", "its from is not an e-mail address")
    return address.to, name


def _named(name: str) -> dict[str, str]:
    """Read a path segment that holds either a verification's sid or the address it is for."""
    if SID.fullmatch(name):
        return {"verification_sid": "VE" + name[2:].lower()}
    try:
        return {"to": parse_address(name).to}
    except InvalidParameter as fault:
        raise NotFound from fault
