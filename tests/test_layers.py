"""Imports point down: each floor may import the floors below it, and its own package."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "watchword"
FLOORS = (
    {
        "errors",
        "sids",
        "events",
        "keys",
        "record",
        "signing",
        "codes",
        "model",
        "tenants",
        "visits",
        "refused",
        "numbering",
        "phone",
        "mailbox",
        "clock",
        "sqlite",
    },
    {"rules", "texts"},
    {"store", "senders", "posting", "config", "config_file", "home", "development"},
    {
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
    },
    {"wire", "openapi"},
    {
        "door",
        "intake",
        "protocol",
        "receipts",
        "health",
        "metrics",
        "ui",
        "embedded",
        "dev_api",
        "asgi",
    },
    {
        "terminal",
        "torture",
        "cli_texts",
        "cli_senders",
        "cli_contract",
        "cli_accounts",
        "cli_store",
        "cli_reseal",
        "cli_operator",
        "cli_figures",
        "cli",
        "serve",
        "doctor",
        "otp_model",
        "__main__",
    }
    | {"intercept", "kit", "kit_server", "pytest_plugin", "conformance"},
)
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
INSIDE = {  # within a floor these may be imported by those to their right
    4: ("wire", "openapi"),
    3: (
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
    ),
    5: (
        "door",
        "intake",
        "protocol",
        "receipts",
        "health",
        "metrics",
        "ui",
        "embedded",
        "dev_api",
        "asgi",
    ),
    6: (
        "torture",
        *("terminal", "doctor", "serve", "otp_model", "cli_texts", "cli_senders", "conformance"),
        *("cli_contract", "cli_accounts", "cli_store", "cli_reseal", "cli_figures", "cli_operator"),
        *("intercept", "kit", "kit_server", "pytest_plugin", "cli", "__main__"),
    ),
    0: (
        "errors",
        "sids",
        "record",
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
    ),
    2: ("config", "config_file", "home", "store", "senders", "development"),
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
            order = INSIDE.get(ROOMS[room], ())
            assert other in order, f"{path} imports its neighbour {other}"
            assert order.index(other) < order.index(room), f"{path} imports its neighbour {other}"
        else:
            assert ROOMS[other] < ROOMS[room], f"{path} imports upwards: {other}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_file_says_its_idea_in_its_first_line(path: Path) -> None:
    first = (PACKAGE / path).read_text().splitlines()[0]

    assert first.startswith('"""')
    assert len(first) > 10
