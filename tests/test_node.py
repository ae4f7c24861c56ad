"""Twilio's own Node SDK, from npm, drives every operation of a real server."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.test_examples import EXAMPLES, run_example
from watchword.kit import Kit
from watchword.kit_server import KitServer
from watchword.wire.routes import ROUTES

SDK = "twilio@6"
SCRIPT = Path(__file__).parent / "node" / "every_operation.mjs"


@pytest.fixture(scope="session")
def modules() -> Path:
    """Return a folder with the SDK in it: outside the checkout, and kept for the next run."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("without Node and npm the Node SDK is left out: apt-get install nodejs npm")
    folder = Path(tempfile.gettempdir()) / f"watchword-node-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / "twilio" / "package.json").exists():
            installed = subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", f"--prefix={folder}", SDK],
                capture_output=True,
                text=True,
                check=False,
            )
            if installed.returncode != 0:
                pytest.skip(f"npm does not give {SDK} away, so the Node SDK is left out")
    return folder


def _script(path: Path, modules: Path) -> Path:
    """Lay a script beside the SDK, where Node finds it."""
    copy = modules / f"{os.getpid()}-{path.name}"
    shutil.copy(path, copy)
    return copy


def test_the_node_sdk_drives_every_operation(watchword_server: KitServer, modules: Path) -> None:
    script = _script(SCRIPT, modules)

    ran = subprocess.run(
        ["node", str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    script.unlink()

    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stdout)) == {route.operation for route in ROUTES}


def test_the_node_example_is_pointed_by_one_line(
    watchword_server: KitServer, watchword_kit: Kit, modules: Path
) -> None:
    script = _script(EXAMPLES / "node_sdk" / "verify.mjs", modules)

    said = run_example(["node", str(script)], watchword_kit)
    script.unlink()

    assert said == ["pending", "approved"]
