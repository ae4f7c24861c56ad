"""WhatsApp Cloud API (https://developers.facebook.com/docs/whatsapp): authentication templates."""

import hmac
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

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

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
TROUBLES: Final = {
    0: (Trouble.CREDENTIALS, 20003),
    3: (Trouble.CREDENTIALS, 20003),
    10: (Trouble.CREDENTIALS, 20003),
    190: (Trouble.CREDENTIALS, 20003),
    4: (Trouble.BUSY, 20429),
    80007: (Trouble.BUSY, 20429),
    130429: (Trouble.BUSY, 63018),
    131048: (Trouble.BUSY, 63018),
    131056: (Trouble.RECIPIENT, 63018),  # too many to this one number
    131049: (Trouble.RECIPIENT, 63018),  # kept from this person to protect them
    131026: (Trouble.RECIPIENT, 63003),
    131030: (Trouble.RECIPIENT, 63003),
    131050: (Trouble.OPTED_OUT, 21610),
    368: (Trouble.FUNDS, 30002),  # restricted for a violation of policy
    33: (Trouble.SETUP, 63007),
    131042: (Trouble.FUNDS, 30002),
    131031: (Trouble.FUNDS, 30002),
    132000: (Trouble.CONTENT, 63016),
    132001: (Trouble.SETUP, 63016),
    132015: (Trouble.SETUP, 63016),
    133010: (Trouble.SETUP, 63007),
}


PERMISSIONS: Final = range(200, 300)
STATUSES: Final = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "failed": Delivery.UNDELIVERED,
}


class WhatsApp:
    """Send the code as an approved authentication template.

    Meta reports to one address for the whole app: `/receipts/<sender>`, typed in there by hand.
    """

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.WHATSAPP})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("phone_number_id", "the business number's id"),
        Option("access_token", "a system user's token", secret=True),
        Option("template", "the name of an approved authentication template"),
        Option("languages", "the tags it is approved in, the first one for everybody else", "en"),
        Option(
            "app_secret", "the app's secret, which Meta signs its reports with", "", secret=True
        ),
        Option("verify_token", "the token typed in with the reports' address", "", secret=True),
        Option("url", "another address or version", "https://graph.facebook.com/v21.0"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._secret = given["app_secret"].encode()
        self._languages = [tag.strip() for tag in given["languages"].split(",")]

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for a template message: the code in its body and on its copy button."""
        code = [{"type": "text", "text": message.code}]
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": without_plus(message.to),
            "type": "template",
            "template": {
                "name": self._given["template"],
                "language": {"code": self._language(message)},
                "components": [
                    {"type": "body", "parameters": code},
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
                ],
            },
            "biz_opaque_callback_data": message.attempt_sid,
        }
        url = f"{self._given['url']}/{self._given['phone_number_id']}/messages"
        return json_request(url, f"Bearer {self._given['access_token']}", body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the message's id, or the error's code."""
        body = response.json()
        messages, error = body.get("messages"), body.get("error")
        if response.status == 200 and isinstance(messages, list) and messages:
            first: Any = messages[0]
            if isinstance(first, dict) and first.get("id"):
                return Receipt.sent(str(first["id"]))
        if not isinstance(error, dict) or response.status >= 500:
            return by_status(response)
        words = str(error.get("message", ""))
        code = error.get("code")
        if code in TROUBLES:
            return Receipt.failed(*TROUBLES[code], words)
        if isinstance(code, int) and code in PERMISSIONS:
            return Receipt.failed(Trouble.CREDENTIALS, 20003, words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read the statuses of one POST, as many as Meta has put together; other news is left."""
        right = "sha256=" + hmac.digest(self._secret, callback.body, "sha256").hex()
        given = callback.headers.get("x-hub-signature-256", "")
        if not self._secret or not hmac.compare_digest(right.encode(), given.encode()):
            raise NotAuthentic("the callback is not signed by this Meta app")
        try:
            entries = json.loads(callback.body)["entry"]
            changes = [change["value"] for entry in entries for change in entry["changes"]]
            found = [_notice(one) for value in changes for one in value.get("statuses", ())]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []
        return [notice for notice in found if notice]

    def challenge(self, query: Mapping[str, str]) -> str:
        """Answer Meta's question whether this address is ours; raise NotAuthentic for others'."""
        given, known = query.get("hub.verify_token", ""), self._given["verify_token"]
        if not known or not hmac.compare_digest(given.encode(), known.encode()):
            raise NotAuthentic("that is not the verify token")
        return query.get("hub.challenge", "")

    def _language(self, message: Message) -> str:
        wanted = message.text.language.tag.replace("-", "_") if message.text else ""
        return wanted if wanted in self._languages else self._languages[0]


def _notice(one: dict[str, Any]) -> Notice | None:
    status = STATUSES.get(one["status"])
    if status is None:
        return None
    errors = one.get("errors") or [{}]
    return reported(
        status,
        TROUBLES.get(errors[0].get("code"), NO_REASON),
        message_id=one["id"],
        attempt_sid=one.get("biz_opaque_callback_data"),
    )
