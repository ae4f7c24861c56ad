"""A real `watchword serve` in a process of its own, for as long as a `with` block lasts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from twilio.rest import Client

from watchword.config import load
from watchword.home import Credentials, credentials_in

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and what an SDK needs."""

    url: str
    credentials: Credentials

    def client(self) -> Client:
        """Return Twilio's own client, pointed at it."""
        client = Client(self.credentials.account_sid, self.credentials.auth_token)
        client.verify.base_url = self.url
        return client

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send one request without credentials."""
        return requests.request(method, self.url + path, timeout=30, **more)


@contextmanager
def serving(*, workers: int = 1, **environment: str) -> Iterator[Server]:
    """Serve from the test's WATCHWORD_HOME until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "watchword", "serve", f"--port={port}", f"--workers={workers}"]
    with subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield Server(url, credentials_in(load().home))
        finally:
            process.terminate()
            process.communicate(timeout=30)


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"the server ended: {process.communicate()[1]}"
        try:
            if requests.get(url + "/healthz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.02)
    raise AssertionError("the server did not become ready")
