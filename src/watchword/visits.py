"""The records that people on pages leave: a session, a known browser, an operator's acts."""

from datetime import datetime
from enum import StrEnum

from watchword.record import Hidden, Record, Resource


class PageStatus(StrEnum):
    """Where a hosted page stands."""

    OPEN = "open"
    APPROVED = "approved"
    CANCELED = "canceled"
    REDEEMED = "redeemed"


class PageSession(Resource, frozen=True):
    """One person's visit to the hosted page (`WP…`); whose it is lies `sealed` in it."""

    service_sid: str
    account_sid: str
    status: PageStatus
    sealed: Hidden[str]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class Visitor(Record, frozen=True):
    """How many codes one network address asked the hosted page for; `key` is a fingerprint."""

    key: str
    sends: int
    since: datetime


class AuditEntry(Resource, frozen=True):
    """One act of an operator (`AU…`); `target` is a masked number or a country."""

    account_sid: str
    operator: str
    action: str
    target: str
    created_at: datetime
