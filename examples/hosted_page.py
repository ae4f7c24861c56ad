"""An app that confirms its people's phones on the hosted page: start it, press the button.

watchword serve                                        # in one terminal
python -m uvicorn --port 9000 --factory examples.hosted_page:from_environment   # in another
"""

import asyncio
import base64
import html
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route


class Shop:
    """A shop with one page, and a customer called `customer-7`."""

    def __init__(self, watchword: str, account_sid: str, auth_token: str) -> None:
        self.watchword = watchword
        self._authorization = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()

    def app(self) -> Starlette:
        """Return the shop as an ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/verify", self.verify),
                Route("/modal", self.modal),
                Route("/back", self.back),
            ]
        )

    async def home(self, _request: Request) -> Response:
        """Offer to confirm the phone."""
        return _page('<a href="/verify">Confirm my phone</a> · <a href="/modal">in a dialog</a>')

    async def verify(self, request: Request) -> Response:
        """Open a hosted page and send the customer there."""
        page = await self._call(
            "/pages", UserId="customer-7", ReturnUrl=_back(request), Name="Shop"
        )
        return RedirectResponse(page["url"], status_code=303)

    async def modal(self, request: Request) -> Response:
        """The same in a dialog over this page: one script and one attribute."""
        page = await self._call(
            "/pages", UserId="customer-7", ReturnUrl=_back(request), Modal="true"
        )
        return _page(
            f'<a href="{page["url"]}" data-watchword>Confirm my phone</a>'
            f'<script src="{self.watchword}/static/watchword.js" defer></script>'
        )

    async def back(self, request: Request) -> Response:
        """Take the customer back: use the result once, then trust what it says."""
        result = request.query_params.get("watchword_result")
        if result is None:
            return _page("Not confirmed.")
        found = await self._call("/pages/results", Result=result)
        return _page(f"{html.escape(found['user_id'])} holds {html.escape(found['to'])}.")

    async def _call(self, path: str, **form: str) -> dict[str, Any]:
        asked = urllib.request.Request(  # our own server
            self.watchword + path,
            urllib.parse.urlencode(form).encode(),
            {"Authorization": f"Basic {self._authorization}"},
        )
        return await asyncio.to_thread(_fetch, asked)


def from_environment() -> Starlette:
    """Make the shop for `watchword credentials --json` in this WATCHWORD_HOME.

    WATCHWORD is where the server listens, if it is another place.
    """
    command = [sys.executable, "-m", "watchword", "credentials", "--json"]
    known = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    server = os.environ.get("WATCHWORD", "http://127.0.0.1:8000")
    return Shop(server, known["account_sid"], known["auth_token"]).app()


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/back"


def _fetch(asked: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(asked, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _page(body: str) -> Response:
    return HTMLResponse(
        f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1><p>{body}</p>"
    )
