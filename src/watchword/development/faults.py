"""Faults on purpose: a sender and a store that go wrong when they are told to."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from watchword.development.controls import Controls, SenderFault, StoreFault
from watchword.errors import StoreError
from watchword.model import Channel, Counter, Delivery
from watchword.record import replace
from watchword.senders.base import Message, Receipt, Sender
from watchword.store.base import Changes, Keys, Query, Rows, Store
from watchword.waits import Waits

OVERTAKEN_SECONDS = 3.0  # time enough for the next message to be asked for and to arrive
EVERY_CHANNEL = frozenset(Channel)


class FaultySender:
    """Deliver by another sender, with the faults that are switched on."""

    def __init__(self, inner: Sender, controls: Controls) -> None:
        self.inner = inner
        self._controls = controls
        self._numbers = itertools.count()

    @property
    def name(self) -> str:
        """The other sender's name."""
        return self.inner.name

    @property
    def waits(self) -> bool:
        """Whether the other sender waits, or messages are to be delayed."""
        faults = self._controls.read().faults
        held_up = faults.delay_seconds > 0 or faults.sender is SenderFault.REORDERS
        return self.inner.waits or held_up

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels the other sender serves; every one where it does not say."""
        return getattr(self.inner, "channels", EVERY_CHANNEL)

    async def send(self, message: Message) -> Receipt:
        """Deliver one message, or fail to."""
        faults = self._controls.read().faults
        if faults.delay_seconds:
            await asyncio.sleep(faults.delay_seconds)
        match faults.sender:
            case SenderFault.FAILS:
                return Receipt(Delivery.FAILED, reason="a fault on purpose: fails")
            case SenderFault.TIMES_OUT:
                return Receipt(Delivery.UNKNOWN, reason="a fault on purpose: times_out")
            case SenderFault.TIMES_OUT_AFTER_SENDING:
                await self.inner.send(message)
                return Receipt(Delivery.UNKNOWN, reason="a fault on purpose: times_out")
            case SenderFault.REORDERS if next(self._numbers) % 2 == 0:
                await asyncio.sleep(OVERTAKEN_SECONDS)
            case SenderFault.DUPLICATES:
                await self.inner.send(message)
                again = replace(message, attempt_sid=f"{message.attempt_sid}-again")
                return await self.inner.send(again)
        return await self.inner.send(message)

    def close(self) -> None:
        """Close the other sender."""
        self.inner.close()


class FaultyStore:
    """Keep records in another store, with the faults that are switched on."""

    def __init__(self, inner: Store, controls: Controls) -> None:
        self.inner = inner
        self._controls = controls

    @property
    def is_networked(self) -> bool:
        """Whether the other store is waited for."""
        return self.inner.is_networked

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        """Run one decision, or answer nothing."""
        self._fail_if_told()
        self.inner.transact(keys, decide)

    def transact_in_steps(self, keys: Keys, decide: Callable[[Rows], Changes]) -> Waits[None]:
        """Run one decision, or answer nothing."""
        self._fail_if_told()
        yield from self.inner.transact_in_steps(keys, decide)

    def counter(self, unique_id: str, user_id: str) -> Counter | None:
        """Read one `svretries` row, or answer nothing."""
        self._fail_if_told()
        return self.inner.counter(unique_id, user_id)

    def page(self, query: Query) -> list[Any]:
        """Read the first rows of a list, or answer nothing."""
        self._fail_if_told()
        return self.inner.page(query)

    def count(self, query: Query) -> int:
        """Count the rows of a list, or answer nothing."""
        self._fail_if_told()
        return self.inner.count(query)

    def ping(self) -> None:
        """Say whether the store answers."""
        self._fail_if_told()
        self.inner.ping()

    def close(self) -> None:
        """Close the other store."""
        self.inner.close()

    def _fail_if_told(self) -> None:
        if self._controls.read().faults.store is StoreFault.UNAVAILABLE:
            raise StoreError("a fault on purpose: the store is unavailable")
