"""Who is let in: so many callers wait at once, no account takes all places, checks go first.

The room is small on purpose. Who would have to wait longer than he does is refused at once, so that
whoever is let in is answered in time. There is room for a burst; while many are turned away, a long
queue would only be a wait that everybody has, so then it is shorter, and half of it is for those
who began before: their code was sent, and somebody holds it in his hand.
"""

import logging
from collections import Counter
from collections.abc import Callable

from watchword.errors import Overloaded

logger = logging.getLogger("watchword")

MAX_WAITING = 128  # callers; at a thousand a second, the last one waits for an eighth of one
MAX_PRESSED = 32  # callers, while many are turned away: enough to share a commit's cost
PRESSED_FOR = 1.0  # seconds; then it is judged by those seconds whether many still are
MANY = 4  # a quarter as many as were let in
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
    """Whether more callers come than are carried."""

    def __init__(self) -> None:
        self._until = 0.0  # 0 while there is none
        self._let_in = 0
        self._turned_away = 0

    def begin(self, now: float) -> None:
        """Notice that the whole room is full."""
        if not self._until:
            self._judge_from(now)

    def holds(self, now: float) -> bool:
        """Tell whether it is still on: it ends when few are turned away, however short the room."""
        if self._until and now >= self._until:
            is_over = now >= self._until + PRESSED_FOR  # nobody has asked for so long
            if is_over or self._turned_away * MANY <= self._let_in:
                self._until = 0.0
            else:
                self._judge_from(now)
        return self._until > 0

    def count(self, *, let_in: bool) -> None:
        if let_in:
            self._let_in += 1
        else:
            self._turned_away += 1

    def _judge_from(self, now: float) -> None:
        self._until = now + PRESSED_FOR
        self._let_in = self._turned_away = 0


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
        self._pressure = Pressure()
        self._callers = Places()
        self._starts = Places()
        self._newest_account: str | None = None
        self._shared_until = 0.0
        self._refused = 0
        self._said_at = -SAY_EVERY

    def turns_away(self, account: str | None, *, starts: bool) -> bool:
        """Tell, and count, that a caller who says he is from this account finds no place."""
        if not self._is_full_for(account, starts=starts):
            return False
        self.refusal()
        return True

    def enter(self, account: str, *, starts: bool) -> None:
        """Take a place; raises Overloaded when there is none."""
        if account != self._newest_account:
            if self._newest_account is not None:
                self._shared_until = self._now() + SHARED_FOR
            self._newest_account = account
        if self._is_full_for(account, starts=starts):
            raise self.refusal()
        self._pressure.count(let_in=True)
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
        self._pressure.count(let_in=False)
        self._refused += 1
        if self._now() - self._said_at >= SAY_EVERY:
            logger.warning("overloaded: %d requests refused since this was said", self._refused)
            self._said_at, self._refused = self._now(), 0
        return Overloaded()

    def _is_full_for(self, account: str | None, *, starts: bool) -> bool:
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
