"""Twilio Verify itself as the sender: our code, carried by Twilio's texts, routes and Fraud Guard.

The code is ours (`CustomCode`), so the guard, the ladder, the limit for life and failover hold as
with every sender, and a check asks nobody. Twilio wants to know the end, so it is told: see
`outcomes.py`. A service without custom codes would send another code than ours and say nothing of
it; so the service is looked at before the first message.
"""

import asyncio
import re
from typing import Any, ClassVar, Final
from urllib.parse import quote

import aiohttp

from watchword.model import Channel, Delivery
from watchword.record import replace
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.http import HttpSender
from watchword.senders.provider import (
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    Notice,
    Option,
    by_status,
    retry_after,
)
from watchword.senders.twilio import ACCOUNT, form_request

API: Final = "https://verify.twilio.com"
NO_CUSTOM_CODES: Final = (
    "the Verify service does not take codes of ours; enable custom verification codes on it "
    "(Twilio Console, Verify, Services, General)"
)
TOO_OFTEN: Final = "Twilio takes no more starts for this number for a while; try another sender"
INVALID_PARAMETER: Final = 60200
TO: Final = re.compile(r"\bTo\b")  # the parameter that it names
LOCALES: Final = (  # https://www.twilio.com/docs/verify/supported-languages; others are refused
    *("af", "ar", "ca", "cs", "da", "de", "el", "en", "en-GB", "es", "et", "fi", "fr", "he"),
    *("hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "mr", "ms", "nb", "nl", "pl", "pt"),
    *("pt-BR", "ro", "ru", "sk", "sv", "te", "th", "tl", "tr", "uk", "vi", "zh", "zh-CN", "zh-HK"),
)
TROUBLES: Final = {  # https://www.twilio.com/docs/api/errors, 60xxx
    20003: (Trouble.CREDENTIALS, ""),
    20404: (Trouble.SETUP, "there is no such Verify service; check service_sid"),
    20429: (Trouble.BUSY, ""),
    60200: (Trouble.CONTENT, ""),
    60203: (Trouble.RECIPIENT, TOO_OFTEN),
    60204: (Trouble.SETUP, NO_CUSTOM_CODES),
    60205: (Trouble.RECIPIENT, "a landline takes no SMS; call it"),
    60212: (Trouble.RECIPIENT, TOO_OFTEN),
    60217: (Trouble.SETUP, "the Verify service has no mailer for e-mail"),
    60220: (Trouble.DESTINATION, ""),
    60223: (Trouble.SETUP, "this channel is disabled on the Verify service"),
    60238: (Trouble.DESTINATION, "Twilio blocks it; see the account's messages"),
    60410: (Trouble.DESTINATION, "Twilio's Fraud Guard blocks numbers like it for 12 hours"),
    60605: (Trouble.DESTINATION, "Verify's geographic permissions do not allow this country"),
}


class TwilioVerify:
    """Ask Twilio Verify to carry our code."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset(Channel)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        *(option for option in ACCOUNT if option.name != "url"),
        Option("service_sid", "the Verify service (VA…), with custom codes enabled"),
        Option("template_sid", "a template (HJ…) of Twilio's, in place of the service's", ""),
        Option("url", "another address, such as a proxy's", API),
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._url = f"{given['url']}/v2/Services/{quote(given['service_sid'], safe='')}"

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for a verification with our code; reports come by Twilio's event streams only."""
        form = {
            "To": message.to,
            "Channel": message.channel.value,
            "CustomCode": message.code,
        }
        tag = message.text.language.tag if message.text else ""
        if tag in LOCALES and message.channel is not Channel.EMAIL:
            form["Locale"] = tag
        if self._given["template_sid"] and message.channel in (Channel.SMS, Channel.CALL):
            form["TemplateSid"] = self._given["template_sid"]
        if message.send_digits:
            form["SendDigits"] = message.send_digits
        return form_request(f"{self._url}/Verifications", form, self._given)

    def look(self) -> HttpRequest:
        """Return the request that shows the service."""
        asked = form_request(self._url, {}, self._given)
        return HttpRequest(asked.url, asked.headers, b"", "GET")

    def tell(self, verification_sid: str, *, approved: bool) -> HttpRequest:
        """Return the request that tells Twilio how a verification ended."""
        form = {"Status": "approved" if approved else "canceled"}
        sid = quote(verification_sid, safe="")
        return form_request(f"{self._url}/Verifications/{sid}", form, self._given)

    def read(self, response: HttpResponse) -> Receipt:
        """Read Twilio's Verification, or its error body."""
        body = response.json()
        if response.status in (200, 201) and isinstance(body.get("sid"), str):
            return Receipt.sent(body["sid"])
        return _refused(response, body)

    def read_service(self, response: HttpResponse) -> Receipt | None:
        """Return None for a service that takes our codes, else why nothing can be sent by it."""
        body = response.json()
        if response.status == 200 and body.get("custom_code_enabled") is True:
            return None
        if response.status == 200:
            return replace(Receipt.failed(Trouble.SETUP, 60204), reason=NO_CUSTOM_CODES)
        refused = _refused(response, body)
        if refused.status is Delivery.UNKNOWN:  # nothing was sent: it was only looked at
            return Receipt.failed(Trouble.OUTAGE, 20503, refused.detail)
        return refused

    def notices(self, callback: Callback) -> list[Notice]:
        """Report nothing: Verify has no status callback."""
        return []


class VerifySender(HttpSender):
    """Send through a Verify service once it is known to take our codes."""

    CHANNELS: ClassVar[frozenset[Channel]] = TwilioVerify.CHANNELS
    OPTIONS: ClassVar[tuple[Option, ...]] = TwilioVerify.OPTIONS

    def __init__(self, name: str, given: Given, *, timeout: float = 10.0) -> None:
        self._verify = TwilioVerify(given)
        super().__init__(name, self._verify, timeout=timeout)
        self._takes_our_codes = False

    async def send(self, message: Message) -> Receipt:
        """Ask Twilio for one message, once."""
        if not self._takes_our_codes and (refused := await self._look()):
            return refused
        return await super().send(message)

    async def tell(self, verification_sid: str, *, approved: bool) -> bool:
        """Tell Twilio how a verification ended; return whether it was heard."""
        request = self._verify.tell(verification_sid, approved=approved)
        try:
            return (await self.fetch(request)).status in (200, 404)  # 404: it is over already
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def _look(self) -> Receipt | None:
        try:
            refused = self._verify.read_service(await self.fetch(self._verify.look()))
        except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as fault:
            return Receipt.failed(Trouble.OUTAGE, 20503, f"no connection: {type(fault).__name__}")
        self._takes_our_codes = refused is None
        return refused


def _refused(response: HttpResponse, body: dict[str, Any]) -> Receipt:
    code, words = body.get("code"), str(body.get("message", ""))
    if code not in TROUBLES or response.status >= 500:
        return by_status(response, words)
    trouble, reason = TROUBLES[code]
    if code == INVALID_PARAMETER and TO.search(words):
        trouble = Trouble.RECIPIENT
    receipt = Receipt.failed(trouble, code, words, retry_after=retry_after(response))
    return replace(receipt, reason=reason) if reason else receipt
