"""A verification's rules, as a table of what may happen next and what may not."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import KEYRING, NOON, SERVICE
from watchword import codes
from watchword.errors import InvalidParameter, NotFound, Refusal, TooManyChecks, TooManySends
from watchword.keys import Keyring
from watchword.model import Channel, Policy, Status, Subject, Verification
from watchword.record import replace
from watchword.rules.verification import Ask, check, close, code_of, show, start

POLICY = Policy()
CUSTOM = replace(SERVICE, custom_code_enabled=True)
Pair = tuple[Subject, Verification]


def ask(number: int = 1, code: str | None = None, channel: Channel = Channel.SMS) -> Ask:
    return Ask(
        subject="s" * 32,
        to="+237650000000",
        channel=channel,
        custom_code=code,
        sid=f"VE{number:032}",
        attempt_sid=f"VL{number:032}",
        nonce=f"{number:032}",
    )


def begin(
    held: Pair | None = None,
    asked: Ask | None = None,
    now: datetime = NOON,
    policy: Policy = POLICY,
) -> Pair:
    subject, latest = held or (None, None)
    return start(SERVICE, subject, latest, asked or ask(), now, keyring=KEYRING, policy=policy)


def guess(held: Pair, code: str, now: datetime = NOON, policy: Policy = POLICY) -> Pair:
    verdict = check(*held, code, now, keyring=KEYRING, policy=policy)
    return verdict.subject, verdict.verification


def right(held: Pair) -> str:
    code = code_of(held[1], KEYRING)
    assert code is not None
    return code


def wrong(held: Pair) -> str:
    return f"{(int(right(held)) + 1) % 1_000_000:06}"


def test_a_new_verification_is_pending_for_ten_minutes_with_one_send() -> None:
    _, verification = begin()

    assert verification.status is Status.PENDING
    assert verification.expires_at == NOON + timedelta(minutes=10)
    assert [send.sid for send in verification.sends] == [f"VL{1:032}"]
    assert verification.checks == 0


def test_a_second_start_sends_the_same_code_of_the_same_verification() -> None:
    first = begin()

    again = begin(first, ask(2, channel=Channel.CALL), NOON + timedelta(minutes=9))

    assert again[1].sid == first[1].sid
    assert right(again) == right(first)
    assert again[1].channel is Channel.CALL
    assert again[1].expires_at == first[1].expires_at
    assert [send.channel for send in again[1].sends] == [Channel.SMS, Channel.CALL]


def test_the_sixth_send_of_a_verification_is_refused() -> None:
    held = begin()
    for number in range(2, 6):
        held = begin(held, ask(number))

    assert len(held[1].sends) == 5
    with pytest.raises(TooManySends):
        begin(held, ask(6))


def test_after_it_expired_a_start_makes_a_new_verification_with_a_new_code() -> None:
    first = begin()

    later = begin(first, ask(2), NOON + timedelta(minutes=10))

    assert later[1].sid != first[1].sid
    assert right(later) != right(first)


@pytest.mark.parametrize("status", [Status.CANCELED, Status.APPROVED])
def test_after_it_was_closed_a_start_makes_a_new_verification(status: Status) -> None:
    held = close(*begin(), status, NOON)

    assert begin(held, ask(2))[1].sid == f"VE{2:032}"


def test_the_right_code_is_approved_once() -> None:
    held = begin()

    approved = guess(held, right(held))

    assert approved[1].status is Status.APPROVED
    with pytest.raises(NotFound):
        guess(approved, right(held))


def test_five_wrong_codes_close_a_verification_even_for_the_right_one() -> None:
    held = begin()
    for _ in range(5):
        assert held[1].status is Status.PENDING
        held = guess(held, wrong(held))

    assert held[1].status is Status.MAX_ATTEMPTS_REACHED
    with pytest.raises(TooManyChecks):
        guess(held, right(held))
    with pytest.raises(TooManyChecks):
        begin(held, ask(2), NOON + timedelta(minutes=9))
    with pytest.raises(NotFound):
        guess(held, right(held), NOON + timedelta(minutes=10))
    assert begin(held, ask(2), NOON + timedelta(minutes=10))[1].status is Status.PENDING


def test_the_right_code_on_the_fifth_guess_is_still_right() -> None:
    held = begin()
    for _ in range(4):
        held = guess(held, wrong(held))

    assert guess(held, right(held))[1].status is Status.APPROVED


def test_a_code_is_good_until_it_expires_and_not_a_moment_longer() -> None:
    held = begin()
    end = NOON + timedelta(minutes=10)

    assert guess(held, right(held), end - timedelta(milliseconds=1))[1].status is Status.APPROVED
    with pytest.raises(NotFound):
        guess(held, right(held), end)


def test_a_wrong_guess_changes_nothing_of_a_codes_life() -> None:
    held = begin()

    after = guess(held, wrong(held), NOON + timedelta(minutes=5))

    assert after[1].expires_at == held[1].expires_at


def test_failures_are_counted_per_phone_and_outlive_verifications() -> None:
    held = begin()
    now = NOON
    for failures in range(50):
        assert held[0].failures == failures
        held = guess(held, wrong(held), now)
        if held[1].status is Status.MAX_ATTEMPTS_REACHED and failures < 49:
            now += timedelta(minutes=10)
            held = begin(held, ask(failures + 2), now)

    assert held[0].failures == 50
    with pytest.raises(TooManyChecks):
        begin(held, ask(99), now + timedelta(days=365))


def test_at_the_cap_not_even_the_right_code_is_evaluated() -> None:
    subject, verification = begin()
    full = replace(subject, failures=50), verification

    with pytest.raises(TooManyChecks):
        guess(full, right(full))


def test_a_right_code_clears_the_failures() -> None:
    held = begin()
    held = guess(held, wrong(held))

    assert guess(held, right(held))[0].failures == 0


def test_the_owners_approval_clears_the_failures_and_a_cancel_does_not() -> None:
    held = guess(begin(), wrong(begin()))

    assert close(*held, Status.APPROVED, NOON)[0].failures == 0
    assert close(*held, Status.CANCELED, NOON)[0].failures == 1


@pytest.mark.parametrize("status", [Status.CANCELED, Status.APPROVED])
def test_only_an_open_verification_can_be_closed(status: Status) -> None:
    held = begin()

    with pytest.raises(NotFound):
        close(*held, status, NOON + timedelta(minutes=10))
    with pytest.raises(NotFound):
        close(*close(*held, Status.CANCELED, NOON), status, NOON)


def test_what_a_fetch_may_see() -> None:
    held = begin()

    assert show(held[1], NOON).status is Status.PENDING
    assert show(close(*held, Status.CANCELED, NOON)[1], NOON).status is Status.CANCELED
    with pytest.raises(NotFound):
        show(close(*held, Status.APPROVED, NOON)[1], NOON)
    with pytest.raises(NotFound):
        show(held[1], NOON + timedelta(minutes=10))


def test_a_custom_code_is_compared_and_not_kept() -> None:
    subject, verification = start(
        CUSTOM, None, None, ask(code="tiger-42"), NOON, keyring=KEYRING, policy=POLICY
    )

    assert "tiger-42" not in repr(verification)
    assert code_of(verification, KEYRING) is None
    assert guess((subject, verification), "tiger-42")[1].status is Status.APPROVED
    assert guess((subject, verification), "tiger-43")[1].status is Status.PENDING


def test_a_custom_code_is_ignored_where_the_service_does_not_allow_it() -> None:
    held = begin(asked=ask(code="tiger-42"))

    assert held[1].custom_code_mac is None
    assert guess(held, "tiger-42")[1].status is Status.PENDING


@pytest.mark.parametrize("code", ["abc", "12345678901"])
def test_a_custom_code_has_four_to_ten_characters(code: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        start(CUSTOM, None, None, ask(code=code), NOON, keyring=KEYRING, policy=POLICY)

    assert refusal.value.name == "CustomCode"


def test_a_custom_code_is_asked_for_again_at_a_resend() -> None:
    held = start(CUSTOM, None, None, ask(code="tiger-42"), NOON, keyring=KEYRING, policy=POLICY)

    with pytest.raises(InvalidParameter):
        start(CUSTOM, *held, ask(2), NOON, keyring=KEYRING, policy=POLICY)
    again = start(CUSTOM, *held, ask(2, code="tiger-42"), NOON, keyring=KEYRING, policy=POLICY)
    assert guess(again, "tiger-42")[1].status is Status.APPROVED


def test_when_its_key_was_dropped_no_code_is_right_and_a_start_begins_anew() -> None:
    held = begin()
    other = Keyring.from_secrets([b"o" * 32])

    verdict = check(*held, right(held), NOON, keyring=other, policy=POLICY)
    anew = start(SERVICE, *held, ask(2), NOON, keyring=other, policy=POLICY)

    assert not verdict.right
    assert anew[1].sid == f"VE{2:032}"


def test_another_machines_later_clock_is_not_turned_back() -> None:
    held = begin(now=NOON + timedelta(minutes=5))

    again = begin(held, ask(2), NOON)

    assert again[1].updated_at == NOON + timedelta(minutes=5)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["start", "right", "wrong", "cancel", "approve"]),
        st.integers(0, 700),
    ),
    max_size=120,
)


@settings(max_examples=150)
@given(ACTIONS)
def test_no_history_approves_twice_or_evaluates_more_guesses_than_it_may(
    actions: list[tuple[str, int]],
) -> None:
    policy = replace(POLICY, max_failures=12)
    now, held, number = NOON, None, 0
    approved: set[str] = set()
    evaluated: dict[str, int] = {}
    failures = 0
    for action, seconds in actions:
        now += timedelta(seconds=seconds)
        number += 1
        try:
            if action == "start" or held is None:
                held = begin(held, ask(number), now, policy)
            elif action in ("right", "wrong"):
                code = right(held) if action == "right" else wrong(held)
                sid = held[1].sid
                held = guess(held, code, now, policy)
                evaluated[sid] = evaluated.get(sid, 0) + 1
                failures = 0 if action == "right" else failures + 1
                if action == "right":
                    assert sid not in approved
                    approved.add(sid)
            else:
                status = Status.CANCELED if action == "cancel" else Status.APPROVED
                sid = held[1].sid
                held = close(*held, status, now)
                if status is Status.APPROVED:
                    assert sid not in approved
                    approved.add(sid)
                    failures = 0
        except Refusal:
            pass
        assert failures <= 12
        assert all(count <= 5 for count in evaluated.values())


def test_codes_are_compared_whole() -> None:
    held = begin()

    assert guess(held, right(held)[:-1])[1].status is Status.PENDING
    assert guess(held, right(held) + "0")[1].status is Status.PENDING
    assert codes.same(right(held), right(held))
