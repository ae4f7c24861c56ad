"""`watchword openapi`: the contract this server keeps, as a document."""

import click

from watchword.terminal import explained, print_json


@click.command()
@click.option("--production", is_flag=True, help="Leave out what only development has.")
@explained
def openapi(production: bool) -> None:
    """Print our OpenAPI 3.1 document."""
    from watchword.openapi.document import document

    print_json(document(development=not production))
