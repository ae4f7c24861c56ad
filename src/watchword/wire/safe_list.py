"""The safe list: numbers that no limit and no country list holds up."""

from typing import Any

from watchword.commands.safe_list import AddSafeNumber, FetchSafeNumber, RemoveSafeNumber
from watchword.errors import InvalidParameter, NotFound
from watchword.model import SafeNumber
from watchword.phone import parse
from watchword.wire.http import Call
from watchword.wire.parameters import Asked, Parameter, text

CREATE = (Parameter("PhoneNumber", text(64), "the number, in E.164 form", required=True),)


def create(asked: Asked) -> Call:
    """Add a number to the safe list."""
    try:
        number = parse(asked.get("PhoneNumber")).e164
    except InvalidParameter as fault:
        raise InvalidParameter("PhoneNumber", str(fault)) from fault
    command = AddSafeNumber(asked.account_sid, number)
    return Call(command, lambda found: show(found, number, asked.base_url))


def fetch(asked: Asked, name: str) -> Call:
    """Show a number of the safe list."""
    number = _named(name)
    command = FetchSafeNumber(asked.account_sid, number)
    return Call(command, lambda found: show(found, number, asked.base_url))


def delete(asked: Asked, name: str) -> Call:
    """Take a number off the safe list."""
    return Call(RemoveSafeNumber(asked.account_sid, _named(name)))


def show(found: SafeNumber, number: str, base_url: str) -> dict[str, Any]:
    """Show a Safelist resource; the number is the caller's own, for none is stored."""
    return {
        "sid": found.sid,
        "phone_number": number,
        "url": f"{base_url}/v2/SafeList/Numbers/{number}",
    }


def _named(name: str) -> str:
    try:
        return parse(name).e164
    except InvalidParameter as fault:
        raise NotFound("safe number") from fault
