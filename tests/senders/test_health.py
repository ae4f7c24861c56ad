"""How the senders are doing: told by each worker, shown to those who may see it, naming nobody."""

import asyncio
import json
import os
import time
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS, KEYRING
from tests.senders.fakes import CODE, NUMBER, message
from tests.senders.test_dispatch import DOWN, SENT, Scripted, dispatch
from watchword.asgi import App
from watchword.board import Board, Worker
from watchword.cli import main
from watchword.counts import Counts
from watchword.doctor import examine
from watchword.engine import Engine
from watchword.senders.base import Receipt, Trouble
from watchword.senders.dispatch import Dispatch
from watchword.store.memory import MemoryStore

TOKEN = "prometheus"


@pytest.fixture
def board(home: Path) -> Board:
    return Board(home / "health")


@pytest.fixture
def busy() -> Dispatch:
    """Return two senders, of which one has failed until it rested."""
    down = Scripted("down", Receipt.failed(Trouble.CREDENTIALS))
    both = dispatch(down, Scripted("up", SENT))
    for _ in range(7):
        asyncio.run(both.send(message()))
    return both


def serve(board: Board | None, token: str, sender: Dispatch) -> TestClient:
    engine = Engine(MemoryStore(), sender, KEYRING, CREDENTIALS)
    return TestClient(App(engine, development=False, board=board, metrics_token=token))


def test_a_worker_tells_what_its_senders_did(board: Board, busy: Dispatch) -> None:
    board.write(Worker.of(busy, Counts()))

    (worker,) = board.read()
    down, up = worker.senders
    assert worker.pid == os.getpid()
    assert (down.failed, down.rests, down.trouble) == (5, True, Trouble.CREDENTIALS)
    assert (up.sent, up.rests, up.took.count, up.count) == (7, False, 7, 7)


def test_a_worker_that_died_is_forgotten_and_nonsense_is_no_worker(
    board: Board, busy: Dispatch, home: Path
) -> None:
    board.write(Worker.of(busy, Counts()))
    old = Worker(1, time.time() - 61, tuple(busy.health()))
    (home / "health" / "1.json").write_bytes(msgspec.json.encode(old))
    (home / "health" / "2.json").write_bytes(b"{")

    assert [worker.pid for worker in board.read()] == [os.getpid()]
    assert not (home / "health" / "1.json").exists()


def test_a_folder_that_cannot_be_written_harms_nothing(tmp_path: Path, busy: Dispatch) -> None:
    (tmp_path / "file").write_text("")
    board = Board(tmp_path / "file" / "health")

    board.write(Worker.of(busy, Counts()))

    assert board.read() == []


def test_a_worker_tells_while_it_serves_and_takes_it_away(board: Board, busy: Dispatch) -> None:
    with serve(board, TOKEN, busy) as http:
        answer = http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert len(board.read()) == 1

    assert "watchword_workers 1\n" in answer.text
    assert board.read() == []


def test_metrics_are_not_there_until_a_token_is_set_and_then_for_it_alone(
    board: Board, busy: Dispatch
) -> None:
    closed = serve(board, "", busy).get("/metrics", headers={"Authorization": "Bearer "})
    http = serve(board, TOKEN, busy)

    refused = [
        http.get("/metrics").status_code,
        http.get("/metrics", headers={"Authorization": "Bearer no"}).status_code,
        http.get("/metrics", headers={"Authorization": TOKEN}).status_code,
    ]

    assert closed.status_code == 404
    assert refused == [401, 401, 401]


def test_metrics_read_as_prometheus_wants_them_and_name_nobody(
    board: Board, busy: Dispatch
) -> None:
    board.write(Worker.of(busy, Counts()))

    answer = serve(board, TOKEN, busy).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    pid = os.getpid()
    lines = answer.text.splitlines()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert f'watchword_sends_total{{sender="down",result="failed",worker="{pid}"}} 5' in lines
    assert f'watchword_sends_total{{sender="up",result="sent",worker="{pid}"}} 7' in lines
    assert f'watchword_sender_state{{sender="down",state="open",worker="{pid}"}} 1' in lines
    assert f'watchword_send_duration_seconds_count{{sender="up",worker="{pid}"}} 7' in lines
    assert CODE not in answer.text
    assert NUMBER.removeprefix("+") not in answer.text


CONFIGURED = '[[senders]]\ntype = "webhook"\nname = "{}"\nurl = "http://127.0.0.1:9"\n'


def test_the_terminal_shows_what_the_workers_tell(board: Board, busy: Dispatch, home: Path) -> None:
    board.write(Worker.of(busy, Counts()))
    (home / "watchword.toml").write_text(CONFIGURED.format("down") + CONFIGURED.format("up"))

    shown = CliRunner().invoke(main, ["senders"]).stdout
    as_json = json.loads(CliRunner().invoke(main, ["senders", "--json"]).stdout)
    (resting,) = [one for one in examine() if one.check.startswith("sender ")]

    assert "0 sent, 5 failed, 0 unclear" in shown
    assert "rests in 1 of 1 workers (credentials)" in shown
    assert "7 sent, 0 failed, 0 unclear" in shown
    assert as_json[1]["workers"][0]["sent"] == 7
    assert (resting.check, resting.ok) == ("sender down", False)
    assert "check the account and its secret" in resting.mend


def test_a_sender_that_only_rested_once_is_not_held_against_it(board: Board) -> None:
    down = Scripted("down", DOWN)
    one = dispatch(down)
    asyncio.run(one.send(message()))
    board.write(Worker.of(one, Counts()))

    assert not board.read()[0].senders[0].rests
