"""Plivo SMS (https://www.plivo.com/docs/messaging/api/message): JSON, reports signed (V2)."""

import base64
import hmac
from typing import ClassVar, Final
from urllib.parse import urlsplit, urlunsplit

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
    without_plus,
)

STATUSES: Final = {
    "queued": Delivery.SENT,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.UNDELIVERED,
    "rejected": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
}
# https://www.plivo.com/docs/messaging/troubleshooting/error-codes: ErrorCode of a report
REPORTED: Final = {
    "10": (Trouble.CONTENT, 30007),
    "20": (Trouble.OUTAGE, 30008),
    "30": (Trouble.CONTENT, 30007),
    "40": (Trouble.SETUP, 21606),
    "50": (Trouble.RECIPIENT, 30005),
    "60": (Trouble.RECIPIENT, 30003),
    "70": (Trouble.RECIPIENT, 30004),
    "80": (Trouble.SETUP, 21606),
    "90": (Trouble.BUSY, 30001),
    "200": (Trouble.OPTED_OUT, 21610),
    "300": (Trouble.OUTAGE, 30008),
    "420": (Trouble.OUTAGE, 30008),
    "900": (Trouble.FUNDS, 30002),
    "950": (Trouble.SETUP, 30034),
}


class Plivo:
    """Send through Plivo."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("auth_id", "the account's auth id"),
        Option("auth_token", "its auth token; also what Plivo signs with", secret=True),
        Option("from", "the number or sender id that it comes from", ""),
        Option("powerpack_uuid", "or the powerpack that chooses one", ""),
        Option("url", "another address, such as a proxy's", "https://api.plivo.com"),
    )

    def __init__(self, given: Given) -> None:
        if not given["from"] and not given["powerpack_uuid"]:
            raise ValueError("from or powerpack_uuid is needed")
        self._given = given

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        body = {"dst": without_plus(message.to), "text": message.body}
        if self._given["powerpack_uuid"]:
            body["powerpack_uuid"] = self._given["powerpack_uuid"]
        else:
            body["src"] = without_plus(self._given["from"])
        if callback:
            body |= {"url": callback, "method": "POST"}
        pair = f"{self._given['auth_id']}:{self._given['auth_token']}".encode()
        url = f"{self._given['url']}/v1/Account/{self._given['auth_id']}/Message/"
        return json_request(url, f"Basic {base64.b64encode(pair).decode()}", body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the message's uuid, or the error's words."""
        body = response.json()
        found = body.get("message_uuid")
        if response.status == 202 and isinstance(found, list) and found:
            return Receipt.sent(str(found[0]))
        words = str(body.get("error", ""))
        if response.status == 400 and ("dst" in words or "valid phone number" in words):
            return Receipt.failed(Trouble.RECIPIENT, 21211, words)
        if response.status == 400 and "src" in words:
            return Receipt.failed(Trouble.SETUP, 21606, words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a status callback."""
        _check(callback, self._given["auth_token"])
        status = STATUSES.get(callback.form.get("Status", ""))
        if status is None:
            return []
        price = callback.form.get("TotalAmount")
        notice = reported(
            status,
            REPORTED.get(callback.form.get("ErrorCode", ""), NO_REASON),
            message_id=callback.form.get("MessageUUID"),
            network=callback.form.get("MCC", "") + callback.form.get("MNC", ""),
            price=price,
            currency="USD" if price else None,
        )
        return [notice]


def sign(url: str, nonce: str, token: str) -> str:
    """Return Plivo's V2 signature: over the address without its query, and a nonce."""
    bare = urlunsplit((*urlsplit(url)[:3], "", ""))
    return base64.b64encode(
        hmac.digest(token.encode(), f"{bare}{nonce}".encode(), "sha256")
    ).decode()


def _check(callback: Callback, token: str) -> None:
    nonce = callback.headers.get("x-plivo-signature-v2-nonce", "")
    given = callback.headers.get("x-plivo-signature-v2", "")
    right = sign(callback.url, nonce, token)
    if not nonce or not hmac.compare_digest(right.encode(), given.encode()):
        raise NotAuthentic("the callback is not signed by this Plivo account")
