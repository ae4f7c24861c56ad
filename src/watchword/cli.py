"""The command line: what each command does is in its own help.

Answers go to standard output, everything else to standard error. Exit codes: 0 yes, 1 the rules
said no, 2 usage, 69 store or sender unavailable, 75 try later, 78 configuration.
"""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from watchword import __version__
from watchword.cli_accounts import accounts, keys
from watchword.cli_contract import conformance, openapi
from watchword.cli_operator import phone, stats
from watchword.cli_reseal import reseal
from watchword.cli_senders import send_test, senders
from watchword.cli_store import imports, purge, torture
from watchword.cli_texts import templates
from watchword.terminal import (
    MISCONFIGURED,
    SAID_NO,
    Commands,
    explained,
    fail,
    print_json,
    settings_now,
    typed_as,
)

if TYPE_CHECKING:
    from watchword.engine import Engine


def _engine() -> "Engine":
    from watchword.runtime import open_engine

    return open_engine(settings_now())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="watchword")
def main() -> None:
    """Phone verification that a team can own and prove."""


main.add_command(templates)
main.add_command(senders)
main.add_command(send_test)
main.add_command(accounts)
main.add_command(keys)
main.add_command(openapi)
main.add_command(imports)
main.add_command(stats)
main.add_command(phone)
main.add_command(conformance)
main.add_command(purge)
main.add_command(reseal)
main.add_command(torture)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@explained
def serve(host: str, port: int, workers: int) -> None:
    """Serve the Verify API and the pages; ready when GET /healthz answers 200."""
    from watchword.serve import run

    run(settings_now(), host=host, port=port, workers=workers)


@main.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@explained
def verify(number: str, as_json: bool) -> None:
    """Send a code to NUMBER, ask for it, check it.

    Codes are read from standard input, one a line, until one is right or the guesses are used up.
    """
    from watchword.codes import SHORTEST
    from watchword.commands.ladder import ForgetCounter
    from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
    from watchword.model import Status
    from watchword.phone import mask, parse

    phone = parse(number)
    engine = _engine()
    known = engine.credentials
    pair = engine.ladder(phone.e164, "cli")
    start = StartVerification(known.service_sid, known.account_sid, phone)
    sid = engine.perform(GuardedStart(start, *pair)).started.verification.sid
    click.echo(f"sent a code to {mask(phone.e164)}", err=True)
    if engine.sender is not None and engine.sender.name == "inbox":
        read = f"{typed_as()} inbox --to {phone.e164}"
        click.echo(f"read it in another terminal: {read}", err=True)
    while True:
        click.echo("code: ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            fail("no code was given; the one that was sent stays good for ten minutes", SAID_NO)
        code = "".join(line.split())
        if len(code) < SHORTEST:
            click.echo("the code is the number in the message", err=True)
            continue
        found = engine.perform(
            CheckCode(known.service_sid, known.account_sid, code, verification_sid=sid)
        )
        if found.status is Status.APPROVED:
            break
        click.echo("that is not the code; try again", err=True)
    engine.perform(ForgetCounter(*pair))
    if as_json:
        print_json({"sid": sid, "to": phone.e164, "status": "approved"})
    else:
        click.echo("approved")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@explained
def credentials(as_json: bool) -> None:
    """Show the account, token and service of the embedded default, made on first use."""
    from watchword.home import credentials_in

    found = asdict(credentials_in(settings_now().home))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name:12} {value}")


@main.command()
@click.option("--to", help="Only the messages to this number.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option("--clear", is_flag=True, help="Forget every message.")
@explained
def inbox(to: str | None, as_json: bool, clear: bool) -> None:
    """Show what the inbox sender delivered, newest first."""
    from watchword.phone import parse
    from watchword.runtime import open_sender
    from watchword.senders.inbox import InboxSender

    sender = open_sender(settings_now())
    if not isinstance(sender, InboxSender):
        fail(f"messages go to the {sender.name} sender, not to an inbox", MISCONFIGURED)
    if clear:
        sender.clear()
        return
    messages = sender.messages(parse(to).e164 if to else None)
    if as_json:
        print_json([message.as_json() for message in messages])
        return
    if not messages:
        click.echo("the inbox is empty", err=True)
    for message in messages:
        click.echo(f"{message.created_at:%H:%M:%S}  {message.to}  {message.body}")


@main.command()
@click.option("--sql", is_flag=True, help="Print the SQL instead of running it.")
@explained
def migrate(sql: bool) -> None:
    """Bring the database's schema to this release's; safe to run twice."""
    from watchword.store.connect import connect
    from watchword.store.migrate import migrate, migration_sql
    from watchword.store.tables import SCHEMA_HEAD

    database = connect(settings_now().database_url)
    try:
        if sql:
            click.echo(migration_sql(database), nl=False)
            return
        what = "is now at" if migrate(database) else "was at"
        click.echo(f"the schema {what} {SCHEMA_HEAD}")
    finally:
        database.dispose()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@explained
def doctor(as_json: bool) -> None:
    """Say what is wrong and how to mend it; exits with 1 when something is."""
    from watchword.doctor import examine

    findings = examine()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {finding.found}")
            if not finding.ok:
                click.echo(f"      {finding.mend}")
    if not all(finding.ok for finding in findings):
        sys.exit(SAID_NO)


@main.command(name="config")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show_config(as_json: bool) -> None:
    """List every setting, its default and what it does."""
    from watchword.config import SETTINGS

    if as_json:
        print_json([{"name": s.variable, "default": s.default, "help": s.help} for s in SETTINGS])
        return
    for setting in SETTINGS:
        click.echo(f"{setting.variable:24} {setting.help}")
        click.echo(f"{'':24} default: {setting.default or '(none)'}")
