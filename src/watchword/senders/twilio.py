"""Twilio Messaging: SMS and WhatsApp (https://www.twilio.com/docs/messaging/api/message-resource)."""

import base64
import json
from typing import ClassVar, Final
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import (
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    NotAuthentic,
    Notice,
    Option,
    by_status,
)

API: Final = "https://api.twilio.com"
TROUBLES: Final = {  # https://www.twilio.com/docs/api/errors
    20003: Trouble.CREDENTIALS,
    20429: Trouble.BUSY,
    21211: Trouble.RECIPIENT,
    21212: Trouble.SETUP,
    21265: Trouble.RECIPIENT,
    21408: Trouble.DESTINATION,
    21603: Trouble.SETUP,
    21606: Trouble.SETUP,
    21608: Trouble.SETUP,
    21610: Trouble.OPTED_OUT,
    21611: Trouble.BUSY,
    21612: Trouble.DESTINATION,
    21614: Trouble.RECIPIENT,
    21617: Trouble.CONTENT,
    21659: Trouble.SETUP,
    21660: Trouble.SETUP,
    30001: Trouble.BUSY,
    30002: Trouble.FUNDS,
    30003: Trouble.RECIPIENT,
    30004: Trouble.RECIPIENT,
    30005: Trouble.RECIPIENT,
    30006: Trouble.RECIPIENT,
    30007: Trouble.CONTENT,
    30008: Trouble.OUTAGE,
    30034: Trouble.SETUP,
    63003: Trouble.RECIPIENT,
    63007: Trouble.SETUP,
    63016: Trouble.CONTENT,
    63018: Trouble.BUSY,
}
STATUSES: Final = {
    "queued": Delivery.SENT,
    "accepted": Delivery.SENT,
    "sending": Delivery.SENT,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}
ACCOUNT: Final = (
    Option("account_sid", "the account (AC…)"),
    Option("auth_token", "its auth token; also what Twilio signs its reports with", secret=True),
    Option("api_key", "an API key (SK…) to send with in place of the token", ""),
    Option("api_secret", "that key's secret", "", secret=True),
    Option("url", "another address, such as a proxy's", API),
)


class Twilio:
    """Send through Twilio's Messages resource."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS, Channel.WHATSAPP})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        *ACCOUNT,
        Option("from", "the number or sender id that it comes from", ""),
        Option("messaging_service_sid", "or the messaging service (MG…) that chooses one", ""),
        Option(
            "messaging_configurations", "yes: a Verify service's own, by country, come first", "no"
        ),
        Option("content_sid", "WhatsApp: the approved template (HX…); {{1}} is the code", ""),
    )

    def __init__(self, given: Given) -> None:
        if not given["from"] and not given["messaging_service_sid"]:
            raise ValueError("from or messaging_service_sid is needed")
        if given["messaging_configurations"] not in ("yes", "no"):
            raise ValueError("messaging_configurations: yes or no is expected")
        self._given = given
        self._url = f"{given['url']}/2010-04-01/Accounts/{given['account_sid']}/Messages.json"

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for a message."""
        whatsapp = "whatsapp:" if message.channel is Channel.WHATSAPP else ""
        form = {"To": whatsapp + message.to}
        service = self._given["messaging_service_sid"]
        if self._given["messaging_configurations"] == "yes" and message.channel is Channel.SMS:
            service = message.messaging_service_sid or service
        if service:
            form["MessagingServiceSid"] = service
        else:
            form["From"] = whatsapp + self._given["from"]
        if whatsapp and self._given["content_sid"]:
            form["ContentSid"] = self._given["content_sid"]
            form["ContentVariables"] = json.dumps({"1": message.code})
        else:
            form["Body"] = message.body
        if callback:
            form["StatusCallback"] = callback
        return form_request(self._url, form, self._given)

    def read(self, response: HttpResponse) -> Receipt:
        """Read Twilio's Message resource or its error body."""
        return read_twilio(response)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a status callback."""
        check_signature(callback, self._given)
        status = STATUSES.get(callback.form.get("MessageStatus", ""))
        if status is None:
            return []
        code = callback.form.get("ErrorCode", "")
        error_code = int(code) if code.isdigit() and int(code) else None
        notice = Notice(
            status,
            callback.form.get("MessageSid"),
            trouble=TROUBLES.get(error_code, Trouble.OUTAGE) if error_code else None,
            error_code=error_code,
        )
        return [notice]


def form_request(url: str, form: dict[str, str], given: Given) -> HttpRequest:
    """Return a form with the account's credentials, by key where there is one."""
    user, password = given["account_sid"], given["auth_token"]
    if given["api_key"]:
        user, password = given["api_key"], given["api_secret"]
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {
        "Authorization": f"Basic {token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return HttpRequest(url, headers, urlencode(form).encode())


def read_twilio(response: HttpResponse) -> Receipt:
    """Read a resource of Twilio's, or its error body."""
    body = response.json()
    if response.status in (200, 201) and isinstance(body.get("sid"), str):
        price = body.get("price")
        return Receipt.sent(
            body["sid"],
            price=str(price).lstrip("-") if price else None,
            currency=body.get("price_unit"),
        )
    code = body.get("code")
    if isinstance(code, int) and code in TROUBLES and response.status < 500:
        after = response.headers.get("retry-after", "")
        return Receipt.failed(
            TROUBLES[code],
            code,
            str(body.get("message", "")),
            retry_after=float(after) if after.isdigit() else None,
        )
    return by_status(response, str(body.get("message", "")))


def check_signature(callback: Callback, given: Given) -> None:
    """Raise NotAuthentic unless Twilio signed this callback with the account's token."""
    validator = RequestValidator(given["auth_token"])
    signature = callback.headers.get("x-twilio-signature", "")
    if not validator.validate(callback.url, dict(callback.form), signature):
        raise NotAuthentic("the callback is not signed by this Twilio account")
