"""The papers: their code runs, their links lead somewhere, and what they name exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
TEST_FILE = re.compile(r"`((?:tests|benchmarks|examples|docs)/[\w./-]+)`")
MAKE = re.compile(r"^make (\w+)", re.MULTILINE)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_and_file_that_a_paper_names_is_there(paper: Path) -> None:
    text = paper.read_text()

    for target in LINK.findall(text):
        assert (paper.parent / target).exists(), f"{target} is not there"
    for target in TEST_FILE.findall(text):
        assert (ROOT / target).exists(), f"{target} is not there"


def test_every_make_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = MAKE.findall((ROOT / "README.md").read_text())

    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_class_in_the_readme_runs_as_it_stands() -> None:
    readme = (ROOT / "README.md").read_text()
    example = next(
        block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "_2FA" in block
    )
    program = (
        "import builtins\n"
        "from watchword import config\n"
        "from watchword.senders.inbox import InboxSender\n"
        "def from_inbox(prompt):\n"
        "    return InboxSender(config.load().home / 'inbox.db').messages()[0].code\n"
        "builtins.input = from_inbox\n" + example
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ran.stdout.startswith("next send at")
    again = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert again.stdout.startswith("ask again in 1")


def test_the_test_in_the_readme_is_one_that_the_examples_run() -> None:
    readme = (ROOT / "README.md").read_text()
    example = (ROOT / "examples" / "flask_login" / "test_login.py").read_text()

    assert f"```python\n{example}```" in readme
    assert len(example.splitlines()) <= 16


def test_no_paper_names_a_path_of_one_machine() -> None:
    for paper in PAPERS:
        assert not re.search(r"/root/|/home/\w+/", paper.read_text()), paper
