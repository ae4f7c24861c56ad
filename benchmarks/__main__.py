"""Measure every claim about speed and say which goals are met.

make bench                                  # everything, about a quarter of an hour
python -m benchmarks --only sqlite --only ladder
python -m benchmarks --quick                # seconds: shows that it runs, its figures mean nothing
"""

import argparse
import json
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import beside, in_process, machine, over_time, overload, through_http
from benchmarks.figures import LeftOut, Run
from benchmarks.picture import draw
from benchmarks.progress import say
from benchmarks.table import show

ROOT = Path(__file__).parent.parent
LATEST = ROOT / "benchmarks" / "latest.json"
PICTURE = ROOT / "docs" / "images" / "bench.svg"
CLAIMS = {
    "sqlite": through_http.sqlite,
    "sqlite-2": through_http.sqlite_2,
    "postgres": through_http.postgres,
    "mariadb": through_http.mariadb,
    "webhook": through_http.webhook,
    "overload": overload.overload,
    "guarded": in_process.guarded,
    "ladder": in_process.ladder,
    "growth": over_time.growth,
    "startup": over_time.startup,
    "django-phone-verify": beside.django,
    "better-auth": beside.better_auth,
    "memory": over_time.memory,
}
FAILED = "it failed"
QUICK = Run(seconds=0.5, connections=8, memory_pairs=300, rows=(2_000, 400), repeats=2, quick=True)


def measure(names: list[str], run: Run) -> dict[str, Any]:
    """Measure these claims, one after another."""
    say("the machine")
    outcome: dict[str, Any] = {
        "quick": run.quick,
        "machine": machine.describe(0.2 if run.quick else 2.0),
        "claims": {},
    }
    for name in names:
        claim = CLAIMS[name]
        say(f"{name}: {claim.__doc__}")
        said: dict[str, Any] = {
            "what": claim.__doc__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "pace_us": round(machine.pace(), 1),
            "left_out": "",
            "conditions": {},
            "figures": [],
        }
        try:
            report = claim(run)
        except LeftOut as reason:
            said["left_out"] = str(reason)
        except Exception as fault:  # noqa: BLE001  # the figures of the others are not lost for it
            traceback.print_exc()
            said["left_out"] = f"{FAILED}: {type(fault).__name__}: {fault}"
        else:
            said["conditions"] = report.conditions
            said["figures"] = [figure.as_json() for figure in report.figures]
        outcome["claims"][name] = said
    return outcome


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=list(CLAIMS), action="append", help="this claim alone")
    parser.add_argument("--quick", action="store_true", help="seconds; the figures mean nothing")
    parser.add_argument("--seconds", type=float, help="of load in each measurement (10)")
    parser.add_argument("--memory-pairs", type=int, help="pairs of the memory claim (1,000,000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--publish", action="store_true", help="write benchmarks/latest.json and its picture"
    )
    given = parser.parse_args()
    if given.quick and given.publish:
        parser.error("quick figures mean nothing, so they are not published")
    machine.use_a_disk()
    outcome = measure(given.only or list(CLAIMS), _run(given))
    print(show(outcome))
    if given.json:
        _write(given.json, outcome)
    if given.publish:
        publish(outcome, LATEST, PICTURE)
    if any(claim["left_out"].startswith(FAILED) for claim in outcome["claims"].values()):
        sys.exit(1)


def _run(given: argparse.Namespace) -> Run:
    run = QUICK if given.quick else Run()
    if given.seconds:
        run = replace(run, seconds=given.seconds)
    if given.memory_pairs:
        run = replace(run, memory_pairs=given.memory_pairs)
    return run


def publish(outcome: dict[str, Any], latest: Path, picture: Path) -> None:
    """Write what the documents go by; claims not measured now stay as last measured."""
    before = json.loads(latest.read_text())["claims"] if latest.exists() else {}
    measured = before | outcome["claims"]
    claims = {name: measured[name] for name in CLAIMS if name in measured}
    whole = outcome | {"claims": claims}
    _write(latest, whole)
    picture.write_text(draw(whole))
    say(f"wrote {latest.name} and {picture.name}")


def _write(path: Path, outcome: dict[str, Any]) -> None:
    path.write_text(json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
