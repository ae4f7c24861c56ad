"""Development's switches: how far the clock is turned, which faults are on, for every process.

They lie in a small file in WATCHWORD_HOME, so that all workers of a server and every program on
the same home go by them. Reading costs one `stat` while nothing changes.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Annotated

import msgspec

from watchword.errors import ConfigurationError

FILE = "development.json"
LONGEST_DELAY = 60  # seconds
FURTHEST = timedelta(days=36500)  # a calendar ends somewhere, a test well before


class SenderFault(StrEnum):
    """What goes wrong with every message while it is switched on."""

    FAILS = "fails"  # definitely not sent
    TIMES_OUT = "times_out"  # not sent, and nobody knows
    TIMES_OUT_AFTER_SENDING = "times_out_after_sending"  # sent, and nobody knows
    DUPLICATES = "duplicates"  # arrives twice
    REORDERS = "reorders"  # every other one comes seconds late, behind the next


class StoreFault(StrEnum):
    """What goes wrong with the store while it is switched on."""

    UNAVAILABLE = "unavailable"


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The faults that are switched on."""

    sender: SenderFault | None = None
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_DELAY)] = 0.0
    store: StoreFault | None = None


class State(msgspec.Struct, frozen=True):
    """Where all the switches stand."""

    offset_seconds: float = 0.0
    faults: Faults = Faults()

    @property
    def offset(self) -> timedelta:
        """How far the clock is turned on."""
        return timedelta(seconds=self.offset_seconds)


_STATE = msgspec.json.Decoder(State)  # made once: two threads must not both look at the type
Stamp = tuple[int, int]  # a file's inode and time of change


class Controls:
    """Read the switches and set them; `path` None keeps them in this process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = Lock()
        self._state = State()
        self._stamp: Stamp | None = None

    def read(self) -> State:
        """Return where the switches stand."""
        if self._path is not None:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                # An older stamp on a newer state only means that it is read once more.
                self._state, self._stamp = _load(self._path), stamp
        return self._state

    def set_faults(self, faults: Faults) -> State:
        """Switch these faults on and all others off."""
        return self._change(lambda state: msgspec.structs.replace(state, faults=faults))

    def turn_clock(self, duration: timedelta) -> State:
        """Turn the clock on; raise ValueError for back, and for more than a century in all."""
        if duration < timedelta(0):
            raise ValueError("a clock is turned forwards only")

        def turned(state: State) -> State:
            offset = state.offset_seconds + duration.total_seconds()
            if offset > FURTHEST.total_seconds():
                raise ValueError(f"a clock is turned on by {FURTHEST.days} days at most")
            return msgspec.structs.replace(state, offset_seconds=offset)

        return self._change(turned)

    def reset_clock(self) -> State:
        """Let the clock tell the real time again."""
        return self._change(lambda state: msgspec.structs.replace(state, offset_seconds=0.0))

    def _change(self, step: Callable[[State], State]) -> State:
        with self._lock:
            if self._path is None:
                self._state = step(self._state)
                return self._state
            with _locked(self._path):
                after = step(_load(self._path))
                _write(self._path, after)
            return after


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # half the time of Path.stat, at every look
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _load(path: Path) -> State:
    try:
        return _STATE.decode(path.read_bytes())
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.DecodeError) as fault:
        raise ConfigurationError(
            f"{path} cannot be read; delete it to begin with the real time and no faults",
            name="WATCHWORD_HOME",
        ) from fault


def _write(path: Path, state: State) -> None:
    """Replace the file by one with a later time, however coarse the machine's file times are."""
    before = _stamp(path)
    later = max(time.time_ns(), before[1] + 1 if before else 0)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(state))
    os.utime(draft, ns=(later, later))
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
