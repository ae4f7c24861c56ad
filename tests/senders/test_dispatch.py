"""Routes, breakers and the way from one sender to the next: never two messages to one person."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from tests.senders.fakes import message
from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.breaker import Breaker, State
from watchword.senders.dispatch import Dispatch
from watchword.senders.routes import Choice, Pick, Route, find_route, in_order

SENT = Receipt.sent("m1")
DOWN = Receipt.failed(Trouble.OUTAGE)
UNCLEAR = Receipt.unknown()


@dataclass
class Steady:
    """A clock in seconds, to turn."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Scripted:
    """A sender that answers what it is told and counts."""

    name: str
    says: Receipt | Exception = SENT
    waits: bool = True
    got: list[Message] = field(default_factory=list)

    async def send(self, one: Message) -> Receipt:
        self.got.append(one)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def close(self) -> None:
        self.got.clear()


def dispatch(*senders: Scripted, now: Steady | None = None, pick: Pick = Pick.ORDER) -> Dispatch:
    route = Route(Channel.SMS, tuple(Choice(s.name) for s in senders), pick=pick)
    return Dispatch({s.name: s for s in senders}, [route], now=now or Steady())


def send(to: Dispatch, one: Message | None = None) -> Receipt:
    return asyncio.run(to.send(one or message()))


def test_the_first_sender_that_takes_it_ends_it() -> None:
    first, second = Scripted("first"), Scripted("second")

    receipt = send(dispatch(first, second))

    assert (receipt.status, receipt.sender) == (Delivery.SENT, "first")
    assert (len(first.got), len(second.got)) == (1, 0)


@pytest.mark.parametrize(
    "trouble", [trouble for trouble in Trouble if trouble is not Trouble.OPTED_OUT]
)
def test_a_definite_failure_tries_the_next_at_once(trouble: Trouble) -> None:
    first, second = Scripted("first", Receipt.failed(trouble)), Scripted("second")

    receipt = send(dispatch(first, second))

    assert (receipt.status, receipt.sender) == (Delivery.SENT, "second")


@pytest.mark.parametrize("says", [UNCLEAR, TimeoutError("late"), RuntimeError("a bug of theirs")])
def test_an_uncertain_end_is_the_end(says: Receipt | Exception) -> None:
    first, second = Scripted("first", says), Scripted("second")

    receipt = send(dispatch(first, second))

    assert receipt.status is Delivery.UNKNOWN
    assert second.got == []


def test_who_told_one_provider_to_stop_is_left_in_peace_by_the_others() -> None:
    first, second = Scripted("first", Receipt.failed(Trouble.OPTED_OUT, 21610)), Scripted("second")

    receipt = send(dispatch(first, second))

    assert (receipt.status, receipt.error_code) == (Delivery.FAILED, 21610)
    assert second.got == []


def test_when_all_fail_the_last_one_s_reason_is_given() -> None:
    first = Scripted("first", DOWN)
    second = Scripted("second", Receipt.failed(Trouble.RECIPIENT, 21211))

    receipt = send(dispatch(first, second))

    assert (receipt.status, receipt.sender) == (Delivery.FAILED, "second")
    assert receipt.trouble is Trouble.RECIPIENT


def test_five_faults_open_the_breaker_and_a_rest_later_one_message_tries() -> None:
    now = Steady()
    first, second = Scripted("first", DOWN), Scripted("second")
    both = dispatch(first, second, now=now)

    for _ in range(20):
        assert send(both).sender == "second"
    assert len(first.got) == 5
    assert both.health()[0].state is State.OPEN

    now.seconds += 31
    send(both)
    assert len(first.got) == 6
    assert both.health()[0].state is State.OPEN

    now.seconds += 31
    first.says = SENT
    assert send(both).sender == "first"
    assert both.health()[0].state is State.CLOSED


def test_half_open_lets_one_message_through_and_not_the_crowd() -> None:
    now = Steady()
    breaker = Breaker(now)
    for _ in range(5):
        breaker.failed()
    now.seconds += 31

    admitted = [breaker.admits() for _ in range(10)]

    assert admitted == [True] + [False] * 9


