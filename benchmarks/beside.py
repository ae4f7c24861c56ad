"""Peers that a package registry brings, under the same load as ours; each is left out if it cannot.

They are installed once into `.bench/` of the checkout. Their codes come to the load client in a
header that a wrapper of a few lines adds: the way a sender of theirs hands them out.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.figures import LeftOut, Report, Run
from benchmarks.load import Load, Stream, Wrong, percentile
from benchmarks.machine import Meter
from benchmarks.progress import say
from benchmarks.servers import wait_for
from benchmarks.talks import FIRST, FORM, LEAD, NUMBERS, request
from tests.server import free_port

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".bench"
DJANGO = ("django-phone-verify==3.3.0", "Django==5.2.19", "gunicorn==27.0.1", "phonenumberslite")
NODE = ("better-auth@1.7.25", "libsql@0.5.29", "kysely")
INSTALL_SECONDS = 600
CODE = b"x-code: "


def django(run: Run) -> Report:
    """django-phone-verify on SQLite, two gunicorn workers, every commit on disk."""
    home = CACHE / "django"
    python = str(home / "bin" / "python")
    _install("django-phone-verify", home, run, [sys.executable, "-m", "venv", str(home)])
    _install("django-phone-verify", home / "done", run, [python, "-m", "pip", "install", *DJANGO])
    with _database() as environment:
        made = [python, "-m", "benchmarks.peers.django_app"]
        subprocess.run(made, cwd=ROOT, env=environment, check=True)
        serve = [python, "-m", "gunicorn", "--workers", "2", "--worker-class", "gthread"]
        serve += ["--threads", "1", "--log-level", "error", "--bind", "127.0.0.1:{port}"]
        serve += ["benchmarks.peers.django_app:application"]
        with _serving(serve, ROOT, environment, "/phone/register") as (port, pid):
            return _measure(run, "django-phone-verify", port, pid, DjangoTalk())


def better_auth(run: Run) -> Report:
    """better-auth's phone-number plugin on SQLite, one Node process, every commit on disk."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise LeftOut("npm is not here; on Debian: apt-get install npm")
    folder = CACHE / "better-auth"
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    _install("better-auth", folder / "done", run, [*install, *NODE])
    script = str(shutil.copy(ROOT / "benchmarks" / "peers" / "better_auth.mjs", folder))
    with (
        _database() as environment,
        _serving([node, script, "{port}"], folder, environment, "/") as (port, pid),
    ):
        return _measure(run, "better-auth", port, pid, BetterAuthTalk())


class DjangoTalk:
    """Register and verify, as its API has them."""

    def first(self, number: int) -> bytes:
        return request("/phone/register", f"phone_number={_number(number, '%2B')}")

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        _must_be_good(answer)
        if asked > 1:
            return None
        token = _body(answer)["session_token"]
        body = f"phone_number={_number(number, '%2B')}&security_code={_code(answer)}"
        return request("/phone/verify", f"{body}&session_token={token}")


class BetterAuthTalk:
    """Send and verify, as its plugin has them."""

    def first(self, number: int) -> bytes:
        return _json("/api/auth/phone-number/send-otp", phoneNumber=_number(number))

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        _must_be_good(answer)
        if asked > 1:
            return None
        path = "/api/auth/phone-number/verify"
        return _json(path, phoneNumber=_number(number), code=_code(answer))


def _measure(run: Run, name: str, port: int, pid: int, talk: DjangoTalk | BetterAuthTalk) -> Report:
    report, numbers = Report(), count()
    address = ("127.0.0.1", port)
    Load(address, [Stream(talk, run.connections, None, numbers)]).run(run.seconds / 5)
    meter = Meter(pid)
    result = Load(address, [Stream(talk, run.connections, None, numbers)]).run(run.seconds)[0]
    if not result.done:
        raise LeftOut(f"no pair was answered: {result.example}")
    report.add(f"{name}: pairs per second", result.per_second, "pairs/s")
    report.add("CPU per pair", meter.used() / result.done * 1e6, "µs")
    report.add("p50 of a pair, saturated", percentile(result.talks, 0.5), "ms")
    report.add("p99 of a pair, saturated", percentile(result.talks, 0.99), "ms")
    report.conditions = {
        "durability": "sqlite, WAL, PRAGMA synchronous = FULL",
        "connections": run.connections,
        "client's share of a core": round(result.client_share, 2),
        "wrong answers": result.wrong,
        "wrong": result.example,
    }
    return report


def _install(name: str, mark: Path, run: Run, command: list[str]) -> None:
    """Run an installer until its mark is there; a quick run installs nothing."""
    if mark.exists():
        return
    if run.quick:
        raise LeftOut(f"not installed yet; once: python -m benchmarks --only {name}")
    say(f"  installing {name} into {CACHE.name}/")
    mark.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            command, check=True, timeout=INSTALL_SECONDS, capture_output=True, cwd=CACHE, text=True
        )
    except subprocess.TimeoutExpired as fault:
        raise LeftOut(f"{name} was not installed in {INSTALL_SECONDS} seconds") from fault
    except subprocess.CalledProcessError as fault:
        last = (str(fault.stderr).strip() or "no word").splitlines()[-1]
        raise LeftOut(f"{name} cannot be installed: {last}") from fault
    if mark.name == "done":
        mark.touch()


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        yield dict(os.environ) | {"PEER_DATABASE": str(Path(folder) / "peer.db")}


@contextmanager
def _serving(
    command: list[str], folder: Path, environment: dict[str, str], path: str
) -> Iterator[tuple[int, int]]:
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    with subprocess.Popen(words, cwd=folder, env=environment) as process:
        try:
            wait_for(port, process, path)
            yield port, process.pid
        finally:
            process.terminate()


def _number(number: int, plus: str = "+") -> str:
    return f"{plus}{LEAD[1:]}{FIRST + number % NUMBERS}"


def _json(path: str, **body: str) -> bytes:
    text = json.dumps(body)
    return request(path, text).replace(FORM.encode(), b"application/json", 1)


def _body(answer: bytes) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def _code(answer: bytes) -> str:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    return head.partition(CODE)[2].partition(b"\r\n")[0].decode()


def _must_be_good(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Wrong
