"""A passkey as Chromium makes it, with the authenticator of its own tools: registered, signed in with, also alone."""

import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from tests.conftest import skip_or_fail
from tests.factories import House, key
from tests.web.chromium import WHAT_TO_INSTALL, chromium, program, served
from tests.web.conftest import console_of

PASSWORD = "correct horse battery"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.long
def test_a_passkey_is_registered_and_is_the_second_step_and_lets_in_alone_in_a_real_browser(house: House) -> None:
    if program() is None:
        skip_or_fail(WHAT_TO_INSTALL)
    own = house.people["coordinator"].user_id
    house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by="coordinator")
    with served(console_of(house, is_demo=False)) as address, chromium() as browser:
        page = browser.new_context(locale="en").new_page()
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

        page.goto(f"{address}/security/passkeys?lang=en")
        page.fill("[name=login]", "coordinator")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/login'] .pri")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/step-up'] .pri")
        page.fill("[name=name]", "this computer")
        page.click("[data-passkey]")
        page.wait_for_selector("code.hash")
        assert page.locator("code.hash").count() == 10

        page.click("form[action='/logout'] button")
        page.fill("[name=login]", "coordinator")
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/login'] .pri")
        page.click("[data-passkey]")
        page.wait_for_url("**/inbox")
        page.goto(f"{address}/step-up?next=/security")
        page.click("[data-passkey]")
        page.wait_for_selector("#sessions")
        assert page.locator("li", has_text="this computer").locator(".tag").inner_text() == "可单独登录"

        page.click("form[action='/logout'] button")
        page.click("form[action='/login/key'] [data-passkey]")
        page.wait_for_url("**/inbox")
        page.goto(f"{address}/step-up?next=/security")
        page.click("[data-passkey]")
        page.wait_for_selector("#sessions")

    said = house.rows("SELECT kind FROM web_session WHERE ended_at IS NULL")
    assert [one.kind for one in said] == ["passkey"]
    assert house.one("SELECT stepped_up_until IS NOT NULL FROM web_session WHERE ended_at IS NULL")
