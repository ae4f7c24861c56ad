"""HEAD: what GET would answer, its length included, without the body; nothing comes after it."""

import base64
import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.server import Server, serving
from tests.test_protocol import Source

PAGES = (
    "/",
    "/healthz",
    "/inbox",
    "/docs",
    "/openapi.json",
    "/robots.txt",
    "/console",
    "/console/sign-in",
    "/dev/clock",
    "/dev/inbox/messages",
    "/p/PG0",
    "/nothing",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def at(server: Server) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)


def authorization(server: Server) -> str:
    known = server.credentials
    user = f"{known.account_sid}:{known.auth_token}".encode()
    return "Basic " + base64.b64encode(user).decode()


def test_a_get_piled_up_behind_a_head_has_its_own_answer(server: Server) -> None:
    head = (
        "HEAD /v2/Services HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: {authorization(server)}\r\n\r\n"
    )
    get = head.replace("HEAD", "GET", 1).replace("Host", "Connection: close\r\nHost", 1)
    with socket.create_connection(at(server), timeout=30) as caller:
        caller.sendall((head + head + get).encode())
        heard = b"".join(iter(lambda: caller.recv(65536), b""))

    source = Source(heard)
    answers = []
    for method in ("HEAD", "HEAD", "GET"):
        answer = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]
        answer.begin()
        answers.append((answer.status, answer.headers["content-length"], len(answer.read())))
    size = answers[-1][2]
    assert size > 0
    assert answers == [(200, str(size), 0), (200, str(size), 0), (200, str(size), size)]
    assert source.file.read() == b""


def test_head_where_there_is_no_get_is_told_what_there_is(server: Server) -> None:
    path = f"/v2/Services/{server.credentials.service_sid}/Verifications"

    answer = server.ask("HEAD", path, headers={"Authorization": authorization(server)})

    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


def test_a_page_is_asked_for_by_head_on_a_connection_that_goes_on(server: Server) -> None:
    connection = http.client.HTTPConnection(*at(server), timeout=30)
    for path in PAGES:
        found = {}
        for method in ("HEAD", "GET"):
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            found[method] = answer.status, answer.headers["content-length"]
        assert found["HEAD"] == found["GET"], path
        assert found["GET"][1] == str(len(body))
    connection.close()


def test_a_stream_has_an_end_for_who_asks_by_head(server: Server) -> None:
    connection = http.client.HTTPConnection(*at(server), timeout=30)
    connection.request("HEAD", "/inbox/events")
    answer = connection.getresponse()
    answer.read()
    connection.request("GET", "/healthz")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert connection.getresponse().status == 200
    connection.close()


def test_head_tries_no_sign_in(server: Server) -> None:
    """Tries are counted, and few."""
    statuses = {server.ask("HEAD", "/console/sign-in").status_code for _ in range(40)}

    assert statuses == {200}
