"""One-time codes: derived from a key, never stored, compared in constant time."""

import hmac

from watchword.keys import Key

SHORTEST, LONGEST = 4, 10  # Twilio: CodeLength takes 4 to 10


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


def same(left: str, right: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
