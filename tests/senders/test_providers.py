"""Each provider's requests, answers and reports, in the format of its documentation."""

import base64
import hashlib
import hmac
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.conftest import NOON
from tests.senders.fakes import CODE, NUMBER, Fake, fake_provider, message, send
from watchword.model import Channel, Delivery
from watchword.record import replace
from watchword.senders.base import Receipt, Trouble
from watchword.senders.http import HttpSender
from watchword.senders.kinds import KINDS
from watchword.senders.provider import Callback, NotAuthentic, Provider
from watchword.senders.sns import sign
from watchword.senders.webhook import signature


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.asked.clear()
    return server


def make(kind: str, **given: Any) -> Provider:
    """Return a provider of that type, its other options by default."""
    cls = KINDS[kind].load()
    options: dict[str, Any] = {o.name: {} if o.table else (o.default or "") for o in cls.OPTIONS}
    provider: Provider = cls(options | given)
    return provider


def sender(kind: str, **given: Any) -> HttpSender:
    return HttpSender(kind, make(kind, **given), timeout=5)


def callback(
    form: dict[str, str] | None = None,
    *,
    url: str = "https://verify.example.com/receipts/x?attempt=VL1&mac=00",
    body: bytes | None = None,
    query: dict[str, str] | None = None,
    **headers: str,
) -> Callback:
    return Callback(
        url=url,
        method="POST",
        query=query or {},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=urlencode(form or {}).encode() if body is None else body,
        form=form or {},
    )


# Twilio


def twilio(fake: Fake, **given: str) -> HttpSender:
    return sender(
        "twilio", account_sid="AC1", auth_token="secret", url=fake.url, **{"from": "+1555"} | given
    )


def test_twilio_is_asked_for_an_sms_and_its_sid_kept(fake: Fake) -> None:
    fake.says(
        201,
        {
            "sid": "SM123",
            "status": "queued",
            "price": None,
            "price_unit": "USD",
            "error_code": None,
        },
    )

    receipt = send(twilio(fake))[0]

    asked = fake.asked[0]
    assert receipt == Receipt(Delivery.SENT, "SM123", currency="USD")
    assert asked.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert base64.b64decode(asked.headers["authorization"].split()[1]) == b"AC1:secret"
    assert asked.form == {
        "To": NUMBER,
        "From": "+1555",
        "Body": f"Your Acme verification code is: {CODE}",
        "StatusCallback": "https://verify.example.com/receipts/twilio?attempt=VLa1&mac=00",
    }


def test_twilio_whatsapp_uses_the_approved_template(fake: Fake) -> None:
    fake.says(201, {"sid": "SM124", "status": "queued"})

    send(twilio(fake, content_sid="HX1"), message(Channel.WHATSAPP))

    form = fake.asked[0].form
    assert form["To"] == f"whatsapp:{NUMBER}"
    assert form["From"] == "whatsapp:+1555"
    assert json.loads(form["ContentVariables"]) == {"1": CODE}
    assert "Body" not in form


def test_twilio_sends_with_an_api_key_and_a_messaging_service(fake: Fake) -> None:
    fake.says(201, {"sid": "SM125"})

    send(twilio(fake, api_key="SK1", api_secret="s", messaging_service_sid="MG1"))

    assert base64.b64decode(fake.asked[0].headers["authorization"].split()[1]) == b"SK1:s"
    assert fake.asked[0].form["MessagingServiceSid"] == "MG1"
    assert "From" not in fake.asked[0].form


def test_twilio_takes_the_messaging_service_of_the_country_where_it_may(fake: Fake) -> None:
    fake.says(201, {"sid": "SM126"})
    set_for_it = replace(message(), messaging_service_sid="MG2")

    send(twilio(fake), set_for_it)
    send(twilio(fake, messaging_configurations="yes"), set_for_it)
    send(twilio(fake, messaging_configurations="yes", messaging_service_sid="MG1"), message())

    assert "MessagingServiceSid" not in fake.asked[0].form
    assert fake.asked[1].form["MessagingServiceSid"] == "MG2"
    assert fake.asked[2].form["MessagingServiceSid"] == "MG1"


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (401, 20003, Trouble.CREDENTIALS),
        (429, 20429, Trouble.BUSY),
        (400, 21211, Trouble.RECIPIENT),
        (400, 21610, Trouble.OPTED_OUT),
        (400, 21614, Trouble.RECIPIENT),
        (400, 21606, Trouble.SETUP),
        (400, 99999, Trouble.CONTENT),
    ],
)
def test_twilio_s_errors_are_told_apart_and_repeat_no_number(
    fake: Fake, status: int, code: int, trouble: Trouble
) -> None:
    words = f"The 'To' number {NUMBER} is not reachable"
    fake.says(status, {"code": code, "message": words, "status": status})

    receipt = send(twilio(fake))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, trouble)
    assert receipt.error_code in (code, None)
    assert receipt.detail == "The 'To' number • is not reachable"


