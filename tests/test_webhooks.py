"""Webhooks: signed as Twilio signs, at least once, from an outbox, never into our own network."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.conftest import CREDENTIALS, PHONE
from tests.server import serving
from watchword.clock import ManualClock
from watchword.commands.accounts import CreateAccount
from watchword.commands.postings import MOST_TRIES
from watchword.dispatcher import Dispatcher
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.posting.guard import is_public
from watchword.senders.inbox import InboxSender


@dataclass
class Receiver:
    """A real web server that keeps what is posted to it and answers as it is told."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)  # for the next requests; then 200
    posts: list[dict[str, str]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [post["type"] for post in self.posts]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kept.posts.append(dict(parse_qsl(body, keep_blank_values=True)))
            kept.signatures.append(self.headers["X-Twilio-Signature"])
            status = kept.statuses.pop(0) if kept.statuses else 200
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", kept.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook?tenant=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service(client: Client) -> Any:
    return client.verify.v2.services(CREDENTIALS.service_sid)


def listen(service: Any, receiver: Receiver, *events: str) -> Any:
    return service.webhooks.create(
        friendly_name="ours", event_types=list(events), webhook_url=receiver.url
    )


def post(engine: Engine, *, private: bool = True) -> int:
    """Let one dispatcher do one round."""

    async def step() -> int:
        dispatcher = Dispatcher(engine, private=private)
        try:
            return await dispatcher.step()
        finally:
            await dispatcher.close()

    return asyncio.run(step())


def turn(clock: ManualClock, **duration: float) -> None:
    clock.advance(**duration)


def test_a_verifications_events_arrive_signed(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock, inbox: InboxSender
) -> None:
    listen(service, receiver, "verification.pending", "verification.approved", "message.sent")
    started = service.verifications.create(to=PHONE, channel="sms", tags='{"a": "b"}')
    turn(clock, seconds=1)
    post(engine)
    service.verification_checks.create(to=PHONE, code=inbox.messages(PHONE)[0].code)
    turn(clock, seconds=1)
    post(engine)

    assert sorted(receiver.types[:2]) == ["message.sent", "verification.pending"]
    assert receiver.types[2:] == ["verification.approved"]
    told = receiver.posts[2]
    assert (told["verification_sid"], told["to"]) == (started.sid, PHONE)
    assert (told["verification_status"], told["tags"]) == ("approved", '{"a": "b"}')
    validator = RequestValidator(CREDENTIALS.auth_token)
    for fields, signature in zip(receiver.posts, receiver.signatures, strict=True):
        assert validator.validate(receiver.url, fields, signature)
        assert not validator.validate(receiver.url, fields | {"to": "+1"}, signature)


def test_no_event_holds_a_code(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock, inbox: InboxSender
) -> None:
    service.update(verify_event_subscription_enabled=True)
    listen(service, receiver, "*")
    service.verifications.create(to=PHONE, channel="sms")
    code = inbox.messages(PHONE)[0].code
    turn(clock, seconds=1)
    post(engine)

    assert len(receiver.posts) == 2
    assert code not in str(receiver.posts).replace(PHONE, "")


@pytest.mark.parametrize(
    ("ending", "event"),
    [
        ("cancel", "verification.canceled"),
        ("approve", "verification.approved"),
        ("guess", "verification.max_attempts_reached"),
        ("wait", "verification.expired"),
    ],
)
def test_each_verification_ends_in_one_event(
    ending: str,
    event: str,
    service: Any,
    receiver: Receiver,
    engine: Engine,
    clock: ManualClock,
    inbox: InboxSender,
) -> None:
    service.update(verify_event_subscription_enabled=True)
    listen(service, receiver, "*")
    started = service.verifications.create(to=PHONE, channel="sms")
    if ending == "guess":
        wrong = str((int(inbox.messages(PHONE)[0].code) + 1) % 10**6).zfill(6)
        for _ in range(5):
            service.verification_checks.create(to=PHONE, code=wrong)
    elif ending != "wait":
        status = {"cancel": "canceled", "approve": "approved"}[ending]
        service.verifications(started.sid).update(status=status)
    turn(clock, minutes=10, seconds=1)
    post(engine)

    assert sorted(receiver.types) == sorted(["verification.pending", "message.sent", event])
    assert post(engine) == 0


def test_a_star_alone_hears_of_no_verification(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    listen(service, receiver, "*")
    service.verifications.create(to=PHONE, channel="sms")
    turn(clock, hours=1)

    assert post(engine) == 0


def test_what_was_not_taken_is_tried_again_ever_later(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    receiver.statuses = [500, 404, 302]
    listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    turn(clock, milliseconds=1)

    assert post(engine) == 1
    assert post(engine) == 0
    for wait in (5, 10, 20):
        turn(clock, seconds=wait)
        assert post(engine) == 0, "not yet: the wait is over a moment later"
        turn(clock, milliseconds=1)
        assert post(engine) == 1
    turn(clock, days=1)

    assert post(engine) == 0
    assert len({each["uuid"] for each in receiver.posts}) == 1
    assert len(receiver.posts) == 4


def test_what_nobody_takes_is_given_up(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    receiver.statuses = [500] * 100
    listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    for _ in range(MOST_TRIES + 5):
        turn(clock, hours=2)
        post(engine)

    assert len(receiver.posts) == MOST_TRIES


def test_two_dispatchers_post_each_event_once(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    listen(service, receiver, "verification.pending")
    for number in range(20):
        service.verifications.create(to=f"+2376500000{number:02}", channel="sms")
    turn(clock, seconds=1)

    async def both() -> None:
        dispatchers = [Dispatcher(engine, private=True) for _ in range(2)]
        await asyncio.gather(*(dispatcher.step() for dispatcher in dispatchers))
        for dispatcher in dispatchers:
            await dispatcher.close()

    asyncio.run(both())

    assert len(receiver.posts) == len({each["uuid"] for each in receiver.posts}) == 20


def test_events_of_a_webhook_that_is_off_or_gone_are_dropped(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    webhook = listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    service.webhooks(webhook.sid).update(status="disabled")
    service.verifications.create(to="+237650000001", channel="sms")
    turn(clock, seconds=1)

    assert post(engine) == 0
    assert receiver.posts == []


def test_another_accounts_events_are_signed_with_its_own_token(
    receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    account = engine.perform(CreateAccount("Acme"))
    client = Client(account.record.sid, account.secret, http_client=EmbeddedHttpClient(engine))
    made = client.verify.v2.services.create(friendly_name="Acme")
    service = client.verify.v2.services(made.sid)
    listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    turn(clock, seconds=1)
    post(engine)

    validator = RequestValidator(account.secret)
    assert validator.validate(receiver.url, receiver.posts[0], receiver.signatures[0])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0"])
def test_a_private_address_is_not_reached_however_it_is_spelt(
    host: str, service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    receiver.url = receiver.url.replace("127.0.0.1", host)
    listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    turn(clock, seconds=1)

    assert post(engine, private=False) == 1
    assert receiver.posts == []


def test_a_redirect_is_not_followed(
    service: Any, receiver: Receiver, engine: Engine, clock: ManualClock
) -> None:
    receiver.statuses = [307]
    listen(service, receiver, "verification.pending")
    service.verifications.create(to=PHONE, channel="sms")
    turn(clock, seconds=1)
    post(engine)

    assert len(receiver.posts) == 1


def test_a_round_that_fails_does_not_end_the_posting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []

    async def step(_self: Dispatcher) -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise RuntimeError("a row nobody can read")
        raise asyncio.CancelledError

    monkeypatch.setattr(Dispatcher, "step", step)
    monkeypatch.setattr("watchword.dispatcher.IDLE_SECONDS", 0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Dispatcher(engine).run())

    assert len(rounds) == 2


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_the_open_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


DIE_AFTER_A_START = """
import os, signal, sys
from watchword.commands.verifications import StartVerification
from watchword.commands.webhooks import CreateWebhook
from watchword.config import load
from watchword.phone import parse
from watchword.runtime import open_engine

engine = open_engine(load())
known = engine.credentials
fields = {"friendly_name": "ours", "event_types": ("verification.pending",), "url": sys.argv[1]}
engine.perform(CreateWebhook(known.service_sid, known.account_sid, fields))
engine.perform(StartVerification(known.service_sid, known.account_sid, parse("+237650000000")))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_event_outlives_the_process_that_raised_it(receiver: Receiver) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIE_AFTER_A_START, receiver.url], env=os.environ, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert receiver.posts == []

    with serving(WATCHWORD_PRIVATE_WEBHOOKS="allow") as server:
        deadline = time.monotonic() + 20
        while not receiver.posts and time.monotonic() < deadline:
            time.sleep(0.05)  # another process is at work: there is no clock of ours to turn

        validator = RequestValidator(server.credentials.auth_token)
        assert receiver.types == ["verification.pending"]
        assert validator.validate(receiver.url, receiver.posts[0], receiver.signatures[0])
