"""The documented class, word for word: `src.models._2FA`, `src.schemas.svretries`, `settings`."""

import datetime as time_module
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import requests
import twilio.rest
from freezegun import freeze_time
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError
from werkzeug.exceptions import Forbidden, InternalServerError, TooManyRequests

import settings
import src.models._2FA as door  # noqa: N811
from src.models._2FA import OTP_Model
from src.schemas.svretries import Svretries
from tests.conftest import PHONE
from tests.senders.fakes import fake_provider
from tests.server import watchword
from watchword.errors import ConfigurationError, StoreError, UnfitValue
from watchword.senders.inbox import InboxSender

ROOT = Path(__file__).parent.parent
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_SERVICE_SID": "VA" + "2" * 32,
}


@pytest.fixture
def otp() -> OTP_Model:
    """Return the documented object on the embedded engine."""
    return OTP_Model(phone_number=PHONE)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that turns the door's own `datetime` on."""
    turned = timedelta()

    class Turned(datetime):
        @classmethod
        def now(cls, tz: time_module.tzinfo | None = None) -> "Turned":
            moment = datetime.now(UTC) + turned
            return cls.fromtimestamp(moment.timestamp(), tz)

    def turn(**duration: float) -> None:
        nonlocal turned
        turned += timedelta(**duration)

    monkeypatch.setattr(door, "datetime", Turned)
    return turn


def newest_code(home: Path) -> str:
    sender = InboxSender(home / "inbox.db")
    code = sender.messages()[0].code
    sender.close()
    return code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


