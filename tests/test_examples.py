"""The examples run as they stand, each from its own folder; the how-to pages show their code."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.kit import Kit
from watchword.kit_server import KitServer

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
HOW_TO = ROOT / "docs" / "how-to"
LOGINS = ("flask_login", "fastapi_login", "django_login")
PROGRAM = re.compile(r"```python\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"```\w+\n(?:#|//) (examples/\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("name", LOGINS)
def test_a_login_s_tests_are_green(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout


def test_the_login_test_is_no_longer_than_it_says() -> None:
    lines = (EXAMPLES / "flask_login" / "test_login.py").read_text().splitlines()

    assert len(lines) <= 15


def test_the_python_sdk_is_pointed_by_one_line(
    watchword_server: KitServer, watchword_kit: Kit
) -> None:
    talk = run_example([sys.executable, str(EXAMPLES / "python_sdk" / "verify.py")], watchword_kit)

    assert talk == ["pending", "approved"]


def run_example(command: list[str], kit: Kit) -> list[str]:
    """Run a program that asks for the code it was sent, and return what it says."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        code = kit.inbox.wait_code("+237650000000", timeout=60)
        said, faults = program.communicate(f"{code}\n", timeout=60)
    assert program.returncode == 0, faults
    return said.replace("code: ", "").split()


def test_the_kit_without_pytest_runs_as_the_page_shows_it() -> None:
    page = (HOW_TO / "test-your-login.md").read_text()
    program = next(code for code in PROGRAM.findall(page) if "open_kit" in code)

    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=lambda page: page.name)
def test_the_code_on_a_page_is_the_code_of_the_example(page: Path) -> None:
    for name, code in BLOCK.findall(page.read_text()):
        assert code.strip() == (ROOT / name).read_text().strip(), f"{page.name} and {name} differ"