def test_twilio_calls_and_says_the_digits_twice_and_slowly(fake: Fake) -> None:
    fake.says(201, {"sid": "CA1", "status": "queued"})
    voice = sender(
        "twilio-voice", account_sid="AC1", auth_token="s", url=fake.url, **{"from": "+1555"}
    )

    receipt = send(voice, message(Channel.CALL, locale="fr"))[0]

    script = ET.fromstring(fake.asked[0].form["Twiml"])
    said = script.findall("Say")
    assert receipt.message_id == "CA1"
    assert fake.asked[0].path == "/2010-04-01/Accounts/AC1/Calls.json"
    assert [say.get("language") for say in said] == ["fr-FR", "fr-FR"]
    for say in said:
        words = say.find("prosody")
        assert words is not None
        assert words.get("rate") == "slow"
        assert ", ".join(CODE) in str(words.text)


@pytest.mark.parametrize(
    ("form", "status", "trouble", "code"),
    [
        ({"MessageStatus": "sent"}, Delivery.SENT, None, None),
        ({"MessageStatus": "delivered"}, Delivery.DELIVERED, None, None),
        ({"MessageStatus": "read"}, Delivery.READ, None, None),
        (
            {"MessageStatus": "undelivered", "ErrorCode": "30005"},
            Delivery.UNDELIVERED,
            Trouble.RECIPIENT,
            30005,
        ),
    ],
)
def test_twilio_s_signed_reports_are_read(
    form: dict[str, str], status: Delivery, trouble: Trouble | None, code: int | None
) -> None:
    form = form | {"MessageSid": "SM123"}
    provider = make("twilio", account_sid="AC1", auth_token="secret", **{"from": "+1555"})
    url = callback().url
    signed = RequestValidator("secret").compute_signature(url, form)

    notice = provider.notices(callback(form, x_twilio_signature=signed))[0]

    assert (notice.message_id, notice.status) == ("SM123", status)
    assert (notice.trouble, notice.error_code) == (trouble, code)
    with pytest.raises(NotAuthentic):
        provider.notices(callback(form))
    with pytest.raises(NotAuthentic):
        provider.notices(callback(form | {"MessageStatus": "failed"}, x_twilio_signature=signed))


# Vonage


def vonage(fake: Fake) -> HttpSender:
    return sender("vonage", api_key="k", api_secret="s", url=fake.url, **{"from": "Acme"})


def test_vonage_is_asked_for_an_sms_and_its_price_kept(fake: Fake) -> None:
    fake.says(
        200,
        {
            "message-count": "1",
            "messages": [
                {
                    "to": "33612345678",
                    "message-id": "0A0000000123ABCD1",
                    "status": "0",
                    "remaining-balance": "3.14159265",
                    "message-price": "0.03330000",
                    "network": "20801",
                }
            ],
        },
    )

    receipt = send(vonage(fake), message(locale="ru"))[0]

    form = fake.asked[0].form
    assert receipt == Receipt(
        Delivery.SENT, "0A0000000123ABCD1", price="0.03330000", currency="EUR"
    )
    assert fake.asked[0].path == "/sms/json"
    assert form["to"] == "33612345678"
    assert form["type"] == "unicode"
    assert form["text"] == f"Ваш код подтверждения Acme: {CODE}"
    assert form["client-ref"] == "VL" + "a1" * 16


