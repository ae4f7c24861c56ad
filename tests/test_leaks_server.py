"""T-16: a whole server at DEBUG, real senders, 500 phones and codes: nothing shows one of them."""

import asyncio
import base64
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote, unquote_plus

import aiohttp
import pytest
import requests

from tests.senders.fakes import Answer, Asked, Fake, fake_provider
from tests.senders.smsc import SILENT, Smsc, centre
from tests.server import free_port
from watchword import config
from watchword.home import Credentials, credentials_in

AMOUNT = 500
AT_ONCE = 16
START = 6
CODE = re.compile(r"(?<![0-9A-Za-z])[0-9]{10}(?![0-9A-Za-z])")
LOGGING = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s %(message)s")
"""
TOML = """
[[senders]]
name = "tw"
type = "twilio"
account_sid = "AC1"
auth_token_env = "PROVIDER_SECRET"
from = "+15550001"
url = "{url}"
timeout_seconds = 1

[[senders]]
name = "telnyx"
type = "telnyx"
api_key_env = "PROVIDER_SECRET"
from = "+15550001"
url = "{url}"
timeout_seconds = 1

[[senders]]
name = "vonage"
type = "vonage"
api_key = "k"
api_secret_env = "PROVIDER_SECRET"
from = "Acme"
url = "{url}"

[[senders]]
name = "smsc"
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password_env = "SMPP_SECRET"
from = "Acme"
timeout_seconds = 1

[[senders]]
name = "tail"
type = "apprise"
channels = ["sms"]
url_env = "TAIL"

[[routes]]
prefixes = ["+2376500"]
senders = ["tw", "telnyx"]

[[routes]]
prefixes = ["+2376501"]
senders = ["telnyx", "vonage"]

[[routes]]
prefixes = ["+2376502"]
senders = ["vonage"]

[[routes]]
prefixes = ["+2376503"]
senders = ["smsc"]

[[routes]]
prefixes = ["+2376504"]
senders = ["tail"]
"""


def answer(asked: Asked) -> Answer:
    """Answer well mostly, and else with what a provider says of a person when it goes wrong."""
    text = asked.body.decode()
    echo = json.dumps({"code": 21211, "message": f"no: {text}", "errors": [{"detail": text}]})
    bad = [(400, echo), (401, echo), (500, echo), (429, echo), (200, text), (200, "[[[" + text)]
    if (place := sum(asked.body) % 18) < len(bad):
        status, said = bad[place]
        return status, {"Content-Type": "application/json"}, said.encode()
    good = {"sid": "SM1", "data": {"id": "m1"}, "messages": [{"status": "0", "message-id": "m"}]}
    return 201 if "/Messages.json" in asked.path else 200, {}, json.dumps(good).encode()


def carried(fake: Fake, smsc: Smsc) -> set[str]:
    """Return every code that a provider was given."""
    texts = [unquote_plus(asked.body.decode()) for asked in fake.asked]
    texts += [one.text for one in smsc.submitted]
    return {code for text in texts for code in CODE.findall(text)}


def forms(secret: str) -> Iterator[bytes]:
    """Return the ways in which a secret may turn up; in base64 at each of three places."""
    raw = secret.encode()
    yield from (raw, raw[::-1], raw.hex().encode(), raw.hex(" ").encode(), quote(secret).encode())
    yield from (" ".join(secret).encode(), f"{secret[:3]} {secret[3:6]} {secret[6:]}".encode())
    for shift in range(3):
        encoded = base64.b64encode(b"." * shift + raw)
        yield encoded[4 if shift else 0 : len(encoded) - 4]


def found(text: bytes, secrets: list[str]) -> set[bytes]:
    """Return every form of a secret in a text, in one walk: by how the forms begin."""
    by_start: dict[bytes, set[bytes]] = {}
    for secret in secrets:
        for form in forms(secret):
            by_start.setdefault(form[:START], set()).add(form)
    return {
        form
        for place in range(len(text))
        for form in by_start.get(text[place : place + START], ())
        if text.startswith(form, place)
    }


@contextmanager
def server(
    home: Path, log: Path, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `watchword serve` with every logger of the process at DEBUG."""
    hook = home.parent / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(LOGGING)
    port = free_port()
    command = [sys.executable, "-m", "watchword", "serve", f"--port={port}"]
    more = {"PYTHONPATH": str(hook), "PYTHONFAULTHANDLER": "1", "PYTHONASYNCIODEBUG": "1"}
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, env=os.environ | more | environment, stdout=file, stderr=file, text=True
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(f"{url}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start")


