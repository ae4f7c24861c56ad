"""One-time codes: derived from a key, never stored, compared in constant time."""

import hmac
import re
import unicodedata

from watchword.keys import Key

SHORTEST, LONGEST = 4, 10  # Twilio: CodeLength takes 4 to 10
LONGEST_PASTE = 1000  # characters; a message is shorter


def derive(key: Key, sid: str, nonce: str, length: int) -> str:
    """Return the code of a verification: the same for the same sid and nonce, for ever.

    This is RFC 4226's dynamic truncation over HMAC-SHA-256, taken eight bytes wide: the
    RFC's 31 bits do not fill ten digits, 63 bits do, with a bias below 10**-9.
    """
    digest = hmac.digest(key.code, f"{sid} {nonce}".encode(), "sha256")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 8]) & 0x7FFF_FFFF_FFFF_FFFF
    return str(number % 10**length).zfill(length)


def custom_mac(key: Key, sid: str, code: str) -> str:
    """Return what is kept of a caller's own code: it serves to recognise it, with the key."""
    return hmac.digest(key.custom_code, f"{sid} {code}".encode(), "sha256").hex()


def auth_token(key: Key, account_sid: str, nonce: str) -> str:
    """Return an account's auth token: derived like a code, so that none is stored.

    It has to be known again, in full, because webhooks are signed with it.
    """
    return hmac.digest(key.token, f"{account_sid} {nonce}".encode(), "sha256")[:16].hex()


def api_key_mac(key: Key, sid: str, secret: str) -> str:
    """Return what is kept of an API key's secret: it serves to recognise it, with the key."""
    return hmac.digest(key.api_key, f"{sid} {secret}".encode(), "sha256").hex()


def same(left: str, right: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


RUN = re.compile(r"\d+")
SPACED_RUN = re.compile(r"\d(?:[\s.\-\u2010-\u2015\u2212\u00b7]?\d)*")
BOUND_LINE = re.compile(r"#([0-9]{4,10})\b")  # the last line of a domain-bound message


def read(text: str, length: int) -> str:
    """Find the code in what a person typed or pasted, a whole message included.

    Digits of every script count. Returns the digits that are there when none fit the length, so
    that the answer can say how many a code has.
    """
    folded = "".join(_digit(character) for character in text[:LONGEST_PASTE])
    found = [*BOUND_LINE.findall(folded), *RUN.findall(folded)]
    found += [re.sub(r"\D", "", run) for run in SPACED_RUN.findall(folded)]
    fitting = next((run for run in found if len(run) == length), None)
    return fitting or re.sub(r"\D", "", folded)[: LONGEST + 1]


def _digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
