"""A kit over HTTP: one real server a process, in a thread, on a port the machine chose."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from twilio.rest import Client

from watchword.asgi import App, Receive, Scope, Send
from watchword.engine import Engine
from watchword.errors import ConfigurationError
from watchword.home import Credentials
from watchword.kit import Kit

START_SECONDS = 10.0
LOOK_EVERY = 0.005


class KitServer:
    """A kit's engine, served."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self._engine = engine

    @property
    def credentials(self) -> Credentials:
        """What an SDK needs beside the URL."""
        return self._engine.credentials

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program under test that reads the SDK's usual variables."""
        return {
            "TWILIO_ACCOUNT_SID": self.credentials.account_sid,
            "TWILIO_AUTH_TOKEN": self.credentials.auth_token,
            "TWILIO_SERVICE_SID": self.credentials.service_sid,
            "TWILIO_VERIFY_BASE_URL": self.url,
        }

    def client(self) -> Client:
        """Return Twilio's own client, pointed at this server."""
        client = Client(self.credentials.account_sid, self.credentials.auth_token)
        client.verify.base_url = self.url
        return client


class Listener:
    """A server that is started once and serves one kit after the other."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                lifespan="off",
                log_level="warning",
                access_log=False,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="watchword-kit", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Return when it answers."""
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise ConfigurationError("the kit's server did not start", name="port")
            time.sleep(LOOK_EVERY)

    def stop(self) -> None:
        """Stop serving, without waiting for those who still wait."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    @contextmanager
    def serving(self, kit: Kit) -> Iterator[KitServer]:
        """Serve this kit until the block ends."""
        self._app = App(kit.engine, development=True)
        try:
            yield KitServer(self.url, kit.engine)
        finally:
            self._app = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            raise RuntimeError("a request came after its test had ended")
        await self._app(scope, receive, send)
