"""What was refused is counted: by rule, slot of time and region, without a commit of its own."""

import asyncio
import json
from datetime import timedelta

import httpx2
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE, make_engine
from tests.hosted import KNOWN, Person, client_of
from watchword.asgi import App
from watchword.cli import main
from watchword.clock import ManualClock
from watchword.commands.operator import ReadFigures, SetCountry
from watchword.commands.refusals import MOST_PREFIXES, Refusals
from watchword.commands.services import EnsureService
from watchword.commands.verifications import CheckCode, GuardedStart, StartVerification
from watchword.development.controls import Controls, Faults, StoreFault
from watchword.engine import Engine
from watchword.errors import Refusal, TooSoon
from watchword.model import Subject
from watchword.phone import parse
from watchword.record import replace
from watchword.refused import Refused
from watchword.rules.figures import Figures
from watchword.runtime import add_controls
from watchword.senders.inbox import InboxSender
from watchword.store.base import Changes, Keys, Query, Store
from watchword.store.memory import MemoryStore
from watchword.ui.windows import window_of

KNOWN_AS = (CREDENTIALS.service_sid, CREDENTIALS.account_sid)
START = StartVerification(*KNOWN_AS, parse(PHONE))
GUARDED = GuardedStart(START, "phone", "page")
LANDLINE = "+33142685300"


@pytest.fixture
def here(inbox: InboxSender, clock: ManualClock) -> Engine:
    """Return an engine on the quickest store."""
    return make_engine(MemoryStore(), inbox, clock)


def refuse(engine: Engine, command: object) -> None:
    with pytest.raises(Refusal):
        engine.perform(command)  # type: ignore[arg-type]


def figures(engine: Engine) -> Figures:
    engine.tally.write()
    since = engine.clock.now() - timedelta(hours=1)
    return engine.read(ReadFigures(CREDENTIALS.account_sid, since))


def test_a_refusal_lies_in_the_store_by_rule_country_and_prefix(engine: Engine) -> None:
    engine.perform(GUARDED)
    for _ in range(3):
        refuse(engine, GUARDED)
    engine.tally.write()

    found = engine.store.page(Query(Refused, {"account_sid": CREDENTIALS.account_sid}, limit=9))

    assert found == [
        Refused(CREDENTIALS.account_sid, SERVICE.sid, "resend wait", "CM", "+2376", NOON, 3)
    ]


def test_two_processes_add_up_in_one_row(store: Store, inbox: InboxSender) -> None:
    engines = [make_engine(store, inbox, ManualClock(NOON)) for _ in range(2)]
    engines[0].perform(GUARDED)

    for engine in engines:
        for _ in range(2):
            refuse(engine, GUARDED)
        engine.tally.write()

    assert figures(engines[0]).blocks == (("resend wait", 4),)


def test_every_rule_has_its_name(here: Engine, inbox: InboxSender, clock: ManualClock) -> None:
    for _ in range(5):
        here.perform(START)
    refuse(here, START)
    check = CheckCode(*KNOWN_AS, "nope", to=PHONE)
    for _ in range(5):
        here.perform(check)
    refuse(here, check)
    here.perform(EnsureService(SERVICE))
    skip_landlines(here)
    refuse(here, StartVerification(*KNOWN_AS, parse(LANDLINE)))
    here.perform(SetCountry(*KNOWN_AS, "GB", blocked=True))
    refuse(here, StartVerification(*KNOWN_AS, parse("+447400123456")))
    forget(here)
    refuse(here, START)

    assert dict(figures(here).blocks) == {
        "all messages sent": 1,
        "wrong codes": 1,
        "landline": 1,
        "country blocked": 1,
        "wrong codes for life": 1,
    }
    assert dict(figures(here).blocked_regions) == {"CM +2376…": 3, "FR +3314…": 1, "GB +4474…": 1}


def skip_landlines(engine: Engine) -> None:
    """Change the service as its owner would."""
    settings = replace(SERVICE.settings, skip_sms_to_landlines=True)
    changed = replace(SERVICE, settings=settings)
    engine.store.transact(Keys.of(type(SERVICE), SERVICE.sid), lambda _: Changes.of(changed))


def forget(engine: Engine) -> None:
    """Have the phone's guesses for life used up."""
    name = KEYRING.fingerprint(SERVICE.sid, PHONE)
    spent = Subject(name, SERVICE.sid, "VE0", 50, NOON)
    engine.store.transact(Keys.of(Subject, name), lambda _: Changes.of(spent))


def test_a_rate_limit_and_what_is_no_number_are_counted_over_the_api(
    here: Engine,
) -> None:
    from watchword.embedded import EmbeddedHttpClient

    sdk = Client(*KNOWN, http_client=EmbeddedHttpClient(here))
    service = sdk.verify.v2.services(SERVICE.sid)
    limit = service.rate_limits.create(unique_name="ip")
    service.rate_limits(limit.sid).buckets.create(max=1, interval=60)
    for to in (PHONE, PHONE, "+15", "+15"):
        try:
            service.verifications.create(to=to, channel="sms", rate_limits={"ip": "192.0.2.1"})
        except TwilioRestException as refusal:
            assert refusal.status in (400, 429)

    assert dict(figures(here).blocks) == {"rate limit": 1, "not a number": 2}


