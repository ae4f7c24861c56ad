"""A server at the other end of a URL; where it is ours in development, its inbox and clock too."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import requests

from watchword.errors import StoreError

TIMEOUT = 30  # seconds


class HttpServer:
    """Ask a server over HTTP."""

    def __init__(self, url: str, account_sid: str, auth_token: str) -> None:
        self._url = url.rstrip("/")
        self._auth = (account_sid, auth_token)
        self._session = requests.Session()
        self._offset_seconds: float | None = None  # what the clock had, once we turn it

    def ask(
        self, method: str, path: str, form: Mapping[str, Any], *, anonymous: bool = False
    ) -> tuple[int, Any]:
        """Send one request; raise StoreError when the server cannot be reached."""
        auth = ("AC" + "0" * 32, "wrong") if anonymous else self._auth
        given = {"data": form} if method == "POST" else {"params": form}
        answer = self._send(method, path.replace("+", "%2B"), auth=auth, **given)
        try:
            return answer.status_code, answer.json() if answer.content else None
        except ValueError:
            return answer.status_code, {"body": answer.text[:200]}

    @cached_property
    def has_inbox(self) -> bool:
        """Whether `/dev/inbox/messages` is there."""
        return self._send("GET", "/dev/inbox/messages").status_code == 200

    @cached_property
    def has_clock(self) -> bool:
        """Whether `/dev/clock` is there."""
        return self._send("GET", "/dev/clock").status_code == 200

    def newest_code(self, to: str) -> str:
        """Return the code of the newest message to a number; raise StoreError for none."""
        answer = self._send("GET", "/dev/inbox/messages", params={"to": to, "wait": "5"})
        messages = answer.json()["messages"]
        if not messages:
            raise StoreError("the server sent no message; is a fault switched on at /dev/faults?")
        return str(messages[0]["code"])

    def turn(self, seconds: int) -> None:
        """Turn the server's clock on."""
        if self._offset_seconds is None:
            self._offset_seconds = self._send("GET", "/dev/clock").json()["offset_seconds"]
        self._send("POST", "/dev/clock", json={"advance_seconds": seconds})

    def put_back(self) -> None:
        """Let the clock be where it was."""
        if self._offset_seconds is not None:
            self._send("DELETE", "/dev/clock")
            self._send("POST", "/dev/clock", json={"advance_seconds": self._offset_seconds})

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            return self._session.request(method, self._url + path, timeout=TIMEOUT, **more)
        except requests.RequestException as fault:
            raise StoreError(
                f"{self._url} does not answer ({type(fault).__name__}); is the server running?"
            ) from fault
