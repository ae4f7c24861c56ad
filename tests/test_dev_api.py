"""Development over HTTP: the inbox, the clock and the faults of a server that anyone may be."""

import asyncio
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient
from twilio.base.exceptions import TwilioRestException

from tests.conftest import CREDENTIALS, PHONE, make_engine
from tests.server import Server, serving
from watchword import OTP_Model
from watchword.asgi import App
from watchword.clock import ManualClock
from watchword.commands.verifications import StartVerification
from watchword.config import load
from watchword.development import faults
from watchword.development.controls import FILE, Controls, Faults, SenderFault
from watchword.doctor import examine
from watchword.kit import Kit
from watchword.kit_server import KitServer
from watchword.phone import parse
from watchword.runtime import add_controls, open_engine
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore


def ask(server: Server | KitServer, method: str, path: str, **more: Any) -> Any:
    answer = requests.request(method, server.url + path, timeout=30, **more)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def verify(server: Server | KitServer) -> Any:
    return server.client().verify.v2.services(server.credentials.service_sid)


def test_a_code_expires_over_http_without_waiting_for_it(watchword_server: KitServer) -> None:
    service = verify(watchword_server)
    service.verifications.create(to=PHONE, channel="sms")
    code = ask(watchword_server, "GET", f"/dev/inbox/messages?to={PHONE}")["messages"][0]["code"]

    ask(watchword_server, "POST", "/dev/clock", json={"advance_seconds": 600})

    with pytest.raises(TwilioRestException) as refusal:
        service.verification_checks.create(to=PHONE, code=code)
    assert refusal.value.status == 404


def test_a_whole_ladder_is_climbed_over_http_in_under_a_second(
    watchword_server: KitServer,
) -> None:
    model = OTP_Model(PHONE)
    model.verification()  # the imports and the connection are not what is measured
    began = time.monotonic()

    waits = []
    for _ in range(5):
        sent = model.guarded_verification("hash", "user")
        now = ask(watchword_server, "GET", "/dev/clock")["now"]
        clock = ask(
            watchword_server,
            "POST",
            "/dev/clock",
            json={"advance_seconds": (sent.next_send_at - parse_time(now)).total_seconds()},
        )
        waits.append(parse_time(clock["now"]) - parse_time(now))
        ask(watchword_server, "DELETE", "/dev/inbox/messages")

    assert [wait.total_seconds() for wait in waits] == [120, 300, 900, 86400, 120]
    assert time.monotonic() - began < 1


def test_the_inbox_is_waited_for(watchword_server: KitServer) -> None:
    service = verify(watchword_server)
    send = threading.Timer(
        0.2, service.verifications.create, kwargs={"to": PHONE, "channel": "sms"}
    )
    send.start()

    (message,) = ask(watchword_server, "GET", f"/dev/inbox/messages?to={PHONE}&wait=10")["messages"]

    assert message["to"] == PHONE
    assert message["code"] in message["body"]
    after = message["id"]
    assert ask(watchword_server, "GET", f"/dev/inbox/messages?after={after}") == {"messages": []}
    send.join()


def test_an_empty_inbox_is_answered_when_the_wait_is_over(watchword_server: KitServer) -> None:
    began = time.monotonic()

    assert ask(watchword_server, "GET", "/dev/inbox/messages?wait=0.1") == {"messages": []}

    assert 0.1 <= time.monotonic() - began < 5


def test_the_inbox_is_cleared_for_one_number_and_for_all(
    watchword_server: KitServer, watchword_kit: Kit
) -> None:
    service = verify(watchword_server)
    for number in (PHONE, "+12025550143"):
        service.verifications.create(to=number, channel="sms")

    ask(watchword_server, "DELETE", f"/dev/inbox/messages?to={PHONE}")
    assert [message.to for message in watchword_kit.inbox.messages()] == ["+12025550143"]

    ask(watchword_server, "DELETE", "/dev/inbox/messages")
    assert watchword_kit.inbox.messages() == []


