"""Secret keys: what is derived from them, and how a list of them is rotated."""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword.errors import ConfigurationError

KEY_BYTES = 32  # RFC 2104: a key as long as the hash's output loses nothing
NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits for a random AES-GCM nonce


class KeyDropped(ConfigurationError):
    """A value was sealed with a key that is no longer listed."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret with a public name, split into a subkey for each purpose."""

    id: str
    code: bytes = field(repr=False)
    custom_code: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)
    page: bytes = field(repr=False)
    token: bytes = field(repr=False)
    api_key: bytes = field(repr=False)
    receipt: bytes = field(repr=False)
    seal: AESGCM = field(repr=False)
    sign: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_secret(cls, secret: bytes) -> "Key":
        """Split a secret of at least 32 bytes into its subkeys."""
        if len(secret) < KEY_BYTES:
            raise ConfigurationError(
                f"a key needs {KEY_BYTES} bytes or more; make one with: openssl rand -base64 32",
                name="WATCHWORD_KEYS",
            )
        return cls(
            id=_subkey(secret, "id")[:4].hex(),
            code=_subkey(secret, "code"),
            custom_code=_subkey(secret, "custom code"),
            fingerprint=_subkey(secret, "fingerprint"),
            page=_subkey(secret, "page"),
            token=_subkey(secret, "auth token"),
            api_key=_subkey(secret, "api key"),
            receipt=_subkey(secret, "receipt"),
            seal=AESGCM(_subkey(secret, "seal")),
            sign=Ed25519PrivateKey.from_private_bytes(_subkey(secret, "sign")),
        )


class Keyring:
    """A list of keys, newest first: the newest makes, every one of them reads."""

    def __init__(self, keys: Sequence[Key]) -> None:
        if not keys:
            raise ConfigurationError("at least one key is needed", name="WATCHWORD_KEYS")
        self.newest = keys[0]
        self._by_id = {key.id: key for key in keys}
        self._keys = tuple(keys)

    @classmethod
    def from_secrets(cls, secrets: Sequence[bytes]) -> "Keyring":
        """Make a keyring of raw secrets, newest first."""
        return cls([Key.from_secret(secret) for secret in secrets])

    def get(self, key_id: str) -> Key | None:
        """Return the key of that name, or None when it has been dropped."""
        return self._by_id.get(key_id)

    def fingerprint(self, service_sid: str, to: str) -> str:
        """Name an address within a service, so that only who has the key can tell which it is."""
        return _fingerprint(self.newest.fingerprint, service_sid, to)

    def names(self, service_sid: str, to: str) -> tuple[str, ...]:
        """Return the names that every key gives the same address, newest first."""
        return tuple([_fingerprint(key.fingerprint, service_sid, to) for key in self._keys])

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def page_macs(self, text: str) -> tuple[str, ...]:
        """Return what proves to the hosted page that `text` came from us, newest key first."""
        return tuple(
            hmac.digest(key.page, text.encode(), "sha256")[:16].hex() for key in self._keys
        )

    def receipt_macs(self, attempt_sid: str) -> tuple[str, ...]:
        """Return what proves that we told a provider where to report on this, newest key first."""
        return tuple(
            hmac.digest(key.receipt, attempt_sid.encode(), "sha256")[:16].hex()
            for key in self._keys
        )

    def seal(self, text: str, *, bound_to: str) -> str:
        """Encrypt `text` so that it opens only beside the row it is `bound_to`."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.newest.seal.encrypt(nonce, text.encode(), bound_to.encode())
        return f"{self.newest.id}.{base64.b64encode(nonce + sealed).decode()}"

    def is_sealed_anew(self, sealed: str) -> bool:
        """Tell whether the newest key sealed it."""
        return sealed.startswith(f"{self.newest.id}.")

    def unseal(self, sealed: str, *, bound_to: str) -> str:
        """Decrypt what `seal` made; raise KeyDropped when its key is not at hand."""
        key_id, _, body = sealed.partition(".")
        key = self._by_id.get(key_id)
        if key is None:
            raise KeyDropped(
                f"the database names key {key_id}, which is not listed; put it back at the end",
                name="WATCHWORD_KEYS",
            )
        try:
            raw = base64.b64decode(body, validate=True)
            opened = key.seal.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as fault:
            raise ConfigurationError(
                "a sealed value was altered or moved to another row", name="WATCHWORD_KEYS"
            ) from fault
        return opened.decode()


def _subkey(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"watchword {purpose}".encode(), hashlib.sha256)


@lru_cache(maxsize=8192)  # a request asks for its address's name several times
def _fingerprint(secret: bytes, service_sid: str, to: str) -> str:
    return hmac.digest(secret, f"{service_sid} {to}".encode(), "sha256")[:16].hex()
