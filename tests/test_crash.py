"""`kill -9` in the middle of the work: what was acknowledged is there afterwards."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

from watchword import config
from watchword.commands.verifications import CheckCode
from watchword.errors import NotFound
from watchword.runtime import open_engine

ROOT = Path(__file__).parent.parent
ROUNDS = 50
PHONES = 40

# Tell each acknowledged fact on a line of its own; the line is the acknowledgement.
WORKER = """
import itertools, json, sys
from watchword import config
from watchword.commands.verifications import *
from watchword.phone import parse
from watchword.runtime import open_engine

engine = open_engine(config.load())
known = engine.credentials
print("ready", flush=True)
for number in itertools.count():
    to = f"+2376500{int(sys.argv[1]):03}{number % 100:02}"
    start = StartVerification(known.service_sid, known.account_sid, parse(to))
    guarded = engine.perform(GuardedStart(start, to, sys.argv[2] + str(number)))
    sid, code = guarded.started.verification.sid, guarded.started.code
    print(json.dumps({"started": sid, "code": code, "pair": [to, sys.argv[2] + str(number)],
                      "wait": guarded.counter.expires.isoformat()}), flush=True)
    if number % 2:
        engine.perform(CheckCode(known.service_sid, known.account_sid, code, verification_sid=sid))
        print(json.dumps({"approved": sid, "code": code}), flush=True)
"""


def test_nothing_acknowledged_is_lost_and_no_code_is_good_twice() -> None:
    ledger: list[dict[str, str]] = []
    chance = random.Random(7)
    for number in range(ROUNDS):
        ledger += killed_after(chance.randint(1, 12), number)

    engine = open_engine(config.load())
    known = engine.credentials
    approved = {entry["approved"] for entry in ledger if "approved" in entry}
    started = {entry["started"]: entry for entry in ledger if "started" in entry}
    assert len(started) >= ROUNDS
    assert approved
    for sid, entry in started.items():
        row = engine.store.counter(*entry["pair"])
        assert row is not None
        assert row.expires is not None
        assert row.expires.isoformat() == entry["wait"]
        check = CheckCode(known.service_sid, known.account_sid, entry["code"], verification_sid=sid)
        first = last_word(engine.perform, check)
        assert first == ("refused" if sid in approved else first)
        assert last_word(engine.perform, check) == "refused"
    engine.close()


def last_word(perform: object, check: CheckCode) -> str:
    assert callable(perform)
    try:
        return str(perform(check).status.value)
    except NotFound:
        return "refused"


def killed_after(lines: int, number: int) -> list[dict[str, str]]:
    """Run a worker, kill it once it has told so many lines, and return what it told."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(number), f"{number}-"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        told = [worker.stdout.readline() for _ in range(lines)]
        worker.send_signal(signal.SIGKILL)
        told += worker.stdout.readlines()
    return [json.loads(line) for line in told if line.endswith("}\n")]
