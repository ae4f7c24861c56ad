"""Whose a command is and what it is about: by that places are shared out."""

from typing import Any

from watchword.commands.base import Command
from watchword.commands.operator import TakeLogin
from watchword.commands.pages import LookAtPage, StepOnPage
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification

STARTS = (StartVerification, GuardedStart)
OF_VISITORS = (LookAtPage, StepOnPage, TakeLogin)  # of whom no account is known
UNKNOWN = ""  # the account that all of them are


def account_of(command: Command[Any]) -> str | None:
    """Return the account that a command comes from; None for one of our own."""
    account: str | None = getattr(command, "account_sid", None)
    return account or (UNKNOWN if isinstance(command, OF_VISITORS) else None)


def address_of(command: Command[Any]) -> str:
    """Return the address that a start or a check is about, or "" where it names none."""
    asked: Any = command.start if isinstance(command, GuardedStart) else command
    match asked:
        case StartVerification():
            return asked.phone.to
        case CheckCode():
            return asked.to or ""
    return ""
