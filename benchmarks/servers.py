"""Servers in processes of their own: watchword as a user runs it, and what lies beside it."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from twilio.rest import Client

from benchmarks.figures import LeftOut
from tests.databases import SERVERS, Missing
from tests.server import free_port, serving
from watchword.home import Credentials

OURS = ("WATCHWORD_", "TWILIO_")
START_SECONDS = 60
WEBHOOK = """
[[senders]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:{port}/"
secret_file = "{secret}"
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server under load: where it is, who may ask, and whose CPU it uses."""

    address: tuple[str, int]
    pid: int
    known: Credentials
    durability: str
    store_pids: tuple[int, ...] = ()


@contextmanager
def home() -> Iterator[Path]:
    """Make a WATCHWORD_HOME on the disk, with none of the user's settings, and go into it."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        for name in before:
            if name.startswith(OURS) or name.endswith("_RESEND_DURATION"):
                del os.environ[name]
        os.environ["WATCHWORD_HOME"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def watchword(workers: int, *, store: str = "sqlite", hook: int | None = None) -> Iterator[Running]:
    """Serve, with every commit on disk, from a new home."""
    with home() as folder, database(store) as store_pids:
        if hook is not None:
            (folder / "secret").write_text("a secret that the messages are signed with")
            config = WEBHOOK.format(port=hook, secret=folder / "secret")
            (folder / "watchword.toml").write_text(config)
        with serving("--workers", str(workers)) as server:
            known = server.credentials
            client = Client(known.account_sid, known.auth_token)
            client.verify.base_url = server.url
            client.verify.v2.services(known.service_sid).update(custom_code_enabled=True)
            parts = urlsplit(server.url)
            address = (parts.hostname or "", parts.port or 0)
            yield Running(address, server.pid, known, _durability(), store_pids)


@contextmanager
def database(kind: str) -> Iterator[tuple[int, ...]]:
    """Start a durable database server, name it in the environment and yield its processes."""
    if kind == "sqlite":
        yield ()
        return
    try:
        server = SERVERS[kind](durable=True)
        server.start()
    except Missing as missing:
        raise LeftOut(str(missing)) from missing
    try:
        server.create("bench")
        os.environ["WATCHWORD_DATABASE_URL"] = server.url("bench")
        assert server.process is not None
        yield (server.process.pid,)
    finally:
        server.remove()


@contextmanager
def program(*command: str) -> Iterator[tuple[int, int]]:
    """Run one of our own little servers; yield its port and process."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", *command, "--port", str(port)]) as process:
        try:
            wait_for(port, process)
            yield port, process.pid
        finally:
            process.terminate()


def wait_for(port: int, process: "subprocess.Popen[bytes]", path: str = "/") -> None:
    """Return when a server answers anything."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)  # nothing tells a client that a server listens now
    raise LeftOut(f"the server beside did not start: {process.args!r}")


def pushed(port: int) -> int:
    """Return how many messages the hook has taken."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return int(json.load(answer)["id"])


def _durability() -> str:
    """Read back from the database what a commit means to it."""
    from watchword.config import load
    from watchword.store.connect import connect
    from watchword.store.health import examine_database

    engine = connect(load().database_url)
    with engine.connect() as connection:
        found = [h.found for h in examine_database(connection) if h.check == "durability"]
        if connection.dialect.name == "sqlite":
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            found = [f"PRAGMA synchronous = {level}"]
        version = connection.dialect.server_version_info or ()
    engine.dispose()
    return f"{engine.dialect.name} {'.'.join(map(str, version))}: {', '.join(found)}"
