"""`make screenshots`: every page of the console in two languages, light and dark, on a desk and a phone.

They go into `screenshots/`, which is not kept; the few that the two READMEs show go into `docs/pictures/`, which is.
The demonstration is played anew for it, unless a folder that has a furnished one is named.
"""

import shutil
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from itertools import groupby, product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from cli.main import run
from notifications.words import LANGUAGES, Lang
from tests.conftest import ROOT
from tests.web.chromium import HEIGHT, chromium, gone_to, served, visitor
from tests.web.every_page import Stop, stops
from tests.web.furnished import console_at, furnish

Theme = Literal["light", "dark"]

ALL = ROOT / "screenshots"
KEPT = ROOT / "docs" / "pictures"
WIDTHS: Mapping[str, int] = {"desk": 1360, "phone": 390}
THEMES: Sequence[Theme] = ("light", "dark")
LONGEST = 6_000
"""Pixels; what is longer is cut there."""
CHOSEN: Mapping[str, tuple[Theme, str]] = {
    "/projects/{ref}": ("light", "desk"),
    "/board": ("dark", "desk"),
    "/payouts/{ref}": ("light", "desk"),
    "/my/{ref}": ("light", "phone"),
}
"""What the READMEs show of which page: at most eight pictures in both languages, each below 100 KB."""
QUALITY = 72
"""Of WebP: small letters stay sharp."""


def main(folder: Path | None) -> None:
    """Take every picture of a furnished demonstration, or of one that is played now."""
    for target in (ALL, KEPT):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    with demonstration(folder) as world, console_at(world) as app, served(app) as base, chromium() as browser:
        with app.state.house.engine.connect() as connection:
            found = sorted(stops(connection), key=lambda stop: stop.login or "")
        for lang in LANGUAGES:
            for login, those in groupby(found, key=lambda stop: stop.login):
                with visitor(browser, base, login, lang, width=WIDTHS["desk"]) as page:
                    for stop in those:
                        taken(page, stop, lang)


@contextmanager
def demonstration(folder: Path | None) -> Iterator[Path]:
    """Give a folder with the demonstration: a copy of that one, or a new one."""
    with tempfile.TemporaryDirectory(prefix="pilotway-screenshots-") as place:
        world = Path(place) / "world"
        if folder is not None:
            shutil.copytree(folder, world)
        else:
            world.mkdir()
            with chdir(world):
                run(["demo"])
                furnish()
        yield world


def taken(page: Page, stop: Stop, lang: Lang) -> None:
    """Take the pictures of one page; RuntimeError where another one came."""
    status = gone_to(page, stop.path)
    if status != stop.status:
        raise RuntimeError(f"{stop.path}: {status or 'no answer'}")
    for (size, width), theme in product(WIDTHS.items(), THEMES):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=theme)
        high = min(int(page.evaluate("document.documentElement.scrollHeight")), LONGEST)
        clip = {"x": 0, "y": 0, "width": width, "height": max(high, HEIGHT)}
        page.screenshot(path=ALL / f"{stop.name}-{lang}-{theme}-{size}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
        if CHOSEN.get(stop.route) == (theme, size):
            (KEPT / f"{stop.name}.{lang}.webp").write_bytes(_small(page))


def _small(page: Page) -> bytes:
    """Return what is in the window as WebP, which Playwright itself does not write."""
    asked = {"format": "webp", "quality": QUALITY}
    return b64decode(page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
