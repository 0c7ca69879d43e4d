"""A walk past every page in a real browser: what a person with a screen reader, a phone or a slow line would meet.

Each page is loaded once for each language; theme and width are changed while it stands there, as axe looks at it.
Axe looks at all of it in `make prove`; in `make test-long` once for each page and language, so that each page is seen
in both themes, wide and narrow.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby, product
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from notifications.words import LANGUAGES, Lang
from tests.web.chromium import HEIGHT, gone_to, visitor
from tests.web.every_page import Stop
from tests.web.test_bringing import GOOD, WRONG
from tests.web.test_bringing import table as awards

WIDTHS = (1360, 820, 390)
MOST_BYTES, MOST_REQUESTS = 120_000, 25
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOURS = ("color-contrast", "link-in-text-block")
"""What axe asks of colours: all that the other theme can change, since it sets colours and nothing else."""
_AXE = Axe().axe_script
Theme = Literal["light", "dark"]
THEMES: Mapping[Theme, Sequence[str]] = {"dark": OF_COLOURS, "light": RULES}
"""Theme -> what axe asks in it."""
Look = tuple[int, Theme]
EVERY_LOOK: Sequence[Look] = tuple(product(WIDTHS, THEMES))
_RUN = """rules => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(found =>
  found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.any.concat(node.all)
  .map(check => check.message).join("; ")}`)))"""
_LOADED = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return [all.reduce((sum, one) => sum + one.encodedBodySize, 0), all.length]}"""
_SAID = """() => {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelectorAll("script,style,pre,code,textarea").forEach(one => one.remove());
  return copy.textContent}"""
_WIDER = """() => { const wide = document.documentElement.scrollWidth - innerWidth; if (wide <= 0) return "";
  const out = [...document.querySelectorAll("main *")].filter(
    one => one.getBoundingClientRect().right > innerWidth + 1);
  return `${wide}px too wide: ${out.slice(0, 3).map(one => one.tagName + "." + one.className)}`}"""
_NO_WORDS = ("{", "}", "page.", "field.", "label.", "None", "undefined", "NaN")
"""What stands on a page where a sentence was not filled in or is not there."""


class Heard:
    """What a page said to the console and asked for."""

    def __init__(self, page: Page, base: str) -> None:
        self.troubles: list[str] = []
        self._base = base
        page.on("console", self._said)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        is_status = message.text.startswith("Failed to load resource") and "status of 4" in message.text
        if message.type in ("error", "warning") and not is_status:
            self.troubles.append(f"console: {message.text}")

    def _failed(self, error: Error) -> None:
        self.troubles.append(f"script: {error.message}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._base, "data:", "blob:")):
            self.troubles.append(f"asked elsewhere: {urlsplit(request.url).netloc}")

    def taken(self) -> list[str]:
        """Return what was heard since the last time."""
        found, self.troubles = self.troubles, []
        return found


@contextmanager
def heard(browser: Browser, base: str, login: str | None, lang: Lang) -> Iterator[tuple[Page, Heard]]:
    """Give somebody's page and what is heard from it."""
    with visitor(browser, base, login, lang, width=WIDTHS[0]) as page:
        yield page, Heard(page, base)


def one_look(place: int, lang: Lang) -> Sequence[Look]:
    """Return how one page is looked at in one language: in the other one it is in the other theme and width."""
    is_other = LANGUAGES.index(lang) % 2 == 1
    return [
        (WIDTHS[-1 if (place // 2 % 2 == 1) != is_other else 0], "dark" if (place % 2 == 1) != is_other else "light")
    ]


def walk(browser: Browser, base: str, stops: Iterable[Stop], lang: Lang, *, is_whole: bool) -> list[str]:
    """Return everything that is wrong on these pages in one language, with where it is."""
    found: list[str] = []
    ordered = sorted(enumerate(stops), key=lambda one: one[1].login or "")
    for login, those in groupby(ordered, key=lambda one: one[1].login):
        with heard(browser, base, login, lang) as (page, ear):
            for place, stop in those:
                looks = EVERY_LOOK if is_whole else one_look(place, lang)
                status = gone_to(page, stop.path)
                if status != stop.status or urlsplit(page.url).path != urlsplit(stop.path).path:
                    found.append(f"{lang} {stop.path}: {status} {page.url}")
                    continue
                found += [
                    f"{lang} {stop.path}: {one}" for one in (*at_rest(page), *looked_at(page, looks), *ear.taken())
                ]
    return found


def at_rest(page: Page) -> list[str]:
    """Return what is wrong whatever the width: weight, number of requests, words that are none."""
    weight, asked = page.evaluate(_LOADED)
    said = page.evaluate(_SAID)
    wrong = [f"says {one!r}: {_around(said, one)}" for one in _NO_WORDS if one in said]
    if weight > MOST_BYTES:
        wrong.append(f"weighs {weight:,} bytes")
    if asked > MOST_REQUESTS:
        wrong.append(f"asks {asked} times")
    return wrong


def looked_at(page: Page, looks: Sequence[Look] = EVERY_LOOK) -> list[str]:
    """Return what is wider than the window, at each width, and what axe finds in these of them."""
    found: Counter[str] = Counter()
    page.evaluate(_AXE)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if wider := page.evaluate(_WIDER):
            found[f"{width} {wider}"] += 1
        for theme, asked in THEMES.items():
            if (width, theme) in looks:
                page.emulate_media(color_scheme=theme)
                found.update(f"{width} {theme} {one}" for one in axe(page, asked))
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    return list(found)


def axe(page: Page, rules: Sequence[str] = RULES) -> Sequence[str]:
    """Return the violations that axe finds now, each with the element."""
    found: list[Any] = page.evaluate(_RUN, list(rules))
    return [str(one) for one in found]


def _around(text: str, part: str) -> str:
    at = text.index(part)
    return " ".join(text[max(0, at - 40) : at + 40].split())


def _sent(form: str, **typed: str) -> Callable[[Page], None]:
    """Return what opens a form, types this into it, also where nobody can type, and sends it unchecked."""

    def reach(page: Page) -> None:
        page.goto(form)
        chosen = f"main form[action='{urlsplit(form).path}']"
        for name, value in typed.items():
            page.eval_on_selector(f"{chosen} [name={name}]", "(field, value) => { field.value = value }", value)
        page.eval_on_selector(chosen, "form => { form.noValidate = true; form.requestSubmit() }")
        page.wait_for_selector(".errors")

    return reach


def _import_looked_at(page: Page) -> None:
    page.goto("/import")
    table = {"name": "awards.csv", "mimeType": "text/csv", "buffer": awards(GOOD, WRONG)}
    page.set_input_files("[name=file]", table)  # type: ignore[arg-type]
    page.select_option("[name=mapping]", "sbir_phase1")
    page.select_option("[name=programme]", index=1)
    page.click("main form[action='/import'] button")
    page.wait_for_url("**/import/*")


def _columns_looked_at(page: Page) -> None:
    page.goto("/import")
    text = "编号,名称,金额(万元),备注\nA-1,焊接机器人,12.5,x\nA-2,喷涂机器人,7,y\n"
    page.set_input_files("[name=file]", {"name": "p.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.select_option("[name=programme]", index=1)
    page.click("main form[action='/import'] button")
    page.wait_for_url("**/columns*")
    page.click("main form button.pri")
    page.wait_for_selector(".errors")


def _batches_looked_at(page: Page) -> None:
    page.goto("/projects/PT-2025-0014/batch-table")
    text = "批次号,制造日,投入数,一次合格数\nB-02,2025-10-20,91,84\nB-04,2025-11-20,30,31\nB-05,2025-11-20,30,30\n"
    page.set_input_files("[name=file]", {"name": "b.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.click("main form[action$='/batch-table'] button")
    page.wait_for_url("**/batch-table/*")


STATES: Mapping[str, tuple[str | None, Callable[[Page], None]]] = {
    "a password is wrong": (None, _sent("/login", login="chen", password="wrong")),
    "a form is sent empty": ("sme", _sent("/projects/PT-2025-0014/do/trial-batch-add")),
    "somebody was faster": (
        "coordinator",
        _sent("/projects/PT-2024-0009/do/advance", reason="交付完成", expected_version="1"),
    ),
    "rows of a table are wrong": ("coordinator", _import_looked_at),
    "columns of a table lack the stage": ("coordinator", _columns_looked_at),
    "batches of a table are wrong": ("sme", _batches_looked_at),
}
"""What can go wrong: who meets it, and how."""
