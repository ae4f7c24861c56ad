"""T-32: providers' reports over HTTP: signed or nothing, in any order, ten times over."""

import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE
from tests.senders.fakes import Fake, fake_provider
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.commands.deliveries import LookAtDeliveries
from watchword.commands.services import EnsureService
from watchword.commands.verifications import StartVerification
from watchword.engine import Engine
from watchword.model import Attempt, Channel, Delivery
from watchword.phone import parse
from watchword.record import replace
from watchword.rules.delivery import RANK, merge
from watchword.senders.configured import dispatch_from
from watchword.store.base import Changes, Keys, Query, Store
from watchword.tenants import Posting, Service, Webhook

START = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE))
PUBLIC = "https://verify.example.com"


@dataclass
class Setting:
    """An engine that sends through two fake providers, behind its HTTP door."""

    engine: Engine
    fake: Fake
    http: TestClient

    def start(self) -> str:
        """Send one message; return its attempt's sid."""
        return self.engine.perform(START).attempt.sid

    def attempt(self, sid: str) -> Attempt:
        return self.engine.perform(LookAtDeliveries((sid,)))[sid]

    def told(self, field: str) -> str:
        """Return the path the provider was told to report to, of the last message."""
        return self.fake.asked[-1].form[field].removeprefix(PUBLIC)


@pytest.fixture
def setting(request: pytest.FixtureRequest, store: Store) -> Iterator[Setting]:
    kind = getattr(request, "param", "twilio")
    with fake_provider() as fake:
        entry = {
            "twilio": {"account_sid": "AC1", "auth_token_env": "TOKEN", "from": "+1555"},
            "vonage": {"api_key": "k", "api_secret_env": "TOKEN", "from": "Acme"},
            "twilio-voice": {"account_sid": "AC1", "auth_token_env": "TOKEN", "from": "+1555"},
            "whatsapp": META | {"app_secret_env": "TOKEN", "verify_token_env": "TOKEN"},
        }[kind]
        tables = {"senders": [{"type": kind, "url": fake.url} | entry]}
        dispatch = dispatch_from(tables, {"TOKEN": "secret"})
        if kind.startswith("twilio"):
            fake.says(201, {"sid": "SM1", "status": "queued"})
        elif kind == "vonage":
            fake.says(200, {"messages": [{"status": "0", "message-id": "m1"}]})
        else:
            fake.says(200, {"messages": [{"id": "wamid.1"}]})
        engine = Engine(
            store, dispatch, KEYRING, CREDENTIALS, clock=ManualClock(NOON), public_url=PUBLIC
        )
        engine.perform(EnsureService(SERVICE))
        with TestClient(App(engine, development=False), base_url=PUBLIC) as http:
            yield Setting(engine, fake, http)


def report(setting: Setting, path: str, form: dict[str, str], token: str = "secret") -> int:
    """Report as Twilio does."""
    signed = RequestValidator(token).compute_signature(PUBLIC + path, form)
    answer = setting.http.post(path, data=form, headers={"X-Twilio-Signature": signed})
    return answer.status_code


def test_a_report_is_recorded_and_shown_among_the_attempts(setting: Setting) -> None:
    sid = setting.start()
    path = setting.told("StatusCallback")
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005"}

    assert setting.attempt(sid).status is Delivery.SENT
    assert report(setting, path, form) == 204

    attempt = setting.attempt(sid)
    auth = (CREDENTIALS.account_sid, CREDENTIALS.auth_token)
    shown: Any = setting.http.get(f"/v2/Attempts/{sid}", auth=auth).json()
    assert (attempt.status, attempt.error_code) == (Delivery.UNDELIVERED, 30005)
    assert attempt.reason == "this number cannot be reached; ask for another one"
    assert shown["channel_data"]["message_status"] == "undelivered"
    assert shown["channel_data"]["error_code"] == "30005"


def test_nothing_unsigned_changes_anything(setting: Setting) -> None:
    sid = setting.start()
    other = setting.start()
    path = setting.told("StatusCallback")
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    parts = urlsplit(path)
    mac = path.rpartition("mac=")[2]

    refused = [
        setting.http.post(path, data=form).status_code,
        report(setting, path, form, token="guessed"),
        report(setting, parts.path, form),
        report(setting, f"{parts.path}?attempt={other}&mac=", form),
        report(setting, f"{parts.path}?attempt={other}&mac={'0' * 32}", form),
        report(setting, f"{parts.path}?attempt={other}&mac=é", form),
        report(setting, f"{parts.path}?attempt={sid}&mac={mac}", form),
    ]

    assert refused == [403] * 7
    assert report(setting, path.replace("/twilio?", "/nobody?"), form) == 404
    assert setting.attempt(sid).status is Delivery.SENT
    assert setting.attempt(other).status is Delivery.SENT


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_reports_come_in_any_order_and_ten_times_over(
    setting: Setting, order: tuple[str, ...]
) -> None:
    sid = setting.start()
    path = setting.told("StatusCallback")

    for _ in range(10):
        for status in order:
            assert report(setting, path, {"MessageSid": "SM1", "MessageStatus": status}) == 204

    assert setting.attempt(sid).status is Delivery.READ


