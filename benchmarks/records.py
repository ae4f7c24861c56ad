"""What it takes to make a record and to change two of its seventeen fields, against a dataclass.

python -m benchmarks.records
"""

import dataclasses
import timeit
from typing import Any

from watchword.model import Channel, Verification
from watchword.record import replace

TIMES = 20_000
FIELDS = tuple(Verification.__struct_fields__)
Plain = dataclasses.make_dataclass("Plain", FIELDS, frozen=True, slots=True)


def main() -> None:
    """Measure and print."""
    values: dict[str, Any] = dict.fromkeys(FIELDS, "x") | {"channel": Channel.SMS}
    record, plain = Verification(**values), Plain(**values)
    change = {"status": "y", "checks": 1}
    rows = {
        "made, record": lambda: Verification(**values),
        "made, frozen dataclass": lambda: Plain(**values),
        "changed, record": lambda: replace(record, **change),
        "changed, frozen dataclass": lambda: dataclasses.replace(plain, **change),
    }
    for name, step in rows.items():
        seconds = min(timeit.repeat(step, number=TIMES, repeat=5)) / TIMES
        print(f"{name:28} {seconds * 1e6:6.2f} µs")


if __name__ == "__main__":
    main()
