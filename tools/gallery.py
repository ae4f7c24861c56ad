"""Picture every state of every page, to be looked at: `python tools/gallery.py FOLDER`.

One sheet a walk, screen and scheme: the states of the walk beside each other.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

sys.path.insert(0, str(Path(__file__).parent.parent))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import tour
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Site, serving
from tests.conftest import KEYRING, make_engine
from watchword.clock import ManualClock
from watchword.development.controls import Controls
from watchword.runtime import add_controls
from watchword.senders.inbox import InboxSender
from watchword.store.sql import SqlStore

Walk = Callable[[Page, Site, Controls], Iterator[str]]
Scheme = Literal["light", "dark"]
PHONE, DESK = (390, 700), (1280, 760)
SHEETS: tuple[tuple[Walk, str, tuple[int, int], Scheme], ...] = (
    (tour.hosted, "en", PHONE, "light"),
    (tour.hosted, "en", PHONE, "dark"),
    (tour.hosted, "ar", PHONE, "light"),
    (tour.hosted_ends, "en", PHONE, "light"),
    (tour.hosted_ends, "ar", PHONE, "dark"),
    (tour.hosted, "en", DESK, "light"),
    (tour.inbox, "en", PHONE, "dark"),
    (tour.inbox, "en", DESK, "light"),
    (tour.inbox, "en", DESK, "dark"),
    (tour.console, "en", PHONE, "light"),
    (tour.console, "en", DESK, "light"),
    (tour.console, "en", DESK, "dark"),
    (tour.front, "en", PHONE, "dark"),
    (tour.front, "en", DESK, "light"),
    (tour.reference, "en", DESK, "light"),
)


def main(folder: Path, wanted: str) -> None:
    """Walk every walk and lay its pictures out."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for walk, language, screen, scheme in SHEETS:
            name = f"{walk.__name__}-{language}-{screen[0]}-{scheme}"
            if wanted in name:
                sheet(browser, folder / f"{name}.png", walk, language, screen, scheme)
        browser.close()


def sheet(
    browser: Browser, file: Path, walk: Walk, language: str, screen: tuple[int, int], scheme: Scheme
) -> None:
    """Walk once on a server of its own, and put the pictures into one."""
    width, height = screen
    with TemporaryDirectory() as home:
        clock, inbox = ManualClock(), InboxSender(Path(home) / "inbox.db")
        engine = make_engine(SqlStore(f"sqlite:///{home}/site.db", KEYRING), inbox, clock)
        controls = Controls()
        add_controls(engine, controls)
        with serving(engine) as url:
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                locale=language,
                reduced_motion="reduce",
            )
            page = context.new_page()
            shown = []
            for number, state in enumerate(walk(page, Site(url, engine, inbox, clock), controls)):
                page.wait_for_timeout(100)
                picture = Path(home) / f"{number}.png"
                page.screenshot(path=picture, full_page=True)
                shown.append(f"<figure>{state}<img src={picture}></figure>")
            context.close()
        index = Path(home) / "sheet.html"
        index.write_text(STYLE % (width // (1 if width < 500 else 2)) + "".join(shown))
        page = browser.new_page(viewport={"width": 1640, "height": 800})
        page.goto(f"file://{index}")
        page.screenshot(path=file, full_page=True)
        page.close()


STYLE = """<style>body{display:flex;flex-wrap:wrap;gap:12px;font:13px sans-serif;background:#888}
figure{margin:0} img{width:%spx;display:block}</style>"""


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
