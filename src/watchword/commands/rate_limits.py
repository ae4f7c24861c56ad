"""Rate limits and their buckets: made, changed and deleted within their service's row."""

import re

from watchword.commands.base import Context, Decision
from watchword.commands.services import changed, owned_service
from watchword.errors import (
    BadUniqueName,
    BucketExists,
    NotFound,
    RateLimitExists,
    TooManyBuckets,
    TooManyRateLimits,
)
from watchword.keys import Keyring
from watchword.record import Record, replace
from watchword.store.base import Keys, Rows
from watchword.tenants import Bucket, RateLimit, Service

MOST_RATE_LIMITS = MOST_BUCKETS = 20  # Twilio has such limits (60207, 60210), but names no number
UNIQUE_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


class _InService(Record, frozen=True):
    """What every command here has: the service it is about."""

    service_sid: str
    account_sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Service, self.service_sid)


class CreateRateLimit(_InService, frozen=True):
    """Make a rate limit; it limits nothing until it has a bucket."""

    unique_name: str
    description: str | None = None

    def decide(self, rows: Rows, context: Context) -> Decision[RateLimit]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        if not UNIQUE_NAME.fullmatch(self.unique_name):
            raise BadUniqueName
        if any(limit.unique_name == self.unique_name for limit in service.rate_limits):
            raise RateLimitExists
        if len(service.rate_limits) >= MOST_RATE_LIMITS:
            raise TooManyRateLimits
        sid, now = context.new_sid("RK"), context.now
        made = RateLimit(sid, self.unique_name, self.description, now, now)
        written = changed(service, context, rate_limits=(*service.rate_limits, made))
        return Decision(written.changes, made)


class UpdateRateLimit(_InService, frozen=True):
    """Describe a rate limit anew."""

    sid: str
    description: str | None

    def decide(self, rows: Rows, context: Context) -> Decision[RateLimit]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        limit = find_rate_limit(service, self.sid)
        after = replace(limit, description=self.description)
        return _with_limit(service, context, limit, after)


class DeleteRateLimit(_InService, frozen=True):
    """Delete a rate limit with its buckets."""

    sid: str

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        gone = find_rate_limit(service, self.sid)
        kept = tuple(limit for limit in service.rate_limits if limit is not gone)
        return Decision(changed(service, context, rate_limits=kept).changes, None)


class CreateBucket(_InService, frozen=True):
    """Give a rate limit another window."""

    rate_limit_sid: str
    max: int
    interval: int

    def decide(self, rows: Rows, context: Context) -> Decision[Bucket]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        limit = find_rate_limit(service, self.rate_limit_sid)
        _refuse_same_interval(limit, self.interval)
        if len(limit.buckets) >= MOST_BUCKETS:
            raise TooManyBuckets
        now = context.now
        made = Bucket(context.new_sid("BL"), self.max, self.interval, now, now)
        after = replace(limit, buckets=(*limit.buckets, made))
        return Decision(_with_limit(service, context, limit, after).changes, made)


class UpdateBucket(_InService, frozen=True):
    """Change a window; its count goes on."""

    rate_limit_sid: str
    sid: str
    max: int | None = None
    interval: int | None = None

    def decide(self, rows: Rows, context: Context) -> Decision[Bucket]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        limit = find_rate_limit(service, self.rate_limit_sid)
        bucket = find_bucket(limit, self.sid)
        interval = self.interval or bucket.interval
        if interval != bucket.interval:
            _refuse_same_interval(limit, interval)
        after = replace(bucket, max=self.max or bucket.max, interval=interval)
        if after != bucket:
            after = replace(after, updated_at=context.now)
        buckets = tuple(after if each is bucket else each for each in limit.buckets)
        written = _with_limit(service, context, limit, replace(limit, buckets=buckets))
        return Decision(written.changes, after)


class DeleteBucket(_InService, frozen=True):
    """Take a window away."""

    rate_limit_sid: str
    sid: str

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        service = owned_service(rows, self.service_sid, self.account_sid)
        limit = find_rate_limit(service, self.rate_limit_sid)
        gone = find_bucket(limit, self.sid)
        kept = tuple(bucket for bucket in limit.buckets if bucket is not gone)
        written = _with_limit(service, context, limit, replace(limit, buckets=kept))
        return Decision(written.changes, None)


def find_rate_limit(service: Service, sid: str) -> RateLimit:
    """Return a service's rate limit; refuse with NotFound when there is none of that sid."""
    found = next((limit for limit in service.rate_limits if limit.sid == sid), None)
    if found is None:
        raise NotFound("rate limit")
    return found


def find_bucket(limit: RateLimit, sid: str) -> Bucket:
    """Return a rate limit's bucket; refuse with NotFound when there is none of that sid."""
    found = next((bucket for bucket in limit.buckets if bucket.sid == sid), None)
    if found is None:
        raise NotFound("bucket")
    return found


def _refuse_same_interval(limit: RateLimit, interval: int) -> None:
    if any(bucket.interval == interval for bucket in limit.buckets):
        raise BucketExists


def _with_limit(
    service: Service, context: Context, before: RateLimit, after: RateLimit
) -> Decision[RateLimit]:
    if after == before:
        return Decision(changed(service, context).changes, before)
    after = replace(after, updated_at=context.now)
    limits = tuple(after if limit is before else limit for limit in service.rate_limits)
    return Decision(changed(service, context, rate_limits=limits).changes, after)
