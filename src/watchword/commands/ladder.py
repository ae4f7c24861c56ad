"""The resend ladder's commands: looked at, climbed, given back, forgotten."""

from datetime import datetime

from watchword.commands.base import Context, Decision
from watchword.errors import NotFound
from watchword.keys import Keyring
from watchword.model import Counter
from watchword.record import Record
from watchword.rules import ladder
from watchword.store.base import Changes, Keys, Rows


class Climbed(Record, frozen=True):
    """A step taken, with the ladder as it was and as it is now."""

    before: Counter
    counter: Counter


class LookAtCounter(Record, frozen=True):
    """Return a pair's counter, made if there is none; refuse with TooSoon inside a wait."""

    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Counter, (self.unique_id, self.user_id))

    def decide(self, rows: Rows, context: Context) -> Decision[Counter]:
        counter = _counter(rows, self.unique_id, self.user_id, context.now)
        seen = ladder.look(counter, context.now, context.policy.ladder)
        changes = Changes() if seen == counter and seen.id is not None else Changes.of(seen)
        return Decision(changes, seen)


class ClimbIfFree(Record, frozen=True):
    """Take a step up the ladder, or refuse with TooSoon inside a wait.

    `formerly` holds the names that older keys gave the same pair: a ladder found under one of
    them goes on under the newest.
    """

    unique_id: str
    user_id: str
    formerly: tuple[str, ...] = ()

    def keys(self, keyring: Keyring) -> Keys:
        return _pair_keys(self.unique_id, self.user_id, self.formerly)

    def decide(self, rows: Rows, context: Context) -> Decision[Climbed]:
        counter = _counter(rows, self.unique_id, self.user_id, context.now)
        moved = Changes()
        for name in self.formerly:
            found = rows.get(Counter, (name, self.user_id))
            if found is not None:
                moved.delete(Counter, found.key)
                counter = ladder.stricter(counter, found)
        before = ladder.look(counter, context.now, context.policy.ladder)
        after = ladder.climb(before, context.now, context.policy.ladder)
        moved.add(Changes.of(after))
        return Decision(moved, Climbed(before, after))


class Climb(Record, frozen=True):
    """Take a step whatever the wait, for a message that has been sent already.

    The row is found by its id; where it was deleted meanwhile the pair gets a new one.
    """

    counter_id: int
    unique_id: str
    user_id: str

    def keys(self, keyring: Keyring) -> Keys:
        pair = Keys.of(Counter, (self.unique_id, self.user_id))
        return pair | Keys(counter_ids=(self.counter_id,))

    def decide(self, rows: Rows, context: Context) -> Decision[Counter]:
        counter = rows.counter_by_id(self.counter_id) or _counter(
            rows, self.unique_id, self.user_id, context.now
        )
        after = ladder.climb(counter, context.now, context.policy.ladder)
        return Decision(Changes.of(after), after)


class GiveBackStep(Record, frozen=True):
    """Undo a step whose message was definitely not sent.

    `others` holds the names that other keys give the same pair: while keys rotate, the ladder may
    have been led to one of them since the step was taken.
    """

    climbed: Climbed
    others: tuple[str, ...] = ()

    def keys(self, keyring: Keyring) -> Keys:
        return _pair_keys(*self.climbed.counter.key, self.others)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        pairs = self.keys(context.keyring).wanted
        counter = next((row for _, pair in pairs if (row := rows.get(Counter, pair))), None)
        if counter is None:
            return Decision(Changes(), None)
        back = ladder.give_back(counter, self.climbed.counter, self.climbed.before)
        return Decision(Changes.of(back), None)


class DeleteCounter(Record, frozen=True):
    """Delete a counter by its id; refuse with NotFound when there is none."""

    counter_id: int

    def keys(self, keyring: Keyring) -> Keys:
        return Keys(counter_ids=(self.counter_id,))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        counter = rows.counter_by_id(self.counter_id)
        if counter is None:
            raise NotFound("counter")
        return Decision(Changes().delete(Counter, counter.key), None)


class ForgetCounter(Record, frozen=True):
    """Delete a pair's counter, if there is one: what an approval does to its ladder."""

    unique_id: str
    user_id: str
    formerly: tuple[str, ...] = ()

    def keys(self, keyring: Keyring) -> Keys:
        return _pair_keys(self.unique_id, self.user_id, self.formerly)

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        changes = Changes()
        for name in (self.unique_id, *self.formerly):
            changes.delete(Counter, (name, self.user_id))
        return Decision(changes, None)


def _pair_keys(unique_id: str, user_id: str, formerly: tuple[str, ...]) -> Keys:
    return Keys.one_of(Counter, *((name, user_id) for name in (unique_id, *formerly)))


def _counter(rows: Rows, unique_id: str, user_id: str, now: datetime) -> Counter:
    return rows.get(Counter, (unique_id, user_id)) or Counter(unique_id, user_id, 0, None, now)
