"""The dialog as it is in earnest: two sites over TLS, cookies of a frame, a policy that holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.browser.conftest import Site, serving_app
from tests.hosted import open_page
from tests.server import free_port
from watchword.asgi import App
from watchword.ui.returns import Places

PHONE = "+237650000000"


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    """Return uvicorn's options for a certificate of our own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {
        "ssl_certfile": str(tmp_path / "cert.pem"),
        "ssl_keyfile": str(tmp_path / "key.pem"),
        "loop": "asyncio",  # uvloop leaves the connections a browser holds open to the collector
    }


@pytest.fixture
def framed(site: Site, browser: Browser, tls: dict[str, Any]) -> Iterator[tuple[Page, str]]:
    """Open an app at https://127.0.0.1 whose link leads to a page at https://localhost."""
    port = free_port()
    public = f"https://localhost:{port}"
    shop = Starlette(routes=[Route("/", _shop), Route("/back", _back)])
    with serving_app(shop, **tls) as app_url:
        places = Places(public, (app_url,))
        verify = App(site.engine, development=False, places=places)
        client = TestClient(verify, base_url=public)
        made = open_page(client, ReturnUrl=f"{app_url}/back", Modal="true")
        shop.state.link = made["url"]
        with serving_app(verify, port=port, **tls):
            context = browser.new_context(ignore_https_errors=True)
            context.set_default_timeout(8000)
            yield context.new_page(), app_url
            context.close()


async def _shop(request: Request) -> Response:
    link: str = request.app.state.link
    script = f"{link.rpartition('/p/')[0]}/static/watchword.js"
    return HTMLResponse(
        f'<link rel=icon href="data:,"><title>Shop</title>'
        f'<a href="{link}" data-watchword>Confirm my phone</a>'
        f'<script src="{script}" defer></script>'
    )


async def _back(request: Request) -> Response:
    kept = "watchword_result" in request.query_params
    return HTMLResponse(
        f"<link rel=icon href='data:,'><title>Shop</title><p>{'signed' if kept else 'nothing'}"
    )


def test_a_frame_on_another_site_keeps_its_cookies_and_gives_its_result(
    framed: tuple[Page, str], site: Site
) -> None:
    page, shop = framed
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(shop)
    page.get_by_role("link", name="Confirm my phone").click()
    frame = page.frame_locator("iframe")

    frame.locator("#country").select_option("CM")
    frame.locator("#number").fill("650000000")
    frame.locator("form[action$='/number'] button").click()
    frame.locator("form[action$='/send'] button").click()
    expect(frame.locator("#code")).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    frame.locator("#code").fill(site.code(PHONE))
    frame.locator("form[action$='/code'] button").click()

    expect(page.locator("p")).to_have_text("signed")
    kept = cookies["__Host-watchword-page"]
    assert (kept["secure"], kept["httpOnly"], kept["sameSite"]) == (True, True, "None")
    assert complaints == []


def test_the_dialog_is_left_by_its_button_and_by_escape(
    framed: tuple[Page, str], site: Site
) -> None:
    page, shop = framed
    page.goto(shop)
    link = page.get_by_role("link", name="Confirm my phone")

    link.click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(link).to_be_focused()
    link.click()
    expect(page.locator("dialog[open]")).to_have_count(1)
    expect(page.frame_locator("iframe").locator("#number")).to_be_visible()
    page.keyboard.press("Escape")  # the frame has the focus, and passes it on
    expect(page.locator("dialog")).to_have_count(0)


def test_nobody_else_may_frame_it(
    framed: tuple[Page, str], site: Site, tls: dict[str, Any]
) -> None:
    page, shop = framed
    page.goto(shop)
    link = page.get_by_role("link", name="Confirm my phone").get_attribute("href")

    async def thief(_request: Request) -> Response:
        return HTMLResponse(f'<title>Thief</title><iframe src="{link}"></iframe>')

    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with serving_app(Starlette(routes=[Route("/", thief)]), **tls) as url:
        page.goto(url)
        page.wait_for_timeout(300)

        assert any("frame-ancestors" in complaint for complaint in complaints)
        assert page.frames[1].locator("#number").count() == 0
