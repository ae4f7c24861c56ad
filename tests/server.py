"""A real `watchword serve` on a free port, for tests that talk over a socket."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import requests
from twilio.rest import Client

from watchword.config import load
from watchword.home import Credentials, credentials_in

START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where it listens, and what an SDK needs."""

    url: str
    credentials: Credentials
    pid: int

    def client(self) -> Client:
        """Return Twilio's own client, pointed at it."""
        client = Client(self.credentials.account_sid, self.credentials.auth_token)
        client.verify.base_url = self.url
        return client

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send one request without credentials."""
        return requests.request(method, self.url + path, timeout=30, **more)


def watchword(*words: str, input: str | None = None) -> "subprocess.CompletedProcess[str]":  # noqa: A002
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "watchword", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        input=input,
    )


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    *words: str, stderr: int | IO[str] = subprocess.PIPE, **environment: str
) -> Iterator[Server]:
    """Run `watchword serve` in the present environment and this one until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "watchword", "serve", "--port", str(port), *words]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=os.environ | environment,
        text=True,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield Server(url, credentials_in(load().home), process.pid)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server stopped: {process.stderr and process.stderr.read()}")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)  # nothing tells a client that a server listens now, so it asks again
    raise AssertionError(f"no answer in {START_SECONDS} seconds")
