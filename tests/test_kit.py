"""The test kit: a code is read, time passes when it is told to, and faults come when called."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.exceptions import InternalServerError, TooManyRequests

from tests.conftest import PHONE
from watchword import OTP_Model
from watchword.kit import Kit, NoMessage, open_kit
from watchword.kit_server import KitServer


@pytest.fixture
def kit() -> Iterator[Kit]:
    with open_kit() as opened:
        yield opened


def start(kit: Kit) -> None:
    service = kit.client().verify.v2.services(kit.service_sid)
    service.verifications.create(to=PHONE, channel="sms")


def check(kit: Kit, code: str) -> str:
    service = kit.client().verify.v2.services(kit.service_sid)
    return str(service.verification_checks.create(to=PHONE, code=code).status)


def test_a_message_is_taken_once_and_the_next_wait_is_for_the_next_message(kit: Kit) -> None:
    start(kit)
    first = kit.inbox.wait_code(PHONE)

    with pytest.raises(NoMessage, match=r"no new message to .* 1 taken before"):
        kit.inbox.wait_code(PHONE, timeout=0.02)

    start(kit)
    assert kit.inbox.wait_code(PHONE) == first  # sent again, the code stays


def test_a_wait_that_finds_nothing_says_whom_there_are_messages_to(kit: Kit) -> None:
    start(kit)

    with pytest.raises(NoMessage, match=r"there are messages to \+237650000000"):
        kit.inbox.wait_code("+12025550143", timeout=0)


def test_a_message_from_another_thread_is_waited_for(kit: Kit) -> None:
    threading.Timer(0.05, start, [kit]).start()

    assert len(kit.inbox.wait_code(PHONE, timeout=10)) == 6


def test_a_code_expires_when_the_clock_is_turned(kit: Kit) -> None:
    start(kit)
    code = kit.inbox.wait_code(PHONE)

    kit.clock.advance(minutes=10)

    with pytest.raises(TwilioRestException) as refusal:
        check(kit, code)
    assert refusal.value.code == 20404


def test_the_clock_stands_until_it_is_turned_and_never_goes_back(kit: Kit) -> None:
    assert kit.clock.now() == kit.clock.now()
    with pytest.raises(ValueError, match="forwards"):
        kit.clock.advance(minutes=-1)


def test_a_failed_send_gives_the_step_back(kit: Kit) -> None:
    kit.faults.sender_fails()
    model = OTP_Model(PHONE)
    with pytest.raises(InternalServerError):
        model.guarded_verification("hash", "user")
    assert kit.inbox.messages() == []

    kit.faults.clear()
    assert model.guarded_verification("hash", "user").verification.status == "pending"


@pytest.mark.parametrize(("after_sending", "arrived"), [(False, 0), (True, 1)])
def test_after_a_timeout_the_step_is_kept_since_nobody_knows(
    kit: Kit, after_sending: bool, arrived: int
) -> None:
    kit.faults.sender_times_out(after_sending=after_sending)
    model = OTP_Model(PHONE)

    model.guarded_verification("hash", "user")

    assert len(kit.inbox.messages(PHONE)) == arrived
    with pytest.raises(TooManyRequests):
        model.guarded_verification("hash", "user")


def test_a_duplicated_message_arrives_twice_with_one_code(kit: Kit) -> None:
    kit.faults.sender_duplicates()

    start(kit)

    one, other = kit.inbox.messages(PHONE)
    assert one.code == other.code


def test_a_delayed_message_takes_its_time(kit: Kit) -> None:
    kit.faults.sender_delays(0.1)
    began = time.monotonic()

    start(kit)

    assert time.monotonic() - began >= 0.1
    assert len(kit.inbox.messages(PHONE)) == 1


def test_a_store_that_does_not_answer_lets_nobody_in(kit: Kit) -> None:
    start(kit)
    code = kit.inbox.wait_code(PHONE)
    model = OTP_Model(PHONE)
    kit.faults.store_unavailable()

    with pytest.raises(InternalServerError):
        model.verification_check(code)
    with pytest.raises(InternalServerError):
        model.check_count("hash", "user")

    kit.faults.clear()
    assert check(kit, code) == "approved"


def test_faults_add_up_until_they_are_cleared(kit: Kit) -> None:
    kit.faults.sender_duplicates()
    kit.faults.sender_delays(0.05)

    start(kit)

    assert len(kit.inbox.messages(PHONE)) == 2


def test_the_sdk_s_own_clients_are_given_back_when_the_kit_closes() -> None:
    sync_request, async_request = TwilioHttpClient.request, AsyncTwilioHttpClient.request

    with open_kit():
        assert TwilioHttpClient.request is not sync_request

    assert TwilioHttpClient.request is sync_request
    assert AsyncTwilioHttpClient.request is async_request


def test_an_async_client_that_knows_nothing_of_the_kit_is_answered_by_it(kit: Kit) -> None:
    known = kit.engine.credentials

    async def verify() -> str:
        client = Client(known.account_sid, known.auth_token, http_client=AsyncTwilioHttpClient())
        service = client.verify.v2.services(known.service_sid)
        await service.verifications.create_async(to=PHONE, channel="sms")
        code = kit.inbox.wait_code(PHONE)
        found = await service.verification_checks.create_async(to=PHONE, code=code)
        await client.http_client.close()
        return str(found.status)

    assert asyncio.run(verify()) == "approved"


def test_the_kit_takes_the_program_s_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "f" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "theirs")
    monkeypatch.setenv("TWILIO_SERVICE_SID", "VA" + "e" * 32)

    with open_kit() as kit:
        model = OTP_Model(PHONE)

        assert model.verification().service_sid == "VA" + "e" * 32
        assert model.verification_check(kit.inbox.wait_code(PHONE)).status == "approved"


def test_wrong_credentials_are_refused_as_twilio_does(kit: Kit) -> None:
    service = Client("AC" + "9" * 32, "wrong").verify.v2.services(kit.service_sid)

    with pytest.raises(TwilioRestException) as refusal:
        service.verifications.create(to=PHONE, channel="sms")
    assert refusal.value.code == 20003


def test_the_server_and_the_kit_are_one(
    watchword_server: KitServer, watchword_kit: Kit, watchword_clock: object
) -> None:
    service = watchword_server.client().verify.v2.services(watchword_kit.service_sid)
    service.verifications.create(to=PHONE, channel="sms")
    code = watchword_kit.inbox.wait_code(PHONE)

    watchword_kit.clock.advance(minutes=9, seconds=59)

    assert service.verification_checks.create(to=PHONE, code=code).status == "approved"


def test_the_next_test_gets_a_server_without_memory(
    watchword_server: KitServer, watchword_kit: Kit
) -> None:
    start(watchword_kit)

    assert len(watchword_kit.inbox.messages()) == 1
