"""One phone's story, told by either door, with one sender or two: no fault may spoil it."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE, make_engine
from watchword.clock import ManualClock
from watchword.commands.base import Command
from watchword.commands.ladder import Climb, LookAtCounter
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.model import Channel, Status, Verification
from watchword.phone import Phone
from watchword.senders.base import Message, Receipt, Sender, Trouble
from watchword.senders.dispatch import Dispatch
from watchword.senders.inbox import InboxMessage, InboxSender
from watchword.senders.routes import Choice, Route
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore

ACCOUNT = CREDENTIALS.account_sid
HANGS_SECONDS = 3.0
Way = tuple[str, str, str]  # the store, the senders, the door
numbers = itertools.count(650_000_000)


def submit(engine: Engine, command: Command[Any]) -> Any:
    """Run one command by the asynchronous door; one that is never answered is a fault."""
    return asyncio.run(asyncio.wait_for(engine.submit(command), HANGS_SECONDS))


DOORS: dict[str, Callable[[Engine, Command[Any]], Any]] = {
    "perform": Engine.perform,
    "submit": submit,
}


class Phones:
    """Where messages arrive: by one sender, or by the second after the first."""

    def __init__(self, kind: str) -> None:
        self._inboxes = [InboxSender()]
        self.sender: Sender = self._inboxes[0]
        if kind == "one":
            return
        first: Sender = Refusing()
        if kind == "takes over":  # the first one works, but for the fault
            self._inboxes.insert(0, InboxSender())
            first = self._inboxes[0]
        route = Route(Channel.SMS, (Choice("first"), Choice("second")))
        self.sender = Dispatch({"first": first, "second": self._inboxes[-1]}, [route])
        self.sender.waits = False  # so that it runs where faults are injected, not in a thread

    def messages(self, to: str) -> list[InboxMessage]:
        """Return what arrived at one phone, whoever sent it."""
        return [message for inbox in self._inboxes for message in inbox.messages(to)]

    def forget(self) -> None:
        """Throw all messages away, and let a sender that rests after faults begin again."""
        for inbox in self._inboxes:
            inbox.clear()
        if isinstance(self.sender, Dispatch):
            for lane in self.sender.lanes.values():
                lane.breaker.succeeded()


class Refusing:
    """A sender that sends nothing, and says so."""

    name = "refusing"
    waits = False

    async def send(self, message: Message) -> Receipt:
        return Receipt.failed(Trouble.DESTINATION)

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class Person:
    """One phone's story: what was asked for it, and what was told of it."""

    engine: Engine
    inbox: Phones
    door: str = "perform"
    to: str = field(default_factory=lambda: f"+237{next(numbers)}")
    told: dict[str, object] = field(default_factory=dict)

    def start(self) -> object:
        return self._ask(self._start())

    def guarded_start(self) -> object:
        return self._ask(GuardedStart(self._start(), self.to, "user"))

    def second_guarded_start(self) -> object:
        return self.guarded_start()

    def wrong_check(self) -> object:
        return self._check(f"{(int(self.code) + 1) % 1_000_000:06}")

    def right_check(self) -> object:
        return self._check(self.code)

    def second_right_check(self) -> object:
        return self._check(self.code)

    def cancel(self) -> object:
        return self._ask(CloseVerification(SERVICE.sid, ACCOUNT, Status.CANCELED, to=self.to))

    def look_at_the_ladder(self) -> object:
        return self._ask(LookAtCounter(self.to, "other"))

    def climb_the_ladder(self) -> object:
        counter = self.engine.store.counter(self.to, "other")
        return self._ask(Climb((counter and counter.id) or 0, self.to, "other"))

    def do(self, name: str) -> None:
        """Take one step and note what it came to."""
        try:
            self.told[name] = getattr(self, name)()
        except Exception as fault:
            self.told[name] = fault

    @property
    def code(self) -> str:
        """Read the code off the phone; one that got none guesses."""
        messages = self.inbox.messages(self.to)
        return messages[0].code if messages else "123456"

    def _ask(self, command: Command[Any]) -> Any:
        return DOORS[self.door](self.engine, command)

    def _start(self) -> StartVerification:
        return StartVerification(SERVICE.sid, ACCOUNT, Phone(self.to, "CM"))

    def _check(self, code: str) -> Status:
        found: Verification = self._ask(CheckCode(SERVICE.sid, ACCOUNT, code, to=self.to))
        return found.status


STORIES = {
    "checked": ("start", "wrong_check", "right_check", "second_right_check"),
    "guarded": ("guarded_start", "second_guarded_start", "right_check", "second_right_check"),
    "canceled": ("start", "cancel", "right_check"),
    "ladder": ("look_at_the_ladder", "climb_the_ladder"),
}


class Site:
    """An engine with its senders, and the door that is gone in by."""

    def __init__(self, way: Way, folder: Path) -> None:
        store, senders, self.door = way
        self.phones = Phones(senders)
        self.engine = make_engine(
            SqlStore(f"sqlite:///{folder / 'store.db'}", KEYRING)
            if store == "sqlite"
            else MemoryStore(),
            InboxSender(),
            ManualClock(NOON),
        )
        self.engine.sender = self.phones.sender

    def person(self) -> Person:
        """Return somebody new."""
        return Person(self.engine, self.phones, self.door)
