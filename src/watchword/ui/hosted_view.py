"""What the hosted page shows at each turn: the step, its values, its words for what went wrong."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from watchword.commands.pages import OpenedPage
from watchword.engine import Engine
from watchword.errors import NotFound
from watchword.mailbox import mask_mailbox
from watchword.model import Channel
from watchword.phone import mask
from watchword.rules import page as rules
from watchword.rules.page import Visit
from watchword.ui.look import HEADERS, environment, policy
from watchword.ui.phones import pretty
from watchword.ui.returns import origin_of
from watchword.ui.visitor import Browser
from watchword.ui.words import Words, choose, countries_in
from watchword.visits import PageStatus

FEW_GUESSES = 2  # so many left are worth a word
GONE = ("elsewhere", "closed")  # steps at which nothing can be done


@dataclass(slots=True)
class Turn:
    """One request at the page: who is there, in which language, and what is known so far."""

    request: Request
    browser: Browser
    words: Words
    region: str
    opened: OpenedPage | None = None
    form: FormData | None = None

    @property
    def sid(self) -> str:
        return str(self.request.path_params["sid"])

    @property
    def visit(self) -> Visit:
        """Return the visit; a turn that has none never gets this far."""
        if self.opened is None:
            raise NotFound("page")
        return self.opened.visit

    def field(self, name: str) -> str:
        """Return one field of the form."""
        value = self.form.get(name, "") if self.form is not None else ""
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with a form: the name of its words, and what the person had typed."""

    name: str = ""
    status: int = 200
    typed: str = ""
    country: str = ""
    until: datetime | None = None


NO_TROUBLE = Trouble()


def step_of(turn: Turn) -> str:
    if turn.opened is None:
        return "closed"
    visit, stands = turn.opened.visit, turn.opened.session.status
    if visit.browser not in (None, turn.browser.fingerprint):
        return "elsewhere"
    if stands is PageStatus.APPROVED:
        return "done"
    if stands is not PageStatus.OPEN:
        return "closed"
    if visit.asked:
        return "code"
    return "confirm" if visit.to else "number"


def show(engine: Engine, turn: Turn, trouble: Trouble = NO_TROUBLE, result: str = "") -> Response:
    """Draw the page at the step the person is at."""
    step, now = step_of(turn), engine.clock.now()
    over = rules.why_code_is_over(turn.visit, now) if step == "code" else ""
    if over and trouble.name in ("", "length", "code"):
        trouble = Trouble(over, trouble.status)
    status = trouble.status
    if step in GONE:
        trouble, status = NO_TROUBLE, 404 if turn.opened is None else 409
    values: dict[str, Any] = {
        "step": step,
        "over": over,
        "words": turn.words,
        "error": _explain(turn, trouble, now) if trouble.name else "",
        "at_fault": trouble.name in ("number", "length", "code"),
        "typed": trouble.typed,
        "result": result,
    }
    if turn.opened is not None and step != "elsewhere":
        values |= _values(engine, turn, trouble.country, now)
    html = environment.get_template("verify.html").render(values)
    response = HTMLResponse(html, status_code=status, headers=headers_of(turn))
    if turn.opened is not None:
        turn.browser.keep(response, modal=turn.visit.modal)
    return response


def show_unavailable(request: Request) -> Response:
    """Say that the store does not answer, in the browser's language: of the page nothing is known.

    The page is asked for once more by a link, which changes nothing, whatever the form was.
    """
    words, _ = choose("", request.headers.get("accept-language", ""))
    values = {
        "step": "unavailable",
        "over": "",
        "words": words,
        "error": words("error.unavailable"),
        "at_fault": False,
        "sid": request.path_params["sid"],
    }
    html = environment.get_template("verify.html").render(values)
    return HTMLResponse(html, 503, {**NOBODYS, "Retry-After": "5"})


NOBODYS = HEADERS | {"Content-Security-Policy": policy(), "X-Frame-Options": "DENY"}


def headers_of(turn: Turn) -> dict[str, str]:
    if turn.opened is None:
        return NOBODYS
    visit = turn.opened.visit
    home = origin_of(visit.return_url)
    logo = origin_of(visit.look.logo) if visit.look.logo else ""
    frames = home if visit.modal else "'none'"
    csp = policy(frames=frames, images=logo, targets=home)
    framing = {} if visit.modal else {"X-Frame-Options": "DENY"}
    allowed = {"Permissions-Policy": "otp-credentials=(self)"}
    return HEADERS | framing | allowed | {"Content-Security-Policy": csp}


def _values(engine: Engine, turn: Turn, country: str, now: datetime) -> dict[str, Any]:
    visit, words = turn.visit, turn.words
    number = ""
    by_mail = rules.is_by_mail(visit)
    if visit.to and by_mail:
        number = mask_mailbox(visit.to) if visit.to_is_given else visit.to
    elif visit.to:
        number = mask(visit.to) if visit.to_is_given else pretty(visit.to)
    return {
        "by_mail": by_mail,
        "sid": turn.sid,
        "look": visit.look,
        "form": turn.browser.form_token(engine, turn.sid),
        "number": Markup('<bdi dir="ltr">{}</bdi>').format(number),
        "given": visit.to_is_given,
        "length": visit.code_length,
        "minutes": words.duration(int(engine.policy.ttl.total_seconds())),
        "countries": countries_in(words.language) if step_of(turn) == "number" else (),
        "country": country or visit.country or turn.region,
        "channels": [channel.value for channel in offered(visit.channels, engine.channels)],
        "left": _seconds_until(visit.retry_at, now),
        "waits": ", ".join(
            words.duration(int(wait.total_seconds())) for wait in engine.policy.ladder
        ),
        "parent": origin_of(visit.return_url) if visit.modal else "",
        "back": visit.return_url,
    }


def offered(wanted: tuple[Channel, ...], served: frozenset[Channel]) -> tuple[Channel, ...]:
    """Return the channels to offer: those that somebody delivers on, else the first."""
    return tuple(channel for channel in wanted if channel in served) or wanted[:1]


def _explain(turn: Turn, trouble: Trouble, now: datetime) -> Markup:
    words, error = turn.words, trouble.name
    if error == "length":
        return words("error.length", length=turn.visit.code_length)
    if error in ("early", "locked"):
        left = _seconds_until(trouble.until or turn.visit.retry_at, now)
        return words(f"error.{error}", time=words.duration(left))
    said = words(f"error.{error}")
    left = rules.guesses_left(turn.visit) if error == "code" else FEW_GUESSES + 1
    return said + " " + words("error.left", count=left) if left <= FEW_GUESSES else said


def _seconds_until(moment: datetime | None, now: datetime) -> int:
    return max(0, math.ceil((moment - now).total_seconds())) if moment else 0
