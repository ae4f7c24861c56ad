"""SMPP 3.4 against a message centre of real PDUs: what left is never sent again."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, SERVICE
from tests.senders.fakes import CODE, broken_server, message, reset
from tests.senders.smsc import DROP, SILENT, Smsc, centre
from watchword.clock import ManualClock
from watchword.commands.deliveries import LookAtDeliveries
from watchword.commands.services import EnsureService
from watchword.commands.verifications import StartVerification
from watchword.engine import Engine
from watchword.errors import StoreError
from watchword.model import Attempt, Channel, Delivery
from watchword.phone import parse
from watchword.reports import Reports
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.dispatch import Dispatch
from watchword.senders.provider import Notice
from watchword.senders.reach import reach
from watchword.senders.routes import Choice, Route
from watchword.senders.smpp import SmppSender
from watchword.senders.smpp_codes import read_report
from watchword.senders.smpp_pdu import NotSmpp, read_delivered
from watchword.store.base import Store

LONG_TEXT = "Your code is 4820193756. " * 14  # 350 characters
GIVEN = {"host": "127.0.0.1", "system_id": "acme", "password": "secret", "from": "+15550001"}


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with centre() as one:
        yield one


def make(port: int, timeout: float = 30.0, **given: Any) -> SmppSender:
    defaults = {option.name: option.default or "" for option in SmppSender.OPTIONS}
    return SmppSender("smpp", defaults | GIVEN | {"port": str(port)} | given, timeout=timeout)


def use(sender: SmppSender, act: Callable[[SmppSender], Awaitable[Any]]) -> Any:
    """Do something with a sender in a loop of its own, and close it there."""

    async def run() -> Any:
        try:
            return await act(sender)
        finally:
            await end(sender)

    return asyncio.run(run())


async def end(*senders: SmppSender) -> None:
    """Close, and see the unbinding through."""
    here = {asyncio.current_task()}
    for sender in senders:
        sender.close()
    await asyncio.wait(asyncio.all_tasks() - here or [asyncio.ensure_future(asyncio.sleep(0))])


def send(sender: SmppSender, *messages: Message) -> list[Receipt]:
    async def act(one: SmppSender) -> list[Receipt]:
        return [await one.send(each) for each in messages or (message(),)]

    found: list[Receipt] = use(sender, act)
    return found


def worded(text: str) -> Message:
    one = message()
    return Message(one.attempt_sid, one.to, one.channel, text, CODE, "Acme", NOON, "FR")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  # it happens in another thread
            await asyncio.sleep(0.005)


def test_a_message_is_submitted_once_and_its_id_kept(smsc: Smsc) -> None:
    receipt = send(make(smsc.port))[0]

    submitted = smsc.submitted[0]
    assert receipt == Receipt(Delivery.SENT, "000000A1")
    assert submitted.text == f"Your Acme verification code is: {CODE}"
    assert submitted.source == (1, 1, "15550001")
    assert submitted.to == (1, 1, "33612345678")
    assert (submitted.data_coding, submitted.esm_class, submitted.registered) == (0, 0, 1)
    assert submitted.validity == "000000001000000R"
    assert (len(smsc.submitted), smsc.bound, smsc.unbound) == (1, ["acme"], 1)


def test_one_bind_serves_many_messages_at_once(smsc: Smsc) -> None:
    async def act(sender: SmppSender) -> list[Receipt]:
        return await asyncio.gather(*(sender.send(message()) for _ in range(50)))

    receipts = use(make(smsc.port, window="4"), act)

    assert len({receipt.message_id for receipt in receipts}) == 50
    assert smsc.bound == ["acme"]


@pytest.mark.parametrize(
    ("given", "source"),
    [("+15550001", (1, 1, "15550001")), ("36246", (3, 0, "36246")), ("Acme", (5, 0, "Acme"))],
)
def test_what_it_comes_from_is_named_by_its_form(
    smsc: Smsc, given: str, source: tuple[int, int, str]
) -> None:
    named: dict[str, Any] = {"from": given}

    send(make(smsc.port, **named))

    assert smsc.submitted[0].source == source


@pytest.mark.parametrize(
    ("text", "coding"), [("Votre code: é à € {1}", 0), ("Ваш код 4820193756", 8), ("码 🙂 1", 8)]
)
def test_a_text_arrives_in_the_smallest_alphabet_that_has_it(
    smsc: Smsc, text: str, coding: int
) -> None:
    send(make(smsc.port), worded(text))

    assert (smsc.submitted[0].text, smsc.submitted[0].data_coding) == (text, coding)


def test_a_centre_whose_alphabet_is_latin_1_gets_that(smsc: Smsc) -> None:
    send(make(smsc.port, alphabet="latin-1"), worded("Votre code: é à"), worded("€ 5"))

    assert [one.data_coding for one in smsc.submitted] == [3, 8]
    assert [one.text for one in smsc.submitted] == ["Votre code: é à", "€ 5"]


@pytest.mark.parametrize(("text", "parts"), [(LONG_TEXT, 3), ("код 4820193756 🙂 " * 10, 3)])
def test_a_long_text_goes_in_parts_that_a_phone_joins(smsc: Smsc, text: str, parts: int) -> None:
    receipt = send(make(smsc.port), worded(text))[0]

    headers = [one.short[:6] for one in smsc.submitted]
    assert "".join(one.text for one in smsc.submitted) == text
    assert [header[4:] for header in headers] == [bytes((parts, n + 1)) for n in range(parts)]
    assert len({header[:4] for header in headers}) == 1
    assert all(one.esm_class == 0x40 and len(one.short) <= 160 for one in smsc.submitted)
    assert [one.registered for one in smsc.submitted] == [0] * (parts - 1) + [1]
    assert receipt.message_id == f"{0xA0 + parts:08X}"


def test_or_in_one_pdu_s_message_payload(smsc: Smsc) -> None:
    send(make(smsc.port, long="payload"), worded(LONG_TEXT), worded("short"))

    long, short = smsc.submitted
    assert (long.short, long.text, long.esm_class) == (b"", LONG_TEXT, 0)
    assert (short.short, short.options) == (b"short", {})


@pytest.mark.parametrize(
    ("status", "trouble", "code", "after"),
    [
        (0x0B, Trouble.RECIPIENT, 21211, None),
        (0x0A, Trouble.SETUP, 21606, None),
        (0x14, Trouble.BUSY, 30001, 1.0),
        (0x58, Trouble.BUSY, 20429, 1.0),
        (0x45, Trouble.OUTAGE, 30008, None),
        (0x0411, Trouble.CONTENT, None, None),  # a vendor's own
    ],
)
def test_a_refusal_is_definite_and_told_apart(
    smsc: Smsc, status: int, trouble: Trouble, code: int | None, after: float | None
) -> None:
    smsc.answers = lambda _: status

    receipt = send(make(smsc.port))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, trouble)
    assert (receipt.error_code, receipt.retry_after) == (code, after)


@pytest.mark.parametrize("status", [0x08, 0xFF])
def test_an_error_of_the_centre_s_own_is_nobody_s_knowledge(smsc: Smsc, status: int) -> None:
    smsc.answers = lambda _: status

    assert send(make(smsc.port))[0].status is Delivery.UNKNOWN


@pytest.mark.parametrize("how", [DROP, SILENT])
def test_a_link_lost_or_silent_after_the_submit_is_nobody_s_knowledge(smsc: Smsc, how: int) -> None:
    smsc.answers = lambda number: how if number == 1 else 0

    lost, after = send(make(smsc.port, timeout=0.3), message(), message())

    assert lost.status is Delivery.UNKNOWN
    assert after.status is Delivery.SENT
    assert len(smsc.submitted) == 2


def test_a_part_refused_after_another_was_taken_is_nobody_s_knowledge(smsc: Smsc) -> None:
    smsc.answers = lambda number: 0x58 if number == 2 else 0

    assert send(make(smsc.port), worded(LONG_TEXT))[0].status is Delivery.UNKNOWN
    assert len(smsc.submitted) == 2


def test_a_link_lost_mid_submit_never_sends_a_second_sms_by_another_sender(smsc: Smsc) -> None:
    smsc.answers = lambda _: DROP
    with centre() as second:
        both = {"a": make(smsc.port), "b": make(second.port)}
        dispatch = Dispatch(both, [Route(Channel.SMS, (Choice("a"), Choice("b")))])

        receipt = asyncio.run(dispatch.send(message()))

        assert receipt.status is Delivery.UNKNOWN
        assert (len(smsc.submitted), second.submitted) == (1, [])


def test_bad_credentials_are_said_so_and_nothing_is_submitted(smsc: Smsc) -> None:
    receipt = send(make(smsc.port, password="wrong"))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.CREDENTIALS)
    assert receipt.detail == "bind refused with 0x0e"
    assert "wrong" not in repr(receipt)
    assert smsc.submitted == []


def test_a_centre_that_is_not_there_or_hangs_up_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with broken_server(reset) as broken:
        found = send(make(port)) + send(make(broken.port))

    assert [(one.status, one.trouble) for one in found] == [
        (Delivery.FAILED, Trouble.OUTAGE),
        (Delivery.FAILED, Trouble.OUTAGE),
    ]


def test_what_speaks_another_protocol_is_an_outage() -> None:
    with broken_server(
        lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 9)
    ) as it:
        receipt = send(make(it.port))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.OUTAGE)


def test_an_unbind_is_answered_and_the_next_message_binds_again(smsc: Smsc) -> None:
    async def act(sender: SmppSender) -> list[Receipt]:
        first = await sender.send(message())
        smsc.push(6)
        await until(lambda: not next(iter(sender._links.values())).is_open)
        return [first, await sender.send(message())]

    receipts = use(make(smsc.port), act)

    assert [one.status for one in receipts] == [Delivery.SENT, Delivery.SENT]
    assert smsc.bound == ["acme", "acme"]


def test_a_silent_link_is_tested_and_left_when_nobody_answers(smsc: Smsc) -> None:
    async def act(sender: SmppSender) -> Receipt:
        await sender.send(message())
        await until(lambda: smsc.enquiries == 1)
        link = next(iter(sender._links.values()))
        assert link.is_open
        smsc.answers_enquiries = False
        await until(lambda: not link.is_open)
        return await sender.send(message())

    sender = make(smsc.port, timeout=0.2)
    sender._bind = type(sender._bind)(**{**_fields(sender._bind), "enquire_seconds": 0.05})

    assert use(sender, act).status is Delivery.SENT
    assert len(smsc.bound) == 2


def _fields(bind: Any) -> dict[str, Any]:
    return {name: getattr(bind, name) for name in bind.__slots__}


def test_the_centre_s_own_questions_are_answered(smsc: Smsc) -> None:
    async def act(sender: SmppSender) -> None:
        await sender.send(message())
        smsc.push(0x15)
        smsc.push(0x00000103)  # data_sm, which nobody here takes
        await until(lambda: smsc.nacks == 1)

    use(make(smsc.port), act)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"long": "sar"}, "long: there are udh, payload"),
        ({"tls": "true"}, "tls: yes or no"),
        ({"window": "0"}, "window: a number"),
        ({"from": "Much too long a name"}, "from: a number, or a name"),
    ],
)
def test_an_option_that_cannot_be_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make(1, **options)


def test_tls_is_spoken_to_whom_the_machine_trusts_and_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=c "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(made.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    with centre(context) as safe:
        stranger = send(make(safe.port, tls="yes"))[0]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = send(make(safe.port, tls="yes"))[0]

    assert (stranger.status, stranger.trouble) == (Delivery.FAILED, Trouble.SETUP)
    assert trusted.status is Delivery.SENT
    assert len(safe.submitted) == 1


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_a_receipt(body: bytes) -> None:
    with contextlib.suppress(NotSmpp):
        report = read_report(read_delivered(body))
        assert report is None or report.status in Delivery


def test_a_look_binds_as_a_transmitter_and_sends_nothing(smsc: Smsc) -> None:
    sample = message()
    right, wrong = make(smsc.port), make(smsc.port, password="wrong")

    with broken_server(reset) as broken:
        found = [asyncio.run(reach(one, sample)) for one in (right, wrong, make(broken.port))]

    assert [one.ok for one in found] == [True, False, False]
    assert "check the account and its secret" in found[1].found
    assert (smsc.bound, smsc.unbound, smsc.submitted) == (["acme", "acme"], 1, [])


def test_a_bind_that_is_refused_is_said_and_tried_again(
    smsc: Smsc, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(sender: SmppSender) -> None:
        kept = asyncio.create_task(sender.keep())
        await until(lambda: "sender.unbound sender=smpp why=0x0e" in caplog.text)
        kept.cancel()
        await asyncio.wait([kept])

    use(make(smsc.port, password="wrong"), act)

    assert "wrong" not in caplog.text


# Receipts


REPORT = (
    b"id:%s sub:001 dlvrd:001 submit date:2603011200 done date:2603011201 stat:%s err:000 text:x"
)


def heard(smsc: Smsc, *given: tuple[bytes, dict[int, bytes], int], **options: Any) -> list[Notice]:
    """Return the notices that a centre's deliver_sm come to."""
    found: list[Notice] = []

    async def take(name: str, notice: Notice) -> None:
        assert name == "smpp"
        found.append(notice)

    async def act(sender: SmppSender) -> None:
        sender.listen(take)
        await sender.send(message())
        for one in given:
            smsc.deliver(*one)
        await until(lambda: len(smsc.acknowledged) == len(given))

    use(make(smsc.port, **options), act)
    assert set(smsc.acknowledged) == {0}
    return found