@pytest.mark.parametrize(
    ("status", "trouble", "delivery"),
    [
        ("1", Trouble.BUSY, Delivery.FAILED),
        ("4", Trouble.CREDENTIALS, Delivery.FAILED),
        ("5", Trouble.OUTAGE, Delivery.UNKNOWN),
        ("7", Trouble.RECIPIENT, Delivery.FAILED),
        ("9", Trouble.FUNDS, Delivery.FAILED),
        ("99", Trouble.UNCLEAR, Delivery.UNKNOWN),
    ],
)
def test_vonage_says_no_inside_a_200(
    fake: Fake, status: str, trouble: Trouble, delivery: Delivery
) -> None:
    fake.says(200, {"messages": [{"status": status, "error-text": "Bad Credentials"}]})

    receipt = send(vonage(fake))[0]

    assert (receipt.status, receipt.trouble) == (delivery, trouble)


def test_vonage_s_reports_are_read_from_a_query_a_form_or_json() -> None:
    provider = make("vonage", api_key="k", api_secret="s", **{"from": "Acme"})
    report = {
        "msisdn": "33612345678",
        "network-code": "20801",
        "messageId": "0A0",
        "price": "0.0333",
        "status": "failed",
        "err-code": "7",
        "client-ref": "VL1",
    }

    found = [
        provider.notices(callback(query=report))[0],
        provider.notices(callback(report))[0],
        provider.notices(callback(body=json.dumps(report).encode()))[0],
    ]

    for notice in found:
        assert notice.status is Delivery.UNDELIVERED
        assert (notice.trouble, notice.error_code) == (Trouble.RECIPIENT, 30003)
        assert (notice.mcc, notice.mnc, notice.price) == ("208", "01", "0.0333")
        assert notice.attempt_sid == "VL1"


# AWS SNS


