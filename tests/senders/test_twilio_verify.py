"""Twilio Verify as the sender: our code in its messages, and the end told to it.

Twilio's part is played by our own server, which speaks the same API, with custom codes enabled.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE
from tests.senders.fakes import CODE, NUMBER, Fake, fake_provider, message, send
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, CloseVerification, StartVerification
from watchword.engine import Engine
from watchword.kit import Kit, open_kit
from watchword.kit_server import KitServer, Listener
from watchword.model import Channel, Delivery, Status
from watchword.outcomes import Outcomes
from watchword.phone import parse
from watchword.senders.base import ABOUT_ONE_MESSAGE, Trouble
from watchword.senders.dispatch import Dispatch
from watchword.senders.routes import Choice, Route
from watchword.senders.twilio_verify import VerifySender
from watchword.store.memory import MemoryStore

START = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE))


def make(url: str, **given: str) -> VerifySender:
    options = {option.name: option.default or "" for option in VerifySender.OPTIONS}
    known = {"account_sid": "AC1", "auth_token": "t", "service_sid": "VA1", "url": url}
    return VerifySender("verify", options | known | given, timeout=30)


# Against our own server, which speaks as Twilio does


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    one = Listener()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def kit() -> Iterator[Kit]:
    with open_kit() as one:
        yield one


@pytest.fixture
def twilio(listener: Listener, kit: Kit) -> Iterator[KitServer]:
    with listener.serving(kit) as server:
        yield server


def service(twilio: KitServer, **settings: Any) -> Any:
    named = twilio.client().verify.v2.services(twilio.credentials.service_sid)
    return named.update(**settings) if settings else named


def ours(twilio: KitServer) -> Engine:
    """Return our engine, that sends through `twilio`."""
    known = twilio.credentials
    sender = make(
        twilio.url,
        account_sid=known.account_sid,
        auth_token=known.auth_token,
        service_sid=known.service_sid,
    )
    dispatch = Dispatch({"verify": sender}, [Route(Channel.SMS, (Choice("verify"),))])
    engine = Engine(MemoryStore(), dispatch, KEYRING, CREDENTIALS, clock=ManualClock(NOON))
    Outcomes(engine)
    engine.perform(EnsureService(SERVICE))
    return engine


def test_twilio_s_message_carries_our_code_and_our_check_decides(
    kit: Kit, twilio: KitServer
) -> None:
    service(twilio, custom_code_enabled=True)

    async def run() -> tuple[Any, Any, Any]:
        engine = ours(twilio)
        started = await engine.submit(START)
        code = await asyncio.to_thread(kit.inbox.wait_code, PHONE)
        known = CREDENTIALS.service_sid, CREDENTIALS.account_sid
        wrong = await engine.submit(CheckCode(*known, "000000", to=PHONE))
        right = await engine.submit(CheckCode(*known, code, to=PHONE))
        await engine.aclose()
        return started, wrong, right

    started, wrong, right = asyncio.run(run())

    messages = kit.inbox.messages(PHONE)
    assert [one.code for one in messages] == [started.code]
    assert started.delivery is Delivery.SENT
    assert (wrong.status, right.status) == (Status.PENDING, Status.APPROVED)
    attempts = twilio.client().verify.v2.verification_attempts.list()
    assert [one.conversion_status for one in attempts] == ["converted"]  # it was told


def test_a_canceled_verification_is_canceled_there_too_so_the_next_has_a_code_of_its_own(
    kit: Kit, twilio: KitServer
) -> None:
    service(twilio, custom_code_enabled=True)
    engine = ours(twilio)
    first = engine.perform(START)
    known = CREDENTIALS.service_sid, CREDENTIALS.account_sid

    engine.perform(CloseVerification(*known, Status.CANCELED, to=PHONE))
    engine._late.wait()
    second = engine.perform(START)
    engine.close()

    codes = [one.code for one in kit.inbox.messages(PHONE)]
    assert codes == [second.code, first.code]
    assert first.code != second.code


def test_a_resend_goes_out_with_the_same_code(kit: Kit, twilio: KitServer) -> None:
    service(twilio, custom_code_enabled=True)
    engine = ours(twilio)

    first, second = engine.perform(START), engine.perform(START)
    engine.close()

    assert first.code == second.code
    assert {one.code for one in kit.inbox.messages(PHONE)} == {first.code}


def test_a_service_without_custom_codes_is_found_out_before_anything_is_sent(
    kit: Kit, twilio: KitServer
) -> None:
    known = twilio.credentials
    sender = make(
        twilio.url,
        account_sid=known.account_sid,
        auth_token=known.auth_token,
        service_sid=known.service_sid,
    )

    receipt = send(sender)[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.SETUP)
    assert "enable custom verification codes" in str(receipt.reason)
    assert kit.inbox.messages() == []


# Against answers of Twilio's documentation


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_provider() as one:
        yield one


def says(fake: Fake, status: int, body: dict[str, Any]) -> None:
    """Show a service that takes our codes, and answer everything else with this."""
    fake.says(status, body)
    other = fake.answer
    fake.says(200, {"sid": "VA1", "custom_code_enabled": True})
    shown = fake.answer
    fake.answer = lambda asked: (shown if asked.method == "GET" else other)(asked)


def test_it_is_asked_for_as_the_documentation_says(fake: Fake) -> None:
    says(fake, 201, {"sid": "VE1", "status": "pending"})

    receipts = send(make(fake.url, template_sid="HJ1"), message(locale="fr"), message(locale="fr"))

    asked = fake.asked[1]
    assert [one.method for one in fake.asked] == ["GET", "POST", "POST"]  # looked at once
    assert [one.message_id for one in receipts] == ["VE1", "VE1"]
    assert asked.path == "/v2/Services/VA1/Verifications"
    assert asked.form == {
        "To": NUMBER,
        "Channel": "sms",
        "CustomCode": CODE,
        "Locale": "fr",
        "TemplateSid": "HJ1",
    }


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (401, 20003, Trouble.CREDENTIALS),
        (429, 20429, Trouble.BUSY),
        (400, 60200, Trouble.RECIPIENT),
        (429, 60203, Trouble.RECIPIENT),
        (403, 60204, Trouble.SETUP),
        (403, 60205, Trouble.RECIPIENT),
        (403, 60410, Trouble.DESTINATION),
        (403, 60605, Trouble.DESTINATION),
    ],
)
def test_its_errors_are_told_apart(fake: Fake, status: int, code: int, trouble: Trouble) -> None:
    says(fake, status, {"code": code, "message": f"Invalid parameter `To`: {NUMBER}"})

    receipt = send(make(fake.url))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, trouble)
    assert NUMBER not in repr(receipt)


def test_a_parameter_of_ours_that_it_refuses_is_not_the_recipient_s_fault(fake: Fake) -> None:
    says(fake, 400, {"code": 60200, "message": "Invalid parameter `Locale`"})

    receipts = send(make(fake.url), message(locale="sw"))

    assert receipts[0].trouble is Trouble.CONTENT
    assert "Locale" not in fake.asked[1].form  # a language that Twilio has no texts in


def test_a_limit_of_one_number_does_not_rest_the_sender_for_all() -> None:
    assert {Trouble.RECIPIENT, Trouble.DESTINATION} <= ABOUT_ONE_MESSAGE


def test_a_500_is_nobody_s_knowledge_but_on_the_look_before(fake: Fake) -> None:
    says(fake, 500, {})
    after = send(make(fake.url))[0]
    fake.says(500, {})
    before = send(make(fake.url))[0]

    assert after.status is Delivery.UNKNOWN
    assert (before.status, before.trouble) == (Delivery.FAILED, Trouble.OUTAGE)


def test_nobody_there_is_definite() -> None:
    receipt = send(make("http://127.0.0.1:9"), message())[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.OUTAGE)
