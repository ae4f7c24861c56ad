"""A walk through every page and every state it can be in: for axe, and for pictures to look at.

Each walk takes the browser from state to state and yields the name of the one that it stands in.
"""

from collections.abc import Iterator

from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from tests.browser.conftest import Site
from tests.conftest import CREDENTIALS
from tests.hosted import open_page
from watchword.asgi import App
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.development.controls import Controls, Faults, SenderFault, StoreFault
from watchword.phone import parse
from watchword.rules.page import ADDRESS_SENDS
from watchword.store.base import Changes, Keys
from watchword.visits import Visitor

CAMEROON, FRANCE, BRITAIN = "+237650000000", "+33612345678", "+447400123456"
EVERY_CHANNEL = "sms,call,whatsapp"
BACK = "http://127.0.0.1:9/back"


def link(site: Site, **more: str) -> str:
    """Open a hosted page for someone and return its path."""
    client = TestClient(App(site.engine, development=True), base_url=site.url)
    made = open_page(client, **({"ReturnUrl": BACK} | more))
    return str(made["url"]).removeprefix(site.url)


def press(page: Page, action: str) -> None:
    """Press the first button of one of the hosted page's forms."""
    page.locator(f"form[action$='/{action}'] button").first.click()


def give_number(page: Page, number: str = "650000000", country: str = "CM") -> None:
    """Go from the number to where it is read back."""
    page.locator("#country").select_option(country)
    page.locator("#number").fill(number)
    press(page, "number")


def send_early(page: Page) -> None:
    """Send the form whose button waits, as a browser without JavaScript lets one do."""
    with page.expect_navigation():
        page.evaluate("document.querySelector(\"form[action$='/send']\").submit()")


def guess(page: Page, code: str) -> None:
    page.locator("#code").fill(code)
    press(page, "code")


def use_up_the_network(site: Site) -> None:
    """Have somebody else at this address ask for all the codes that a network may."""
    mac = site.engine.page_macs("send from 127.0.0.1")[0]
    now = site.clock.now()
    site.engine.store.transact(
        Keys.of(Visitor, mac), lambda _: Changes.of(Visitor(mac, ADDRESS_SENDS, now))
    )


def wrong(site: Site, to: str = CAMEROON) -> str:
    """Return a code that is not the one last sent."""
    return "000000" if site.code(to) != "000000" else "111111"


def start(site: Site, to: str) -> str:
    """Send a code to a number and return it."""
    known = CREDENTIALS
    site.engine.perform(StartVerification(known.service_sid, known.account_sid, parse(to)))
    return site.code(to)


def check(site: Site, to: str, code: str) -> None:
    known = CREDENTIALS
    site.engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=to))


def hosted(page: Page, site: Site, controls: Controls) -> Iterator[str]:
    """Walk one visit from the number to its end, through everything that can go wrong."""
    page.goto(link(site, Channels=EVERY_CHANNEL, Name="Acme Bank", Accent="#f5c518"))
    yield "number"
    page.locator("#number").fill("12")
    press(page, "number")
    yield "number refused"
    give_number(page)
    yield "read back"
    controls.set_faults(Faults(sender=SenderFault.FAILS))
    press(page, "send")
    yield "undeliverable"
    controls.set_faults(Faults())
    press(page, "send")
    yield "code and the wait"
    send_early(page)
    yield "too early"
    guess(page, "12")
    yield "too short"
    guess(page, wrong(site))
    yield "wrong"
    guess(page, wrong(site))
    guess(page, wrong(site))
    yield "few tries left"
    page.evaluate("document.querySelectorAll('[name=form]').forEach((f) => { f.value = 'x'; })")
    guess(page, wrong(site))
    yield "out of date"
    controls.set_faults(Faults(store=StoreFault.UNAVAILABLE))
    guess(page, wrong(site))
    yield "unavailable"
    controls.set_faults(Faults())
    page.locator("a.button").click()
    guess(page, wrong(site))
    guess(page, wrong(site))
    yield "locked"
    site.clock.advance(minutes=10)
    page.reload()
    yield "another code"
    press(page, "send")
    site.clock.advance(minutes=10)
    guess(page, "000000")
    yield "expired"
    site.clock.advance(minutes=10)
    page.reload()
    yield "closed"


