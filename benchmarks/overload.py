"""More than it can carry: what is let in is answered in time, the rest is told to come back.

Arrivals come at a rate of their own, whatever the server does with them, over as many connections
as they need. Then one number, and then one account, asks without end while others go on.
"""

import json
import resource
from itertools import count

from twilio.rest import Client

from benchmarks.figures import LeftOut, Report, Run
from benchmarks.load import Load, Refused, Result, Stream, percentile
from benchmarks.servers import Running, watchword
from benchmarks.talks import One, Pair, Template, get, login, start_body
from tests.server import watchword as command_line
from watchword.home import Credentials

TIMES = 3  # what saturates
TIMES_NORMAL = 3  # the p99 of what is let in, over its p99 at half of what saturates
QUIET_SHARE = 0.95  # of an account's requests are answered while another one floods
HEALTH_MS = 100
MANY = 2_000  # connections of the flood
HEALTH_RATE = 20
QUIET = 0.1  # of what saturates: the load of those who do nothing wrong


def overload(run: Run) -> Report:
    """Three times what one worker on a SQLite file can carry; a hot number; a hot account."""
    _allow_connections(2 * MANY)
    report = Report()
    with watchword(1) as server:
        pairs, numbers = Pair(server.known), count()

        def stream(rate: float | None, connections: int, talk: Pair = pairs) -> Stream:
            return Stream(talk, connections, rate, numbers)

        def drive(*streams: Stream) -> list[Result]:
            return Load(server.address, streams).run(run.seconds)

        full = drive(stream(None, run.connections))[0]
        if not full.done:
            raise LeftOut(f"no pair was answered: {full.example}")
        rate = full.per_second
        normal = percentile(drive(stream(rate / 2, MANY))[0].requests, 0.99)
        report.add("pairs per second, saturated", rate, "pairs/s")
        report.add("p99 of a request at half that", normal, "ms")
        health = Stream(One(get("/healthz")), 8, HEALTH_RATE)
        flood, healthy = drive(stream(TIMES * rate, MANY), health)
        _tell_flood(report, flood, full, normal)
        slowest = percentile(healthy.talks, 0.99)
        report.add("p99 of /healthz meanwhile", slowest, "ms", HEALTH_MS, at_most=True)

        same = Stream(SameNumber(server.known), run.connections)
        _, others = drive(same, stream(QUIET * rate, MANY))
        _tell_quiet(report, "hot number", others, normal)

        quiet = Pair(_another_account(server))
        loud, others = drive(stream(TIMES * rate, MANY), stream(QUIET * rate, MANY, quiet))
        _tell_quiet(report, "hot account", others, normal)
        wrong = [result for result in (full, flood, healthy, loud, others) if result.wrong]
        report.add("wrong answers", sum(result.wrong for result in wrong), "", 0, at_most=True)
        report.conditions = {
            "durability": server.durability,
            "workers": 1,
            "asked of it": f"{TIMES} × what saturates, open loop, up to {MANY:,} connections",
            "others": f"{QUIET:.0%} of what saturates",
            "client's share of a core, flood": round(flood.client_share, 2),
            "pairs that found no connection": flood.left,
            "wrong": wrong[0].example if wrong else "",
        }
    return report


class SameNumber:
    """Starts for one number without end; a no is an answer like any other."""

    def __init__(self, known: Credentials) -> None:
        path = f"/v2/Services/{known.service_sid}/Verifications"
        self._start = Template(path, start_body(), login(known))

    def first(self, number: int) -> bytes:
        return self._start.fill(0)

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        if answer.startswith(b"HTTP/1.1 503"):
            raise Refused(b"retry-after:" in answer.lower())
        return None


def _tell_flood(report: Report, flood: Result, full: Result, normal: float) -> None:
    asked = len(flood.requests) + flood.refused
    late = percentile(flood.requests, 0.99)
    report.add("p99 of a request let in, at 3 times", late, "ms")
    report.add("that over normal", late / normal, "times", TIMES_NORMAL, at_most=True)
    report.add("answered, of what saturates", len(flood.requests) / len(full.requests), "")
    report.add("refused with 503", flood.refused / max(asked, 1), "of the asked")
    polite = flood.refused_politely / flood.refused if flood.refused else 1.0
    report.add("of them with Retry-After", polite, "", 1)
    report.add("p99 of a refusal", percentile(flood.refusals, 0.99), "ms")


def _tell_quiet(report: Report, name: str, others: Result, normal: float) -> None:
    asked = len(others.requests) + others.refused
    answered = len(others.requests) / max(asked, 1)
    times = percentile(others.requests, 0.99) / normal
    report.add(f"{name}: others answered", answered, "of the asked", QUIET_SHARE)
    report.add(f"{name}: others' p99 over normal", times, "times", TIMES_NORMAL, at_most=True)


def _another_account(server: Running) -> Credentials:
    """Make a second account on the server, with a service that takes codes of one's own."""
    made = json.loads(command_line("accounts", "create", "Quiet", "--json").stdout)
    sid, token = made["sid"], made["auth_token"]
    client = Client(sid, token)
    client.verify.base_url = "http://{}:{}".format(*server.address)
    service = client.verify.v2.services.create(friendly_name="Quiet", custom_code_enabled=True)
    return Credentials(sid, token, service.sid)


def _allow_connections(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
