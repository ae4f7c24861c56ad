"""Names of what is made: sids in Twilio's form, and nonces."""

import os
import time


def new_sid(prefix: str) -> str:
    """Return a fresh sid: its prefix, then the millisecond and 80 random bits, 32 digits of hex.

    The time comes first, as in version 7 of RFC 9562, so that rows made together lie together in
    every index and one commit writes few pages; random names would scatter it over the whole
    database. Nobody is ever let in for knowing a sid.
    """
    return f"{prefix}{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def new_nonce() -> str:
    """Return 128 random bits in hex, for what nobody may guess or meet again."""
    return os.urandom(16).hex()
