"""Nothing shows a code or a whole number: no log at any level, no database file, no repr."""

import base64
import logging
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from watchword import config
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.errors import Refusal
from watchword.phone import parse
from watchword.runtime import open_engine

AMOUNT = 120
ROOT = Path(__file__).parent.parent


def forms(secret: str) -> list[bytes]:
    """Return the ways in which a secret may turn up."""
    raw = secret.encode()
    return [
        raw,
        raw.hex().encode(),
        base64.b64encode(raw).rstrip(b"="),
        " ".join(secret).encode(),
        secret[::-1].encode(),
    ]


def test_no_log_shows_a_code_or_a_number_and_no_database_file_holds_either(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chance = random.Random(3)
    numbers = [f"+23765{chance.randrange(10**7):07}" for _ in range(AMOUNT)]
    engine = open_engine(config.load())
    known = engine.credentials
    codes = []
    for index, number in enumerate(numbers):
        start = StartVerification(known.service_sid, known.account_sid, parse(number))
        started = engine.perform(GuardedStart(start, str(index), "user")).started
        codes.append(started.code)
        assert started.code not in repr(started)
        for code in ("0000000000", started.code)[: 1 + index % 2]:
            check = CheckCode(known.service_sid, known.account_sid, code, to=number)
            assert code not in repr(check)
            try:
                engine.perform(check)
            except Refusal as refusal:
                assert number not in str(refusal)

    files = [path for path in home.iterdir() if path.name.startswith("watchword.db")]
    assert {path.name for path in files} >= {"watchword.db", "watchword.db-wal"}
    held = b"".join(path.read_bytes() for path in files)
    logged = caplog.text.encode()
    assert b"verification.started" in logged
    for number in numbers:
        for form in forms(number.removeprefix("+")):
            assert form not in logged
            assert form not in held
    # Six digits turn up by chance in so many random bytes, so a code is looked for as a column's
    # value would lie there: beside the message's own words, or quoted.
    spoken = re.sub(rb"\b[A-Z]{2}[0-9a-f]{32}\b", b"sid", logged)  # random too
    for code in codes:
        assert not [form for form in forms(code) if form in spoken]
        assert f'"{code}"'.encode() not in held
        assert f"code is: {code}".encode() not in held
    engine.close()


def test_no_row_of_the_database_holds_a_code(home: Path) -> None:
    """Read every cell of every table: not one equals or contains a code that was sent."""
    import sqlite3

    engine = open_engine(config.load())
    known = engine.credentials
    codes = set()
    for index in range(AMOUNT):
        phone = parse(f"+2376500001{index:02}"[:13])
        start = StartVerification(known.service_sid, known.account_sid, phone)
        try:
            codes.add(engine.perform(start).code)
        except Refusal:
            continue
    engine.close()

    connection = sqlite3.connect(home / "watchword.db")
    tables = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    cells = [
        str(cell)
        for table in tables
        for row in connection.execute(f'SELECT * FROM "{table}"')
        for cell in row
    ]
    connection.close()

    assert len(cells) > AMOUNT
    words = {cell for cell in cells if len(cell) <= 12}
    assert not codes & words


def test_the_documented_class_logs_neither_at_debug() -> None:
    program = """
import logging
logging.basicConfig(level=logging.DEBUG)
from src.models._2FA import OTP_Model, Forbidden, InternalServerError
from watchword import config
from watchword.senders.inbox import InboxSender
otp = OTP_Model("+237650000000")
otp.verification()
code = InboxSender(config.load().home / "inbox.db").messages()[0].code
try:
    otp.verification_check("987650")
except Forbidden:
    pass
otp.verification_check(code)
try:
    OTP_Model("+23765").verification()
except InternalServerError:
    pass
print(code)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    code = ran.stdout.strip()
    assert code not in ran.stderr
    assert "987650" not in ran.stderr
    assert "237650000000" not in ran.stderr
    assert "verification.started" in ran.stderr
