"""Who is let in: so many callers wait at once, no account takes all places, checks go first.

The room is small on purpose. Who would have to wait longer than he does is refused at once, so that
whoever is let in is answered in time. There is room for a burst; while more callers keep coming
than are carried, a long queue would only be a wait that everybody has, so then it is shorter, and
half of it is for those who began before: their code was sent, and somebody holds it in his hand.
"""

import logging
from collections import Counter
from collections.abc import Callable

from watchword.errors import Overloaded

logger = logging.getLogger("watchword")

MAX_WAITING = 128  # callers; at a thousand a second, the last one waits for an eighth of one
MAX_PRESSED = 32  # callers, while more come than are carried: enough to share a commit's cost
PRESSED_FOR = 1.0  # seconds after the last one who found it full
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


class Room:
    """The places before a batch."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        places: int = MAX_WAITING,
        pressed: int = MAX_PRESSED,
    ) -> None:
        self._now = now
        self._places = places
        self._pressed = pressed
        self._pressed_until = 0.0
        self._callers = Places()
        self._starts = Places()
        self._newest_account: str | None = None
        self._shared_until = 0.0
        self._refused = 0
        self._said_at = -SAY_EVERY

    def refuses(self, account: str | None, *, starts: bool) -> bool:
        """Tell whether there is no place for a caller; None is one whose account is not known."""
        now = self._now()
        is_pressed = now < self._pressed_until
        limit = self._pressed if is_pressed else self._places
        among = self._callers
        if starts and is_pressed:
            among, limit = self._starts, limit // 2
        if among.taken >= limit:
            self._pressed_until = now + PRESSED_FOR
            return True
        return now < self._shared_until and among.held(account) >= limit // 2

    def enter(self, account: str, *, starts: bool) -> None:
        """Take a place; raises Overloaded when there is none."""
        if self.refuses(account, starts=starts):
            raise self.refusal()
        if account != self._newest_account:
            if self._newest_account is not None:
                self._shared_until = self._now() + SHARED_FOR
            self._newest_account = account
        self._callers.take(account)
        if starts:
            self._starts.take(account)

    def leave(self, account: str, *, starts: bool) -> None:
        """Give the place back."""
        self._callers.free(account)
        if starts:
            self._starts.free(account)

    def refusal(self) -> Overloaded:
        """Return what a caller is refused with, and say now and then how many were."""
        self._refused += 1
        if self._now() - self._said_at >= SAY_EVERY:
            logger.warning("overloaded: %d requests refused since this was said", self._refused)
            self._said_at, self._refused = self._now(), 0
        return Overloaded()
