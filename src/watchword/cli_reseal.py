"""`watchword reseal`: lead the rows to the newest key, and say which older key may go."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import click

from watchword.terminal import explained, print_json, settings_now

if TYPE_CHECKING:
    from watchword.key_use import KeyUse, Unnamed
    from watchword.keys import Keyring
    from watchword.store.sql import SqlStore

SHOWN = 5  # sids in a line; --json has them all


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what each key is needed for; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@explained
def reseal(dry_run: bool, as_json: bool) -> None:
    """Seal and name every row anew with the newest key, so that an older one can be dropped.

    Works a few rows at a time while servers serve; stop it when you like and run it again. Give
    every server the new key before: docs/how-to/rotate-keys.md has the steps.
    """
    from watchword.clock import SystemClock
    from watchword.key_use import unnamed, uses
    from watchword.runtime import keyring_of, open_store

    settings = settings_now()
    keyring = keyring_of(settings)
    with closing(open_store(settings)) as store:
        led = Counter[str]() if dry_run else _led(store, keyring, quietly=as_json)
        now = SystemClock().now()
        found, lost = uses(store, keyring, now), unnamed(store, keyring, now)
    if as_json:
        _print(led, found, lost)
        return
    for table, rows in sorted(led.items()):
        click.echo(f"{rows:10,}  {table}")
    if not dry_run:
        click.echo(f"{led.total():10,}  rows were led to the newest key")
    for line in (*_of_keys(found), *_of_unnamed(lost)):
        click.echo(line)


def _led(store: "SqlStore", keyring: "Keyring", *, quietly: bool) -> Counter[str]:
    from watchword.reseal import reseal

    total: Counter[str] = Counter()
    for led in reseal(store, keyring):
        total += led
        if not quietly and sys.stderr.isatty():
            click.echo(f"\r{total.total():12,} rows led", err=True, nl=False)
    return total


def _of_keys(found: "list[KeyUse]") -> Iterator[str]:
    for use in found:
        if use.place is None:
            yield f"key {use.key} is not listed, and {_rows(use)} need it: put it back at the end"
        elif use.place == 1:
            yield f"key {use.key}, the newest: {_rows(use)}"
        elif use.may_go:
            yield f"key {use.key}, number {use.place} of the list: it may be dropped"
        else:
            yield f"key {use.key}, number {use.place} of the list: keep it"
            yield from (f"      {reason}" for reason in _reasons(use))


def _reasons(use: "KeyUse") -> Iterator[str]:
    if use.rows:
        yield f"{_rows(use)} are sealed or named by it; run: watchword reseal"
    if use.codes_end_at is not None:
        yield f"{use.codes} codes made with it are open; the last ends at {_time(use.codes_end_at)}"
    if use.accounts:
        yield f"tokens are derived from it; run: watchword accounts rotate {_some(use.accounts)}"
    if use.api_keys:
        yield f"API keys are recognised by it; make others for: {_some(use.api_keys)}"


def _of_unnamed(lost: "Unnamed") -> Iterator[str]:
    if lost.phones:
        yield (
            f"{lost.phones} phones not seen for long have wrong codes whose number is not kept; "
            "an older key that named them takes the count along"
        )
    if lost.safe_numbers:
        yield (
            "safe numbers whose number is not kept; fetch each of them once, by its number, while "
            f"all keys are listed: {_some(lost.safe_numbers)}"
        )
    if lost.windows_end_at is not None:
        yield (
            "rate limit windows are from before their names were sealed; the last ends at "
            f"{_time(lost.windows_end_at)}"
        )
    if lost.ladders:
        yield (
            f"{lost.ladders} ladders of pages and terminals belong to phones no longer on record; "
            "those that an older key named begin anew without it"
        )


def _rows(use: "KeyUse") -> str:
    named = ", ".join(f"{rows:,} {table}" for table, rows in sorted(use.rows.items()))
    return named or "no rows"


def _some(sids: tuple[str, ...]) -> str:
    more = f" and {len(sids) - SHOWN} more" if len(sids) > SHOWN else ""
    return " ".join(sids[:SHOWN]) + more


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _print(led: Counter[str], found: "list[KeyUse]", lost: "Unnamed") -> None:
    from msgspec import to_builtins

    keys = [{**to_builtins(use), "may_be_dropped": use.may_go} for use in found if use.place]
    missing = [to_builtins(use) for use in found if use.place is None]
    report = {"led": dict(led), "keys": keys, "missing_keys": missing}
    print_json(report | {"unnamed": to_builtins(lost)})
