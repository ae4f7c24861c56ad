"""T-21: a provider that breaks in every way a network can, and what is made of it."""

import logging
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.senders.fakes import CODE, NUMBER, broken_server, fake_provider, message, reset, send
from watchword.model import Delivery
from watchword.senders.base import Trouble
from watchword.senders.http import HttpSender
from watchword.senders.webhook import Webhook


def webhook(url: str, timeout: float = 5.0) -> HttpSender:
    given: dict[str, Any] = {o.name: {} if o.table else (o.default or "") for o in Webhook.OPTIONS}
    return HttpSender("webhook", Webhook(given | {"url": url}), timeout=timeout)


def _read_then_reset(connection: socket.socket) -> None:
    connection.recv(65536)
    reset(connection)


def _read_then_close(connection: socket.socket) -> None:
    connection.recv(65536)


def _read_then_nothing(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(65536)  # until the other side has had enough


def _one_byte_at_a_time(connection: socket.socket) -> None:
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


def _garbage(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"\x00\x01\x02 this is not HTTP\r\n\r\n")


def _reset_in_the_body(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n{")
    time.sleep(0.05)
    reset(connection)


@pytest.mark.parametrize(
    "how",
    [
        _read_then_reset,
        _read_then_close,
        _read_then_nothing,
        _one_byte_at_a_time,
        _garbage,
        _reset_in_the_body,
    ],
)
def test_a_fault_after_the_request_has_left_is_uncertain_and_not_tried_again(
    how: Callable[[socket.socket], None],
) -> None:
    with broken_server(how) as broken:
        receipt = send(webhook(broken.url, timeout=0.5))[0]

        assert (receipt.status, broken.connections) == (Delivery.UNKNOWN, 1)


def test_a_refused_connection_is_a_definite_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    receipt = send(webhook(f"http://127.0.0.1:{port}"))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.OUTAGE)


def test_a_name_that_is_not_there_is_a_definite_failure() -> None:
    receipt = send(webhook("http://no-such-host.invalid/"))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.OUTAGE)


def test_a_connection_nobody_accepts_is_a_definite_failure() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(3):  # fill the queue: the next connection is left hanging
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)

        receipt = send(webhook(f"http://127.0.0.1:{full.getsockname()[1]}", timeout=0.5))[0]

        for one in waiting:
            one.close()
    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.OUTAGE)


def test_a_certificate_of_somebody_else_s_is_a_definite_failure(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-subj /CN=elsewhere.example -keyout {key} -out {certificate}",
        shell=True,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard: list[bytes] = []

    def shake_hands(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            heard.append(safe.recv(65536))

    with broken_server(shake_hands) as broken:
        receipt = send(webhook(f"https://127.0.0.1:{broken.port}"))[0]

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.SETUP)
    assert heard in ([], [b""])


@pytest.mark.parametrize(
    ("status", "delivery", "trouble"),
    [
        (429, Delivery.FAILED, Trouble.BUSY),
        (503, Delivery.FAILED, Trouble.OUTAGE),
        (500, Delivery.UNKNOWN, Trouble.OUTAGE),
        (502, Delivery.UNKNOWN, Trouble.OUTAGE),
        (504, Delivery.UNKNOWN, Trouble.OUTAGE),
        (401, Delivery.FAILED, Trouble.CREDENTIALS),
        (402, Delivery.FAILED, Trouble.FUNDS),
        (404, Delivery.FAILED, Trouble.SETUP),
        (400, Delivery.FAILED, Trouble.CONTENT),
        (307, Delivery.FAILED, Trouble.SETUP),
    ],
)
def test_a_status_says_whether_it_may_have_been_sent(
    status: int, delivery: Delivery, trouble: Trouble
) -> None:
    with fake_provider() as fake:
        fake.says(status, b"", Retry_After="9", Location="http://127.0.0.1:1/")

        receipt = send(webhook(fake.url))[0]

        assert (receipt.status, receipt.trouble) == (delivery, trouble)
        assert receipt.retry_after in (9, None)
        assert len(fake.asked) == 1


def test_an_endless_answer_is_read_to_a_limit() -> None:
    with fake_provider() as fake:
        fake.says(200, b"{" * 5_000_000)

        assert send(webhook(fake.url))[0].status is Delivery.SENT


def test_one_connection_is_kept_for_many_messages() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def serve(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    with broken_server(serve) as broken:
        receipts = send(webhook(broken.url), *[message() for _ in range(5)])

        assert [receipt.status for receipt in receipts] == [Delivery.SENT] * 5
        assert broken.connections == 1


def test_no_log_and_no_repr_shows_a_code_or_a_number(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.DEBUG)
    one = message()
    shown = [repr(one)]

    for how in (_read_then_reset, _garbage, _read_then_close):
        with broken_server(how) as broken:
            shown.append(repr(send(webhook(broken.url, timeout=1))[0]))
    with fake_provider() as fake:
        fake.says(400, {"message": f"{NUMBER} {NUMBER[1:]} {CODE} {CODE[:5]}-{CODE[5:]}"})
        shown.append(repr(send(webhook(fake.url))[0]))
        request = webhook(fake.url).provider.request(one, None)
        shown.append(repr(request))

    for text in (*shown, caplog.text):
        for secret in (CODE, NUMBER, NUMBER[1:], CODE[:5]):
            assert secret not in text