@pytest.mark.parametrize(
    ("stat", "status", "code"),
    [
        (b"DELIVRD", Delivery.DELIVERED, None),
        (b"ENROUTE", Delivery.SENT, None),
        (b"UNDELIV", Delivery.UNDELIVERED, 30003),
        (b"EXPIRED", Delivery.UNDELIVERED, 30003),
        (b"REJECTD", Delivery.UNDELIVERED, 30007),
    ],
)
def test_a_receipt_in_words_is_read(
    smsc: Smsc, stat: bytes, status: Delivery, code: int | None
) -> None:
    (notice,) = heard(smsc, (REPORT % (b"000000A1", stat), {}, 4))

    assert (notice.message_id, notice.status, notice.error_code) == ("000000A1", status, code)


def test_a_receipt_in_parameters_is_read_whatever_its_words(smsc: Smsc) -> None:
    options = {0x001E: b"000000A1\0", 0x0427: b"\x02"}

    found = heard(smsc, (b"", options, 4), (b"nonsense", options, 0))

    assert [(one.message_id, one.status) for one in found] == [("000000A1", Delivery.DELIVERED)] * 2


def test_an_id_in_other_digits_is_the_same_where_the_option_says_so(smsc: Smsc) -> None:
    found = heard(smsc, (REPORT % (b"0000000161", b"DELIVRD"), {}, 4), receipt_ids="decimal")

    assert found[0].message_id == "161"
    assert send(make(smsc.port, receipt_ids="decimal"))[0].message_id == str(0xA2)


