"""Who is believed where a visitor comes from: the proxies that are named, by their address, and nobody else."""

from contextlib import ExitStack
from typing import Any

import pytest

from models.settings import SettingsError, load_settings
from tests.factories import House
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of
from web.cookies import SESSION as COOKIE

PEER = "192.0.2.1"
"""The address that the browser of the tests comes from."""


def signed_in_from(house: House, visitors: ExitStack, trusted: str | None, headers: dict[str, str]) -> tuple[str, Any]:
    """Sign in with these headers; return the address that the session notes, and the answer."""
    visitor = visitors.enter_context(Browser(console_of(house, trusted_proxies=trusted)))
    form = dict(visitor.open("/login").form("/login").fields)
    same = {"sec-fetch-site": "same-origin", "origin": ADDRESS}
    answer = visitor.ask("POST", "/login/as", data={**form, "login": "coordinator"}, headers={**same, **headers})
    assert answer.status_code == 303, answer.text
    (row,) = house.rows("SELECT address FROM web_session ORDER BY created_at DESC, id DESC LIMIT 1")
    return row.address, answer


class TestAnAddress:
    @pytest.mark.parametrize(
        ("trusted", "said", "noted"),
        [
            (None, "203.0.113.7", PEER),
            ("198.51.100.9", "203.0.113.7", PEER),
            (PEER, "203.0.113.7", "203.0.113.7"),
            ("192.0.2.0/24", "203.0.113.7:4711", "203.0.113.7"),
            (PEER, "10.9.9.9, 203.0.113.7", "203.0.113.7"),
            ("192.0.2.1,10.0.0.5", "1.1.1.1, 203.0.113.7, 10.0.0.5", "203.0.113.7"),
            (PEER, "[2001:db8::1]:80", "2001:db8::1"),
            (PEER, "203.0.113.7, <script>", PEER),
            (PEER, "", PEER),
        ],
    )
    def test_is_what_the_outermost_trusted_proxy_saw(
        self, house: House, visitors: ExitStack, trusted: str | None, said: str, noted: str
    ) -> None:
        assert signed_in_from(house, visitors, trusted, {"x-forwarded-for": said})[0] == noted


class TestEncryption:
    @pytest.mark.parametrize(("trusted", "is_secure"), [(None, False), ("198.51.100.9", False), (PEER, True)])
    def test_is_believed_of_a_trusted_proxy_only(
        self, house: House, visitors: ExitStack, trusted: str | None, is_secure: bool
    ) -> None:
        _, answer = signed_in_from(house, visitors, trusted, {"x-forwarded-proto": "https"})

        cookie = next(one for one in answer.headers.get_list("set-cookie") if COOKIE in one)
        assert ("Secure" in cookie) == is_secure
        assert ("strict-transport-security" in answer.headers) == is_secure

    def test_is_no_other_word(self, house: House, visitors: ExitStack) -> None:
        _, answer = signed_in_from(house, visitors, PEER, {"x-forwarded-proto": "javascript"})

        assert "strict-transport-security" not in answer.headers


def test_what_is_no_network_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTWAY_TRUSTED_PROXIES", "10.0.0.5,proxy.example")

    with pytest.raises(SettingsError, match=r"PILOTWAY_TRUSTED_PROXIES.*proxy\.example"):
        load_settings()
