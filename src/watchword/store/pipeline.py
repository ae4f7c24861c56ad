"""PostgreSQL by libpq's own calls: two messages a transaction, every statement prepared once."""

import select
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from watchword.store.connect import ANSWER_SECONDS, LOCK_SECONDS
from watchword.store.session import Session
from watchword.store.statements import Cells, Said

# A prepared statement's plan is made once. On a table without statistics, as each is at first, it
# would walk the table for good; but every row of ours has an index that finds it.
SETTINGS = {
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "lock_timeout": f"{LOCK_SECONDS}s",
}
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items())
BEGIN = (Said("BEGIN ISOLATION LEVEL READ COMMITTED", ()), Said(f"SELECT {_SET}", ()))
COMMIT = Said("COMMIT", ())
ROLLBACK = Said("ROLLBACK", ())
# A statement is not prepared, or is already, or its table has changed since: a proxy lent us
# another server connection, or somebody migrated. This connection does without from then on.
STALE = ("26000", "42P05", "0A000")
PREPARED = "watchword_prepared"  # what is prepared on a connection's server side; None: nothing is


class PostgresSession(Session):
    """PostgreSQL: what needs no answer in between travels as one message, the COMMIT included."""

    def __init__(self, pooled: Any) -> None:
        super().__init__(pooled)
        self._wire = self.connection.pgconn
        self._reader = Transformer(self.connection)
        self._poll = select.poll()
        self._unsaid: Sequence[Said] = ()
        self._writes: Sequence[Said] = ()
        pooled.info.setdefault(PREPARED, set())

    def begin(self) -> None:
        """Begin, with the first message."""
        self._wire.enter_pipeline_mode()
        self._unsaid = BEGIN

    def ask(self, questions: Sequence[Said]) -> list[list[Cells]]:
        return [self._rows(answer) for answer in self._exchange(questions)] if questions else []

    def write(self, writes: Sequence[Said]) -> None:
        """Keep the writes for the message of the commit."""
        self._writes = writes

    def commit(self) -> None:
        self._exchange([*self._writes, COMMIT])
        self._wire.exit_pipeline_mode()

    def roll_back(self) -> None:
        self._unsaid = ()
        if self._wire.transaction_status != TransactionStatus.IDLE:
            self._exchange([ROLLBACK])
        self._wire.exit_pipeline_mode()

    def _rows(self, answer: PGresult) -> list[Cells]:
        self._reader.set_pgresult(answer)
        return self._reader.load_rows(0, answer.ntuples, tuple)

    def _exchange(self, said: Sequence[Said]) -> list[PGresult]:
        """Send these as one message and return an answer to each; raise the first fault."""
        sent: list[bytes] = []
        try:
            for each in (*self._unsaid, *said):
                sent += self._send(each, sent)
            self._unsaid = ()
            self._wire.pipeline_sync()
            heard = list(self._hear())
        except BaseException:
            self.connection.close()  # nobody would know whose the answers are that still come
            raise
        return self._sorted(sent, heard)[-len(said) :]

    def _send(self, said: Said, before: Sequence[bytes]) -> Sequence[bytes]:
        """Send a statement; return, for each answer that will come, the name it prepares or b"".

        `before` are those of the same message: what it has prepared already is not again.
        """
        name, text = _named(said.text)
        known = self.pooled.info[PREPARED]
        if known is None:
            self._wire.send_query_params(text, said.parameters)
            return (b"",)
        if name in known or name in before:
            self._wire.send_query_prepared(name, said.parameters)
            return (b"",)
        self._wire.send_prepare(name, text)
        self._wire.send_query_prepared(name, said.parameters)
        return (name, b"")

    def _hear(self) -> Iterator[PGresult]:
        """Yield the answers to one message."""
        while True:
            self._wait()
            answer = self._wire.get_result()
            if answer is None:  # so end the rows of each answer
                if self._wire.status != ConnStatus.OK:
                    raise OperationalError("the server has gone away")
            elif answer.status == ExecStatus.PIPELINE_SYNC:
                return
            else:
                yield answer

    def _wait(self) -> None:
        """Wait until the next answer is there."""
        unsent = self._wire.flush()
        while unsent or self._wire.is_busy():
            until = select.POLLIN | select.POLLOUT if unsent else select.POLLIN
            self._poll.register(self._wire.socket, until)
            if not self._poll.poll(ANSWER_SECONDS * 1000):
                raise OperationalError("the server says nothing")
            self._wire.consume_input()
            unsent = self._wire.flush()

    def _sorted(self, sent: Sequence[bytes], heard: Sequence[PGresult]) -> list[PGresult]:
        """Return the answers to statements; keep in mind what was prepared before them."""
        answers = []
        for name, result in zip(sent, heard, strict=True):
            if result.status == ExecStatus.FATAL_ERROR:
                fault = error_from_result(result)
                if fault.sqlstate in STALE:
                    self.pooled.info[PREPARED] = None
                raise fault
            if name:
                self.pooled.info[PREPARED].add(name)
            else:
                answers.append(result)
        return answers


@cache
def _named(text: str) -> tuple[bytes, bytes]:
    """Name a statement by what it says: whoever prepared it, it is the same one."""
    said = text.encode()
    return b"watchword_" + sha256(said).hexdigest()[:24].encode(), said
