"""`watchword openapi` and `watchword conformance`: the contract, and whether a server keeps it."""

import json
import sys
from pathlib import Path

import click

from watchword.terminal import SAID_NO, explained, print_json, settings_now

EXAMPLE = "+237650000000"


@click.command()
@click.option("--production", is_flag=True, help="Leave out what only development has.")
@explained
def openapi(production: bool) -> None:
    """Print our OpenAPI 3.1 document."""
    from watchword.openapi.document import document

    print_json(document(development=not production))


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server.")
@click.option(
    "--credentials",
    "given",
    help="SID:TOKEN, or a file as `watchword credentials --json` prints it; "
    "else those of this installation.",
)
@click.option("--to", help="The number to send to; needed where messages reach people.")
@click.option("--only", help="Only the cases whose name holds this.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@explained
def conformance(
    url: str, given: str | None, to: str | None, only: str | None, as_json: bool
) -> None:
    """Hold a server that claims to speak Verify against the table of cases; exits with 1 on faults.

    It makes a service for each case and deletes it again. Codes are read from the server's
    development inbox, or chosen as custom codes where it has none.
    """
    from watchword.conformance.cases import CASES
    from watchword.conformance.http import HttpServer
    from watchword.conformance.run import run_case

    if not url.startswith(("http://", "https://")):
        raise click.UsageError("--url takes an address such as http://127.0.0.1:8000")
    server = HttpServer(url, *_credentials(given))
    if to is None and not server.has_inbox:
        raise click.UsageError("messages of this server may reach people; name a number with --to")
    cases = [case for case in CASES if only is None or only.lower() in case.name.lower()]
    try:
        results = [run_case(case, server, to or EXAMPLE) for case in cases]
    finally:
        server.put_back()
    passed = sum(result.passed for result in results)
    failed = sum(bool(result.fault) for result in results)
    if as_json:
        print_json(
            {
                "url": url,
                "passed": passed,
                "failed": failed,
                "left_out": len(results) - passed - failed,
                "cases": [result.as_json() for result in results],
            }
        )
    else:
        for result in results:
            mark = "ok  " if result.passed else "FAIL" if result.fault else "-   "
            click.echo(f"{mark}  {result.case.name}")
            for line in filter(None, (result.fault, result.left_out)):
                click.echo(f"      {line}\n      source: {result.case.source}")
        click.echo(f"{passed} of {passed + failed} cases as Verify has them", nl=False)
        left_out = len(results) - passed - failed
        click.echo(f", {left_out} left out" if left_out else "")
    if failed:
        sys.exit(SAID_NO)


def _credentials(given: str | None) -> tuple[str, str]:
    """Return the account sid and the token to use."""
    if given is None:
        from watchword.home import credentials_in

        known = credentials_in(settings_now().home)
        return known.account_sid, known.auth_token
    user, colon, password = given.partition(":")
    if colon and user[:2] in ("AC", "SK"):
        return user, password
    try:
        found = json.loads(Path(given).read_text())
        return str(found["account_sid"]), str(found["auth_token"])
    except (OSError, ValueError, KeyError) as fault:
        raise click.UsageError(
            "--credentials takes SID:TOKEN, or a file with account_sid and auth_token"
        ) from fault
