"""The table: every figure with its goal, and what it was measured on."""

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = ("claim", "figure", "measured", "goal", "ratio", "")
Row = tuple[str, str, str, str, str, str]


def show(outcome: Mapping[str, Any]) -> str:
    """Return the whole result of a run as aligned text."""
    rows: list[Row] = [HEAD, *_rows(outcome["claims"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for row in rows:
        left = f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}"
        right = "  ".join(f"{row[column]:>{widths[column]}}" for column in (2, 3, 4))
        lines.append(f"{left}  {right}  {row[5]}".rstrip())
    machine = outcome["machine"]
    lines += ["", *(f"{name:24}{value}" for name, value in machine.items() if value != "")]
    lines += ["", *_conditions(outcome["claims"]), "", verdict(outcome)]
    return "\n".join(lines)


def verdict(outcome: Mapping[str, Any]) -> str:
    """Say in one line how many goals are met."""
    figures = [figure for claim in outcome["claims"].values() for figure in claim["figures"]]
    judged = [figure["met"] for figure in figures if figure["met"] is not None]
    left_out = [name for name, claim in outcome["claims"].items() if claim["left_out"]]
    words = f"{sum(judged)} of {len(judged)} goals met"
    return words + (f"; left out: {', '.join(left_out)}" if left_out else "")


def number(value: float) -> str:
    """Write a figure: thousands with commas, small ones with what they have behind the point."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,g}"


def _rows(claims: Mapping[str, Any]) -> Iterator[Row]:
    for name, claim in claims.items():
        if claim["left_out"]:
            yield name, f"left out: {claim['left_out']}", "", "", "", ""
        for index, figure in enumerate(claim["figures"]):
            first = name if index == 0 else ""
            value = f"{number(figure['value'])} {figure['unit']}".strip()
            yield first, figure["name"], value, _goal(figure), _ratio(figure), _mark(figure)


def _goal(figure: Mapping[str, Any]) -> str:
    if figure["goal"] is None:
        return ""
    return f"{'≤' if figure['at_most'] else '≥'} {number(figure['goal'])}"


def _ratio(figure: Mapping[str, Any]) -> str:
    return "" if figure["ratio"] is None else f"{figure['ratio']:.2f}"


def _mark(figure: Mapping[str, Any]) -> str:
    if figure["quoted"]:
        return "quoted"
    return {None: "", True: "met", False: "MISSED"}[figure["met"]]


def _conditions(claims: Mapping[str, Any]) -> Iterator[str]:
    for name, claim in claims.items():
        known = [
            f"{what}: {value}"
            for what, value in claim["conditions"].items()
            if value != "" and not isinstance(value, dict)
        ]
        if known:
            yield f"{name:24}{'; '.join(known)}"
