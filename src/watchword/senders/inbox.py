"""The inbox sender: messages kept in a file of their own, for developers and tests to read.

The file lies beside the database, never in it: a stolen database holds no code. Every process of
the same WATCHWORD_HOME reads and writes it. The newest 500 messages are kept for a day.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchword.errors import StoreError
from watchword.model import Delivery
from watchword.senders.base import Message, Receipt
from watchword.senders.portal import running_loop
from watchword.sqlite import BUSY_SECONDS, make_private, use_wal

logger = logging.getLogger("watchword")

KEPT = 500
KEPT_FOR = timedelta(days=1)
PRUNE_EVERY = 50  # messages; pruning at each one would cost more than the message

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt_sid TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    code TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_recipient ON messages (recipient, id);
"""
READ = """
SELECT id, recipient, sender, channel, body, code, created_at, attempt_sid FROM messages
WHERE :to IS NULL OR recipient = :to ORDER BY id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A delivered message as the inbox shows it."""

    id: int
    to: str
    sender: str
    channel: str
    body: str = field(repr=False)
    code: str = field(repr=False)
    created_at: datetime
    attempt_sid: str = ""

    def as_json(self) -> dict[str, str | int]:
        """Return what `watchword inbox --json` shows of it."""
        return {
            "id": self.id,
            "to": self.to,
            "from": self.sender,
            "channel": self.channel,
            "body": self.body,
            "code": self.code,
            "created_at": self.created_at.isoformat(timespec="milliseconds"),
        }


class InboxSender:
    """Deliver into the inbox file and read it back; `path` None keeps it in memory."""

    name = "inbox"
    waits = False

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._ends_in: asyncio.AbstractEventLoop | None = None  # has a commit in its calendar

    async def send(self, message: Message) -> Receipt:
        """Keep one message; the same attempt is kept once.

        Those of one turn of the event loop share a commit, which comes before their answers.
        """
        with self._open() as connection:
            self._commit_together(connection)
            cursor = connection.execute(
                "INSERT OR IGNORE INTO messages "
                "(attempt_sid, recipient, sender, channel, body, code, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    message.attempt_sid,
                    message.to,
                    message.sender_name,
                    message.channel.value,
                    message.body,
                    message.code,
                    message.created_at.isoformat(timespec="milliseconds"),
                ),
            )
            newest = cursor.lastrowid or 0
            if newest % PRUNE_EVERY == 0:
                self._prune(connection, newest, message.created_at)
        return Receipt(Delivery.SENT, message_id=message.attempt_sid)

    def messages(self, to: str | None = None, *, limit: int = KEPT) -> list[InboxMessage]:
        """Return what was delivered, newest first, to everyone or to one number."""
        with self._open() as connection:
            rows = connection.execute(READ, {"to": to, "limit": limit}).fetchall()
        return [
            InboxMessage(number, to, sender, channel, body, code, datetime.fromisoformat(at), sid)
            for number, to, sender, channel, body, code, at, sid in rows
        ]

    def clear(self, to: str | None = None) -> None:
        """Forget every message, or those to one number."""
        with self._open() as connection:
            connection.execute(
                "DELETE FROM messages WHERE :to IS NULL OR recipient = :to", {"to": to}
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.commit()
                self._connection.close()
                self._connection = None

    def _commit_together(self, connection: sqlite3.Connection) -> None:
        """Begin; the end is put down first, so that whatever goes wrong it comes."""
        loop = running_loop()
        if loop is None:
            return
        if self._ends_in is not loop:
            loop.call_soon(self._commit)
            self._ends_in = loop
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._ends_in = None
        try:
            with self._lock:
                if self._connection is not None:
                    self._connection.commit()
        except sqlite3.Error as fault:  # nobody waits for this; the next message says it again
            logger.warning("the inbox file %s cannot be written: %s", self._path, fault)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = _connect(self._path)
                yield self._connection
        except sqlite3.Error as fault:
            raise StoreError(f"the inbox file {self._path} cannot be used") from fault

    def _prune(self, connection: sqlite3.Connection, newest: int, now: datetime) -> None:
        oldest = (now - KEPT_FOR).astimezone(UTC).isoformat(timespec="milliseconds")
        connection.execute(
            "DELETE FROM messages WHERE id <= ? OR created_at < ?", (newest - KEPT, oldest)
        )


def inbox_of(sender: object) -> InboxSender | None:
    """Return the inbox that a sender is, or hands its messages on to; None when there is none."""
    while sender is not None and not isinstance(sender, InboxSender):
        sender = getattr(sender, "inner", None)
    return sender


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        make_private(path)
    connection = sqlite3.connect(
        path or ":memory:",
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    use_wal(connection, synchronous="OFF")  # what is shown to developers may be lost
    connection.execute("PRAGMA secure_delete = ON")
    connection.executescript(SCHEMA)
    return connection
