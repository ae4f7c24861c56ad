"""Infobip SMS (https://www.infobip.com/docs/api/channels/sms): JSON, statuses in groups."""

import json
from typing import Any, ClassVar, Final

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
    json_request,
    reported,
    without_plus,
)

GROUPS: Final = {  # status.groupName
    "PENDING": Delivery.SENT,
    "ACCEPTED": Delivery.SENT,
    "DELIVERED": Delivery.DELIVERED,
    "UNDELIVERABLE": Delivery.UNDELIVERED,
    "EXPIRED": Delivery.UNDELIVERED,
    "REJECTED": Delivery.FAILED,
}
# https://www.infobip.com/docs/essentials/response-status-and-error-codes: the name of a status
TROUBLES: Final = {
    "REJECTED_NETWORK": (Trouble.DESTINATION, 21408),
    "REJECTED_PREFIX_MISSING": (Trouble.RECIPIENT, 21211),
    "REJECTED_DND": (Trouble.OPTED_OUT, 21610),
    "REJECTED_DESTINATION": (Trouble.RECIPIENT, 30004),
    "REJECTED_DESTINATION_BLOCK": (Trouble.RECIPIENT, 30004),
    "REJECTED_DESTINATION_NOT_REGISTERED": (Trouble.SETUP, 21608),
    "REJECTED_INVALID_DESTINATION": (Trouble.RECIPIENT, 21211),
    "REJECTED_SENDER": (Trouble.SETUP, 21606),
    "REJECTED_SOURCE": (Trouble.SETUP, 21606),
    "REJECTED_NOT_ENOUGH_CREDITS": (Trouble.FUNDS, 30002),
    "REJECTED_PREPAID_PACKAGE_EXPIRED": (Trouble.FUNDS, 30002),
    "REJECTED_FLOODING_FILTER": (Trouble.RECIPIENT, 60203),  # twenty an hour for one number
    "REJECTED_ROUTE_NOT_AVAILABLE": (Trouble.DESTINATION, 21612),
    "REJECTED_SYSTEM_ERROR": (Trouble.OUTAGE, 20503),
    "REJECTED_MESSAGE_TOO_LONG": (Trouble.CONTENT, 21617),
    "UNDELIVERABLE_REJECTED_OPERATOR": (Trouble.CONTENT, 30007),
    "UNDELIVERABLE_NOT_DELIVERED": (Trouble.RECIPIENT, 30003),
    "EXPIRED_EXPIRED": (Trouble.RECIPIENT, 30003),
    "EXPIRED_DLR_UNKNOWN": (Trouble.OUTAGE, 30008),
}


class Infobip:
    """Send through Infobip."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("url", "the account's own address, such as https://xyz.api.infobip.com"),
        Option("api_key", "the API key", secret=True),
        Option("from", "the number or name that it comes from"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        asked: dict[str, Any] = {
            "from": self._given["from"],
            "destinations": [{"to": without_plus(message.to), "messageId": message.attempt_sid}],
            "text": message.body,
        }
        if callback:
            asked |= {"notifyUrl": callback, "notifyContentType": "application/json"}
        url = f"{self._given['url']}/sms/2/text/advanced"
        return json_request(url, f"App {self._given['api_key']}", {"messages": [asked]})

    def read(self, response: HttpResponse) -> Receipt:
        """Read the status of the one message, or the service exception."""
        body = response.json()
        try:
            message = body["messages"][0]
            status: Any = message["status"]
            group = GROUPS.get(status["groupName"])
        except (KeyError, TypeError, IndexError):
            return by_status(response, _exception(body))
        words = str(status.get("description", ""))
        if response.status != 200 or group is None:
            return by_status(response, words)
        if group is Delivery.SENT:
            return Receipt.sent(message.get("messageId"))
        trouble, code = TROUBLES.get(str(status.get("name")), (Trouble.CONTENT, None))
        return Receipt.failed(trouble, code, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read delivery reports; known to be Infobip's by the address only they were told."""
        try:
            results = json.loads(callback.body)["results"]
            return [notice for result in results if (notice := _notice(result))]
        except (ValueError, KeyError, TypeError):
            return []


def _notice(result: dict[str, Any]) -> Notice | None:
    status = GROUPS.get(result["status"]["groupName"])
    if status is None:
        return None
    price = result.get("price") or {}
    each = price.get("pricePerMessage")
    return reported(
        status,
        TROUBLES.get(str(result["status"].get("name")), NO_REASON),
        message_id=result.get("messageId"),
        attempt_sid=result.get("messageId"),
        network=str(result.get("mccMnc", "")),
        price=None if each is None else str(each),
        currency=price.get("currency"),
    )


def _exception(body: dict[str, Any]) -> str:
    error = body.get("requestError")
    inner = error.get("serviceException") if isinstance(error, dict) else None
    return str(inner.get("text", "")) if isinstance(inner, dict) else ""
