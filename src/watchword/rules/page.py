"""The hosted page's steps: a number given, a code sent, guesses spent, approved.

What a person sees follows from their own visit alone. What others did to the number never shows:
a send that is refused because of them looks like one that was made.
"""

from datetime import datetime, timedelta

from watchword.errors import PageRefused
from watchword.model import Channel
from watchword.record import Record, replace
from watchword.visits import Visitor

LIFE = timedelta(minutes=30)
RESULT_LIFE = timedelta(seconds=60)
MAX_SENDS = 6  # in one visit: the ladder's four steps, and two for a number mistyped
MAX_GUESSES = 5  # a code: Twilio closes a verification after five
MAX_GUESSES_IN_ALL = 15
ADDRESS_SENDS = 20  # codes one network address may ask for in an hour
ADDRESS_WINDOW = timedelta(hours=1)


class Look(Record, frozen=True):
    """How the app wants the page to look."""

    name: str
    accent: str = ""
    logo: str = ""
    radius: str = ""


class Visit(Record, frozen=True):
    """What a page session holds of its visit; it lies sealed in the store."""

    user_id: str
    return_url: str
    look: Look
    code_length: int
    modal: bool = False
    locale: str = ""
    country: str = ""
    channels: tuple[Channel, ...] = (Channel.SMS,)
    to: str | None = None
    to_is_given: bool = False  # by the app: the person cannot change it
    browser: str | None = None  # a fingerprint of the browser that has taken the page up
    asked: bool = False  # a code was asked for, so the page is at the code
    verification_sid: str | None = None
    channel: Channel = Channel.SMS
    sends: int = 0
    guesses: int = 0
    guesses_in_all: int = 0
    retry_at: datetime | None = None
    code_ends_at: datetime | None = None
    result_given: bool = False


def is_by_mail(visit: Visit) -> bool:
    """Tell whether the visit is about an e-mail address rather than a phone."""
    return visit.channels == (Channel.EMAIL,)


def take_up(visit: Visit, browser: str) -> Visit:
    """Bind the page to the first browser that acts on it; refuse every other."""
    if visit.browser not in (None, browser):
        raise PageRefused("elsewhere")
    return replace(visit, browser=browser)


def give_number(visit: Visit, to: str | None) -> Visit:
    """Take a number, to be read back; None takes it away again."""
    if visit.to_is_given:
        raise PageRefused("form")
    return replace(
        visit,
        to=to,
        asked=False,
        verification_sid=None,
        guesses=0,
        retry_at=None,
        code_ends_at=None,
    )


def take_send(visit: Visit, channel: Channel, now: datetime) -> Visit:
    """Spend one of the visit's sends; refuse inside the wait and after the last one."""
    if visit.to is None or channel not in visit.channels:
        raise PageRefused("form")
    if visit.asked and visit.retry_at is not None and now < visit.retry_at:
        raise PageRefused("early", until=visit.retry_at)
    if visit.sends >= MAX_SENDS or visit.guesses_in_all >= MAX_GUESSES_IN_ALL:
        raise PageRefused("sends")
    return replace(visit, sends=visit.sends + 1, channel=channel)


def take_address_send(visitor: Visitor | None, key: str, now: datetime) -> Visitor:
    """Count one send of a network address; refuse when it has had its share of the hour."""
    if visitor is None or now >= visitor.since + ADDRESS_WINDOW:
        return Visitor(key, 1, now)
    if visitor.sends >= ADDRESS_SENDS:
        raise PageRefused("network")
    return replace(visitor, key=key, sends=visitor.sends + 1)


def code_would_end(visit: Visit, now: datetime, ttl: timedelta) -> datetime:
    """Return when a code ends that was not sent because of others: as if it had been."""
    running = visit.code_ends_at is not None and now < visit.code_ends_at
    return visit.code_ends_at if running and visit.code_ends_at else now + ttl


def sent(
    visit: Visit,
    verification_sid: str | None,
    now: datetime,
    retry_at: datetime,
    code_ends_at: datetime,
) -> Visit:
    """Go on to the code; once the one before has ended, its guesses are forgotten."""
    fresh = visit.code_ends_at is None or now >= visit.code_ends_at
    return replace(
        visit,
        asked=True,
        verification_sid=verification_sid,
        guesses=0 if fresh else visit.guesses,
        retry_at=retry_at,
        code_ends_at=code_ends_at,
    )


def take_guess(visit: Visit, now: datetime) -> Visit:
    """Spend one guess before it is compared."""
    if not visit.asked or visit.code_ends_at is None:
        raise PageRefused("form")
    if now >= visit.code_ends_at:
        raise PageRefused("expired")
    if visit.guesses_in_all >= MAX_GUESSES_IN_ALL:
        raise PageRefused("sends")
    if visit.guesses >= MAX_GUESSES:
        raise PageRefused("locked", until=visit.retry_at)
    spent = replace(visit, guesses=visit.guesses + 1, guesses_in_all=visit.guesses_in_all + 1)
    if spent.guesses < MAX_GUESSES or spent.retry_at is None:
        return spent
    return replace(spent, retry_at=max(spent.retry_at, visit.code_ends_at))


def guesses_left(visit: Visit) -> int:
    """Return how many guesses the visit has for its code."""
    return min(MAX_GUESSES - visit.guesses, MAX_GUESSES_IN_ALL - visit.guesses_in_all)


def why_code_is_over(visit: Visit, now: datetime) -> str:
    """Return the reason why no guess can be spent on the visit's code, or "" when one can."""
    try:
        take_guess(visit, now)
    except PageRefused as refusal:
        return refusal.reason
    return ""