def test_faults_are_switched_on_and_off_over_http(watchword_server: KitServer) -> None:
    service = verify(watchword_server)

    on = ask(watchword_server, "PUT", "/dev/faults", json={"sender": "fails"})
    assert on == {"sender": "fails", "delay_seconds": 0.0, "store": None}
    with pytest.raises(TwilioRestException) as refusal:
        service.verifications.create(to=PHONE, channel="sms")
    assert refusal.value.status == 503

    ask(watchword_server, "PUT", "/dev/faults", json={"store": "unavailable"})
    assert requests.get(watchword_server.url + "/healthz", timeout=5).status_code == 503

    ask(watchword_server, "DELETE", "/dev/faults")
    assert service.verifications.create(to=PHONE, channel="sms").status == "pending"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/dev/faults", b'{"sender": "explodes"}', 400),
        ("PUT", "/dev/faults", b'{"sendr": "fails"}', 400),
        ("PUT", "/dev/faults", b'{"delay_seconds": 1e9}', 400),
        ("POST", "/dev/clock", b'{"advance_seconds": -1}', 400),
        ("POST", "/dev/clock", b'{"advance_seconds": 1e300}', 400),
        ("POST", "/dev/clock", b"advance", 400),
        ("GET", "/dev/inbox/messages?wait=long", b"", 400),
        ("GET", "/dev/inbox/messages?to=nobody", b"", 400),
        ("PATCH", "/dev/clock", b"", 405),
        ("GET", "/dev/nothing", b"", 404),
    ],
)
def test_what_cannot_be_is_refused_as_everywhere(
    watchword_server: KitServer, method: str, path: str, body: bytes, status: int
) -> None:
    answer = requests.request(
        method,
        watchword_server.url + path,
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=5,
    )

    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_the_clock_has_an_end_however_small_the_steps(watchword_server: KitServer) -> None:
    century = {"advance_seconds": 36500 * 86400}
    ask(watchword_server, "POST", "/dev/clock", json=century)

    answer = requests.post(watchword_server.url + "/dev/clock", json=century, timeout=5)

    assert answer.status_code == 400
    assert ask(watchword_server, "DELETE", "/dev/clock")["offset_seconds"] == 0


def test_another_site_s_form_turns_nothing(watchword_server: KitServer) -> None:
    answer = requests.post(
        watchword_server.url + "/dev/clock",
        data='{"advance_seconds": 60}',
        headers={"Content-Type": "text/plain"},
        timeout=5,
    )

    assert answer.status_code == 400
    assert ask(watchword_server, "GET", "/dev/clock")["offset_seconds"] == 0


@pytest.mark.parametrize("path", ["/dev/clock", "/dev/faults", "/dev/inbox/messages"])
def test_in_production_nothing_of_it_is_there(path: str, clock: ManualClock) -> None:
    engine = make_engine(MemoryStore(), InboxSender(), clock)
    client = TestClient(App(engine, development=False))

    for method in ("GET", "POST", "PUT", "DELETE"):
        assert client.request(method, path).status_code == 404


def test_production_s_engine_has_neither_clock_nor_faults(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    Controls(home / FILE).set_faults(Faults(sender=SenderFault.FAILS))
    monkeypatch.setenv("WATCHWORD_ENV", "production")

    engine = open_engine(load(), sending=False)

    assert type(engine.clock).__name__ == "SystemClock"
    assert type(engine.store).__name__ == "SqlStore"
    engine.close()


def test_a_server_with_two_workers_goes_by_one_clock_and_the_same_faults(home: Path) -> None:
    with serving("--workers=2") as server:
        service = verify(server)
        before = parse_time(ask(server, "GET", "/dev/clock")["now"])

        ask(server, "POST", "/dev/clock", json={"advance_seconds": 86400})
        ask(server, "PUT", "/dev/faults", json={"sender": "fails"})

        for _ in range(20):  # a new connection each, so that both workers come to answer
            now = parse_time(ask(server, "GET", "/dev/clock")["now"])
            assert (now - before).total_seconds() >= 86400
            assert ask(server, "GET", "/dev/faults")["sender"] == "fails"
        with pytest.raises(TwilioRestException):
            service.verifications.create(to=PHONE, channel="sms")


def test_the_doctor_sees_what_a_test_has_left_switched_on(home: Path) -> None:
    controls = Controls(home / FILE)
    controls.turn_clock(timedelta(minutes=15))

    (finding,) = [found for found in examine() if found.check == "development"]
    assert not finding.ok
    assert "0:15:00 ahead" in finding.found

    controls.reset_clock()
    assert all(found.ok for found in examine() if found.check == "development")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_message_can_be_overtaken_by_the_next(
    inbox: InboxSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = make_engine(MemoryStore(), inbox, ManualClock())
    monkeypatch.setattr(faults, "OVERTAKEN_SECONDS", 0.05)
    controls = Controls()
    add_controls(here, controls)
    controls.set_faults(Faults(sender=SenderFault.REORDERS))
    known = CREDENTIALS
    numbers = ("+237650000000", "+33612345678")

    async def ask() -> None:
        starts = [
            StartVerification(known.service_sid, known.account_sid, parse(n)) for n in numbers
        ]
        await asyncio.gather(*(here.submit(start) for start in starts))

    asyncio.run(ask())

    arrived = [message.to for message in reversed(inbox.messages())]
    assert arrived == ["+33612345678", "+237650000000"]
