"""Prove that a schema is migrated while the release before it serves: no row lost, no long wait.

python -m proofs.upgrades --size short --only postgres

T-36. The releases are taken from the history: the code as it was before each migration was added.
It makes its own schema, gets its rows and its callers, and serves on while `watchword migrate` of
today runs and today's server starts beside it.
"""

import itertools
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from proofs.calling import calling
from proofs.report import must_be_none
from proofs.rotation import Node, ask, basic
from proofs.stores import command_line, database, on_each
from tests.databases import Missing
from watchword import codes
from watchword.home import credentials_in
from watchword.keys import Key
from watchword.store.connect import connect
from watchword.store.migrate import schema_version
from watchword.torture import Count

SECRET = b"proof secret, 32 bytes or longer."
ROOT = Path(__file__).parents[1]
VERSIONS = Path("src/watchword/store/migrations/versions")
ROWS = {"short": 5_000, "usual": 100_000, "full": 100_000}  # of each table
RELEASES = {"short": 1, "usual": 3, "full": 99}  # counted back from today's
TABLES = ("subjects", "verifications", "attempts", "svretries", "accounts")
CALLERS = 4
SECONDS = 3.0  # of traffic between two steps
LOT = 2_000
MOST_MS = 1_000  # that a request may wait longer than the slowest one before the migration


def releases() -> list[tuple[str, str]]:
    """Return each older schema and the commit whose code made it, the newest first."""
    found = sorted((ROOT / VERSIONS).glob("[0-9]*.py"), reverse=True)
    return [(older.name[:4], f"{_added(newer)}^") for newer, older in itertools.pairwise(found)]


def _added(migration: Path) -> str:
    name = str(migration.relative_to(ROOT))
    told = _git("log", "--diff-filter=A", "--format=%H", "--", name).decode().split()
    if not told:
        raise Missing("upgrades are left out: they need the history of a git clone")
    return told[-1]


def _git(*words: str) -> bytes:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as fault:
        raise Missing("upgrades are left out: they need the history of a git clone") from fault


def unpack(commit: str, folder: Path) -> Path:
    """Lay out the code of a commit and return where its package is."""
    folder.mkdir()
    packed = _git("archive", commit, "src")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder / "src"


def fill(url: str, rows: int) -> None:
    """Put that many rows into each table, as wide as the release has made it."""
    engine = connect(url)
    found = sa.MetaData()
    found.reflect(engine)
    with engine.begin() as connection:
        for table in (found.tables[name] for name in TABLES if name in found.tables):
            for at in range(0, rows, LOT):
                lot = [_row(table, number) for number in range(at, min(at + LOT, rows))]
                connection.execute(table.insert(), lot)
    engine.dispose()


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {
        column.name: _cell(column, number)
        for column in table.columns
        if not column.nullable and column.name != "id"
    }


def _cell(column: sa.Column[Any], number: int) -> Any:
    now = datetime.now(UTC)
    fixed: dict[str, Any] = {
        "sid": f"XX{secrets.token_hex(16)}", "key": secrets.token_hex(16), "sends": "[]",
        "status": "approved", "channel": "sms", "country": "CM", "failures": 1,
        "uniqueId": f"pair {number}", "userId": "user",
    }  # fmt: skip
    if column.name in fixed:
        return fixed[column.name]
    if isinstance(column.type, sa.DateTime):
        return now.replace(tzinfo=None)
    if isinstance(column.type, sa.BigInteger):
        return int(now.timestamp() * 1000)
    return 0 if isinstance(column.type, sa.Integer | sa.Numeric | sa.Boolean) else "0"


def count(url: str) -> Tally[str]:
    """Count the rows of each table."""
    engine = connect(url)
    with engine.connect() as connection:
        names = [name for name in TABLES if sa.inspect(connection).has_table(name)]
        found = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name)))
            for name in names
        }
    engine.dispose()
    return Tally({name: amount or 0 for name, amount in found.items()})


