"""Prove that keys rotate under load: two real servers are led to a new one, one at a time.

python -m proofs.rotation --size short --only postgres

T-37. Between the steps the servers have the same keys in another order; the load never stops.
"""

import base64
import http.client
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from proofs.calling import calling
from proofs.report import must_be_none
from proofs.stores import command_line, database, on_each
from tests.databases import free_port
from watchword.commands.operator import LookUpPhone
from watchword.commands.verifications import CheckCode
from watchword.engine import Engine
from watchword.errors import Refusal
from watchword.home import Credentials, credentials_in
from watchword.keys import Keyring
from watchword.rules.page import ADDRESS_SENDS
from watchword.rules.reasons import PhoneFile
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore
from watchword.torture import Count

OLD, NEW = b"the old key of this proof, 32 b.", b"the new key of this proof, 32 b."
SECONDS = {"short": 1.0, "usual": 10.0, "full": 60.0}  # of load between two steps
Step = tuple[int, tuple[bytes, ...]]  # which server, and the keys that it comes back with
STEPS: tuple[Step, ...] = (
    (0, (OLD, NEW)), (1, (OLD, NEW)), (0, (NEW, OLD)), (1, (NEW, OLD)),
)  # fmt: skip
LAST: tuple[Step, ...] = ((0, (NEW,)), (1, (NEW,)))
CALLERS = 4
TOGETHER = 6  # requests for one thing at the same moment, over both servers
START_SECONDS = 60
WRONG_GUESSES = 12


class Answer(NamedTuple):
    """What a server said; status 0 when it was gone before it answered."""

    status: int
    body: str

    @property
    def is_approval(self) -> bool:
        return self.status in (200, 201) and json.loads(self.body)["status"] == "approved"

    @property
    def is_wrong(self) -> bool:
        return self.status in (200, 201) and json.loads(self.body)["status"] == "pending"


class Node:
    """One `watchword serve` among others on the same database."""

    def __init__(self, url: str, home: Path, source: Path | None = None) -> None:
        self.port = free_port()
        self.is_up = False
        self._environment = os.environ | {
            "WATCHWORD_DATABASE_URL": url,
            "WATCHWORD_HOME": str(home),
        }
        if source is not None:  # the code of another release
            self._environment["PYTHONPATH"] = str(source)
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self, secrets: tuple[bytes, ...]) -> dict[str, str]:
        """Return the environment of a process with these keys."""
        keys = " ".join(base64.b64encode(secret).decode() for secret in secrets)
        return self._environment | {"WATCHWORD_KEYS": keys}

    def start(self, secrets: tuple[bytes, ...]) -> None:
        """Serve with these keys, and wait until it does."""
        self.begin(secrets)
        self.wait()

    def begin(self, secrets: tuple[bytes, ...]) -> None:
        """Start with these keys."""
        command = [sys.executable, "-m", "watchword", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=self.environment(secrets),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wait(self) -> None:
        """Return when it answers."""
        end = time.monotonic() + START_SECONDS
        while ask(self.port, "GET", "/healthz").status != http.HTTPStatus.OK:
            is_gone = self._process is None or self._process.poll() is not None
            if is_gone or time.monotonic() > end:
                raise TimeoutError("a server does not start")
            time.sleep(0.05)
        self.is_up = True

    def stop(self) -> None:
        """Take it out of the rotation, then let it finish what it has begun."""
        self.is_up = False
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)