def test_who_sprays_what_is_no_number_and_nothing_else_is_written_down_too(
    here: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchword.tally.WRITE_EVERY", 0.0)

    async def spray() -> None:
        transport = httpx2.ASGITransport(app=App(here, development=False))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
            path = f"/v2/Services/{SERVICE.sid}/Verifications"
            await http.post(path, data={"To": "+15", "Channel": "sms"}, auth=KNOWN)
            for _ in range(9):  # turns of the loop
                await asyncio.sleep(0)

    asyncio.run(spray())

    assert here.store.count(Query(Refused)) == 1


def test_the_hosted_page_counts_what_it_refuses(here: Engine) -> None:
    for number in range(20):
        Person.at(here).ask(f"6500000{number:02}")
    Person.at(here).ask("650000099")
    early = Person.at(here, address="198.51.100.7")
    early.ask("650000098")
    early.submit("send", channel="sms")
    early.submit("edit")
    early.submit("number", number="12", country="CM")

    assert dict(figures(here).blocks) == {
        "network's share": 1,
        "resend wait": 1,
        "not a number": 1,
    }


def test_a_flood_is_written_seldom(here: Engine) -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    here.tally.refusals = refusals
    here.perform(GUARDED)
    for _ in range(50):
        refuse(here, GUARDED)
    written = here.store.count(Query(Refused))
    pending = refusals.take()

    assert written == 1  # the first, at once; the rest waits for five seconds to pass
    assert pending is not None
    assert [count.count for count in pending.counts] == [49]
    now = 5.0
    refuse(here, GUARDED)
    assert refusals.take() is None


def test_who_sprays_numbers_makes_no_row_of_each_prefix() -> None:
    refusals = Refusals()
    refusal = TooSoon(expires=NOON, retry_after=1)
    for prefix in range(1000, 1999):
        to = f"+1{prefix}5550123"[:12]
        refusals.count(refusal, "AC1", "VA1", to, NOON)

    taken = refusals.take()

    assert taken is not None
    assert len({count.prefix for count in taken.counts}) <= MOST_PREFIXES + 1
    assert sum(count.count for count in taken.counts) == 999


def test_counts_wait_for_a_store_that_does_not_answer(here: Engine) -> None:
    controls = Controls()
    add_controls(here, controls)
    here.perform(GUARDED)
    refuse(here, GUARDED)
    refuse(here, GUARDED)
    controls.set_faults(Faults(store=StoreFault.UNAVAILABLE))
    here.tally.write()
    controls.set_faults(Faults())

    assert figures(here).blocked == 2


def test_closing_writes_what_is_left(inbox: InboxSender) -> None:
    store = MemoryStore()
    engine = make_engine(store, inbox, ManualClock(NOON))
    engine.perform(GUARDED)
    for _ in range(4):
        refuse(engine, GUARDED)

    engine.close()

    assert [row.count for row in store.page(Query(Refused, limit=9))] == [4]


def sign_in(client: TestClient) -> None:
    form = {"account": CREDENTIALS.account_sid, "token": CREDENTIALS.auth_token}
    assert client.post("/console/sign-in", data=form).status_code == 303


def test_the_console_and_the_terminal_show_what_was_blocked(here: Engine) -> None:
    here.perform(GUARDED)
    for _ in range(3):
        refuse(here, GUARDED)
    client = client_of(here)
    sign_in(client)

    shown = client.get("/console").text

    assert "<dt>Blocked</dt><dd>3</dd>" in shown
    assert 'aria-label="resend wait: 3"' in shown
    assert 'aria-label="CM +2376…: 3"' in shown
    assert 'class="held"' in shown


def test_the_terminal_counts_what_it_was_refused() -> None:
    runner = CliRunner()
    for _ in range(2):
        runner.invoke(main, ["verify", PHONE], input="000000\n")

    found = json.loads(runner.invoke(main, ["stats", "--json"]).stdout)
    lines = runner.invoke(main, ["stats"]).stdout

    assert found["blocks"] == [["resend wait", 1]]
    assert found["prefixes"] == [{"name": "+237650", "sends": 1, "approved": 0}]
    assert "blocked by\n  resend wait                            1\n" in lines
    assert "country " in lines
    assert "█" * 24 in lines


def test_a_slice_of_time_can_be_come_closer_to(here: Engine) -> None:
    here.perform(START)
    client = client_of(here)
    sign_in(client)
    day = window_of({}, here.clock.now())
    bar = here.read(ReadFigures(CREDENTIALS.account_sid, day.since, day.until)).bars[-1]

    hour = client.get(day.closer(bar))

    assert "<h1>01 Mar 2026, 12:00 to 13:00</h1>" in hour.text
    assert "<dt>Messages</dt><dd>1</dd>" in hour.text
    assert hour.text.count('scope="row"><a href="/console?from=') == 12  # five minutes each
    assert "Back to now" in hour.text


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "5", "to": "1"},
        {"from": "1", "to": "x"},
        {"from": "0", "to": "99999999999"},
        {"from": "1"},
        {"window": "century"},
    ],
)
def test_a_stretch_that_makes_no_sense_is_the_last_day(asked: dict[str, str]) -> None:
    window = window_of(asked, NOON)

    assert (window.title, window.name) == ("The last 24 hours", "24h")


def test_the_asynchronous_door_counts_too(here: Engine) -> None:
    import asyncio

    async def flood() -> None:
        await here.submit(GUARDED)
        for _ in range(3):
            with pytest.raises(TooSoon):
                await here.submit(GUARDED)
        await here.tally.write_async()

    asyncio.run(flood())

    assert figures(here).blocked == 3
