"""A load client: keep-alive connections, each running start and check after another, timed."""

import base64
import selectors
import socket
import time
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from watchword.home import Credentials

CODE = "135790"  # the service allows custom codes, so the client knows every code it will check


@dataclass
class Result:
    """What a run measured; times in seconds."""

    pairs: int = 0
    failures: int = 0
    seconds: float = 0.0
    pair_times: list[float] = field(default_factory=list)

    @property
    def pairs_per_second(self) -> float:
        return self.pairs / self.seconds

    def percentile(self, part: float) -> float:
        """Return the time that this part of all pairs took at most, in milliseconds."""
        times = sorted(self.pair_times)
        return times[min(int(len(times) * part), len(times) - 1)] * 1000


class Connection:
    """One keep-alive connection in the middle of a pair."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started_at = 0.0
        self.number = ""
        self.checking = False
        self.received = b""


class Requests:
    """The bytes of the two requests, but for the number in them."""

    def __init__(self, host: str, known: Credentials) -> None:
        user = base64.b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
        self._head = (
            f" HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {user}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        )
        self._base = f"POST /v2/Services/{known.service_sid}"

    def start(self, number: str) -> bytes:
        body = urlencode({"To": number, "Channel": "sms", "CustomCode": CODE})
        return self._bytes("/Verifications", body)

    def check(self, number: str) -> bytes:
        return self._bytes("/VerificationCheck", urlencode({"To": number, "Code": CODE}))

    def _bytes(self, path: str, body: str) -> bytes:
        return f"{self._base}{path}{self._head}{len(body)}\r\n\r\n{body}".encode()


def run_pairs(
    address: tuple[str, int],
    known: Credentials,
    *,
    connections: int,
    seconds: float,
    first: int = 0,
) -> Result:
    """Run pairs for so many seconds; each has a number of its own, from `first` on."""
    requests = Requests(f"{address[0]}:{address[1]}", known)
    numbers = (f"+2376{number % 10**8:08}" for number in count(50_000_000 + first))
    result = Result()
    opened = [Connection(address) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        begun = time.perf_counter()
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            _begin(connection, requests, next(numbers))
        end = begun + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(timeout=1):
                _advance(key.data, requests, numbers, result)
        result.seconds = time.perf_counter() - begun
    for connection in opened:
        connection.socket.close()
    return result


def _begin(connection: Connection, requests: Requests, number: str) -> None:
    connection.number, connection.checking = number, False
    connection.started_at = time.perf_counter()
    connection.socket.sendall(requests.start(number))


def _advance(connection: Connection, requests: Requests, numbers: object, result: Result) -> None:
    connection.received += connection.socket.recv(65536)
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    if not separator or not _is_whole(head, body):
        return
    connection.received = b""
    ok = head.startswith(b"HTTP/1.1 20")
    if not connection.checking and ok:
        connection.checking = True
        connection.socket.sendall(requests.check(connection.number))
        return
    if ok and b'"approved"' in body:
        result.pairs += 1
        result.pair_times.append(time.perf_counter() - connection.started_at)
    else:
        result.failures += 1
    _begin(connection, requests, next(numbers))  # type: ignore[call-overload]


def _is_whole(head: bytes, body: bytes) -> bool:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return len(body) >= int(line[15:])
    return True
