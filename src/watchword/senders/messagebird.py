"""Bird's SMS API, MessageBird's of old (https://developers.messagebird.com/api/sms-messaging)."""

from typing import Any, ClassVar, Final

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import (
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    Notice,
    Option,
    by_status,
    json_request,
    reported,
    without_plus,
)

STATUSES: Final = {
    "scheduled": Delivery.SENT,
    "sent": Delivery.SENT,
    "buffered": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "expired": Delivery.UNDELIVERED,
    "delivery_failed": Delivery.UNDELIVERED,
}
TROUBLES: Final = {  # https://developers.messagebird.com/api/#errors
    2: (Trouble.CREDENTIALS, 20003),
    20: (Trouble.SETUP, 20404),
    25: (Trouble.FUNDS, 30002),
    98: (Trouble.SETUP, 20404),
}


class MessageBird:
    """Send through Bird."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("access_key", "the live access key", secret=True),
        Option("from", "the number or name that it comes from"),
        Option("url", "another address, such as a proxy's", "https://rest.messagebird.com"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        body = {
            "originator": self._given["from"],
            "recipients": [without_plus(message.to)],
            "body": message.body,
            "datacoding": "auto",
            "reference": message.attempt_sid,
        }
        if callback:
            body["reportUrl"] = callback
        key = f"AccessKey {self._given['access_key']}"
        return json_request(f"{self._given['url']}/messages", key, body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the message's id, or the first error."""
        body = response.json()
        if response.status == 201 and body.get("id"):
            return Receipt.sent(str(body["id"]))
        errors = body.get("errors")
        error: Any = errors[0] if isinstance(errors, list) and errors else {}
        if not isinstance(error, dict) or response.status >= 500:
            return by_status(response)
        code, words = error.get("code"), str(error.get("description", ""))
        if code in TROUBLES:
            return Receipt.failed(*TROUBLES[code], words)
        if code in (9, 10) and error.get("parameter") in ("recipient", "recipients"):
            return Receipt.failed(Trouble.RECIPIENT, 21211, words)
        if code in (9, 10) and error.get("parameter") == "originator":
            return Receipt.failed(Trouble.SETUP, 21606, words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a status report's query; known to be Bird's by the address only they were told."""
        found = callback.query
        status = STATUSES.get(found.get("status", ""))
        if status is None:
            return []
        notice = reported(
            status,
            (Trouble.RECIPIENT, 30003),
            message_id=found.get("id"),
            attempt_sid=found.get("reference"),
            network=found.get("mccmnc", ""),
            price=found.get("price[amount]"),
            currency=found.get("price[currency]"),
        )
        return [notice]
