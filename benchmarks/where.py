"""Where the microseconds of one pair go: a server that looks at itself a thousand times a second.

python -m benchmarks.where [--seconds 10] [--json]

The time of a call into C counts for the line of Python that made it, so the database's own work
stands under the room that asks it.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path
from types import FrameType

from benchmarks.load import Load, Stream
from benchmarks.machine import Meter
from benchmarks.servers import home, program
from benchmarks.talks import Pair
from watchword.asgi import App, from_environment
from watchword.embedded import EmbeddedHttpClient
from watchword.home import credentials_in
from watchword.serve import serve_app

EVERY = 0.001  # seconds of the process's own CPU time between two looks
WRITE_EVERY = 200  # looks
SAMPLES = "BENCH_SAMPLES"  # the file that the server leaves its counts in
ROOMS = (  # the first that the path within the package begins with
    ("store/session", "SQLite: statements and commits"),
    ("store/", "rows: laid out, read, their keys gathered"),
    ("senders/inbox", "the inbox sender, its file included"),
    ("development/", "development's clock and faults"),
    ("senders/", "senders"),
    ("keys", "keys: names, seals and codes"),
    ("codes", "keys: names, seals and codes"),
    ("protocol", "HTTP: from and to the socket"),
    ("door", "HTTP: forms, routes, JSON"),
    ("wire/", "HTTP: forms, routes, JSON"),
    ("texts/", "texts and numbers"),
    ("phone", "texts and numbers"),
    ("numbering", "texts and numbers"),
    ("mailbox", "texts and numbers"),
    ("", "commands, rules and the engine around them"),
)
BENEATH = "uvicorn, uvloop and the sockets"


def sampled() -> App:
    """Make the application of the environment, and begin to look at it."""
    app = from_environment()
    client = EmbeddedHttpClient(app.engine)
    known = app.engine.credentials
    client.request(
        "POST",
        f"https://verify.twilio.com/v2/Services/{known.service_sid}",
        data={"CustomCodeEnabled": "true"},
        auth=(known.account_sid, known.auth_token),
    )
    seen: Counter[str] = Counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        seen[_room(frame)] += 1
        if not seen.total() % WRITE_EVERY:
            Path(os.environ[SAMPLES]).write_text(json.dumps(seen))

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    return app


def _room(frame: FrameType | None) -> str:
    while frame is not None:
        _, package, path = frame.f_code.co_filename.rpartition("/watchword/")
        if package and path != "serve.py":
            return next(name for start, name in ROOMS if path.startswith(start))
        frame = frame.f_back
    return BENEATH


def main() -> None:
    """Serve, drive, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.port:
        serve_app("benchmarks.where:sampled", "127.0.0.1", arguments.port, 1)
        return
    with tempfile.NamedTemporaryFile() as samples, home() as folder:
        os.environ[SAMPLES] = samples.name
        with program("benchmarks.where") as (port, pid):
            talk, meter = Pair(credentials_in(folder)), Meter(pid)
            stream = Stream(talk, arguments.connections, None, count())
            result = Load(("127.0.0.1", port), [stream]).run(arguments.seconds)[0]
            cpu = meter.used() / max(result.done, 1) * 1e6
        seen: dict[str, int] = json.loads(Path(samples.name).read_text())
    total = sum(seen.values())
    parts = sorted(seen.items(), key=lambda part: -part[1])
    rows = {name: round(cpu * looks / total) for name, looks in parts}
    if arguments.json:
        json.dump({"cpu_us_per_pair": round(cpu), "parts": rows}, sys.stdout, indent=2)
        return
    for name, microseconds in rows.items():
        print(f"{microseconds:6} µs  {microseconds / cpu:4.0%}  {name}")
    print(f"{cpu:6.0f} µs  CPU per pair, {result.done} pairs, {result.wrong} wrong answers")


if __name__ == "__main__":
    main()