def test_a_retry_after_is_kept_to() -> None:
    now = Steady()
    busy = Scripted("busy", Receipt.failed(Trouble.BUSY, retry_after=120))
    one = dispatch(busy, now=now)

    send(one)
    now.seconds += 119
    assert send(one).reason == "every sender of the route rests after faults"
    now.seconds += 2
    send(one)

    assert len(busy.got) == 2


def test_a_thousand_wrong_numbers_do_not_make_a_sender_rest() -> None:
    wrong = Scripted("wrong", Receipt.failed(Trouble.RECIPIENT))
    one = dispatch(wrong)

    for _ in range(1000):
        send(one)

    assert len(wrong.got) == 1000


def test_a_canceled_send_frees_the_half_open_place() -> None:
    now = Steady()
    slow = Scripted("slow", asyncio.CancelledError())  # type: ignore[arg-type]
    slow_lane = dispatch(slow, now=now)
    lane = slow_lane.lanes["slow"]
    for _ in range(5):
        lane.breaker.failed()
    now.seconds += 31

    async def cut() -> None:
        raise asyncio.CancelledError

    slow.send = lambda _one: cut()  # type: ignore[assignment,method-assign,return-value]
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lane.send(message()))
    now.seconds += 31

    assert lane.breaker.admits()


def test_the_closest_route_is_taken() -> None:
    def route(*prefixes: str, countries: tuple[str, ...] = ()) -> Route:
        return Route(Channel.SMS, (Choice("x"),), frozenset(countries), prefixes)

    anywhere, france = route(), route(countries=("FR",))
    mobile, orange = route("+336"), route("+3363", "+33689")
    calls = replace(anywhere, channel=Channel.CALL)
    routes = [anywhere, calls, france, mobile, orange]

    def found(to: str, country: str) -> Route | None:
        return find_route(routes, Channel.SMS, to, country)

    assert found("+33631234567", "FR") is orange
    assert found("+33612345678", "FR") is mobile
    assert found("+33123456789", "FR") is france
    assert found("+4915112345678", "DE") is anywhere
    assert find_route([france], Channel.SMS, "+49", "DE") is None
    assert find_route([anywhere], Channel.CALL, "+49", "DE") is None


def test_a_route_for_a_messaging_service_comes_before_all_and_is_for_nobody_else() -> None:
    anywhere = Route(Channel.SMS, (Choice("x"),))
    orange = Route(Channel.SMS, (Choice("x"),), prefixes=("+33689",))
    named = Route(Channel.SMS, (Choice("y"),), messaging_services=frozenset({"MG1"}))
    french = Route(
        Channel.SMS, (Choice("z"),), frozenset({"FR"}), messaging_services=frozenset({"MG1"})
    )
    routes = [named, french, anywhere, orange]

    def found(country: str, service: str | None) -> Route | None:
        return find_route(routes, Channel.SMS, "+33689000000", country, service)

    assert found("FR", None) is orange
    assert found("FR", "MG2") is orange
    assert found("FR", "MG1") is french
    assert found("DE", "MG1") is named
    assert find_route([named], Channel.SMS, "+33", "FR") is None


def test_no_route_is_a_failure_that_says_so() -> None:
    receipt = send(dispatch(Scripted("first")), message(Channel.CALL))

    assert receipt.status is Delivery.FAILED
    assert "no route leads there by call" in str(receipt.reason)


def test_costs_and_weights_order_the_senders() -> None:
    choices = (Choice("a", 1, 0.05), Choice("b", 3, 0.02))
    cheap = Route(Channel.SMS, choices, pick=Pick.COST)
    drawn = Route(Channel.SMS, choices, pick=Pick.WEIGHT)

    firsts = [in_order(drawn, f"VL{number:032x}")[0].sender for number in range(4000)]

    assert [choice.sender for choice in in_order(cheap, "VL0")] == ["b", "a"]
    assert firsts.count("a") == 1000
    assert {len(in_order(drawn, f"VL{number:032x}")) for number in range(8)} == {2}
