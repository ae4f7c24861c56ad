"""How the records of pages and of refusals lie in their tables."""

from watchword.refused import Refused
from watchword.store.rows import Found, Row, from_ms, to_ms
from watchword.visits import AuditEntry, PageSession, PageStatus, Visitor


def page_row(page: PageSession) -> Row:
    return {
        "sid": page.sid,
        "service_sid": page.service_sid,
        "account_sid": page.account_sid,
        "status": page.status.value,
        "sealed": page.sealed,
        "created_at": to_ms(page.created_at),
        "updated_at": to_ms(page.updated_at),
        "expires_at": to_ms(page.expires_at),
    }


def page_record(row: Found) -> PageSession:
    return PageSession(
        sid=row.sid,
        service_sid=row.service_sid,
        account_sid=row.account_sid,
        status=PageStatus(row.status),
        sealed=row.sealed,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
        expires_at=from_ms(row.expires_at),
    )


def audit_row(entry: AuditEntry) -> Row:
    return {
        "sid": entry.sid,
        "account_sid": entry.account_sid,
        "operator": entry.operator,
        "action": entry.action,
        "target": entry.target,
        "created_at": to_ms(entry.created_at),
    }


def audit_record(row: Found) -> AuditEntry:
    return AuditEntry(
        sid=row.sid,
        account_sid=row.account_sid,
        operator=row.operator,
        action=row.action,
        target=row.target,
        created_at=from_ms(row.created_at),
    )


def visitor_row(visitor: Visitor) -> Row:
    return {"key": visitor.key, "sends": visitor.sends, "since": to_ms(visitor.since)}


def visitor_record(row: Found) -> Visitor:
    return Visitor(key=row.key, sends=row.sends, since=from_ms(row.since))


def refused_row(refused: Refused) -> Row:
    return {
        "key": refused.key,
        "account_sid": refused.account_sid,
        "service_sid": refused.service_sid,
        "reason": refused.reason,
        "country": refused.country,
        "prefix": refused.prefix,
        "times": refused.count,
        "created_at": to_ms(refused.created_at),
    }


def refused_record(row: Found) -> Refused:
    return Refused(
        account_sid=row.account_sid,
        service_sid=row.service_sid,
        reason=row.reason,
        country=row.country,
        prefix=row.prefix,
        created_at=from_ms(row.created_at),
        count=row.times,
    )
