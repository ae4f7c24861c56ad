"""The resend ladder: each send makes the next one wait longer, then it starts again."""

import math
from datetime import datetime, timedelta

from watchword.errors import TooSoon
from watchword.model import Counter
from watchword.record import replace

Ladder = tuple[timedelta, ...]


def look(counter: Counter, now: datetime, ladder: Ladder) -> Counter:
    """Return the counter as it stands now, or refuse with TooSoon inside a wait.

    After the last wait has passed the ladder starts again, so the count is 0.
    """
    if counter.expires is None:
        return counter
    if now < counter.expires:
        seconds = math.ceil((counter.expires - now).total_seconds())
        raise TooSoon(expires=counter.expires, retry_after=seconds)
    if counter.count >= len(ladder):
        return replace(counter, count=0, expires=None)
    return counter


def climb(counter: Counter, now: datetime, ladder: Ladder) -> Counter:
    """Take one step up. The last step is kept, and its wait renewed, until that wait has passed."""
    over = counter.expires is None or now >= counter.expires
    start = 0 if over and counter.count >= len(ladder) else counter.count
    count = min(start + 1, len(ladder))
    until = now + ladder[count - 1]
    if counter.expires is not None:
        until = max(until, counter.expires)  # a clock set back, or a slower colleague, ends no wait
    return replace(counter, count=count, expires=until)


def give_back(counter: Counter, taken: Counter, before: Counter) -> Counter:
    """Undo a step whose message was never sent, unless somebody has climbed on meanwhile."""
    if (counter.count, counter.expires) != (taken.count, taken.expires):
        return counter
    return replace(counter, count=before.count, expires=before.expires)


def stricter(counter: Counter, other: Counter) -> Counter:
    """Return the counter with the other's count and wait where those are further on."""
    ends = [each.expires for each in (counter, other) if each.expires is not None]
    return replace(
        counter, count=max(counter.count, other.count), expires=max(ends) if ends else None
    )


def ahead(counter: Counter, ladder: Ladder) -> Ladder:
    """Return the waits still to come after the one that `counter` is in."""
    return ladder[counter.count :]
