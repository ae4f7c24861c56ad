"""Prove the promise on a Galera cluster: three nodes, writes on any of them, one killed under load.

python -m proofs.galera --size short
"""

import argparse
import contextlib
import shutil
import signal
import sys
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from pathlib import Path

import pymysql

from proofs.report import report
from tests.databases import MariaServer, Missing, free_port
from watchword.errors import Refusal, StoreError
from watchword.home import Credentials
from watchword.torture import (
    SIZES,
    Count,
    Known,
    check,
    make_service,
    open_engine,
    start,
    torture,
)

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
SECRET = b"proof secret, 32 bytes or longer."
LOAD_SECONDS = {"short": 6, "usual": 30, "full": 300}


class Node(MariaServer):
    """One node of the cluster."""

    def __init__(self, name: str, ports: Sequence[int], number: int) -> None:
        super().__init__(durable=True)
        self.name, self.ports, self.number = name, ports, number

    def command(self) -> Sequence[str]:
        here = f"127.0.0.1:{self.ports[self.number]}"
        others = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        options = f"base_port={self.ports[self.number]};ist.recv_addr=127.0.0.1:{free_port()}"
        return (
            *super().command(), "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}",
            f"--wsrep-cluster-address=gcomm://{others}", "--wsrep-cluster-name=watchword",
            f"--wsrep-node-address={here}", f"--wsrep-node-name={self.name}",
            f"--wsrep-provider-options={options}", "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2", "--wsrep-sst-method=rsync", "--wsrep-sync-wait=1",
            f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
        )  # fmt: skip

    def answers(self) -> bool:
        """Answer once the node has joined."""
        try:
            return super().answers()
        except pymysql.err.OperationalError:  # WSREP has not yet prepared node
            return False


@contextlib.contextmanager
def cluster() -> Iterator[list[Node]]:
    """Start three nodes on the loopback."""
    if not PROVIDER.exists():
        raise Missing("Galera is left out: apt-get install galera-4 mariadb-server rsync")
    if shutil.which("rsync") is None:
        raise Missing("Galera is left out: apt-get install rsync")
    ports = [free_port() for _ in range(3)]
    nodes = [Node(f"node{number}", ports, number) for number in range(3)]
    try:
        nodes[0].start("--wsrep-new-cluster")
        for node in nodes[1:]:
            node.start()
        nodes[0].create("proof")
        yield nodes
    finally:
        for node in nodes:
            node.remove()


def everywhere(nodes: Sequence[Node], seconds: float) -> Iterator[Count]:
    """Check one code on all nodes at once, over and over; kill a node on the way."""
    secret, credentials = SECRET, Credentials.new()
    engines = [open_engine(Known(node.url("proof"), secret, credentials)) for node in nodes]
    make_service(engines[0])
    approvals: Tally[str] = Tally()
    seen: Tally[str] = Tally()
    end = time.monotonic() + seconds
    number = 0
    killed = False
    while time.monotonic() < end:
        number += 1
        try:
            begun = engines[number % 2].perform(start(engines[0], 5_000_000 + number % 1_000))
        except (StoreError, Refusal) as fault:
            seen[type(fault).__name__] += 1
            continue
        to, code, sid = begun.verification.to, begun.code, begun.verification.sid
        approvals[sid] += 0

        def guess(engine: object, to: str = to, code: str = code, sid: str = sid) -> None:
            try:
                if check(engine, to, code):  # type: ignore[arg-type]
                    approvals[sid] += 1
            except StoreError:
                seen["StoreError"] += 1

        threads = [threading.Thread(target=guess, args=(engine,)) for engine in engines * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not killed and time.monotonic() > end - seconds / 2:
            nodes[2].stop(signal.SIGKILL)
            killed = True
    for engine in engines:
        engine.close()
    doubled = sum(count > 1 for count in approvals.values())
    none = sum(count == 0 for count in approvals.values())
    few = (
        len(approvals) // 50
    )  # an approval may be lost with the node that was killed at its commit
    what = f"codes approved twice, of {len(approvals)} checked on three nodes at once"
    yield Count(what, doubled, "0", not doubled)
    yield Count("codes whose approval nobody was told", none, f"<= {few}", none <= few)
    yield Count("requests answered 503 around the kill", seen["StoreError"], "any", ok=True)


def prove(size: str) -> Iterator[Count]:
    """Torture one node, then use all of them at once."""
    with cluster() as nodes:
        yield from torture(nodes[1].url("proof"), SIZES[size])
        yield from everywhere(nodes, LOAD_SECONDS[size])


def main() -> None:
    arguments = argparse.ArgumentParser(description="Prove the promise on Galera.")
    arguments.add_argument("--size", choices=list(SIZES), default="full")
    given = arguments.parse_args()
    held = report("MariaDB Galera, three nodes", prove(given.size))
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