SNS_KEYS = {
    "region": "eu-west-1",
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


def test_signature_version_4_is_as_in_aws_s_own_test_suite() -> None:
    signed = sign(
        {"host": "example.amazonaws.com"},
        b"",
        datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        region="us-east-1",
        service="service",
        key_id="AKIDEXAMPLE",
        secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    )

    assert signed["Authorization"].endswith(  # the suite's case post-vanilla
        "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


def test_sns_is_asked_by_a_signed_form_and_its_message_id_kept(fake: Fake) -> None:
    fake.says(
        200,
        b'<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
        b"<MessageId>567910cd-659e-55d4</MessageId></PublishResult></PublishResponse>",
    )

    receipt = send(sender("sns", url=fake.url, sender_id="Acme", **SNS_KEYS))[0]

    asked = fake.asked[0]
    assert receipt == Receipt(Delivery.SENT, "567910cd-659e-55d4")
    assert asked.form["Action"] == "Publish"
    assert asked.form["PhoneNumber"] == NUMBER
    assert asked.form["MessageAttributes.entry.2.Value.StringValue"] == "Acme"
    assert asked.headers["x-amz-date"] == "20260301T120000Z"
    again = sign(
        {"content-type": asked.headers["content-type"], "host": asked.headers["host"]},
        asked.body,
        NOON,
        region="eu-west-1",
        service="sns",
        key_id=SNS_KEYS["access_key_id"],
        secret=SNS_KEYS["secret_access_key"],
    )
    assert asked.headers["authorization"] == again["Authorization"]


@pytest.mark.parametrize(
    ("status", "code", "words", "trouble", "delivery"),
    [
        (403, "SignatureDoesNotMatch", "no", Trouble.CREDENTIALS, Delivery.FAILED),
        (400, "InvalidParameter", "PhoneNumber", Trouble.RECIPIENT, Delivery.FAILED),
        (400, "InvalidParameter", "is opted out", Trouble.OPTED_OUT, Delivery.FAILED),
        (400, "Throttling", "Rate exceeded", Trouble.BUSY, Delivery.FAILED),
        (500, "InternalError", "oops", Trouble.OUTAGE, Delivery.UNKNOWN),
    ],
)
def test_sns_s_errors_are_told_apart(
    fake: Fake, status: int, code: str, words: str, trouble: Trouble, delivery: Delivery
) -> None:
    error = f"<Code>{code}</Code><Message>{words}</Message>"
    fake.says(status, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())

    receipt = send(sender("sns", url=fake.url, **SNS_KEYS))[0]

    assert (receipt.status, receipt.trouble) == (delivery, trouble)


# The webhook


def test_a_webhook_gets_a_signed_body_of_the_default_shape(fake: Fake) -> None:
    fake.says(202, {"id": 7})

    receipt = send(sender("webhook", url=f"{fake.url}/sms", secret="shared"))[0]

    asked = fake.asked[0]
    at, given = (part.split("=")[1] for part in asked.headers["x-watchword-signature"].split(","))
    right = hmac.new(b"shared", f"{at}.".encode() + asked.body, hashlib.sha256).hexdigest()
    assert receipt == Receipt(Delivery.SENT, "7")
    assert given == right
    assert asked.headers["idempotency-key"] == "VL" + "a1" * 16
    assert asked.json["to"] == NUMBER
    assert asked.json["code"] == CODE
    assert asked.json["locale"] == "en"
    assert asked.json["receipts_url"].endswith("/receipts/webhook?attempt=VLa1&mac=00")


def test_a_webhook_s_body_is_the_operator_s_to_shape(fake: Fake) -> None:
    fake.says(200, {"result": {}, "ref": "x9"})
    given = {"fields": {"dest": "{{to}}", "msg": "[{{from}}] {{text}}"}, "format": "form"}

    receipt = send(sender("webhook", url=fake.url, id_field="ref", **given))[0]

    assert receipt.message_id == "x9"
    assert fake.asked[0].form["dest"] == NUMBER
    assert fake.asked[0].form["msg"].startswith("[Acme] Your Acme")
    with pytest.raises(ValueError, match="password"):
        make("webhook", url=fake.url, fields={"x": "{{password}}"})


def test_a_webhook_may_say_what_is_the_matter(fake: Fake) -> None:
    fake.says(422, {"trouble": "recipient", "message": f"{NUMBER} is a landline"})

    receipt = send(sender("webhook", url=fake.url))[0]

    assert (receipt.trouble, receipt.detail) == (Trouble.RECIPIENT, "• is a landline")


def test_a_webhook_s_reports_are_signed_with_the_same_secret() -> None:
    provider = make("webhook", url="http://x", secret="shared")
    body = b'{"status": "delivered", "price": "0.01", "currency": "EUR"}'
    signed = f"t=5,v1={signature('shared', 5, body)}"

    notice = provider.notices(callback(body=body, x_watchword_signature=signed))[0]

    assert (notice.status, notice.price) == (Delivery.DELIVERED, "0.01")
    for bad in ("", "t=5,v1=00", signed.replace("t=5", "t=6"), "t=x,v1=y", "v1"):
        with pytest.raises(NotAuthentic):
            provider.notices(callback(body=body, x_watchword_signature=bad))


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.http])
def test_a_provider_s_answer_of_nonsense_is_nobody_s_knowledge(fake: Fake, kind: str) -> None:
    if kind == "webhook":
        pytest.skip("a webhook's 200 is a yes, whatever its body says")
    given = {"account_sid": "AC1", "from": "+1555", "url": fake.url, **SNS_KEYS, "api_key": "k"}
    given |= {"service_plan_id": "p", "auth_id": "a", "phone_number_id": "1", "template": "t"}
    cls = KINDS[kind].load()
    known = {option.name for option in cls.OPTIONS}
    one = sender(kind, **{name: value for name, value in given.items() if name in known})
    sent = replace(message(), channel=min(cls.CHANNELS))

    for body in (b"", b"<html>", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"messages": [1]}'):
        fake.says(200, body)
        assert send(one, sent)[0].status is Delivery.UNKNOWN
    fake.says(500, b"<html>")
    assert send(one, sent)[0].status is Delivery.UNKNOWN
    fake.says(503, b"", Retry_After="7")
    assert send(one, sent)[0].retry_after == 7
    fake.says(302, b"", Location="http://elsewhere.example")
    assert send(one, sent)[0].status is Delivery.FAILED


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.http])
def test_no_provider_reads_a_status_into_nonsense(kind: str) -> None:
    given = {"account_sid": "AC1", "from": "+1555", "auth_token": "t", "languages": "en"}
    cls = KINDS[kind].load()
    known = {option.name for option in cls.OPTIONS}
    provider = make(kind, **{name: value for name, value in given.items() if name in known})

    for body in (b"", b"[]", b"{}", b"null", b"\xff", b'{"status": "flying"}', b'"x"'):
        try:
            assert provider.notices(callback(body=body)) == []
        except NotAuthentic:
            continue
