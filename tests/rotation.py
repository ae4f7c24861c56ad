"""Servers on one store whose keys are rotated, one server at a time."""

from tests.conftest import CREDENTIALS, PHONE, SERVICE
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.keys import Keyring
from watchword.model import Status
from watchword.phone import parse
from watchword.senders.inbox import InboxSender
from watchword.store.base import Store

OLD, NEW = b"the old key of these tests, 32 b.", b"the new key of these tests, 32 b."


class Servers:
    """Servers on one store, each with the keys it has at the moment."""

    def __init__(self, store: Store, inbox: InboxSender, clock: ManualClock) -> None:
        self.store, self.inbox, self.clock = store, inbox, clock

    def having(self, secrets: list[bytes]) -> Engine:
        """Return a server that has these keys."""
        keyring = Keyring.from_secrets(secrets)
        if hasattr(self.store, "_keyring"):
            self.store._keyring = keyring
        engine = Engine(self.store, self.inbox, keyring, CREDENTIALS, clock=self.clock)
        engine.perform(EnsureService(SERVICE))
        return engine


def begin(to: str = PHONE) -> StartVerification:
    return StartVerification(SERVICE.sid, SERVICE.account_sid, parse(to))


def is_approved(server: Engine, code: str, to: str = PHONE) -> bool:
    check = CheckCode(SERVICE.sid, SERVICE.account_sid, code, to=to)
    return server.perform(check).status is Status.APPROVED
