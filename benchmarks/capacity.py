"""The tables of docs/why/capacity.md, reckoned from the published figures by `make docs`.

Pure: a page and `benchmarks/latest.json` in, the page out.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.table import number

Latest = Mapping[str, Any]
BEGIN, END = "<!-- {name}: `make docs` fills this in -->", "<!-- end of {name} -->"
NOT_YET = "Not measured yet: `make bench` does, and fills this in."
SHOWN = (  # letter, claim, figure
    ("P₁", "sqlite", "pairs per second"),
    ("C₁", "sqlite", "CPU per pair, database included"),
    ("L₁", "sqlite", "p99 of a pair at half that load"),
    ("W", "webhook", "pairs per second"),
    ("P₂", "postgres", "pairs per second"),
    ("C₂", "postgres", "CPU per pair, database included"),
    ("L₂", "postgres", "p99 of a pair at half that load"),
    ("M", "mariadb", "pairs per second"),
    ("G", "growth", "full over empty"),
    ("R", "memory", "memory at the end"),
    ("B", "memory", "disk per pair"),
    ("O", "overload", "that over normal"),
    ("H", "overload", "p99 of /healthz meanwhile"),
    ("S", "overload", "hot account: others answered"),
)
PEAK = 5  # the busiest hour over the month's average
HALF = 2  # plan with half of what saturates: the other half is for the failure of a neighbour
RETENTION_DAYS = 30
MONTH_SECONDS = 30 * 86_400
RATES = (10, 100, 1_000, 10_000, 100_000)  # pairs/s at the peak


def fill(page: str, latest: Latest | None) -> str:
    """Return the page with its tables made anew."""
    for name, make in (("figures", figures), ("sizes", sizes)):
        begin, end = BEGIN.format(name=name), END.format(name=name)
        table = "\n".join(make(latest)) if latest else NOT_YET
        block = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        found = f"{begin}\n\n{table}\n\n{end}"
        page = block.sub(lambda _: found, page)  # noqa: B023  # used at once
    return page


def figures(latest: Latest) -> Iterator[str]:
    """Yield the table of what was measured."""
    machine = latest["machine"]
    yield (
        f"{machine['cpu']}, {machine['cores']} cores shared by load client, server and database; "
        f"Python {machine['python']}, Linux {machine['kernel']}; `sum(range(10000))` takes "
        f"{machine['pace_us']:g} µs, the disk does {machine['fdatasync_per_second']:,} fdatasync/s."
    )
    yield ""
    yield "| | Figure | Measured | By |"
    yield "|---|---|---|---|"
    for letter, claim, name in SHOWN:
        found = _find(latest, claim, name)
        if found is None:
            yield f"| {letter} | {claim}: {name} | not measured | |"
            continue
        value = f"{number(found['value'])} {found['unit']}".strip()
        yield f"| {letter} | {claim}: {name} | {value} | `python -m benchmarks --only {claim}` |"


def sizes(latest: Latest) -> Iterator[str]:
    """Yield the table of what to run for which load."""
    alone, server = _value(latest, "sqlite", 0), _value(latest, "postgres", 0)
    if not alone or not server:
        yield NOT_YET
        return
    burn = _value(latest, "postgres", 1) or 0.0
    disk = next((f["value"] for f in [_find(latest, "memory", "disk per pair")] if f), 0.0)
    yield "| Peak, pairs/s | People, once a month each | Run | CPU busy | Disk for 30 days |"
    yield "|---|---|---|---|---|"
    for rate in RATES:
        average = rate / PEAK
        people = _people(average * MONTH_SECONDS)
        cores = rate * burn / 1e6
        stored = _bytes(average * RETENTION_DAYS * 86_400 * disk)
        shape = _shape(rate, alone, server)
        yield f"| {rate:,} | {people} | {shape} | {cores:,.1f} cores | {stored} |"


def _shape(rate: float, alone: float, server: float) -> str:
    if rate <= alone / HALF:
        return "one worker, one SQLite file"
    parts = math.ceil(rate / (server / HALF))
    if parts == 1:
        return "one PostgreSQL, two workers"
    return f"{parts:,} partitions of one PostgreSQL and two workers each"


def _find(latest: Latest, claim: str, name: str) -> Mapping[str, Any] | None:
    for figure in latest["claims"].get(claim, {}).get("figures", []):
        if figure["name"] == name:
            found: Mapping[str, Any] = figure
            return found
    return None


def _value(latest: Latest, claim: str, index: int) -> float:
    found = latest["claims"].get(claim, {}).get("figures", [])
    return float(found[index]["value"]) if found else 0.0


def _people(count: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= size:
            return f"{count / size:,.0f} {word}"
    return f"{count:,.0f}"


def _bytes(count: float) -> str:
    for size, word in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= size:
            return f"{count / size:,.0f} {word}"
    return f"{count:,.0f} B"
