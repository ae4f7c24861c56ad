"""The pytest fixtures: `watchword`, and with it a server, an inbox, a clock, faults and a client.

pytest imports this file at every start, so it imports nothing that takes time: the fixtures do.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from twilio.rest import Client

    from watchword.development.clock import TurnedClock
    from watchword.engine import Engine
    from watchword.kit import FaultSwitches, Inbox, Kit
    from watchword.kit_server import KitServer, Listener


@pytest.fixture(name="watchword_kit")
def _kit() -> "Iterator[Kit]":
    """The test kit as one object; the other fixtures are its parts."""
    from watchword.kit import open_kit

    with open_kit() as kit:
        yield kit


@pytest.fixture
def watchword(watchword_kit: "Kit") -> "Engine":
    """The engine in memory. While it is there `OTP_Model` and the Twilio SDK are answered by it."""
    return watchword_kit.engine


@pytest.fixture
def watchword_client(watchword_kit: "Kit") -> "Client":
    """Twilio's own client, answered in this process."""
    return watchword_kit.client()


@pytest.fixture
def watchword_inbox(watchword_kit: "Kit") -> "Inbox":
    """The messages that were delivered: `.wait_code("+237…", timeout=5)` and `.messages()`."""
    return watchword_kit.inbox


@pytest.fixture
def watchword_clock(watchword_kit: "Kit") -> "TurnedClock":
    """The engine's clock, which stands until it is turned: `.advance(minutes=15)`."""
    return watchword_kit.clock


@pytest.fixture
def watchword_faults(watchword_kit: "Kit") -> "FaultSwitches":
    """Faults to switch on, such as `.sender_fails()`, and all off again: `.clear()`."""
    return watchword_kit.faults


@pytest.fixture
def watchword_server(
    watchword_kit: "Kit", _watchword_listener: "Listener", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[KitServer]":
    """The same engine over HTTP: `.url`, `.credentials`, `.client()`; `TWILIO_…` are set to it."""
    with _watchword_listener.serving(watchword_kit) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def _watchword_listener() -> "Iterator[Listener]":
    from watchword.kit_server import Listener

    listener = Listener()
    listener.start()
    yield listener
    listener.stop()
