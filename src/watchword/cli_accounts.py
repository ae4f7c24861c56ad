"""`watchword accounts` and `watchword keys`: who may use the API, and by what."""

from typing import TYPE_CHECKING, Any

import click

from watchword.terminal import Commands, explained, print_json, settings_now

if TYPE_CHECKING:
    from watchword.commands.accounts import Shown
    from watchword.engine import Engine
    from watchword.tenants import Account, ApiKey

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
ONCE = "keep it now: it is not shown again"


@click.group(cls=Commands)
def accounts() -> None:
    """Make, list, rotate and revoke accounts."""


@click.group(cls=Commands)
def keys() -> None:
    """Make, list and revoke API keys (SK…) of an account."""


@accounts.command(name="create")
@click.argument("name")
@AS_JSON
@explained
def create_account(name: str, as_json: bool) -> None:
    """Make an account called NAME; its auth token is shown this once."""
    from watchword.commands.accounts import CreateAccount

    _show_secret(_engine().perform(CreateAccount(name)), "auth_token", as_json)


@accounts.command(name="list")
@AS_JSON
@explained
def list_accounts(as_json: bool) -> None:
    """List the accounts, newest first; the embedded default comes last."""
    from watchword.commands.accounts import ListAccounts

    engine = _engine()
    found = [_plain(account) for account in engine.read(ListAccounts())]
    embedded = {
        "sid": engine.credentials.account_sid,
        "friendly_name": "embedded default",
        "status": "active",
    }
    _show_list([*found, embedded], as_json)


@accounts.command(name="rotate")
@click.argument("sid")
@AS_JSON
@explained
def rotate_account(sid: str, as_json: bool) -> None:
    """Give the account SID a new auth token; the old one stops working within seconds."""
    from watchword.commands.accounts import RotateToken

    engine = _engine()
    _refuse_embedded(engine, sid)
    _show_secret(engine.perform(RotateToken(sid)), "auth_token", as_json)


@accounts.command(name="revoke")
@click.argument("sid")
@explained
def revoke_account(sid: str) -> None:
    """Shut the account SID out, with all its keys, within seconds; its rows stay."""
    from watchword.commands.accounts import RevokeAccount

    engine = _engine()
    _refuse_embedded(engine, sid)
    engine.perform(RevokeAccount(sid))
    click.echo(f"{sid} is revoked")


@keys.command(name="create")
@click.argument("name")
@click.option("--account", help="The account it opens; else the embedded default.")
@AS_JSON
@explained
def create_key(name: str, account: str | None, as_json: bool) -> None:
    """Make an API key called NAME; its secret is shown this once."""
    from watchword.commands.accounts import CreateApiKey

    engine = _engine()
    sid = account or engine.credentials.account_sid
    command = CreateApiKey(sid, name, embedded=sid == engine.credentials.account_sid)
    _show_secret(engine.perform(command), "secret", as_json)


@keys.command(name="list")
@click.option("--account", help="Only those of this account.")
@AS_JSON
@explained
def list_keys(account: str | None, as_json: bool) -> None:
    """List the API keys, newest first."""
    from watchword.commands.accounts import ListApiKeys

    _show_list([_plain(key) for key in _engine().read(ListApiKeys(account))], as_json)


@keys.command(name="revoke")
@click.argument("sid")
@explained
def revoke_key(sid: str) -> None:
    """Let nobody in by the API key SID any more, within seconds."""
    from watchword.commands.accounts import RevokeApiKey

    _engine().perform(RevokeApiKey(sid))
    click.echo(f"{sid} is revoked")


def _engine() -> "Engine":
    from watchword.runtime import open_engine

    return open_engine(settings_now(), sending=False)


def _refuse_embedded(engine: "Engine", sid: str) -> None:
    if sid == engine.credentials.account_sid:
        raise click.UsageError(
            "this is the embedded default; delete credentials.json in WATCHWORD_HOME for a new one"
        )


def _plain(record: "Account | ApiKey") -> dict[str, Any]:
    shown = {"sid": record.sid, "friendly_name": record.friendly_name}
    account_sid = getattr(record, "account_sid", None)
    if account_sid is not None:
        shown["account_sid"] = account_sid
    return shown | {
        "status": "revoked" if record.revoked else "active",
        "created_at": record.created_at.isoformat(timespec="seconds"),
    }


def _show_secret(shown: "Shown", word: str, as_json: bool) -> None:
    if as_json:
        print_json({**_plain(shown.record), word: shown.secret})
        return
    click.echo(f"{'sid':12} {shown.record.sid}\n{word:12} {shown.secret}")
    click.echo(f"{word}: {ONCE}", err=True)


def _show_list(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each['sid']}  {each['status']:8} {each['friendly_name']}")
