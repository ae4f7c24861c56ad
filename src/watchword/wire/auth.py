"""HTTP Basic credentials, read from a header."""

import base64
from functools import lru_cache


@lru_cache(maxsize=256)  # a client sends the same header with every request
def read_basic(header: str) -> tuple[str, str] | None:
    """Return the user name and password of an Authorization header, or None when it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII, no UTF-8
        return None
    return (user, password) if colon else None
