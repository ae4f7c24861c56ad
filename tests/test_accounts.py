"""Accounts and API keys: what lets in, what no longer does; nobody sees another's things."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from tests.conftest import CREDENTIALS, KEYRING, NOON, PHONE, make_engine
from watchword.cli import main
from watchword.clock import ManualClock
from watchword.commands.accounts import (
    CreateAccount,
    CreateApiKey,
    RevokeAccount,
    RevokeApiKey,
    RotateToken,
    Shown,
)
from watchword.engine import Engine
from watchword.errors import NotAuthenticated, NotFound
from watchword.gate import Gate
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore
from watchword.store.sql import SqlStore
from watchword.wire.dialect import answer
from watchword.wire.http import Request
from watchword.wire.routes import ROUTES, Route


class Seconds:
    """Stand in for the process's steady clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(engine: Engine) -> Seconds:
    """Turn the clock of the engine's gate by hand."""
    steady = Seconds()
    engine._gate = Gate(CREDENTIALS, KEYRING, steady)
    return steady


@pytest.fixture
def account(engine: Engine) -> Shown:
    return engine.perform(CreateAccount("Acme"))


def lets_in(engine: Engine, user: str, secret: str) -> bool:
    try:
        engine.enter((user, secret))
    except NotAuthenticated:
        return False
    return True


def test_an_account_comes_in_by_its_token_and_by_nothing_else(
    engine: Engine, account: Shown
) -> None:
    sid = account.record.sid

    assert engine.enter((sid, account.secret)) == sid
    assert not lets_in(engine, sid, "0" * 32)
    assert not lets_in(engine, "AC" + "0" * 32, account.secret)
    assert not lets_in(engine, sid, CREDENTIALS.auth_token)
    assert not lets_in(engine, "AC' OR 1=1", account.secret)


def test_an_api_key_opens_its_account(engine: Engine, account: Shown) -> None:
    key = engine.perform(CreateApiKey(account.record.sid, "deploy"))
    own = engine.perform(CreateApiKey(CREDENTIALS.account_sid, "ci", embedded=True))

    assert engine.enter((key.record.sid, key.secret)) == account.record.sid
    assert engine.enter((own.record.sid, own.secret)) == CREDENTIALS.account_sid
    assert not lets_in(engine, key.record.sid, own.secret)


def test_a_rotated_token_is_good_for_nothing_within_seconds(
    engine: Engine, account: Shown, seconds: Seconds
) -> None:
    assert lets_in(engine, account.record.sid, account.secret)

    fresh = engine.perform(RotateToken(account.record.sid))
    seconds.now += 2.1

    assert not lets_in(engine, account.record.sid, account.secret)
    assert lets_in(engine, account.record.sid, fresh.secret)


def test_a_revoked_key_is_good_for_nothing_within_seconds(
    engine: Engine, account: Shown, seconds: Seconds
) -> None:
    key = engine.perform(CreateApiKey(account.record.sid, "deploy"))
    assert lets_in(engine, key.record.sid, key.secret)

    engine.perform(RevokeApiKey(key.record.sid))
    seconds.now += 2.1

    assert not lets_in(engine, key.record.sid, key.secret)
    assert lets_in(engine, account.record.sid, account.secret)


def test_a_revoked_account_takes_its_keys_with_it(
    engine: Engine, account: Shown, seconds: Seconds
) -> None:
    key = engine.perform(CreateApiKey(account.record.sid, "deploy"))

    engine.perform(RevokeAccount(account.record.sid))

    assert not lets_in(engine, account.record.sid, account.secret)
    assert not lets_in(engine, key.record.sid, key.secret)
    with pytest.raises(NotFound):
        engine.perform(RotateToken(account.record.sid))


def test_no_secret_is_in_the_database(
    tmp_path: Path, inbox: InboxSender, clock: ManualClock
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'secrets.db'}", KEYRING)
    engine = make_engine(store, inbox, clock)
    account = engine.perform(CreateAccount("Acme"))
    key = engine.perform(CreateApiKey(account.record.sid, "deploy"))
    store.close()

    written = b"".join(path.read_bytes() for path in tmp_path.glob("secrets.db*"))
    assert account.secret.encode() not in written
    assert key.secret.encode() not in written


