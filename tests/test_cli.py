"""The command line, as sessions: what is typed, what is answered, and the exit code."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PHONE
from tests.server import free_port, serving, watchword
from watchword import __version__
from watchword.clock import SystemClock
from watchword.senders.inbox import InboxSender


def verify(number: str, *codes: str, flags: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Run `watchword verify`, type what the inbox holds where a code is "right"; return the end."""
    command = [sys.executable, "-m", "watchword", "verify", number, *flags]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        said = process.stderr.readline()
        if said.startswith("sent"):
            right = json.loads(watchword("inbox", "--to", number, "--json").stdout)[0]["code"]
            for code in codes:
                process.stdin.write({"right": right, "wrong": "0000"}.get(code, code) + "\n")
        output, rest = process.communicate(timeout=60)
        return process.returncode, output, said + rest


def test_help_loads_nothing_heavy() -> None:
    heavy = ("asyncio", "msgspec", "sqlalchemy", "twilio", "aiohttp", "cryptography")
    program = f"import sys, watchword.cli; print([m for m in {heavy} if m in sys.modules])"

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout == "[]\n"


def test_help_lists_every_command() -> None:
    answer = watchword("--help")

    assert answer.returncode == 0
    for command in ("serve", "verify", "credentials", "inbox", "migrate", "doctor", "config"):
        assert f"  {command}" in answer.stdout


@pytest.mark.parametrize("group", [(), ("accounts",), ("import",)])
def test_a_list_of_commands_is_not_cut(group: tuple[str, ...]) -> None:
    listed = watchword(*group, "--help").stdout.partition("Commands:")[2]

    assert listed
    assert "..." not in listed


def test_what_is_deleted_is_not_said_to_have_expired() -> None:
    answer = watchword("accounts", "revoke", "ACnobody")

    assert answer.returncode == 1
    assert answer.stderr == "watchword: no such account; it was never made, or was deleted\n"


def test_an_address_of_a_server_is_told_how_it_is_written() -> None:
    answer = watchword("conformance", "--url", "localhost:8000")

    assert answer.returncode == 2
    assert "http://127.0.0.1:8000" in answer.stderr


def test_a_test_message_in_a_language_nobody_speaks_is_not_sent() -> None:
    answer = watchword("send-test", "--to", PHONE, "--locale", "zz")

    assert answer.returncode == 2
    assert "there is no language zz; see: watchword templates list" in answer.stderr


def test_the_version_is_the_packages() -> None:
    assert watchword("--version").stdout == f"watchword, version {__version__}\n"


def test_the_main_job_from_number_to_approved() -> None:
    code, output, said = verify(PHONE, "wrong", "right")

    assert (code, output) == (0, "approved\n")
    assert "that is not the code" in said
    assert PHONE not in said.splitlines()[0]


def test_an_empty_line_costs_no_guess() -> None:
    code, output, said = verify(PHONE, *["", "12"] * 3, "right")

    assert (code, output) == (0, "approved\n")
    assert said.count("the code is the number in the message") == 6


def test_an_approval_frees_the_number_for_the_next_time() -> None:
    assert verify(PHONE, "right")[0] == 0
    assert verify(PHONE, "right", flags=("--json",))[0] == 0


def test_without_a_code_the_answer_is_no_and_the_next_send_has_to_wait() -> None:
    code, _, said = verify(PHONE)
    assert code == 1
    assert "stays good" in said

    code, _, said = verify(PHONE)
    assert code == 75
    assert "wait" in said


def test_too_many_guesses_say_try_later() -> None:
    code, _, said = verify(PHONE, *["wrong"] * 6)

    assert code == 75
    assert "max check attempts" in said


def test_a_number_that_is_none_is_refused_with_what_to_do() -> None:
    answer = watchword("verify", "+1555")

    assert answer.returncode == 1
    assert answer.stderr.startswith("watchword: ")
    assert answer.stdout == ""


def test_a_missing_argument_is_a_usage_error() -> None:
    assert watchword("verify").returncode == 2
    assert watchword("no-such-command").returncode == 2


def test_credentials_are_made_once(home: Path) -> None:
    first = json.loads(watchword("credentials", "--json").stdout)

    assert set(first) == {"account_sid", "auth_token", "service_sid"}
    assert json.loads(watchword("credentials", "--json").stdout) == first
    assert first["account_sid"] in watchword("credentials").stdout


def test_the_inbox_is_newest_first_and_can_be_cleared() -> None:
    verify(PHONE)
    verify("+12025550143")

    messages = json.loads(watchword("inbox", "--json").stdout)

    assert [message["to"] for message in messages] == ["+12025550143", PHONE]
    assert set(messages[0]) >= {"to", "from", "channel", "body", "code", "created_at"}
    assert messages[0]["code"] in messages[0]["body"]
    assert watchword("inbox", "--clear").returncode == 0
    assert json.loads(watchword("inbox", "--json").stdout) == []


