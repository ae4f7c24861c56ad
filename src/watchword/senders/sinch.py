"""Sinch SMS (https://developers.sinch.com/docs/sms/api-reference): batches of one, in JSON."""

import json
from typing import ClassVar, Final

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

STATUSES: Final = {
    "Queued": Delivery.SENT,
    "Dispatched": Delivery.SENT,
    "Delivered": Delivery.DELIVERED,
    "Failed": Delivery.UNDELIVERED,
    "Rejected": Delivery.UNDELIVERED,
    "Expired": Delivery.UNDELIVERED,
    "Aborted": Delivery.FAILED,
    "Cancelled": Delivery.FAILED,
    "Deleted": Delivery.UNDELIVERED,  # by a remote centre: an invalid or opted-out number
    "Unknown": Delivery.SENT,  # no receipt came
}
# https://developers.sinch.com/docs/sms/api-reference/sms/delivery-reports/
# delivery-report-error-codes: those of the REST API itself; others come from the networks
REPORTED: Final = {
    402: (Trouble.DESTINATION, 21612),
    403: (Trouble.OUTAGE, 30008),
    404: (Trouble.OUTAGE, 30008),
    405: (Trouble.CONTENT, None),
    406: (Trouble.OUTAGE, 30008),
    408: (Trouble.CONTENT, 30007),
    410: (Trouble.SETUP, 21606),
    411: (Trouble.CONTENT, 21617),
    412: (Trouble.DESTINATION, 21408),
    413: (Trouble.FUNDS, 30002),
}


class Sinch:
    """Send through Sinch."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("service_plan_id", "the service plan"),
        Option("api_token", "its API token", secret=True),
        Option("from", "the number or name that it comes from"),
        Option("url", "the region's address", "https://us.sms.api.sinch.com"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        body = {
            "from": self._given["from"],
            "to": [without_plus(message.to)],
            "body": message.body,
            "client_reference": message.attempt_sid,
        }
        if callback:
            body |= {"callback_url": callback, "delivery_report": "per_recipient"}
        url = f"{self._given['url']}/xms/v1/{self._given['service_plan_id']}/batches"
        return json_request(url, f"Bearer {self._given['api_token']}", body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the batch's id, or the error's code."""
        body = response.json()
        if response.status == 201 and body.get("id"):
            return Receipt.sent(str(body["id"]))
        code, words = str(body.get("code", "")), str(body.get("text", ""))
        if response.status == 400 and "to" in words.split() and code.startswith("syntax"):
            return Receipt.failed(Trouble.RECIPIENT, 21211, words)
        if response.status == 403 and code:
            return Receipt.failed(Trouble.SETUP, None, words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a recipient's delivery report; known to be Sinch's by the address it came to."""
        try:
            found = json.loads(callback.body)
            status = STATUSES.get(found["status"])
        except (ValueError, KeyError, TypeError):
            return []
        if status is None:
            return []
        notice = reported(
            status,
            REPORTED.get(found.get("code"), NO_REASON),
            message_id=found.get("batch_id"),
            attempt_sid=found.get("client_reference"),
            network=str(found.get("operator") or ""),
        )
        return [notice]
