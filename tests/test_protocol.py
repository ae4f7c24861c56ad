"""HTTP on the socket: what comes in any pieces is answered in order, and nothing else gets in."""

import asyncio
import http.client
import io
import itertools
import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState

from tests.server import Server, serving
from tests.test_overload import ManualLoop
from watchword.counts import Counts
from watchword.door import DOOR, FULL, MAX_BODY, Asked, Door
from watchword.intake import MAX_HEAD, MAX_MESSAGE
from watchword.protocol import MAX_TURNS, Protocol
from watchword.wire.http import Response

KEEP_ALIVE = 75
GET = b"GET /v2/one HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /v2/two?a=b HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nTo=1"
CHUNKED = (
    b"POST /v2/three HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nTo=\r\n1\r\n1\r\n0\r\n\r\n"
)
LAST = b"DELETE /v2/four HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


class Echo(Door):
    """A door that says what it was asked, once it is let."""

    def __init__(self) -> None:
        self._counts = Counts()
        self.asked: list[Asked] = []
        self.go = asyncio.Event()
        self.go.set()
        self.is_full = False

    def refuses(self, asked: Asked) -> Response | None:
        return FULL if self.is_full else None

    async def answer(self, asked: Asked) -> Response:
        self.asked.append(asked)
        await self.go.wait()
        if asked.method == "DELETE":
            return Response(204)
        said = [asked.method, asked.path, asked.query.decode(), asked.body.decode(), asked.scheme]
        return Response.json(200, said)


class Wire(asyncio.Transport):
    """The other end of a connection, held in the hand."""

    def __init__(self, peer: str = "203.0.113.9") -> None:
        super().__init__({"peername": (peer, 4711)})
        self.heard = b""
        self.closed = False
        self.reads = True
        self.protocol: Any = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def write(self, data: Any) -> None:
        assert not self.closed
        self.heard += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class Connection:
    """A protocol between a wire and a door."""

    def __init__(
        self, loop: ManualLoop, *, peer: str = "203.0.113.9", proxies: tuple[str, ...] = ()
    ) -> None:
        config = Config(
            _no_app,
            timeout_keep_alive=KEEP_ALIVE,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=",".join(proxies),
            log_config=None,
        )
        self.loop = loop
        self.door = Echo()
        self.state = ServerState()
        self.wire = Wire(peer)
        self.protocol = Protocol(config, self.state, {DOOR: self.door}, loop)
        self.protocol.connection_made(self.wire)

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.protocol.data_received(piece)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(300):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        self.loop.turned += seconds
        await asyncio.sleep(0.001)  # the loop looks at its clock, which was turned by hand
        await self.settle()

    def answers(self, *methods: str) -> list[tuple[int, Any]]:
        """Read what was answered to requests of these methods, and that nothing follows."""
        found = []
        source = Source(self.wire.heard)
        for method in methods:
            answer = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]
            answer.begin()
            body = answer.read()
            found.append((answer.status, json.loads(body) if body else None))
        assert source.file.read() == b""
        return found


class Source:
    """What was heard, to be read as several answers."""

    def __init__(self, heard: bytes) -> None:
        self.file = io.BufferedReader(io.BytesIO(heard))

    def makefile(self, _mode: str) -> Any:
        return _Open(self.file)


class _Open:
    """A file that one answer does not close for the next."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return (lambda: None) if name in ("close", "flush") else getattr(self._file, name)


async def _no_app(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("it was not asked for")


def run(check: Callable[[Connection], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a check on a connection of its own."""
    loop = ManualLoop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    asyncio.set_event_loop(loop)
    try:

        async def checked() -> None:
            await check(Connection(loop, **options))

        loop.run_until_complete(checked())
        assert faults == []
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def said(method: str, path: str, query: str = "", body: str = "") -> tuple[int, list[str]]:
    return 200, [method, path, query, body, "http"]


