"""The console in a browser: figures equal to what was sent, reasons, acts and their trace."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Site
from tests.conftest import CREDENTIALS
from watchword.commands.operator import SetCountry
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.errors import CountryBlocked
from watchword.phone import parse

CAMEROON, FRANCE, BRITAIN = "+237650000000", "+33612345678", "+447400123456"


def send(site: Site, to: str) -> str:
    known = CREDENTIALS
    site.engine.perform(StartVerification(known.service_sid, known.account_sid, parse(to)))
    return site.code(to)


def check(site: Site, to: str, code: str) -> None:
    known = CREDENTIALS
    site.engine.perform(CheckCode(known.service_sid, known.account_sid, code, to=to))


def signed_in(open_page: Opener, **options: str) -> Page:
    """Sign in and return the overview."""
    page = open_page("/console", **options)
    page.get_by_label("Account sid or").fill(CREDENTIALS.account_sid)
    page.get_by_label("Auth token or").fill(CREDENTIALS.auth_token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The last")
    return page


def tile(page: Page, name: str) -> str:
    group = page.locator(".tiles > div", has=page.get_by_text(name, exact=True))
    return group.locator("dd").first.inner_text()


def look_up(page: Page, number: str) -> None:
    page.get_by_role("link", name="Look up a number").click()
    page.get_by_label("The whole number").fill(number)
    page.get_by_role("button", name="Look it up").click()


def act(page: Page, label: str) -> None:
    page.locator("summary", has_text=label).click()
    page.get_by_role("button", name=f"Yes, {label}", exact=False).click()


def test_the_figures_are_what_was_sent(open_page: Opener, site: Site) -> None:
    for number in (CAMEROON, FRANCE, BRITAIN):
        code = send(site, number)
        if number != BRITAIN:
            site.clock.advance(seconds=20)
            check(site, number, code)
    send(site, BRITAIN)

    page = signed_in(open_page)

    assert [tile(page, name) for name in ("Messages", "Approved", "Conversion")] == [
        "4",
        "2",
        "67 %",
    ]
    assert tile(page, "Time to approve") == "20 s"
    expect(page.locator(".cards", has_text="GB")).to_be_visible()
    assert "650000000" not in page.content()
    expect(page.get_by_role("region", name="Newest messages")).to_contain_text("+237•••••••00")


def test_a_new_message_appears_by_itself(open_page: Opener, site: Site) -> None:
    page = signed_in(open_page)
    expect(page.locator("#state")).to_have_text("live")

    send(site, CAMEROON)

    expect(page.get_by_role("region", name="Newest messages")).to_contain_text("+237")
    assert tile(page, "Messages") == "1"


def test_a_locked_number_is_explained_and_let_on_again(open_page: Opener, site: Site) -> None:
    code = send(site, CAMEROON)
    for _ in range(5):
        check(site, CAMEROON, "000000" if code != "000000" else "111111")
    page = signed_in(open_page)

    look_up(page, CAMEROON)
    expect(page.locator(".note")).to_have_text("This number would get no code now.")
    expect(page.get_by_role("region", name="Why")).to_contain_text("5 wrong codes closed it")
    expect(page.get_by_role("region", name="Why")).to_contain_text("5 of 50")
    act(page, "Forget its wrong codes")

    expect(page.locator(".done").first).to_have_text("The wrong codes are forgotten.")
    expect(page.get_by_role("region", name="Why")).to_contain_text("0 of 50")
    page.get_by_role("link", name="Overview").click()
    trace = page.get_by_role("region", name="What operators did")
    expect(trace).to_contain_text("forgot its wrong codes")
    expect(trace).to_contain_text("+237•••••••00")


@pytest.mark.parametrize(
    ("label", "undo", "action"),
    [
        ("Put it on the safe list", "Take it off the safe list", "took it off the safe list"),
        ("Block CM", "Send to CM again", "sent to the country again"),
        ("Cancel its verification", None, "canceled its verification"),
    ],
)
def test_every_act_is_written_down(
    open_page: Opener, site: Site, label: str, undo: str | None, action: str
) -> None:
    send(site, CAMEROON)
    page = signed_in(open_page, java_script_enabled=False)  # type: ignore[arg-type]
    look_up(page, CAMEROON)

    act(page, label)
    expect(page.locator(".done").first).to_be_visible()
    if undo:
        act(page, undo)
        expect(page.locator("summary", has_text=label)).to_be_visible()

    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("region", name="What operators did")).to_contain_text(action)


def test_the_keyboard_is_enough_for_an_operator(open_page: Opener, site: Site) -> None:
    send(site, CAMEROON)
    page = open_page("/console")
    expect(page.locator("#account")).to_be_focused()  # what is typed before is nobody's
    page.keyboard.type(CREDENTIALS.account_sid)
    page.keyboard.press("Tab")
    page.keyboard.type(CREDENTIALS.auth_token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The last")

    page.get_by_text("The numbers").focus()
    page.keyboard.press("Enter")
    page.locator("#t-time a").last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Back to now")).to_be_visible()
    assert tile(page, "Messages") == "1"

    look_up(page, CAMEROON)
    page.locator("summary", has_text="Put it on the safe list").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, put it on the safe list")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".done").first).to_have_text("The number is on the safe list.")


def test_what_is_blocked_is_in_the_chart_and_the_bar_leads_closer(
    open_page: Opener, site: Site
) -> None:
    send(site, CAMEROON)
    known = CREDENTIALS
    site.engine.perform(SetCountry(known.service_sid, known.account_sid, "FR", blocked=True))
    for _ in range(3):
        with pytest.raises(CountryBlocked):
            send(site, FRANCE)
    page = signed_in(open_page)

    assert tile(page, "Blocked") == "3"
    expect(page.locator(".chart .held")).to_have_count(1)
    expect(page.locator(".card", has_text="Why blocked")).to_contain_text("country blocked")
    page.locator(".chart a").last.click()
    expect(page.get_by_role("link", name="Back to now")).to_be_visible()

    assert tile(page, "Blocked") == "3"
    page.get_by_role("link", name="Wider").click()
    assert tile(page, "Messages") == "1"
