"""Make the pictures in docs/images, with Debian's chromium: `python tools/screenshots.py`."""

import json
import sys
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, serving
from tests.conftest import CREDENTIALS, KEYRING, make_engine
from watchword.clock import ManualClock
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.errors import TooSoon
from watchword.phone import Phone, parse
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore

IMAGES = Path(__file__).parent.parent / "docs" / "images"
NUMBERS = ("+12015550123", "+33612345678", "+237650000000")


def main() -> None:
    """Serve an engine, walk through the pages, keep a picture of each."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        inbox = InboxSender(home / "inbox.db")
        store = SqlStore(f"sqlite:///{home / 'pictures.db'}", KEYRING)
        clock = ManualClock()
        engine = make_engine(store, inbox, clock)
        known = CREDENTIALS
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with serving(engine) as url:
            for number in NUMBERS:
                start = StartVerification(known.service_sid, known.account_sid, parse(number))
                engine.perform(start)
            picture(browser, f"{url}/inbox", "inbox", 1280, 700)
            hosted(browser, url)
            console(browser, url, engine, inbox, clock)
            browser.close()


def hosted(browser: Browser, url: str) -> None:
    """Picture the hosted page's two steps."""
    look = {"Name": "Acme Bank", "Accent": "#0b7a53", "Channels": "sms,call"}
    page = picture(browser, open_page(url, **look, Locale="en"), "hosted-number", 420, 700)
    page = picture(browser, open_page(url, **look, Locale="ar"), "", 420, 700, dark=True)
    page.locator("#country").select_option("EG")
    page.locator("#number").fill("1001234567")
    page.locator("form[action$='/number'] button").click()
    page.locator("form[action$='/send'] button").click()
    page.locator("#code").fill("123 456")
    page.screenshot(path=IMAGES / "hosted-code.png")


def console(
    browser: Browser, url: str, engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    """Picture a day at the console."""
    known, dice = CREDENTIALS, Random(7)  # noqa: S311
    for number in range(140):
        start = dice.choice(("+23765000", "+3361234", "+44740012"))
        phone = parse(f"{start}{number + 1000}")
        engine.perform(StartVerification(known.service_sid, known.account_sid, phone))
        for _ in range(dice.choice((0, 0, 0, 1, 4) if 60 < number < 80 else (0, 0, 0, 0, 1))):
            blocked(engine, phone)
        clock.advance(seconds=dice.randint(4, 90))
        if dice.random() < 0.85:
            code = inbox.messages(phone.to)[0].code
            engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=phone.to))
        clock.advance(minutes=dice.choice((1, 5, 9, 20)))
    page = picture(browser, f"{url}/console", "", 1100, 860)
    page.locator("#account").fill(known.account_sid)
    page.locator("#token").fill(known.auth_token)
    page.locator("main button").click()
    page.locator(".chart").wait_for()
    page.screenshot(path=IMAGES / "console.png")


def blocked(engine: Engine, phone: Phone) -> None:
    """Have a start refused as one that came too soon."""
    known = CREDENTIALS
    refusal = TooSoon(expires=engine.clock.now(), retry_after=1)
    engine.refused(refusal, known.account_sid, known.service_sid, phone.to)


def picture(
    browser: Browser, url: str, name: str, width: int, height: int, *, dark: bool = False
) -> Page:
    """Open a page and keep what it shows."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_timeout(400)
    if name:
        page.screenshot(path=IMAGES / f"{name}.png")
    return page


def open_page(url: str, **fields: str) -> str:
    """Open a hosted page as an app does."""
    form = {"UserId": "u", "ReturnUrl": "http://127.0.0.1:9/back"} | fields
    secret = b64encode(f"{CREDENTIALS.account_sid}:{CREDENTIALS.auth_token}".encode()).decode()
    asked = urllib.request.Request(  # noqa: S310
        f"{url}/pages",
        urllib.parse.urlencode(form).encode(),
        {"Authorization": f"Basic {secret}"},
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return str(json.load(answer)["url"])


if __name__ == "__main__":
    main()
