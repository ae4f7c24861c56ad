"""Pairs through HTTP: how many a second on each store, what CPU each takes, how long it waits.

A pair is a start and its right check, each for a number of its own. The messages go to the inbox,
or to a provider on this machine whose answer is awaited.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

from benchmarks.figures import Figure, LeftOut, Report, Run
from benchmarks.load import Load, Result, Stream, percentile
from benchmarks.machine import Meter
from benchmarks.servers import program, pushed, watchword
from benchmarks.talks import One, Pair, request

OTPGATEWAY = {"Redis not persistent": 3_608, "Redis always": 2_002, "push, Redis always": 1_938}
QUOTED = "knadh/otpgateway (Go): measured once on another machine, see docs/why/capacity.md"
CPU_MICROSECONDS = 200
STATIC_SHARE = 0.30
MANY = 256  # connections that paced load may use
WARM = 0.2  # of the measured time


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run it, with what is to be reached: pairs/s, and p99 in ms at half of them."""

    workers: int
    store: str = "sqlite"
    goal: float | None = None
    cpu_goal: float | None = None
    half_load_goal: float | None = None


def sqlite(run: Run) -> Report:
    """One worker on a SQLite file, and the same server with nothing behind it."""
    report = _pairs(run, Setting(1, goal=6_000, cpu_goal=CPU_MICROSECONDS, half_load_goal=10))
    fixed = fixed_answers(run, workers=1)
    rate = report.figures[0].value
    report.add("fixed answers of the same server", fixed.per_second, "requests/s")
    report.add("2 × pairs/s ÷ fixed answers/s", 2 * rate / fixed.per_second, "", STATIC_SHARE)
    report.conditions["client's share of a core, fixed answers"] = round(fixed.client_share, 2)
    _quote(report, "Redis not persistent", "Redis always")
    return report


def sqlite_2(run: Run) -> Report:
    """Two workers on one SQLite file."""
    return _pairs(run, Setting(2))


def postgres(run: Run) -> Report:
    """Two workers on PostgreSQL, synchronous_commit = on."""
    return _pairs(run, Setting(2, "postgres", goal=5_000, half_load_goal=20))


def mariadb(run: Run) -> Report:
    """Two workers on MariaDB, a flush at every commit."""
    return _pairs(run, Setting(2, "mariadb", goal=3_003))


def webhook(run: Run) -> Report:
    """One worker on a SQLite file, a push to a provider awaited for every message."""
    with program("benchmarks.hook") as (port, pid):
        meter = Meter(pid)
        report = _pairs(run, Setting(1, goal=3_876), hook=port)
        report.conditions["messages that the provider took"] = pushed(port)
        report.conditions["provider's CPU, seconds in all"] = round(meter.used(), 2)
    _quote(report, "push, Redis always")
    return report


def fixed_answers(run: Run, workers: int) -> Result:
    """Return what our server does with an application that answers every form alike."""
    with program("benchmarks.static", "--workers", str(workers)) as (port, _):
        asked = One(request("/v2/Services/VA/Verifications", "To=%2B237650000000&Channel=sms"))
        return Load(("127.0.0.1", port), [Stream(asked, run.connections)]).run(run.seconds)[0]


def _pairs(run: Run, setting: Setting, hook: int | None = None) -> Report:
    report = Report()
    with ExitStack() as stack:
        server = stack.enter_context(watchword(setting.workers, store=setting.store, hook=hook))
        talk, numbers = Pair(server.known), count()

        def drive(seconds: float, rate: float | None = None) -> Result:
            stream = Stream(talk, MANY if rate else run.connections, rate, numbers)
            return Load(server.address, [stream]).run(seconds)[0]

        drive(run.seconds * WARM)
        meter = Meter(server.pid, *server.store_pids)
        full = drive(run.seconds)
        if not full.done:
            raise LeftOut(f"no pair was answered: {full.example}")
        report.add("pairs per second", full.per_second, "pairs/s", setting.goal)
        cpu = meter.used() / max(full.done, 1) * 1e6
        report.add("CPU per pair, database included", cpu, "µs", setting.cpu_goal, at_most=True)
        report.add("p50 of a pair, saturated", percentile(full.talks, 0.5), "ms")
        report.add("p99 of a pair, saturated", percentile(full.talks, 0.99), "ms")
        half = drive(run.seconds, full.per_second / 2)
    goal = setting.half_load_goal
    report.add("p50 of a pair at half that load", percentile(half.talks, 0.5), "ms")
    report.add(
        "p99 of a pair at half that load", percentile(half.talks, 0.99), "ms", goal, at_most=True
    )
    report.add("p99 of a request at half that load", percentile(half.requests, 0.99), "ms")
    wrong = full.wrong + full.refused + half.wrong + half.refused
    report.add("wrong answers", wrong, "", 0, at_most=True)
    report.conditions = {
        "durability": server.durability,
        "workers": setting.workers,
        "connections": run.connections,
        "client's share of a core": round(full.client_share, 2),
        "pairs": full.done,
        "wrong": full.example or half.example,
    }
    return report


def _quote(report: Report, *conditions: str) -> None:
    for condition in conditions:
        name = f"otpgateway, {condition}"
        report.figures.append(Figure(name, OTPGATEWAY[condition], "pairs/s", quoted=QUOTED))
