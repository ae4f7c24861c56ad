"""The fixtures, as a project that has watchword installed uses them: pytest inside pytest."""

import subprocess
import sys
from textwrap import dedent

import pytest

LOGIN = '''
"""A login as most programs have it: the class here, Twilio's SDK there."""

import os
from src.models._2FA import OTP_Model
from twilio.rest import Client

PHONE = "+237650000000"


def test_the_class_is_answered_by_the_kit(watchword_inbox):
    model = OTP_Model(PHONE)

    assert model.verification().status == "pending"
    assert model.verification_check(watchword_inbox.wait_code(PHONE)).status == "approved"


def test_the_ladder_is_climbed_in_no_time(watchword_clock, watchword_inbox):
    model = OTP_Model(PHONE)

    for minutes in (2, 5, 15, 24 * 60, 2):
        model.guarded_verification("hash", "user")
        watchword_clock.advance(minutes=minutes)

    assert len(watchword_inbox.messages(PHONE)) == 5


def test_a_client_that_knows_nothing_of_the_kit_never_reaches_twilio(watchword, watchword_inbox):
    known = watchword.credentials
    client = Client(known.account_sid, known.auth_token)
    service = client.verify.v2.services(known.service_sid)

    service.verifications.create(to=PHONE, channel="sms")

    code = watchword_inbox.wait_code(PHONE)
    assert service.verification_checks.create(to=PHONE, code=code).status == "approved"


def test_a_server_has_its_address_in_the_environment(watchword_server, watchword_inbox):
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    client.verify.base_url = os.environ["TWILIO_VERIFY_BASE_URL"]
    service = client.verify.v2.services(os.environ["TWILIO_SERVICE_SID"])

    service.verifications.create(to=PHONE, channel="sms")

    code = watchword_inbox.wait_code(PHONE)
    assert service.verification_checks.create(to=PHONE, code=code).status == "approved"
    assert OTP_Model(PHONE).client.verify.base_url == watchword_server.url


def test_a_ready_client(watchword, watchword_client, watchword_inbox):
    service = watchword_client.verify.v2.services(watchword.credentials.service_sid)

    service.verifications.create(to=PHONE, channel="sms")

    assert watchword_inbox.messages()[0].code == watchword_inbox.wait_code(PHONE)
'''


def test_a_project_gets_the_fixtures_by_installing_watchword(
    pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    pytester.makepyfile(test_login=LOGIN)
    pytester.makeini(f"[pytest]\nfilterwarnings = error\npythonpath = {request.config.rootpath}")

    outcome = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")

    outcome.assert_outcomes(passed=5)


def test_starting_pytest_with_the_plugin_imports_nothing_that_takes_time(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        dedent("""
        import sys

        def test_what_is_imported():
            heavy = {"twilio", "sqlalchemy", "starlette", "phonenumbers", "watchword.engine"}
            assert "watchword.pytest_plugin" in sys.modules
            assert not heavy & sys.modules.keys()
        """)
    )

    outcome = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    outcome.assert_outcomes(passed=1)


def test_importing_the_plugin_costs_less_than_five_milliseconds_beside_pytest() -> None:
    program = dedent("""
        import time, pytest
        start = time.process_time()
        import watchword.pytest_plugin
        print(time.process_time() - start)
    """)

    best = min(
        float(
            subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
        )
        for _ in range(3)
    )

    assert best < 0.005
