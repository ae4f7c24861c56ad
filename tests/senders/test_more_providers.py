"""Telnyx, Infobip, Plivo, Bird, Sinch and WhatsApp, by the formats of their documentation."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.senders.fakes import CODE, NUMBER, Fake, fake_provider, message, send
from tests.senders.test_providers import callback, make, sender
from watchword.model import Channel, Delivery
from watchword.senders.base import Receipt, Trouble
from watchword.senders.plivo import sign
from watchword.senders.provider import NotAuthentic

SID = "VL" + "a1" * 16
REPORTS = "https://verify.example.com/receipts/{}?attempt=VLa1&mac=00"
GIVEN: dict[str, dict[str, Any]] = {
    "telnyx": {"api_key": "KEY1", "from": "+1555"},
    "infobip": {"api_key": "k", "from": "Acme"},
    "plivo": {"auth_id": "MA1", "auth_token": "t", "from": "+1555"},
    "messagebird": {"access_key": "live", "from": "Acme"},
    "sinch": {"service_plan_id": "plan", "api_token": "t", "from": "Acme"},
    "whatsapp": {
        "phone_number_id": "106",
        "access_token": "t",
        "template": "code",
        "languages": "en, fr",
    },
}
TAKEN: dict[str, tuple[int, Any]] = {
    "telnyx": (200, {"data": {"id": "m1", "cost": {"amount": "0.0051", "currency": "USD"}}}),
    "infobip": (
        200,
        {
            "messages": [
                {
                    "messageId": "m1",
                    "status": {"groupId": 1, "groupName": "PENDING", "id": 26},
                    "to": "33612345678",
                }
            ]
        },
    ),
    "plivo": (202, {"message": "message(s) queued", "message_uuid": ["m1"], "api_id": "a"}),
    "messagebird": (201, {"id": "m1", "recipients": {"totalSentCount": 1}}),
    "sinch": (201, {"id": "m1", "to": ["33612345678"], "canceled": False}),
    "whatsapp": (
        200,
        {"messaging_product": "whatsapp", "messages": [{"id": "m1", "message_status": "accepted"}]},
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.asked.clear()
    return server


def ask(fake: Fake, kind: str) -> Receipt:
    channel = Channel.WHATSAPP if kind == "whatsapp" else Channel.SMS
    return send(sender(kind, url=fake.url, **GIVEN[kind]), message(channel, locale="fr"))[0]


@pytest.mark.parametrize("kind", TAKEN)
def test_a_message_is_taken_and_its_id_kept(fake: Fake, kind: str) -> None:
    fake.says(*TAKEN[kind])

    receipt = ask(fake, kind)

    assert (receipt.status, receipt.message_id) == (Delivery.SENT, "m1")
    assert receipt.price == ("0.0051" if kind == "telnyx" else None)


@pytest.mark.parametrize(
    ("kind", "path", "header", "expected"),
    [
        (
            "telnyx",
            "/v2/messages",
            "Bearer KEY1",
            {"to": NUMBER, "from": "+1555", "webhook_url": REPORTS.format("telnyx")},
        ),
        ("infobip", "/sms/2/text/advanced", "App k", {}),
        (
            "plivo",
            "/v1/Account/MA1/Message/",
            f"Basic {base64.b64encode(b'MA1:t').decode()}",
            {"dst": "33612345678", "src": "1555", "url": REPORTS.format("plivo")},
        ),
        (
            "messagebird",
            "/messages",
            "AccessKey live",
            {"recipients": ["33612345678"], "originator": "Acme", "reference": SID},
        ),
        (
            "sinch",
            "/xms/v1/plan/batches",
            "Bearer t",
            {"to": ["33612345678"], "callback_url": REPORTS.format("sinch")},
        ),
        ("whatsapp", "/106/messages", "Bearer t", {"to": "33612345678", "type": "template"}),
    ],
)
def test_a_message_is_asked_for_as_the_documentation_says(
    fake: Fake, kind: str, path: str, header: str, expected: dict[str, Any]
) -> None:
    fake.says(*TAKEN[kind])

    ask(fake, kind)

    asked = fake.asked[0]
    assert asked.path == path
    assert asked.headers["authorization"] == header
    assert {name: asked.json[name] for name in expected} == expected
    assert asked.body.decode().count(CODE) == (2 if kind == "whatsapp" else 1)


def test_infobip_gets_one_message_in_its_list(fake: Fake) -> None:
    fake.says(*TAKEN["infobip"])

    ask(fake, "infobip")

    asked = fake.asked[0].json["messages"][0]
    assert asked["destinations"] == [{"to": "33612345678", "messageId": SID}]
    assert asked["notifyUrl"] == REPORTS.format("infobip")


def test_whatsapp_gets_the_template_in_a_language_it_is_approved_in(fake: Fake) -> None:
    fake.says(*TAKEN["whatsapp"])

    ask(fake, "whatsapp")

    assert fake.asked[0].json["template"]["language"] == {"code": "fr"}


@pytest.mark.parametrize(
    ("kind", "status", "body", "trouble"),
    [
        ("telnyx", 401, {"errors": [{"code": "10009"}]}, Trouble.CREDENTIALS),
        ("telnyx", 400, {"errors": [{"code": "40310"}]}, Trouble.RECIPIENT),
        ("telnyx", 400, {"errors": [{"code": "40300"}]}, Trouble.OPTED_OUT),
        ("telnyx", 422, {"errors": ["x"]}, Trouble.CONTENT),
        ("telnyx", 400, {"errors": [{"code": "10002"}]}, Trouble.RECIPIENT),
        ("telnyx", 400, {"errors": [{"code": "40331"}]}, Trouble.DESTINATION),
        (
            "infobip",
            200,
            {
                "messages": [
                    {
                        "status": {
                            "groupName": "REJECTED",
                            "name": "REJECTED_NOT_ENOUGH_CREDITS",
                        }
                    }
                ]
            },
            Trouble.FUNDS,
        ),
        (
            "infobip",
            401,
            {"requestError": {"serviceException": {"text": "Invalid login details"}}},
            Trouble.CREDENTIALS,
        ),
        *(
            (
                "infobip",
                200,
                {"messages": [{"status": {"groupName": "REJECTED", "name": f"REJECTED_{name}"}}]},
                trouble,
            )
            for name, trouble in (
                ("NETWORK", Trouble.DESTINATION),
                ("FLOODING_FILTER", Trouble.RECIPIENT),
                ("DND", Trouble.OPTED_OUT),
                ("SENDER", Trouble.SETUP),
                ("SYSTEM_ERROR", Trouble.OUTAGE),
                ("PREPAID_PACKAGE_EXPIRED", Trouble.FUNDS),
            )
        ),
        ("plivo", 401, {}, Trouble.CREDENTIALS),
        ("plivo", 400, {"error": "dst is invalid"}, Trouble.RECIPIENT),
        ("plivo", 400, {"error": "'1111111' is not a valid phone number."}, Trouble.RECIPIENT),
        ("plivo", 402, {"error": "insufficient balance"}, Trouble.FUNDS),
        ("messagebird", 401, {"errors": [{"code": 2}]}, Trouble.CREDENTIALS),
        ("messagebird", 422, {"errors": [{"code": 25}]}, Trouble.FUNDS),
        (
            "messagebird",
            422,
            {"errors": [{"code": 10, "parameter": "recipients"}]},
            Trouble.RECIPIENT,
        ),
        ("sinch", 401, {}, Trouble.CREDENTIALS),
        ("sinch", 403, {"code": "forbidden_shared_group"}, Trouble.SETUP),
        ("whatsapp", 401, {"error": {"code": 190}}, Trouble.CREDENTIALS),
        ("whatsapp", 400, {"error": {"code": 131026}}, Trouble.RECIPIENT),
        ("whatsapp", 404, {"error": {"code": 132001}}, Trouble.SETUP),
        ("whatsapp", 403, {"error": {"code": 200}}, Trouble.CREDENTIALS),
        ("whatsapp", 400, {"error": {"code": 131056}}, Trouble.RECIPIENT),
        ("whatsapp", 400, {"error": {"code": 131049}}, Trouble.RECIPIENT),
    ],
)
def test_a_no_is_definite_and_told_apart(
    fake: Fake, kind: str, status: int, body: Any, trouble: Trouble
) -> None:
    fake.says(status, body)

    receipt = ask(fake, kind)

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, trouble)


def test_telnyx_s_reports_are_signed_with_its_key() -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    provider = make("telnyx", **GIVEN["telnyx"], public_key=base64.b64encode(raw).decode())
    body = json.dumps(
        {
            "data": {
                "event_type": "message.finalized",
                "payload": {
                    "id": "m1",
                    "to": [{"phone_number": NUMBER, "status": "delivery_failed"}],
                    "cost": {"amount": "0.0051", "currency": "USD"},
                    "errors": [{"code": "40008", "title": "Undeliverable"}],
                },
            }
        }
    ).encode()
    signed = base64.b64encode(private.sign(b"1700000000|" + body)).decode()
    headers: dict[str, Any] = {"telnyx_timestamp": "1700000000", "telnyx_signature_ed25519": signed}

    notice = provider.notices(callback(body=body, **headers))[0]

    assert (notice.status, notice.error_code) == (Delivery.UNDELIVERED, 30003)
    others: tuple[dict[str, Any], ...] = (
        {},
        headers | {"telnyx_timestamp": "1"},
        {"telnyx_signature_ed25519": "é"},
    )
    for bad in others:
        with pytest.raises(NotAuthentic):
            provider.notices(callback(body=body, **bad))


def test_plivo_s_reports_are_signed_with_the_token() -> None:
    provider = make("plivo", **GIVEN["plivo"])
    form = {"MessageUUID": "m1", "Status": "undelivered", "ErrorCode": "50", "MCC": "208"}
    signed = sign(callback().url, "nonce", "t")
    headers: dict[str, Any] = {
        "x_plivo_signature_v2_nonce": "nonce",
        "x_plivo_signature_v2": signed,
    }

    notice = provider.notices(callback(form, **headers))[0]

    assert (notice.status, notice.error_code, notice.mcc) == (Delivery.UNDELIVERED, 30005, "208")
    with pytest.raises(NotAuthentic):
        provider.notices(callback(form))


def test_infobip_bird_and_sinch_report_by_the_address_they_were_told() -> None:
    infobip = {
        "results": [
            {
                "messageId": SID,
                "mccMnc": "20801",
                "price": {"pricePerMessage": 0.03, "currency": "EUR"},
                "status": {"groupName": "DELIVERED", "name": "DELIVERED_TO_HANDSET"},
            }
        ]
    }
    bird = {
        "id": "m1",
        "reference": SID,
        "status": "delivered",
        "mccmnc": "20801",
        "price[amount]": "0.03",
        "price[currency]": "EUR",
    }
    sinch = {"batch_id": "m1", "client_reference": SID, "status": "Delivered", "operator": "20801"}

    found = [
        make("infobip", url="http://x", **GIVEN["infobip"]).notices(
            callback(body=json.dumps(infobip).encode())
        ),
        make("messagebird", **GIVEN["messagebird"]).notices(callback(query=bird)),
        make("sinch", **GIVEN["sinch"]).notices(callback(body=json.dumps(sinch).encode())),
    ]

    for (notice,) in found:
        assert (notice.status, notice.attempt_sid) == (Delivery.DELIVERED, SID)
        assert (notice.mcc, notice.mnc) == ("208", "01")
    assert found[0][0].price == "0.03"
