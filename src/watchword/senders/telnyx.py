"""Telnyx Messaging (https://developers.telnyx.com/api/messaging): JSON, signed reports."""

import base64
import json
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import (
    NO_REASON,
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    NotAuthentic,
    Notice,
    Option,
    by_status,
    json_request,
    reported,
)

# https://developers.telnyx.com/docs/messaging/messages/error-codes and
# https://support.telnyx.com/en/articles/6505121-telnyx-messaging-error-codes
TROUBLES: Final = {
    "10001": (Trouble.RECIPIENT, 30005),
    "10002": (Trouble.RECIPIENT, 21211),
    "10005": (Trouble.SETUP, 20404),
    "10006": (Trouble.SETUP, None),
    "10009": (Trouble.CREDENTIALS, 20003),
    "10010": (Trouble.CREDENTIALS, 20003),
    "10011": (Trouble.BUSY, 20429),
    "10015": (Trouble.SETUP, None),
    "10016": (Trouble.RECIPIENT, 21211),
    "20012": (Trouble.FUNDS, 30002),
    "20100": (Trouble.FUNDS, 30002),
    "40001": (Trouble.RECIPIENT, 21614),
    "40002": (Trouble.CONTENT, 30007),
    "40003": (Trouble.CONTENT, 30007),
    "40004": (Trouble.RECIPIENT, 30006),
    "40005": (Trouble.RECIPIENT, 30003),
    "40006": (Trouble.RECIPIENT, 30003),
    "40008": (Trouble.RECIPIENT, 30003),
    "40009": (Trouble.CONTENT, None),
    "40010": (Trouble.SETUP, 30034),
    "40011": (Trouble.BUSY, 30001),
    "40012": (Trouble.RECIPIENT, 21211),
    "40013": (Trouble.SETUP, 21606),
    "40014": (Trouble.OUTAGE, 30008),
    "40015": (Trouble.CONTENT, 30007),
    "40300": (Trouble.OPTED_OUT, 21610),
    "40305": (Trouble.SETUP, 21606),
    "40310": (Trouble.RECIPIENT, 21211),
    "40313": (Trouble.SETUP, None),
    "40318": (Trouble.BUSY, 20429),
    "40331": (Trouble.DESTINATION, 21408),
}
STATUSES: Final = {
    "queued": Delivery.SENT,
    "sending": Delivery.SENT,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "delivery_unconfirmed": Delivery.SENT,
    "sending_failed": Delivery.FAILED,
    "delivery_failed": Delivery.UNDELIVERED,
}


class Telnyx:
    """Send through Telnyx."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("api_key", "the API key (KEY…)", secret=True),
        Option("from", "the number or sender id that it comes from", ""),
        Option("messaging_profile_id", "or the profile that chooses one", ""),
        Option("public_key", "what Telnyx signs its reports with, in base64", ""),
        Option("url", "another address, such as a proxy's", "https://api.telnyx.com"),
    )

    def __init__(self, given: Given) -> None:
        if not given["from"] and not given["messaging_profile_id"]:
            raise ValueError("from or messaging_profile_id is needed")
        self._given = given
        self._key = _public_key(given["public_key"]) if given["public_key"] else None

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        body = {"to": message.to, "text": message.body, "type": "SMS"}
        for name in ("from", "messaging_profile_id"):
            if self._given[name]:
                body[name] = self._given[name]
        if callback:
            body["webhook_url"] = callback
        bearer = f"Bearer {self._given['api_key']}"
        return json_request(f"{self._given['url']}/v2/messages", bearer, body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the message's id, or the first error."""
        body = response.json()
        data, errors = body.get("data"), body.get("errors")
        if response.status == 200 and isinstance(data, dict) and data.get("id"):
            cost: Any = data.get("cost") or {}
            return Receipt.sent(
                str(data["id"]), price=cost.get("amount"), currency=cost.get("currency")
            )
        error: Any = errors[0] if isinstance(errors, list) and errors else {}
        if not isinstance(error, dict):
            return by_status(response)
        code, words = str(error.get("code", "")), str(error.get("detail", ""))
        if code in TROUBLES and 400 <= response.status < 500:
            return Receipt.failed(*TROUBLES[code], words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a `message.finalized` or `message.sent` event."""
        if self._key is not None:
            _check(callback, self._key)
        try:
            payload = json.loads(callback.body)["data"]["payload"]
            reached = payload["to"][0]
            status = STATUSES.get(reached["status"])
        except (ValueError, KeyError, TypeError, IndexError):
            return []
        if status is None:
            return []
        errors = payload.get("errors") or [{}]
        cost = payload.get("cost") or {}
        notice = reported(
            status,
            TROUBLES.get(str(errors[0].get("code")), NO_REASON),
            message_id=payload.get("id"),
            price=cost.get("amount"),
            currency=cost.get("currency"),
        )
        return [notice]


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError as fault:
        raise ValueError("public_key: 32 bytes in base64 are expected") from fault


def _check(callback: Callback, key: Ed25519PublicKey) -> None:
    at = callback.headers.get("telnyx-timestamp", "")
    try:
        signature = base64.b64decode(callback.headers.get("telnyx-signature-ed25519", ""))
        key.verify(signature, f"{at}|".encode() + callback.body)
    except (ValueError, InvalidSignature) as fault:
        raise NotAuthentic("the callback is not signed by Telnyx") from fault
