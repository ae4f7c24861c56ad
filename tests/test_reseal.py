"""What an older key sealed or named is led to the newest, beside requests, and none is lost."""

import base64
import itertools
import json
import threading
from collections import Counter as Tally
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.conftest import PHONE, SERVICE
from tests.rotation import NEW, OLD, Servers, begin, is_approved
from watchword import key_use
from watchword import reseal as job
from watchword.cli import main
from watchword.clock import ManualClock
from watchword.commands.accounts import CreateAccount, CreateApiKey, RevokeApiKey, RotateToken
from watchword.commands.operator import LookUpPhone, ReadSent
from watchword.commands.pages import LookAtPage, OpenPage
from watchword.commands.postings import ReadDuePostings
from watchword.commands.safe_list import AddSafeNumber, FetchSafeNumber
from watchword.commands.services import EnsureService
from watchword.commands.verifications import (
    CheckCode,
    CloseVerification,
    FetchVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import DeliveryFailed, RateLimited, TooSoon
from watchword.key_use import Glance, Unnamed, glance, unnamed, uses
from watchword.keys import Keyring
from watchword.model import Delivery, Status, Verification
from watchword.reseal import reseal
from watchword.rules.page import Look, Visit
from watchword.senders.base import Message, Receipt
from watchword.senders.inbox import InboxSender
from watchword.store.base import Query, Store
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore
from watchword.store.tables import metadata
from watchword.tenants import Bucket, RateLimit, Webhook

BOTH = [NEW, OLD]
SAFE, GUESSED, LIMITED = "+237650000001", "+237650000002", "+237650000003"
DEVICE = " device " + "d" * 32


@pytest.fixture
def servers(store: Store, inbox: InboxSender, clock: ManualClock) -> Servers:
    return Servers(store, inbox, clock)


@pytest.fixture
def in_sql(database_url: str, inbox: InboxSender, clock: ManualClock) -> Iterator[Servers]:
    """Return servers on each database in turn: where seals lie in rows."""
    store = SqlStore(database_url, Keyring.from_secrets([OLD]))
    yield Servers(store, inbox, clock)
    store.close()


def lead(servers: Servers, *, lots: int | None = None) -> Tally[str]:
    """Run the job, or its first lots."""
    servers.having(BOTH)
    assert isinstance(servers.store, SqlStore | MemoryStore)
    work = reseal(servers.store, Keyring.from_secrets(BOTH), pause=0)
    return sum(itertools.islice(work, lots), Tally())


def guess(server: Engine, to: str) -> None:
    server.perform(CheckCode(SERVICE.sid, SERVICE.account_sid, "0", to=to))


def failures(server: Engine, to: str) -> int:
    file = server.perform(LookUpPhone(SERVICE.sid, SERVICE.account_sid, to))
    return file.subject.failures if file.subject else 0


def busy_service(server: Engine) -> StartVerification:
    """Make a service where a start touches a rate limit and a webhook; return a start there."""
    now = server.clock.now()
    bucket = Bucket("BL" + "1" * 32, 1, 3600, now, now)
    limit = RateLimit("RK" + "1" * 32, "address", None, now, now, (bucket,))
    events = ("verification.pending",)
    hook = Webhook("YW" + "1" * 32, "hook", events, "https://app.example", now, now)
    sid = "VA" + "7" * 32
    server.perform(EnsureService(replace(SERVICE, sid=sid, rate_limits=(limit,), webhooks=(hook,))))
    limited = (("address", "203.0.113.9"),)
    return replace(begin(LIMITED), service_sid=sid, limited_by=limited)


def test_nothing_is_lost_with_the_old_key_once_all_is_led_to_the_new(servers: Servers) -> None:
    old = servers.having([OLD])
    busy = busy_service(old)
    old.perform(busy)
    old.perform(AddSafeNumber(SERVICE.account_sid, SAFE))
    old.perform(GuardedStart(begin(), *old.ladder(PHONE, "page")))
    laned = replace(begin(), lane=DEVICE)
    old.perform(GuardedStart(laned, *old.ladder(PHONE, f"page{DEVICE}")))
    old.perform(begin(GUESSED))
    for _ in range(3):
        guess(old, GUESSED)
    visit = Visit("user", "https://app.example", Look("Acme"), 6, to=PHONE)
    page = old.perform(OpenPage(SERVICE.sid, SERVICE.account_sid, visit)).session.sid
    servers.clock.advance(minutes=1)

    led = lead(servers)

    assert (led["subjects"], led["safe_numbers"], led["rate_windows"]) == (4, 1, 1)
    assert (led["svretries"], led["attempts"], led["page_sessions"]) == (2, 4, 1)
    new = servers.having([NEW])
    assert new.perform(FetchSafeNumber(SERVICE.account_sid, SAFE)).account_sid
    assert failures(new, GUESSED) == 3
    assert new.perform(LookAtPage(page)).visit.to == PHONE
    assert [sent.verification.to for sent in new.read(ReadSent(SERVICE.account_sid, GUESSED))
            if sent.verification] == [GUESSED]  # fmt: skip
    fields = [posting.fields for posting in new.read(ReadDuePostings()) if posting.fields]
    assert len(fields) == 1
    with pytest.raises(RateLimited):
        new.perform(busy)
    for start, user in ((begin(), "page"), (laned, f"page{DEVICE}")):
        with pytest.raises(TooSoon):
            new.perform(GuardedStart(start, *new.ladder(PHONE, user)))
    listed = servers.store.page(Query(Verification, {"account_sid": SERVICE.account_sid}, limit=9))
    assert "" not in [found.to for found in listed]
    assert lead(servers).total() == 0


def test_a_code_is_still_right_after_its_rows_were_led(servers: Servers) -> None:
    started = servers.having([OLD]).perform(begin())

    lead(servers)

    check = CheckCode(
        SERVICE.sid, SERVICE.account_sid, started.code, verification_sid=started.verification.sid
    )
    assert servers.having([OLD, NEW]).perform(check).status is Status.APPROVED


@pytest.mark.parametrize("lane", ["", DEVICE])
def test_a_canceled_verification_is_shown_by_its_sid_whichever_key_named_its_phone(
    servers: Servers, lane: str
) -> None:
    start = replace(begin(), lane=lane)
    first = canceled(servers.having([OLD]), start)
    second = canceled(servers.having([OLD]), start)
    both = servers.having(BOTH)
    shown = [status(both, sid) for sid in (first, second)]
    both.perform(start)
    shown += [status(both, sid) for sid in (first, second)]

    lead(servers)

    shown += [status(servers.having([NEW]), sid) for sid in (first, second)]
    assert shown == [Status.CANCELED] * 6


def canceled(server: Engine, start: StartVerification) -> str:
    sid = server.perform(start).verification.sid
    cancel = CloseVerification(
        SERVICE.sid, SERVICE.account_sid, Status.CANCELED, verification_sid=sid
    )
    server.perform(cancel)
    return sid


def status(server: Engine, sid: str) -> Status:
    fetch = FetchVerification(SERVICE.sid, SERVICE.account_sid, verification_sid=sid)
    return server.perform(fetch).status


class LedMeanwhile:
    """A sender that sends nothing, and says so, while the rows are led to the newest key."""

    name = "refusing"
    waits = False

    def __init__(self, servers: Servers) -> None:
        self.servers = servers

    async def send(self, message: Message) -> Receipt:
        assert lead(self.servers)["svretries"] == 1
        return Receipt(Delivery.FAILED)

    def close(self) -> None:
        """Hold nothing."""


def test_a_step_is_given_back_though_its_ladder_was_led_to_another_name(servers: Servers) -> None:
    old_first = servers.having([OLD, NEW])
    old_first.sender = LedMeanwhile(servers)

    with pytest.raises(DeliveryFailed):
        old_first.perform(GuardedStart(begin(), *old_first.ladder(PHONE, "page")))

    new = servers.having([NEW])
    unique_id, user_id, _ = new.ladder(PHONE, "page")
    ladder = servers.store.counter(unique_id, user_id)
    assert ladder is not None
    assert (ladder.count, ladder.expires) == (0, None)


def test_a_run_that_was_stopped_is_taken_up_by_the_next(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "LOT", 2)
    old = servers.having([OLD])
    phones = [f"+23765000010{number}" for number in range(6)]
    for to in phones:
        old.perform(begin(to))
        guess(old, to)

    first = lead(servers, lots=2)
    rest = lead(servers)

    assert (first["subjects"], rest["subjects"]) == (4, 2)
    new = servers.having([NEW])
    assert [failures(new, to) for to in phones] == [1] * 6


def test_no_guess_and_no_code_is_lost_to_requests_at_the_same_moment(servers: Servers) -> None:
    phones = [f"+23765000020{number}" for number in range(8)]
    old = servers.having([OLD])
    codes = {to: old.perform(begin(to)).code for to in phones}
    both = servers.having(BOTH)
    begun, stop = threading.Event(), threading.Event()
    told: Tally[str] = Tally()

    def use() -> None:
        for _ in range(3):
            for to in phones:
                guess(both, to)
                told[to] += 1
                begun.set()
        stop.set()

    user = threading.Thread(target=use)
    user.start()
    begun.wait()
    led = lead(servers)
    while not stop.is_set():
        led += lead(servers)
    user.join()

    assert led["subjects"] == len(phones)
    new = servers.having(BOTH)
    assert {to: failures(new, to) for to in phones} == told
    assert all(is_approved(new, code, to) for to, code in codes.items())


def test_a_phone_from_before_names_were_sealed_is_led_by_its_verification(in_sql: Servers) -> None:
    old = in_sql.having([OLD])
    for to in (PHONE, GUESSED, LIMITED):
        old.perform(begin(to))
        guess(old, to)
    for to in (PHONE, SAFE):
        old.perform(AddSafeNumber(SERVICE.account_sid, to))
    forget_names(in_sql, verification_of=LIMITED)

    led = lead(in_sql)

    assert (led["subjects"], led["safe_numbers"]) == (2, 1)
    lost = unnamed(stored(in_sql), Keyring.from_secrets(BOTH), in_sql.clock.now())
    assert (lost.phones, len(lost.safe_numbers)) == (1, 1)
    both = in_sql.having(BOTH)
    both.perform(FetchSafeNumber(SERVICE.account_sid, SAFE))
    both.perform(begin(LIMITED))
    lost = unnamed(stored(in_sql), Keyring.from_secrets(BOTH), in_sql.clock.now())
    assert lost == Unnamed(0, (), None, 0)
    new = in_sql.having([NEW])
    assert [failures(new, to) for to in (PHONE, GUESSED, LIMITED)] == [1, 1, 1]
    for to in (PHONE, SAFE):
        assert new.perform(FetchSafeNumber(SERVICE.account_sid, to)).account_sid


def forget_names(servers: Servers, *, verification_of: str) -> None:
    """Bring the rows into the state that a release without sealed names left them in."""
    look = LookUpPhone(SERVICE.sid, SERVICE.account_sid, verification_of)
    latest = servers.having([OLD]).perform(look).latest
    assert latest is not None
    with stored(servers)._engine.begin() as connection:
        for table in ("subjects", "safe_numbers"):
            connection.execute(metadata.tables[table].update().values(sealed_name=None))
        verifications = metadata.tables["verifications"]
        connection.execute(verifications.delete().where(verifications.c.sid == latest.sid))


def stored(servers: Servers) -> SqlStore:
    assert isinstance(servers.store, SqlStore)
    return servers.store


def test_rows_whose_key_is_gone_stay_as_they_are(in_sql: Servers) -> None:
    other = b"a key that nobody has any more...."
    in_sql.having([other]).perform(begin())

    assert lead(in_sql).total() == 0

    again = in_sql.having([NEW, OLD, other])
    assert again.perform(LookUpPhone(SERVICE.sid, SERVICE.account_sid, PHONE)).latest is not None


def test_a_key_is_kept_for_what_needs_it_and_may_go_after_that(in_sql: Servers) -> None:
    keyring = Keyring.from_secrets(BOTH)
    newest, older = (key.id for key in keyring)
    old = in_sql.having([OLD])
    account = old.perform(CreateAccount("Acme")).record.sid
    api_key = old.perform(CreateApiKey(account, "deploy")).record.sid
    old.perform(begin())
    now = in_sql.clock.now()

    before = {use.key: use for use in uses(stored(in_sql), keyring, now)}
    seen = glance(stored(in_sql), keyring, now)
    lead(in_sql)
    after = {use.key: use for use in uses(stored(in_sql), keyring, now)}
    both = in_sql.having(BOTH)
    both.perform(RotateToken(account))
    both.perform(RevokeApiKey(api_key))
    later = now + timedelta(minutes=10)
    at_last = {use.key: use for use in uses(stored(in_sql), keyring, later)}

    assert before[older].rows == {"attempts": 1, "subjects": 1, "verifications": 1}
    assert seen == Glance(frozenset({older}), unsealed=False)
    assert not before[older].may_go
    assert after[older].rows == {}
    assert (after[older].codes, after[older].codes_end_at) == (1, later)
    assert (after[older].accounts, after[older].api_keys) == ((account,), (api_key,))
    assert not after[older].may_go
    assert at_last[older].may_go
    assert not at_last[newest].may_go
    assert glance(stored(in_sql), keyring, later) == Glance(frozenset(), unsealed=False)


def test_a_glance_sees_the_oldest_rows_behind_any_number_of_new_ones(
    in_sql: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_use, "LOOK", 3)
    old = in_sql.having([OLD])
    old.perform(begin(GUESSED))
    old.perform(begin(LIMITED))
    forget_names(in_sql, verification_of=LIMITED)
    new = in_sql.having(BOTH)
    for number in range(9):
        new.perform(begin(f"+23765000030{number}"))
    keyring, now = Keyring.from_secrets(BOTH), in_sql.clock.now()

    seen = glance(stored(in_sql), keyring, now)

    assert seen.keys == {Keyring.from_secrets([OLD]).newest.id}


def test_a_glance_sees_rows_that_no_key_has_sealed_while_one_may_still_go(in_sql: Servers) -> None:
    old = in_sql.having([OLD])
    old.perform(begin())
    guess(old, PHONE)
    forget_names(in_sql, verification_of=PHONE)
    now = in_sql.clock.now()

    seen = [glance(stored(in_sql), Keyring.from_secrets(keys), now) for keys in (BOTH, [OLD])]

    assert [(each.keys, each.unsealed) for each in seen] == [
        (frozenset(), True), (frozenset(), False),
    ]  # fmt: skip


def test_a_message_that_an_older_key_named_of_a_newer_verification_is_led_too(
    servers: Servers,
) -> None:
    keyring = Keyring.from_secrets(BOTH)
    old_first = [OLD, NEW]
    started = [servers.having(secrets).perform(begin()) for secrets in (BOTH, old_first)]
    servers.clock.advance(minutes=11)
    servers.having(BOTH).perform(begin())

    assert isinstance(servers.store, SqlStore | MemoryStore)
    _, before = uses(servers.store, keyring, servers.clock.now())
    led = lead(servers)
    _, after = uses(servers.store, keyring, servers.clock.now())

    assert started[0].verification.sid == started[1].verification.sid
    assert before.rows == {"attempts": 1, "verifications": 1}
    assert not before.may_go
    assert (led["attempts"], led["verifications"]) == (1, 1)
    assert after.may_go
    assert len(servers.having([NEW]).read(ReadSent(SERVICE.account_sid, PHONE))) == 3


def run(monkeypatch: pytest.MonkeyPatch, secrets: list[bytes], *words: str) -> str:
    """Run the command line with these keys."""
    keys = " ".join(base64.b64encode(secret).decode() for secret in secrets)
    monkeypatch.setenv("WATCHWORD_KEYS", keys)
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.stdout


def test_the_command_line_leads_rows_and_says_which_key_may_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = Keyring.from_secrets([OLD]).newest.id
    run(monkeypatch, [OLD], "accounts", "create", "Acme")
    CliRunner().invoke(main, ["verify", PHONE], input="000000\n")

    assert "rows still need the older key" in run(monkeypatch, BOTH, "doctor")
    looked = run(monkeypatch, BOTH, "reseal", "--dry-run")
    assert "1 subjects, 1 verifications are sealed or named by it; run: watchword" in looked
    assert "FAIL  keys in use: rows need key" in run(monkeypatch, [NEW], "doctor")
    said = run(monkeypatch, BOTH, "reseal")
    assert " 1  svretries\n" in said
    assert "rows were led to the newest key" in said
    assert f"key {older}, number 2 of the list: keep it\n" in said
    assert "1 codes made with it are open; the last ends at" in said
    assert "run: watchword accounts rotate AC" in said
    report = json.loads(run(monkeypatch, BOTH, "reseal", "--json"))
    assert report["led"] == {}
    assert [(key["place"], key["may_be_dropped"]) for key in report["keys"]] == [
        (1, False), (2, False),
    ]  # fmt: skip
    assert report["unnamed"]["ladders"] == 0
