"""T-37: keys are rotated while codes are out, on servers that do not all change at once."""

import itertools
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.conftest import PHONE, SERVICE
from tests.rotation import NEW, OLD, Servers, begin, is_approved
from watchword.clock import ManualClock
from watchword.commands.ladder import ClimbIfFree, ForgetCounter
from watchword.commands.operator import TakeLogin
from watchword.commands.services import EnsureService
from watchword.commands.verifications import GuardedStart
from watchword.engine import Engine
from watchword.errors import PageRefused, RateLimited, TooManyChecks, TooSoon
from watchword.keys import Keyring
from watchword.model import Policy, Verification
from watchword.rules.page import ADDRESS_SENDS
from watchword.rules.retention import Retention
from watchword.senders.inbox import InboxSender
from watchword.store.base import Query, Store
from watchword.store.purge import purge
from watchword.store.sql import SqlStore
from watchword.tenants import Bucket, RateLimit

STEPS = (  # how two servers are led from one key to the other, one at a time
    ([OLD], [OLD]),
    ([OLD, NEW], [OLD]),
    ([OLD, NEW], [OLD, NEW]),
    ([NEW, OLD], [OLD, NEW]),
    ([NEW, OLD], [NEW, OLD]),
)


@pytest.fixture
def servers(store: Store, inbox: InboxSender, clock: ManualClock) -> Servers:
    return Servers(store, inbox, clock)


def test_a_code_started_on_one_server_is_right_on_every_other_while_keys_rotate(
    servers: Servers,
) -> None:
    numbers = itertools.count(237650000100)
    failed = []
    # A code lives ten minutes, so it is checked in the step it was started in or the one after.
    for before, after in [*zip(STEPS, STEPS, strict=True), *itertools.pairwise(STEPS)]:
        for started_on, checked_on in itertools.product(before, after):
            to = f"+{next(numbers)}"
            code = servers.having(started_on).perform(begin(to)).code
            if not is_approved(servers.having(checked_on), code, to):
                failed.append((started_on, checked_on))

    assert failed == []


def test_wrong_guesses_are_counted_on_over_a_rotation(servers: Servers) -> None:
    code = servers.having([OLD]).perform(begin()).code
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for secrets in ([OLD], [OLD, NEW], [NEW, OLD], [OLD, NEW], [NEW, OLD]):
        assert not is_approved(servers.having(secrets), wrong)

    with pytest.raises(TooManyChecks):
        is_approved(servers.having([NEW, OLD]), code)


def test_a_full_rate_limit_stays_full_when_the_key_changes(servers: Servers) -> None:
    now = servers.clock.now()
    bucket = Bucket("BL" + "1" * 32, 2, 3600, now, now)
    limit = RateLimit("RK" + "1" * 32, "address", None, now, now, (bucket,))
    service = replace(SERVICE, sid="VA" + "7" * 32, rate_limits=(limit,))
    limited = replace(begin(), service_sid=service.sid, limited_by=(("address", "203.0.113.9"),))
    first = servers.having([OLD])
    first.perform(EnsureService(service))
    first.perform(limited)

    servers.having([NEW, OLD]).perform(limited)

    for secrets in ([NEW, OLD], [OLD, NEW], [NEW, OLD]):
        with pytest.raises(RateLimited):
            servers.having(secrets).perform(limited)


def test_a_ladder_named_by_the_key_goes_on_when_the_key_changes(servers: Servers) -> None:
    def pair(server: Engine) -> tuple[str, str, tuple[str, ...]]:
        return server.ladder(PHONE, "page")

    old = servers.having([OLD])
    old.perform(GuardedStart(begin(), *pair(old)))
    new = servers.having([NEW, OLD])

    with pytest.raises(TooSoon):
        new.perform(GuardedStart(begin(), *pair(new)))

    servers.clock.advance(minutes=2)
    climbed = new.perform(ClimbIfFree(*pair(new)))
    assert climbed.counter.count == 2
    assert servers.store.counter(pair(old)[0], "page") is None
    new.perform(ForgetCounter(*pair(new)))
    assert servers.store.counter(pair(new)[0], "page") is None


def test_the_old_key_may_go_once_the_codes_made_with_it_have_ended(servers: Servers) -> None:
    unseen = "+12025550143"
    old = servers.having([OLD])
    code = old.perform(begin()).code
    old.perform(begin(unseen))
    assert is_approved(servers.having([NEW, OLD]), code)
    servers.clock.advance(minutes=10)

    only_new = servers.having([NEW])

    for to in (PHONE, unseen):
        assert is_approved(only_new, only_new.perform(begin(to)).code, to)
    listed = servers.store.page(Query(Verification, {"service_sid": SERVICE.sid}, limit=9))
    unreadable = sum(found.to == "" for found in listed)
    assert unreadable == (2 if isinstance(servers.store, SqlStore) else 0)


def test_what_a_dropped_key_sealed_is_purged_all_the_same(
    database_url: str, inbox: InboxSender, clock: ManualClock
) -> None:
    before = SqlStore(database_url, Keyring.from_secrets([OLD]))
    Servers(before, inbox, clock).having([OLD]).perform(begin())
    before.close()
    after = SqlStore(database_url, Keyring.from_secrets([NEW]))
    clock.advance(days=31)

    removed = dict(purge(after, Retention(timedelta(days=30), Policy().ladder), clock.now, pause=0))

    assert removed["verifications"] == 1
    after.close()


def test_what_a_network_address_has_asked_for_is_counted_on_when_the_key_changes(
    servers: Servers,
) -> None:
    def login(secrets: list[bytes]) -> None:
        server = servers.having(secrets)
        server.perform(TakeLogin(server.page_macs("sign in from 203.0.113.9")))

    for secrets in ([OLD], [OLD, NEW], [NEW, OLD], [OLD, NEW]) * (ADDRESS_SENDS // 4):
        login(secrets)

    for secrets in ([NEW, OLD], [OLD, NEW]):
        with pytest.raises(PageRefused, match="network"):
            login(secrets)
