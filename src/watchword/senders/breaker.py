"""A circuit breaker: a sender that keeps failing rests, then is tried with one message."""

from collections.abc import Callable
from enum import StrEnum

FAULTS_TO_OPEN = 5
REST_SECONDS = 30.0
LONGEST_REST = 300.0  # seconds; a provider's Retry-After is believed up to here


class State(StrEnum):
    """Whether messages pass."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class Breaker:
    """Count faults in a row; `now` is a steady clock in seconds."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        faults_to_open: int = FAULTS_TO_OPEN,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._now = now
        self._faults_to_open = faults_to_open
        self._rest_seconds = rest_seconds
        self._faults = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        if self._open_until is None:
            return State.CLOSED
        return State.OPEN if self._now() < self._open_until else State.HALF_OPEN

    def admits(self) -> bool:
        """Say whether a message may pass; after the rest, one may, until its end is known."""
        match self.state:
            case State.CLOSED:
                return True
            case State.OPEN:
                return False
        if self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Close: the sender works."""
        self._faults, self._open_until, self._probing = 0, None, False

    def failed(self, retry_after: float | None = None) -> None:
        """Count a fault; open at the fifth, at a failed trial, or when the provider says so."""
        self._faults += 1
        half_open = self._probing and self.state is State.HALF_OPEN
        self._probing = False
        if half_open or retry_after or self._faults >= self._faults_to_open:
            rest = min(retry_after or self._rest_seconds, LONGEST_REST)
            self._open_until = self._now() + rest
