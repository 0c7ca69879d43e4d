"""Single sign-on against a real provider, and against one that lies in every way that it could."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from lifecycle.entrance.commands import LinkIdentity
from lifecycle.people.commands import DisableUser
from models.states import Role
from tests.factories import House, key
from tests.web import provider as outside
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of
from tests.web.provider import ACCESS, Provider

MAIL = "coordinator@example.org"


def a_console(house: House, issuer: str, visitors: ExitStack, secret: str | None = "s") -> Browser:  # noqa: S107
    """Give a browser in front of a console that is entered at a provider."""
    known: dict[str, Any] = {"oidc_client_id": "pilotway", "oidc_client_secret": secret, "oidc_name": "Base"}
    app = console_of(house, is_demo=False, api=ADDRESS, oidc_issuer=issuer, **known)
    return visitors.enter_context(Browser(app))


def set_out(visitor: Browser, path: str = "/login/oidc?next=/projects") -> str:
    """Begin at our sign-in page and return the address at the provider."""
    answer = visitor.ask("GET", path, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def come_back(visitor: Browser, address: str) -> Any:
    """Follow the provider's redirect to us."""
    assert address.startswith(f"{ADDRESS}/login/oidc/back?")
    return visitor.open(address.removeprefix(ADDRESS))


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Give the address of a real provider on this machine; it uses what its own library calls old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from oidc_provider_mock import run_server_in_thread  # noqa: PLC0415 - it warns when it is read
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestWithARealProvider:
    @staticmethod
    def _consent(issuer: str, address: str, subject: str, **claims: Any) -> str:
        httpx.put(f"{issuer}/users/{subject}", json=claims).raise_for_status()
        answer = httpx.post(address, data={"sub": subject})
        return str(answer.headers["location"])

    def test_signs_in_who_has_an_account_and_links_it_once(
        self, house: House, visitors: ExitStack, issuer: str
    ) -> None:
        visitor = a_console(house, issuer, visitors)
        visitor.open("/login?next=/projects")
        assert visitor.page.link("Sign in with Base") == "/login/oidc?next=/projects"
        first = self._consent(issuer, set_out(visitor), "c-1", email=MAIL, email_verified=True)

        page = come_back(visitor, first)
        assert (page.status, page.path) == (200, "/projects")

        visitor.send("Sign out")
        moved = self._consent(issuer, set_out(visitor), "c-1", email="gone@example.org", email_verified=True)
        assert come_back(visitor, moved).path == "/projects"
        acts = house.rows("SELECT action FROM audit_record WHERE actor_id = :own ORDER BY seq", own=self._own(house))
        said = ["user.link_identity", "user.sign_in", "user.sign_out", "user.sign_in"]
        assert [row.action for row in acts][-4:] == said
        assert [row.kind for row in house.rows("SELECT DISTINCT kind FROM web_session")] == ["oidc"]

    def test_makes_no_account_and_takes_no_unverified_address(
        self, house: House, visitors: ExitStack, issuer: str
    ) -> None:
        visitor = a_console(house, issuer, visitors)
        before = house.one("SELECT count(*) FROM app_user")
        stranger = self._consent(issuer, set_out(visitor), "x-1", email="x@example.org", email_verified=True)
        assert "No account here" in come_back(visitor, stranger).text

        unverified = self._consent(issuer, set_out(visitor), "x-2", email=MAIL, email_verified=False)
        page = come_back(visitor, unverified)

        assert (page.status, "has not verified your mail address" in page.text) == (401, True)
        assert house.one("SELECT count(*) FROM app_user") == before
        assert house.one("SELECT count(*) FROM web_session") == 0

    def test_says_when_the_provider_declines(self, house: House, visitors: ExitStack, issuer: str) -> None:
        visitor = a_console(house, issuer, visitors)

        answer = httpx.post(set_out(visitor), data={"sub": "c-1", "action": "deny"})
        state = parse_qs(urlsplit(str(answer.request.url)).query)["state"][0]
        page = visitor.open(f"/login/oidc/back?error=access_denied&state={state}")

        assert (page.status, "did not let you in" in page.text) == (401, True)

    @staticmethod
    def _own(house: House) -> str:
        return str(house.people["coordinator"].user_id)


