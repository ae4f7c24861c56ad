"""What the load client says: a pair of start and right check, a static answer, a health check."""

import base64
from urllib.parse import urlencode

from benchmarks.load import Refused, Wrong
from watchword.home import Credentials

CODE = "135790"  # the service lets callers bring their own codes, so it need not be read back
LEAD = "+2376"
FIRST, NUMBERS = 50_000_000, 50_000_000  # the mobile numbers of Cameroon begin with 65 to 69
FORM = "application/x-www-form-urlencoded"


def request(path: str, body: str, *headers: str) -> bytes:
    """Return the bytes of a POST."""
    head = "".join(f"{header}\r\n" for header in headers)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n{head}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Template:
    """A request whose number changes and whose length does not."""

    MARK = "00000000"

    def __init__(self, path: str, body: str, *headers: str) -> None:
        self._before, _, self._after = request(path, body, *headers).partition(self.MARK.encode())

    def fill(self, number: int) -> bytes:
        return b"%b%d%b" % (self._before, FIRST + number % NUMBERS, self._after)


def start_body() -> str:
    """Return the form of a start, with a number to fill in."""
    return urlencode({"To": LEAD + Template.MARK, "Channel": "sms", "CustomCode": CODE})


def login(known: Credentials) -> str:
    """Return the header that says who asks."""
    user = base64.b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
    return f"Authorization: Basic {user}"


class Pair:
    """A start with a code of one's own, and the right check."""

    def __init__(self, known: Credentials) -> None:
        service = f"/v2/Services/{known.service_sid}"
        check = urlencode({"To": LEAD + Template.MARK, "Code": CODE})
        self._start = Template(f"{service}/Verifications", start_body(), login(known))
        self._check = Template(f"{service}/VerificationCheck", check, login(known))

    def first(self, number: int) -> bytes:
        return self._start.fill(number)

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        _must_be_good(answer)
        if asked == 1:
            return self._check.fill(number)
        if b'"approved"' not in answer:
            raise Wrong
        return None


class One:
    """One request and its answer, such as the static one or a health check."""

    def __init__(self, asked: bytes) -> None:
        self._asked = asked

    def first(self, number: int) -> bytes:
        return self._asked

    def then(self, number: int, asked: int, answer: bytes) -> bytes | None:
        _must_be_good(answer)
        return None


def _must_be_good(answer: bytes) -> None:
    if answer.startswith(b"HTTP/1.1 20"):
        return
    if answer.startswith(b"HTTP/1.1 503"):
        raise Refused(b"retry-after:" in answer.lower())
    raise Wrong


def get(path: str) -> bytes:
    """Return the bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
