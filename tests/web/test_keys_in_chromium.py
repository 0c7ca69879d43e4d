"""A passkey as Chromium makes it, with the authenticator of its own tools: registered, signed in with, shown again."""

import os
import shutil
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from tests.factories import House, key
from tests.web.conftest import console_of

PASSWORD = "correct horse battery"
CHROMIUM = shutil.which("chromium") or ""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """Give the address of a console that listens on this machine: a browser knows no passkeys elsewhere."""
    own = house.people["coordinator"].user_id
    house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by="coordinator")
    config = uvicorn.Config(console_of(house, is_demo=False), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    begun = threading.Event()
    startup = server.startup

    async def started(sockets: object = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        begun.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert begun.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.mark.long
@pytest.mark.skipif(not CHROMIUM and os.environ.get("CI") != "true", reason="no chromium on this machine")
def test_a_passkey_is_registered_and_is_the_second_step_in_a_real_browser(address: str, house: House) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - long tests only

    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(locale="en").new_page()
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

        page.goto(f"{address}/security/passkeys?lang=en")
        page.fill("[name=login]", "coordinator")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/login'] button")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/step-up'] button")
        page.fill("[name=name]", "this computer")
        page.click("[data-passkey]")
        page.wait_for_selector("code.hash")
        assert page.locator("code.hash").count() == 10

        page.click("form[action='/logout'] button")
        page.fill("[name=login]", "coordinator")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/login'] button")
        page.click("[data-passkey]")
        page.wait_for_url("**/inbox")
        page.goto(f"{address}/step-up?next=/security")
        page.click("[data-passkey]")
        page.wait_for_selector("#sessions")

        browser.close()

    said = house.rows("SELECT kind FROM web_session WHERE ended_at IS NULL")
    assert [one.kind for one in said] == ["passkey"]
    assert house.one("SELECT stepped_up_until IS NOT NULL FROM web_session WHERE ended_at IS NULL")
