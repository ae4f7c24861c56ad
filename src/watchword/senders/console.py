"""A sender that prints the message on standard error: for development only."""

import sys

from watchword.model import Delivery
from watchword.senders.base import Message, Receipt


class ConsoleSender:
    """Print each message where the developer looks."""

    name = "console"
    waits = False

    async def send(self, message: Message) -> Receipt:
        """Print one message."""
        print(
            f"[{message.channel.value} to {message.to}] {message.body}", file=sys.stderr, flush=True
        )
        return Receipt(Delivery.SENT)

    def close(self) -> None:
        """Hold nothing open."""
