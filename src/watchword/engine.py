"""The shell around the rules: it runs commands in batches, calls senders, records what they said.

What happens is written once, as generators that yield effects (run this command, deliver this
message); `perform` drives them for a synchronous caller, `submit` for an asynchronous one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import wait
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from watchword import signing
from watchword.batch import Outcome, run_batch
from watchword.callers import STARTS, account_of, address_of
from watchword.clock import Clock, SystemClock
from watchword.commands.accounts import FindHolder
from watchword.commands.base import Command, Context
from watchword.commands.ladder import Climbed, GiveBackStep
from watchword.commands.reading import Reading
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    Guarded,
    RecordDelivery,
    Started,
)
from watchword.counts import Counts
from watchword.errors import DeliveryFailed, Refusal
from watchword.gate import Gate
from watchword.gather import Gatherer
from watchword.home import Credentials
from watchword.keys import Keyring
from watchword.late import Late
from watchword.model import Channel, Delivery, Policy, Status, Verification
from watchword.record import Record, replace
from watchword.senders.base import Message, Receipt, Script, Sender
from watchword.senders.portal import begin
from watchword.sending import (
    NO_SENDER,
    attempt_after,
    message_of,
    safely,
    tell_started,
    unsealed,
    with_script,
)
from watchword.sids import new_nonce, new_sid
from watchword.store.base import Store
from watchword.tally import Tally
from watchword.texts.write import Texts
from watchword.waits import Waits, run_here

logger = logging.getLogger("watchword")
A = TypeVar("A")
ENDS = (CheckCode, CloseVerification)  # what may end a verification
LANES = 4  # batches under way at once on a database server, while it is slow to answer
MAX_SENDING = 2000  # messages at once that senders wait for; their providers have come to a stop
EVERY_CHANNEL = frozenset(Channel)  # what a sender serves that names no `channels`
MAX_BATCH = 256  # a batch this long takes a few milliseconds; a longer one would make others wait


class Run(Record, frozen=True):
    """An effect: run this command in a transaction; `account` is the caller's, None for our own."""

    command: Command[Any]
    account: str | None = None


class Deliver(Record, frozen=True):
    """An effect: hand this message to the sender; `meanwhile` is the answer if it takes long."""

    message: Message
    meanwhile: Any


Steps = Generator[Run | Deliver, Any, Any]