def test_the_command_line_makes_lists_rotates_and_revokes() -> None:
    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    made = run("accounts", "create", "Acme", "--json")
    rotated = run("accounts", "rotate", made["sid"], "--json")
    key = run("keys", "create", "deploy", "--account", made["sid"], "--json")
    run("keys", "revoke", key["sid"])
    run("accounts", "revoke", made["sid"])

    assert len(made["auth_token"]) == len(key["secret"]) == 32
    assert rotated["auth_token"] != made["auth_token"]
    assert [each["status"] for each in run("keys", "list", "--json")] == ["revoked"]
    assert [
        (each["friendly_name"], each["status"]) for each in run("accounts", "list", "--json")
    ] == [
        ("Acme", "revoked"),
        ("embedded default", "active"),
    ]


def test_a_key_for_nobody_is_refused() -> None:
    result = CliRunner().invoke(main, ["keys", "create", "x", "--account", "AC" + "0" * 32])

    assert result.exit_code == 1
    assert "no such account" in result.output


class TestForeignAccounts:
    """Every route, asked by one account about another's things."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    def engine(self, store: MemoryStore, inbox: InboxSender) -> Engine:
        return make_engine(store, inbox, ManualClock(NOON))

    def _mine(self, engine: Engine, method: str, path: str, **form: str) -> dict[str, Any]:
        response = self._ask(
            engine, CREDENTIALS.account_sid, CREDENTIALS.auth_token, method, path, form
        )
        assert response.status < 300, response.body
        found: dict[str, Any] = json.loads(response.body)
        return found

    def _ask(
        self, engine: Engine, user: str, secret: str, method: str, path: str, form: dict[str, str]
    ) -> Any:
        request = Request(
            method=method,
            path=path,
            base_url="http://test",
            credentials=(user, secret),
            form={name: [value] for name, value in form.items()},
        )
        return answer(engine, request)

    def _sids(self, engine: Engine) -> dict[str, str]:
        """Make one of each thing, and return what the paths of the routes name them by."""
        service = f"/v2/Services/{CREDENTIALS.service_sid}"
        limit = self._mine(engine, "POST", f"{service}/RateLimits", UniqueName="ip")["sid"]
        buckets = f"{service}/RateLimits/{limit}/Buckets"
        mine = {
            "{ServiceSid}": CREDENTIALS.service_sid,
            "Service": CREDENTIALS.service_sid,
            "{RateLimitSid}": limit,
            "RateLimit": limit,
            "Bucket": self._mine(engine, "POST", buckets, Max="1", Interval="1")["sid"],
            "{Country}": "CM",
            "{PhoneNumber}": PHONE,
        }
        self._mine(
            engine,
            "POST",
            f"{service}/MessagingConfigurations",
            Country="CM",
            MessagingServiceSid="MG" + "0" * 32,
        )
        mine["Webhook"] = self._mine(
            engine,
            "POST",
            f"{service}/Webhooks",
            FriendlyName="x",
            EventTypes="*",
            WebhookUrl="https://example.com/",
        )["sid"]
        self._mine(engine, "POST", "/v2/SafeList/Numbers", PhoneNumber=PHONE)
        started = self._mine(engine, "POST", f"{service}/Verifications", To=PHONE, Channel="sms")
        mine["Verification"] = started["sid"]
        mine["VerificationAttempt"] = started["send_code_attempts"][0]["attempt_sid"]
        return mine

    FORM: ClassVar = {
        "To": PHONE,
        "Channel": "sms",
        "Code": "123456",
        "Status": "canceled",
        "FriendlyName": "stolen",
        "UniqueName": "stolen",
        "Description": "stolen",
        "Max": "9",
        "Interval": "9",
        "Country": "CM",
        "MessagingServiceSid": "MG" + "1" * 32,
        "EventTypes": "*",
        "WebhookUrl": "https://thief.example/",
    }

    @pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
    def test_a_foreign_account_reads_nothing_and_writes_nothing(
        self, route: Route, engine: Engine, store: MemoryStore
    ) -> None:
        mine = self._sids(engine)
        thief = engine.perform(CreateAccount("thief"))
        before = dict(store._rows.cells)
        path = "/".join(
            mine[route.resource if part == "{Sid}" else part] if part.startswith("{") else part
            for part in route.path.split("/")
        )
        form = dict(self.FORM)
        if route.resource == "Webhook":
            form["Status"] = "enabled"

        answered = self._ask(engine, thief.record.sid, thief.secret, route.method, path, form)

        if "{" in route.path:
            assert answered.status == 404
            assert json.loads(answered.body)["code"] == 20404
        elif route.key is not None:
            assert json.loads(answered.body)[route.key] == []
        elif route.operation == "FetchVerificationAttemptsSummary":
            assert json.loads(answered.body)["total_attempts"] == 0
        else:  # a thing of the thief's own
            return
        assert store._rows.cells == before