def ask(
    port: int, method: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> Answer:
    """Send one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = urllib.parse.urlencode(form or {})
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body if form else None, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode())
    except (OSError, http.client.HTTPException):
        return Answer(0, "")
    finally:
        connection.close()


def basic(known: Credentials) -> str:
    """Return what a request proves itself with."""
    return "Basic " + base64.b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()


@dataclass
class Ledger:
    """What the callers were told, and what they counted."""

    counts: Tally[str] = field(default_factory=Tally)
    approved: list[tuple[str, str, str]] = field(default_factory=list)
    guesses: Tally[str] = field(default_factory=Tally)
    guarded: dict[str, float] = field(default_factory=dict)
    most_guesses: int = 0


class Load:
    """Callers that verify, guess and ask for messages, on whatever server there is."""

    def __init__(self, nodes: list[Node], home: Path) -> None:
        self.nodes = nodes
        self.known = credentials_in(home)
        self.inbox = InboxSender(home / "inbox.db")
        self.ledger = Ledger()
        self._numbers = itertools.count(237650000000)
        self._pool = ThreadPoolExecutor(CALLERS * TOGETHER)
        self._chances = [random.Random(number) for number in range(CALLERS)]

    def call(self, number: int) -> None:
        """Do one of the things that callers do, by a caller's own dice."""
        ways = (self._verify, self._verify, self._guess, self._guard)
        self._chances[number].choice(ways)()

    def close(self) -> None:
        """Let go of what the callers used; what they were told stays."""
        self._pool.shutdown()
        self.inbox.close()

    def sign_in(self, times: int) -> None:
        """Try to sign in with a wrong token."""
        form = {"account": self.known.account_sid, "token": "wrong"}
        for _ in range(times):
            answer = ask(self._node(), "POST", "/console/sign-in", form)
            self.ledger.counts["tries"] += 1
            self.ledger.counts["tries let through"] += answer.status == http.HTTPStatus.UNAUTHORIZED

    def _verify(self) -> None:
        """Start, guess wrong, check on both servers at once, and once more."""
        to, code, sid = self._started()
        if not sid:
            return
        self._check(to, _wrong(code))
        answers = self._at_once(2, lambda: self._check(to, code))
        approvals = sum(answer.is_approval for answer in answers)
        unsure = any(answer.status == 0 for answer in answers)
        again = self._check(to, code)
        counts = self.ledger.counts
        counts["right codes"] += 1
        counts["refused"] += approvals == 0 and not unsure
        counts["twice"] += approvals + again.is_approval > 1
        if approvals:
            self.ledger.approved.append((sid, to, code))

    def _guess(self) -> None:
        """Guess at one code on both servers at once; then the right one must be refused."""
        to, code, sid = self._started()
        if not sid:
            return
        answers = self._at_once(WRONG_GUESSES, lambda: self._check(to, _wrong(code)))
        evaluated = sum(answer.is_wrong for answer in answers)
        self.ledger.guesses[to] = evaluated
        self.ledger.most_guesses = max(self.ledger.most_guesses, evaluated)
        unsure = any(answer.status == 0 for answer in answers)
        self.ledger.counts["accepted after five"] += (
            self._check(to, code).is_approval and not unsure
        )

    def _guard(self) -> None:
        """Ask for a guarded message on both servers at once."""
        to = f"+{next(self._numbers)}"
        answers = self._at_once(TOGETHER, lambda: ask(self._node(), "POST", "/start", {"to": to}))
        sent = sum(answer.status == http.HTTPStatus.SEE_OTHER for answer in answers)
        messages = len(self.inbox.messages(to))
        counts = self.ledger.counts
        counts["asked"] += TOGETHER
        counts["windows"] += 1
        counts["too many messages"] += max(messages, sent) > 1
        counts["no message"] += messages == 0 and all(answer.status for answer in answers)
        if sent:
            self.ledger.guarded[to] = time.monotonic()

    def _started(self) -> tuple[str, str, str]:
        to = f"+{next(self._numbers)}"
        answer = self._ask_api("Verifications", {"To": to, "Channel": "sms"})
        if answer.status != http.HTTPStatus.CREATED:
            self.ledger.counts[f"starts answered {answer.status}"] += 1
            return to, "", ""
        sid: str = json.loads(answer.body)["sid"]
        return to, self.inbox.messages(to)[0].code, sid

    def _check(self, to: str, code: str) -> Answer:
        answer = self._ask_api("VerificationCheck", {"To": to, "Code": code})
        self.ledger.counts["unanswered"] += answer.status == 0
        self.ledger.counts["failed"] += answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        return answer

    def _ask_api(self, name: str, form: dict[str, str]) -> Answer:
        path = f"/v2/Services/{self.known.service_sid}/{name}"
        return ask(self._node(), "POST", path, form, Authorization=basic(self.known))

    def _at_once(self, times: int, what: Callable[[], Answer]) -> list[Answer]:
        return [each.result() for each in [self._pool.submit(what) for _ in range(times)]]

    def _node(self) -> int:
        up = [node.port for node in self.nodes if node.is_up] or [self.nodes[0].port]
        return random.choice(up)


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


@dataclass(frozen=True)
class Plan:
    """How the servers are led to the new key."""

    seconds: float  # of load between two steps
    first: tuple[bytes, ...] = (OLD,)
    steps: tuple[Step, ...] = STEPS
    last: tuple[Step, ...] = LAST


def rotate(url: str, plan: Plan) -> Iterator[Count]:
    """Lead two servers from the old key to the new one under load; count what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        nodes = [Node(url, home), Node(url, home)]
        try:
            for node in nodes:
                node.begin(plan.first)
            for node in nodes:
                node.wait()
            load = Load(nodes, home)
            with closing(load), calling(load.call, CALLERS):
                need = _exchange(nodes, load, plan)
            yield from _verdict(load, need)
            yield _kept(url, load)
        finally:
            for node in nodes:
                node.stop()


def _exchange(nodes: list[Node], load: Load, plan: Plan) -> int:
    """Take all the steps; return how many rows needed the old key before it was dropped."""
    tries = ADDRESS_SENDS // len(plan.steps) + 2
    for number, secrets in plan.steps:
        load.sign_in(tries)
        time.sleep(plan.seconds)
        nodes[number].stop()
        nodes[number].start(secrets)
    time.sleep(plan.seconds)
    command = [sys.executable, "-m", "watchword", "reseal", "--json"]
    ran = subprocess.run(
        command, env=nodes[0].environment((NEW, OLD)), capture_output=True, check=True, text=True
    )
    old = next(key for key in json.loads(ran.stdout)["keys"] if key["place"] != 1)
    load.ledger.counts["led"] = sum(json.loads(ran.stdout)["led"].values())
    for number, secrets in plan.last:
        nodes[number].stop()
        nodes[number].start(secrets)
        time.sleep(plan.seconds)
    return sum(old["rows"].values())


def _verdict(load: Load, need: int) -> Iterator[Count]:
    ledger, counts = load.ledger, load.ledger.counts
    yield must_be_none(f"right codes refused, of {counts['right codes']:,}", counts["refused"])
    yield must_be_none("codes accepted twice", counts["twice"])
    most = f"most guesses evaluated of one code, of {WRONG_GUESSES} at once"
    yield Count(most, ledger.most_guesses, "<= 5", ledger.most_guesses <= 5)
    yield must_be_none("right codes accepted after that", counts["accepted after five"])
    asked = f"of {counts['windows']:,} windows asked for {counts['asked']:,} times on both servers"
    yield must_be_none(f"windows with two messages, {asked}", counts["too many messages"])
    yield must_be_none("windows without any", counts["no message"])
    through = counts["tries let through"]
    what = f"tries to sign in let through, of {counts['tries']} from one address"
    yield Count(what, through, str(ADDRESS_SENDS), through == ADDRESS_SENDS)
    yield must_be_none("requests answered 5xx", counts["failed"])
    yield Count("requests cut off as a server was exchanged", counts["unanswered"], "any", ok=True)
    what = f"rows that needed the old key after {counts['led']:,} were led to the new"
    yield must_be_none(what, need)


def _kept(url: str, load: Load) -> Count:
    """Compare what was told with what a server that has only the new key knows."""
    ledger = load.ledger
    keyring = Keyring.from_secrets([NEW])
    engine = Engine(SqlStore(url, keyring), None, keyring, load.known)
    lost = 0
    for to, told in ledger.guesses.items():
        subject = _file(engine, to).subject
        lost += subject is None or subject.failures < told
    for to in ledger.guarded:
        lost += [counter.count for counter in _file(engine, to).counters] != [1]
    for sid, to, code in ledger.approved:
        latest = _file(engine, to).latest
        lost += latest is None or latest.sid != sid or latest.status != "approved"
        try:
            engine.perform(CheckCode(load.known.service_sid, load.known.account_sid, code, to=to))
            lost += 1
        except Refusal:
            pass
    told_in_all = len(ledger.guesses) + len(ledger.guarded) + len(ledger.approved)
    engine.close()
    return must_be_none(f"states lost without the old key, of {told_in_all:,} told", lost)


def _file(engine: Engine, to: str) -> PhoneFile:
    known = engine.credentials
    return engine.perform(LookUpPhone(known.service_sid, known.account_sid, to))


def prove(kind: str, size: str) -> Iterator[Count]:
    """Rotate the keys of two servers on one store."""
    with database(kind) as (url, _):
        yield from rotate(url, Plan(SECONDS[size]))


def main() -> None:
    given = command_line("Prove that keys rotate under load.", SECONDS).parse_args()
    sys.exit(not on_each(given.only, "key rotation", lambda kind: prove(kind, given.size)))


if __name__ == "__main__":
    main()
