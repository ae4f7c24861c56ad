"""A rate limit: each of its buckets counts the starts of its window, and a full one refuses."""

import math
from datetime import datetime, timedelta

from watchword.errors import RateLimited
from watchword.model import RateWindow, Tally
from watchword.record import replace
from watchword.tenants import RateLimit


def count_start(limit: RateLimit, window: RateWindow, now: datetime) -> RateWindow:
    """Count one start in every bucket; refuse with RateLimited, counting nothing, if one is full.

    A window opens with its first start and ends when its interval is over. The wait that is
    named is the longest, so that a start after it is let through.
    """
    open_tallies = {tally.bucket_sid: tally for tally in window.tallies}
    counted: list[Tally] = []
    wait = timedelta(0)
    ends_at = now
    for bucket in limit.buckets:
        interval = timedelta(seconds=bucket.interval)
        tally = open_tallies.get(bucket.sid)
        if tally is None or now >= tally.opened_at + interval:
            tally = Tally(bucket.sid, now, 0)
        end = tally.opened_at + interval
        if tally.count >= bucket.max:
            wait = max(wait, end - now)
        ends_at = max(ends_at, end)
        counted.append(replace(tally, count=tally.count + 1))
    if wait:
        raise RateLimited(limit.unique_name, retry_after=math.ceil(wait.total_seconds()))
    return replace(window, tallies=tuple(counted), ends_at=ends_at)
