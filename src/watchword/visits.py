"""The records that people on pages leave: a session, a known browser, an operator's acts."""

from datetime import datetime
from enum import StrEnum

from watchword.record import Hidden, Record


class PageStatus(StrEnum):
    """Where a hosted page stands."""

    OPEN = "open"
    APPROVED = "approved"
    CANCELED = "canceled"
    REDEEMED = "redeemed"


class PageSession(Record, frozen=True):
    """One person's visit to the hosted page (`WP…`); whose it is lies `sealed` in it."""

    sid: str
    service_sid: str
    account_sid: str
    status: PageStatus
    sealed: Hidden[str]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        return self.sid


class Visitor(Record, frozen=True):
    """How many codes one network address asked the hosted page for; `key` is a fingerprint."""

    key: str
    sends: int
    since: datetime


class AuditEntry(Record, frozen=True):
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
