"""`Svretries`: the documented table of resend counters, as a declarative class."""

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from watchword.store.tables import UtcDateTime, metadata


class _Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map: ClassVar = {datetime: UtcDateTime}


class Svretries(_Base):
    """One resend counter: how often a pair has asked for a code, and until when it must wait.

    `count` is the step on the ladder (0 to 4), `expires` when its wait ends and `createdAt` when
    the row was made; both times are aware UTC. A row that a method hands out is a copy: changing
    it changes nothing in the database.
    """

    __tablename__ = "svretries"
    __table_args__ = (
        UniqueConstraint("uniqueId", "userId", name="svretries_pair"),
        {"sqlite_autoincrement": True},  # an id is never used again: a stale one deletes nothing
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    userId: Mapped[str | None] = mapped_column(String(255))
    uniqueId: Mapped[str | None] = mapped_column(String(255))
    count: Mapped[int | None] = mapped_column(default=0)
    expires: Mapped[datetime | None]
    createdAt: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))

    def __repr__(self) -> str:
        return f"Svretries(id={self.id}, count={self.count}, expires={self.expires})"
