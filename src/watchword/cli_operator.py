"""`watchword stats` and `watchword phone`: what the console shows and does, in the terminal."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from watchword.terminal import Commands, explained, print_json, settings_now

if TYPE_CHECKING:
    from watchword.engine import Engine
    from watchword.rules.reasons import PhoneFile, Reason

OPERATOR = "terminal"


def _engine() -> "Engine":
    from watchword.runtime import open_engine

    return open_engine(settings_now(), sending=False)


@click.command()
@click.option("--hours", default=24.0, show_default=True, type=click.FloatRange(0.01, 8760))
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@explained
def stats(hours: float, as_json: bool) -> None:
    """Count messages and approvals, as the console does."""
    from watchword.cli_figures import table
    from watchword.commands.operator import ReadFigures

    engine = _engine()
    since = engine.clock.now() - timedelta(hours=hours)
    found = engine.read(ReadFigures(engine.credentials.account_sid, since))
    if as_json:
        from msgspec import to_builtins

        print_json(to_builtins(found) | {"conversion": found.conversion})
        return
    for line in table(found):
        click.echo(line)


@click.group(cls=Commands)
def phone() -> None:
    """Look at one number, or let it on again."""


@phone.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@explained
def show(number: str, as_json: bool) -> None:
    """Say whether NUMBER would get a code now, and why."""
    _, told = _look_up(_engine(), number)
    allowed = all(reason.allows for reason in told)
    if as_json:
        from msgspec import to_builtins

        print_json({"allowed": allowed, "reasons": to_builtins(told)})
        return
    click.echo("would get a code now" if allowed else "would get no code now")
    for reason in told:
        click.echo(f"  {'goes on' if reason.allows else 'STOPS':8} {reason.rule}: {reason.says}")


@phone.command()
@click.argument("number")
@explained
def reset(number: str) -> None:
    """Forget NUMBER's wrong codes and end its waits; both acts are written down."""
    from watchword.commands.operator import Audited, ForgetLadders, ForgiveFailures
    from watchword.phone import mask, parse

    engine = _engine()
    to, known = parse(number).e164, engine.credentials
    found, _ = _look_up(engine, number)
    ladders = ForgetLadders(known.service_sid, to)
    engine.perform(Audited(ladders, known.account_sid, OPERATOR, "unwait", mask(to)))
    if found.subject is not None:
        forgive = ForgiveFailures(known.service_sid, known.account_sid, to)
        engine.perform(Audited(forgive, known.account_sid, OPERATOR, "forgive", mask(to)))
    click.echo("its wrong codes are forgotten and its waits are over")


def _look_up(engine: "Engine", number: str) -> "tuple[PhoneFile, list[Reason]]":
    from watchword.commands.operator import LookUpPhone
    from watchword.phone import parse
    from watchword.rules.reasons import reasons

    found, known = parse(number), engine.credentials
    file = engine.perform(LookUpPhone(known.service_sid, known.account_sid, found.e164))
    return file, reasons(file, found.country, engine.clock.now(), engine.policy)
