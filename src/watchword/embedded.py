"""An HTTP client for the Twilio SDK that answers in this process: `Client(http_client=…)`."""

import logging
from urllib.parse import parse_qs, urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response as TwilioResponse

from watchword.engine import Engine
from watchword.sids import new_sid
from watchword.wire.dialect import answer, answer_async
from watchword.wire.http import Request, Response

logger = logging.getLogger("watchword.embedded")


class EmbeddedHttpClient(HttpClient):
    """Answer `twilio.rest.Client` from the engine, with no socket.

    Faults that Twilio has no words for (the store does not answer) are raised as they are.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(logger, is_async=False)
        self.engine = engine

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        """Answer one request."""
        return _twilio(answer(self.engine, _request(method, uri, params, data, auth)))


class AsyncEmbeddedHttpClient(HttpClient):
    """Answer the SDK's `…_async` methods from the engine; else EmbeddedHttpClient."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(logger, is_async=True)
        self.engine = engine

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        """Answer one request."""
        return _twilio(await answer_async(self.engine, _request(method, uri, params, data, auth)))


def _request(
    method: str,
    uri: str,
    params: dict[str, object] | None,
    data: dict[str, object] | None,
    auth: tuple[str, str] | None,
) -> Request:
    parts = urlsplit(uri)
    return Request(
        method=method.upper(),
        path=parts.path,
        base_url=f"{parts.scheme}://{parts.netloc}",
        credentials=auth,
        form=_lists(data),
        query=parse_qs(parts.query, keep_blank_values=True) | _lists(params),
    )


def _lists(values: dict[str, object] | None) -> dict[str, list[str]]:
    """Turn the SDK's parameters into what they would be after a trip over HTTP."""
    return {
        name: [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
        for name, value in (values or {}).items()
        if value is not None and value != []
    }


def _twilio(response: Response) -> TwilioResponse:
    headers = {**dict(response.headers), "Twilio-Request-Id": new_sid("RQ")}
    return TwilioResponse(response.status, response.body.decode(), headers)