def test_a_report_quicker_than_our_own_record_is_not_lost(setting: Setting) -> None:
    def answer(asked: Any) -> Any:
        path = asked.form["StatusCallback"].removeprefix(PUBLIC)
        assert report(setting, path, {"MessageSid": "SM1", "MessageStatus": "delivered"}) == 204
        return 201, {"Content-Type": "application/json"}, b'{"sid": "SM1"}'

    setting.fake.answer = answer

    attempt = setting.attempt(setting.start())

    assert (attempt.status, attempt.message_id) == (Delivery.DELIVERED, "SM1")


@pytest.mark.parametrize("setting", ["vonage"], indirect=True)
def test_a_provider_that_signs_nothing_is_known_by_the_address_it_was_told(
    setting: Setting,
) -> None:
    sid = setting.start()
    path = setting.told("callback")
    told = "status=delivered&messageId=m1&price=0.0333&network-code=62401&err-code=0"

    assert setting.http.get(f"{path}&{told}&client-ref=VLother").status_code == 204
    assert setting.attempt(sid).status is Delivery.SENT
    assert setting.http.get(f"{path}&{told}&client-ref={sid}").status_code == 204

    attempt = setting.attempt(sid)
    assert attempt.status is Delivery.DELIVERED
    assert (attempt.price, attempt.currency) == ("0.0333", "EUR")
    assert (attempt.mcc, attempt.mnc) == ("624", "01")


META = {"phone_number_id": "106", "template": "code", "access_token_env": "TOKEN"}
BY_WHATSAPP = StartVerification(
    CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE), Channel.WHATSAPP
)


def of_meta(*statuses: dict[str, Any]) -> bytes:
    """Return what Meta posts (developers.facebook.com/documentation/…/messages/status)."""
    value = {"messaging_product": "whatsapp", "metadata": {}, "statuses": list(statuses)}
    entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signed_by_meta(body: bytes, secret: bytes = b"secret") -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hmac.digest(secret, body, 'sha256').hex()}"}


@pytest.mark.parametrize("setting", ["whatsapp"], indirect=True)
def test_meta_reports_many_at_one_address_signed(setting: Setting) -> None:
    first = setting.engine.perform(BY_WHATSAPP).attempt.sid
    setting.fake.says(200, {"messages": [{"id": "wamid.2"}]})
    second = setting.engine.perform(BY_WHATSAPP).attempt.sid
    failed = {"id": "other", "status": "failed", "errors": [{"code": 131026}]}
    body = of_meta(
        {"id": "wamid.1", "status": "read"},
        {"id": "wamid.1", "status": "delivered", "biz_opaque_callback_data": first},
        failed | {"biz_opaque_callback_data": second},
        {"id": "somebody else's", "status": "delivered"},
        {"id": "wamid.1", "status": "warming up"},
    )

    unsigned = [
        setting.http.post("/receipts/whatsapp", content=body).status_code,
        setting.http.post(
            "/receipts/whatsapp", content=body, headers=signed_by_meta(body, b"guessed")
        ).status_code,
        setting.http.post(
            "/receipts/whatsapp", content=body + b" ", headers=signed_by_meta(body)
        ).status_code,
    ]
    before = setting.attempt(first).status
    for _ in range(10):
        signed = signed_by_meta(body)
        taken = setting.http.post("/receipts/whatsapp", content=body, headers=signed)

    assert unsigned == [403] * 3
    assert before is Delivery.SENT
    assert taken.status_code == 204
    assert setting.attempt(first).status is Delivery.READ
    assert setting.attempt(second).status is Delivery.UNDELIVERED
    assert setting.attempt(second).error_code == 63003


@pytest.mark.parametrize("setting", ["whatsapp"], indirect=True)
def test_meta_s_question_is_answered_to_whoever_knows_the_token(setting: Setting) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}

    right = setting.http.get("/receipts/whatsapp", params=asked | {"hub.verify_token": "secret"})
    wrong = setting.http.get("/receipts/whatsapp", params=asked | {"hub.verify_token": "é"})
    nothing = setting.http.post("/receipts/whatsapp", content=b"{", headers=signed_by_meta(b"{"))

    assert (right.status_code, right.text) == (200, "1158201444")
    assert wrong.status_code == 403
    assert nothing.status_code == 204


