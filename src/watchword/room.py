"""Who is let in: so many callers at once, nobody and no number takes all places, checks first.

The room is small on purpose. Who would have to wait longer than he does is refused at once, so that
whoever is let in is answered in time. There is room for a burst; once it is full, a long queue is
only a wait that everybody has, so for some seconds it is shorter, and half of it is for those who
began before: their code was sent, and somebody holds it in his hand.
"""

import logging
from collections import Counter
from collections.abc import Callable

from watchword.counts import Counts
from watchword.errors import Overloaded

logger = logging.getLogger("watchword")

MAX_WAITING = 128  # callers; at a thousand a second, the last one waits for an eighth of one
MAX_PRESSED = 32  # callers, under pressure: enough to share a commit's cost
PRESSED_FOR = 2.0  # seconds after the room was full; twice as long each time it soon is again
LONGEST_PRESSED = 16.0  # seconds
MAX_ABOUT_ONE = 2  # callers about one number, under pressure: its owner has two hands
NEWCOMERS = 8  # an eighth of the places is for accounts that have nobody in the room
SHARED_FOR = 60.0  # seconds after another account was heard of
SAY_EVERY = 10.0  # seconds between two lines in the log


class Places:
    """How many wait, and whose they are."""

    def __init__(self) -> None:
        self.taken = 0
        self._by_account: Counter[str | None] = Counter()

    def held(self, account: str | None) -> int:
        """Return how many places an account has taken."""
        return self._by_account.get(account, 0)

    def take(self, account: str) -> None:
        self.taken += 1
        self._by_account[account] += 1

    def free(self, account: str) -> None:
        self.taken -= 1
        self._by_account[account] -= 1
        if not self._by_account[account]:
            del self._by_account[account]


class Pressure:
    """Whether more callers come than are carried.

    Only the whole room can tell: a shorter one refuses some of what the whole would have carried.
    So pressure ends by itself, and comes back for longer if the room is full again soon.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._seconds = PRESSED_FOR

    def begin(self, now: float) -> None:
        """Notice that the room is full."""
        if self.holds(now):
            return
        comes_back = self._until and now < self._until + self._seconds
        self._seconds = min(2 * self._seconds, LONGEST_PRESSED) if comes_back else PRESSED_FOR
        self._until = now + self._seconds

    def holds(self, now: float) -> bool:
        """Tell whether it is on."""
        return now < self._until


class Room:
    """The places before a batch."""

    def __init__(
        self,
        now: Callable[[], float],
        counts: Counts | None = None,
        *,
        places: int = MAX_WAITING,
        pressed: int = MAX_PRESSED,
    ) -> None:
        self._now = now
        self._counts = counts or Counts()
        self._places = places
        self._pressed = pressed
        self._pressure = Pressure()
        self._callers = Places()
        self._starts = Places()
        self._about = Places()  # by the address that a caller is about
        self._newest_account: str | None = None
        self._shared_until = 0.0
        self._refused = 0
        self._said_at = -SAY_EVERY

    @property
    def is_pressed(self) -> bool:
        """Tell whether more callers come, or came a moment ago, than are carried."""
        return self._pressure.holds(self._now())

    def turns_away(self, account: str | None, *, starts: bool) -> bool:
        """Tell, and count, that a caller who says he is from this account finds no place."""
        if not self._is_full_for(account, starts=starts):
            return False
        self.refuse()
        return True

    def enter(self, account: str, *, starts: bool, about: str = "") -> None:
        """Take a place; raises Overloaded when there is none."""
        if account != self._newest_account:
            if self._newest_account is not None:
                self._shared_until = self._now() + SHARED_FOR
            self._newest_account = account
        if self._is_full_for(account, starts=starts) or self._is_hot(about):
            raise self.refuse()
        self._counts.waiting += 1
        self._callers.take(account)
        if starts:
            self._starts.take(account)
        if about:
            self._about.take(about)

    def leave(self, account: str, *, starts: bool, about: str = "") -> None:
        """Give the place back."""
        self._counts.waiting -= 1
        self._callers.free(account)
        if starts:
            self._starts.free(account)
        if about:
            self._about.free(about)

    def refuse(self) -> Overloaded:
        """Count a caller and return what he is refused with; say now and then how many were."""
        self._counts.overloads += 1
        self._refused += 1
        if self._now() - self._said_at >= SAY_EVERY:
            logger.warning("overloaded: %d requests refused since this was said", self._refused)
            self._said_at, self._refused = self._now(), 0
        return Overloaded()

    def _is_hot(self, about: str) -> bool:
        return self.is_pressed and self._about.held(about) >= MAX_ABOUT_ONE

    def _is_full_for(self, account: str | None, *, starts: bool) -> bool:
        """Tell whether there is no place for this account; a full room begins pressure."""
        now = self._now()
        is_pressed = self._pressure.holds(now)
        limit = self._pressed if is_pressed else self._places
        among = self._callers
        if starts and is_pressed:
            among, limit = self._starts, limit // 2
        held = among.held(account)
        if among.taken >= (limit - limit // NEWCOMERS if held else limit):
            self._pressure.begin(now)
            return True
        return now < self._shared_until and held >= limit // 2
