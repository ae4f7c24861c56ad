"""What a start may ask for, through Twilio's own client: each parameter does what it says."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.conftest import CREDENTIALS, KEYRING, PHONE
from watchword.clock import ManualClock
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.model import Channel
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore
from watchword.texts.template import Template
from watchword.texts.write import Texts

LANDLINE = "+4930901820"
MAIL = "ada@example.org"


@pytest.fixture
def service(client: Client) -> Any:
    return client.verify.v2.services(CREDENTIALS.service_sid)


def start(service: Any, to: str = PHONE, channel: str = "sms", **more: Any) -> Any:
    return service.verifications.create(to=to, channel=channel, **more)


def refusal(service: Any, to: str = PHONE, channel: str = "sms", **more: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as refused:
        start(service, to, channel, **more)
    return refused.value.status, refused.value.code


def body(inbox: InboxSender, to: str = PHONE) -> str:
    return inbox.messages(to)[0].body


def test_a_name_a_language_and_an_app_hash_word_the_message(
    service: Any, inbox: InboxSender
) -> None:
    start(service, custom_friendly_name="Shop", locale="de", app_hash="He42w354ol9")

    assert body(inbox).startswith("<#> ")
    assert "Shop" in body(inbox)
    assert "lautet" in body(inbox)
    assert body(inbox).endswith(" He42w354ol9")


def test_a_template_words_the_message(service: Any, engine: Engine, inbox: InboxSender) -> None:
    template = Template("login", {"en": "{{code}} logs you in"})
    engine.texts = Texts({"login": template})

    start(service, template_sid=template.sid, locale="en")

    assert body(inbox).endswith(" logs you in")


def test_a_services_default_template_and_warning_word_each_sms(
    service: Any, engine: Engine, inbox: InboxSender
) -> None:
    template = Template("login", {"en": "{{code}} logs you in"})
    engine.texts = Texts({"login": template})
    service.update(default_template_sid=template.sid, do_not_share_warning_enabled=True)

    start(service, locale="en")

    assert " logs you in. Don't share" in body(inbox)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"locale": "xx"}, (400, 60200)),
        ({"app_hash": "short"}, (400, 60200)),
        ({"app_hash": "He42w354ol9", "channel": "call"}, (400, 60602)),
        ({"template_sid": "HJ" + "0" * 32}, (404, 60228)),
        ({"template_sid": "HJ" + "0" * 32, "channel": "whatsapp"}, (400, 60408)),
        ({"custom_friendly_name": "x" * 31}, (400, 60200)),
        ({"device_ip": "10.0.0"}, (400, 60200)),
        ({"send_digits": "hello"}, (400, 60200)),
        ({"tags": "[]"}, (400, 60200)),
        ({"tags": '{"a": 1}'}, (400, 60200)),
        ({"rate_limits": {"ip": ["1.2.3.4"]}}, (400, 60200)),
        ({"channel_configuration": {"from": "nobody"}}, (400, 60200)),
        ({"risk_check": "perhaps"}, (400, 60200)),
        ({"custom_code": "123"}, (400, 60200)),
        ({"channel": "voice"}, (400, 60200)),
        ({"channel": "auto"}, (400, 60200)),
        ({"channel": "sna"}, (400, 60001)),
        ({"channel": "email"}, (400, 60200)),
        ({"to": MAIL}, (400, 60200)),
        ({"to": "not@an@address", "channel": "email"}, (400, 60200)),
    ],
)
def test_what_cannot_be_is_refused_and_sends_nothing(
    service: Any, inbox: InboxSender, asked: dict[str, Any], answer: tuple[int, int]
) -> None:
    assert refusal(service, **asked) == answer
    assert inbox.messages() == []


def test_what_is_known_and_has_no_effect_here_is_taken(service: Any) -> None:
    started = start(
        service,
        custom_message="hello",
        device_ip="2001:db8::1",
        enable_sna_client_token=True,
        template_custom_substitutions='{"x": "y"}',
        channel_configuration={"sms": {"enabled": True}},
        tags='{"campaign": "spring"}',
        amount="39.99",
    )

    assert (started.status, started.amount) == ("pending", None)


def test_e_mail_addresses_are_verified_whatever_their_capitals(
    service: Any, inbox: InboxSender
) -> None:
    first = start(service, "Ada@Example.org", "email")
    again = start(service, MAIL, "email")
    code = inbox.messages(MAIL)[0].code
    approved = service.verification_checks.create(to="ADA@example.org", code=code)

    assert again.sid == first.sid
    assert again.send_code_attempts[0]["channel"] == "EMAIL"
    assert approved.status == "approved"


def test_channels_that_nobody_delivers_are_refused(
    service: Any, inbox: InboxSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "channels", frozenset({Channel.SMS}), raising=False)

    assert refusal(service, MAIL, "email") == (400, 60217)
    assert refusal(service, channel="call") == (403, 60223)


def test_the_lookup_tells_the_kind_of_line(service: Any) -> None:
    assert start(service).lookup == {}

    service.update(lookup_enabled=True)

    assert start(service, LANDLINE, "call").lookup["carrier"]["type"] == "landline"


def test_sms_to_a_landline_is_skipped_where_the_service_wants_it(service: Any) -> None:
    service.update(lookup_enabled=True, skip_sms_to_landlines=True)

    assert refusal(service, LANDLINE) == (403, 60205)
    assert start(service, LANDLINE, "call").status == "pending"


class TestPsd2:
    """A code for a payment is good for that payment only."""

    @pytest.fixture(autouse=True)
    def psd2(self, service: Any) -> None:
        service.update(psd2_enabled=True)

    def test_amount_and_payee_are_needed_at_the_start_and_at_the_check(self, service: Any) -> None:
        assert refusal(service) == (400, 60206)
        start(service, amount="39.99", payee="Acme")
        with pytest.raises(TwilioRestException) as refused:
            service.verification_checks.create(to=PHONE, code="123456", amount="39.99")
        assert (refused.value.status, refused.value.code) == (400, 60206)

    def test_another_amount_makes_the_right_code_a_wrong_one(
        self, service: Any, inbox: InboxSender
    ) -> None:
        started = start(service, amount="39.99", payee="Acme")
        code = inbox.messages(PHONE)[0].code
        check = service.verification_checks.create

        wrong = check(to=PHONE, code=code, amount="3999.00", payee="Acme")
        right = check(to=PHONE, code=code, amount="39.99", payee="Acme")

        assert (started.amount, started.payee) == ("39.99", "Acme")
        assert (wrong.status, wrong.valid) == ("pending", False)
        assert (right.status, right.amount) == ("approved", "39.99")
        assert "Acme: 39.99" in body(inbox)

    def test_a_resend_for_another_payment_is_refused(self, service: Any) -> None:
        start(service, amount="39.99", payee="Acme")

        assert refusal(service, amount="1.00", payee="Acme") == (400, 60200)

    def test_a_call_and_a_whatsapp_message_are_refused(self, service: Any) -> None:
        paid = {"amount": "1", "payee": "Acme"}

        assert refusal(service, channel="call", **paid) == (400, 60214)
        assert refusal(service, channel="whatsapp", **paid) == (400, 60200)


class TestRateLimits:
    """Buckets count starts by a value of the caller's."""

    @pytest.fixture(autouse=True)
    def limit(self, service: Any) -> None:
        limit = service.rate_limits.create(unique_name="ip")
        service.rate_limits(limit.sid).buckets.create(max=2, interval=60)
        service.rate_limits(limit.sid).buckets.create(max=3, interval=3600)

    def test_a_full_bucket_refuses_until_its_window_ends(
        self, service: Any, clock: ManualClock
    ) -> None:
        def from_one_address(to: str) -> Any:
            return start(service, to, rate_limits={"ip": "192.0.2.1"})

        from_one_address("+237650000001")
        from_one_address("+237650000002")
        clock.advance(seconds=20)

        with pytest.raises(TwilioRestException) as refused:
            from_one_address("+237650000003")
        assert (refused.value.status, refused.value.code) == (429, 20429)
        start(service, "+237650000004", rate_limits={"ip": "192.0.2.2"})
        clock.advance(seconds=40)
        from_one_address("+237650000005")
        with pytest.raises(TwilioRestException):
            from_one_address("+237650000006")  # the hour's bucket is full now
        clock.advance(hours=1)
        from_one_address("+237650000007")

    def test_a_refused_start_counts_nowhere(self, service: Any, clock: ManualClock) -> None:
        for _ in range(5):
            start(service)
        for _ in range(3):
            assert refusal(service, rate_limits={"ip": "x"}) == (429, 60203)

        start(service, "+237650000001", rate_limits={"ip": "x"})
        start(service, "+237650000002", rate_limits={"ip": "x"})

    def test_checks_are_not_counted(self, service: Any) -> None:
        start(service, rate_limits={"ip": "x"})
        for _ in range(4):
            service.verification_checks.create(to=PHONE, code="000000")

        start(service, "+237650000001", rate_limits={"ip": "x"})

    def test_a_name_nobody_made_counts_nothing(self, service: Any) -> None:
        for _ in range(5):
            start(service, rate_limits={"device": "x"})

    def test_the_safe_list_exempts(self, service: Any, client: Client) -> None:
        client.verify.v2.safelist.create(phone_number=PHONE)

        for _ in range(5):
            start(service, rate_limits={"ip": "x"})

    def test_the_answer_says_how_long_to_wait(self, service: Any, engine: Engine) -> None:
        start(service, rate_limits={"ip": "x"})
        start(service, rate_limits={"ip": "x"})
        answer = EmbeddedHttpClient(engine).request(
            "POST",
            f"https://verify.twilio.com/v2/Services/{CREDENTIALS.service_sid}/Verifications",
            data={"To": PHONE, "Channel": "sms", "RateLimits": '{"ip": "x"}'},
            auth=(CREDENTIALS.account_sid, CREDENTIALS.auth_token),
        )

        assert answer.status_code == 429
        assert answer.headers is not None
        assert answer.headers["Retry-After"] == "60"
        assert answer.headers["Twilio-Reached-Rate-Limit"] == "ip"
        assert answer.headers["Twilio-Request-Id"].startswith("RQ")


