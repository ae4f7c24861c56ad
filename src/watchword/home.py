"""The files in WATCHWORD_HOME that are not the database: keys and the default credentials."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from watchword.errors import ConfigurationError
from watchword.keys import KEY_BYTES


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an SDK needs to talk to the embedded default."""

    account_sid: str
    auth_token: str = field(repr=False)
    service_sid: str

    @classmethod
    def new(cls) -> "Credentials":
        """Make fresh ones."""
        return cls(
            account_sid=f"AC{secrets.token_hex(16)}",
            auth_token=secrets.token_hex(16),
            service_sid=f"VA{secrets.token_hex(16)}",
        )


def keys_in(home: Path) -> tuple[bytes, ...]:
    """Return the secrets in the key file, newest first; the file is made on first use."""
    path = home / "keys"
    text = _read_or_make(path, _new_key)
    try:
        found = tuple(base64.b64decode(line, validate=True) for line in text.split())
    except ValueError as fault:
        raise _spoilt(path, "one base64 key a line, newest first") from fault
    if not found:
        raise _spoilt(path, "at least one key")
    return found


def credentials_in(home: Path) -> Credentials:
    """Return the default credentials; the file is made on first use."""
    path = home / "credentials.json"
    text = _read_or_make(path, lambda: json.dumps(asdict(Credentials.new()), indent=2) + "\n")
    try:
        return Credentials(**json.loads(text))
    except (ValueError, TypeError) as fault:
        raise _spoilt(path, "account_sid, auth_token and service_sid") from fault


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Return a file's text; of many processes that find none, one makes it for all."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            private = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(private, "w") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text()
    except OSError as fault:
        raise ConfigurationError(
            f"{path} cannot be made or read ({fault.strerror}); "
            "set WATCHWORD_HOME to a folder of yours",
            name="WATCHWORD_HOME",
        ) from fault


def _spoilt(path: Path, expected: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} does not hold {expected}; put it back from a copy", name="WATCHWORD_HOME"
    )
