"""Twilio's official SDK, synchronous and asynchronous, in process and over HTTP."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from tests.conftest import CREDENTIALS, PHONE, SERVICE
from tests.server import Server, serving
from watchword.clock import ManualClock
from watchword.embedded import AsyncEmbeddedHttpClient
from watchword.engine import Engine
from watchword.senders.inbox import InboxSender


@pytest.fixture
def verify(client: Client) -> Any:
    """Return the SDK's view of the service."""
    return client.verify.v2.services(SERVICE.sid)


def refused(call: Any, **arguments: str) -> tuple[int, int]:
    """Return the status and the code that a call is refused with."""
    with pytest.raises(TwilioRestException) as refusal:
        call(**arguments)
    return refusal.value.status, refusal.value.code


def test_a_verification_has_every_key_and_dates_are_dates(verify: Any, clock: ManualClock) -> None:
    found = verify.verifications.create(to=PHONE, channel="sms")

    assert found.sid.startswith("VE")
    assert (found.service_sid, found.account_sid) == (SERVICE.sid, SERVICE.account_sid)
    assert (found.to, found.channel, found.status, found.valid) == (PHONE, "sms", "pending", False)
    assert found.date_created == found.date_updated == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert (found.lookup, found.amount, found.payee, found.sna) == ({}, None, None, None)
    assert found.url == (
        f"https://verify.twilio.com/v2/Services/{SERVICE.sid}/Verifications/{found.sid}"
    )
    (send,) = found.send_code_attempts
    assert send["channel"] == "SMS"
    assert send["attempt_sid"].startswith("VL")


def test_a_resend_keeps_sid_and_code_and_adds_an_attempt(verify: Any, inbox: InboxSender) -> None:
    first = verify.verifications.create(to=PHONE, channel="sms")

    again = verify.verifications.create(to=PHONE, channel="call")

    assert again.sid == first.sid
    assert [send["channel"] for send in again.send_code_attempts] == ["SMS", "CALL"]
    assert len({message.code for message in inbox.messages()}) == 1


def test_the_sixth_send_is_60203(verify: Any) -> None:
    for _ in range(5):
        verify.verifications.create(to=PHONE, channel="sms")

    assert refused(verify.verifications.create, to=PHONE, channel="sms") == (429, 60203)


def test_five_wrong_codes_are_answered_and_the_sixth_is_60202(
    verify: Any, inbox: InboxSender
) -> None:
    verify.verifications.create(to=PHONE, channel="sms")
    code = inbox.messages()[0].code
    for _ in range(5):
        found = verify.verification_checks.create(to=PHONE, code=wrong(code))
        assert (found.status, found.valid) == ("pending", False)

    assert refused(verify.verification_checks.create, to=PHONE, code=code) == (429, 60202)
    assert verify.verifications(PHONE).fetch().status == "max_attempts_reached"
    assert refused(verify.verifications.create, to=PHONE, channel="sms") == (429, 60202)


def test_a_code_is_approved_once_by_number_or_by_sid(verify: Any, inbox: InboxSender) -> None:
    started = verify.verifications.create(to=PHONE, channel="sms")
    code = inbox.messages()[0].code

    found = verify.verification_checks.create(verification_sid=started.sid, code=code)

    assert (found.sid, found.status, found.valid, found.to) == (
        started.sid,
        "approved",
        True,
        PHONE,
    )
    assert refused(verify.verification_checks.create, to=PHONE, code=code) == (404, 20404)
    assert refused(verify.verifications(started.sid).fetch) == (404, 20404)


def test_an_expired_code_is_20404(verify: Any, inbox: InboxSender, clock: ManualClock) -> None:
    verify.verifications.create(to=PHONE, channel="sms")

    clock.advance(minutes=10)

    code = inbox.messages()[0].code
    assert refused(verify.verification_checks.create, to=PHONE, code=code) == (404, 20404)


@pytest.mark.parametrize(("status", "valid"), [("canceled", False), ("approved", True)])
def test_an_update_closes_a_verification(verify: Any, status: str, valid: bool) -> None:
    started = verify.verifications.create(to=PHONE, channel="sms")

    found = verify.verifications(started.sid).update(status=status)

    assert (found.status, found.valid) == (status, valid)
    assert refused(verify.verifications(started.sid).update, status=status) == (404, 20404)
    assert verify.verifications.create(to=PHONE, channel="sms").sid != started.sid