def hosted_ends(page: Page, site: Site, _: Controls) -> Iterator[str]:
    """Stand at the ends of other visits."""
    path = link(site, Modal="true", To=FRANCE)
    page.goto(path)
    yield "given number"
    press(page, "send")
    yield "given number, code"
    guess(page, site.code(FRANCE))
    expect(page.locator(".done")).to_be_visible()
    yield "done"
    page.context.clear_cookies()
    page.goto(path)
    yield "open elsewhere"
    page.goto("/p/WP" + "0" * 32)
    yield "not there"
    page.goto(link(site, To=BRITAIN))
    use_up_the_network(site)
    press(page, "send")
    yield "network's share used up"


def inbox(page: Page, site: Site, controls: Controls) -> Iterator[str]:
    """Walk through the inbox from nothing to many phones."""
    page.goto("/inbox")
    yield "empty"
    start(site, CAMEROON)
    expect(page.locator(".chip")).to_have_count(1)
    page.locator(".bubble summary").click()
    page.locator(".qr summary").click()
    yield "one phone, its story and its code"
    for number in (FRANCE, BRITAIN):
        start(site, number)
    page.goto("/inbox")
    yield "three phones"
    page.goto("/inbox?q=nothing-like-it")
    yield "nothing found"
    page.goto("/inbox?to=12")
    yield "a number that is none"
    controls.set_faults(Faults(sender=SenderFault.DUPLICATES, delay_seconds=1))
    page.goto("/inbox?to=%2B12015550123")
    yield "faults on, an empty phone"
    controls.set_faults(Faults())


def sign_in(page: Page) -> None:
    """Sign in at the console."""
    page.goto("/console")
    page.locator("#account").fill(CREDENTIALS.account_sid)
    page.locator("#token").fill(CREDENTIALS.auth_token)
    page.locator("main form button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The last")


def look_up(page: Page, number: str) -> None:
    """Look a number up at the console."""
    page.get_by_role("link", name="Look up a number").click()
    page.locator("#number").fill(number)
    page.locator("form.finder button").click()


def console(page: Page, site: Site, controls: Controls) -> Iterator[str]:
    """Walk through the console from the door to an act and its trace."""
    page.goto("/console")
    yield "sign in"
    page.locator("#account").fill("AC")
    page.locator("#token").fill("wrong")
    page.locator("main form button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "sign in refused"
    sign_in(page)
    yield "overview of nothing"
    for number in (CAMEROON, FRANCE, BRITAIN):
        code = start(site, number)
        site.clock.advance(seconds=20)
        if number == FRANCE:
            check(site, number, code)
    for _ in range(5):
        check(site, CAMEROON, wrong(site))
    controls.set_faults(Faults(sender=SenderFault.TIMES_OUT))
    start(site, BRITAIN)
    controls.set_faults(Faults())
    page.goto("/console")
    page.get_by_text("The numbers").first.click()
    yield "overview"
    page.get_by_role("link", name="Look up a number").click()
    yield "look up"
    look_up(page, "12")
    yield "look up refused"
    look_up(page, FRANCE)
    yield "a number that gets a code"
    look_up(page, CAMEROON)
    page.locator(".act summary").first.click()
    yield "a number that gets none, an act"
    page.locator(".act[open] button").click()
    expect(page.locator("p.done")).not_to_have_count(0)
    yield "done"
    page.get_by_role("link", name="Overview").click()
    yield "what operators did"
    controls.set_faults(Faults(store=StoreFault.UNAVAILABLE))
    page.goto("/console")
    yield "trouble"
    controls.set_faults(Faults())


def front(page: Page, site: Site, controls: Controls) -> Iterator[str]:
    """Walk through the first page."""
    page.goto("/")
    yield "number"
    page.locator("#to").fill("12")
    page.locator("main form button").first.click()
    yield "number refused"
    page.locator("#to").fill(CAMEROON)
    page.locator("main form button").first.click()
    yield "code"
    page.locator("#code").fill(wrong(site))
    page.locator("main form button").first.click()
    yield "wrong"
    page.locator("#code").fill(site.code(CAMEROON))
    page.locator("main form button").first.click()
    yield "approved"
    controls.set_faults(Faults(store=StoreFault.UNAVAILABLE))
    page.goto("/")
    yield "unavailable"
    controls.set_faults(Faults())


def reference(page: Page, _site: Site, _controls: Controls) -> Iterator[str]:
    """Look at the API's reference."""
    page.goto("/docs")
    page.locator("details").first.click()
    yield "reference"
