"""The hosted page without a browser: an app's backend, and a person who fills in its forms."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS
from watchword.asgi import App
from watchword.engine import Engine
from watchword.ui.returns import Places

BACK = "https://app.example/back?keep=1"
PLACES = Places("https://verify.example", ("https://app.example",))
KNOWN = (CREDENTIALS.account_sid, CREDENTIALS.auth_token)
Answer = Any  # httpx's Response, whichever httpx starlette brings


def client_of(engine: Engine, places: Places = PLACES, address: str = "192.0.2.7") -> TestClient:
    """Return a browser of its own at an engine's site, coming from an address."""
    return TestClient(
        App(engine, development=places.development, places=places),
        base_url="https://verify.example",
        follow_redirects=False,
        client=(address, 50000),
    )


def open_page(client: TestClient, **more: str) -> dict[str, Any]:
    """Open a page as an app's backend does."""
    form = {"UserId": "user-1", "ReturnUrl": BACK} | more
    answer = client.post("/pages", data=form, auth=KNOWN)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


@dataclass
class Person:
    """Someone at a page: fills in its forms, token and all."""

    client: TestClient
    path: str

    @classmethod
    def at(cls, engine: Engine, address: str = "192.0.2.7", **more: str) -> "Person":
        """Open a page and go there with a fresh browser."""
        client = client_of(engine, address=address)
        return cls(client, urlsplit(open_page(client, **more)["url"]).path)

    def look(self) -> Answer:
        """Load the page."""
        return self.client.get(self.path)

    def submit(self, action: str, **fields: str) -> Answer:
        """Send one of the page's forms, and follow it where it leads on the page itself."""
        token = re.search(r'name="form" value="(\w+)"', self.look().text)
        form = {"form": token[1] if token else ""} | fields
        answer = self.client.post(f"{self.path}/{action}", data=form)
        here = answer.headers.get("location") == self.path
        return self.look() if here else answer

    def ask(self, number: str, country: str = "CM") -> Answer:
        """Give a number and have the code sent."""
        self.submit("number", number=number, country=country)
        return self.submit("send", channel="sms")


def result_of(answer: Answer) -> str:
    """Return the result that a redirect back to the app carries."""
    assert answer.status_code == 303
    found: str = parse_qs(urlsplit(answer.headers["location"]).query)["watchword_result"][0]
    return found
