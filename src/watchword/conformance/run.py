"""Run the cases against a server: each on a service of its own, so that none harms another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from watchword.conformance.steps import Case, Expected, Holds, Memory, Step

OWN_CODE = "482915"  # sent as CustomCode where no inbox can be read


class Server(Protocol):
    """A server that claims to speak Verify, and what it offers for development."""

    def ask(
        self, method: str, path: str, form: Mapping[str, Any], *, anonymous: bool = False
    ) -> tuple[int, Any]:
        """Send one request; return the status and the JSON of its answer, None for no body."""

    @property
    def has_inbox(self) -> bool:
        """Whether the codes that it sends can be read."""

    @property
    def has_clock(self) -> bool:
        """Whether its time can be turned on."""

    def newest_code(self, to: str) -> str:
        """Return the code of the newest message to a number."""

    def turn(self, seconds: int) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: `fault` says what was otherwise, `left_out` why it was not run."""

    case: Case
    fault: str = ""
    left_out: str = ""

    @property
    def passed(self) -> bool:
        return not self.fault and not self.left_out

    def as_json(self) -> dict[str, Any]:
        """Return what `watchword conformance --json` shows of it."""
        outcome = "failed" if self.fault else "left out" if self.left_out else "passed"
        return {
            "case": self.case.name,
            "source": self.case.source,
            "outcome": outcome,
            "reason": self.fault or self.left_out or None,
        }


class _Otherwise(Exception):
    """Something was not as it must be."""


def run_case(case: Case, server: Server, to: str) -> Result:
    """Run one case."""
    if case.needs_clock and not server.has_clock:
        return Result(case, left_out="this server's clock cannot be turned")
    if case.needs_inbox and not server.has_inbox:
        return Result(case, left_out="this server's messages cannot be read")
    settings = {"FriendlyName": "conformance", **case.service}
    if not server.has_inbox:
        settings["CustomCodeEnabled"] = "true"
    status, service = server.ask("POST", "/v2/Services", settings)
    if status != 201:
        return Result(case, fault=f"a service could not be made: {status} {service}")
    memory: Memory = {"service": service["sid"], "to": to, "code": "", "wrong": ""}
    try:
        for number, step in enumerate(case.steps, start=1):
            _run_step(step, server, memory, f"step {number}, {step.method} {step.path}")
    except _Otherwise as otherwise:
        return Result(case, fault=str(otherwise))
    finally:
        server.ask("DELETE", f"/v2/Services/{memory['service']}", {})
    return Result(case)


def _run_step(step: Step, server: Server, memory: Memory, where: str) -> None:
    if step.turn_seconds:
        server.turn(step.turn_seconds)
    form = {name: _filled(value, memory) for name, value in step.form.items()}
    if step.sends and not server.has_inbox:
        form.setdefault("CustomCode", OWN_CODE)
    path = _filled(step.path, memory)
    status, body = server.ask(step.method, path, form, anonymous=step.anonymous)
    if status not in step.status:
        wanted = " or ".join(map(str, step.status))
        raise _Otherwise(f"{where}: answered {status}, not {wanted}: {json.dumps(body)[:300]}")
    if step.code is not None and (body or {}).get("code") != step.code:
        raise _Otherwise(f"{where}: answered code {(body or {}).get('code')}, not {step.code}")
    for key, expected in step.body.items():
        _compare(key, (body or {}).get(key), expected, memory, where)
    for name, key in step.keeps.items():
        memory[name] = body[key]
    if step.sends and status == 201:
        code = server.newest_code(memory["to"]) if server.has_inbox else form["CustomCode"]
        memory["code"], memory["wrong"] = code, _another(code)


def _compare(key: str, value: Any, expected: Expected, memory: Memory, where: str) -> None:
    if isinstance(expected, Holds):
        if not expected.test(value, memory):
            raise _Otherwise(f"{where}: {key} is {value!r}, not {expected.words}")
    elif value != _filled(expected, memory):
        raise _Otherwise(f"{where}: {key} is {value!r}, not {_filled(expected, memory)!r}")


def _filled(value: Any, memory: Memory) -> Any:
    return value.format(**memory) if isinstance(value, str) else value


def _another(code: str) -> str:
    """Return a code of the same length that differs in every digit."""
    return "".join(str((int(digit) + 5) % 10) for digit in code)
