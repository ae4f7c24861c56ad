"""What every command of the terminal shares: exit codes, one line for an error, JSON."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

import click

from watchword.errors import (
    ConfigurationError,
    DeliveryFailed,
    StoreError,
    TooManyChecks,
    TooManySends,
    TooSoon,
    WatchwordError,
)

if TYPE_CHECKING:
    from watchword.config import Settings

SAID_NO, UNAVAILABLE, TRY_LATER, MISCONFIGURED = 1, 69, 75, 78  # the last three: sysexits.h
P = ParamSpec("P")


class Commands(click.Group):
    """A group of commands whose list shows the whole first sentence of each one's help."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list; click would cut what is longer than a line."""
        rows = [
            (name, self.commands[name].get_short_help_str(limit=500))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def fail(message: str, code: int) -> NoReturn:
    """End with one line on standard error and an exit code."""
    click.echo(f"watchword: {message}", err=True)
    sys.exit(code)


def explained(command: Callable[P, Any]) -> Callable[P, Any]:
    """End a command with one line and the right exit code when it meets an error of ours."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return command(*args, **kwargs)
        except WatchwordError as error:
            fail(str(error), _exit_code(error))

    return run


def settings_now() -> "Settings":
    """Read the settings of this process."""
    from watchword.config import load

    return load()


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _exit_code(error: WatchwordError) -> int:
    match error:
        case ConfigurationError():
            return MISCONFIGURED
        case StoreError() | DeliveryFailed():
            return UNAVAILABLE
        case TooSoon() | TooManySends() | TooManyChecks():
            return TRY_LATER
    return SAID_NO


def typed_as() -> str:
    """Return what to type for this command in another terminal."""
    if shutil.which("watchword"):
        return "watchword"
    started_as = Path(sys.argv[0])
    if started_as.name == "watchword":
        return os.path.relpath(started_as)
    return f"{Path(sys.executable).name} -m watchword"
