"""Services through Twilio's own client: made, listed page by page, changed, deleted."""

from datetime import datetime

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from watchword.clock import ManualClock


def test_a_new_service_has_twilios_defaults(client: Client) -> None:
    service = client.verify.v2.services.create(friendly_name="My app")

    assert service.friendly_name == "My app"
    assert service.code_length == 6
    assert service.dtmf_input_required is True
    assert service.lookup_enabled is False
    assert service.custom_code_enabled is False
    assert isinstance(service.date_created, datetime)
    assert service.links["verification_checks"].endswith(f"/{service.sid}/VerificationCheck")


def test_an_update_changes_what_is_given_and_keeps_the_rest(
    client: Client, clock: ManualClock
) -> None:
    made = client.verify.v2.services.create(
        friendly_name="My app", code_length=8, totp_time_step=20, tts_name="Polly"
    )
    clock.advance(seconds=5)

    changed = client.verify.v2.services(made.sid).update(psd2_enabled=True, tts_name="")

    assert (changed.code_length, changed.psd2_enabled) == (8, True)
    assert changed.totp["time_step"] == 20
    assert changed.tts_name is None
    assert changed.date_updated > changed.date_created


def test_an_update_with_nothing_in_it_does_not_even_move_the_date(
    client: Client, clock: ManualClock
) -> None:
    made = client.verify.v2.services.create(friendly_name="My app")
    clock.advance(seconds=5)

    assert client.verify.v2.services(made.sid).update().date_updated == made.date_updated


def test_a_deleted_service_is_gone_with_what_lay_under_it(client: Client) -> None:
    made = client.verify.v2.services.create(friendly_name="My app")

    assert client.verify.v2.services(made.sid).delete() is True

    with pytest.raises(TwilioRestException) as gone:
        client.verify.v2.services(made.sid).fetch()
    assert (gone.value.status, gone.value.code) == (404, 20404)
    with pytest.raises(TwilioRestException):
        client.verify.v2.services(made.sid).verifications.create(to="+237650000000", channel="sms")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"friendly_name": "x" * 31}, "FriendlyName"),
        ({"friendly_name": "call 12345"}, "FriendlyName"),
        ({"friendly_name": "see acme.com/x"}, "FriendlyName"),
        ({"friendly_name": "Acme", "code_length": 3}, "CodeLength"),
        ({"friendly_name": "Acme", "code_length": 11}, "CodeLength"),
        ({"friendly_name": "Acme", "totp_time_step": 19}, "Totp.TimeStep"),
        ({"friendly_name": "Acme", "totp_code_length": 9}, "Totp.CodeLength"),
        ({"friendly_name": "Acme", "totp_skew": 3}, "Totp.Skew"),
        ({"friendly_name": "Acme", "default_template_sid": "HJ1"}, "DefaultTemplateSid"),
        ({"friendly_name": "Acme", "skip_sms_to_landlines": True}, "SkipSmsToLandlines"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(
    client: Client, settings: dict[str, object], name: str
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.verify.v2.services.create(**settings)

    assert (refused.value.status, refused.value.code) == (400, 60200)
    assert f"`{name}`" in refused.value.msg


def test_a_list_comes_newest_first_page_by_page_there_and_back(
    client: Client, clock: ManualClock
) -> None:
    for number in range(5):
        clock.advance(seconds=1)
        client.verify.v2.services.create(friendly_name=f"n{number}")

    names = [service.friendly_name for service in client.verify.v2.services.stream(page_size=2)]
    first = client.verify.v2.services.page(page_size=2)
    second = first.next_page()
    back = second.previous_page()

    assert names == ["n4", "n3", "n2", "n1", "n0", "Acme"]
    assert [service.friendly_name for service in second] == ["n2", "n1"]
    assert [service.friendly_name for service in back] == ["n4", "n3"]
    assert back.previous_page_url is None


def test_a_page_may_also_be_named_by_its_number(client: Client, clock: ManualClock) -> None:
    for number in range(3):
        clock.advance(seconds=1)
        client.verify.v2.services.create(friendly_name=f"n{number}")

    page = client.verify.v2.services.page(page_size=2, page_number=1)

    assert [service.friendly_name for service in page] == ["n0", "Acme"]


def test_a_list_has_no_more_rows_than_its_limit(client: Client) -> None:
    client.verify.v2.services.create(friendly_name="second")

    assert len(client.verify.v2.services.list(limit=1)) == 1
