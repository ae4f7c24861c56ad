"""A request and a response of the dialect, wherever they came from."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from watchword.commands.base import Command
from watchword.commands.reading import Reading
from watchword.record import Hidden, Record, field

JSON_TYPE = "application/json"


class Request(Record, frozen=True):
    """What was asked: `form` and `query` hold every value of a repeated key, in order.

    A form that cannot be decoded is None.
    """

    method: str
    path: str
    base_url: str
    credentials: Hidden[tuple[str, str] | None] = None
    form: Hidden[Mapping[str, list[str]] | None] = field(default_factory=dict)
    query: Mapping[str, list[str]] | None = field(default_factory=dict)


class Response(Record, frozen=True):
    """What is answered; `code` is Twilio's number of the error, 0 where there is none."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    code: int = 0

    @classmethod
    def json(cls, status: int, body: Any, *headers: tuple[str, str], code: int = 0) -> "Response":
        """Answer with a JSON body."""
        return cls(status, msgspec.json.encode(body), (("Content-Type", JSON_TYPE), *headers), code)


class Call(Record, frozen=True):
    """What a request comes to: a command to run or a reading, and how its answer is shown."""

    command: Command[Any] | Reading[Any]
    show: Callable[[Any], dict[str, Any]] | None = None  # None: nothing is shown, status 204


@lru_cache(maxsize=4096)  # the moments of one batch are one moment
def timestamp(moment: datetime) -> str:
    """Write a moment in whole seconds and `Z`: of any other form the SDKs make a string."""
    return moment.isoformat(timespec="seconds")[:19] + "Z"