def test_migrate_can_be_run_twice() -> None:
    assert "is now at" in watchword("migrate").stdout
    assert "was at" in watchword("migrate").stdout


def test_a_schema_from_the_future_is_refused(home: Path) -> None:
    watchword("migrate")
    with sqlite3.connect(home / "watchword.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    answer = watchword("verify", PHONE)

    assert answer.returncode == 69
    assert "upgrade watchword" in answer.stderr


def test_doctor_is_content_with_a_working_home() -> None:
    watchword("migrate")

    answer = watchword("doctor", "--json")

    assert answer.returncode == 0, answer.stdout
    assert all(finding["ok"] for finding in json.loads(answer.stdout))


def test_doctor_is_content_before_the_first_start() -> None:
    answer = watchword("doctor")

    assert answer.returncode == 0, answer.stdout
    assert "none yet; the first start makes it" in answer.stdout


def test_doctor_says_what_is_wrong_and_how_to_mend_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchword("migrate")
    watchword("doctor")
    (home / "keys").chmod(0o644)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")

    answer = watchword("doctor")

    assert answer.returncode == 1
    assert f"chmod 600 {home / 'keys'}" in answer.stdout
    assert "TWILIO_AUTH_TOKEN is missing" in answer.stdout


@pytest.mark.parametrize(
    ("url", "found", "mend"),
    [
        ("nonsense", "this is not a database URL", "write sqlite:////path"),
        ("sqlite:///{folder}/spoilt.db", "file is not a database", "put the file back from a copy"),
        ("postgresql://me:hidden@127.0.0.1:1/x", "Connection refused", "that the server runs"),
    ],
)
def test_doctor_names_what_is_wrong_with_a_database(
    url: str, found: str, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spoilt.db").write_text("no database" * 100)
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", url.format(folder=tmp_path))

    answer = watchword("doctor")

    assert answer.returncode == 1
    assert found in answer.stdout
    assert mend in answer.stdout
    assert "hidden" not in answer.stdout + answer.stderr


def test_doctor_is_content_with_twilio_and_needs_no_other_base_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_SERVICE_SID"):
        monkeypatch.setenv(name, "given")

    assert (
        "ok    codes: OTP_Model sends and checks them through Twilio" in watchword("doctor").stdout
    )

    monkeypatch.setenv("TWILIO_VERIFY_BASE_URL", "http://127.0.0.1:8000")
    assert "through http://127.0.0.1:8000" in watchword("doctor").stdout


def test_a_setting_that_cannot_be_exits_with_78(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_SENDR", "console")

    answer = watchword("verify", PHONE)

    assert answer.returncode == 78
    assert "WATCHWORD_SENDR" in answer.stderr


def test_the_inbox_in_production_exits_with_78(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "production")

    answer = watchword("serve", "--port", str(free_port()))

    assert answer.returncode == 78
    assert "WATCHWORD_ENV" in answer.stderr


def test_a_database_that_cannot_be_opened_exits_with_69(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", f"sqlite:///{tmp_path}/file/x.db")

    assert watchword("verify", PHONE).returncode == 69


def test_a_taken_port_is_named_with_another_to_try() -> None:
    with serving() as running:
        port = int(running.url.rsplit(":", 1)[1])
        answer = watchword("serve", "--port", str(port))

    assert answer.returncode == 78
    assert f"port {port} is taken" in answer.stderr
    assert f"PORT={port + 1}" in answer.stderr


def test_the_console_sender_prints_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_SENDER", "console")

    answer = watchword("verify", PHONE, input="")

    assert re.search(r"\[sms to \+237650000000\] .*\d{6}", answer.stderr)


def test_the_inbox_is_pruned(tmp_path: Path) -> None:
    from watchword.model import Channel
    from watchword.senders.base import Message
    from watchword.senders.portal import begin
    from watchword.sids import new_sid

    sender = InboxSender(tmp_path / "inbox.db")
    now = SystemClock().now()
    for _ in range(620):
        message = Message(new_sid("VL"), PHONE, Channel.SMS, "body 1234", "1234", "Acme", now)
        begin(sender.send(message), waits=False).result()

    assert 500 <= len(sender.messages(limit=1000)) <= 550
    sender.close()


def test_config_lists_every_setting() -> None:
    listed = json.loads(watchword("config", "--json").stdout)

    assert "WATCHWORD_HOME" in [setting["name"] for setting in listed]
