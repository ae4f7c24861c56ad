"""`/metrics`: what the workers do and how the senders are doing, for whoever has the token.

Without `WATCHWORD_METRICS_TOKEN` there is no such page. Nothing in it names a person: the labels
are our own words, Twilio's codes, the senders' names and the worker.
docs/how-to/watch-it.md says what each one means.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchword.board import Board, Worker
from watchword.exposition import TYPE, Sample, lines_of
from watchword.health import Health
from watchword.record import Record
from watchword.senders.breaker import State


class Family(Record, frozen=True):
    """One metric, and how it is read from what a worker tells; its name is on every sample."""

    name: str
    kind: str
    help: str
    samples: Callable[[Worker], Iterable[Sample]]

    def lines(self, workers: Sequence[Worker]) -> Iterator[str]:
        """Write the samples of every worker, each with its worker's label."""
        told = (
            ({**labels, "worker": worker.pid}, value)
            for worker in workers
            for labels, value in self.samples(worker)
        )
        return lines_of(f"watchword_{self.name}", self.kind, self.help, told)


def metrics_routes(
    board: Board | None, tell: Callable[[], Worker], health: Health, token: str
) -> list[Route]:
    """Return the page's route, or none where nobody may see it; `tell` is for this worker."""
    if board is None or not token:
        return []

    async def show(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        is_up = not await health.trouble()
        board.write(tell())  # first, or the next worker asked would say less of this one
        return PlainTextResponse(exposition(board.read(), is_up=is_up), media_type=TYPE)

    return [Route("/metrics", show)]


def exposition(workers: Sequence[Worker], *, is_up: bool) -> str:
    """Return the figures of every worker as Prometheus reads them."""
    lines = [
        *lines_of(
            "watchword_workers",
            "gauge",
            "Workers that told of themselves lately.",
            [({}, len(workers))],
        ),
        *lines_of("watchword_store_up", "gauge", "1 when the store answers.", [({}, int(is_up))]),
    ]
    for family in FAMILIES:
        lines += family.lines(workers)
    return "\n".join(lines) + "\n"


def _requests(worker: Worker) -> Iterator[Sample]:
    for kind, answers in worker.counts.answers():
        for status, count in answers.by_status.items():
            yield {"kind": kind, "status": status}, count


def _errors(worker: Worker) -> Iterator[Sample]:
    for kind, answers in worker.counts.answers():
        for code, count in answers.by_code.items():
            yield {"kind": kind, "code": code}, count


def _sends(worker: Worker) -> Iterator[Sample]:
    for health in worker.senders:
        for result in ("sent", "failed", "unknown"):
            yield {"sender": health.name, "result": result}, getattr(health, result)


def _states(worker: Worker) -> Iterator[Sample]:
    for health in worker.senders:
        for state in State:
            yield {"sender": health.name, "state": state}, int(health.state is state)


def _of(name: str) -> Callable[[Worker], Iterable[Sample]]:
    """Read one of the counts as it is."""
    return lambda worker: [({}, getattr(worker.counts, name))]


def _by(label: str, name: str) -> Callable[[Worker], Iterable[Sample]]:
    """Read one of the counts that are kept by something."""
    return lambda worker: [
        ({label: key}, count) for key, count in getattr(worker.counts, name).items()
    ]


FAMILIES = (
    Family(
        "requests_total", "counter", "Requests to /v2 answered, by kind and HTTP status.", _requests
    ),
    Family(
        "request_errors_total",
        "counter",
        "Requests to /v2 answered with an error, by kind and Twilio code.",
        _errors,
    ),
    Family(
        "rule_refusals_total",
        "counter",
        "Starts, checks and pages refused, by the rule that refused.",
        _by("rule", "rules"),
    ),
    Family(
        "overload_refusals_total",
        "counter",
        "Requests refused with 503 for want of room.",
        _of("overloads"),
    ),
    Family("requests_in_progress", "gauge", "Requests let in and not yet answered.", _of("inside")),
    Family(
        "requests_waiting", "gauge", "Requests in the queue before a transaction.", _of("waiting")
    ),
    Family("messages_in_progress", "gauge", "Messages that senders wait for.", _of("sending")),
    Family(
        "batch_commands", "histogram", "Commands that shared a transaction.", _of("batch_commands")
    ),
    Family(
        "batch_duration_seconds",
        "histogram",
        "How long a transaction took, its commit included.",
        _of("batch_seconds"),
    ),
    Family(
        "verifications_started_total",
        "counter",
        "Verifications started.",
        _by("channel", "started"),
    ),
    Family(
        "verifications_approved_total",
        "counter",
        "Verifications approved.",
        _by("channel", "approved"),
    ),
    Family(
        "messages_total",
        "counter",
        "Messages with a code handed to be sent, resends among them.",
        _by("channel", "messages"),
    ),
    Family("wrong_codes_total", "counter", "Checks whose code was wrong.", _of("wrong_codes")),
    Family("sends_total", "counter", "Messages, by what the sender said.", _sends),
    Family("sender_state", "gauge", "1 for the state the breaker is in.", _states),
    Family(
        "send_duration_seconds",
        "histogram",
        "How long a sender took to answer.",
        lambda worker: [({"sender": health.name}, health.took) for health in worker.senders],
    ),
)
