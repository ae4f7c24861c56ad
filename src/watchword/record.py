"""Records: frozen values that are made and changed in C, and whose repr tells no secret."""

from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import field
from msgspec.structs import replace

__all__ = ["Hidden", "Record", "Resource", "field", "replace"]

T = TypeVar("T")

Hidden = Annotated[T, msgspec.Meta(extra={"hidden": True})]  # a field that no repr shows


class Record(msgspec.Struct, frozen=True):
    """A frozen value with fields; derive from it with `frozen=True` said again, for mypy.

    What a frozen dataclass does, at a small part of the price: making a Verification takes a
    sixth of the time, and changing two of its fields a twentieth (`python -m benchmarks.records`).
    """

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in _shown(type(self)))
        return f"{type(self).__name__}({', '.join(shown)})"


class Resource(Record, frozen=True):
    """A record that is named by its sid, as Twilio's resources are."""

    sid: str

    @property
    def key(self) -> str:
        return self.sid


@cache
def _shown(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in msgspec.structs.fields(kind) if not _is_hidden(each.type))


def _is_hidden(kind: Any) -> bool:
    notes = getattr(kind, "__metadata__", ())
    return any(isinstance(note, msgspec.Meta) and note.extra for note in notes)
