"""Providers on loopback: one that answers as it is told, one that breaks as it is told."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.conftest import NOON
from watchword.model import Channel, Wording
from watchword.senders.base import Message, Receipt, Sender
from watchword.texts.write import Occasion, Texts

CODE = "4820193756"
NUMBER = "+33612345678"


@dataclass
class Asked:
    """One request as the provider saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Fake:
    """A provider: what it was asked, and what it answers next."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], Answer] = lambda _: (200, {}, b"{}")

    def says(self, status: int, body: Any, **headers: str) -> None:
        """Answer this from now on."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: (status, kind | named, text)


@contextmanager
def fake_provider() -> Iterator[Fake]:
    """Serve on a free port from a thread of its own."""
    fake = Fake()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path_qs,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        fake.asked.append(asked)
        status, headers, body = fake.answer(asked)
        return web.Response(status=status, headers=headers, body=body)

    async def start() -> Callable[[], Awaitable[None]]:
        runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        fake.url = f"http://{host}:{port}"
        return runner.cleanup

    with _loop_in_a_thread() as loop:
        stop = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        try:
            yield fake
        finally:
            asyncio.run_coroutine_threadsafe(_call(stop), loop).result(10)


async def _call(stop: Callable[[], Awaitable[None]]) -> None:
    await stop()


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Broken:
    """A server of raw bytes: `how` takes a connection and does what it likes with it."""

    port: int
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def broken_server(how: Callable[[socket.socket], None]) -> Iterator[Broken]:
    """Take every connection on a free port and treat it as `how` says."""
    listening = socket.create_server(("127.0.0.1", 0))
    broken = Broken(listening.getsockname()[1])
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            broken.connections += 1
            threading.Thread(target=_treat, args=(connection, how), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield broken
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def _treat(connection: socket.socket, how: Callable[[socket.socket], None]) -> None:
    with connection, contextlib.suppress(OSError):
        how(connection)


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def message(
    channel: Channel = Channel.SMS,
    to: str = NUMBER,
    *,
    sid: str = "VL" + "a1" * 16,
    locale: str = "en",
    receipts: str | None = "https://verify.example.com/receipts/{sender}?attempt=VLa1&mac=00",
) -> Message:
    """Return a message that carries a code nobody would say by chance."""
    text = Texts().write(Occasion("Acme", CODE, "FR", 10), Wording(locale=locale))
    return Message(
        sid, to, channel, text.body, CODE, "Acme", NOON, "FR", text, receipts_url=receipts
    )


def send(sender: Sender, *messages: Message) -> list[Receipt]:
    """Send messages one after another in a loop of their own, and close."""

    async def run() -> list[Receipt]:
        receipts = [await sender.send(one) for one in messages or (message(),)]
        sender.close()
        await asyncio.sleep(0)
        return receipts

    return asyncio.run(run())
