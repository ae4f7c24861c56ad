"""Verify's behaviour, case by case: in process, over HTTP, and by the command itself."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import PHONE
from tests.server import serving
from watchword.conformance.cases import CASES
from watchword.conformance.http import HttpServer
from watchword.conformance.run import run_case
from watchword.conformance.steps import Case
from watchword.embedded import EmbeddedHttpClient
from watchword.kit import Kit
from watchword.kit_server import KitServer

BY_NAME = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


class InProcess:
    """The engine asked without a socket."""

    has_inbox = True
    has_clock = True

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._client = EmbeddedHttpClient(kit.engine)

    def ask(
        self, method: str, path: str, form: Mapping[str, Any], *, anonymous: bool = False
    ) -> tuple[int, Any]:
        known = self._kit.engine.credentials
        auth = None if anonymous else (known.account_sid, known.auth_token)
        params, data = (None, dict(form)) if method == "POST" else (dict(form), None)
        url = "https://verify.twilio.com" + path
        answer = self._client.request(method, url, params, data, auth=auth)
        return answer.status_code, json.loads(answer.text) if answer.text else None

    def newest_code(self, to: str) -> str:
        return self._kit.inbox.messages(to)[0].code

    def turn(self, seconds: int) -> None:
        self._kit.clock.advance(seconds=seconds)


@BY_NAME
def test_in_process(case: Case, watchword_kit: Kit) -> None:
    result = run_case(case, InProcess(watchword_kit), PHONE)

    assert result.passed, f"{result.fault}\nsource: {case.source}"


@BY_NAME
def test_over_http(case: Case, watchword_server: KitServer) -> None:
    known = watchword_server.credentials
    server = HttpServer(watchword_server.url, known.account_sid, known.auth_token)

    result = run_case(case, server, PHONE)

    assert result.passed, f"{result.fault}\nsource: {case.source}"


class WithoutDevelopment(HttpServer):
    """A server as production is: no inbox to read, no clock to turn."""

    has_inbox = False
    has_clock = False


@BY_NAME
def test_with_custom_codes_where_no_inbox_can_be_read(
    case: Case, watchword_server: KitServer
) -> None:
    known = watchword_server.credentials
    server = WithoutDevelopment(watchword_server.url, known.account_sid, known.auth_token)

    result = run_case(case, server, PHONE)

    assert result.passed or result.left_out, result.fault


def test_every_case_has_a_name_of_its_own_and_a_source() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.source for case in CASES)


def test_the_command_prints_a_score_and_says_no_where_there_are_faults() -> None:
    with serving() as server:
        command = [sys.executable, "-m", "watchword", "conformance", "--url", server.url]

        good = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
        report = json.loads(good.stdout)
        assert good.returncode == 0, good.stdout
        assert (report["passed"], report["failed"], report["left_out"]) == (len(CASES), 0, 0)

        assert server.ask("GET", "/dev/clock").json()["offset_seconds"] == 0

        server.ask("PUT", "/dev/faults", json={"store": "unavailable"})
        bad = subprocess.run(
            [*command, "--only", "a code is good once"], capture_output=True, text=True, check=False
        )
        assert bad.returncode == 1
        assert "0 of 1 cases" in bad.stdout


def test_a_server_that_is_not_there_is_named() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "watchword", "conformance", "--url", "http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 69
    assert "http://127.0.0.1:1 does not answer" in ended.stderr
