"""The sender of senders: take a message's route, and go on to the next one only when it is safe."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from watchword.counts import Histogram
from watchword.model import Channel, Delivery
from watchword.record import replace
from watchword.senders.base import ABOUT_ONE_MESSAGE, Message, Receipt, Sender, Trouble
from watchword.senders.breaker import Breaker, State
from watchword.senders.routes import Route, find_route, in_order

logger = logging.getLogger("watchword.senders")


def _seconds() -> Histogram:
    return Histogram.of(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Lane:
    """One sender with its breaker and what it has done since the start."""

    sender: Sender
    breaker: Breaker
    counts: dict[Delivery, int] = field(default_factory=dict)
    trouble: Trouble | None = None
    seconds: float = 0.0  # what the last message took
    took: Histogram = field(default_factory=_seconds)

    async def send(self, message: Message) -> Receipt:
        """Send one message and learn from what became of it."""
        begun = time.monotonic()
        try:
            receipt = await self.sender.send(message)
        except asyncio.CancelledError:
            self.breaker.failed()
            raise
        except Exception as fault:  # whatever a library raises: nobody knows how far it got
            receipt = Receipt.unknown(detail=type(fault).__name__)
        self.seconds = time.monotonic() - begun
        self.took.add(self.seconds)
        self.counts[receipt.status] = self.counts.get(receipt.status, 0) + 1
        self.trouble = receipt.trouble
        if receipt.trouble is None or receipt.trouble in ABOUT_ONE_MESSAGE:
            self.breaker.succeeded()
        else:
            self.breaker.failed(receipt.retry_after)
        return replace(receipt, sender=self.sender.name)


@dataclass(frozen=True, slots=True)
class Health:
    """How one sender is doing in this process."""

    name: str
    state: State
    sent: int
    failed: int
    unknown: int
    trouble: Trouble | None
    seconds: float
    took: Histogram = field(default_factory=_seconds)

    @property
    def rests(self) -> bool:
        return self.state is not State.CLOSED

    @property
    def count(self) -> int:
        return self.sent + self.failed + self.unknown


class Dispatch:
    """Send each message by its route.

    A definite failure tries the next sender at once. An uncertain one ends it: the message may
    have arrived, and nobody gets two. Somebody who told one provider to stop is left in peace by
    the others.
    """

    name = "routes"
    waits = True

    def __init__(
        self,
        senders: Mapping[str, Sender],
        routes: Sequence[Route],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.routes = tuple(routes)
        self.lanes = {name: Lane(sender, Breaker(now)) for name, sender in senders.items()}

    @property
    def channels(self) -> frozenset[Channel]:
        """Return the channels that have a route."""
        return frozenset(route.channel for route in self.routes)

    async def send(self, message: Message) -> Receipt:
        """Send one message by the first sender of its route that takes it."""
        route = find_route(
            self.routes,
            message.channel,
            message.to,
            message.country,
            message.messaging_service_sid,
        )
        if route is None:
            return replace(
                Receipt.failed(Trouble.SETUP),
                reason=f"no route leads there by {message.channel.value}; add one: [[routes]]",
            )
        receipt: Receipt | None = None
        for choice in in_order(route, message.attempt_sid):
            lane = self.lanes[choice.sender]
            if not lane.breaker.admits():
                continue
            receipt = await lane.send(message)
            if receipt.status is not Delivery.FAILED or receipt.trouble is Trouble.OPTED_OUT:
                return receipt
            _log(message, receipt)
        return receipt or replace(
            Receipt.failed(Trouble.OUTAGE), reason="every sender of the route rests after faults"
        )

    def health(self) -> list[Health]:
        """Return how each sender is doing."""
        return [
            Health(
                name=name,
                state=lane.breaker.state,
                sent=lane.counts.get(Delivery.SENT, 0),
                failed=lane.counts.get(Delivery.FAILED, 0),
                unknown=lane.counts.get(Delivery.UNKNOWN, 0),
                trouble=lane.trouble,
                seconds=lane.seconds,
                took=lane.took,
            )
            for name, lane in self.lanes.items()
        ]

    def close(self) -> None:
        """Close every sender."""
        for lane in self.lanes.values():
            lane.sender.close()


def dispatch_of(sender: object) -> Dispatch | None:
    """Return the Dispatch that a sender is, or hands its messages on to; None if there is none."""
    while sender is not None and not isinstance(sender, Dispatch):
        sender = getattr(sender, "inner", None)
    return sender


def _log(message: Message, receipt: Receipt) -> None:
    logger.warning(
        "sender.failed attempt=%s sender=%s trouble=%s error_code=%s",
        message.attempt_sid,
        receipt.sender,
        receipt.trouble,
        receipt.error_code,
    )