def test_a_verification_is_fetched_by_sid_or_by_number(verify: Any) -> None:
    started = verify.verifications.create(to=PHONE, channel="sms")

    assert verify.verifications(started.sid).fetch().sid == started.sid
    assert verify.verifications(PHONE).fetch().sid == started.sid
    assert verify.verifications(PHONE.replace("+", "%2B")).fetch().sid == started.sid


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"to": "+1555", "channel": "sms"}, 60200),
        ({"to": PHONE, "channel": "voice"}, 60200),
        ({"to": PHONE, "channel": "pigeon"}, 60200),
        ({"to": "", "channel": "sms"}, 60200),
    ],
)
def test_a_bad_start_is_60200(verify: Any, arguments: dict[str, str], code: int) -> None:
    assert refused(verify.verifications.create, **arguments) == (400, code)


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        ({"code": "123456"}, 400, 60221),
        ({"to": PHONE, "code": "123"}, 400, 60200),
        ({"to": PHONE, "code": "12345678901"}, 400, 60200),
        ({"to": PHONE}, 400, 60200),
        ({"to": PHONE, "code": "123456"}, 404, 20404),
        ({"verification_sid": "VE" + "0" * 32, "code": "123456"}, 404, 20404),
        ({"verification_sid": "x", "code": "123456"}, 400, 60200),
    ],
)
def test_a_bad_check_is_refused(
    verify: Any, arguments: dict[str, str], status: int, code: int
) -> None:
    assert refused(verify.verification_checks.create, **arguments) == (status, code)


def test_a_code_is_bound_to_its_number_and_its_service(
    client: Client, verify: Any, inbox: InboxSender
) -> None:
    started = verify.verifications.create(to=PHONE, channel="sms")
    code = inbox.messages()[0].code
    other = client.verify.v2.services("VA" + "9" * 32)

    assert refused(other.verification_checks.create, to=PHONE, code=code) == (404, 20404)
    assert refused(
        verify.verification_checks.create,
        to="+12025550143",
        verification_sid=started.sid,
        code=code,
    ) == (404, 20404)
    assert verify.verification_checks.create(to=PHONE, code=code).status == "approved"


@pytest.mark.parametrize("token", ["", "wrong", CREDENTIALS.auth_token.upper()])
def test_wrong_credentials_are_20003(engine: Engine, client: Client, token: str) -> None:
    stranger = Client(
        CREDENTIALS.account_sid, token or "-", http_client=client.http_client
    ).verify.v2.services(SERVICE.sid)

    assert refused(stranger.verifications.create, to=PHONE, channel="sms") == (401, 20003)


def test_the_async_sdk_is_answered_in_process(engine: Engine, inbox: InboxSender) -> None:
    client = Client(
        CREDENTIALS.account_sid,
        CREDENTIALS.auth_token,
        http_client=AsyncEmbeddedHttpClient(engine),
    )

    async def journey() -> str:
        verify = client.verify.v2.services(SERVICE.sid)
        await verify.verifications.create_async(to=PHONE, channel="sms")
        code = inbox.messages()[0].code
        found = await verify.verification_checks.create_async(to=PHONE, code=code)
        return str(found.status)

    assert asyncio.run(journey()) == "approved"


def test_many_async_checks_at_once_share_batches_and_one_is_approved(
    engine: Engine, inbox: InboxSender
) -> None:
    client = Client(
        CREDENTIALS.account_sid,
        CREDENTIALS.auth_token,
        http_client=AsyncEmbeddedHttpClient(engine),
    )
    verify = client.verify.v2.services(SERVICE.sid)

    async def check(code: str) -> str:
        try:
            found = await verify.verification_checks.create_async(to=PHONE, code=code)
        except TwilioRestException as refusal:
            return str(refusal.code)
        return str(found.status)

    async def journey() -> list[str]:
        await verify.verifications.create_async(to=PHONE, channel="sms")
        code = inbox.messages()[0].code
        return list(await asyncio.gather(*(check(code) for _ in range(100))))

    assert sorted(asyncio.run(journey())) == ["20404"] * 99 + ["approved"]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def test_both_sdks_over_http(server: Server, home: Path) -> None:
    known = server.credentials
    client = Client(known.account_sid, known.auth_token)
    client.verify.base_url = server.url
    verify = client.verify.v2.services(known.service_sid)

    started = verify.verifications.create(to=PHONE, channel="sms")
    sender = InboxSender(home / "inbox.db")
    code = sender.messages(PHONE)[0].code
    sender.close()
    assert started.url == (
        f"{server.url}/v2/Services/{known.service_sid}/Verifications/{started.sid}"
    )
    assert verify.verification_checks.create(to=PHONE, code=wrong(code)).status == "pending"
    assert verify.verifications(PHONE).fetch().sid == started.sid

    async def check() -> str:
        async with AsyncTwilioHttpClient() as http_client:
            later = Client(known.account_sid, known.auth_token, http_client=http_client)
            later.verify.base_url = server.url
            checks = later.verify.v2.services(known.service_sid).verification_checks
            return str((await checks.create_async(to=PHONE, code=code)).status)

    assert asyncio.run(check()) == "approved"
    assert refused(verify.verification_checks.create, to=PHONE, code=code) == (404, 20404)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"