@pytest.fixture
def liar() -> Iterator[Provider]:
    with outside.running() as provider:
        provider.claims = {"email": MAIL, "email_verified": True}
        yield provider


def answered(visitor: Browser, liar: Provider, **more: str) -> Any:
    """Go to the provider and come back with its answer, whatever it says."""
    asked = {name: value for name, (value,) in parse_qs(urlsplit(set_out(visitor)).query).items()}
    liar.challenge = asked["code_challenge"]
    liar.claims.setdefault("nonce", asked["nonce"])
    query = {"state": asked["state"], "code": "one", **more}
    return visitor.open(f"/login/oidc/back?{httpx.QueryParams(query)}")


class TestWithALiar:
    def test_lets_in_when_all_is_right(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        assert answered(a_console(house, liar.issuer, visitors), liar).path == "/projects"

    @pytest.mark.parametrize(
        ("claims", "said"),
        [
            ({"iss": "https://other.example"}, "another identity provider"),
            ({"aud": "somebody-else"}, "does not hold (aud)"),
            ({"aud": ["pilotway", "other"]}, "does not hold (azp)"),
            ({"exp": 1_700_000_000}, "does not hold"),
            ({"nonce": "of another way"}, "does not hold (nonce)"),
            ({"iat": None}, "does not hold"),
            ({"email_verified": "true"}, "has not verified"),
            ({"email": "COORDINATOR@example.org.evil"}, "No account here"),
        ],
    )
    def test_believes_no_wrong_claim(
        self, house: House, visitors: ExitStack, liar: Provider, claims: dict[str, Any], said: str
    ) -> None:
        liar.claims |= claims

        page = answered(a_console(house, liar.issuer, visitors), liar)

        assert (page.status, said in page.text) == (401, True), page.text
        assert house.one("SELECT count(*) FROM web_session") == 0
        assert house.one("SELECT count(*) FROM outside_identity") == 0

    @pytest.mark.parametrize(("algorithm", "signer"), [("RS256", outside.ANOTHER), ("HS256", None)])
    def test_believes_no_other_signature(
        self, house: House, visitors: ExitStack, liar: Provider, algorithm: str, signer: Any
    ) -> None:
        liar.algorithm, liar.key = algorithm, signer

        page = answered(a_console(house, liar.issuer, visitors), liar)

        assert (page.status, "does not hold" in page.text) == (401, True), page.text

    def test_takes_no_answer_twice(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        visitor = a_console(house, liar.issuer, visitors)
        answered(visitor, liar)
        cookie, path = self._kept(visitor, liar)

        visitor.client.cookies.set("pilotway_sign_on", cookie, domain="console.example", path="/")
        first = visitor.open(path)
        visitor.client.cookies.set("pilotway_sign_on", cookie, domain="console.example", path="/")
        again = visitor.open(path)

        assert first.path == "/projects"
        assert (again.status, "used already" in again.text) == (401, True)

    @staticmethod
    def _kept(visitor: Browser, liar: Provider) -> tuple[str, str]:
        asked = {name: value for name, (value,) in parse_qs(urlsplit(set_out(visitor)).query).items()}
        liar.challenge, liar.claims["nonce"] = asked["code_challenge"], asked["nonce"]
        return visitor.client.cookies["pilotway_sign_on"], f"/login/oidc/back?state={asked['state']}&code=one"

    def test_takes_no_answer_in_another_browser(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        _, path = self._kept(a_console(house, liar.issuer, visitors), liar)
        other = a_console(house, liar.issuer, visitors)

        assert "not begun in this browser" in other.open(path).text
        set_out(other)
        assert "not begun in this browser" in other.open(path).text

    def test_takes_no_answer_after_ten_minutes(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        early = a_console(house, liar.issuer, visitors)
        cookie, path = self._kept(early, liar)
        house.later(minutes=10)
        late = a_console(house, liar.issuer, visitors)
        late.client.cookies.set("pilotway_sign_on", cookie, domain="console.example", path="/")

        assert "took too long" in late.open(path).text

    @pytest.mark.parametrize("where", ["answer", "description"])
    def test_takes_nothing_of_another_provider(
        self, house: House, visitors: ExitStack, liar: Provider, where: str
    ) -> None:
        visitor = a_console(house, liar.issuer, visitors)
        if where == "description":
            liar.own_name = "https://other.example"
            page = visitor.open("/login/oidc")
        else:
            page = answered(visitor, liar, iss="https://other.example")

        assert (page.status, "another identity provider" in page.text) == (401, True)

    def test_lets_no_second_identity_into_an_account(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        own = house.people["coordinator"].user_id
        linked = LinkIdentity(command_id=key(), user_id=own, issuer=liar.issuer, subject="s-0")
        house.do(linked, by="coordinator")

        page = answered(a_console(house, liar.issuer, visitors), liar)

        assert (page.status, "linked elsewhere" in page.text) == (401, True)

    def test_is_ended_by_an_administrator(
        self, house: House, visitors: ExitStack, liar: Provider, signed_in: Callable[..., Browser]
    ) -> None:
        answered(a_console(house, liar.issuer, visitors), liar)
        visitor = signed_in("admin")
        assert liar.issuer in visitor.open("/users/coordinator").text
        visitor.follow("unlink an outside identity")

        visitor.send("unlink an outside identity")

        assert liar.issuer not in visitor.open("/users/coordinator").text
        last = house.one("SELECT action FROM audit_record ORDER BY seq DESC LIMIT 1")
        assert last == "user.unlink_identity"

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_is_not_begun_by_another_site(self, house: House, visitors: ExitStack, liar: Provider, site: str) -> None:
        visitor = a_console(house, liar.issuer, visitors)

        answer = visitor.ask("GET", "/login/oidc?next=/projects", headers={"sec-fetch-site": site})

        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/projects")
        assert "set-cookie" not in answer.headers

    def test_gives_no_token_of_the_provider_to_browser_or_database(
        self, house: House, visitors: ExitStack, liar: Provider
    ) -> None:
        visitor = a_console(house, liar.issuer, visitors)
        token = liar.id_token()
        _, path = self._kept(visitor, liar)

        answer = visitor.ask("GET", path)
        after = visitor.ask("GET", "/security")

        assert (answer.status_code, after.status_code) == (303, 200)
        with house.engine.connect() as connection:
            kept = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        for said in (str(answer.headers), answer.text, after.text, kept):
            assert ACCESS not in said
            assert token.split(".")[0] not in said

    def test_counts_as_a_password_however_strong_the_provider_calls_it(
        self, house: House, visitors: ExitStack, liar: Provider
    ) -> None:
        liar.claims |= {"acr": "phrh", "amr": ["mfa", "hwk"]}
        visitor = a_console(house, liar.issuer, visitors)
        assert answered(visitor, liar).path == "/projects"

        assert visitor.open("/security/totp").path.startswith("/step-up")
        assert house.one("SELECT stepped_up_until FROM web_session WHERE ended_at IS NULL") is None

    def test_lets_nobody_into_a_disabled_account(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        house.do(DisableUser(command_id=key(), user_id=house.people["coordinator"].user_id), by=Role.ADMIN)

        assert "No account here" in answered(a_console(house, liar.issuer, visitors), liar).text

    def test_sends_the_verifier_that_it_promised(self, house: House, visitors: ExitStack, liar: Provider) -> None:
        visitor = a_console(house, liar.issuer, visitors, secret=None)
        _, path = self._kept(visitor, liar)
        liar.challenge = "of another way"

        assert "did not let you in" in visitor.open(path).text

    def test_says_that_the_provider_is_away(self, house: House, visitors: ExitStack) -> None:
        page = a_console(house, "http://127.0.0.1:9", visitors).open("/login/oidc")

        assert (page.status, "does not answer" in page.text) == (503, True)

    def test_is_not_there_where_none_is_set(self, browser: Browser) -> None:
        assert browser.open("/login/oidc").status == 404
        assert "oidc" not in browser.open("/login").answer.text
