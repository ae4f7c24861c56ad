"""The hosted page in a browser: from an app's button to the signed result."""

import gzip
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from examples.hosted_page import Shop
from tests.browser.conftest import Opener, Site, serving_app
from tests.conftest import CREDENTIALS
from tests.hosted import open_page as ask_for_page
from watchword.asgi import App
from watchword.ui.words import LANGUAGES

PHONE = "+237650000000"
LIMIT, SCRIPT_LIMIT = 15 * 1024, 4 * 1024  # bytes, compressed
PHONE_SCREEN = {"width": 390, "height": 844}


@pytest.fixture
def shop(site: Site) -> Iterator[str]:
    """Serve the example app beside the site."""
    app = Shop(site.url, CREDENTIALS.account_sid, CREDENTIALS.auth_token).app()
    with serving_app(app) as url:
        yield url


def link(site: Site, **more: str) -> str:
    """Open a page for someone and return its path."""
    from starlette.testclient import TestClient

    client = TestClient(App(site.engine, development=True), base_url=site.url)
    made = ask_for_page(client, ReturnUrl="http://127.0.0.1:9/back", **more)
    return str(made["url"]).removeprefix(site.url)


def press(page: Page, action: str) -> None:
    """Press the button of one of the page's forms."""
    page.locator(f"form[action$='/{action}'] button").first.click()


def ask(page: Page, number: str = "650000000", country: str = "CM") -> None:
    """Go from the number to the code."""
    page.locator("#country").select_option(country)
    page.locator("#number").fill(number)
    press(page, "number")
    press(page, "send")


@pytest.mark.parametrize("javascript", [True, False])
def test_from_the_apps_button_to_the_signed_result(
    open_page: Opener, site: Site, shop: str, javascript: bool
) -> None:
    page = open_page(shop, java_script_enabled=javascript, viewport=PHONE_SCREEN)

    page.get_by_role("link", name="Confirm my phone").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your phone number")
    page.get_by_label("Country").select_option("CM")
    page.get_by_label("Phone number").fill("650 00 00 00")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".number")).to_have_text("+237 6 50 00 00 00")
    page.get_by_role("button", name="Send the code").click()
    page.get_by_role("textbox").fill(site.inbox.messages(PHONE)[0].body)
    page.get_by_role("button", name="Confirm", exact=True).click()

    expect(page.locator("p")).to_have_text(f"customer-7 holds {PHONE}.")


def test_the_keyboard_is_enough(open_page: Opener, site: Site, shop: str) -> None:
    page = open_page(f"{shop}/verify")

    page.keyboard.type("+237650000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send the code")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_be_focused()
    page.keyboard.type(site.code(PHONE))
    page.keyboard.press("Enter")

    expect(page.locator("p")).to_have_text(f"customer-7 holds {PHONE}.")


def test_a_dialog_over_the_app_ends_the_same_way(open_page: Opener, site: Site, shop: str) -> None:
    page = open_page(f"{shop}/modal")
    page.get_by_role("link", name="Confirm my phone").click()
    frame = page.frame_locator("iframe")

    frame.locator("#country").select_option("CM")
    frame.locator("#number").fill("650000000")
    frame.locator("form[action$='/number'] button").click()
    frame.locator("form[action$='/send'] button").click()
    expect(frame.locator("#code")).to_be_visible()
    frame.locator("#code").fill(site.code(PHONE))
    frame.locator("form[action$='/code'] button").click()

    expect(page.locator("p")).to_have_text(f"customer-7 holds {PHONE}.")


def test_autofill_from_a_message_sends_the_form(open_page: Opener, site: Site, shop: str) -> None:
    page = open_page(f"{shop}/verify")
    ask_without_sending(page)
    page.context.add_init_script(
        "window.OTPCredential = class {};"
        "const got = new Promise((done) => { window.arrive = (code) => done({ code }); });"
        "Object.defineProperty(navigator, 'credentials', { value: { get: () => got } });"
    )
    press(page, "send")
    expect(page.locator("#code")).to_be_visible()

    page.evaluate(f"arrive('{site.code(PHONE)}')")

    expect(page.locator("p")).to_have_text(f"customer-7 holds {PHONE}.")