async def everybody(
    url: str, known: Credentials, numbers: list[str], fake: Fake, smsc: Smsc
) -> None:
    """Start, guess wrong and guess right for each number, some at a time."""
    service = f"{url}/v2/Services/{known.service_sid}"
    gate = asyncio.Semaphore(AT_ONCE)
    auth = aiohttp.BasicAuth(known.account_sid, known.auth_token)
    async with aiohttp.ClientSession(auth=auth) as session:

        async def ask(method: str, path: str, **fields: str) -> None:
            query, form = (fields, None) if method == "GET" else (None, fields)
            async with session.request(method, path, params=query, data=form) as answer:
                await answer.read()

        async def one(number: str) -> None:
            async with gate:
                await ask("POST", f"{service}/Verifications", To=number, Channel="sms")
                await ask("POST", f"{service}/VerificationCheck", To=number, Code="0000000000")

        await ask("POST", service, CodeLength="10")
        await asyncio.gather(*(one(number) for number in numbers))
        codes = sorted(carried(fake, smsc))
        for number, code in zip(numbers[:60], codes[:60], strict=False):
            await ask("POST", f"{service}/VerificationCheck", To=number, Code=code)
            await ask("GET", f"{service}/Verifications/{quote(number)}")
            await ask("GET", f"{url}/v2/Attempts", **{"ChannelData.To": number})


def test_a_whole_server_at_debug_shows_no_code_and_no_number(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(16)
    numbers = [f"+237650{place % 5}{chance.randrange(10**5):05}" for place in range(AMOUNT)]
    log = tmp_path / "log"
    home.mkdir()
    with ExitStack() as stack:
        fake, smsc = stack.enter_context(fake_provider()), stack.enter_context(centre())
        fake.answer = answer
        smsc.answers = lambda number: {3: 0x0B, 5: 0x08, 7: SILENT}.get(number % 20, 0)
        (home / "watchword.toml").write_text(TOML.format(url=fake.url, port=smsc.port))
        url, process = stack.enter_context(
            server(
                home,
                log,
                PROVIDER_SECRET="s3cr3t-of-a-provider",
                SMPP_SECRET="secret",
                TAIL=f"json://{fake.url[7:]}/sms?:to={{{{to}}}}",
                WATCHWORD_SENDER="routes",
                WATCHWORD_METRICS_TOKEN="m",
                WATCHWORD_ANSWER_SECONDS="0.5",
                WATCHWORD_PUBLIC_URL="https://verify.example.com",
            )
        )
        known = credentials_in(config.load().home)
        asyncio.run(everybody(url, known, numbers, fake, smsc))
        proc = Path(f"/proc/{process.pid}")
        seen = {
            "cmdline": (proc / "cmdline").read_bytes(),
            "environ": (proc / "environ").read_bytes(),
            "metrics": requests.get(
                f"{url}/metrics", headers={"Authorization": "Bearer m"}, timeout=10
            ).content,
        }
        for path in home.rglob("*"):
            if path.is_file():
                seen[path.name] = path.read_bytes()
        process.send_signal(signal.SIGABRT)  # its threads' tracebacks go into the log
        process.wait(30)
        codes = carried(fake, smsc)

    seen["log"] = log.read_bytes()
    assert {"watchword.db", "watchword.db-wal", "log"} <= seen.keys()
    assert len(codes) > AMOUNT * 0.8
    for expected in (b"verification.started", b"sender.failed", b"Fatal Python error: Aborted"):
        assert expected in seen["log"]
    secrets = [*codes, *(number.removeprefix("+") for number in numbers), "s3cr3t-of-a-provider"]
    hits = [(name, form) for name, text in seen.items() for form in found(text, secrets)]
    hits = [hit for hit in hits if hit != ("environ", b"s3cr3t-of-a-provider")]
    assert hits == []


def test_the_search_finds_what_is_planted() -> None:
    number, code = "237650012345", "4820193756"
    planted = [
        f"to=%2B{number}&".encode(),
        base64.b64encode(f"a {code} b".encode()),
        f"x{code}".encode().hex().encode(),
        " ".join(code).encode(),
        number[::-1].encode(),
    ]

    assert [len(found(text, [number, code])) > 0 for text in planted] == [True] * 5
    assert found(b"482019375 6237650012344", [number, code]) == set()
