"""The load client: many keep-alive connections in one thread, each in the middle of a talk.

A *talk* is what one connection says, request after request: a start and the check that follows
its answer. A *stream* sends talks over so many connections, one after another (closed loop) or so
many a second whatever the server does (open loop: times count from when a talk was due, so that
a server that stands still cannot hide it).

Plain sockets, epoll and requests whose bytes are made beforehand: the client shares the machine
with what it measures, so it says what CPU it took itself.
"""

import heapq
import random
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

LARGEST_WAIT = 0.05  # seconds; the loop looks at the time at least this often
MOST_EVENTS = 1024  # read in one go
SPARE = 1e-4  # seconds; a wait shorter than this is not worth a system call
PATIENCE = 30.0  # seconds beyond its time that a run waits for a first answer
SEED = 7  # of the arrivals: every run has the same
HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"
LENGTH = b"content-length:"


class Talk(Protocol):
    """What one connection says about one number."""

    def first(self, number: int) -> bytes:
        """Return the request that begins the talk."""

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        """Return the request after the answer to the `asked`th, or None for a good end.

        Raises Refused when the server said to come back later, Wrong for any other answer.
        """


class Refused(Exception):
    """The server sheds load; the argument says whether it said when to come back."""


class Wrong(Exception):
    """An answer that is not the one expected."""


