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
from watchword.errors import MissingAddress
from watchword.model import Channel, SendAttempt, Status, Verification
from watchword.phone import parse
from watchword.wire.http import Call, timestamp
from watchword.wire.parameters import Asked, Parameter, one_of, sid, text

SID = re.compile(r"VE[0-9a-fA-F]{32}", re.ASCII)
CHANNEL = one_of(*Channel)

CREATE = (
    Parameter("To", text(64), "the phone to verify, in E.164 form", required=True),
    Parameter("Channel", CHANNEL, "how the code travels", required=True),
    Parameter(
        "CustomCode",
        text(codes.LONGEST, codes.SHORTEST),
        "the code to send, where the service has CustomCodeEnabled; else ignored",
    ),
)
UPDATE = (
    Parameter(
        "Status", one_of("canceled", "approved"), "what the verification becomes", required=True
    ),
)
CHECK = (
    Parameter("Code", text(codes.LONGEST, codes.SHORTEST), "what the person typed", required=True),
    Parameter("To", text(64), "the phone to check; this or VerificationSid"),
    Parameter("VerificationSid", sid("VE"), "the verification to check; this or To"),
)


def create(asked: Asked, service_sid: str) -> Call:
    """Start a verification, or send an open one's code again."""
    command = StartVerification(
        service_sid=service_sid,
        account_sid=asked.account_sid,
        phone=parse(asked.get("To")),
        channel=Channel(asked.get("Channel")),
        custom_code=asked.get("CustomCode"),
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
        to=None if to is None else parse(to).e164,
        verification_sid=verification_sid,
    )
    return Call(command, show_check)


def show_started(started: Started, base_url: str) -> dict[str, Any]:
    """Show a verification that was just started."""
    return show_verification(started.verification, base_url)


def show_verification(verification: Verification, base_url: str) -> dict[str, Any]:
    """Show a Verification resource, every key present."""
    url = f"{base_url}/v2/Services/{verification.service_sid}/Verifications/{verification.sid}"
    return _common(verification) | {
        "lookup": {},
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
        "amount": None,
        "payee": None,
    }


def _show_send(send: SendAttempt) -> dict[str, Any]:
    # Twilio's examples write SMS and CALL in capitals, whatsapp in small letters.
    channel = "whatsapp" if send.channel is Channel.WHATSAPP else send.channel.upper()
    return {"time": timestamp(send.time), "channel": channel, "attempt_sid": send.sid}


def _named(name: str) -> dict[str, str]:
    """Read a path segment that holds either a verification's sid or the address it is for."""
    if SID.fullmatch(name):
        return {"verification_sid": "VE" + name[2:].lower()}
    return {"to": parse(name).e164}
