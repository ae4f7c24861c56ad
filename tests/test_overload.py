"""Overload: what cannot be answered in time is refused at once, and nobody starves another."""

import asyncio
import base64
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import httpx2
import pytest

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE, make_engine
from watchword.asgi import App
from watchword.batch import Outcome
from watchword.callers import address_of
from watchword.clock import ManualClock
from watchword.commands.base import Command
from watchword.commands.pages import LookAtPage
from watchword.commands.services import EnsureService
from watchword.commands.verifications import (
    CheckCode,
    FetchVerification,
    GuardedStart,
    StartVerification,
)
from watchword.engine import Engine
from watchword.errors import NotFound, Overloaded, StoreError
from watchword.gather import LONGEST_WAIT, MANY, Gatherer
from watchword.health import FRESH_SECONDS, Health
from watchword.keys import Keyring
from watchword.phone import parse
from watchword.room import LONGEST_PRESSED, PRESSED_FOR, SHARED_FOR, Room
from watchword.senders.base import Message, Receipt
from watchword.senders.inbox import InboxSender
from watchword.store.base import Changes, Keys, Rows
from watchword.store.memory import MemoryStore
from watchword.waits import Waits

COMMAND = FetchVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, to=PHONE)


class ManualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is turned by hand."""

    turned = 0.0

    def time(self) -> float:
        return super().time() + self.turned


def gathering(
    check: Callable[[Gatherer, list[int], ManualLoop], Any], *, places: int = 8, pressed: int = 8
) -> None:
    """Run a check beside a gatherer that counts the commands of its batches."""
    loop = ManualLoop()
    batches: list[int] = []

    def run(commands: list[Command[Any]]) -> Waits[list[Outcome]]:
        batches.append(len(commands))
        yield from ()
        return ["done"] * len(commands)

    gatherer = Gatherer(loop, run, 256, room=Room(loop.time, places=places, pressed=pressed))
    loop.run_until_complete(check(gatherer, batches, loop))
    loop.close()


@pytest.mark.parametrize("lanes", [0, 4])
def test_what_arrives_while_a_batch_is_under_way_becomes_one_batch(lanes: int) -> None:
    """Two lanes that share it would pay twice for what a batch costs."""
    batches: list[int] = []
    go_on = threading.Event()

    def run(commands: list[Command[Any]]) -> Waits[list[Outcome]]:
        batches.append(len(commands))
        yield partial(go_on.wait, 10)
        return ["done"] * len(commands)

    async def arrive() -> None:
        gatherer = Gatherer(asyncio.get_running_loop(), run, 256, lanes=lanes)
        waiting = []
        for _turn in range(5):
            waiting += [gatherer.add(COMMAND) for _ in range(MANY)]
            await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*waiting) == ["done"] * 5 * MANY
        gatherer.close()

    asyncio.run(arrive())

    assert batches == [MANY, 4 * MANY]


def test_a_full_queue_refuses_every_caller() -> None:
    async def check(gatherer: Gatherer, batches: list[int], _: ManualLoop) -> None:
        waiting = [gatherer.add(COMMAND, f"account {place}") for place in range(8)]

        with pytest.raises(Overloaded):
            gatherer.add(COMMAND, "one more")

        assert await asyncio.gather(*waiting) == ["done"] * 8
        assert batches == [8]

    gathering(check)


def test_a_queue_that_was_full_takes_the_next_ones() -> None:
    async def check(gatherer: Gatherer, batches: list[int], _: ManualLoop) -> None:
        for _turn in range(3):
            waiting = [gatherer.add(COMMAND, f"account {place}") for place in range(8)]
            assert gatherer.room.turns_away("account", starts=False)
            await asyncio.gather(*waiting)
            assert not gatherer.room.turns_away("account", starts=False)
        assert batches == [8, 8, 8]

    gathering(check)


def test_one_account_fills_no_more_than_half_of_the_queue() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], _: ManualLoop) -> None:
        await gatherer.add(COMMAND, "quiet")
        waiting = [gatherer.add(COMMAND, "loud") for _ in range(4)]
        with pytest.raises(Overloaded):
            gatherer.add(COMMAND, "loud")

        waiting += [gatherer.add(COMMAND, "quiet") for _ in range(3)]

        assert await asyncio.gather(*waiting) == ["done"] * 7
        assert await gatherer.add(COMMAND, "loud") == "done"

    gathering(check)


def test_an_account_that_is_alone_has_all_but_a_newcomers_place() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], loop: ManualLoop) -> None:
        await gatherer.add(COMMAND, "quiet")
        await gatherer.add(COMMAND, "loud")
        loop.turned += SHARED_FOR + 1

        waiting = [gatherer.add(COMMAND, "loud") for _ in range(7)]

        assert await asyncio.gather(*waiting) == ["done"] * 7

    gathering(check)


def test_once_the_room_was_full_fewer_are_let_wait_for_a_while() -> None:
    async def check(gatherer: Gatherer, batches: list[int], loop: ManualLoop) -> None:
        async def turn(callers: int) -> int:
            """Let so many come, each of an account of its own; return how many were let in."""
            waiting = [
                gatherer.add(COMMAND, f"account {number}")
                for number in range(callers)
                if not gatherer.room.turns_away(f"account {number}", starts=False)
            ]
            await asyncio.gather(*waiting)
            loop.turned += PRESSED_FOR / 4
            return len(waiting)

        assert await turn(16) == 16  # a burst, and nobody was refused
        assert await turn(40) == 16
        assert [await turn(12) for _ in range(5)] == [8, 8, 8, 12, 12]  # it ends by itself
        assert await turn(40) == 16
        # It came back soon, so it stays for twice as long, and for twice that the next time.
        assert [await turn(40) for _ in range(24)] == [8] * 7 + [16] + [8] * 15 + [16]
        loop.turned += 3 * LONGEST_PRESSED
        assert await turn(40) == 16
        assert [await turn(40) for _ in range(4)] == [8, 8, 8, 16]  # it was forgotten

    gathering(check, places=16)


def test_an_account_that_fills_the_room_does_not_keep_another_from_being_heard() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], _: ManualLoop) -> None:
        loud = [gatherer.add(COMMAND, "loud") for _ in range(7)]
        assert gatherer.room.turns_away("loud", starts=False)
        assert not gatherer.room.turns_away("quiet", starts=False)
        quiet = gatherer.add(COMMAND, "quiet")
        await asyncio.gather(*loud, quiet)

        loud = [gatherer.add(COMMAND, "loud") for _ in range(4)]
        assert gatherer.room.turns_away("loud", starts=False)

        assert await asyncio.gather(*loud) == ["done"] * 4

    gathering(check)


def test_once_the_room_was_full_half_of_it_is_for_checks() -> None:
    async def check(gatherer: Gatherer, batches: list[int], _: ManualLoop) -> None:
        waiting = [gatherer.add(COMMAND, f"account {place}") for place in range(8)]
        assert gatherer.room.turns_away("account", starts=False)
        await asyncio.gather(*waiting)

        waiting = [gatherer.add(COMMAND, f"account {place}", starts=True) for place in range(4)]
        with pytest.raises(Overloaded):
            gatherer.add(COMMAND, "account", starts=True)
        waiting += [gatherer.add(COMMAND, f"account {place}") for place in range(4, 8)]

        assert await asyncio.gather(*waiting) == ["done"] * 8

    gathering(check)


def test_one_account_is_not_all_starts_of_a_room_under_pressure() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], _: ManualLoop) -> None:
        await gatherer.add(COMMAND, "quiet")
        waiting = [gatherer.add(COMMAND, f"account {place}") for place in range(8)]
        assert gatherer.room.turns_away("loud", starts=True)
        await asyncio.gather(*waiting)

        waiting = [gatherer.add(COMMAND, "loud", starts=True) for _ in range(2)]
        with pytest.raises(Overloaded):
            gatherer.add(COMMAND, "loud", starts=True)
        waiting += [gatherer.add(COMMAND, "quiet", starts=True) for _ in range(2)]

        assert await asyncio.gather(*waiting) == ["done"] * 4

    gathering(check)


def test_a_hot_number_leaves_places_once_the_room_was_full() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], _: ManualLoop) -> None:
        waiting = [gatherer.add(COMMAND, f"account {place}", about="hot") for place in range(8)]
        assert gatherer.room.turns_away("account", starts=False)
        await asyncio.gather(*waiting)

        waiting = [gatherer.add(COMMAND, f"account {place}", about="hot") for place in range(2)]
        with pytest.raises(Overloaded):
            gatherer.add(COMMAND, "account", about="hot")
        waiting += [gatherer.add(COMMAND, f"account {place}", about="own") for place in (2, 3)]
        await asyncio.gather(*waiting)

        assert await gatherer.add(COMMAND, "account", about="hot") == "done"

    gathering(check)


def test_a_caller_is_counted_by_the_number_of_a_start_or_a_check() -> None:
    start = StartVerification(SERVICE.sid, SERVICE.account_sid, parse(PHONE))
    check = CheckCode(SERVICE.sid, SERVICE.account_sid, "123456", to=PHONE)

    asked = (start, GuardedStart(start, "id", "user"), check, COMMAND)
    assert [address_of(command) for command in asked] == [PHONE, PHONE, PHONE, ""]


def test_visitors_of_pages_have_places_like_anybody() -> None:
    engine = make_engine(MemoryStore(), InboxSender(), ManualClock(NOON))

    async def flood() -> list[object]:
        looks = (engine.submit(LookAtPage(f"WP{number:032x}")) for number in range(300))
        return await asyncio.gather(*looks, return_exceptions=True)

    assert {type(answer) for answer in asyncio.run(flood())} == {NotFound, Overloaded}


def test_a_command_that_cannot_name_its_rows_fails_alone() -> None:
    engine = make_engine(MemoryStore(), InboxSender(), ManualClock(NOON))

    class Broken(FetchVerification, frozen=True):
        def keys(self, keyring: Keyring) -> Keys:
            raise RuntimeError

    async def both() -> list[object]:
        broken = Broken(CREDENTIALS.service_sid, CREDENTIALS.account_sid, to=PHONE)
        asked = (engine.submit(broken), engine.submit(COMMAND))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert [type(answer) for answer in asyncio.run(both())] == [RuntimeError, NotFound]


def test_what_follows_from_a_command_that_was_let_in_is_never_refused() -> None:
    async def check(gatherer: Gatherer, _batches: list[int], _: ManualLoop) -> None:
        waiting = [gatherer.add(COMMAND, f"account {place}") for place in range(8)]
        waiting += [gatherer.add(COMMAND) for _ in range(100)]

        assert await asyncio.gather(*waiting) == ["done"] * 108

    gathering(check)


def test_a_caller_who_has_waited_too_long_is_refused_unrun() -> None:
    async def check(gatherer: Gatherer, batches: list[int], loop: ManualLoop) -> None:
        late = gatherer.add(COMMAND, "account")
        ours = gatherer.add(COMMAND)
        loop.turned += LONGEST_WAIT + 1

        assert isinstance(await late, Overloaded)
        assert await ours == "done"
        assert batches == [1]

    gathering(check)


def test_a_command_whose_caller_has_gone_is_not_begun() -> None:
    async def check(gatherer: Gatherer, batches: list[int], _: ManualLoop) -> None:
        gone, here = gatherer.add(COMMAND, "account"), gatherer.add(COMMAND, "account")
        gone.cancel()

        assert await here == "done"
        assert batches == [1]

    gathering(check)


def test_an_overloaded_server_answers_503_with_retry_after_and_changes_nothing() -> None:
    engine = make_engine(MemoryStore(), InboxSender(), ManualClock(NOON))
    app = App(engine, development=True)
    user = f"{CREDENTIALS.account_sid}:{CREDENTIALS.auth_token}"
    headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
    path = f"/v2/Services/{CREDENTIALS.service_sid}/Verifications"

    async def flood() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            numbers = (f"+2376{50_000_000 + number}" for number in range(600))
            return await asyncio.gather(
                *(
                    client.post(path, data={"To": number, "Channel": "sms"}, headers=headers)
                    for number in numbers
                )
            )

    answers = asyncio.run(flood())

    shed = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {201, 503}
    assert all(answer.headers["Retry-After"] == "1" for answer in shed)
    assert {answer.json()["message"] for answer in shed} == {
        "too many requests at once; try again in a moment"
    }
    inbox = engine.sender
    assert isinstance(inbox, InboxSender)
    assert len(inbox.messages(limit=1000)) == len(answers) - len(shed)


class Stopped:
    """A sender whose provider has come to a stop."""

    name = "stopped"
    waits = True

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def send(self, message: Message) -> Receipt:
        await self.go.wait()
        return Receipt.sent(message.attempt_sid)

    def close(self) -> None:
        """Hold nothing open."""


def test_a_provider_at_a_stop_has_new_starts_refused_and_checks_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("watchword.engine.MAX_SENDING", 3)

    async def check() -> None:
        sender = Stopped()
        engine = Engine(
            MemoryStore(),
            sender,
            KEYRING,
            CREDENTIALS,
            clock=ManualClock(NOON),
            answer_within=timedelta(microseconds=1),
        )
        engine.perform(EnsureService(SERVICE))

        def start(number: int) -> StartVerification:
            phone = parse(f"+2376{50_000_000 + number}")
            return StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, phone)

        for number in range(3):
            await engine.submit(start(number))
        with pytest.raises(Overloaded):
            await engine.submit(start(3))
        assert (await engine.submit(COMMAND)).to == PHONE

        sender.go.set()
        await engine._late.drain()
        await engine.submit(start(3))
        await engine.aclose()

    asyncio.run(check())


class SlowStore(MemoryStore):
    """A store that answers a ping when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()
        self.asked = 0

    def ping(self) -> None:
        self.asked += 1
        self.go.wait()

    def transact(self, keys: Keys, decide: Callable[[Rows], Changes]) -> None:
        super().transact(keys, decide)


