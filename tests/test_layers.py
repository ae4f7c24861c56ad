"""Imports point down: each floor may import the floors below it, and its own package."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "watchword"
FLOORS = (  # within a floor, a room may be imported by those that come after it
    (
        "errors",
        "sids",
        "record",
        "waits",
        "events",
        "sqlite",
        "clock",
        "keys",
        "signing",
        "codes",
        "model",
        "tenants",
        "visits",
        "numbering",
        "phone",
        "mailbox",
        "refused",
        "counts",
    ),
    (),
    (
        "config",
        "config_file",
        "home",
        "store",
        "senders",
        "development",
    ),
    (
        "commands",
        "callers",
        "batch",
        "room",
        "gather",
        "gate",
        "late",
        "sending",
        "tally",
        "engine",
        "reports",
        "outcomes",
        "dispatcher",
        "reseal",
        "key_use",
        "runtime",
        "board",
    ),
    (
        "wire",
        "openapi",
    ),
    (
        "door",
        "intake",
        "protocol",
        "receipts",
        "health",
        "exposition",
        "metrics",
        "ui",
        "embedded",
        "dev_api",
        "asgi",
    ),
    (
        "torture",
        "terminal",
        "doctor",
        "log_lines",
        "serve",
        "otp_model",
        "cli_texts",
        "cli_senders",
        "conformance",
        "cli_contract",
        "cli_accounts",
        "cli_store",
        "cli_reseal",
        "cli_figures",
        "cli_operator",
        "intercept",
        "kit",
        "kit_server",
        "pytest_plugin",
        "cli",
        "__main__",
    ),
)
APART = {1: ("rules", "texts"), 2: ("posting",)}  # of these floors, but no neighbours
ROOMS = {
    room: floor for floor, rooms in enumerate(FLOORS) for room in (*rooms, *APART.get(floor, ()))
}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports with dots"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            assert parts[0] != "src", f"{path} imports {name}; write watchword"
            if parts[0] == "watchword" and len(parts) > 1 and parts[1] in ROOMS:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_only_floors_below_its_own(path: Path) -> None:
    room = path.parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in ROOMS, f"{room} has no floor; add it to FLOORS"

    for other in _imports(path) - {room}:
        if ROOMS[other] == ROOMS[room]:
            order = FLOORS[ROOMS[room]]
            assert other in order, f"{path} imports its neighbour {other}"
            assert order.index(other) < order.index(room), f"{path} imports its neighbour {other}"
        else:
            assert ROOMS[other] < ROOMS[room], f"{path} imports upwards: {other}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_file_says_its_idea_in_its_first_line(path: Path) -> None:
    first = (PACKAGE / path).read_text().splitlines()[0]

    assert first.startswith('"""')
    assert len(first) > 10
