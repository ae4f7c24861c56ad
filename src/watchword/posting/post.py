"""One webhook request: a signed form, no redirects, a short wait."""

import base64
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from watchword.posting.guard import refuse_private_literal, resolver

TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
Fields = Sequence[tuple[str, str]]


def sign(token: str, url: str, fields: Fields) -> str:
    """Sign as Twilio does: SHA-1 over the URL and the sorted fields, keyed by the auth token."""
    text = url + "".join(name + value for name, value in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


class Poster:
    """Post events; `private` lets them go to addresses that are not the open internet's."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, fields: Fields, token: str) -> str | None:
        """Post one event; return None when it was taken, else what stood in the way."""
        try:
            if not self._private:
                refuse_private_literal(urlsplit(url).hostname or "")
            return await self._post(url, fields, token)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            return str(fault) or type(fault).__name__

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: str, fields: Fields, token: str) -> str | None:
        headers = {
            "X-Twilio-Signature": sign(token, url, fields),
            "I-Twilio-Idempotency-Token": dict(fields)["uuid"],
            "User-Agent": "watchword",
        }
        async with self._open().post(
            url, data=list(fields), headers=headers, allow_redirects=False
        ) as answer:
            return None if 200 <= answer.status < 300 else f"it answered {answer.status}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=resolver(private=self._private))
            self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)
        return self._session
