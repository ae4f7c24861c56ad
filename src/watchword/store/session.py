"""One connection at work: questions asked, writes sent, one commit; network trips kept few."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from watchword.store.statements import Cells, Said


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

    def finish(self, writes: Sequence[Said], committing: Callable[[], None]) -> None:
        """Write in this order and commit; `committing` is called once the end is not in sight."""
        for write in writes:
            if write.many:
                self._cursor.executemany(write.text, write.parameters)
            else:
                self._cursor.execute(write.text, write.parameters)
        committing()
        self.commit()

    def commit(self) -> None:
        self.connection.commit()

    def roll_back(self) -> None:
        self.connection.rollback()


class SqliteSession(Session):
    """SQLite: the write lock is taken first; one that reads and then writes would have to fail."""

    def begin(self) -> None:
        self._cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._cursor.execute("COMMIT")

    def roll_back(self) -> None:
        if self.connection.in_transaction:
            self._cursor.execute("ROLLBACK")


class PostgresSession(Session):
    """PostgreSQL: what needs no answer in between travels as one message, the COMMIT included."""

    def ask(self, questions: Sequence[Said]) -> list[list[Cells]]:
        cursors = [self.connection.cursor() for _ in questions]
        with self._as_one_message():
            for cursor, question in zip(cursors, questions, strict=True):
                cursor.execute(question.text, question.parameters)
        return [cursor.fetchall() for cursor in cursors]

    def finish(self, writes: Sequence[Said], committing: Callable[[], None]) -> None:
        committing()
        with self._as_one_message():
            for write in writes:
                self._cursor.execute(write.text, write.parameters)
            self.connection.commit()

    @contextmanager
    def _as_one_message(self) -> Iterator[None]:
        """Send what is executed here together; raise the first fault, the cause of the others.

        psycopg would report those others in the log, once for each lost race.
        """
        first = None
        try:
            with self.connection.pipeline():
                try:
                    yield
                except self.connection.Error as fault:
                    first = fault
        except self.connection.Error as fault:
            first = first or fault
        if first is not None:
            raise first


SESSIONS: dict[str, type[Session]] = {
    "sqlite": SqliteSession,
    "postgresql": PostgresSession,
    "mysql": Session,
    "mariadb": Session,
}
