"""A batch: many commands, one transaction, one commit, an answer each."""

from collections.abc import Callable, Sequence
from typing import Any

from watchword.commands.base import Command, Context
from watchword.errors import Refusal, StoreError, UnfitValue
from watchword.keys import Keyring
from watchword.store.base import Changes, Keys, Rows, Store
from watchword.waits import Waits

Outcome = Any  # an answer of whatever type the command gives, or the exception it ended in


def run_batch(
    store: Store,
    commands: Sequence[Command[Any]],
    keyring: Keyring,
    context: Callable[[], Context],
) -> Waits[list[Outcome]]:
    """Run the commands in order as one transaction and return an answer or an exception for each.

    A refused command writes nothing and harms no other. A command with a fault of its own is
    found by running the batch again one by one. `context` is made inside the transaction, after
    the rows are locked, so that two processes' clocks are read in the order of their locks.
    """
    ready: list[tuple[int, Command[Any]]] = []
    keys: list[Keys] = []
    outcomes: list[Outcome] = [None] * len(commands)
    for index, command in enumerate(commands):
        try:
            keys.append(command.keys(keyring))
        except Exception as fault:  # a refusal, or a fault of its own, which harms no other
            outcomes[index] = fault
        else:
            ready.append((index, command))
    if not ready:
        return outcomes

    def decide(rows: Rows) -> Changes:
        changes = Changes()
        here = context()
        for index, command in ready:
            try:
                decision = command.decide(rows, here)
            except Refusal as refusal:
                outcomes[index] = refusal
            else:
                rows.put(decision.changes)
                changes.add(decision.changes)
                outcomes[index] = decision.answer
        return changes

    try:
        yield from store.transact_in_steps(Keys.union(keys), decide)
    except Exception as fault:  # one command's fault must not fail its neighbours
        if len(commands) == 1:
            return [fault]
        if isinstance(fault, StoreError) and not isinstance(fault, UnfitValue):
            for index, _ in ready:
                outcomes[index] = fault
            return outcomes
        for index, command in enumerate(commands):
            (outcomes[index],) = yield from run_batch(store, [command], keyring, context)
    return outcomes