def ask_without_sending(page: Page) -> None:
    page.locator("#country").select_option("CM")
    page.locator("#number").fill("650000000")
    press(page, "number")


def test_the_whole_ladder_is_told_and_kept(open_page: Opener, site: Site) -> None:
    path = link(site)
    page = open_page(path, java_script_enabled=False)
    ask(page)

    expect(page.locator("#more")).to_contain_text("2 min, 5 min, 15 min, 24 h")
    for minutes, wait in ((2, "5 min"), (5, "15 min"), (15, "24 h")):
        page.locator("form[action$='/send'] button").click(force=True)
        expect(page.get_by_role("alert")).to_contain_text("Please wait")
        site.clock.advance(minutes=minutes)
        page.goto(path)
        expect(page.locator("#wait")).to_have_text("You can ask for another code now.")
        press(page, "send")
        expect(page.locator("#wait")).to_contain_text(wait)

    assert len(site.inbox.messages(PHONE)) == 4


def test_the_clock_runs_and_the_live_region_is_sparing(open_page: Opener, site: Site) -> None:
    path = link(site)
    page = open_page(path)
    page.clock.install()
    ask(page)
    again = page.get_by_role("button", name="Send it again")
    expect(again).to_have_attribute("aria-disabled", "true")
    assert page.evaluate(LOG) is None

    page.clock.run_for(60_000)
    expect(page.locator("#wait")).to_contain_text("1:00")
    page.clock.run_for(60_000)
    expect(page.locator("#wait")).to_have_text("You can ask for another code now.")

    assert page.evaluate("window.heard") == [
        "You can ask for another code in 1 min.",
        "You can ask for another code in 30 s.",
        "You can ask for another code in 10 s.",
        "You can ask for another code now.",
    ]
    assert again.get_attribute("aria-disabled") is None


LOG = """() => { window.heard = []; const region = document.getElementById("said");
new MutationObserver(() => window.heard.push(region.textContent))
  .observe(region, { childList: true, characterData: true, subtree: true }); }"""


def test_every_language_fits_a_small_screen(open_page: Opener, site: Site) -> None:
    """320 CSS pixels are what a 1280 pixel screen has left at 400 % zoom (WCAG 2.2 §1.4.10)."""
    page = open_page(link(site), viewport={"width": 320, "height": 640})
    for language in LANGUAGES:
        number = f"+2376500001{LANGUAGES.index(language):02}"
        page.goto(link(site, Locale=language, Channels="sms,whatsapp", To=number))
        press(page, "send")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), language
        assert page.evaluate("getComputedStyle(document.documentElement).direction") == (
            "rtl" if language in ("ar", "fa", "he") else "ltr"
        )
        site.clock.advance(minutes=5)  # twenty codes an hour are all that one network gets


def test_an_undeliverable_code_is_explained(open_page: Opener, site: Site) -> None:
    page = open_page(link(site), java_script_enabled=False)
    ask_without_sending(page)
    site.engine.sender = None

    press(page, "send")

    expect(page.get_by_role("alert")).to_contain_text("The code could not be sent")
    assert_no_wait(page)


def assert_no_wait(page: Page) -> None:
    expect(page.locator("form[action$='/send'] button")).to_be_enabled()


def test_the_page_is_small(site: Site) -> None:
    path = link(site, Accent="#1d4ed8")
    html = urllib.request.urlopen(site.url + path).read()
    parts = re.findall(r'(?:href|src)="(/[^"]+)"', html.decode())
    sizes = {
        part: len(gzip.compress(urllib.request.urlopen(site.url + part).read())) for part in parts
    }

    assert sum(sizes.values()) + len(gzip.compress(html)) <= LIMIT
    assert sum(size for part, size in sizes.items() if part.endswith(".js")) <= SCRIPT_LIMIT
    script = Path("src/watchword/ui/static/watchword.js").read_bytes()
    assert len(gzip.compress(script)) <= SCRIPT_LIMIT