def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def check(here: Connection) -> None:
        await here.say(GET)
        await here.say(POST)
        await here.say(CHUNKED)

        assert here.answers("GET", "POST", "POST") == [
            said("GET", "/v2/one"),
            said("POST", "/v2/two", "a=b", "To=1"),
            said("POST", "/v2/three", "", "To=1"),
        ]
        assert not here.wire.closed

    run(check)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from([GET, POST, CHUNKED]), min_size=1, max_size=6),
    st.lists(st.integers(0, 600), max_size=12),
)
def test_however_it_is_cut_and_piled_up_it_is_answered_alike(
    requests: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(requests) + LAST
    edges = sorted({0, 16, len(stream), *(cut for cut in cuts if 16 < cut < len(stream))})
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]

    async def check(here: Connection) -> None:
        await here.say(*pieces)

        methods = [request.partition(b" ")[0].decode() for request in requests]
        answers = here.answers(*methods, "DELETE")
        assert [status for status, _ in answers] == [200] * len(requests) + [204]
        assert [asked.body for asked in here.door.asked] == [
            b"" if request is GET else b"To=1" for request in requests
        ] + [b""]
        assert here.wire.closed

    run(check)


def test_while_one_is_answered_the_next_waits_and_no_more_is_read() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET + GET)
        assert len(here.door.asked) == 1
        assert not here.wire.reads

        here.door.go.set()
        await here.settle()

        assert here.answers("GET", "GET") == [said("GET", "/v2/one")] * 2
        assert here.wire.reads

    run(check)


def test_who_does_not_read_is_not_answered_further() -> None:
    async def check(here: Connection) -> None:
        here.protocol.pause_writing()
        await here.say(GET)
        assert here.wire.heard == b""
        assert not here.wire.reads

        here.protocol.resume_writing()
        await here.settle()

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.reads

    run(check)


def test_a_full_house_refuses_at_once_and_keeps_the_connection() -> None:
    async def check(here: Connection) -> None:
        here.door.is_full = True
        here.protocol.data_received(POST + GET)

        assert [status for status, _ in here.answers("POST", "GET")] == [503, 503]
        assert b"retry-after: 1\r\n" in here.wire.heard
        assert here.door.asked == []

    run(check)


def test_a_body_too_large_is_refused_and_the_next_request_answered() -> None:
    async def check(here: Connection) -> None:
        size = MAX_BODY + 1
        head = b"POST /v2/big HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % size
        await here.say(head, b"x" * size)
        await here.say(GET)

        assert [status for status, _ in here.answers("POST", "GET")] == [413, 200]
        assert [asked.path for asked in here.door.asked] == ["/v2/one"]

    run(check)


