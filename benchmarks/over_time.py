"""What must not grow: the cost of a pair with the database, the memory of a worker with its age."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import LeftOut, Report, Run
from benchmarks.load import Load, Stream
from benchmarks.machine import resident_mib
from benchmarks.progress import say
from benchmarks.servers import watchword
from benchmarks.talks import Pair
from proofs.size import compare

GROWTH = 1.5
MEMORY_MIB = 120
FLAT = 1.05
LOOKS = 10  # at the memory, evenly over the pairs
SLOWEST = 0.05  # seconds a pair may take before it is given up
HELP_TIMES, IMPORT_TIMES = 8, 6


def growth(run: Run) -> Report:
    """A pair on a full database beside one on an empty database, SQLite."""
    report = Report()
    verifications, subjects = run.rows
    empty, full = compare("sqlite", verifications, subjects)
    report.add("a pair, empty database", empty * 1e6, "µs")
    report.add("a pair, full database", full * 1e6, "µs")
    report.add("full over empty", full / empty, "times", GROWTH, at_most=True)
    report.conditions |= {"verifications": verifications, "phones": subjects}
    return report


def memory(run: Run) -> Report:
    """The memory of one worker over many pairs."""
    report = Report()
    with watchword(1) as server:
        stream = Stream(Pair(server.known), run.connections, keeps_times=False)
        held = {0: resident_mib(server.pid)}
        step = max(run.memory_pairs // LOOKS, 1)

        def enough() -> bool:
            done = stream.result.done
            if done >= len(held) * step:
                held[done] = resident_mib(server.pid)
                say(f"  {done:,} pairs: {held[done]:.0f} MiB")
            return done >= run.memory_pairs

        result = Load(server.address, [stream]).run(run.memory_pairs * SLOWEST, enough)[0]
        home = Path(os.environ["WATCHWORD_HOME"])
        stored = sum(file.stat().st_size for file in home.glob("watchword.db*"))
    if result.done < run.memory_pairs:
        raise LeftOut(f"{result.done:,} pairs in {result.seconds:.0f} s; {result.example}")
    early, late = list(held.values())[1], list(held.values())[-1]
    report.add("memory before the first pair", held[0], "MiB")
    report.add("memory after a tenth of them", early, "MiB")
    report.add("memory at the end", late, "MiB", MEMORY_MIB, at_most=True)
    report.add("the end over a tenth", late / early, "times", FLAT, at_most=True)
    report.add("disk per pair", stored / result.done, "bytes")
    report.conditions["pairs"] = result.done
    report.conditions["MiB by pairs"] = {str(pairs): round(mib, 1) for pairs, mib in held.items()}
    return report


def startup(run: Run) -> Report:
    """`watchword --help` and `import watchword`, in turns with `python -c pass`."""
    script = Path(sys.executable).with_name("watchword")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import watchword": [sys.executable, "-c", "import watchword"],
        "watchword --help": [str(script), "--help"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(run.repeats + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    report = Report()
    seconds = {name: statistics.median(times[1:]) for name, times in taken.items()}  # first: cold
    for name, value in seconds.items():
        report.add(name, value * 1000, "ms")
    nothing = seconds["python -c pass"]
    for name, goal in (("watchword --help", HELP_TIMES), ("import watchword", IMPORT_TIMES)):
        report.add(f"{name} ÷ python", seconds[name] / nothing, "times", goal, at_most=True)
    return report
