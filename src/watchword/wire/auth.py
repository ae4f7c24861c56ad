"""HTTP Basic credentials: read from a header, compared with what the engine knows."""

import base64
import binascii
from functools import lru_cache

from watchword.codes import same
from watchword.errors import NotAuthenticated
from watchword.home import Credentials


@lru_cache(maxsize=256)  # a client sends the same header with every request
def read_basic(header: str) -> tuple[str, str] | None:
    """Return the user name and password of an Authorization header, or None when it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def authenticate(known: Credentials, given: tuple[str, str] | None) -> str:
    """Return the account sid whose credentials were given; refuse with NotAuthenticated."""
    if given is None:
        raise NotAuthenticated
    user, password = given
    if not (same(user, known.account_sid) & same(password, known.auth_token)):
        raise NotAuthenticated
    return known.account_sid
