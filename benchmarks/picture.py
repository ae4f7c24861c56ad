"""The picture for the README: bars of pairs per second, ours measured, others marked as quoted."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, LINE, BAR = 760, 290, 90, 74, 30, 18
NAMES = {
    "sqlite": "SQLite, one worker",
    "webhook": "SQLite, a push awaited",
    "postgres": "PostgreSQL, two workers",
    "mariadb": "MariaDB, two workers",
}
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1d2330 }
  .title { font-weight: 600; font-size: 17px }
  .small { font-size: 12px; fill: #5a6275 }
  .ours { fill: #2b6cb0 }
  .theirs { fill: #9aa3b5 }
  .quoted { fill: none; stroke: #7b8499; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e8ebf2 }
    .small { fill: #a3abbd }
    .ours { fill: #63a4e6 }
    .theirs { fill: #6d7689 }
    .quoted { stroke: #98a1b5 }
  }
"""
Bar = tuple[str, float, str]


def draw(latest: Mapping[str, Any]) -> str:
    """Return the SVG of a published run."""
    bars = list(_bars(latest["claims"]))
    top = max((value for _, value, _ in bars), default=1.0)
    height = TOP + LINE * len(bars) + 44
    told = "; ".join(f"{name}: {value:,.0f}{_mark(kind)}" for name, value, kind in bars)
    machine = latest["machine"]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        '<title id="title">Pairs of start and right check per second</title>',
        f'<desc id="description">{escape(told)}</desc>',
        f"<style>{STYLE}</style>",
        '<text class="title" x="0" y="22">Pairs of start and right check per second</text>',
        '<text class="small" x="0" y="44">through HTTP, 64 connections; '
        "watchword with every commit on disk</text>",
    ]
    for index, (name, value, kind) in enumerate(bars):
        lines += _bar(TOP + LINE * index, name, value, kind, value / top)
    foot = (
        f"{machine['cores']} cores shared by client, server and store, Python {machine['python']}"
    )
    lines += [
        f'<text class="small" x="0" y="{height - 14}">{escape(foot)}. '
        "Dashed: measured once on another machine.</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bars(claims: Mapping[str, Any]) -> Iterator[Bar]:
    for claim, name in NAMES.items():
        figures = claims.get(claim, {}).get("figures", [])
        if figures:
            yield f"watchword · {name}", figures[0]["value"], "ours"
    for claim in claims.values():
        for figure in claim["figures"]:
            if figure["quoted"]:
                yield figure["name"], figure["value"], "quoted"
            elif figure["name"].endswith(": pairs per second"):
                yield figure["name"].partition(":")[0], figure["value"], "theirs"


def _bar(y: int, name: str, value: float, kind: str, share: float) -> list[str]:
    width = max(round((WIDTH - LEFT - RIGHT) * share), 2)
    return [
        f'<text x="{LEFT - 12}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width}" height="{BAR}" rx="3"/>',
        f'<text x="{LEFT + width + 8}" y="{y + 14}">{value:,.0f}</text>',
    ]


def _mark(kind: str) -> str:
    return " (quoted)" if kind == "quoted" else ""
