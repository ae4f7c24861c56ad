"""`watchword serve`: what it logs, and whose word it takes for where a request came from."""

import asyncio
import json
import logging
import re
import socket
import urllib.request
from pathlib import Path

import pytest
import uvloop

from tests.server import Server, serving
from watchword.log_lines import logging_for
from watchword.serve import doors

FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


def url_of_a_verification(server: Server) -> str:
    """Return the url in an answer to a request that says it came from elsewhere by https."""
    from base64 import b64encode

    known = server.credentials
    user = b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/v2/Services/{known.service_sid}/Verifications",
        data=b"To=%2B237650000000&Channel=sms",
        headers=FORWARDED | {"Authorization": f"Basic {user}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: str = json.loads(answer.read())["url"]
        return found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_log_line_has_its_time_its_level_and_who_says_it(workers: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        with serving("--workers", workers, stderr=log, WATCHWORD_LOG="info") as server:
            url_of_a_verification(server)
        log.seek(0)
        lines = [line for line in log if "verification.started" in line]

    assert len(lines) == 1
    assert re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO watchword: verification", lines[0])
    assert "+237•••••••00" in lines[0]


def test_by_default_only_warnings_are_logged(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        with serving(stderr=log) as server:
            url_of_a_verification(server)
        log.seek(0)

        assert "verification.started" not in log.read()


@pytest.mark.parametrize(("sender", "number"), [("inbox", "+237650000000"), ("console", "NUMBER")])
def test_the_greeting_texts_no_stranger(sender: str, number: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        with serving(stderr=log, WATCHWORD_SENDER=sender):
            pass
        log.seek(0)

        assert f"verify {number}\n" in log.read()


def test_a_logging_of_ones_own_is_left_alone() -> None:
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        assert logging_for("info") is None
    finally:
        logging.getLogger().removeHandler(handler)


def test_nobody_is_believed_by_default() -> None:
    with serving() as server:
        assert url_of_a_verification(server).startswith("http://")


def test_a_trusted_proxy_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_TRUSTED_PROXIES", "127.0.0.0/8 ::1")

    with serving() as server:
        assert url_of_a_verification(server).startswith("https://")


def test_a_turn_of_the_loop_lets_in_many_connections() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    let_in = 0

    class Caller(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal let_in
            let_in += 1

    async def turns() -> int:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Caller, sock=door) for door in doors(listening)]
        callers = [socket.create_connection(listening.getsockname()) for _ in range(64)]
        for _ in range(8):  # two for each that can let in all of its share
            await asyncio.sleep(0)
        seen = let_in
        for caller in callers:
            caller.close()
        for server in servers:
            server.close()
        return seen

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(turns()) >= 48
