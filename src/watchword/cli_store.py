"""The commands of the store: take over an old table, purge, torture."""

import sys
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from watchword.errors import ConfigurationError
from watchword.terminal import SAID_NO, Commands, explained, print_json, settings_now

if TYPE_CHECKING:
    from watchword.config import Settings
    from watchword.store.sql import SqlStore
    from watchword.store.takeover import Report

JOURNAL = "import-svretries.jsonl"


@click.group(name="import", cls=Commands)
def imports() -> None:
    """Bring in what another program has kept."""


@imports.command(name="svretries")
@click.option("--from", "source", help="URL of the database that holds the old table.")
@click.option("--timezone", help="Zone of its naive times, such as Africa/Douala; else this one's.")
@click.option("--dry-run", is_flag=True, help="Look and report; write nothing.")
@click.option("--in-place", is_flag=True, help="Adopt a table in watchword's own database.")
@click.option("--undo", is_flag=True, help="Take back the last import.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@explained
def import_svretries(
    source: str | None,
    timezone: str | None,
    dry_run: bool,
    in_place: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Take over a svretries table made by the class's original.

    Duplicate rows of a pair become one, with the longest wait of them; every wait that runs goes
    on. Stop the old program first. May be run again, and be undone.
    """
    settings = settings_now()
    if undo:
        _undo(settings, in_place=in_place)
        return
    if not in_place and not source:
        raise click.UsageError("name the old database with --from, or adopt it with --in-place")
    report = _take_over(settings, source, _zone(timezone), dry_run=dry_run, in_place=in_place)
    if as_json:
        print_json(asdict(report))
        return
    _show(report, dry_run=dry_run)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@explained
def purge(as_json: bool) -> None:
    """Remove what has no further use: a few rows at a time, while the server serves.

    WATCHWORD_RETENTION_DAYS says how long what is over is kept, WATCHWORD_AUDIT_DAYS how long
    operators' acts are. A wait that runs, a step that makes the next wait longer and a count of
    failures are never removed.
    """
    from watchword.clock import SystemClock
    from watchword.store.purge import purge, retention_of

    settings = settings_now()
    removed: Counter[str] = Counter()
    with _store(settings) as store:
        for table, count in purge(store, retention_of(settings), SystemClock().now):
            removed[table] += count
            if not as_json and sys.stderr.isatty():
                click.echo(f"\r{removed.total():12,} rows removed", err=True, nl=False)
    if as_json:
        print_json(dict(removed))
        return
    for table, count in sorted(removed.items()):
        click.echo(f"{count:10,}  {table}")
    click.echo(f"{removed.total():10,}  rows had no further use")


@click.command()
@click.option("--database-url", help="The database; else the one of WATCHWORD_DATABASE_URL.")
@click.option(
    "--size",
    type=click.Choice(["short", "usual", "full"]),
    default="usual",
    show_default=True,
    help="How hard to try: seconds, a minute or two, an hour.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@explained
def torture(database_url: str | None, size: str, as_json: bool) -> None:
    """Try to break the promise on your own database, and say whether it held.

    Many processes check one code, guess at one code and ask for the same messages at the same
    moment, and are killed at work. Nothing is sent; the rows are marked and removed at the end.
    """
    from watchword.torture import SIZES, torture

    url = database_url or settings_now().database_url
    held = True
    counts = []
    for count in torture(url, SIZES[size]):
        held = held and count.ok
        counts.append(asdict(count))
        if not as_json:
            mark = "ok  " if count.ok else "FAIL"
            click.echo(f"{mark}  {count.found:8,}  {count.what} (must be {count.wanted})")
    if as_json:
        print_json({"held": held, "counts": counts})
    else:
        click.echo("the promise held" if held else "THE PROMISE WAS BROKEN; please report it")
    if not held:
        sys.exit(SAID_NO)


def _take_over(
    settings: "Settings", source: str | None, zone: tzinfo | None, *, dry_run: bool, in_place: bool
) -> "Report":
    from watchword.clock import SystemClock
    from watchword.store import takeover
    from watchword.store.memory import MemoryStore

    now = SystemClock().now()
    url = settings.database_url if in_place else str(source)
    table = takeover.TABLE
    if in_place and not takeover.has_old_table(url):
        table = takeover.KEPT  # it was set aside before
    found = takeover.inspect(url, zone, settings.ladder, now, table)
    if dry_run and in_place:
        takeover.would_copy(found, MemoryStore(), settings.ladder)
        return found.report
    if in_place:
        takeover.set_aside(url)
    with _store(settings) as store:
        if dry_run:
            takeover.would_copy(found, store, settings.ladder)
        else:
            takeover.copy(found, store, settings.ladder, settings.home / JOURNAL)
    return found.report


def _undo(settings: "Settings", *, in_place: bool) -> None:
    from watchword.store import takeover

    with _store(settings) as store:
        undone, kept = takeover.undo_copy(store, settings.home / JOURNAL)
    click.echo(f"took back {undone} counters; {kept} have changed since and stay")
    if in_place:
        takeover.give_back(settings.database_url)
        click.echo(f"the old table is svretries again; watchword's is {takeover.ASIDE}")


def _store(settings: "Settings") -> "closing[SqlStore]":
    from watchword.runtime import open_store

    return closing(open_store(settings))


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise ConfigurationError(
            "there is no such time zone; write one such as Africa/Douala or UTC", name="--timezone"
        ) from fault


def _show(report: "Report", *, dry_run: bool) -> None:
    click.echo(f"{report.rows:8}  rows in the old table, times read as {report.timezone}")
    click.echo(f"{report.pairs:8}  pairs; {report.duplicates} duplicate rows merged")
    click.echo(f"{report.null_counts:8}  counts were missing, read as 0")
    if report.without_pair:
        click.echo(f"{report.without_pair:8}  rows name no pair and are left out")
    until = f", the last until {report.last_wait_ends}" if report.last_wait_ends else ""
    click.echo(f"{report.running_waits:8}  waits run on{until}")
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.added:8}  counters {would}added, {report.changed} made stricter, "
        f"{report.unchanged} as they were"
    )
    if dry_run:
        click.echo("nothing was written; run it again without --dry-run", err=True)
