"""The long tail: whatever an Apprise URL names, with that library's logging and waiting tamed.

Apprise says yes or no and logs the rest, payload included. So each message gets a service object
of its own whose logger leads nowhere but here, where the status is read from its words: what they
do not say for certain is nobody's knowledge.
"""

import asyncio
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final
from urllib.parse import quote

from watchword.model import Channel
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import Given, HttpResponse, Option, by_status, without_plus

THREADS: Final = 8  # messages under way at once; more wait their turn
THREAD_NAME: Final = "watchword-apprise"
SAMPLE: Final = "+33612345678"
STATUS: Final = re.compile(r"\berror=([45]\d\d)\b")
NOT_CONNECTED: Final = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|SSLError|ProxyError"
)
LOGGERS: Final = ("apprise", "urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib")


class AppriseSender:
    """Send through one Apprise service, in threads, each message with an object of its own."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset(Channel)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("url", "an Apprise URL with {{to}} or {{number}} (no plus) in it", secret=True),
    )
    waits = True

    def __init__(self, name: str, given: Given, *, timeout: float = 10.0) -> None:
        if "{{to}}" not in given["url"] and "{{number}}" not in given["url"]:
            raise ValueError("url: without {{to}} or {{number}} every message goes to one place")
        self.name = name
        self._url = given["url"]
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, THREAD_NAME)
        _mute()
        if self._threads.submit(self._service, SAMPLE, _Heard()).result() is None:
            raise ValueError("url: Apprise knows no service by it")

    async def send(self, message: Message) -> Receipt:
        """Hand one message to the service, and read what it said."""
        running = self._threads.submit(self._send, message)
        done, _ = await asyncio.wait([asyncio.wrap_future(running)], timeout=self._timeout)
        if done:
            return running.result()
        if running.cancel():
            return Receipt.failed(Trouble.BUSY, 20429, "every thread was taken")
        return Receipt.unknown(detail="no answer in time")

    def close(self) -> None:
        """Start no other message; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, message: Message) -> Receipt:
        heard = _Heard()
        service = self._service(message.to, heard)
        if service is None:
            return Receipt.failed(Trouble.RECIPIENT, 21211, "no URL of that service")
        subject = message.text.subject if message.text else message.sender_name
        title = subject if message.channel is Channel.EMAIL else ""
        if service.notify(body=message.body, title=title):
            return Receipt.sent(None)
        return heard.receipt()

    def _service(self, to: str, heard: "_Heard") -> Any:
        """Return the service for one recipient: no retries, no redirects, no pauses, no log."""
        from apprise import Apprise  # slow to import, and an extra

        url = self._url.replace("{{to}}", quote(to, safe=""))
        url = url.replace("{{number}}", quote(without_plus(to), safe=""))
        service: Any = Apprise.instantiate(url)
        if service is not None:
            service.logger = heard.logger
            service.retry, service.redirects, service.request_rate_per_sec = 0, False, 0
            half = self._timeout / 2
            service.socket_connect_timeout = service.socket_read_timeout = half
        return service


class _Heard(logging.Handler):
    """What a service logs, kept for one message and shown to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self._words: list[str] = []
        self.logger = logging.Logger(THREAD_NAME, logging.DEBUG)  # noqa: LOG001  # without a parent
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._words.append(record.getMessage())

    def receipt(self) -> Receipt:
        """Say what a 'no' means."""
        words = "\n".join(self._words)
        if found := STATUS.search(words):
            return by_status(HttpResponse(int(found[1]), {}, b""))
        if found := NOT_CONNECTED.search(words):
            return Receipt.failed(Trouble.OUTAGE, None, f"no connection: {found[0]}")
        return Receipt.unknown(detail="the service said no, and not why")


def _mute() -> None:
    """Keep what is logged by module in our threads out of every log; others' is left alone."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if _elsewhere not in logger.filters:
            logger.addFilter(_elsewhere)


def _elsewhere(_record: logging.LogRecord) -> bool:
    return not threading.current_thread().name.startswith(THREAD_NAME)
