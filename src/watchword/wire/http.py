"""A request and a response of the dialect, wherever they came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from watchword.commands.base import Command
from watchword.errors import InvalidParameter

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: `form` and `query` hold every value of a repeated key, in order."""

    method: str
    path: str
    base_url: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    form: Mapping[str, list[str]] = field(default_factory=dict, repr=False)
    query: Mapping[str, list[str]] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """Return a form field's value, the last one if it is repeated, or None if there is none."""
        values = self.form.get(name)
        return values[-1] if values and values[-1] != "" else None

    def needed(self, name: str) -> str:
        """Return a form field's value; refuse with InvalidParameter when there is none."""
        found = self.value(name)
        if found is None:
            raise InvalidParameter(name, "it is required")
        return found


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, status: int, body: Any, *headers: tuple[str, str]) -> "Response":
        """Answer with a JSON body."""
        return cls(status, msgspec.json.encode(body), (("Content-Type", JSON_TYPE), *headers))


@dataclass(frozen=True, slots=True)
class Call:
    """What a request comes to: a command to run, and how its answer is shown."""

    command: Command[Any]
    show: Callable[[Any], dict[str, Any]]
    status: int = 200


def timestamp(moment: datetime) -> str:
    """Write a moment in whole seconds and `Z`: of any other form the SDKs make a string."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