class Wire(TwilioHttpClient):  # type: ignore[misc]
    """Stand where the network is: keep what was asked, answer as told."""

    def __init__(self, answer: Response | Exception) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def request(self, method: str, uri: str, *_: Any, **rest: Any) -> Response:
        self.asked.append({"method": method, "uri": uri} | rest)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def through_twilio(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the three settings and put an answer where Twilio would be."""
    for name, value in TWILIO.items():
        monkeypatch.setenv(name, value)

    def answering(answer: Response | Exception) -> tuple[OTP_Model, Wire]:
        otp, wire = OTP_Model(PHONE), Wire(answer)
        otp.client.http_client = wire
        return otp, wire

    return answering


def guarded(number: str) -> Any:
    return lambda: OTP_Model(number).guarded_verification("hash", "user")


PENDING = '{"sid": "VE1", "status": "pending", "to": "+237650000000"}'


# -- import paths and names ---------------------------------------------------------------------


def test_the_module_has_every_documented_name() -> None:
    for name in (
        "logging",
        "Client",
        "TwilioRestException",
        "datetime",
        "timedelta",
        "InternalServerError",
        "Forbidden",
        "TooManyRequests",
        "Svretries",
        "SMSObject",
        "OTP_Model",
    ):
        assert hasattr(door, name), name


def test_the_doors_import_word_for_word_from_a_bare_checkout(tmp_path: Path) -> None:
    program = (
        "from src.models._2FA import OTP_Model\n"
        "from src.schemas.svretries import Svretries\n"
        "import settings\n"
        "print(OTP_Model.__name__, Svretries.__tablename__, settings.FIRST_RESEND_DURATION)\n"
    )
    stray = tmp_path / "src"
    stray.mkdir()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}

    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    ).stdout

    assert output == "OTP_Model svretries 120000\n"


def test_an_equal_class_comes_with_the_package() -> None:
    import watchword

    assert issubclass(OTP_Model, watchword.OTP_Model)
    found = watchword.OTP_Model(PHONE).verification()
    assert found.status == "pending"


def test_the_client_is_always_twilios_own(otp: OTP_Model, through_twilio: Any) -> None:
    assert type(otp.client) is twilio.rest.Client
    assert type(through_twilio(Response(201, PENDING))[0].client) is twilio.rest.Client
    assert otp.phone_number == PHONE
    assert otp.Svretries is Svretries


# -- verification and verification_check --------------------------------------------------------


def test_verification_returns_the_sdks_own_pending_object(otp: OTP_Model) -> None:
    found = otp.verification()

    assert type(found).__name__ == "VerificationInstance"
    assert found.status == "pending"
    assert found.to == PHONE
    assert isinstance(found.date_created, datetime)


def test_the_right_code_is_approved_and_is_good_once(otp: OTP_Model, home: Path) -> None:
    otp.verification()
    code = newest_code(home)

    found = otp.verification_check(code=code)

    assert type(found).__name__ == "VerificationCheckInstance"
    assert (found.status, found.valid) == ("approved", True)
    with pytest.raises(Forbidden) as used:
        otp.verification_check(code)
    assert isinstance(used.value.__cause__, TwilioRestException)


def test_a_wrong_code_is_forbidden_and_carries_twilios_answer(otp: OTP_Model, home: Path) -> None:
    otp.verification()

    with pytest.raises(Forbidden) as refusal:
        otp.verification_check(wrong(newest_code(home)))

    assert refusal.value.verification_check.status == "pending"  # type: ignore[attr-defined]
    assert refusal.value.verification_check.valid is False  # type: ignore[attr-defined]


def test_the_sixth_guess_is_forbidden_even_with_the_right_code(otp: OTP_Model, home: Path) -> None:
    otp.verification()
    code = newest_code(home)
    for _ in range(5):
        with pytest.raises(Forbidden):
            otp.verification_check(wrong(code))

    with pytest.raises(Forbidden) as refusal:
        otp.verification_check(code)

    assert refusal.value.__cause__.code == 60202  # type: ignore[union-attr]


def test_an_expired_code_is_forbidden(otp: OTP_Model, home: Path, later: Any) -> None:
    otp.verification()

    later(minutes=10, seconds=1)

    with pytest.raises(Forbidden):
        otp.verification_check(newest_code(home))


@pytest.mark.parametrize("number", ["+1555", "", "not a number", "+1202555O143"])
def test_any_failure_of_a_send_is_an_internal_server_error(number: str) -> None:
    with pytest.raises(InternalServerError) as fault:
        OTP_Model(number).verification()

    assert isinstance(fault.value.__cause__, TwilioRestException)
    assert fault.value.description == InternalServerError.description


def test_a_fault_that_is_no_refusal_is_an_internal_server_error(
    otp: OTP_Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MagicMock()
    services = client.verify.v2.services.return_value
    services.verification_checks.create.side_effect = ConnectionError("a secret reason")
    otp.client = client

    with pytest.raises(InternalServerError) as fault:
        otp.verification_check("123456")

    assert "secret" not in str(fault.value)
    assert isinstance(fault.value.__cause__, ConnectionError)


def test_with_twilio_the_request_goes_to_twilios_address(through_twilio: Any) -> None:
    otp, wire = through_twilio(Response(201, PENDING))

    assert otp.verification().status == "pending"

    (asked,) = wire.asked
    assert asked["method"] == "POST"
    assert asked["uri"] == (
        f"https://verify.twilio.com/v2/Services/{TWILIO['TWILIO_SERVICE_SID']}/Verifications"
    )
    assert asked["data"] == {"To": PHONE, "Channel": "sms"}
    assert asked["auth"] == (TWILIO["TWILIO_ACCOUNT_SID"], "token")


def test_with_twilio_a_check_goes_to_twilios_address(through_twilio: Any) -> None:
    otp, wire = through_twilio(Response(200, '{"status": "approved", "valid": true}'))

    assert otp.verification_check("123456").status == "approved"

    assert wire.asked[0]["uri"].endswith("/VerificationCheck")
    assert wire.asked[0]["data"] == {"To": PHONE, "Code": "123456"}


@pytest.mark.parametrize("status", ["pending", "canceled", "expired", "max_attempts_reached"])
def test_whatever_twilio_says_no_with_is_forbidden(through_twilio: Any, status: str) -> None:
    otp, _ = through_twilio(Response(200, f'{{"status": "{status}", "valid": false}}'))

    with pytest.raises(Forbidden) as refusal:
        otp.verification_check("123456")

    assert refusal.value.verification_check.status == status  # type: ignore[attr-defined]


# -- names that were replaced -------------------------------------------------------------------


def test_a_replaced_client_is_used_and_its_answer_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replaced = MagicMock()
    monkeypatch.setattr("src.models._2FA.Client", replaced)

    otp = OTP_Model(PHONE)

    services = replaced.return_value.verify.v2.services
    assert otp.client is replaced.return_value
    assert otp.verification() is services.return_value.verifications.create.return_value
    services.return_value.verifications.create.assert_called_once_with(to=PHONE, channel="sms")
    assert (
        otp.verification_check("1234")
        is services.return_value.verification_checks.create.return_value
    )
    services.return_value.verification_checks.create.assert_called_once_with(to=PHONE, code="1234")


def test_a_replaced_client_that_refuses_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = MagicMock()
    services = replaced.return_value.verify.v2.services.return_value
    services.verification_checks.create.side_effect = TwilioRestException(404, "uri")
    services.verifications.create.side_effect = TwilioRestException(429, "uri")
    monkeypatch.setattr("src.models._2FA.Client", replaced)

    with pytest.raises(Forbidden):
        OTP_Model(PHONE).verification_check("1234")
    with pytest.raises(InternalServerError):
        OTP_Model(PHONE).verification()


def test_replaced_exceptions_are_the_ones_raised(
    monkeypatch: pytest.MonkeyPatch, otp: OTP_Model
) -> None:
    class Mine(Forbidden):
        pass

    monkeypatch.setattr("src.models._2FA.Forbidden", Mine)

    with pytest.raises(Mine):
        otp.delete_count(99)


def test_a_replaced_svretries_makes_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.models._2FA.Svretries", SimpleNamespace)

    otp = OTP_Model(PHONE)

    assert otp.Svretries is SimpleNamespace
    row = otp.check_count("hash", "user")
    assert isinstance(row, SimpleNamespace)
    assert (row.count, row.expires) == (0, None)
    assert float(otp.add_count(row)) > 0
    assert row.count == 1


def test_a_replaced_datetime_in_naive_local_time_is_honoured(
    otp: OTP_Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Naive(datetime):
        @classmethod
        def now(cls) -> "Naive":  # type: ignore[override]
            return cls(2031, 5, 6, 7, 8, 9)

    monkeypatch.setattr(door, "datetime", Naive)

    end = float(otp.add_count(otp.check_count("hash", "user")))

    assert end == datetime(2031, 5, 6, 7, 10, 9).astimezone().timestamp()


def test_time_that_is_frozen_stands_for_the_class_too() -> None:
    with freeze_time("2031-01-01 12:00:00") as frozen:
        otp = OTP_Model(PHONE)
        first = otp.guarded_verification("hash", "user")
        with pytest.raises(TooManyRequests):
            otp.guarded_verification("hash", "user")
        frozen.tick(timedelta(minutes=2))
        second = otp.guarded_verification("hash", "user")

    assert first.next_send_at == datetime(2031, 1, 1, 12, 2, tzinfo=UTC)
    assert second.next_send_at == datetime(2031, 1, 1, 12, 7, tzinfo=UTC)


def test_a_replaced_logging_gets_what_is_logged(
    otp: OTP_Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = MagicMock(wraps=logging)
    monkeypatch.setattr(door, "logging", replaced)
    otp.client = MagicMock()
    otp.client.verify.v2.services.side_effect = OSError

    with pytest.raises(InternalServerError):
        otp.verification()

    replaced.getLogger.assert_called()


def test_the_log_says_what_to_do_about_a_number_and_not_which_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for send in (OTP_Model("237650000000").verification, guarded("237650000000")):
        with pytest.raises(InternalServerError):
            send()

    assert caplog.text.count("write the number in E.164 form, beginning with +") == 2
    assert "650000000" not in caplog.text


def test_the_log_says_where_twilio_explains_what_it_refused(
    through_twilio: Any, caplog: pytest.LogCaptureFixture
) -> None:
    said = f'{{"status": 400, "code": 60200, "message": "Invalid parameter To: {PHONE}"}}'
    otp, _ = through_twilio(Response(400, said))

    with pytest.raises(InternalServerError):
        otp.verification()

    assert "HTTP 400, https://www.twilio.com/docs/errors/60200" in caplog.text
    assert PHONE not in caplog.text


@pytest.mark.parametrize("field", ["to", "code"])
def test_an_empty_list_is_no_value(otp: OTP_Model, field: str) -> None:
    otp.verification()
    otp.phone_number = [] if field == "to" else PHONE  # type: ignore[assignment]

    with pytest.raises(Forbidden):
        otp.verification_check([] if field == "code" else "1234")  # type: ignore[arg-type]


# -- the ladder ---------------------------------------------------------------------------------


def test_a_name_that_sqlite_would_cut_is_refused_and_makes_no_row(otp: OTP_Model) -> None:
    for _ in range(2):
        with pytest.raises(InternalServerError) as fault:
            otp.check_count("hash\0more", "user")
        assert isinstance(fault.value.__cause__, UnfitValue)

    assert otp.check_count("hash", "user").id == 1
    assert otp.check_count("hash\\u0000more", "user").id == 2  # a backslash is no NUL


def test_the_first_look_makes_a_row_with_count_0_and_no_end(otp: OTP_Model) -> None:
    row = otp.check_count(unique_id="hash", user_id="user")

    assert isinstance(row, Svretries)
    assert isinstance(row.id, int)
    assert (row.uniqueId, row.userId, row.count, row.expires) == ("hash", "user", 0, None)
    assert row.createdAt.tzinfo is UTC
    assert otp.check_count("hash", "user").id == row.id


def test_a_step_says_when_its_wait_ends_as_text_that_float_reads(otp: OTP_Model) -> None:
    before = datetime.now(UTC).timestamp()

    expires = otp.add_count(counter=otp.check_count("hash", "user"))

    assert isinstance(expires, str)
    assert before + 119 < float(expires) < before + 125


def test_inside_the_wait_a_look_is_too_many_requests(otp: OTP_Model) -> None:
    otp.add_count(otp.check_count("hash", "user"))

    with pytest.raises(TooManyRequests) as refusal:
        otp.check_count("hash", "user")

    assert 0 < refusal.value.retry_after <= 120  # type: ignore[operator]


def test_the_ladder_is_climbed_and_starts_again_for_ever(otp: OTP_Model, later: Any) -> None:
    waits = [120, 300, 900, 86_400]
    for step in range(13):
        row = otp.check_count("hash", "user")
        assert row.count == (0 if step == 0 else (step - 1) % 4 + 1 if step % 4 else 0)
        now = door.datetime.now(UTC).timestamp()
        wait = waits[step % 4]
        assert abs(float(otp.add_count(row)) - now - wait) < 2

        later(seconds=wait - 5)
        with pytest.raises(TooManyRequests):
            otp.check_count("hash", "user")
        later(seconds=6)


def test_a_stale_row_loses_no_step(otp: OTP_Model) -> None:
    stale = otp.check_count("hash", "user")
    same = otp.check_count("hash", "user")

    otp.add_count(stale)
    otp.add_count(same)

    assert (stale.count, same.count) == (1, 2)


def test_a_deleted_counter_is_forbidden_to_delete_again(otp: OTP_Model) -> None:
    row = otp.check_count("hash", "user")

    otp.delete_count(counter_id=row.id)

    with pytest.raises(Forbidden):
        otp.delete_count(row.id)
    assert otp.check_count("hash", "user").count == 0


def test_a_step_on_a_row_deleted_meanwhile_still_waits(otp: OTP_Model) -> None:
    row = otp.check_count("hash", "user")
    otp.delete_count(row.id)

    otp.add_count(row)

    with pytest.raises(TooManyRequests):
        otp.check_count("hash", "user")


# -- the guarded send ---------------------------------------------------------------------------


def test_a_guarded_send_sends_and_says_what_comes_next(otp: OTP_Model, home: Path) -> None:
    found = otp.guarded_verification("hash", "user")

    assert type(found.verification).__name__ == "VerificationInstance"
    assert found.verification.status == "pending"
    assert found.counter.count == 1
    assert found.next_send_at == found.counter.expires
    assert found.waits_ahead == (
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=24),
    )
    assert otp.verification_check(newest_code(home)).status == "approved"
    with pytest.raises(TooManyRequests) as refusal:
        otp.guarded_verification("hash", "user")
    assert refusal.value.retry_after


def test_a_service_that_is_gone_is_no_matter_of_the_code(otp: OTP_Model) -> None:
    otp.client.verify.v2.services(otp._service_sid).delete()

    with pytest.raises(InternalServerError):
        otp.verification()
    with pytest.raises(InternalServerError):
        otp.guarded_verification("hash", "user")


def test_a_refused_guarded_send_takes_no_step() -> None:
    with pytest.raises(InternalServerError):
        OTP_Model("+1555").guarded_verification("hash", "user")

    assert OTP_Model(PHONE).guarded_verification("hash", "user").counter.count == 1


def unreachable() -> requests.ConnectionError:
    reason = NewConnectionError(MagicMock(), "refused")
    return requests.ConnectionError(MaxRetryError(MagicMock(), "/", reason))


def timed_out() -> requests.ReadTimeout:
    return requests.ReadTimeout(ReadTimeoutError(MagicMock(), "/", "slow"))


@pytest.mark.parametrize(
    "answer",
    [Response(400, '{"code": 60200, "message": "no"}'), Response(429, "{}"), unreachable()],
    ids=["refused", "too many", "unreachable"],
)
def test_when_nothing_was_sent_the_step_is_given_back(through_twilio: Any, answer: Any) -> None:
    otp, wire = through_twilio(answer)

    with pytest.raises(InternalServerError):
        otp.guarded_verification("hash", "user")

    wire.answer = Response(201, PENDING)
    assert otp.guarded_verification("hash", "user").counter.count == 1


@pytest.mark.parametrize(
    "answer",
    [Response(500, "{}"), timed_out(), requests.ConnectionError("reset")],
    ids=["broken", "timed out", "reset"],
)
def test_when_it_is_uncertain_the_step_is_kept(through_twilio: Any, answer: Any) -> None:
    otp, wire = through_twilio(answer)

    with pytest.raises(InternalServerError):
        otp.guarded_verification("hash", "user")

    wire.answer = Response(201, PENDING)
    with pytest.raises(TooManyRequests):
        otp.guarded_verification("hash", "user")


def test_a_replaced_client_is_guarded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = MagicMock()
    monkeypatch.setattr("src.models._2FA.Client", replaced)
    otp = OTP_Model(PHONE)

    found = otp.guarded_verification("hash", "user")

    create = replaced.return_value.verify.v2.services.return_value.verifications.create
    assert found.verification is create.return_value
    with pytest.raises(TooManyRequests):
        otp.guarded_verification("hash", "user")
    assert create.call_count == 1


# -- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "milliseconds"),
    [
        ("FIRST_RESEND_DURATION", 120_000),
        ("SECOND_RESEND_DURATION", 300_000),
        ("THIRD_RESEND_DURATION", 900_000),
        ("FOURTH_RESEND_DURATION", 86_400_000),
    ],
)
def test_the_durations_are_milliseconds_in_either_form(
    name: str, milliseconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert getattr(settings, name) == milliseconds
    assert getattr(settings.Configurations, name) == milliseconds

    monkeypatch.setenv(name, "5000")
    assert getattr(settings, name) == 5000
    assert getattr(settings.Configurations, name) == 5000


def test_twilios_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.TWILIO_ACCOUNT_SID is None

    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")

    assert settings.TWILIO_ACCOUNT_SID == "AC1"
    assert settings.Configurations.TWILIO_ACCOUNT_SID == "AC1"


def test_a_setting_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = settings.NO_SUCH_SETTING
    with pytest.raises(AttributeError):
        _ = settings.Configurations.NO_SUCH_SETTING


@pytest.mark.parametrize("holder", [settings, settings.Configurations])
def test_a_duration_set_in_the_module_is_honoured(
    holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "FIRST_RESEND_DURATION", 7000)
    otp = OTP_Model(PHONE)

    wait = float(otp.add_count(otp.check_count("hash", "user"))) - datetime.now(UTC).timestamp()

    assert 5 < wait <= 7


def test_a_users_own_settings_module_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    class Configurations:
        FIRST_RESEND_DURATION = 9000

    monkeypatch.setattr(OTP_Model, "_settings", SimpleNamespace(Configurations=Configurations))
    otp = OTP_Model(PHONE)

    wait = float(otp.add_count(otp.check_count("hash", "user"))) - datetime.now(UTC).timestamp()

    assert 7 < wait <= 9


@pytest.mark.parametrize(
    "text",
    [
        "FIRST_RESEND_DURATION = 9000\n",
        "class Configurations:\n    FIRST_RESEND_DURATION = 9000\n",
    ],
    ids=["a module's names", "a class in it"],
)
def test_a_settings_module_that_comes_first_on_the_path_is_used(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(text)
    program = (
        "from src.models._2FA import OTP_Model\n"
        "otp = OTP_Model('+237650000000')\n"
        "row = otp.check_count('hash', 'user')\n"
        "otp.add_count(row)\n"
        "print(round((row.expires - row.createdAt).total_seconds()))\n"
        "for _ in range(2): otp.add_count(row)\n"
        "print(round((row.expires - row.createdAt).total_seconds()))\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "9\n900\n"


def test_a_wait_may_be_nothing(otp: OTP_Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FIRST_RESEND_DURATION", 0)
    unhurried = OTP_Model(PHONE)

    unhurried.add_count(unhurried.check_count("hash", "user"))

    assert unhurried.check_count("hash", "user").count == 1


@pytest.mark.parametrize("wait", ["two minutes", 10**20])
def test_a_wait_that_cannot_be_is_refused_by_name(
    wait: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SECOND_RESEND_DURATION", wait)

    with pytest.raises(ConfigurationError, match="SECOND_RESEND_DURATION"):
        OTP_Model(PHONE)


@pytest.mark.parametrize("missing", TWILIO)
def test_some_of_twilios_settings_are_refused_naming_the_missing_one(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TWILIO.keys() - {missing}:
        monkeypatch.setenv(name, TWILIO[name])

    with pytest.raises(ConfigurationError, match=missing) as refusal:
        OTP_Model(PHONE)

    assert refusal.value.name == missing


def test_a_program_that_ends_leaves_nothing_open_and_loses_no_count(home: Path) -> None:
    program = (
        "from watchword import OTP_Model\n"
        "otp = OTP_Model('+237650000000')\n"
        "for _ in range(2):\n"
        "    try: otp.guarded_verification('hash', 'user')\n"
        "    except Exception as refusal: print(type(refusal).__name__)\n"
    )
    home.mkdir(parents=True, exist_ok=True)
    with fake_provider() as provider:
        entry = f'[[senders]]\ntype = "webhook"\nurl = "{provider.url}/"\n'
        (home / "watchword.toml").write_text(entry)
        command = [sys.executable, "-X", "dev", "-c", program]
        ended = subprocess.run(command, text=True, capture_output=True, check=True, timeout=60)
        asked = len(provider.asked)

    assert (ended.stdout, ended.stderr, asked) == ("TooManyRequests\n", "", 1)
    assert json.loads(watchword("stats", "--json").stdout)["blocked"] == 1


# -- the table ----------------------------------------------------------------------------------


def test_the_table_has_its_documented_columns() -> None:
    assert Svretries.__tablename__ == "svretries"
    assert set(Svretries.__table__.columns.keys()) == {
        "id",
        "userId",
        "uniqueId",
        "count",
        "expires",
        "createdAt",
    }


def test_a_store_that_fails_is_an_internal_server_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", f"sqlite:///{tmp_path}/file/watchword.db")

    with pytest.raises(InternalServerError) as fault:
        OTP_Model(PHONE)

    assert isinstance(fault.value.__cause__, StoreError)