class Traffic:
    """Callers that start and check on whatever servers there are, and note how long each took."""

    def __init__(self, nodes: list[Node], home: Path, url: str) -> None:
        self.nodes = nodes
        self.times: list[tuple[float, float]] = []
        self.counts: Tally[str] = Tally()
        self.approved: list[str] = []
        self._known = credentials_in(home)
        self._key = Key.from_secret(SECRET)
        self._database = connect(url)
        self._numbers = itertools.count(237650000000)

    def call(self, _caller: int) -> None:
        """Start one, check it with a wrong code and with the right one."""
        to = f"+{next(self._numbers)}"
        started = self._ask("Verifications", {"To": to, "Channel": "sms"})
        if started is None:
            return
        code = self._code(started["sid"])
        wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
        self._ask("VerificationCheck", {"To": to, "Code": wrong})
        checked = self._ask("VerificationCheck", {"To": to, "Code": code})
        if checked is not None:
            self.counts["right codes refused"] += checked["status"] != "approved"
            self.approved.append(started["sid"])

    def close(self) -> None:
        """Let go of the database that the codes were read in; what was told stays."""
        self._database.dispose()

    def longest_ms(self, since: float, until: float) -> int:
        """Return how long the slowest request took, of those under way in between."""
        took = [end - begin for begin, end in self.times if end > since and begin < until]
        return round(1000 * max(took, default=0))

    def _ask(self, name: str, form: dict[str, str]) -> dict[str, Any] | None:
        path = f"/v2/Services/{self._known.service_sid}/{name}"
        up = [node for node in self.nodes if node.is_up]
        node = up[self.counts["requests"] % len(up)]
        began = time.monotonic()
        answer = ask(node.port, "POST", path, form, Authorization=basic(self._known))
        self.times.append((began, time.monotonic()))
        self.counts["requests"] += 1
        if answer.status not in (200, 201):
            self.counts[f"answered {answer.status}"] += 1
            return None
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _code(self, sid: str) -> str:
        ask = sa.text("SELECT nonce, code_length FROM verifications WHERE sid = :sid")
        with self._database.connect() as connection:
            row = connection.execute(ask, {"sid": sid}).one()
        return codes.derive(self._key, sid, row.nonce, row.code_length)


def upgrade(
    url: str, release: str, commit: str, rows: int, seconds: float = SECONDS
) -> Iterator[Count]:
    """Bring one release's database to head while that release serves."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        old = Node(url, home, source=unpack(commit, Path(folder) / "old"))
        new = Node(url, home)
        try:
            try:
                old.start((SECRET,))
            except TimeoutError as fault:
                raise Missing("this release does not run with the packages of today") from fault
            yield from _migrated(url, release, rows, seconds, (old, new), home)
        finally:
            old.stop()
            new.stop()


def _migrated(
    url: str, release: str, rows: int, seconds: float, nodes: tuple[Node, Node], home: Path
) -> Iterator[Count]:
    old, new = nodes
    made = _version(url)
    fill(url, rows)
    before = count(url)
    traffic = Traffic([old, new], home, url)
    with closing(traffic), calling(traffic.call, CALLERS):
        time.sleep(seconds)
        usual = traffic.longest_ms(0, time.monotonic())
        began = time.monotonic()
        _migrate(new)
        ended = time.monotonic()
        time.sleep(seconds)  # the old release serves on, on today's schema
        worst = traffic.longest_ms(began, ended)
        new.start((SECRET,))
        time.sleep(seconds)
        old.stop()
        time.sleep(seconds)
    yield Count(f"the schema that the release before made, of {release}", int(made or 0), release,
                made == release)  # fmt: skip
    after = count(url)
    lost = sum(max(0, amount - after[name]) for name, amount in before.items())
    yield must_be_none(f"rows lost, of {before.total():,} in {len(before)} tables", lost)
    yield from _told(url, traffic)
    took = f"ms the slowest request took while it was migrated in {1000 * (ended - began):,.0f} ms"
    yield Count(took, worst, f"<= {usual + MOST_MS:,}; before: {usual:,}", worst <= usual + MOST_MS)


def _told(url: str, traffic: Traffic) -> Iterator[Count]:
    counts = traffic.counts
    cut_off = counts.pop("answered 0", 0)
    failed = {name: found for name, found in counts.items() if name.startswith("answered")}
    what = f"requests answered otherwise than well, of {counts['requests']:,} {failed or ''}"
    yield must_be_none(what.strip(), sum(failed.values()))
    yield Count("requests cut off as the old server stopped", cut_off, "any", ok=True)
    yield must_be_none("right codes refused", counts["right codes refused"])
    engine = connect(url)
    ask = sa.text("SELECT sid FROM verifications WHERE status = 'approved'")
    with engine.connect() as connection:
        kept = set(connection.execute(ask).scalars())
    engine.dispose()
    lost = len(set(traffic.approved) - kept)
    yield must_be_none(f"approvals lost, of {len(traffic.approved):,} told", lost)


def _version(url: str) -> str | None:
    engine = connect(url)
    with engine.connect() as connection:
        found = schema_version(connection)
    engine.dispose()
    return found


def _migrate(node: Node) -> None:
    command = [sys.executable, "-m", "watchword", "migrate"]
    subprocess.run(command, env=node.environment((SECRET,)), capture_output=True, check=True)


def prove(kind: str, release: str, commit: str, rows: int) -> Iterator[Count]:
    """Upgrade from one release, on a database of its own."""
    with database(kind) as (url, _):
        yield from upgrade(url, release, commit, rows)


def main() -> None:
    arguments = command_line("Prove that upgrades stop nobody.", ROWS)
    arguments.add_argument("--releases", type=int, help="so many, counted back from today's")
    given = arguments.parse_args()
    rows = ROWS[given.size]
    held = True
    for release, commit in releases()[: given.releases or RELEASES[given.size]]:
        title = f"upgrade from {release} with {rows:,} rows a table"
        taken = partial(prove, release=release, commit=commit, rows=rows)
        held = on_each(given.only, title, taken) and held
    sys.exit(not held)


if __name__ == "__main__":
    main()
