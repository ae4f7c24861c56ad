"""AWS SNS: SMS by a signed query (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import ClassVar, Final
from urllib.parse import urlencode, urlsplit

from watchword.model import Channel
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import (
    Callback,
    Given,
    HttpRequest,
    HttpResponse,
    Notice,
    Option,
    by_status,
)

TROUBLES: Final = {  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, errors
    "AuthorizationError": Trouble.CREDENTIALS,
    "AccessDenied": Trouble.CREDENTIALS,
    "InvalidClientTokenId": Trouble.CREDENTIALS,
    "SignatureDoesNotMatch": Trouble.CREDENTIALS,
    "ExpiredToken": Trouble.CREDENTIALS,
    "OptedOut": Trouble.OPTED_OUT,
    "InvalidParameter": Trouble.RECIPIENT,
    "InvalidParameterValue": Trouble.RECIPIENT,
    "ParameterValueInvalid": Trouble.RECIPIENT,
    "UserError": Trouble.SETUP,
    "Throttled": Trouble.BUSY,
    "Throttling": Trouble.BUSY,
    "ThrottledException": Trouble.BUSY,
}
CODES: Final = {Trouble.CREDENTIALS: 20003, Trouble.RECIPIENT: 21211, Trouble.BUSY: 20429}
CODES_OPTED_OUT: Final = 21610
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"


class Sns:
    """Send through SNS. It reports deliveries to CloudWatch only, so no receipts come here."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("region", "such as eu-west-1"),
        Option("access_key_id", "the access key of a user that may sns:Publish"),
        Option("secret_access_key", "its secret", secret=True),
        Option("session_token", "the token of a temporary key", "", secret=True),
        Option("sender_id", "the name that it comes from, where the country allows one", ""),
        Option("origination_number", "or the number that it comes from", ""),
        Option("url", "another address, such as a VPC endpoint's", ""),
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._url = given["url"] or f"https://sns.{given['region']}.amazonaws.com"

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for an SMS."""
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._given["sender_id"]:
            attributes["AWS.SNS.SMS.SenderID"] = self._given["sender_id"]
        if self._given["origination_number"]:
            attributes["AWS.MM.SMS.OriginationNumber"] = self._given["origination_number"]
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": message.to,
            "Message": message.body,
        }
        for number, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            form[f"{entry}.Name"] = name
            form[f"{entry}.Value.DataType"] = "String"
            form[f"{entry}.Value.StringValue"] = value
        body = urlencode(form).encode()
        headers = {"content-type": FORM, "host": urlsplit(self._url).netloc}
        if self._given["session_token"]:
            headers["x-amz-security-token"] = self._given["session_token"]
        signed = sign(
            headers,
            body,
            message.created_at,
            region=self._given["region"],
            service="sns",
            key_id=self._given["access_key_id"],
            secret=self._given["secret_access_key"],
        )
        return HttpRequest(f"{self._url}/", signed, body)

    def read(self, response: HttpResponse) -> Receipt:
        """Read the MessageId, or the Code of an error, from the XML."""
        xml = response.body.decode("utf-8", "replace")
        if response.status == 200 and (found := _element("MessageId", xml)):
            return Receipt.sent(found)
        code, words = _element("Code", xml), _element("Message", xml) or ""
        if code in TROUBLES and response.status < 500:
            trouble = TROUBLES[code]
            if "opted out" in words.lower():
                trouble = Trouble.OPTED_OUT
            number = CODES_OPTED_OUT if trouble is Trouble.OPTED_OUT else CODES.get(trouble)
            return Receipt.failed(trouble, number, words)
        return by_status(response, words)

    def notices(self, callback: Callback) -> list[Notice]:
        """Report nothing: SNS calls nobody."""
        return []


def sign(
    headers: dict[str, str],
    body: bytes,
    now: datetime,
    *,
    region: str,
    service: str,
    key_id: str,
    secret: str,
    path: str = "/",
) -> dict[str, str]:
    """Return the headers of a POST with AWS's Signature Version 4 added to them."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    signed = {**headers, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    canonical = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed


def _element(name: str, xml: str) -> str | None:
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return found[1] if found else None
