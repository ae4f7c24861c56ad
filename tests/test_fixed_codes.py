"""Fixed codes: development may choose a number's code; production refuses to start with them."""

import subprocess
import sys

import pytest

from tests.conftest import PHONE
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.config import load
from watchword.engine import Engine
from watchword.errors import ConfigurationError
from watchword.model import Status
from watchword.phone import parse
from watchword.runtime import open_engine

OTHER = "+12025550143"


def start(engine: Engine, to: str) -> str:
    known = engine.credentials
    started = engine.perform(StartVerification(known.service_sid, known.account_sid, parse(to)))
    return started.code


def check(engine: Engine, to: str, code: str) -> Status:
    known = engine.credentials
    return engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=to)).status


def test_one_code_for_every_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_FIXED_CODES", "123456")
    engine = open_engine(load())

    assert start(engine, PHONE) == start(engine, OTHER) == "123456"
    assert start(engine, PHONE) == "123456"  # sent again

    assert check(engine, PHONE, "654321") is Status.PENDING
    assert check(engine, PHONE, "123456") is Status.APPROVED


def test_a_code_for_one_number_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_FIXED_CODES", "+237 6 50 00 00 00=0000".replace(" ", ""))
    engine = open_engine(load())

    assert start(engine, PHONE) == "0000"
    assert len(start(engine, OTHER)) == 6


@pytest.mark.parametrize("text", ["12", "abcdef", "123=123456", "+237650000000=", "=123456"])
def test_a_fixed_code_that_cannot_be_stops_the_start(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_FIXED_CODES", text)

    with pytest.raises(ConfigurationError) as refusal:
        load()
    assert refusal.value.name == "WATCHWORD_FIXED_CODES"


def test_production_does_not_start_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_FIXED_CODES", "123456")
    monkeypatch.setenv("WATCHWORD_ENV", "production")

    ended = subprocess.run(
        [sys.executable, "-m", "watchword", "serve"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 78
    assert "WATCHWORD_FIXED_CODES" in ended.stderr
    assert "Traceback" not in ended.stderr
