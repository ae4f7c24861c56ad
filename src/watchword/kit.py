"""The test kit: the real engine in memory, with an inbox to read, a clock to turn, faults to set.

    with open_kit() as kit:
        client = kit.client()
        client.verify.v2.services(kit.service_sid).verifications.create(to=…, channel="sms")
        code = kit.inbox.wait_code(…)

While it is open, `OTP_Model` uses it, and so does every `twilio.rest.Client` of this process that
calls Twilio Verify: no test reaches Twilio, and none needs the program under test to be changed.
The pytest fixtures (`watchword.pytest_plugin`) are made of it.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from twilio.rest import Client

from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.development.clock import TurnedClock
from watchword.development.controls import Controls, Faults, SenderFault, StoreFault
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.home import Credentials
from watchword.intercept import answering
from watchword.keys import Keyring
from watchword.phone import parse
from watchword.runtime import add_controls, use
from watchword.senders.inbox import InboxMessage, InboxSender
from watchword.store.memory import MemoryStore
from watchword.tenants import Service

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "watchword-test-token"  # noqa: S105  # not a secret: it opens nothing but the kit
SERVICE_SID = "VA" + "0" * 31 + "1"
LOOK_EVERY = 0.005  # seconds
SECRET = b"the test kit keeps nothing secret"


class NoMessage(AssertionError):
    """No message came in time."""


class Inbox:
    """The messages that were delivered, as a test reads them."""

    def __init__(self, sender: InboxSender) -> None:
        self._sender = sender
        self._taken: dict[str, int] = {}

    def wait_code(self, to: str, *, timeout: float = 5.0) -> str:
        """Return the code of the newest message to a number that has not been taken yet.

        Waits `timeout` seconds of real time for one, then raises NoMessage. A message is taken
        once, so after a second send this is the second message's code.
        """
        number = parse(to).e164
        until = time.monotonic() + timeout
        while True:
            newest = next(iter(self._sender.messages(number, limit=1)), None)
            if newest is not None and newest.id > self._taken.get(number, 0):
                self._taken[number] = newest.id
                return newest.code
            if time.monotonic() >= until:
                raise NoMessage(self._explain(number, timeout))
            time.sleep(LOOK_EVERY)

    def messages(self, to: str | None = None) -> list[InboxMessage]:
        """Return every message, newest first, to everyone or to one number."""
        return self._sender.messages(parse(to).e164 if to else None)

    def clear(self) -> None:
        """Forget every message."""
        self._sender.clear()

    def _explain(self, number: str, timeout: float) -> str:
        everything = self._sender.messages()
        taken = sum(message.to == number for message in everything)
        others = sorted({message.to for message in everything} - {number})
        return f"no new message to {number} in {timeout:g} seconds; {taken} taken before" + (
            f"; there are messages to {', '.join(others)}" if others else ""
        )


class FaultSwitches:
    """Switch faults on, all of them off by `clear`."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def sender_fails(self) -> None:
        """No message is sent, and the engine knows it."""
        self._set(sender=SenderFault.FAILS)

    def sender_times_out(self, *, after_sending: bool = False) -> None:
        """The engine does not learn whether a message was sent; it was where `after_sending`."""
        after = SenderFault.TIMES_OUT_AFTER_SENDING
        self._set(sender=after if after_sending else SenderFault.TIMES_OUT)

    def sender_reorders(self) -> None:
        """Let every other message come three seconds late, behind the next one."""
        self._set(sender=SenderFault.REORDERS)

    def sender_duplicates(self) -> None:
        """Every message arrives twice."""
        self._set(sender=SenderFault.DUPLICATES)

    def sender_delays(self, seconds: float) -> None:
        """Every message takes so many seconds of real time, beside any other fault."""
        self._set(delay_seconds=seconds)

    def store_unavailable(self) -> None:
        """The store does not answer."""
        self._set(store=StoreFault.UNAVAILABLE)

    def clear(self) -> None:
        """Switch every fault off."""
        self._controls.set_faults(Faults())

    def _set(
        self,
        *,
        sender: SenderFault | None = None,
        delay_seconds: float | None = None,
        store: StoreFault | None = None,
    ) -> None:
        on = self._controls.read().faults
        delay = on.delay_seconds if delay_seconds is None else delay_seconds
        self._controls.set_faults(
            Faults(sender=sender or on.sender, delay_seconds=delay, store=store or on.store)
        )


class Kit:
    """An engine in memory and what a test turns on it."""

    def __init__(self, credentials: Credentials) -> None:
        self._controls = Controls()
        sender = InboxSender()
        self.engine = Engine(
            MemoryStore(), sender, Keyring.from_secrets([SECRET]), credentials, clock=ManualClock()
        )
        add_controls(self.engine, self._controls)
        now = self.engine.clock.now()
        self.engine.perform(
            EnsureService(
                Service(credentials.service_sid, credentials.account_sid, "watchword", now, now)
            )
        )
        self.inbox = Inbox(sender)
        self.faults = FaultSwitches(self._controls)

    @property
    def clock(self) -> TurnedClock:
        """The clock: it stands still until it is turned."""
        if not isinstance(self.engine.clock, TurnedClock):
            raise TypeError("the engine's clock was replaced")
        return self.engine.clock

    @property
    def service_sid(self) -> str:
        """The Verify service that is there from the start."""
        return self.engine.credentials.service_sid

    def client(self) -> Client:
        """Return Twilio's own client, answered in this process."""
        known = self.engine.credentials
        return Client(
            known.account_sid, known.auth_token, http_client=EmbeddedHttpClient(self.engine)
        )


@contextmanager
def open_kit() -> Iterator[Kit]:
    """Open a kit for a `with` block.

    Its credentials are those in `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and
    `TWILIO_SERVICE_SID`, so that the program under test has the same; this file's where unset.
    """
    kit = Kit(
        Credentials(
            account_sid=os.environ.get("TWILIO_ACCOUNT_SID") or ACCOUNT_SID,
            auth_token=os.environ.get("TWILIO_AUTH_TOKEN") or AUTH_TOKEN,
            service_sid=os.environ.get("TWILIO_SERVICE_SID") or SERVICE_SID,
        )
    )
    with use(kit.engine), answering(kit.engine):
        yield kit
    kit.engine.close()
