"""The stretch of time the console shows: one of a few back from now, or a slice come closer to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from watchword.record import Record
from watchword.rules.figures import BARS, Bar

WINDOWS = {  # name → (label, length)
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
USUAL = "24h"
SHORTEST = timedelta(minutes=2)
LONGEST = timedelta(days=366)


class Window(Record, frozen=True):
    """A stretch of time; `until` None ends now and goes on, and `name` is one of WINDOWS."""

    title: str
    since: datetime
    ends: datetime
    until: datetime | None = None
    name: str = ""

    @property
    def moment(self) -> str:
        """Return how a bar's moment is written."""
        return "%d %b" if self.ends - self.since > timedelta(days=2) else "%H:%M"

    @property
    def wider(self) -> str:
        """Return where the stretch around this one is shown."""
        around = (self.ends - self.since) * (BARS // 2)
        middle = self.since + (self.ends - self.since) / 2
        return _address(middle - around / 2, middle + around / 2)

    def closer(self, bar: Bar) -> str:
        """Return where one bar is shown by itself, or "" where it is too short."""
        width = (self.ends - self.since) / BARS
        return _address(bar.start, bar.start + width) if width >= SHORTEST else ""


def window_of(asked: Mapping[str, str], now: datetime) -> Window:
    """Read what an address asks for; what makes no sense is answered with the usual window."""
    stretch = _stretch(asked)
    if stretch is not None:
        since, until = stretch
        return Window(_title(since, until), since, until, until)
    name = asked.get("window", USUAL)
    name = name if name in WINDOWS else USUAL
    label, length = WINDOWS[name]
    return Window(f"The last {label}", now - length, now, name=name)


def _stretch(asked: Mapping[str, str]) -> tuple[datetime, datetime] | None:
    given = asked.get("from", ""), asked.get("to", "")
    if not all(text.isascii() and text.isdecimal() and len(text) <= 11 for text in given):
        return None
    since, until = (datetime.fromtimestamp(int(text), UTC) for text in given)
    return (since, until) if SHORTEST <= until - since <= LONGEST else None


def _title(since: datetime, until: datetime) -> str:
    last = until.strftime("%H:%M" if since.date() == until.date() else "%d %b %H:%M")
    return f"{since:%d %b %Y, %H:%M} to {last}"


def _address(since: datetime, until: datetime) -> str:
    return f"/console?from={int(since.timestamp())}&to={int(until.timestamp())}"
