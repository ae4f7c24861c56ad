"""Attempts and their summary through Twilio's own client."""

from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.conftest import CREDENTIALS, NOON, PHONE
from watchword.clock import ManualClock
from watchword.senders.inbox import InboxSender

FRENCH = "+33612345678"


@pytest.fixture(autouse=True)
def three_attempts(client: Client, clock: ManualClock, inbox: InboxSender) -> list[str]:
    """Send an SMS and a call to one phone, a WhatsApp message to another; approve the first."""
    service = client.verify.v2.services(CREDENTIALS.service_sid)
    first = service.verifications.create(to=PHONE, channel="sms")
    clock.advance(seconds=10)
    service.verifications.create(to=PHONE, channel="call")
    clock.advance(seconds=10)
    other = service.verifications.create(to=FRENCH, channel="whatsapp")
    service.verification_checks.create(to=PHONE, code=inbox.messages(PHONE)[0].code)
    return [first.sid, other.sid]


def test_attempts_come_newest_first_with_what_became_of_them(client: Client) -> None:
    newest, call, sms = client.verify.v2.verification_attempts.list()

    assert (newest.channel, newest.conversion_status) == ("whatsapp", "unconverted")
    assert newest.channel_data["to"] == FRENCH
    assert newest.channel_data["country"] == "FR"
    assert newest.channel_data["status"] == "unconfirmed"
    assert newest.channel_data["message_status"] == "sent"
    assert call.channel_data["call_status"] == "in-progress"
    assert (sms.conversion_status, sms.channel_data["status"]) == ("converted", "confirmed")
    assert sms.date_created == NOON
    assert client.verify.v2.verification_attempts(sms.sid).fetch().sid == sms.sid


def test_attempts_are_found_by_every_filter(client: Client, three_attempts: list[str]) -> None:
    attempts = client.verify.v2.verification_attempts

    assert len(attempts.list(channel_data_to=PHONE)) == 2
    assert len(attempts.list(country="fr")) == 1
    assert len(attempts.list(channel="call")) == 1
    assert len(attempts.list(verify_service_sid=CREDENTIALS.service_sid)) == 3
    assert len(attempts.list(verify_service_sid="VA" + "0" * 32)) == 0
    assert len(attempts.list(verification_sid=three_attempts[1])) == 1
    assert len(attempts.list(status="converted")) == 2
    assert len(attempts.list(status="unconverted")) == 1
    assert len(attempts.list(date_created_after=NOON + timedelta(seconds=10))) == 2
    assert len(attempts.list(date_created_before=NOON + timedelta(seconds=10))) == 1
    assert len(attempts.list(channel_data_to=PHONE, page_size=1)) == 2


def test_a_filter_that_cannot_be_is_refused(client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.verify.v2.verification_attempts_summary().fetch(destination_prefix=PHONE)

    assert (refused.value.status, refused.value.code) == (400, 60200)


def test_the_summary_counts_and_divides(client: Client) -> None:
    summary = client.verify.v2.verification_attempts_summary().fetch()
    abroad = client.verify.v2.verification_attempts_summary().fetch(destination_prefix="+336")
    none = client.verify.v2.verification_attempts_summary().fetch(country="DE")

    assert (summary.total_attempts, summary.total_converted, summary.total_unconverted) == (3, 2, 1)
    assert summary.conversion_rate_percentage == "66.666666667"
    assert (abroad.total_attempts, abroad.conversion_rate_percentage) == (1, "0")
    assert none.total_attempts == 0


def test_a_code_nobody_typed_in_time_is_expired(client: Client, clock: ManualClock) -> None:
    clock.advance(minutes=11)

    (attempt,) = client.verify.v2.verification_attempts.list(channel_data_to=FRENCH)

    assert attempt.channel_data["status"] == "expired"