class TestCountries:
    """A service sends to the countries its owner allows."""

    @pytest.fixture
    def only_france(self, engine: Engine) -> None:
        self._set(engine, AllowedCountries="FR,DE", BlockedCountries="DE")

    def _set(self, engine: Engine, **lists: str) -> int:
        url = f"https://verify.twilio.com/v2/Services/{CREDENTIALS.service_sid}"
        auth = (CREDENTIALS.account_sid, CREDENTIALS.auth_token)
        answer = EmbeddedHttpClient(engine).request("POST", url, data=dict(lists), auth=auth)
        return int(answer.status_code)

    def test_only_allowed_countries_are_sent_to(self, service: Any, engine: Engine) -> None:
        assert self._set(engine, AllowedCountries="fr") == 200

        assert refusal(service) == (403, 60605)
        assert start(service, "+33612345678").status == "pending"

    def test_a_blocked_country_is_not_sent_to(self, service: Any, engine: Engine) -> None:
        assert self._set(engine, BlockedCountries="CM") == 200

        assert refusal(service) == (403, 60605)
        assert start(service, "+33612345678").status == "pending"

    def test_the_safe_list_and_a_waived_risk_check_go_anywhere(
        self, service: Any, client: Client, engine: Engine
    ) -> None:
        self._set(engine, BlockedCountries="CM")

        assert start(service, risk_check="disable").status == "pending"
        assert refusal(service, channel="call", risk_check="disable") == (403, 60605)
        client.verify.v2.safelist.create(phone_number=PHONE)
        assert start(service, channel="call").status == "pending"

    def test_a_country_that_is_none_blocks_nobody_and_is_refused(self, engine: Engine) -> None:
        assert self._set(engine, BlockedCountries="UK") == 400
        assert self._set(engine, AllowedCountries="FR,XX") == 400
        assert self._set(engine, BlockedCountries="GB") == 200

    def test_a_country_cannot_be_both_allowed_and_blocked(self, engine: Engine) -> None:
        assert self._set(engine, AllowedCountries="FR,DE", BlockedCountries="DE") == 400


def test_payment_and_tags_are_sealed_in_the_database(
    tmp_path: Any, inbox: InboxSender, clock: ManualClock
) -> None:
    from tests.conftest import make_engine

    store = SqlStore(f"sqlite:///{tmp_path / 'sealed.db'}", KEYRING)
    client = Client(
        CREDENTIALS.account_sid,
        CREDENTIALS.auth_token,
        http_client=EmbeddedHttpClient(make_engine(store, inbox, clock)),
    )
    service = client.verify.v2.services(CREDENTIALS.service_sid)
    service.update(psd2_enabled=True)
    start(service, amount="39.99", payee="Secretive Ltd", tags='{"who": "ada"}')
    store.close()

    written = b"".join(path.read_bytes() for path in tmp_path.glob("sealed.db*"))
    assert b"Secretive" not in written
    assert b"39.99" not in written
    assert b"ada" not in written
