"""`/metrics` as Prometheus reads it: what was asked and answered, of all workers, naming nobody."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from twilio.base.exceptions import TwilioRestException

from tests.conftest import CREDENTIALS, NOON, PHONE, make_engine
from tests.server import Server, serving
from watchword.asgi import App
from watchword.batch import Outcome
from watchword.board import Board
from watchword.clock import ManualClock
from watchword.commands.base import Command
from watchword.commands.verifications import FetchVerification
from watchword.counts import Counts, Histogram
from watchword.errors import Overloaded, StoreError
from watchword.gather import Gatherer
from watchword.metrics import FAMILIES
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore
from watchword.waits import Waits

TOKEN = "prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "watch-it.md").read_text()
SOON = 30  # seconds within which every worker has told; it does every two


def read(text: str) -> dict[str, float]:
    """Add up the samples over the workers, as `name{label="value"}` without `worker`."""
    found: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sample.labels.items() if k != "worker")
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] += sample.value
    return found


def scrape(server: Server) -> str:
    return server.ask("GET", "/metrics", headers=BEARER).text


def refused(call: Any, **given: Any) -> int:
    with pytest.raises(TwilioRestException) as refusal:
        call(**given)
    return int(refusal.value.code)


def test_what_a_server_was_asked_and_answered_is_counted() -> None:
    with serving(WATCHWORD_METRICS_TOKEN=TOKEN) as server:
        service = server.client().verify.v2.services(server.credentials.service_sid)
        started = service.verifications.create(to=PHONE, channel="sms")
        told = server.ask("GET", f"/dev/inbox/messages?to={PHONE.replace('+', '%2B')}").json()
        code = told["messages"][0]["code"]
        wrong = "000000" if code != "000000" else "111111"
        assert service.verification_checks.create(to=PHONE, code=wrong).status == "pending"
        assert refused(service.verifications.create, to="+1", channel="sms") == 60200
        assert service.verification_checks.create(to=PHONE, code=code).status == "approved"
        assert refused(service.verification_checks.create, to=PHONE, code=code) == 20404
        server.ask("GET", "/v2/Services")
        text = scrape(server)

    counts = read(text)
    assert counts["watchword_store_up"] == counts["watchword_workers"] == 1
    assert counts["watchword_requests_total{kind=start,status=201}"] == 1
    assert counts["watchword_requests_total{kind=start,status=400}"] == 1
    assert counts["watchword_requests_total{kind=check,status=201}"] == 2
    assert counts["watchword_requests_total{kind=check,status=404}"] == 1
    assert counts["watchword_requests_total{kind=other,status=401}"] == 1
    assert counts["watchword_request_errors_total{kind=check,code=20404}"] == 1
    assert counts["watchword_rule_refusals_total{rule=not a number}"] == 1
    assert counts["watchword_rule_refusals_total{rule=landline}"] == 0
    assert counts["watchword_verifications_started_total{channel=sms}"] == 1
    assert counts["watchword_verifications_approved_total{channel=sms}"] == 1
    assert counts["watchword_messages_total{channel=sms}"] == 1
    assert counts["watchword_wrong_codes_total"] == 1
    assert counts["watchword_requests_in_progress"] == counts["watchword_requests_waiting"] == 0
    assert counts["watchword_batch_commands_sum"] >= 4
    assert (
        counts["watchword_batch_duration_seconds_count"] == counts["watchword_batch_commands_count"]
    )
    known = server.credentials
    for secret in (PHONE[1:], code, started.sid, known.account_sid, known.service_sid):
        assert secret not in text


def test_whichever_worker_is_asked_answers_for_all_of_them() -> None:
    with serving("--workers", "2", WATCHWORD_METRICS_TOKEN=TOKEN) as server:
        for _ in range(40):  # each on a connection of its own
            requests.get(f"{server.url}/v2/Services", timeout=30)
        deadline = time.monotonic() + SOON
        told = read(text := scrape(server))
        while time.monotonic() < deadline and not is_whole(told):
            time.sleep(0.1)  # a worker tells every two seconds, and nothing says when it has
            told = read(text := scrape(server))

    assert is_whole(told)
    assert len(set(re.findall(r'worker="(\d+)"', text))) == 2


def test_no_counter_goes_back_whichever_worker_is_asked() -> None:
    """Prometheus takes that for a restart, and what is left for new."""
    counter = re.compile(r"^(watchword_\w+_(?:total|count|sum)\{.*\}) (\S+)$", re.MULTILINE)
    highest: dict[str, float] = {}
    with serving("--workers", "2", WATCHWORD_METRICS_TOKEN=TOKEN) as server:
        for _ in range(60):
            requests.get(f"{server.url}/v2/Services", timeout=30)
            for name, value in counter.findall(scrape(server)):
                assert float(value) >= highest.get(name, 0), name
                highest[name] = float(value)

    assert any('kind="other"' in name for name in highest)


def is_whole(told: dict[str, float]) -> bool:
    asked = told["watchword_requests_total{kind=other,status=401}"]
    return (told["watchword_workers"], asked) == (2, 40)


def test_what_is_refused_for_want_of_room_is_counted_and_so_is_who_waits() -> None:
    counts = Counts()

    def run(commands: list[Command[Any]]) -> Waits[list[Outcome]]:
        yield from ()
        return ["done"] * len(commands)

    async def check() -> None:
        loop = asyncio.get_running_loop()
        gatherer = Gatherer(loop, run, 256, counts=counts)
        command = FetchVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, to=PHONE)
        waiting = [gatherer.add(command, f"account {place}") for place in range(128)]
        with pytest.raises(Overloaded):
            gatherer.add(command, "one more")
        assert counts.waiting == 128
        await asyncio.gather(*waiting)

    asyncio.run(check())

    assert (counts.overloads, counts.waiting) == (1, 0)
    assert counts.batch_commands.sum == 128
    assert counts.batch_commands.buckets == [0, 0, 0, 0, 1, 0]  # between 65 and 256 in one
    assert counts.batch_seconds.count == 1


def test_a_value_is_counted_under_the_first_bound_that_holds_it() -> None:
    histogram = Histogram.of(1, 4)

    for value in (1, 1.5, 4, 5):
        histogram.add(value)

    assert histogram.buckets == [1, 2, 1]
    assert (histogram.sum, histogram.count) == (11.5, 4)


class Gone(MemoryStore):
    """A store that answers no ping."""

    def ping(self) -> None:
        raise StoreError("gone")


@pytest.fixture
def page(home: Path) -> Iterator[str]:
    engine = make_engine(Gone(), InboxSender(), ManualClock(NOON))
    app = App(engine, development=False, board=Board(home / "health"), metrics_token=TOKEN)
    with TestClient(app) as http:
        http.post(f"/v2/Services/{CREDENTIALS.service_sid}/Verifications", content=b"x" * 20_000)
        yield http.get("/metrics", headers=BEARER).text


def test_a_store_that_does_not_answer_is_told_of(page: str) -> None:
    assert read(page)["watchword_store_up"] == 0


def test_a_body_too_large_is_counted_with_the_other_answers(page: str) -> None:
    assert read(page)["watchword_requests_total{kind=start,status=413}"] == 1


def test_prometheus_reads_every_family_with_its_type(page: str) -> None:
    told = {family.name: family for family in text_string_to_metric_families(page)}

    for family in FAMILIES:
        name = f"watchword_{family.name}".removesuffix("_total")
        assert told[name].type == family.kind
        assert told[name].documentation == family.help
        assert (family.kind == "counter") == family.name.endswith("_total")


def test_the_paper_names_every_metric_and_no_other() -> None:
    rows = set(re.findall(r"^\| `(watchword_\w+)` \|", PAGE, re.MULTILINE))
    ours = {f"watchword_{family.name}" for family in FAMILIES}

    assert rows == ours | {"watchword_workers", "watchword_store_up"}


def test_the_papers_rules_ask_for_metrics_that_there_are(page: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (group,) = yaml.safe_load(blocks[1])["groups"]
    known = set(re.findall(r"# TYPE (\w+)", page))

    asked = [re.findall(r"watchword_\w+", rule["expr"]) for rule in group["rules"]]

    assert len(asked) == 3
    assert {name.removesuffix("_bucket") for names in asked for name in names} <= known