@dataclass(slots=True)
class Result:
    """What a stream came to; times in seconds."""

    done: int = 0
    wrong: int = 0
    refused: int = 0
    refused_politely: int = 0  # with Retry-After
    left: int = 0  # talks that were due and found no connection until the end
    seconds: float = 0.0
    client_cpu: float = 0.0  # of all streams together
    talks: "array[float]" = field(default_factory=lambda: array("d"))
    requests: "array[float]" = field(default_factory=lambda: array("d"))
    refusals: "array[float]" = field(default_factory=lambda: array("d"))
    example: str = ""  # of what went wrong

    @property
    def per_second(self) -> float:
        """Return how many talks ended well in a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def client_share(self) -> float:
        """Return how much of one core the client took."""
        return self.client_cpu / self.seconds if self.seconds else 0.0


def percentile(times: Sequence[float], part: float) -> float:
    """Return the milliseconds that this part of all took at most; 0 of none."""
    if not times:
        return 0.0
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


@dataclass(slots=True)
class Stream:
    """A kind of talk, over at most so many connections; with a rate, so many begin a second."""

    talk: Talk
    connections: int
    rate: float | None = None
    numbers: Iterator[int] = field(default_factory=count)
    keeps_times: bool = True
    result: Result = field(default_factory=Result)
    idle: list["_Connection"] = field(default_factory=list)
    open: int = 0
    waiting: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class _Connection:
    stream: Stream
    socket: socket.socket
    number: int = 0
    asked: int = 0
    began: float = 0.0
    sent: float = 0.0
    received: bytes = b""


class Load:
    """One run against one address."""

    def __init__(self, address: tuple[str, int], streams: Sequence[Stream]) -> None:
        self._address = address
        self._streams = streams
        self._epoll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._due: list[tuple[float, int]] = []  # when the stream of that index begins a talk
        self._draw = random.Random(SEED)  # arrivals, not secrets

    def run(self, seconds: float, until: Callable[[], bool] = bool) -> list[Result]:
        """Drive all streams for so long, or until that is so; return their results in order."""
        cpu = time.process_time()
        began = now = time.perf_counter()
        end = began + seconds
        for index, stream in enumerate(self._streams):
            if stream.rate is None:
                for _ in range(stream.connections):
                    self._begin(self._open(stream), now)
            else:
                heapq.heappush(self._due, (now, index))
        while (now < end or (now < end + PATIENCE and not self._heard())) and not until():
            self._begin_what_is_due(now)
            for handle, _ in self._wait(now):
                self._hear(self._connections[handle])
            now = time.perf_counter()
        for stream in self._streams:
            stream.result.seconds = now - began
            stream.result.client_cpu = time.process_time() - cpu
            stream.result.left = len(stream.waiting)
        for connection in self._connections.values():
            connection.socket.close()
        self._epoll.close()
        return [stream.result for stream in self._streams]

    def _wait(self, now: float) -> list[tuple[int, int]]:
        """Return what can be read; wait for it no longer than until the next talk is due."""
        if not self._due:
            return self._epoll.poll(LARGEST_WAIT, MOST_EVENTS)
        wait = min(self._due[0][0] - now, LARGEST_WAIT)
        if wait > SPARE:  # epoll counts whole milliseconds, select does not
            select.select([self._epoll], [], [], wait)
        return self._epoll.poll(0, MOST_EVENTS)

    def _heard(self) -> bool:
        """Tell whether every stream had an end of some kind: a rate of none is no rate."""
        return all(s.result.done or s.result.wrong or s.result.refused for s in self._streams)

    def _begin_what_is_due(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            due, index = self._due[0]
            stream = self._streams[index]
            assert stream.rate is not None
            heapq.heapreplace(self._due, (due + self._draw.expovariate(stream.rate), index))
            if stream.idle:
                self._begin(stream.idle.pop(), due)
            elif stream.open < stream.connections:
                self._begin(self._open(stream), due)
            else:
                stream.waiting.append(due)

    def _open(self, stream: Stream) -> _Connection:
        opened = socket.create_connection(self._address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(stream, opened)
        self._connections[opened.fileno()] = connection
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        stream.open += 1
        return connection

    def _begin(self, connection: _Connection, due: float) -> None:
        connection.number = next(connection.stream.numbers)
        connection.asked = 1
        connection.began = due
        self._send(connection, connection.stream.talk.first(connection.number), due)

    def _send(self, connection: _Connection, request: bytes, now: float) -> None:
        connection.sent = now
        try:
            connection.socket.sendall(request)
        except OSError as fault:
            self._lose(connection, str(fault))

    def _hear(self, connection: _Connection) -> None:
        try:
            heard = connection.socket.recv(65536)
        except OSError:
            heard = b""
        if not heard:
            self._lose(connection, "the server closed a connection")
            return
        if connection.received:
            heard = connection.received + heard
        if not is_whole(heard):
            connection.received = heard
            return
        connection.received = b""
        self._answered(connection, heard)

    def _answered(self, connection: _Connection, answer: bytes) -> None:
        now = time.perf_counter()
        stream = connection.stream
        result = stream.result
        try:
            request = stream.talk.then(connection.number, connection.asked, answer)
        except Refused as refused:
            result.refused += 1
            result.refused_politely += bool(refused.args[0])
            result.refusals.append(now - connection.sent)
        except Wrong:
            result.wrong += 1
            result.example = result.example or answer[:2000].decode("latin-1")
        else:
            if stream.keeps_times:
                result.requests.append(now - connection.sent)
            if request is not None:
                connection.asked += 1
                self._send(connection, request, now)
                return
            result.done += 1
            if stream.keeps_times:
                result.talks.append(now - connection.began)
        if b"connection: close" in answer.partition(HEAD_END)[0].lower():
            self._forget(connection)
            if stream.rate is None:
                self._begin(self._open(stream), now)
            return
        self._go_on(connection, now)

    def _go_on(self, connection: _Connection, now: float) -> None:
        stream = connection.stream
        if stream.rate is None:
            self._begin(connection, now)
        elif stream.waiting:
            self._begin(connection, stream.waiting.popleft())
        else:
            stream.idle.append(connection)

    def _lose(self, connection: _Connection, why: str) -> None:
        result = connection.stream.result
        result.wrong += 1
        result.example = result.example or why
        self._forget(connection)
        if connection.stream.rate is None:
            self._begin(self._open(connection.stream), time.perf_counter())

    def _forget(self, connection: _Connection) -> None:
        stream = connection.stream
        del self._connections[connection.socket.fileno()]
        connection.socket.close()
        stream.open -= 1
        if connection in stream.idle:
            stream.idle.remove(connection)


def is_whole(answer: bytes) -> bool:
    """Tell whether all of an answer has come."""
    end = answer.find(HEAD_END)
    if end < 0:
        return False
    at = answer.find(LENGTH, 0, end)
    if at < 0:
        head = answer[:end].lower()
        at = head.find(LENGTH)
        if at < 0:
            return b"chunked" not in head or answer.endswith(LAST_CHUNK)
    line_end = answer.find(b"\r", at)
    return len(answer) >= end + 4 + int(answer[at + 15 : line_end])
