"""Your own HTTP service: a JSON or form body of your choice, signed, answered with any 2xx."""

import hmac
import json
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

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
from watchword.texts.template import VARIABLE

SIGNATURE: Final = "X-Watchword-Signature"
FIELDS: Final = {
    "id": "{{id}}",
    "to": "{{to}}",
    "channel": "{{channel}}",
    "from": "{{from}}",
    "text": "{{text}}",
    "code": "{{code}}",
    "locale": "{{locale}}",
    "receipts_url": "{{receipts_url}}",
}
FOR_CALLS: Final = ("asks_for_key", "send_digits", "voice")  # in no body unless it is asked for
STATUSES: Final = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
}


class Webhook:
    """Post each message to an address of yours."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset(Channel)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("url", "where to post"),
        Option("secret", "what the body is signed with (HMAC-SHA-256)", "", secret=True),
        Option("format", "json or form", "json"),
        Option("fields", "the body, with {{to}}, {{text}}, {{code}} …", "", table=True),
        Option("authorization", "an Authorization header, whole", "", secret=True),
        Option("id_field", "where the answer's JSON holds the message's id", "id"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._fields: dict[str, str] = {
            str(name): str(text) for name, text in (given["fields"] or FIELDS).items()
        }
        known = {VARIABLE.findall(text)[0] for text in FIELDS.values()} | {*FOR_CALLS}
        for text in self._fields.values():
            for name in VARIABLE.findall(text):
                if name not in known:
                    raise ValueError(f"fields: there is no {{{{{name}}}}}")
        if given["format"] not in ("json", "form"):
            raise ValueError("format: there are json and form")

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Return the signed request."""
        values = {
            "id": message.attempt_sid,
            "to": message.to,
            "channel": message.channel.value,
            "from": message.sender_name,
            "text": message.body,
            "code": message.code,
            "locale": message.text.language.tag if message.text else "",
            "receipts_url": callback or "",
            "asks_for_key": "true" if message.asks_for_key else "false",
            "send_digits": message.send_digits or "",
            "voice": message.voice or "",
        }
        filled = {
            name: VARIABLE.sub(lambda found: values[found[1]], text)
            for name, text in self._fields.items()
        }
        is_json = self._given["format"] == "json"
        body = (json.dumps(filled, ensure_ascii=False) if is_json else urlencode(filled)).encode()
        headers = {
            "Content-Type": "application/json" if is_json else "application/x-www-form-urlencoded",
            "Idempotency-Key": message.attempt_sid,
        }
        if self._given["secret"]:
            at = int(message.created_at.timestamp())
            headers[SIGNATURE] = f"t={at},v1={signature(self._given['secret'], at, body)}"
        if self._given["authorization"]:
            headers["Authorization"] = self._given["authorization"]
        return HttpRequest(self._given["url"], headers, body)

    def read(self, response: HttpResponse) -> Receipt:
        """Take any 2xx for a yes; a refusal may say what is the matter in `trouble`."""
        body = response.json()
        if 200 <= response.status < 300:
            found = body.get(self._given["id_field"])
            return Receipt.sent(None if found is None else str(found))
        said: Any = body.get("trouble")
        if response.status < 500 and said in set(Trouble):
            return Receipt.failed(Trouble(said), None, str(body.get("message", "")))
        return by_status(response, str(body.get("message", "")))

    def notices(self, callback: Callback) -> list[Notice]:
        """Read `{"status": "delivered"}`, signed as our own requests are."""
        if self._given["secret"]:
            _check(callback, self._given["secret"])
        try:
            body = json.loads(callback.body)
        except ValueError:
            body = dict(callback.form)
        if not isinstance(body, dict) or body.get("status") not in STATUSES:
            return []
        code = body.get("error_code")
        notice = Notice(
            STATUSES[body["status"]],
            error_code=int(str(code)) if str(code).isdigit() else None,
            price=_text(body.get("price")),
            currency=_text(body.get("currency")),
        )
        return [notice]


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the hex HMAC-SHA-256 of the time, a dot and the body."""
    return hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()


def _check(callback: Callback, secret: str) -> None:
    given = dict(
        part.split("=", 1)
        for part in callback.headers.get(SIGNATURE.lower(), "").split(",")
        if "=" in part
    )
    at = given.get("t", "")
    right = signature(secret, int(at), callback.body) if at.isdigit() else ""
    if not right or not hmac.compare_digest(right, given.get("v1", "")):
        raise NotAuthentic("the callback is not signed with the sender's secret")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
