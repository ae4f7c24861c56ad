"""What a message centre's numbers and words mean: of a bind, a submission and a receipt. Pure."""

import re
from typing import Final

from watchword.model import Delivery
from watchword.record import Record
from watchword.senders.base import Receipt, Trouble
from watchword.senders.smpp_pdu import (
    MESSAGE_STATE,
    RECEIPTED_MESSAGE_ID,
    RESPONSE,
    ROK,
    SUBMIT_SM,
    Delivered,
    Pdu,
)

THROTTLED_SECONDS: Final = 1.0
TROUBLES: Final = {  # command_status of a submit_sm_resp (SMPP 3.4 §5.1.3)
    0x01: (Trouble.CONTENT, 21617),
    0x02: (Trouble.SETUP, None),
    0x03: (Trouble.SETUP, None),
    0x04: (Trouble.SETUP, None),
    0x07: (Trouble.SETUP, None),
    0x0A: (Trouble.SETUP, 21606),
    0x0B: (Trouble.RECIPIENT, 21211),
    0x14: (Trouble.BUSY, 30001),
    0x15: (Trouble.SETUP, None),
    0x43: (Trouble.SETUP, None),
    0x45: (Trouble.OUTAGE, 30008),
    0x48: (Trouble.SETUP, 21606),
    0x49: (Trouble.SETUP, 21606),
    0x50: (Trouble.RECIPIENT, 21211),
    0x51: (Trouble.RECIPIENT, 21211),
    0x53: (Trouble.SETUP, None),
    0x58: (Trouble.BUSY, 20429),
    0x62: (Trouble.SETUP, None),
    0x64: (Trouble.BUSY, 20503),
    0x65: (Trouble.CONTENT, None),
    0x66: (Trouble.CONTENT, None),
    0xC0: (Trouble.SETUP, None),
    0xC1: (Trouble.SETUP, None),
    0xC2: (Trouble.SETUP, None),
    0xC3: (Trouble.SETUP, None),
    0xC4: (Trouble.SETUP, None),
}
NOBODY_KNOWS: Final = (0x08, 0xFF)  # a system error, an unknown one: it may have been sent
BIND_TROUBLES: Final = {
    0x05: Trouble.SETUP,  # already bound: too many binds for this account
    0x0D: Trouble.CREDENTIALS,
    0x0E: Trouble.CREDENTIALS,
    0x0F: Trouble.CREDENTIALS,
    0x53: Trouble.SETUP,
    0x58: Trouble.BUSY,
}
STATES: Final = {  # a receipt's `stat` and message_state (Appendix B, §5.2.28)
    "ENROUTE": (Delivery.SENT, None, None),
    "ACCEPTD": (Delivery.SENT, None, None),
    "DELIVRD": (Delivery.DELIVERED, None, None),
    "EXPIRED": (Delivery.UNDELIVERED, Trouble.RECIPIENT, 30003),
    "DELETED": (Delivery.UNDELIVERED, Trouble.OUTAGE, 30008),
    "UNDELIV": (Delivery.UNDELIVERED, Trouble.RECIPIENT, 30003),
    "REJECTD": (Delivery.UNDELIVERED, Trouble.CONTENT, 30007),
}
NUMBERED: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    8: "REJECTD",
}
REPORT: Final = re.compile(
    r"\bid:\s*(?P<id>\S+).*?\bstat:\s*(?P<stat>[A-Z]+)", re.IGNORECASE | re.DOTALL
)


class Report(Record, frozen=True):
    """A delivery receipt. `as_answered` says that the id is written as the answer wrote it."""

    message_id: str
    as_answered: bool
    status: Delivery
    trouble: Trouble | None
    error_code: int | None


def read_refusal(status: int) -> Receipt:
    """Say why a bind was refused: nothing can have been sent."""
    trouble = BIND_TROUBLES.get(status, Trouble.CREDENTIALS)
    code = 20003 if trouble is Trouble.CREDENTIALS else None
    return Receipt.failed(trouble, code, f"bind refused with {shown(status)}")


def read_answer(answer: Pdu, message_id: str | None) -> Receipt:
    """Say what the answer to a submit_sm means."""
    if answer.status == ROK and answer.command == SUBMIT_SM | RESPONSE:
        return Receipt.sent(message_id)
    words = f"answered {shown(answer.status)}"
    if answer.status in NOBODY_KNOWS:
        return Receipt.unknown(Trouble.OUTAGE, words)
    trouble, code = TROUBLES.get(answer.status, (Trouble.CONTENT, None))
    after = THROTTLED_SECONDS if trouble is Trouble.BUSY else None
    return Receipt.failed(trouble, code, words, retry_after=after)


def read_report(delivered: Delivered) -> Report | None:
    """Read a receipt from its parameters, else from its words; None for what is none."""
    found = REPORT.search(delivered.text.decode("latin-1"))
    given = delivered.options.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    state = delivered.options.get(MESSAGE_STATE, b"")
    stat = NUMBERED.get(state[0], "") if state else ""
    stat = stat or (found["stat"].upper() if found else "")
    message_id = given or (found["id"] if found else "")
    if not (delivered.is_receipt or given) or not message_id or stat not in STATES:
        return None
    return Report(message_id, bool(given), *STATES[stat])


def shown(status: int) -> str:
    """Write a command_status as the specification does."""
    return f"{status:#04x}"
