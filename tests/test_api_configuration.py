"""What lies under a service, and the safe list, through Twilio's own client."""

from datetime import datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.conftest import CREDENTIALS, PHONE
from watchword.engine import Engine
from watchword.texts.template import Template
from watchword.texts.write import Texts

MG = "MG" + "0" * 32


@pytest.fixture
def service(client: Client) -> Any:
    return client.verify.v2.services(CREDENTIALS.service_sid)


def refused(error: pytest.ExceptionInfo[TwilioRestException]) -> tuple[int, int]:
    return error.value.status, error.value.code


def test_a_rate_limit_is_made_described_anew_and_deleted(service: Any) -> None:
    made = service.rate_limits.create(unique_name="end_user.ip-1", description="one address")

    assert made.sid.startswith("RK")
    assert isinstance(made.date_created, datetime)
    assert service.rate_limits(made.sid).update(description="other").description == "other"
    assert service.rate_limits(made.sid).update(description="").description is None
    assert [limit.sid for limit in service.rate_limits.list()] == [made.sid]
    assert service.rate_limits(made.sid).delete() is True
    with pytest.raises(TwilioRestException) as gone:
        service.rate_limits(made.sid).fetch()
    assert refused(gone) == (404, 20404)


def test_a_second_rate_limit_of_the_same_name_is_refused(service: Any) -> None:
    service.rate_limits.create(unique_name="ip")

    with pytest.raises(TwilioRestException) as error:
        service.rate_limits.create(unique_name="ip")
    assert refused(error) == (400, 60208)


def test_a_unique_name_with_a_space_is_refused(service: Any) -> None:
    with pytest.raises(TwilioRestException) as error:
        service.rate_limits.create(unique_name="end user")
    assert refused(error) == (400, 60209)


def test_the_twenty_first_rate_limit_is_refused(service: Any) -> None:
    for number in range(20):
        service.rate_limits.create(unique_name=f"n{number}")

    with pytest.raises(TwilioRestException) as error:
        service.rate_limits.create(unique_name="n20")
    assert refused(error) == (400, 60207)


def test_a_bucket_is_made_changed_and_deleted(service: Any) -> None:
    limit = service.rate_limits.create(unique_name="ip")
    buckets = service.rate_limits(limit.sid).buckets

    bucket = buckets.create(max=4, interval=60)
    changed = service.rate_limits(limit.sid).buckets(bucket.sid).update(max=5)

    assert (changed.max, changed.interval, changed.rate_limit_sid) == (5, 60, limit.sid)
    assert [each.max for each in buckets.list()] == [5]
    assert service.rate_limits(limit.sid).buckets(bucket.sid).fetch().interval == 60
    assert service.rate_limits(limit.sid).buckets(bucket.sid).delete() is True
    assert buckets.list() == []


def test_two_buckets_of_one_interval_are_refused(service: Any) -> None:
    limit = service.rate_limits.create(unique_name="ip")
    buckets = service.rate_limits(limit.sid).buckets
    buckets.create(max=1, interval=60)
    other = buckets.create(max=10, interval=3600)

    with pytest.raises(TwilioRestException) as made:
        buckets.create(max=2, interval=60)
    with pytest.raises(TwilioRestException) as changed:
        service.rate_limits(limit.sid).buckets(other.sid).update(interval=60)

    assert refused(made) == refused(changed) == (400, 60211)


def test_a_messaging_configuration_is_named_by_its_country(service: Any) -> None:
    made = service.messaging_configurations.create(country="cm", messaging_service_sid=MG)
    service.messaging_configurations.create(country="all", messaging_service_sid=MG)
    other = service.messaging_configurations("CM").update(messaging_service_sid="MG" + "1" * 32)

    assert made.country == "CM"
    assert other.messaging_service_sid == "MG" + "1" * 32
    assert len(service.messaging_configurations.list()) == 2
    assert service.messaging_configurations("all").delete() is True
    with pytest.raises(TwilioRestException) as twice:
        service.messaging_configurations.create(country="CM", messaging_service_sid=MG)
    assert refused(twice) == (400, 60213)
    with pytest.raises(TwilioRestException) as gone:
        service.messaging_configurations("all").fetch()
    assert refused(gone) == (404, 20404)


def test_a_webhook_is_made_changed_and_deleted(service: Any) -> None:
    made = service.webhooks.create(
        friendly_name="ours",
        event_types=["verification.approved", "factor.created", "factor.created"],
        webhook_url="https://example.com/hook?x=1",
    )

    assert made.event_types == ["verification.approved", "factor.created"]
    assert (made.status, made.version, made.webhook_method) == ("enabled", "v2", "POST")
    changed = service.webhooks(made.sid).update(status="disabled", event_types=["*"])
    assert (changed.status, changed.event_types) == ("disabled", ["*"])
    assert [each.sid for each in service.webhooks.list()] == [made.sid]
    assert service.webhooks(made.sid).delete() is True
    assert service.webhooks.list() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_url": "ftp://example.com"},
        {"webhook_url": "https://"},
        {"webhook_url": "https://example.com:99999/"},
        {"event_types": ["verification.dreamt"]},
        {"status": "asleep"},
    ],
)
def test_a_webhook_that_cannot_be_called_is_refused(service: Any, wrong: dict[str, Any]) -> None:
    fields = {"friendly_name": "x", "event_types": ["*"], "webhook_url": "https://example.com"}

    with pytest.raises(TwilioRestException) as error:
        service.webhooks.create(**fields | wrong)
    assert refused(error) == (400, 60200)


def test_the_safe_list_takes_a_number_once_and_gives_it_back(client: Client) -> None:
    made = client.verify.v2.safelist.create(phone_number=PHONE)

    assert (made.sid[:2], made.phone_number) == ("GN", PHONE)
    assert client.verify.v2.safelist(PHONE).fetch().sid == made.sid
    with pytest.raises(TwilioRestException) as twice:
        client.verify.v2.safelist.create(phone_number="+237 650 00 00 00")
    assert refused(twice) == (409, 60411)
    assert client.verify.v2.safelist(PHONE).delete() is True
    with pytest.raises(TwilioRestException) as gone:
        client.verify.v2.safelist(PHONE).fetch()
    assert refused(gone) == (404, 20404)


def test_templates_are_the_operators_own(client: Client, engine: Engine) -> None:
    engine.texts = Texts({"login": Template("login", {"en": "{{code}} logs you in"})})

    (template,) = client.verify.v2.templates.list(friendly_name="login")

    assert template.sid == Template("login", {}).sid
    assert template.channels == ["sms", "voice"]
    assert template.translations["en"]["text"] == "{{code}} logs you in"
    assert template.translations["en"]["is_default_translation"] is True
    assert client.verify.v2.templates.list(friendly_name="other") == []