def test_somebody_s_own_message_and_nonsense_are_taken_and_forgotten(smsc: Smsc) -> None:
    stop: tuple[bytes, dict[int, bytes], int] = (b"STOP id:000000A1 stat:DELIVRD", {}, 0)

    assert heard(smsc, stop, (b"\xff\xfe", {}, 4), (b"", {0x0427: b""}, 4)) == []


def test_a_receipt_that_cannot_be_kept_now_is_left_with_the_centre(smsc: Smsc) -> None:
    async def take(_name: str, _notice: Notice) -> None:
        raise StoreError("down")

    async def act(sender: SmppSender) -> None:
        sender.listen(take)
        await sender.send(message())
        smsc.deliver(REPORT % (b"000000A1", b"DELIVRD"), {})
        await until(lambda: smsc.acknowledged == [0x64])

    use(make(smsc.port), act)


START = StartVerification(CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE))


def worker(store: Store, smsc: Smsc) -> tuple[Engine, SmppSender]:
    """Return an engine as one process of a server has it."""
    sender = make(smsc.port)
    dispatch = Dispatch({"smpp": sender}, [Route(Channel.SMS, (Choice("smpp"),))])
    engine = Engine(store, dispatch, KEYRING, CREDENTIALS, clock=ManualClock(NOON))
    Reports(engine)
    return engine, sender


