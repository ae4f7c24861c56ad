"""What a proof is taken on: each store in turn, made for it, as its command line asks."""

import argparse
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from proofs.report import report
from tests.databases import SERVERS, Server
from watchword.torture import Count

STORES = ("sqlite", "postgres", "mariadb")


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[str, Server | None]]:
    """Start a durable server of that kind, or make a file."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'proof.db'}", None
        return
    server = SERVERS[kind](durable=True)
    server.start()
    server.create("proof")
    try:
        yield server.url("proof"), server
    finally:
        server.remove()


def command_line(description: str, sizes: Iterable[str]) -> argparse.ArgumentParser:
    """Return what reads a proof's `size` and the stores that it is to be taken on, `only`."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--size", choices=list(sizes), default="full")
    arguments.add_argument("--only", choices=STORES, action="append", help="these stores only")
    return arguments


def on_each(
    stores: Iterable[str] | None, title: str, prove: Callable[[str], Iterable[Count]]
) -> bool:
    """Take a proof on these stores, on all for None; return whether it held on every one."""
    held = True
    for kind in STORES if stores is None else stores:
        held = report(f"{kind}, {title}", prove(kind)) and held
    return held
