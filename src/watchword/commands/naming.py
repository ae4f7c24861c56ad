"""How a row that a key names is kept: under its newest name, what it is named for sealed in it."""

from typing import TypeVar

from watchword.keys import Keyring
from watchword.model import RateWindow, SafeNumber, Subject
from watchword.record import replace
from watchword.store.base import Changes

N = TypeVar("N", Subject, SafeNumber, RateWindow)


def kept(found: N | None, row: N, text: str, name: str, keyring: Keyring) -> Changes:
    """Write a row under `name`, the newest of `text`; `found` is the row as it is stored.

    One that an older key has named moves, and one from before names were sealed gets its own.
    """
    if found is not None and found.key == name and found.sealed_name is not None:
        return Changes.of(row)
    named = replace(row, key=name, sealed_name=keyring.seal(text, bound_to=name))
    if found is None:
        return Changes.of(named)
    if found.key == name:
        return Changes().rewrite(named)
    return Changes.of(named).delete(type(row), found.key)
