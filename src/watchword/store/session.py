"""One connection at work: questions asked, writes sent, one commit; network trips kept few."""

from collections.abc import Sequence
from typing import Any

from watchword.store.statements import Cells, Said

CACHE_KIB = 8 * 1024  # the inner pages of the indexes of a million rows


class Session:
    """A DBAPI connection between two transactions or within one."""

    def __init__(self, pooled: Any) -> None:
        self.pooled = pooled
        self.connection = pooled.dbapi_connection
        self._cursor = self.connection.cursor()

    def begin(self) -> None:
        """Begin; the drivers of servers do so by themselves."""

    def ask(self, questions: Sequence[Said]) -> list[list[Cells]]:
        """Ask in this order and return the rows of each answer."""
        answers = []
        for question in questions:
            self._cursor.execute(question.text, question.parameters)
            answers.append(list(self._cursor.fetchall()))
        return answers

    def write(self, writes: Sequence[Said]) -> None:
        """Write in this order; what is written together with the commit may wait for it."""
        for write in writes:
            if write.many:
                self._cursor.executemany(write.text, write.parameters)
            else:
                self._cursor.execute(write.text, write.parameters)

    def commit(self) -> None:
        """Commit, in whichever thread; once it has begun, the end is not in sight."""
        self.connection.commit()

    def roll_back(self) -> None:
        self.connection.rollback()


class SqliteSession(Session):
    """SQLite: the write lock is taken first; one that reads and then writes would have to fail.

    Nor does it wait for the lock: another process may hold it for long, and waiting is left to
    who runs the transaction.
    """

    def __init__(self, pooled: Any) -> None:
        super().__init__(pooled)
        self._cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._cursor.execute("PRAGMA busy_timeout = 0")

    def begin(self) -> None:
        self._cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._cursor.execute("COMMIT")

    def roll_back(self) -> None:
        if self.connection.in_transaction:
            self._cursor.execute("ROLLBACK")


def session_for(dialect: str) -> type[Session]:
    """Return what speaks to such a database."""
    if dialect == "postgresql":  # its driver is an extra
        from watchword.store.pipeline import PostgresSession

        return PostgresSession
    return SqliteSession if dialect == "sqlite" else Session
