"""The fixtures of browser tests: Chromium, a real server whose clock can be turned, axe."""

import asyncio
import fcntl
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import KEYRING, make_engine
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.engine import Engine
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 10.0


@dataclass(frozen=True)
class Site:
    """A running server, and what is behind it."""

    url: str
    engine: Engine
    inbox: InboxSender
    clock: ManualClock

    def code(self, to: str) -> str:
        """Return the code that was last sent to a number."""
        return self.inbox.messages(to)[0].code


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Debian's Chromium, installed if it may be."""
    if Path(CHROMIUM).exists():
        return CHROMIUM
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("no chromium here: the pages are not tried in a browser")
    with Path("/tmp/watchword-chromium.lock").open("w") as lock:  # one test worker installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not Path(CHROMIUM).exists():
            for step in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", "-qq", *step], check=False, capture_output=True)
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium could not be installed: the pages are not tried in a browser")
    return CHROMIUM


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Return one browser for these tests; each has a context of its own.

    It goes with the folder's last test: the driver runs an event loop in this very thread, in
    which no other test could run one.
    """
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Serve an engine of its own on a free port, with a clock that stands until it is turned."""
    clock, inbox = ManualClock(), InboxSender(tmp_path / "inbox.db")
    store = SqlStore(f"sqlite:///{tmp_path / 'site.db'}", KEYRING)
    engine = make_engine(store, inbox, clock)
    with serving(engine) as url:
        yield Site(url, engine, inbox, clock)


@contextmanager
def serving(engine: Engine, **options: Any) -> Iterator[str]:
    """Serve an engine from a thread while the block runs; the block gets the address."""
    with serving_app(App(engine, development=True, **options)) as url:
        yield url


class Abrupt(uvicorn.Server):
    """Hang up at the end, rather than say good-bye over TLS to a browser that does not listen."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            transport: Any = getattr(connection, "transport", None)
            if transport is not None and self.config.ssl_certfile:
                transport.abort()
        await asyncio.sleep(0)
        await super().shutdown(sockets)
        if self.config.ssl_certfile:
            await asyncio.sleep(0.05)


@contextmanager
def serving_app(app: Any, *, port: int = 0, **options: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread while the block runs; over TLS where it is told."""
    options |= {"log_level": "warning", "ws": "none", "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(app, **options)
    server = Abrupt(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        scheme = "https" if config.ssl_certfile else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(START_SECONDS)


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Opener]:
    """Return a function that opens a page in a fresh context.

    At the end no page may have complained on its console or asked anything of another host.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str, *, complaints_expected: bool = False, **options: Any) -> Page:
        context = browser.new_context(base_url=site.url, **options)
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        if not complaints_expected:
            page.on("console", lambda message: complaints.append(_worth_telling(message)))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: complaints.append(_elsewhere(request.url)))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [complaint for complaint in complaints if complaint] == []


HARMLESS = (  # what the console says of a refused form's 4xx, and of a test quicker than a focus
    "Failed to load resource: the server responded",
    "Autofocus processing was blocked because a document already has a focused element",
)


def _worth_telling(message: Any) -> str:
    """Return what the console says, a breach of the page's policy included."""
    text = str(message.text)
    return "" if text.startswith(HARMLESS) else text


def _elsewhere(url: str) -> str:
    local = url.startswith(("http://127.0.0.1:", "data:", "blob:"))
    return "" if local else f"a request to {url}"
