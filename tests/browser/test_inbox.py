"""The inbox in a browser: phones, threads, live messages, codes copied by a click."""

import time

from playwright.sync_api import expect

from tests.browser.conftest import Opener, Site, serving
from tests.conftest import CREDENTIALS
from watchword.commands.verifications import StartVerification
from watchword.development.controls import Controls
from watchword.phone import parse
from watchword.runtime import add_controls

CAMEROON, FRANCE, BRITAIN = "+237650000000", "+33612345678", "+447400123456"


def send(site: Site, to: str) -> str:
    """Send a code to a number and return it."""
    known = CREDENTIALS
    site.engine.perform(StartVerification(known.service_sid, known.account_sid, parse(to)))
    return site.code(to)


def test_a_message_is_on_the_screen_within_a_second(open_page: Opener, site: Site) -> None:
    page = open_page("/inbox")
    expect(page.locator("#state")).to_have_text("live")

    before = time.monotonic()
    code = send(site, CAMEROON)
    expect(page.locator(".chip")).to_contain_text(code)

    assert time.monotonic() - before < 1.0


def test_a_click_copies_the_code(open_page: Opener, site: Site) -> None:
    code = send(site, CAMEROON)
    page = open_page("/inbox", permissions=["clipboard-read", "clipboard-write"])

    page.locator(".chip").click()

    expect(page.locator("#said")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_phones_stand_side_by_side_and_are_put_away(open_page: Opener, site: Site) -> None:
    for number in (CAMEROON, FRANCE, BRITAIN):
        send(site, number)
    page = open_page("/inbox")
    expect(page.locator(".phone")).to_have_count(3)

    page.get_by_title("Put this phone away").first.click()
    expect(page.locator(".phone")).to_have_count(2)
    page.locator(".threads a").first.click()
    expect(page.locator(".phone")).to_have_count(3)


def test_a_number_nobody_wrote_to_is_a_phone_too(open_page: Opener) -> None:
    page = open_page("/inbox")

    page.get_by_label("Open a phone").fill("+1 201 555 0123")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("log", name="Messages to +1 201-555-0123")).to_contain_text(
        "No messages yet"
    )


def test_a_search_finds_a_message_by_its_code(open_page: Opener, site: Site) -> None:
    send(site, CAMEROON)
    wanted = send(site, FRANCE)
    page = open_page("/inbox")

    page.get_by_label("Search").fill(wanted)
    page.get_by_label("Search").press("Enter")

    expect(page.locator(".phone h2")).to_have_text(["+33 6 12 34 56 78"])


def test_a_message_tells_how_it_travelled(open_page: Opener, site: Site) -> None:
    send(site, CAMEROON)
    page = open_page("/inbox")

    page.get_by_text("GSM-7 · 1 segment").click()

    assert page.locator(".story li").count() == 3
    expect(page.locator(".story")).to_contain_text("recorded as sent")


def test_the_inbox_works_without_javascript(open_page: Opener, site: Site) -> None:
    code = send(site, CAMEROON)
    page = open_page("/inbox", java_script_enabled=False)

    expect(page.locator(".chip")).to_contain_text(code)
    page.get_by_role("button", name="Empty the inbox").click()

    expect(page.locator(".empty")).to_contain_text("No messages yet")


def test_the_clock_is_turned_and_faults_are_switched_on(open_page: Opener, site: Site) -> None:
    controls = Controls()
    add_controls(site.engine, controls)
    with serving(site.engine) as url:
        page = open_page(f"{url}/inbox", java_script_enabled=False)
        page.get_by_text("Clock and faults").click()
        page.get_by_role("button", name="+5 min").click()
        expect(page.locator(".controls summary")).to_contain_text("5 min ahead")
        page.get_by_label("Every message").select_option("duplicates")
        page.get_by_role("button", name="Set").click()
        expect(page.locator(".controls summary")).to_contain_text("faults are on")

        send(site, CAMEROON)
        page.reload()

        expect(page.locator(".chip")).to_have_count(2)
        assert controls.read().offset_seconds == 300
        page.get_by_role("button", name="Back to the real time").click()
        assert controls.read().offset_seconds == 0


def test_the_inbox_fits_a_phone(open_page: Opener, site: Site) -> None:
    send(site, CAMEROON)
    page = open_page("/inbox", viewport={"width": 320, "height": 640})

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_message_behind_the_screen_is_notified_of(open_page: Opener, site: Site) -> None:
    page = open_page("/inbox")
    page.evaluate(
        "window.told = []; Object.defineProperty(document, 'hidden', { value: true });"
        "window.Notification = class { constructor(text) { window.told.push(text); }"
        " static permission = 'default';"
        " static async requestPermission() { Notification.permission = 'granted'; } };"
        "document.getElementById('notify').hidden = false;"
    )
    page.get_by_role("button", name="Notify me").click()
    expect(page.locator("#notify")).to_be_hidden()
    expect(page.locator("#state")).to_have_text("live")

    send(site, CAMEROON)
    expect(page.locator(".chip")).to_have_count(1)

    assert page.evaluate("window.told") == ["New message to +237 6 50 00 00 00"]
