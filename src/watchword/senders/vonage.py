"""Vonage's SMS API (https://developer.vonage.com/en/api/sms): always 200, the status inside."""

import json
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import (
    NO_REASON,
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    Notice,
    Option,
    by_status,
    reported,
    without_plus,
)
from watchword.texts.segments import Encoding, measure

# https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms: status of a submission
TROUBLES: Final = {
    "1": (Trouble.BUSY, 20429),
    "2": (Trouble.SETUP, None),
    "3": (Trouble.SETUP, None),
    "4": (Trouble.CREDENTIALS, 20003),
    "6": (Trouble.RECIPIENT, 21211),
    "7": (Trouble.RECIPIENT, 30004),
    "8": (Trouble.FUNDS, 30002),
    "9": (Trouble.FUNDS, 30002),
    "10": (Trouble.BUSY, 20429),
    "11": (Trouble.SETUP, None),
    "12": (Trouble.CONTENT, 21617),
    "14": (Trouble.CREDENTIALS, 20003),
    "15": (Trouble.SETUP, 21606),
    "22": (Trouble.RECIPIENT, 21211),
    "23": (Trouble.SETUP, None),
    "29": (Trouble.SETUP, 21608),
    "32": (Trouble.CREDENTIALS, 20003),
    "33": (Trouble.RECIPIENT, 30005),
}
STATUSES: Final = {
    "accepted": Delivery.SENT,
    "buffered": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "expired": Delivery.UNDELIVERED,
    "failed": Delivery.UNDELIVERED,
    "rejected": Delivery.UNDELIVERED,
}
# https://api.support.vonage.com/hc/en-us/articles/204014733: err-code of a delivery report
REPORTED: Final = {
    "2": (Trouble.RECIPIENT, 30003),
    "3": (Trouble.RECIPIENT, 30003),
    "4": (Trouble.RECIPIENT, 30004),
    "5": (Trouble.RECIPIENT, 30005),
    "6": (Trouble.CONTENT, 30007),
    "7": (Trouble.RECIPIENT, 30003),
    "8": (Trouble.OUTAGE, 30008),
    "9": (Trouble.OPTED_OUT, 21610),
    "10": (Trouble.CONTENT, 30007),
    "11": (Trouble.DESTINATION, 21612),
    "12": (Trouble.RECIPIENT, 30003),
    "13": (Trouble.RECIPIENT, 30004),
    "14": (Trouble.RECIPIENT, 30004),
    "15": (Trouble.FUNDS, 30002),
}


class Vonage:
    """Send through Vonage."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("api_key", "the account's API key"),
        Option("api_secret", "its secret", secret=True),
        Option("from", "the number or the name (up to 11 letters) that it comes from"),
        Option("url", "another address, such as a proxy's", "https://rest.nexmo.com"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        form = {
            "api_key": self._given["api_key"],
            "api_secret": self._given["api_secret"],
            "from": self._given["from"],
            "to": without_plus(message.to),
            "text": message.body,
            "client-ref": message.attempt_sid,
        }
        if measure(message.body).encoding is Encoding.UCS2:
            form["type"] = "unicode"
        if callback:
            form |= {"callback": callback, "status-report-req": "1"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest(f"{self._given['url']}/sms/json", headers, urlencode(form).encode())

    def read(self, response: HttpResponse) -> Receipt:
        """Read the status of the message's first part."""
        parts = response.json().get("messages")
        if response.status != 200 or not isinstance(parts, list) or not parts:
            return by_status(response)
        part: dict[str, Any] = parts[0] if isinstance(parts[0], dict) else {}
        status, words = str(part.get("status")), str(part.get("error-text", ""))
        if status == "0":
            price = part.get("message-price")
            return Receipt.sent(part.get("message-id"), price=price, currency="EUR")
        if status == "5":  # an internal error of theirs: it may have been sent all the same
            return Receipt.unknown(Trouble.OUTAGE, words)
        if status in TROUBLES:
            return Receipt.failed(*TROUBLES[status], words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a delivery report, which comes as a query, a form or JSON by the account's choice.

        It is known to be Vonage's by the address it came to, which only they were told.
        """
        found = _fields(callback)
        status = STATUSES.get(str(found.get("status", "")))
        if status is None:
            return []
        notice = reported(
            status,
            REPORTED.get(str(found.get("err-code", "0")), NO_REASON),
            message_id=found.get("messageId") or found.get("message-id"),
            attempt_sid=found.get("client-ref"),
            network=str(found.get("network-code", "")),
            price=found.get("price"),
            currency="EUR" if found.get("price") else None,
        )
        return [notice]


def _fields(callback: Callback) -> dict[str, str]:
    try:
        body = json.loads(callback.body) if callback.body else {}
    except ValueError:
        body = {}
    sent = {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    return {**callback.query, **callback.form, **sent}
