"""The records that people on pages leave: a session, a known browser, an operator's acts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PageStatus(StrEnum):
    """Where a hosted page stands."""

    OPEN = "open"
    APPROVED = "approved"
    CANCELED = "canceled"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class PageSession:
    """One person's visit to the hosted page (`WP…`); whose it is lies `sealed` in it."""

    sid: str
    service_sid: str
    account_sid: str
    status: PageStatus
    sealed: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        return self.sid


@dataclass(frozen=True, slots=True)
class Visitor:
    """How many codes one network address asked the hosted page for; `key` is a fingerprint."""

    key: str
    sends: int
    since: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of an operator (`AU…`); `target` is a masked number or a country."""

    sid: str
    account_sid: str
    operator: str
    action: str
    target: str
    created_at: datetime

    @property
    def key(self) -> str:
        return self.sid