BY_CALL = StartVerification(
    CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE), Channel.CALL
)


@pytest.mark.parametrize("setting", ["twilio-voice"], indirect=True)
def test_a_call_says_the_code_to_whoever_presses_a_key(setting: Setting) -> None:
    started = setting.engine.perform(BY_CALL)
    first = ElementTree.fromstring(setting.fake.asked[-1].form["Twiml"])
    gather = first.find("Gather")
    assert gather is not None
    path = str(gather.get("action")).removeprefix(PUBLIC)
    asked, pressed = "".join(first.itertext()), {"Digits": "#", "CallSid": "CA1"}

    answer = press(setting, path, pressed)
    refused = [
        press(setting, path, pressed, token="guessed").status_code,
        press(setting, path.replace("attempt=VL", "attempt=VX"), pressed).status_code,
        press(setting, path[:-12] + "A" * 12, pressed).status_code,
        press(setting, path.partition("&script=")[0], pressed).status_code,
        press(setting, path.replace("/calls/twilio-voice", "/calls/nobody"), pressed).status_code,
    ]

    words = "".join(ElementTree.fromstring(answer.text).itertext())
    assert asked == "Appuyez sur une touche pour entendre votre code." * 2
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("1", "")
    assert started.code not in setting.fake.asked[-1].form["Twiml"]
    assert words.count(", ".join(started.code)) == 2
    assert refused == [403, 403, 403, 403, 404]


@pytest.mark.parametrize("setting", ["twilio-voice"], indirect=True)
def test_a_call_says_it_at_once_where_nobody_can_ask_us_or_no_key_is_wanted(
    setting: Setting,
) -> None:
    settings = replace(SERVICE.settings, dtmf_input_required=False)
    setting.engine.store.transact(
        Keys.of(Service, SERVICE.sid), lambda _rows: Changes.of(replace(SERVICE, settings=settings))
    )
    without_key = setting.engine.perform(BY_CALL)
    at_once = setting.fake.asked[-1].form["Twiml"]
    setting.engine.store.transact(Keys.of(Service, SERVICE.sid), lambda _rows: Changes.of(SERVICE))
    setting.engine.public_url = ""
    setting.engine.perform(BY_CALL)

    for script in (at_once, setting.fake.asked[-1].form["Twiml"]):
        assert "<Gather" not in script
        assert ", ".join(without_key.code) in script


def press(setting: Setting, path: str, form: dict[str, str], token: str = "secret") -> Any:
    """Say, as Twilio does, that a key was pressed."""
    signed = RequestValidator(token).compute_signature(PUBLIC + path, form)
    return setting.http.post(path, data=form, headers={"X-Twilio-Signature": signed})


def test_a_report_is_told_to_the_webhooks_that_listen_once(setting: Setting) -> None:
    hook = Webhook("YW" + "1" * 32, "hook", ("message.delivered",), "https://a.example", NOON, NOON)
    listening = replace(SERVICE, webhooks=(hook,))
    setting.engine.store.transact(
        Keys.of(Service, SERVICE.sid), lambda _rows: Changes.of(listening)
    )
    sid = setting.start()
    path = setting.told("StatusCallback")

    for status in ("sent", "delivered", "delivered", "sent"):
        assert report(setting, path, {"MessageSid": "SM1", "MessageStatus": status}) == 204

    (told,) = setting.engine.store.page(Query(Posting, {}, limit=9))
    fields = dict(told.fields)
    assert told.event == "message.delivered"
    assert (fields["attempt_sid"], fields["message_status"]) == (sid, "delivered")
    assert fields["sender"] == "twilio"


def test_a_body_too_large_is_refused(setting: Setting) -> None:
    setting.start()
    path = setting.told("StatusCallback")

    assert setting.http.post(path, content=b"x" * 70_000).status_code == 413


def test_without_a_public_address_nobody_is_told_to_report(setting: Setting) -> None:
    setting.engine.public_url = ""

    setting.start()

    assert "StatusCallback" not in setting.fake.asked[-1].form


ATTEMPT = Attempt(
    sid="VL1",
    verification_sid="VE1",
    service_sid="VA1",
    account_sid="AC1",
    channel=Channel.SMS,
    country="FR",
    status=Delivery.QUEUED,
    created_at=NOON,
    updated_at=NOON,
)


@pytest.mark.parametrize("statuses", list(itertools.permutations(Delivery, 3)))
def test_news_moves_an_attempt_forwards_only(statuses: tuple[Delivery, ...]) -> None:
    attempt = ATTEMPT
    for status in statuses * 2:
        before = RANK[attempt.status]
        attempt = merge(attempt, replace(ATTEMPT, status=status))
        assert RANK[attempt.status] >= before

    assert RANK[attempt.status] == max(RANK[status] for status in statuses)
