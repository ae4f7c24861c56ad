"""A figure with its goal, and the report of one claim."""

from dataclasses import asdict, dataclass, field
from typing import Any


class LeftOut(Exception):
    """A claim cannot be measured here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Run:
    """How long and how much: what the command line said."""

    seconds: float = 10.0
    connections: int = 64
    memory_pairs: int = 1_000_000
    rows: tuple[int, int] = (1_000_000, 200_000)
    repeats: int = 15
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured; `goal` is the least it must be, or the most with `at_most`."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = False
    quoted: str = ""  # where a figure comes from that was not measured in this run

    @property
    def ratio(self) -> float | None:
        """Return the figure over its goal."""
        return self.value / self.goal if self.goal else None

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return every field, with the ratio and the verdict."""
        ratio = None if self.ratio is None else round(self.ratio, 3)
        return asdict(self) | {"ratio": ratio, "met": self.met}


@dataclass(slots=True)
class Report:
    """The figures of one claim, with the conditions they hold under."""

    figures: list[Figure] = field(default_factory=list)
    conditions: dict[str, Any] = field(default_factory=dict)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        goal: float | None = None,
        *,
        at_most: bool = False,
    ) -> None:
        """Take a figure in, rounded to what a reader can use."""
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
        self.figures.append(Figure(name, round(value, digits), unit, goal, at_most))
