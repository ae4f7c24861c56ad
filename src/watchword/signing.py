"""Results signed so that an app checks them by itself: EdDSA JSON Web Tokens and their key set."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from watchword.keys import Key, Keyring


def sign(keyring: Keyring, claims: Mapping[str, Any]) -> str:
    """Return these claims as a token, signed with the newest key."""
    key = keyring.newest
    head = {"alg": "EdDSA", "typ": "JWT", "kid": key.id}
    body = f"{_pack(head)}.{_pack(claims)}"
    return f"{body}.{_base64(key.sign.sign(body.encode()))}"


def read(keyring: Keyring, token: str) -> dict[str, Any] | None:
    """Return the claims of a token that one of our keys signed, or None; times are the caller's."""
    body, _, signature = token.rpartition(".")
    head, _, claims = body.partition(".")
    try:
        key = keyring.get(str(_unpack(head).get("kid")))
        if key is None:
            return None
        key.sign.public_key().verify(_bytes(signature), body.encode())
        return _unpack(claims)
    except (InvalidSignature, ValueError, binascii.Error, AttributeError):
        return None


def public_keys(keyring: Keyring) -> dict[str, object]:
    """Return the JWK set (RFC 7517, RFC 8037) that tokens of every listed key verify with."""
    return {"keys": [_jwk(key) for key in keyring]}


def _jwk(key: Key) -> dict[str, str]:
    public = key.sign.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shape = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
    return shape | {"kid": key.id, "x": _base64(public)}


def _pack(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _unpack(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_bytes(text))
    return found


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
