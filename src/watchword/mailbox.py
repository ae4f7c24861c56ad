"""E-mail addresses: one canonical form, or a refusal; and the choice between one and a phone."""

import re

from watchword.errors import InvalidParameter
from watchword.phone import Phone, parse
from watchword.record import Record

LONGEST = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
SHAPE = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]",
    re.ASCII,
)


class Mailbox(Record, frozen=True):
    """An e-mail address in small letters: another spelling must not mean another five guesses."""

    to: str
    country: str = ""
    line_type: str = "email"


Address = Phone | Mailbox


def parse_address(text: str) -> Address:
    """Return the phone or the mailbox that `text` names; refuse with InvalidParameter("To")."""
    if "@" not in text:
        return parse(text)
    if len(text) > LONGEST or not SHAPE.fullmatch(text) or ".." in text:
        raise InvalidParameter("To", "this is not an e-mail address")
    return Mailbox(text.lower())


def mask_mailbox(address: str) -> str:
    """Hide an address for pages: its first letter and its host stay."""
    name, _, host = address.partition("@")
    return f"{name[:1]}{'•' * max(len(name) - 1, 1)}@{host}"
