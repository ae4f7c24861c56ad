"""`/metrics`: how the senders are doing, in Prometheus' text format, for whoever has the token.

Without `WATCHWORD_METRICS_TOKEN` there is no such page. Nothing in it names a person: the labels
are the senders' own names, what became of messages, and the worker.
"""

import hmac
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchword.senders.board import Board, Worker
from watchword.senders.breaker import State
from watchword.senders.dispatch import BUCKETS

TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_routes(board: Board | None, token: str) -> list[Route]:
    """Return the page's route, or none where nobody may see it."""
    if board is None or not token:
        return []

    async def show(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return PlainTextResponse(exposition(board.read()), media_type=TYPE)

    return [Route("/metrics", show)]


def exposition(workers: Sequence[Worker]) -> str:
    """Return the figures of every worker as Prometheus reads them."""
    return "\n".join(_lines(workers)) + "\n"


def _lines(workers: Sequence[Worker]) -> Iterator[str]:
    lanes = [
        (f'sender="{_escaped(x.name)}",worker="{w.pid}"', x) for w in workers for x in w.senders
    ]
    yield from _head("watchword_workers", "gauge", "Workers that told of themselves lately.")
    yield f"watchword_workers {len(workers)}"
    yield from _head("watchword_sends_total", "counter", "Messages, by what the sender said.")
    for labels, health in lanes:
        for result in ("sent", "failed", "unknown"):
            count = getattr(health, result)
            yield f'watchword_sends_total{{{labels},result="{result}"}} {count}'
    yield from _head("watchword_sender_state", "gauge", "1 for the state the breaker is in.")
    for labels, health in lanes:
        for state in State:
            is_in = int(health.state is state)
            yield f'watchword_sender_state{{{labels},state="{state}"}} {is_in}'
    name = "watchword_send_duration_seconds"
    yield from _head(name, "histogram", "How long a sender took to answer.")
    for labels, health in lanes:
        total = 0
        for bound, count in zip(BUCKETS, health.buckets, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound:g}"}} {total}'
        yield f'{name}_bucket{{{labels},le="+Inf"}} {health.count}'
        yield f"{name}_sum{{{labels}}} {health.seconds_sum:.6f}"
        yield f"{name}_count{{{labels}}} {health.count}"


def _head(name: str, kind: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
