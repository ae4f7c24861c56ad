"""The console over HTTP: who gets in, whose forms count; and the same figures in a terminal."""

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS, PHONE, SERVICE
from tests.hosted import Person, client_of
from watchword.cli import main
from watchword.clock import ManualClock
from watchword.commands.accounts import (
    CreateAccount,
    CreateApiKey,
    RevokeAccount,
    RevokeApiKey,
    RotateToken,
)
from watchword.commands.operator import (
    Audited,
    ForgetLadders,
    ForgiveFailures,
    LookUpPhone,
    ReadAudit,
    ReadFigures,
)
from watchword.commands.services import EnsureService
from watchword.commands.verifications import StartVerification
from watchword.engine import Engine
from watchword.errors import NotFound
from watchword.phone import parse
from watchword.record import replace
from watchword.store.base import Store

SIGN_IN = {"account": CREDENTIALS.account_sid, "token": CREDENTIALS.auth_token}


def enter(client: TestClient) -> str:
    """Sign in and return the token that the session's forms carry."""
    assert client.post("/console/sign-in", data=SIGN_IN).status_code == 303
    found = re.search(r'name="form" value="(\w+)"', client.get("/console").text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/console", "/console/phone", "/console/events"])
def test_a_stranger_is_sent_to_sign_in(engine: Engine, path: str) -> None:
    client = client_of(engine)
    client.cookies.set(
        "__Host-watchword-console", "AC1.AC1.9999999999.a.b", domain="verify.example"
    )

    answer = client.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in"


def test_of_nothing_there_is_no_conversion(engine: Engine) -> None:
    client = client_of(engine)
    enter(client)

    assert "<dt>Conversion</dt><dd>–</dd>" in client.get("/console").text


def test_a_session_ends_after_eight_hours(engine: Engine, clock: ManualClock) -> None:
    client = client_of(engine)
    enter(client)

    clock.advance(hours=8)

    assert client.get("/console").status_code == 303


@pytest.mark.parametrize("end", ["revoked", "account revoked", "token rotated"])
def test_a_session_ends_at_once_with_the_key_it_was_opened_by(engine: Engine, end: str) -> None:
    tenant = engine.perform(CreateAccount("Acme"))
    account, by_token = tenant.record.sid, end == "token rotated"
    key = engine.perform(CreateApiKey(account, "operators"))
    client = client_of(engine)
    opener = tenant if by_token else key
    form = {"account": opener.record.sid, "token": opener.secret}
    assert client.post("/console/sign-in", data=form).status_code == 303
    assert client.get("/console").status_code == 200

    if end == "revoked":
        engine.perform(RevokeApiKey(key.record.sid))
    elif end == "account revoked":
        engine.perform(RevokeAccount(account))
    else:
        engine.perform(RotateToken(account))

    assert client.get("/console").headers["location"] == "/console/sign-in"


def test_signing_in_is_tried_twenty_times_an_hour(engine: Engine, clock: ManualClock) -> None:
    client = client_of(engine)
    wrong = {"account": CREDENTIALS.account_sid, "token": "x"}

    tries = [client.post("/console/sign-in", data=wrong).status_code for _ in range(21)]

    assert tries == [401] * 20 + [429]
    assert client.post("/console/sign-in", data=SIGN_IN).status_code == 429
    clock.advance(hours=1)
    assert client.post("/console/sign-in", data=SIGN_IN).status_code == 303


def test_a_service_of_somebody_else_is_not_there(engine: Engine) -> None:
    client = client_of(engine)
    form = {"form": enter(client), "number": PHONE, "service": "VA" + "9" * 32}

    answer = client.post("/console/phone", data=form)

    assert answer.status_code == 404
    assert "no such service" in answer.text


def test_a_form_of_another_site_does_nothing(engine: Engine) -> None:
    client = client_of(engine)
    form = enter(client)
    act = {"action": "block", "number": PHONE}

    forged = [
        client.post("/console/act", data=act),
        client.post("/console/act", data=act | {"form": "0" * 32}),
        client.post(
            "/console/act", data=act | {"form": form}, headers={"sec-fetch-site": "cross-site"}
        ),
    ]

    assert [answer.status_code for answer in forged] == [403] * 3
    assert engine.read(ReadAudit(CREDENTIALS.account_sid)) == []


def test_the_console_says_when_the_store_does_not_answer(
    clock: ManualClock, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchword.development.controls import Controls, Faults, StoreFault
    from watchword.runtime import add_controls

    client = client_of(engine)
    enter(client)
    controls = Controls()
    add_controls(engine, controls)
    controls.set_faults(Faults(store=StoreFault.UNAVAILABLE))

    html = {"Accept": "text/html"}
    answers = (
        client.get("/console", headers=html),
        client.post("/console/sign-in", data={"account": "AC1"}, headers=html),
    )

    for answer in answers:
        assert answer.status_code == 503
        assert "This page cannot be shown now" in answer.text
        assert 'href="/console"' in answer.text


def test_an_act_that_is_refused_leaves_no_trace(engine: Engine) -> None:
    forgive = ForgiveFailures(CREDENTIALS.service_sid, CREDENTIALS.account_sid, PHONE)

    with pytest.raises(NotFound):
        engine.perform(Audited(forgive, CREDENTIALS.account_sid, "me", "forgive", "+237"))

    assert engine.read(ReadAudit(CREDENTIALS.account_sid)) == []


def test_an_act_and_its_trace_are_one_commit(engine: Engine, store: Store) -> None:
    known = CREDENTIALS
    engine.perform(StartVerification(known.service_sid, known.account_sid, parse(PHONE)))

    forgive = ForgiveFailures(known.service_sid, known.account_sid, PHONE)
    engine.perform(Audited(forgive, known.account_sid, "me", "forgive", "+237•••••••00"))

    traces = engine.read(ReadAudit(known.account_sid))
    assert [(t.operator, t.action, t.target) for t in traces] == [
        ("me", "forgive", "+237•••••••00")
    ]


def test_an_operator_sees_and_ends_the_waits_of_a_page_of_any_service(
    engine: Engine, clock: ManualClock
) -> None:
    here = replace(SERVICE, sid="VA" + "6" * 32)
    engine.perform(EnsureService(here))
    person = Person.at(engine, ServiceSid=here.sid, To=PHONE)
    person.submit("send", channel="sms")
    look = LookUpPhone(here.sid, here.account_sid, PHONE)

    assert [ladder.count for ladder in engine.perform(look).counters] == [1]
    elsewhere = replace(look, service_sid=SERVICE.sid)
    assert engine.perform(elsewhere).counters == ()

    engine.perform(ForgetLadders(here.sid, PHONE))
    assert engine.perform(look).counters == ()


def test_figures_of_nothing_are_nothing(engine: Engine, clock: ManualClock) -> None:
    found = engine.read(ReadFigures(CREDENTIALS.account_sid, clock.advance(hours=-1)))

    assert (found.sends, found.conversion, found.median_seconds) == (0, 0, None)


def run(*arguments: str, text: str | None = None) -> Any:
    return CliRunner().invoke(main, arguments, input=text)


def test_the_terminal_shows_the_same_figures() -> None:
    run("verify", PHONE, text="000000\n")

    found = json.loads(run("stats", "--json").stdout)

    assert (found["sends"], found["started"], found["checked"]) == (1, 1, 1)
    assert found["countries"] == [{"name": "CM", "sends": 1, "approved": 0}]
    assert "\n  CM  " in run("stats").stdout


def test_the_terminal_says_why_and_lets_a_number_on_again() -> None:
    run("verify", PHONE, text="000000\n")

    shown = run("phone", "show", PHONE).stdout
    assert "would get no code now" in shown
    assert "STOPS    Resend ladder (cli): step 1, waits until" in shown
    assert run("phone", "reset", PHONE).exit_code == 0
    assert "would get a code now" in run("phone", "show", PHONE).stdout
