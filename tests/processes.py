"""Many processes on one database file: started together, their answers counted."""

import json
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
WAIT_SECONDS = 240

# Every worker gets ready, says so, and waits for a line on its input: the barrier.
PRELUDE = """
import collections, json, sys
from watchword import config
from watchword.runtime import open_engine
from watchword.errors import *
from watchword.commands.verifications import *
from watchword.commands.ladder import *
from watchword.phone import parse

engine = open_engine(config.load())
known = engine.credentials
worker = int(sys.argv[1])
arguments = json.loads(sys.argv[2])
outcomes = collections.Counter()

def attempt(command):
    try:
        answer = engine.perform(command)
    except WatchwordError as error:
        outcomes[type(error).__name__] += 1
        return None
    outcomes[getattr(getattr(answer, "status", None), "value", "done")] += 1
    return answer

print("ready", flush=True)
sys.stdin.readline()
"""


def run_together(amount: int, script: str, **arguments: object) -> Counter[str]:
    """Run `script` in so many processes at once and return the sum of their `outcomes`."""
    program = PRELUDE + textwrap.dedent(script) + "\nprint(json.dumps(outcomes))\n"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number), json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(amount)
    ]
    with ExitStack() as running:
        for worker in workers:
            running.enter_context(worker)
            running.callback(worker.kill)
        ready = [pipe(worker.stdout).readline() for worker in workers]
        assert ready == ["ready\n"] * amount
        for worker in workers:
            pipe(worker.stdin).write("go\n")
            pipe(worker.stdin).flush()
        outputs = [worker.communicate(timeout=WAIT_SECONDS)[0] for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * amount
    total: Counter[str] = Counter()
    for output in outputs:
        total.update(json.loads(output))
    return total


def pipe(stream: IO[str] | None) -> IO[str]:
    """Return a pipe that was asked for, and so is there."""
    assert stream is not None
    return stream
