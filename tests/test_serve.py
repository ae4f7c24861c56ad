"""`watchword serve`: whose word it takes for where a request came from."""

import json
import urllib.request

import pytest

from tests.server import Server, serving

FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


def url_of_a_verification(server: Server) -> str:
    """Return the url in an answer to a request that says it came from elsewhere by https."""
    from base64 import b64encode

    known = server.credentials
    user = b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/v2/Services/{known.service_sid}/Verifications",
        data=b"To=%2B237650000000&Channel=sms",
        headers=FORWARDED | {"Authorization": f"Basic {user}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: str = json.loads(answer.read())["url"]
        return found


def test_nobody_is_believed_by_default() -> None:
    with serving() as server:
        assert url_of_a_verification(server).startswith("http://")


def test_a_trusted_proxy_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_TRUSTED_PROXIES", "127.0.0.0/8 ::1")

    with serving() as server:
        assert url_of_a_verification(server).startswith("https://")
