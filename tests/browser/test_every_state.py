"""Every page in every state: axe finds nothing, no policy is broken, nothing is asked elsewhere."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser import tour
from tests.browser.conftest import Opener, Site
from watchword.development.controls import Controls
from watchword.runtime import add_controls

PHONE_SCREEN, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
Walk = Callable[[Page, Site, Controls], Iterator[str]]
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # all that a scheme can change
AXE = """async (more) => {
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false, ...more });
  return found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 120)));
}"""
WIDER = "(document.documentElement?.scrollWidth ?? 0) > innerWidth"


@pytest.mark.parametrize(
    ("walk", "language", "screen", "states"),
    [
        (tour.hosted, "en", PHONE_SCREEN, 15),
        (tour.hosted, "ar", PHONE_SCREEN, 15),
        (tour.hosted_ends, "en", PHONE_SCREEN, 6),
        (tour.hosted_ends, "ar", PHONE_SCREEN, 6),
        (tour.inbox, "en", PHONE_SCREEN, 6),
        (tour.inbox, "en", DESK, 6),
        (tour.console, "en", PHONE_SCREEN, 11),
        (tour.console, "en", DESK, 11),
        (tour.front, "en", PHONE_SCREEN, 6),
        (tour.front, "en", DESK, 6),
        (tour.reference, "en", PHONE_SCREEN, 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_state_is_accessible_in_light_and_dark(
    open_page: Opener,
    site: Site,
    walk: Walk,
    language: str,
    screen: dict[str, int],
    states: int,
) -> None:
    controls = Controls()
    add_controls(site.engine, controls)
    page = open_page("/healthz", locale=language, viewport=screen, reduced_motion="reduce")

    seen, faults = [], []
    for name in walk(page, site, controls):
        page.wait_for_load_state()
        seen.append(name)
        if page.evaluate(WIDER):
            faults.append(f"{name}: wider than the screen")
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(AXE_SCRIPT)
        faults += [f"{name}: {told}" for told in page.evaluate(AXE, {})]
        page.emulate_media(color_scheme="dark")
        faults += [f"{name}, dark: {told}" for told in page.evaluate(AXE, COLOURS)]
        page.emulate_media(color_scheme="light")

    assert faults == []
    assert len(seen) == states
