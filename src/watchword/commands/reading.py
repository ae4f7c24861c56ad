"""What a reading is: a question that locks nothing and changes nothing."""

from typing import Any, Generic, TypeVar

from watchword.commands.base import Context
from watchword.errors import NotFound
from watchword.record import Record
from watchword.store.base import Query, Store

A_co = TypeVar("A_co", covariant=True)


class Reading(Generic[A_co]):
    """One question, as data."""

    __slots__ = ()

    def read(self, store: Store, context: Context) -> A_co:
        """Read and answer, or raise a Refusal."""
        raise NotImplementedError


class ReadOne(Record, Reading[Any], frozen=True):
    """Return the one row that a query finds; refuse with NotFound when there is none."""

    query: Query
    what: str = "resource"

    def read(self, store: Store, context: Context) -> Any:
        found = store.page(self.query)
        if not found:
            raise NotFound(self.what)
        return found[0]
