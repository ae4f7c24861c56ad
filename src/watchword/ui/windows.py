"""The stretch of time the console shows: one of a few back from now, or a slice come closer to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from watchword.record import Record
from watchword.rules.figures import Bar

WINDOWS = {  # name → (label, one bar, how many)
    "1h": ("1 hour", timedelta(minutes=5), 12),
    "24h": ("24 hours", timedelta(hours=1), 24),
    "7d": ("7 days", timedelta(hours=6), 28),
    "30d": ("30 days", timedelta(days=1), 30),
}
STEPS = (1, 5, 15, 60, 360, 1440, 10080, 43200)  # minutes a bar of any other stretch may be long
USUAL = "24h"
SHORTEST = timedelta(minutes=2)
MOST_BARS = 30
LONGEST = timedelta(days=366)


class Window(Record, frozen=True):
    """A stretch of time in bars of a round length; one with a `name` goes on with time."""

    title: str
    since: datetime
    until: datetime
    bars: int
    name: str = ""

    @property
    def moment(self) -> str:
        """Return how a bar's moment is written."""
        return "%d %b" if self.until - self.since > timedelta(days=2) else "%H:%M"

    @property
    def wider(self) -> str:
        """Return where the stretch around this one is shown."""
        around = (self.until - self.since) * 12
        middle = self.since + (self.until - self.since) / 2
        return _address(middle - around / 2, middle + around / 2)

    def closer(self, bar: Bar) -> str:
        """Return where one bar is shown by itself, or "" where it is too short."""
        width = (self.until - self.since) / self.bars
        return _address(bar.start, bar.start + width) if width >= SHORTEST else ""


def window_of(asked: Mapping[str, str], now: datetime) -> Window:
    """Read what an address asks for; what makes no sense is answered with the usual window."""
    stretch = _stretch(asked)
    if stretch is not None:
        since, until = stretch
        return Window(_title(since, until), since, until, _bars(until - since))
    name = asked.get("window", USUAL)
    name = name if name in WINDOWS else USUAL
    label, width, bars = WINDOWS[name]
    ends = _floor(now, width) + width
    return Window(f"The last {label}", ends - width * bars, ends, bars, name)


def _floor(moment: datetime, width: timedelta) -> datetime:
    seconds = int(width.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _bars(length: timedelta) -> int:
    """Return how many bars of a round length make up a stretch, some dozens at most."""
    minutes = length / timedelta(minutes=1)
    fitting = (round(minutes / step) for step in STEPS if minutes / step <= MOST_BARS)
    return max(next(fitting, MOST_BARS), 1)


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
