"""Every kind of record and how it lies in its table: to add one, add it here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from watchword.keys import Keyring
from watchword.model import Attempt, Counter, RateWindow, SafeNumber, Subject, Verification
from watchword.refused import Refused
from watchword.store import rows as lay
from watchword.store import tenant_rows, visit_rows
from watchword.store.svretries import Svretries
from watchword.store.tables import (
    accounts,
    api_keys,
    attempts,
    audit,
    metadata,
    page_sessions,
    postings,
    rate_windows,
    refused,
    safe_numbers,
    services,
    subjects,
    verifications,
    visitors,
)
from watchword.tenants import Account, ApiKey, Posting, Service
from watchword.visits import AuditEntry, PageSession, Visitor

svretries = metadata.tables[Svretries.__tablename__]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind's table, its key columns, and the functions between record and row.

    `row` lays out a whole record for an INSERT; `changes` at least the key and the cells that an
    UPDATE may change, whose names are `changing`. What they lay out must be writable as JSON once
    its column's type has had its say.
    """

    table: sa.Table
    key: tuple[str, ...]
    row: Callable[[Any, Keyring], lay.Row]
    changes: Callable[[Any], lay.Row]
    record: Callable[[Any, Keyring], Any]
    changing: tuple[str, ...]


def _plain(
    table: sa.Table,
    key: tuple[str, ...],
    row: Callable[[Any], lay.Row],
    record: Callable[[Any], Any],
    changing: tuple[str, ...],
) -> Kind:
    """Return a kind that holds nothing sealed."""
    return Kind(
        table,
        key,
        lambda thing, _: row(thing),
        row,
        lambda found, _: record(found),
        changing,
    )


KINDS: dict[type[Any], Kind] = {
    Service: _plain(
        services,
        ("sid",),
        tenant_rows.service_row,
        tenant_rows.service_record,
        ("friendly_name", "code_length", "custom_code_enabled", "document", "updated_at"),
    ),
    Subject: _plain(
        subjects,
        ("key",),
        lay.subject_row,
        lay.subject_record,
        ("verification_sid", "failures", "updated_at"),
    ),
    Verification: Kind(
        verifications,
        ("sid",),
        lay.verification_row,
        lay.verification_changes,
        lay.verification_record,
        ("subject", "channel", "status", "custom_code_mac", "checks", "sends", "updated_at"),
    ),
    Attempt: _plain(
        attempts,
        ("sid",),
        lay.attempt_row,
        lay.attempt_record,
        (
            "status",
            "sender",
            "message_id",
            "reason",
            "error_code",
            "price",
            "currency",
            "mcc",
            "mnc",
            "updated_at",
        ),
    ),
    SafeNumber: _plain(
        safe_numbers, ("key",), lay.safe_number_row, lay.safe_number_record, ("sid",)
    ),
    RateWindow: _plain(
        rate_windows,
        ("key",),
        lay.rate_window_row,
        lay.rate_window_record,
        ("tallies", "ends_at"),
    ),
    PageSession: _plain(
        page_sessions,
        ("sid",),
        visit_rows.page_row,
        visit_rows.page_record,
        ("status", "sealed", "updated_at"),
    ),
    AuditEntry: _plain(audit, ("sid",), visit_rows.audit_row, visit_rows.audit_record, ("action",)),
    Visitor: _plain(
        visitors, ("key",), visit_rows.visitor_row, visit_rows.visitor_record, ("sends", "since")
    ),
    Refused: _plain(
        refused, ("key",), visit_rows.refused_row, visit_rows.refused_record, ("times",)
    ),
    Account: _plain(
        accounts,
        ("sid",),
        tenant_rows.account_row,
        tenant_rows.account_record,
        ("friendly_name", "key_id", "nonce", "revoked", "updated_at"),
    ),
    ApiKey: _plain(
        api_keys,
        ("sid",),
        tenant_rows.api_key_row,
        tenant_rows.api_key_record,
        ("revoked", "updated_at"),
    ),
    Posting: Kind(
        postings,
        ("sid",),
        tenant_rows.posting_row,
        tenant_rows.posting_changes,
        tenant_rows.posting_record,
        ("tries", "due_at"),
    ),
    Counter: _plain(
        svretries,
        ("uniqueId", "userId"),
        lay.counter_row,
        lay.counter_record,
        ("count", "expires"),
    ),
}
