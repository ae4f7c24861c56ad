"""Answer what this process's Twilio clients ask of Verify: for tests, so that none leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from watchword.embedded import AsyncEmbeddedHttpClient, EmbeddedHttpClient
from watchword.engine import Engine


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
    """Let the engine answer for Twilio Verify until the block ends.

    It stands in for the two HTTP clients that the SDK uses by itself. What they ask of another
    host, and what a client with an `http_client` or a `base_url` of its own asks, goes its way.
    """
    here, here_async = EmbeddedHttpClient(engine), AsyncEmbeddedHttpClient(engine)
    elsewhere, elsewhere_async = TwilioHttpClient.request, AsyncTwilioHttpClient.request

    def request(
        client: TwilioHttpClient, method: str, url: str, *args: Any, **more: Any
    ) -> Response:
        if _is_verify(url):
            return here.request(method, url, *args, **more)
        return elsewhere(client, method, url, *args, **more)

    async def request_async(
        client: AsyncTwilioHttpClient, method: str, url: str, *args: Any, **more: Any
    ) -> Response:
        if _is_verify(url):
            return await here_async.request(method, url, *args, **more)
        return await elsewhere_async(client, method, url, *args, **more)

    TwilioHttpClient.request, AsyncTwilioHttpClient.request = request, request_async
    try:
        yield
    finally:
        TwilioHttpClient.request = elsewhere
        AsyncTwilioHttpClient.request = elsewhere_async


def _is_verify(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.startswith("verify.") and host.endswith(".twilio.com")
