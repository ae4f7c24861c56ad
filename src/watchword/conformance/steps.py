"""The words of a case: what is asked, and what must be answered.

Texts may hold `{service}`, `{to}`, `{code}` (the newest code sent), `{wrong}` (another one of its
length), and whatever an earlier step kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Memory = dict[str, Any]
Expected = Any  # a value, a text with names in braces, or a Holds


@dataclass(frozen=True, slots=True)
class Holds:
    """Something that must hold of a value, in words."""

    words: str
    test: Callable[[Any, Memory], bool] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One request and its answer; `turn` seconds pass before it."""

    method: str
    path: str
    form: Mapping[str, Any] = field(default_factory=dict)
    status: tuple[int, ...] = (200,)
    code: int | None = None
    body: Mapping[str, Expected] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    turn_seconds: int = 0
    sends: bool = False
    anonymous: bool = False

    def answers(self, *status: int, code: int | None = None, **body: Expected) -> "Step":
        """Say what must be answered: one of these statuses, an error's code, these keys."""
        return replace(self, status=status, code=code, body=body)

    def keeping(self, **names: str) -> "Step":
        """Keep keys of the answer under names of their own."""
        return replace(self, keeps=names)

    def after(self, *, seconds: int) -> "Step":
        """Let time pass before."""
        return replace(self, turn_seconds=seconds)

    def without_credentials(self) -> "Step":
        """Ask with credentials that cannot be right."""
        return replace(self, anonymous=True)


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour, and where it is written that it must be so.

    `service` are the settings of the service that the case gets for itself. A case that reads
    the code of a message, or needs its length, `needs_inbox`.
    """

    name: str
    source: str
    steps: tuple[Step, ...]
    service: Mapping[str, str] = field(default_factory=dict)
    needs_inbox: bool = False

    @property
    def needs_clock(self) -> bool:
        """Whether time must pass in it."""
        return any(step.turn_seconds for step in self.steps)


SERVICE = "/v2/Services/{service}"


def post(path: str, **form: Any) -> Step:
    """Ask for something to be made or changed."""
    return Step("POST", path, form, (200, 201))


def get(path: str, **query: Any) -> Step:
    """Ask for something to be shown."""
    return Step("GET", path, query)


def delete(path: str) -> Step:
    """Ask for something to be deleted."""
    return Step("DELETE", path, status=(204,))


def start(**form: str) -> Step:
    """Start a verification."""
    given = {"To": "{to}", "Channel": "sms"} | form
    return Step("POST", f"{SERVICE}/Verifications", given, (201,), sends=True)


def check(code: str, **form: str) -> Step:
    """Check a code."""
    given = (form or {"To": "{to}"}) | {"Code": code}
    return Step("POST", f"{SERVICE}/VerificationCheck", given, (200, 201))


def fetch(name: str) -> Step:
    """Show a verification."""
    return Step("GET", f"{SERVICE}/Verifications/{name}")


def update(name: str, status: str) -> Step:
    """Cancel or approve a verification."""
    return Step("POST", f"{SERVICE}/Verifications/{name}", {"Status": status})


def other_than(name: str) -> Holds:
    """Require a value that is not the one that was kept."""
    return Holds(f"another than {name}", lambda value, memory: value != memory[name])


def count(number: int) -> Holds:
    """Require a list of so many."""
    return Holds(f"{number} of them", lambda value, _: len(value) == number)


def sid(prefix: str) -> Holds:
    """Require a sid with this prefix."""
    return Holds(
        f"a sid {prefix}…",
        lambda value, _: isinstance(value, str) and value.startswith(prefix) and len(value) == 34,
    )