def test_the_health_check_asks_a_slow_store_once_and_answers_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("watchword.health.PATIENCE_SECONDS", 0.01)
    store = SlowStore()
    health = Health(make_engine(store, InboxSender(), ManualClock(NOON)))

    async def check() -> None:
        request: Any = None
        answers = await asyncio.gather(*(health.show(request) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        assert store.asked == 1
        store.go.set()
        monkeypatch.setattr("watchword.health.PATIENCE_SECONDS", 30)
        assert (await health.show(request)).status_code == 200

    asyncio.run(check())
    health.close()


def test_while_the_store_has_answered_a_moment_ago_it_is_not_asked_again() -> None:
    store = SlowStore()
    store.go.set()
    health = Health(make_engine(store, InboxSender(), ManualClock(NOON)))
    request: Any = None
    loop = ManualLoop()

    async def check() -> None:
        for _ in range(3):
            assert (await health.show(request)).status_code == 200
        assert store.asked == 1
        loop.turned += FRESH_SECONDS + 1
        assert (await health.show(request)).status_code == 200
        assert store.asked == 2

    loop.run_until_complete(check())
    loop.close()
    health.close()


def test_a_health_check_that_another_one_follows_is_not_taken_for_late() -> None:
    health = Health(make_engine(MemoryStore(), InboxSender(), ManualClock(NOON)))
    request: Any = None

    async def check() -> None:
        first = asyncio.ensure_future(health.show(request))
        await asyncio.sleep(0)
        assert health._asking is not None
        later: list[asyncio.Future[Any]] = []
        health._asking.add_done_callback(
            lambda _: later.append(asyncio.ensure_future(health.show(request)))
        )
        second = asyncio.ensure_future(health.show(request))  # hears of the end after that

        answers = [await first, await second, await later[0]]

        assert [answer.status_code for answer in answers] == [200, 200, 200]

    asyncio.run(check())
    health.close()


def test_overload_is_an_error_of_the_store_to_whoever_embeds_the_engine() -> None:
    assert issubclass(Overloaded, StoreError)