def test_a_body_without_end_is_cut_off() -> None:
    async def check(here: Connection) -> None:
        await here.say(b"POST /v2/big HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(MAX_MESSAGE // 0x8000 + 2):
            await here.say(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            if here.wire.closed:
                break

        assert here.wire.closed
        assert here.door.asked == []

    run(check)


def test_what_follows_a_body_is_nobodys_word() -> None:
    async def check(here: Connection) -> None:
        trailers = b"Authorization: Basic eDp5\r\nHost: elsewhere\r\n"
        await here.say(CHUNKED.replace(b"0\r\n\r\n", b"0\r\n" + trailers + b"\r\n"))

        assert here.answers("POST") == [said("POST", "/v2/three", "", "To=1")]
        assert here.door.asked[0].headers[b"host"] == b"here"
        assert b"authorization" not in here.door.asked[0].headers

    run(check)


def test_trailers_without_end_are_cut_off() -> None:
    async def check(here: Connection) -> None:
        await here.say(CHUNKED[:-2])
        for _ in range(MAX_MESSAGE // 0x8000 + 2):
            await here.say(b"X: " + b"x" * 0x8000 + b"\r\n")
            if here.wire.closed:
                break

        assert here.wire.closed
        assert here.door.asked == []

    run(check)


def test_a_pile_of_requests_is_answered_in_part_and_the_connection_closed() -> None:
    async def check(here: Connection) -> None:
        await here.say(GET * (MAX_TURNS + 10))

        assert here.answers(*["GET"] * (MAX_TURNS + 1)) == [said("GET", "/v2/one")] * (
            MAX_TURNS + 1
        )
        assert here.wire.closed

    run(check)


def test_after_a_head_without_end_behind_another_request_nothing_is_heard() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET, b"GET /v2/one HTTP/1.1\r\n")
        for number in range(MAX_HEAD // 1000 + 2):
            await here.say(b"X-%d: " % number + b"x" * 1000 + b"\r\n")
        assert not here.wire.reads
        assert here.protocol._headers == {}
        here.door.go.set()
        await here.settle()

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.closed

    run(check)


def test_many_requests_in_one_piece_are_no_long_head() -> None:
    async def check(here: Connection) -> None:
        here.door.is_full = True  # refused at once, so that none is piled up
        many = GET * (2 * MAX_HEAD // len(GET))
        await here.say(GET, many[:-3])
        await here.say(many[-3:])

        assert here.wire.heard.count(b"HTTP/1.1 503 ") == many.count(GET) + 1
        assert not here.wire.closed

    run(check)


def test_a_head_without_end_is_cut_off_with_431() -> None:
    async def check(here: Connection) -> None:
        await here.say(b"GET /v2/one HTTP/1.1\r\n")
        for number in range(MAX_HEAD // 1000 + 2):
            if not here.wire.closed:
                await here.say(b"X-%d: " % number + b"x" * 1000 + b"\r\n")

        assert here.wire.closed
        assert here.wire.heard.startswith(b"HTTP/1.1 431 ")
        assert here.door.asked == []

    run(check)


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /v2/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nTo=1",
        b"POST /v2/x HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v2/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v2/x HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /v2/x HTTP/9.9\r\n\r\n",
        b"GET / /v2/ HTTP/1.1\r\n\r\n",
        b"NO /v2/x\x00 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_may_be_read_in_two_ways_is_not_read(request_: bytes) -> None:
    async def check(here: Connection) -> None:
        await here.say(request_)

        assert here.wire.heard.startswith(b"HTTP/1.1 400 ")
        assert here.wire.closed
        assert here.door.asked == []

    run(check)


def test_after_nonsense_the_answer_that_is_owed_still_comes() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET, b"nonsense\r\n\r\n")
        assert not here.wire.closed

        here.door.go.set()
        await here.settle()

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.closed

    run(check)


def test_a_page_asked_for_behind_another_request_closes_the_connection() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET + b"GET /inbox HTTP/1.1\r\nHost: here\r\n\r\n")
        here.door.go.set()
        await here.settle()

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.closed

    run(check)


def test_http_1_0_and_connection_close_end_the_connection() -> None:
    async def check(here: Connection) -> None:
        await here.say(b"GET /v2/one HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert b"connection: close\r\n" in here.wire.heard
        assert here.wire.closed

    run(check)


def test_a_head_request_has_no_body_but_its_length() -> None:
    async def check(here: Connection) -> None:
        await here.say(GET.replace(b"GET", b"HEAD"))
        assert here.answers("HEAD") == [(200, None)]
        assert b"content-length: 3" in here.wire.heard

    run(check)


def test_an_answer_of_204_has_no_length() -> None:
    async def check(here: Connection) -> None:
        await here.say(LAST)
        assert b"HTTP/1.1 204 No Content\r\n" in here.wire.heard
        assert b"content-length" not in here.wire.heard

    run(check)


def test_who_waits_for_100_continue_is_told_to_go_on() -> None:
    async def check(here: Connection) -> None:
        head, body = POST[:-4].replace(b"Host", b"Expect: 100-Continue\r\nHost"), POST[-4:]
        await here.say(head)
        assert here.wire.heard == b"HTTP/1.1 100 Continue\r\n\r\n"
        here.wire.heard = b""

        await here.say(body)

        assert here.answers("POST") == [said("POST", "/v2/two", "a=b", "To=1")]

    run(check)


def test_nothing_is_upgraded_and_the_request_answered() -> None:
    async def check(here: Connection) -> None:
        await here.say(GET.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHost"))

        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.closed

    run(check)


def test_a_connection_that_asks_for_nothing_is_closed_after_its_time() -> None:
    async def check(here: Connection) -> None:
        await here.pass_time(KEEP_ALIVE - 1)
        await here.say(GET)
        await here.pass_time(KEEP_ALIVE - 1)
        assert not here.wire.closed

        await here.pass_time(2)

        assert here.wire.closed

    run(check)


def test_a_request_that_comes_by_drops_is_not_waited_for_without_end() -> None:
    async def check(here: Connection) -> None:
        await here.say(b"GET /v2/one HTTP/1.1\r\n")
        for _ in range(2 * KEEP_ALIVE + 2):
            assert not here.wire.closed or here.loop.turned > KEEP_ALIVE
            if here.wire.closed:
                break
            await here.say(b"X-Slow: 1\r\n")
            await here.pass_time(1)

        assert here.wire.closed

    run(check)


def test_a_request_that_begins_just_before_the_clock_looks_has_its_time() -> None:
    async def check(here: Connection) -> None:
        for _ in range(3):
            await here.pass_time(KEEP_ALIVE - 1)
            await here.say(GET[:20])
            await here.pass_time(2)
            assert not here.wire.closed
            await here.say(GET[20:])

        assert here.answers("GET", "GET", "GET") == [said("GET", "/v2/one")] * 3

    run(check)


def test_who_does_not_read_for_too_long_is_cut_off_and_not_asked_for() -> None:
    async def check(here: Connection) -> None:
        here.protocol.pause_writing()
        await here.say(GET)
        await here.pass_time(KEEP_ALIVE + 1)
        assert here.wire.closed

        here.protocol.resume_writing()
        await here.settle()

        assert here.door.asked == []

    run(check)


@pytest.mark.parametrize("first", [b"G", b"GET /inbox HTTP/1.1\r\n"])
def test_a_page_that_is_asked_for_by_drops_is_not_waited_for_without_end(first: bytes) -> None:
    async def check(here: Connection) -> None:
        await here.say(first)
        await here.pass_time(KEEP_ALIVE + 1)
        assert not here.wire.closed
        await here.pass_time(KEEP_ALIVE + 1)
        assert here.wire.closed

    run(check)


def test_a_page_is_not_asked_for_by_a_head_without_end() -> None:
    async def check(here: Connection) -> None:
        await here.say(b"GET /inbox HTTP/1.1\r\n")
        wire = here.wire
        for number in range(MAX_HEAD // 1000 + 2):
            if not wire.closed:
                wire.get_protocol().data_received(b"X-%d: " % number + b"x" * 1000 + b"\r\n")

        assert wire.closed
        assert wire.heard.startswith(b"HTTP/1.1 431 ")

    run(check)


def test_an_answer_under_way_is_not_cut_by_the_clock() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET)
        await here.pass_time(3 * KEEP_ALIVE)
        here.door.go.set()
        await here.settle()

        assert here.answers("GET") == [said("GET", "/v2/one")]

    run(check)


def test_a_stop_closes_the_idle_and_lets_the_others_have_their_answer() -> None:
    async def idle(here: Connection) -> None:
        assert here.state.connections
        here.protocol.shutdown()
        assert here.wire.closed
        here.protocol.connection_lost(None)
        assert not here.state.connections

    async def busy(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET)
        here.protocol.shutdown()
        assert not here.wire.closed
        assert here.state.tasks
        here.door.go.set()
        await here.settle()
        assert here.answers("GET") == [said("GET", "/v2/one")]
        assert here.wire.closed
        assert not here.state.tasks

    run(idle)
    run(busy)


def test_who_went_away_is_not_written_to() -> None:
    async def check(here: Connection) -> None:
        here.door.go.clear()
        await here.say(GET + GET)
        here.wire.close()
        here.protocol.connection_lost(ConnectionResetError())
        here.door.go.set()
        await here.settle()

        assert here.wire.heard == b""
        assert len(here.door.asked) == 1

    run(check)


@pytest.mark.parametrize(
    ("peer", "proxies", "proto", "scheme"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), b"https", "https"),
        ("10.1.2.3", ("::1/128", "10.1.2.3/32"), b" https ", "https"),
        ("10.1.2.3", ("10.0.0.0/8",), b"ftp", "http"),
        ("192.0.2.1", ("10.0.0.0/8",), b"https", "http"),
        ("::1", ("10.0.0.0/8",), b"https", "http"),
        ("10.1.2.3", (), b"https", "http"),
    ],
)
def test_the_scheme_is_taken_from_a_trusted_proxy_alone(
    peer: str, proxies: tuple[str, ...], proto: bytes, scheme: str
) -> None:
    async def check(here: Connection) -> None:
        await here.say(GET.replace(b"Host", b"X-Forwarded-Proto: " + proto + b"\r\nHost"))
        assert here.door.asked[0].scheme == scheme

    run(check, peer=peer, proxies=proxies)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_a_connection_may_ask_for_pages_and_for_the_api_in_any_order(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    statuses = []
    for path in ("/v2/Services", "/healthz", "/v2/Services", "/nothing", "/v2/Services"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [401, 200, 401, 404, 401]


@pytest.mark.parametrize("first", [b"G", b"GET /v", b"\r\nGET /v2/Services HTTP/1.1\r\n"])
def test_a_first_piece_too_short_to_tell_is_answered_too(server: Server, first: bytes) -> None:
    whole = b"GET /v2/Services HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    rest = whole[len(first.lstrip()) :]
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller.sendall(first)
        caller.sendall(rest)
        assert caller.recv(4096).startswith(b"HTTP/1.1 401 ")
