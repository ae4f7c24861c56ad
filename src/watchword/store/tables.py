"""The tables, once for every database engine."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.types import TypeDecorator

SCHEMA_HEAD = "0012"  # the newest migration; a test holds it

metadata = sa.MetaData()


# MySQL's plain DATETIME rounds to whole seconds.
DATETIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


class UtcDateTime(TypeDecorator[datetime]):
    """A documented `datetime` column: naive UTC in the database, aware UTC in Python."""

    impl = DATETIME
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def exact_collation(dialect: Dialect) -> str:
    """Name the collation of MySQL's that compares byte for byte, blanks at the end included."""
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"


@compiles(CreateTable, "mysql", "mariadb")
def _create_exact_table(create: CreateTable, compiler: DDLCompiler, **options: Any) -> str:
    """Make tables that compare texts byte for byte, whatever the database's default is."""
    text = compiler.visit_create_table(create, **options)  # type: ignore[no-untyped-call]
    return f"{text.rstrip()} CHARSET=utf8mb4 COLLATE={exact_collation(compiler.dialect)}"


SID = sa.String(34)
# JSON; MySQL's plain TEXT would end at 64 KB
DOCUMENT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
MOMENT = sa.BigInteger  # milliseconds since 1970, UTC: no time zone, no year 2038

services = sa.Table(
    "services",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("friendly_name", sa.String(64), nullable=False),
    sa.Column("code_length", sa.Integer, nullable=False),
    sa.Column("custom_code_enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Column("document", DOCUMENT),
    sa.Index("ix_services_account", "account_sid", "created_at"),
)

# One row per address and service. Its lock is the lock of everything about the address.
subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("verification_sid", SID, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Column("sealed_name", sa.Text),
)

verifications = sa.Table(
    "verifications",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("subject", sa.String(32), nullable=False),
    sa.Column("sealed_to", sa.Text, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("code_length", sa.Integer, nullable=False),
    sa.Column("key_id", sa.String(8), nullable=False),
    sa.Column("nonce", sa.String(32), nullable=False),
    sa.Column("sealed_details", sa.Text),
    sa.Column("custom_code_mac", sa.String(64)),
    sa.Column("checks", sa.Integer, nullable=False),
    sa.Column("sends", sa.Text, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False, index=True),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("verification_sid", SID, nullable=False, index=True),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("country", sa.String(3), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("sender", sa.String(64)),
    sa.Column("message_id", sa.String(128)),
    sa.Column("reason", sa.String(255)),
    sa.Column("recipient", sa.String(32), index=True),
    sa.Column("prefix", sa.String(8)),
    sa.Column("error_code", sa.Integer),
    sa.Column("price", sa.String(16)),
    sa.Column("currency", sa.String(3)),
    sa.Column("mcc", sa.String(3)),
    sa.Column("mnc", sa.String(3)),
    sa.Column("created_at", MOMENT, nullable=False, index=True),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Index("ix_attempts_account", "account_sid", "created_at"),
    sa.Index("ix_attempts_message_id", "message_id"),
)

safe_numbers = sa.Table(
    "safe_numbers",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("sid", SID, nullable=False),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("sealed_name", sa.Text),
)

rate_windows = sa.Table(
    "rate_windows",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("tallies", sa.Text, nullable=False),
    sa.Column("ends_at", MOMENT, nullable=False, index=True),
    sa.Column("sealed_name", sa.Text),
)

page_sessions = sa.Table(
    "page_sessions",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False, index=True),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
)

visitors = sa.Table(
    "visitors",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("sends", sa.Integer, nullable=False),
    sa.Column("since", MOMENT, nullable=False, index=True),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("friendly_name", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(8), nullable=False),
    sa.Column("nonce", sa.String(32), nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("account_sid", SID, nullable=False, index=True),
    sa.Column("friendly_name", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(8), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
)

postings = sa.Table(
    "postings",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("webhook_sid", SID, nullable=False),
    sa.Column("verification_sid", SID, nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("sealed_fields", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("due_at", MOMENT, nullable=False, index=True),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("sid", SID, primary_key=True),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("operator", sa.String(64), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_audit_account", "account_sid", "created_at"),
)

# How often a rule refused; a row a slot of time, rule and region.
refused = sa.Table(
    "refused",
    metadata,
    sa.Column("key", sa.String(96), primary_key=True),
    sa.Column("account_sid", SID, nullable=False),
    sa.Column("service_sid", SID, nullable=False),
    sa.Column("reason", sa.String(24), nullable=False),
    sa.Column("country", sa.String(3), nullable=False),
    sa.Column("prefix", sa.String(8), nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_refused_account", "account_sid", "created_at"),
)
