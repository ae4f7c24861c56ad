"""`python -m benchmarks`: every claim runs, and says all that a reader must know."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import CLAIMS, publish
from benchmarks.capacity import figures, fill, sizes
from benchmarks.figures import Figure
from benchmarks.load import is_whole, percentile
from benchmarks.picture import draw
from benchmarks.table import show

ROOT = Path(__file__).parent.parent
GROUPS = [
    ["sqlite", "webhook", "memory"],
    ["guarded", "ladder", "growth", "startup", "sqlite-2"],
    ["overload"],
    ["postgres", "mariadb", "django-phone-verify", "better-auth"],
]


def bench(tmp_path: Path, *claims: str) -> dict[str, Any]:
    """Run these claims quickly and return what was written."""
    written = tmp_path / "figures.json"
    only = [word for claim in claims for word in ("--only", claim)]
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(written), *only]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert "goals met" in ran.stdout
    found: dict[str, Any] = json.loads(written.read_text())
    return found


@pytest.mark.parametrize("claims", GROUPS, ids=lambda claims: claims[0])
def test_every_claim_runs_and_says_what_it_was_measured_on(
    claims: list[str], tmp_path: Path
) -> None:
    outcome = bench(tmp_path, *claims)

    assert list(outcome["claims"]) == claims
    assert outcome["machine"]["cores"] >= 1
    assert outcome["machine"]["fdatasync_per_second"] > 0
    for claim in outcome["claims"].values():
        if claim["left_out"]:
            continue
        assert claim["what"]
        assert claim["conditions"] or claim is outcome["claims"].get("startup")
        assert claim["figures"][0]["value"] > 0
        for figure in claim["figures"]:
            assert set(figure) >= {"name", "value", "unit", "goal", "ratio", "met", "quoted"}
            assert figure["name"] != "wrong answers" or figure["met"], claim["conditions"]


def test_no_claim_is_without_a_test() -> None:
    assert sorted(CLAIMS) == sorted(claim for group in GROUPS for claim in group)


def test_a_figure_is_judged_by_its_goal() -> None:
    assert Figure("pairs per second", 6_100, "pairs/s", 6_000).met is True
    assert Figure("pairs per second", 5_900, "pairs/s", 6_000).met is False
    assert Figure("p99", 9, "ms", 10, at_most=True).met is True
    assert Figure("wrong answers", 1, "", 0, at_most=True).met is False
    assert Figure("p50", 1, "ms").met is None


def test_a_percentile_is_a_time_that_was_measured() -> None:
    assert percentile([0.004, 0.001, 0.003, 0.002], 0.5) == 3
    assert percentile([], 0.99) == 0


def test_an_answer_is_whole_with_its_last_byte() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

    assert not is_whole(head[:-2])
    assert not is_whole(head + b"abc")
    assert is_whole(head + b"abcd")


def test_the_table_and_the_picture_show_what_was_measured_and_what_is_quoted() -> None:
    figures = [
        Figure("pairs per second", 6_100, "pairs/s", 6_000).as_json(),
        Figure("otpgateway <always>", 2_002, "pairs/s", quoted="elsewhere").as_json(),
    ]
    claim = {"left_out": "", "conditions": {"workers": 1}, "figures": figures}
    left = {"left_out": "no npm", "conditions": {}, "figures": []}
    outcome = {
        "machine": {"cores": 2, "python": "3.11"},
        "claims": {"sqlite": claim, "peers": left},
    }

    assert "6,100 pairs/s  ≥ 6,000   1.02  met" in show(outcome)
    assert "1 of 1 goals met; left out: peers" in show(outcome)
    picture = ET.fromstring(draw(outcome))
    assert "otpgateway <always>: 2,002 (quoted)" in "".join(picture.itertext())


def test_the_page_on_capacity_says_what_was_published() -> None:
    page = (ROOT / "docs" / "why" / "capacity.md").read_text()
    latest = ROOT / "benchmarks" / "latest.json"

    assert fill(page, json.loads(latest.read_text()) if latest.exists() else None) == page


def test_capacity_is_reckoned_from_the_figures() -> None:
    def claim(*figures: tuple[str, float, str]) -> dict[str, Any]:
        return {"figures": [Figure(*figure).as_json() for figure in figures]}

    latest = {
        "machine": {
            "cpu": "A", "cores": 2, "python": "3.11", "kernel": "6", "pace_us": 100.0,
            "fdatasync_per_second": 5_000,
        },
        "claims": {
            "sqlite": claim(("pairs per second", 6_000, "pairs/s")),
            "postgres": claim(("pairs per second", 5_000, "pairs/s"), ("CPU", 300, "µs")),
            "memory": claim(("disk per pair", 1_000, "bytes")),
        },
    }  # fmt: skip

    lines = list(sizes(latest))

    assert lines[4] == (
        "| 1,000 | 518 million | one worker, one SQLite file | 0.3 cores | 518 GB |"
    )
    assert lines[5].startswith("| 10,000 | 5 billion | 4 partitions of one PostgreSQL")
    assert "| P₁ | sqlite: pairs per second | 6,000 pairs/s |" in "\n".join(figures(latest))


def test_what_was_not_measured_now_stays_as_last_published(tmp_path: Path) -> None:
    def outcome(claim: str, pairs: float) -> dict[str, Any]:
        figures = [Figure("pairs per second", pairs, "pairs/s").as_json()]
        return {
            "machine": {"cores": 2, "python": "3.11"},
            "claims": {claim: {"left_out": "", "conditions": {}, "figures": figures}},
        }

    latest, picture = tmp_path / "latest.json", tmp_path / "bench.svg"
    publish(outcome("postgres", 5_000), latest, picture)
    publish(outcome("sqlite", 6_000), latest, picture)
    publish(outcome("postgres", 5_500), latest, picture)

    claims = json.loads(latest.read_text())["claims"]
    assert list(claims) == ["sqlite", "postgres"]
    assert claims["sqlite"]["figures"][0]["value"] == 6_000
    assert claims["postgres"]["figures"][0]["value"] == 5_500
    assert "PostgreSQL, two workers: 5,500" in picture.read_text()
