"""Lists: Twilio's paging envelope, with absolute URLs on the host that was asked."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from watchword.commands.base import Context
from watchword.commands.reading import Reading
from watchword.errors import InvalidParameter
from watchword.record import Record, replace
from watchword.store.base import Cursor, Query, Store
from watchword.store.rows import from_ms, to_ms
from watchword.wire.http import Call, timestamp
from watchword.wire.parameters import Asked, Parameter, integer, text

PAGE_SIZE, LARGEST_PAGE = 50, 1000  # Twilio's numbers
LAST_PAGE = 10**6
TOKEN = re.compile(r"P([AB])(-?[0-9]{1,15})\.([0-9A-Za-z]{2,40})", re.ASCII)

PARAMETERS = (
    Parameter("PageSize", integer(1, LARGEST_PAGE), "how many to list, 50 unless told"),
    Parameter("Page", integer(0, LAST_PAGE), "the page's number"),
    Parameter("PageToken", text(64), "where the page begins; next_page_url holds it"),
)


class Page(Record, frozen=True):
    """One page of a list, and whether there are rows before and after it."""

    records: Sequence[Any]
    has_next: bool
    has_previous: bool


class ReadPage(Record, Reading[Page], frozen=True):
    """Read one page of what the store holds; `finish` makes of its rows what is shown."""

    query: Callable[[Context], Query]
    cursor: Cursor | None
    offset: int
    size: int
    finish: Callable[[Store, Context, list[Any]], Sequence[Any]] | None = None

    def read(self, store: Store, context: Context) -> Page:
        query, cursor = self.query(context), self.cursor
        found = store.page(replace(query, cursor=cursor, offset=self.offset, limit=self.size + 1))
        more = len(found) > self.size
        if cursor is not None and cursor.backwards:
            rows, has_previous, has_next = found[-self.size :], more, True
        else:
            rows, has_next = found[: self.size], more
            has_previous = cursor is not None or self.offset > 0
        shown = rows if self.finish is None else self.finish(store, context, rows)
        return Page(shown, has_next, has_previous)


class CutPage(Record, Reading[Page], frozen=True):
    """Cut one page out of a list that another reading brings whole: a service's few things."""

    source: Reading[Sequence[Any]]
    cursor: Cursor | None
    offset: int
    size: int

    def read(self, store: Store, context: Context) -> Page:
        rows = sorted(self.source.read(store, context), key=_age, reverse=True)
        start = self.offset
        if self.cursor is not None:
            place = (self.cursor.created_at, self.cursor.key)
            newer = sum(_age(row) > place for row in rows)
            passed = newer + any(_age(row) == place for row in rows)
            start = max(newer - self.size, 0) if self.cursor.backwards else passed
        end = start + self.size
        return Page(rows[start:end], end < len(rows), start > 0)


def listing(
    asked: Asked,
    key: str,
    source: Query | Callable[[Context], Query] | Reading[Sequence[Any]],
    show: Callable[[Any], dict[str, Any]],
    finish: Callable[[Store, Context, list[Any]], Sequence[Any]] | None = None,
) -> Call:
    """Return the call that answers with a page of a list under `key`."""
    cursor, size = _cursor(asked.get("PageToken")), asked.get("PageSize", PAGE_SIZE)
    offset = 0 if cursor is not None else asked.get("Page", 0) * size
    if isinstance(source, Reading):
        cut = CutPage(source, cursor, offset, size)
        return Call(cut, lambda page: _envelope(asked, key, page, show))
    query = (lambda _: source) if isinstance(source, Query) else source
    reading = ReadPage(query, cursor, offset, size, finish)
    return Call(reading, lambda page: _envelope(asked, key, page, show))


def _envelope(
    asked: Asked, key: str, page: Page, show: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    number = asked.get("Page", 0)
    after = before = None
    if page.has_next and page.records:
        after = _url(asked, number + 1, _token("A", page.records[-1]))
    if page.has_previous and number > 0:
        before = _url(asked, number - 1, _token("B", page.records[0])) if page.records else None
    return {
        key: [show(record) for record in page.records],
        "meta": {
            "page": number,
            "page_size": asked.get("PageSize", PAGE_SIZE),
            "first_page_url": _url(asked, 0, None),
            "previous_page_url": before,
            "url": _url(asked, number, asked.get("PageToken")),
            "next_page_url": after,
            "key": key,
        },
    }


def _url(asked: Asked, number: int, token: str | None) -> str:
    """Return the URL of another page of the same list, with the filters it was asked with."""
    ours = {parameter.name for parameter in PARAMETERS}
    query = [(name, _plain(value)) for name, value in asked.values.items() if name not in ours]
    query += [("PageSize", str(asked.get("PageSize", PAGE_SIZE))), ("Page", str(number))]
    if token is not None:
        query.append(("PageToken", token))
    return f"{asked.url}?{urlencode(query)}"


def _plain(value: Any) -> str:
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _token(side: str, record: Any) -> str:
    created_at, key = _age(record)
    return f"P{side}{to_ms(created_at)}.{key}"


def _cursor(token: str | None) -> Cursor | None:
    if token is None:
        return None
    found = TOKEN.fullmatch(token)
    if found is None:
        raise InvalidParameter("PageToken", "it is not one of ours; follow next_page_url")
    return Cursor(from_ms(int(found[2])), found[3], backwards=found[1] == "B")


def _age(record: Any) -> tuple[datetime, str]:
    return record.created_at, record.key
