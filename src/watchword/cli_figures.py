"""The console's figures as lines of text: what `watchword stats` prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from watchword.rules.figures import Figures, Share

WIDEST = 24  # characters of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉"


def table(found: "Figures") -> Iterator[str]:
    """Lay figures out for a terminal: counts, a bar a slice of time, and what they are made of."""
    yield f"{_moment(found.since)} to {_moment(found.until)} UTC"
    if not found.complete:
        yield "only the newest are counted; choose fewer --hours for the whole picture"
    yield from _section("counts", _counts(found))
    yield from _over_time(found)
    shares = (
        ("country", found.countries),
        ("prefix", found.prefixes),
        ("channel", found.channels),
        ("sender", found.senders),
    )
    for title, listed in shares:
        yield from _shares(title, listed)
    yield from _section("time to approve", found.speeds if found.approved else ())
    yield from _section("blocked by", found.blocks)
    yield from _section("blocked where", found.blocked_regions)
    yield from _section("went wrong", found.errors)


def _counts(found: "Figures") -> tuple[tuple[str, int | str], ...]:
    return (
        ("messages", found.sends),
        ("not delivered", found.failed),
        ("blocked", found.blocked),
        ("verifications started", found.started),
        ("code tried", found.checked),
        ("approved", found.approved),
        ("closed by wrong codes", found.closed),
        ("conversion", f"{found.conversion}%" if found.started else "–"),
        ("median time to approve", _seconds(found.median_seconds)),
        ("95 % within", _seconds(found.slowest_seconds)),
    )


def _section(title: str, lines: tuple[tuple[str, int | str], ...]) -> Iterator[str]:
    if not lines:
        return
    yield from ("", title)
    for name, number in lines:
        yield f"  {name:32}{number:>8}"


def _shares(title: str, shares: "tuple[Share, ...]") -> Iterator[str]:
    if not shares:
        return
    yield from ("", f"{title:34}{'sent':>8}{'approved':>11}")
    most = max(share.sends for share in shares)
    for share in shares:
        yield f"  {share.name:32}{share.sends:8}{share.percent:10}%  {_bar(share.sends, most)}"


def _over_time(found: "Figures") -> Iterator[str]:
    most = max(bar.sends + bar.blocked for bar in found.bars)
    if not most:
        return
    yield from ("", f"{'from':22}{'sent':>8}{'approved':>10}{'failed':>8}{'blocked':>9}")
    for bar in found.bars:
        numbers = f"{bar.sends:8}{bar.approved:10}{bar.failed:8}{bar.blocked:9}"
        drawn = _bar(bar.sends + bar.blocked, most)
        yield f"  {_moment(bar.start):20}{numbers}  {drawn}".rstrip()


def _bar(number: int, most: int) -> str:
    eighths = round(8 * WIDEST * number / most)
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def _moment(moment: "datetime") -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _seconds(seconds: int | None) -> str:
    return "–" if seconds is None else f"{seconds} s"