class Engine:
    """Verify phones: the same rules for a program, a server, a test and a page."""

    def __init__(
        self,
        store: Store,
        sender: Sender | None,
        keyring: Keyring,
        credentials: Credentials,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        max_batch: int = MAX_BATCH,
        texts: Texts | None = None,
        answer_within: timedelta | None = None,
        public_url: str = "",
    ) -> None:
        self.store = store
        self.sender = sender
        self.credentials = credentials
        self.policy = policy or Policy()
        self.clock = clock or SystemClock()
        self.texts = texts or Texts()
        self._keyring = keyring
        self._max_batch = max_batch
        self._gatherer: Gatherer | None = None
        self._answer_within = answer_within.total_seconds() if answer_within else None
        self._late = Late()
        self._gate = Gate(credentials, keyring)
        self.tally = Tally(
            self._run_here,
            lambda command: self._gather(Run(command)),
            self._now,
            self._go_on,
        )
        self.counts = Counts(rules=self.tally.refusals.totals)
        self.public_url = public_url
        self.on_end: Callable[[Verification], Coroutine[Any, Any, None]] | None = None

    @property
    def channels(self) -> frozenset[Channel]:
        """Return the channels that somebody delivers on."""
        return getattr(self.sender, "channels", EVERY_CHANNEL)

    def view(self, *, clock: Clock, policy: Policy) -> "Engine":
        """Return this engine as seen by another clock and other numbers, on the same store."""
        seen = Engine(
            self.store,
            self.sender,
            self._keyring,
            self.credentials,
            policy=policy,
            clock=clock,
            max_batch=self._max_batch,
            texts=self.texts,
            public_url=self.public_url,
        )
        seen._answer_within, seen._late = self._answer_within, self._late
        seen.on_end = self.on_end
        seen.counts, seen.tally.refusals = self.counts, self.tally.refusals
        return seen

    def perform(self, command: Command[A]) -> A:
        """Run one command now, as a batch of one, with the sending that follows from it.

        Raises the Refusal the rules came to, StoreError, or DeliveryFailed when the message was
        definitely not sent.
        """
        steps = self._steps(command)
        try:
            return cast("A", self._drive(steps, next(steps)))
        except Refusal as refusal:
            self.tally.note(command, refusal)
            raise

    async def submit(self, command: Command[A]) -> A:
        """Run one command with those that arrive in the same turn of the loop; else `perform`."""
        steps = self._steps(command)
        try:
            return cast("A", await self._drive_async(steps, next(steps)))
        except Refusal as refusal:
            self.tally.note_async(command, refusal)
            raise

    def read(self, reading: Reading[A]) -> A:
        """Answer a question that changes nothing; raises its Refusal or StoreError."""
        return reading.read(self.store, self._context())

    async def read_async(self, reading: Reading[A]) -> A:
        """Answer a question from a thread, so that a long list holds nobody up; else `read`."""
        return await asyncio.to_thread(self.read, reading)

    def enter(self, given: tuple[str, str] | None) -> str:
        """Return the account whose credentials these are; refuse with NotAuthenticated."""
        entered = self._gate.enter(given)
        if isinstance(entered, FindHolder):
            return self._gate.learn(given, self.read(entered))
        return entered

    async def enter_async(self, given: tuple[str, str] | None) -> str:
        """Return the account whose credentials these are; else `enter`."""
        entered = self._gate.enter(given)
        if isinstance(entered, FindHolder):
            return self._gate.learn(given, await self.read_async(entered))
        return entered

    def turns_away(self, given: tuple[str, str] | None, *, starts: bool) -> bool:
        """Tell, and count, that who claims these credentials would find no room, true or not."""
        gatherer = self._gatherer
        account = given[0] if given else None
        return gatherer is not None and gatherer.room.turns_away(account, starts=starts)

    async def standing(self, sid: str) -> str | None:
        """Return what stays the same for as long as whoever has this sid may come in as before.

        None for who is let in no more. It is read afresh each time: a session ends with its key.
        """
        if sid == self.credentials.account_sid:
            return self.page_macs(f"token {self.credentials.auth_token}")[0]
        return (await self.read_async(FindHolder(sid))).standing(self.credentials.account_sid)

    def ladder(
        self, to: str, user: str, service_sid: str | None = None
    ) -> tuple[str, str, tuple[str, ...]]:
        """Name an address's ladder within a service, the default one if none is given.

        It is what a GuardedStart and a ForgetCounter take: the newest name, whose ladder it is,
        and the names that older keys gave it.
        """
        newest, *older = self._keyring.names(service_sid or self.credentials.service_sid, to)
        return newest, user, tuple(older)

    def page_macs(self, text: str) -> tuple[str, ...]:
        """Return what proves to the hosted page that `text` came from us, newest key first."""
        return self._keyring.page_macs(text)

    def public_keys(self) -> dict[str, object]:
        """Return the keys that the hosted page's results are checked with, as a JWK set."""
        return signing.public_keys(self._keyring)

    def receipt_macs(self, attempt_sid: str) -> tuple[str, ...]:
        """Return what a report on this attempt may prove itself with."""
        return self._keyring.receipt_macs(attempt_sid)

    def close(self) -> None:
        """Close the store and the sender, after what is still being sent from other threads."""
        self._late.wait()
        self.tally.write()
        if self._gatherer is not None:
            self._gatherer.close()
        if self.sender is not None:
            self.sender.close()
        self.store.close()

    async def aclose(self) -> None:
        """Wait a little for what this loop is still sending, then close."""
        await self._late.drain()
        self.close()
        await asyncio.sleep(0)  # the turn in which the senders' connections close

    def _now(self) -> datetime:
        return self.clock.now()  # the clock of then: development and a view put in another

    def _go_on(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._late.go_on(coroutine)

    def _drive(self, steps: Steps, effect: Run | Deliver) -> Any:
        try:
            while True:
                if isinstance(effect, Run):
                    effect = _resume(steps, self._run_here(effect.command))
                    continue
                receipt = self._deliver(effect.message, steps)
                if receipt is None:
                    return effect.meanwhile
                effect = steps.send(receipt)
        except StopIteration as end:
            return end.value

    async def _drive_async(self, steps: Steps, effect: Run | Deliver) -> Any:
        try:
            while True:
                if isinstance(effect, Run):
                    effect = _resume(steps, await self._gather(effect))
                    continue
                receipt = await self._deliver_async(effect.message, steps)
                if receipt is None:
                    return effect.meanwhile
                effect = steps.send(receipt)
        except StopIteration as end:
            return end.value

    def _finish(self, steps: Steps, receipt: Receipt) -> None:
        """Go on where a caller has left with his answer: record what became of the message."""
        with contextlib.suppress(DeliveryFailed, StopIteration):
            self._drive(steps, steps.send(receipt))

    async def _finish_async(self, steps: Steps, sending: asyncio.Future[Receipt]) -> None:
        receipt = await sending
        with contextlib.suppress(DeliveryFailed, StopIteration):
            await self._drive_async(steps, steps.send(receipt))

    def _steps(self, command: Command[Any]) -> Steps:
        """Run a command; if it started something, send what is now committed."""
        answer = yield Run(command, account_of(command))
        if isinstance(answer, Started):
            return (yield from self._send(answer, answer))
        if isinstance(answer, Guarded):
            try:
                started = yield from self._send(answer.started, answer)
            except DeliveryFailed:
                climbed = Climbed(answer.before, answer.counter)
                yield Run(GiveBackStep(climbed, answer.formerly))
                raise
            return replace(answer, started=started)
        if isinstance(command, ENDS):
            self._note_end(answer)
        return answer

    def _note_end(self, verification: Verification) -> None:
        if verification.status is Status.PENDING:
            self.counts.wrong_codes += 1
            return
        if verification.status is Status.APPROVED:
            self.counts.approved[verification.channel] += 1
        if self.on_end is not None:
            self._late.begin(self.on_end(verification))

    def _send(self, started: Started, meanwhile: Started | Guarded) -> Steps:
        channel = started.attempt.channel
        self.counts.messages[channel] += 1
        if len(started.verification.sends) == 1:
            self.counts.started[channel] += 1
        url = self._receipts_url(started.attempt.sid)
        message = with_script(message_of(started, self.texts, url), self._keyring)
        receipt: Receipt = yield Deliver(message, meanwhile)
        attempt = attempt_after(started, receipt, self.sender)
        yield Run(RecordDelivery(attempt, started))
        tell_started(started, receipt)
        if receipt.status is Delivery.FAILED:
            raise DeliveryFailed(
                receipt.reason or "no sender took the message; see: watchword doctor"
            )
        return replace(started, delivery=receipt.status)

    def _receipts_url(self, attempt_sid: str) -> str | None:
        if not self.public_url:
            return None
        mac = self.receipt_macs(attempt_sid)[0]
        return f"{self.public_url}/receipts/{{sender}}?attempt={attempt_sid}&mac={mac}"

    def open_script(self, attempt_sid: str, sealed: str) -> Script:
        """Return what a call is to say; raise ConfigurationError for what we did not seal."""
        return unsealed(sealed, attempt_sid, self._keyring)

    def _run(self, commands: list[Command[Any]]) -> Waits[list[Outcome]]:
        return run_batch(self.store, commands, self._keyring, self._context)

    def _run_here(self, command: Command[Any]) -> Outcome:
        return run_here(self._run([command]))[0]

    def _context(self) -> Context:
        return Context(
            self.clock.now(),
            self.policy,
            self._keyring,
            new_sid,
            new_nonce,
            self.texts,
            self.channels,
        )

    def _gather(self, effect: Run) -> asyncio.Future[Outcome]:
        gatherer = self._gatherer_here()
        starts = isinstance(effect.command, STARTS)
        if starts and self.counts.sending >= MAX_SENDING:
            raise gatherer.room.refuse()
        about = address_of(effect.command)
        return gatherer.add(effect.command, effect.account, starts=starts, about=about)

    def _gatherer_here(self) -> Gatherer:
        loop = asyncio.get_running_loop()
        if self._gatherer is None or self._gatherer.loop is not loop:
            lanes = LANES if self.store.is_networked else 0
            self._gatherer = Gatherer(
                loop, self._run, self._max_batch, lanes=lanes, counts=self.counts
            )
        return self._gatherer

    def _deliver(self, message: Message, steps: Steps) -> Receipt | None:
        """Send one message; return None when it takes longer than the caller is kept waiting."""
        if self.sender is None:
            return NO_SENDER
        sending = begin(safely(self.sender, message), waits=self.sender.waits)
        if not sending.done():
            wait([sending], timeout=self._answer_within)
        if sending.done():
            return sending.result()
        self._late.add(sending, lambda receipt: self._finish(steps, receipt))
        return None

    async def _deliver_async(self, message: Message, steps: Steps) -> Receipt | None:
        """Send one message; else `_deliver`. Nothing that has begun is ever cancelled."""
        if self.sender is None:
            return NO_SENDER
        if not self.sender.waits:
            return await safely(self.sender, message)
        sending = asyncio.ensure_future(safely(self.sender, message))
        self.counts.sending += 1
        sending.add_done_callback(self._sent_one)
        try:
            await asyncio.wait((sending,), timeout=self._answer_within)
        except asyncio.CancelledError:
            self._late.go_on(self._finish_async(steps, sending))
            raise
        if sending.done():
            return sending.result()
        self._late.go_on(self._finish_async(steps, sending))
        return None

    def _sent_one(self, _: asyncio.Future[Receipt]) -> None:
        self.counts.sending -= 1


def _resume(steps: Steps, outcome: Outcome) -> Run | Deliver:
    if isinstance(outcome, BaseException):
        return steps.throw(outcome)
    return steps.send(outcome)
