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
from watchword.errors import InvalidParameter, MissingAddress
from watchword.model import Channel, SendAttempt, Status, Verification
from watchword.phone import parse
from watchword.wire.http import Call, Request, timestamp

SID = re.compile(r"VE[0-9a-f]{32}")


def create(request: Request, account_sid: str, service_sid: str) -> Call:
    """Start a verification, or send an open one's code again."""
    phone = parse(request.needed("To"))
    command = StartVerification(
        service_sid=service_sid,
        account_sid=account_sid,
        phone=phone,
        channel=_channel(request.needed("Channel")),
        custom_code=request.value("CustomCode"),
    )
    return Call(command, lambda started: show_started(started, request.base_url), status=201)


def fetch(request: Request, account_sid: str, service_sid: str, sid: str) -> Call:
    """Show a verification, named by its sid or by the address it is for."""
    command = FetchVerification(service_sid, account_sid, **_named(sid))
    return Call(command, lambda found: show_verification(found, request.base_url))


def update(request: Request, account_sid: str, service_sid: str, sid: str) -> Call:
    """Cancel or approve an open verification."""
    status = request.needed("Status")
    if status not in (Status.CANCELED, Status.APPROVED):
        raise InvalidParameter("Status", "it takes canceled or approved")
    command = CloseVerification(service_sid, account_sid, Status(status), **_named(sid))
    return Call(command, lambda closed: show_verification(closed, request.base_url))


def check(request: Request, account_sid: str, service_sid: str) -> Call:
    """Compare a code."""
    to, sid = request.value("To"), request.value("VerificationSid")
    if to is None and sid is None:
        raise MissingAddress
    code = request.needed("Code")
    if not codes.SHORTEST <= len(code) <= codes.LONGEST:
        raise InvalidParameter("Code", "a code has 4 to 10 characters")
    command = CheckCode(
        service_sid=service_sid,
        account_sid=account_sid,
        code=code,
        to=None if to is None else parse(to).e164,
        verification_sid=sid,
    )
    return Call(command, show_check, status=201)


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


def _channel(text: str) -> Channel:
    try:
        return Channel(text.lower())
    except ValueError as fault:
        raise InvalidParameter("Channel", "it takes sms, call or whatsapp") from fault


def _named(text: str) -> dict[str, str]:
    """Read a path segment that holds either a verification's sid or the address it is for."""
    if SID.fullmatch(text):
        return {"verification_sid": text}
    return {"to": parse(text).e164}
