"""Find every call that a piece of code makes, and make each of them fail in turn.

The interpreter tells of each call (`sys.setprofile`); what is raised while it tells is raised
where the call was made. So no point is forgotten, and none has to be written down.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import watchword

PACKAGE = str(Path(watchword.__file__).parent) + os.sep
# Rules and commands compute; what they call of these is where the outside world comes in.
OUTSIDE = ("store", "senders", "keys.py", "codes.py", "clock.py", "signing.py", "texts")
PARTS = tuple(PACKAGE + part for part in OUTSIDE)
ENTERED, CALLED, RETURNED = "call", "c_call", "c_return"
CANNOT_FAIL = ("lock.", "RLock.")  # a lock that is not released stops everybody, and rightly so
Spot = tuple[str, CodeType, int, str]  # event, the calling code, its line, what is called


class Injected(Exception):
    """The fault that was injected; nothing foresees it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One call: where it is made, and which time."""

    spot: Spot
    time: int

    def __str__(self) -> str:
        event, code, line, name = self.spot
        return f"{event} {name} from {Path(code.co_filename).name}:{line}, time {self.time}"


def points_of(work: Callable[[], object], parts: tuple[str, ...] = PARTS) -> list[Point]:
    """Run some work and return its points: the first and the last time of each spot."""
    seen: Counter[Spot] = Counter()

    def look(frame: FrameType, event: str, called: Any) -> None:
        spot = _spot(frame, event, called, parts)
        if spot is not None:
            seen[spot] += 1

    _profiled(work, look)
    return [Point(spot, time) for spot, times in seen.items() for time in sorted({1, times})]


def fail_at(
    point: Point, fault: Exception, work: Callable[[], object], parts: tuple[str, ...] = PARTS
) -> bool:
    """Run the work with a fault at one point; return whether the point was reached."""
    times = 0
    reached = False

    def look(frame: FrameType, event: str, called: Any) -> None:
        nonlocal times, reached
        if not reached and _spot(frame, event, called, parts) == point.spot:
            times += 1
            if times == point.time:
                reached = True
                raise fault

    _profiled(work, look)
    return reached


def _profiled(work: Callable[[], object], look: Callable[[FrameType, str, Any], None]) -> None:
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(before)


def _spot(frame: FrameType, event: str, called: Any, parts: tuple[str, ...]) -> Spot | None:
    if event == ENTERED and frame.f_code.co_name != "<genexpr>":  # closing one calls it as well
        caller = frame.f_back
        if caller is None or not frame.f_code.co_filename.startswith(parts):
            return None
        ours = caller.f_code.co_filename.startswith(PACKAGE)
        return (event, caller.f_code, caller.f_lineno if ours else 0, frame.f_code.co_qualname)
    if event in (CALLED, RETURNED) and frame.f_code.co_filename.startswith(parts):
        name = str(getattr(called, "__qualname__", called))
        return None if name.startswith(CANNOT_FAIL) else (event, frame.f_code, frame.f_lineno, name)
    return None


def kinds_of_fault(point: Point) -> Iterator[Exception]:
    """Yield what may go wrong at a point: something unforeseen, and what a database says."""
    import sqlite3

    yield Injected(str(point))
    if point.spot[0] != ENTERED and point.spot[1].co_filename.endswith("session.py"):
        yield sqlite3.OperationalError("disk I/O error")
