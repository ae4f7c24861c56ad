"""Print what a proof counted, line by line, and say whether it was what it must be."""

from collections.abc import Iterable

from tests.databases import Missing
from watchword.torture import Count


def report(title: str, counts: Iterable[Count]) -> bool:
    """Print each count as it comes; return whether all were right."""
    held = True
    print(f"\n{title}", flush=True)
    try:
        for count in counts:
            held = held and count.ok
            mark = "ok  " if count.ok else "FAIL"
            print(f"{mark}  {count.found:8,}  {count.what} (must be {count.wanted})", flush=True)
    except Missing as missing:
        print(f"left out: {missing}", flush=True)
    return held


def must_be_none(what: str, found: int) -> Count:
    """Count what must not be."""
    return Count(what, found, "0", found == 0)
