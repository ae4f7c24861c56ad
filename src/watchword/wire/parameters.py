"""Parameters: what each may be, said once for the reader, for OpenAPI and for the documentation."""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from watchword.errors import InvalidParameter
from watchword.record import Hidden, Record, field

LONGEST_TEXT = 2048
INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Kind(Record, frozen=True):
    """What a parameter may be: `schema` says it in OpenAPI, `read` does it or raises ValueError."""

    schema: Mapping[str, Any]
    read: Callable[[str], Any]


class Parameter(Record, frozen=True):
    """One parameter, named as Twilio spells it.

    An empty value is none at all, but where `clears` says that it empties the field. `repeated`
    ones come as several values of one key, in order.
    """

    name: str
    kind: Kind
    help: str = ""
    required: bool = False
    repeated: bool = False
    clears: bool = False
    extension: bool = False  # ours: Twilio does not know it

    def optional(self) -> "Parameter":
        """Return the same parameter where it may be left out: in an update."""
        return Parameter(
            self.name, self.kind, self.help, False, self.repeated, self.clears, self.extension
        )


class Asked(Record, frozen=True):
    """A request whose route, owner and parameters are known; what a handler gets."""

    account_sid: str
    base_url: str
    path: str
    values: Hidden[Mapping[str, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return where the request went, without its query."""
        return self.base_url + self.path

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter's value, or the default where it was not given."""
        return self.values.get(name, default)


def read_all(parameters: Iterable[Parameter], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Read what was given of these parameters; refuse with InvalidParameter what cannot be.

    Names nobody declared are ignored, as Twilio does; a single value given twice is refused.
    """
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in given and (given[parameter.name] != [""] or parameter.clears):
            values[parameter.name] = _read(parameter, given[parameter.name])
        elif parameter.required:
            raise InvalidParameter(parameter.name, "it is required")
    return values


def _read(parameter: Parameter, texts: list[str]) -> Any:
    if len(texts) > 1 and not parameter.repeated:
        raise InvalidParameter(parameter.name, "it is given more than once")
    if texts == [""]:
        return None
    try:
        found = [parameter.kind.read(text) for text in texts]
    except ValueError as fault:
        raise InvalidParameter(parameter.name, str(fault)) from fault
    return tuple(found) if parameter.repeated else found[0]


def text(longest: int = LONGEST_TEXT, shortest: int = 1, pattern: str | None = None) -> Kind:
    """Take a text of so many characters, none of them a control character."""
    shape = None if pattern is None else re.compile(pattern)
    length = f"{longest}" if shortest == longest else f"{shortest} to {longest}"

    def read(value: str) -> str:
        if not shortest <= len(value) <= longest:
            raise ValueError(f"it takes {length} characters")
        if not value.isprintable():
            raise ValueError("it holds characters that cannot be shown")
        if shape is not None and not shape.fullmatch(value):
            raise ValueError(f"it takes the form {pattern}")
        return value

    schema: dict[str, Any] = {"type": "string", "minLength": shortest, "maxLength": longest}
    return Kind(schema if pattern is None else schema | {"pattern": f"^(?:{pattern})$"}, read)


def integer(lowest: int, highest: int) -> Kind:
    """Take a whole number between two others, both included."""

    def read(value: str) -> int:
        if not INTEGER.fullmatch(value) or not lowest <= int(value) <= highest:
            raise ValueError(f"it takes a whole number from {lowest} to {highest}")
        return int(value)

    return Kind({"type": "integer", "minimum": lowest, "maximum": highest}, read)


def one_of(*choices: str, schema: Mapping[str, Any] | None = None) -> Kind:
    """Take one of these words, in capitals or not."""

    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f"it takes {', '.join(choices)}")
        return value.lower()

    return Kind(schema or {"type": "string", "enum": list(choices)}, read)


def boolean() -> Kind:
    """Take true or false."""
    words = one_of("true", "false", schema={"type": "boolean"})
    return Kind(words.schema, lambda value: words.read(value) == "true")


def sid(prefix: str) -> Kind:
    """Take a sid with this prefix."""
    shape = re.compile(rf"{prefix}[0-9a-fA-F]{{32}}")

    def read(value: str) -> str:
        if not shape.fullmatch(value):
            raise ValueError(f"it takes {prefix} and 32 hexadecimal digits")
        return prefix + value[2:].lower()

    schema = {"type": "string", "minLength": 34, "maxLength": 34, "pattern": f"^{shape.pattern}$"}
    return Kind(schema, read)


def moment() -> Kind:
    """Take a moment in UTC, as `2026-03-01T12:00:00Z`."""

    def read(value: str) -> datetime:
        try:
            return datetime.strptime(value, MOMENT).replace(tzinfo=UTC)
        except ValueError as fault:
            raise ValueError("it takes a moment such as 2026-03-01T12:00:00Z") from fault

    return Kind({"type": "string", "format": "date-time"}, read)


def ip_address() -> Kind:
    """Take an IPv4 or IPv6 address."""

    def read(value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError as fault:
            raise ValueError("it takes an IPv4 or IPv6 address") from fault

    return Kind({"type": "string"}, read)


def json_object() -> Kind:
    """Take a JSON object, written as text."""

    def read(value: str) -> dict[str, Any]:
        try:
            found = json.loads(value)
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as fault:
            raise ValueError("it takes a JSON object") from fault
        if not isinstance(found, dict):
            raise ValueError("it takes a JSON object")  # noqa: TRY004  # what a reader raises
        return found

    return Kind({"type": "string", "contentMediaType": "application/json"}, read)
