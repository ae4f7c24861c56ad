"""Routes: which senders a message may take, and in what order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from watchword.model import Channel

NAMED = 100  # above any prefix


class Pick(StrEnum):
    """How a route's senders are ordered: as written, cheapest first, or drawn by weight."""

    ORDER = "order"
    COST = "cost"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Choice:
    """One sender of a route."""

    sender: str
    weight: int = 1
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """The senders for a channel; without countries and prefixes, for everybody else."""

    channel: Channel
    choices: tuple[Choice, ...]
    countries: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    pick: Pick = Pick.ORDER
    messaging_services: frozenset[str] = frozenset()


def find_route(
    routes: Sequence[Route],
    channel: Channel,
    to: str,
    country: str,
    messaging_service: str | None = None,
) -> Route | None:
    """Return the route with the longest prefix that fits, else the country's, else the rest's.

    A route that names the messaging service which the Verify service has set comes before all.
    """
    best: Route | None = None
    best_rank = -1
    for route in routes:
        if route.channel is not channel:
            continue
        rank = _rank(route, to, country, messaging_service)
        if rank > best_rank:
            best, best_rank = route, rank
    return best


def in_order(route: Route, attempt_sid: str) -> list[Choice]:
    """Return a route's senders in the order to try them.

    By weight, the first is drawn by the attempt's random sid, the others follow as written.
    """
    choices = list(route.choices)
    if route.pick is Pick.COST:
        return sorted(choices, key=lambda choice: choice.cost)
    if route.pick is Pick.WEIGHT:
        drawn = int(attempt_sid[-12:], 16) % sum(choice.weight for choice in choices)
        for choice in choices:
            drawn -= choice.weight
            if drawn < 0:
                return [choice, *(other for other in choices if other is not choice)]
    return choices


def _rank(route: Route, to: str, country: str, messaging_service: str | None) -> int:
    """Say how closely a route fits: a prefix by its length, a country above none; -1 for never."""
    if route.messaging_services:
        if messaging_service not in route.messaging_services:
            return -1
        return NAMED + max(0, _place(route, to, country))
    return _place(route, to, country)


def _place(route: Route, to: str, country: str) -> int:
    fitting = [len(prefix) for prefix in route.prefixes if to.startswith(prefix)]
    if fitting:
        return 1 + max(fitting)
    if country in route.countries:
        return 1
    return -1 if route.prefixes or route.countries else 0
