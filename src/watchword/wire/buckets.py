"""Buckets: the windows of a rate limit."""

from typing import Any

from watchword.commands.rate_limits import (
    CreateBucket,
    DeleteBucket,
    UpdateBucket,
    find_bucket,
    find_rate_limit,
)
from watchword.commands.services import ReadService
from watchword.tenants import Bucket
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Parameter, integer

MOST, LONGEST = 1_000_000, 30 * 24 * 3600  # ours: Twilio names no bounds

MAX = Parameter("Max", integer(1, MOST), "starts within the interval", required=True)
INTERVAL = Parameter("Interval", integer(1, LONGEST), "the window in seconds", required=True)
CREATE = (MAX, INTERVAL)
UPDATE = (MAX.optional(), INTERVAL.optional())


def create(asked: Asked, service_sid: str, limit_sid: str) -> Call:
    """Give a rate limit another window."""
    command = CreateBucket(
        service_sid, asked.account_sid, limit_sid, asked.get("Max"), asked.get("Interval")
    )
    return Call(command, lambda bucket: show(bucket, asked, service_sid, limit_sid))


def list_all(asked: Asked, service_sid: str, limit_sid: str) -> Call:
    """List a rate limit's buckets, newest first."""
    source = ReadService(
        service_sid, asked.account_sid, lambda service: find_rate_limit(service, limit_sid).buckets
    )
    return listing(
        asked, "buckets", source, lambda bucket: show(bucket, asked, service_sid, limit_sid)
    )


def fetch(asked: Asked, service_sid: str, limit_sid: str, sid: str) -> Call:
    """Show a bucket."""
    reading = ReadService(
        service_sid,
        asked.account_sid,
        lambda service: find_bucket(find_rate_limit(service, limit_sid), sid),
    )
    return Call(reading, lambda bucket: show(bucket, asked, service_sid, limit_sid))


def update(asked: Asked, service_sid: str, limit_sid: str, sid: str) -> Call:
    """Change a bucket; its count goes on."""
    command = UpdateBucket(
        service_sid, asked.account_sid, limit_sid, sid, asked.get("Max"), asked.get("Interval")
    )
    return Call(command, lambda bucket: show(bucket, asked, service_sid, limit_sid))


def delete(asked: Asked, service_sid: str, limit_sid: str, sid: str) -> Call:
    """Take a bucket away."""
    return Call(DeleteBucket(service_sid, asked.account_sid, limit_sid, sid))


def show(bucket: Bucket, asked: Asked, service_sid: str, limit_sid: str) -> dict[str, Any]:
    """Show a Bucket resource, every key present."""
    parent = f"{asked.base_url}/v2/Services/{service_sid}/RateLimits/{limit_sid}"
    return {
        "sid": bucket.sid,
        "rate_limit_sid": limit_sid,
        "service_sid": service_sid,
        "account_sid": asked.account_sid,
        "max": bucket.max,
        "interval": bucket.interval,
        "date_created": timestamp(bucket.created_at),
        "date_updated": timestamp(bucket.updated_at),
        "url": f"{parent}/Buckets/{bucket.sid}",
    }
