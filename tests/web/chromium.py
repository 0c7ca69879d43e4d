"""A real browser for the few tests and pictures that need one: the Chromium of this machine, speaking to nobody."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from notifications.words import Lang
from web.cookies import LANGUAGE

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHAT_TO_INSTALL = "Chromium was not found: on Debian `apt-get install chromium fonts-wqy-microhei`"
_QUIET = ("quic", "background-networking", "component-update", "sync", "gpu", "extensions")
HEIGHT = 900
STEP_UP = "/step-up"


def program() -> Path | None:
    """Return where Chromium is, or None; `CHROMIUM` names another one."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser that asks nobody for updates; RuntimeError where there is none."""
    place = program()
    if place is None:
        raise RuntimeError(WHAT_TO_INSTALL)
    flags = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in _QUIET)]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=place, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Give where an application answers on this machine: by the name for which passkeys hold."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    listening = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def visitor(browser: Browser, base: str, login: str | None, lang: Lang, *, width: int) -> Iterator[Page]:
    """Give a page in which somebody of the demonstration is signed in, in one language."""
    context = browser.new_context(locale=lang, viewport={"width": width, "height": HEIGHT}, base_url=base)
    try:
        yield _signed_in(context, base, login, lang)
    finally:
        context.close()


def gone_to(page: Page, path: str) -> int:
    """Open a page, proving once more who one is where it asks for that; return its status, 0 for no answer."""
    answer = page.goto(path)
    if urlsplit(page.url).path == STEP_UP != urlsplit(path).path:
        page.click(f"main form[action='{STEP_UP}'] .pri")
        page.wait_for_url(lambda url: urlsplit(url).path != STEP_UP)
        answer = page.goto(path)
    return answer.status if answer else 0


def _signed_in(context: BrowserContext, base: str, login: str | None, lang: Lang) -> Page:
    context.add_cookies([{"name": LANGUAGE, "value": lang, "url": base}])
    page = context.new_page()
    if login is not None:
        page.goto("/login")
        page.click(f"button[name=login][value={login}]")
        page.wait_for_url(lambda url: not url.endswith("/login"))
    return page