def test_a_receipt_reaches_the_attempt_through_whichever_process_it_comes(
    store: Store, smsc: Smsc
) -> None:
    async def run() -> Attempt:
        (one, first), (other, second) = worker(store, smsc), worker(store, smsc)
        one.perform(EnsureService(SERVICE))
        started = await one.submit(START)
        kept = asyncio.create_task(Reports(other).keep())
        await until(lambda: len(smsc.bound) == 2)  # the newest bind is the other's
        smsc.deliver(REPORT % (b"000000A1", b"DELIVRD"), {})
        await until(lambda: smsc.acknowledged == [0])
        kept.cancel()
        await asyncio.wait([kept])
        await end(first, second)
        sid = started.attempt.sid
        return one.perform(LookAtDeliveries((sid,)))[sid]

    attempt = asyncio.run(run())

    assert (attempt.status, attempt.message_id) == (Delivery.DELIVERED, "000000A1")


def test_a_receipt_quicker_than_our_own_record_waits_for_it(smsc: Smsc, store: Store) -> None:
    async def run() -> Attempt:
        engine, sender = worker(store, smsc)
        engine.perform(EnsureService(SERVICE))
        await sender.send(message())  # bound, so that the receipt can come first
        smsc.deliver(REPORT % (b"000000A2", b"DELIVRD"), {})
        await until(lambda: len(smsc.writers) == 1)
        started = await engine.submit(START)
        await until(lambda: smsc.acknowledged == [0])
        await end(sender)
        sid = started.attempt.sid
        return engine.perform(LookAtDeliveries((sid,)))[sid]

    assert asyncio.run(run()).status is Delivery.DELIVERED
