"""The ladder: 2 min, 5 min, 15 min, 24 h, and again, for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from watchword.errors import TooSoon
from watchword.model import Counter, Policy
from watchword.rules.ladder import ahead, climb, give_back, look

LADDER = Policy().ladder
FRESH = Counter("hash", "user", 0, None, NOON)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("count", "wait", "becomes"),
    [(0, 2 * MINUTE, 1), (1, 5 * MINUTE, 2), (2, 15 * MINUTE, 3), (3, 24 * HOUR, 4)],
)
def test_each_step_waits_longer(count: int, wait: timedelta, becomes: int) -> None:
    before = Counter("hash", "user", count, NOON if count else None, NOON)

    after = climb(before, NOON, LADDER)

    assert (after.count, after.expires) == (becomes, NOON + wait)


def test_after_the_fourth_wait_the_ladder_starts_again() -> None:
    top = Counter("hash", "user", 4, NOON, NOON)

    seen = look(top, NOON, LADDER)

    assert (seen.count, seen.expires) == (0, None)
    assert climb(top, NOON, LADDER).count == 1
    assert climb(seen, NOON, LADDER).expires == NOON + 2 * MINUTE


def test_a_step_taken_inside_the_last_wait_renews_it() -> None:
    top = Counter("hash", "user", 4, NOON + HOUR, NOON)

    after = climb(top, NOON, LADDER)

    assert (after.count, after.expires) == (4, NOON + 24 * HOUR)


def test_inside_a_wait_a_look_is_refused_with_the_rest_of_it() -> None:
    waiting = Counter("hash", "user", 1, NOON + 2 * MINUTE, NOON)

    with pytest.raises(TooSoon) as refusal:
        look(waiting, NOON + timedelta(milliseconds=500), LADDER)

    assert refusal.value.retry_after == 120
    assert refusal.value.expires == NOON + 2 * MINUTE


def test_at_the_very_end_of_a_wait_a_look_is_allowed() -> None:
    waiting = Counter("hash", "user", 1, NOON, NOON)

    assert look(waiting, NOON, LADDER) == waiting
    with pytest.raises(TooSoon):
        look(waiting, NOON - timedelta(milliseconds=1), LADDER)


def test_a_clock_that_was_set_back_ends_no_wait_early() -> None:
    waiting = Counter("hash", "user", 1, NOON + 2 * MINUTE, NOON)

    after = climb(waiting, NOON - HOUR, LADDER)

    assert after.expires == NOON + 2 * MINUTE
    assert after.count == 2


def test_a_step_is_given_back_unless_somebody_climbed_on() -> None:
    taken = climb(FRESH, NOON, LADDER)
    further = climb(taken, NOON + 2 * MINUTE, LADDER)

    assert give_back(taken, taken, FRESH) == FRESH
    assert give_back(further, taken, FRESH) == further


def test_the_waits_ahead_are_the_rest_of_the_ladder() -> None:
    assert ahead(climb(FRESH, NOON, LADDER), LADDER) == (5 * MINUTE, 15 * MINUTE, 24 * HOUR)
    assert ahead(Counter("hash", "user", 4, NOON, NOON), LADDER) == ()


@given(st.lists(st.integers(0, 2 * 24 * 3600), max_size=60))
def test_waits_follow_the_ladder_exactly_for_ever(pauses: list[int]) -> None:
    """Whenever somebody asks, a send is allowed exactly when the last wait is over."""
    now, counter, sent = NOON, FRESH, 0
    may_send_at = NOON
    for pause in pauses:
        now += timedelta(seconds=pause)
        try:
            counter = look(counter, now, LADDER)
        except TooSoon as refusal:
            assert now < may_send_at
            assert refusal.expires == may_send_at
            continue
        assert now >= may_send_at
        counter = climb(counter, now, LADDER)
        may_send_at = now + LADDER[sent % 4]
        sent += 1
        assert counter.count == (sent - 1) % 4 + 1
        assert counter.expires == may_send_at
