"""What becomes of a message: news in any order, heard twice or late, move it forwards only."""

from watchword.model import Attempt, Delivery
from watchword.record import replace

RANK = {
    Delivery.QUEUED: 0,
    Delivery.UNKNOWN: 1,
    Delivery.SENT: 2,
    Delivery.FAILED: 3,
    Delivery.UNDELIVERED: 3,
    Delivery.DELIVERED: 4,
    Delivery.READ: 5,
}
FACTS = ("sender", "message_id", "error_code", "price", "currency", "mcc", "mnc")


def merge(stored: Attempt, news: Attempt) -> Attempt:
    """Return the attempt with what is new: the further status, and every fact that was missing.

    A price or an error code heard later takes the place of one heard before.
    """
    known = {name: value for name in FACTS if (value := getattr(news, name)) is not None}
    if RANK[news.status] <= RANK[stored.status]:
        missing = {name: value for name, value in known.items() if getattr(stored, name) is None}
        return replace(stored, **missing)
    return replace(stored, status=news.status, reason=news.reason, **known)
