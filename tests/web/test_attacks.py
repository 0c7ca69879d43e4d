"""What tries to break the web door from outside: each is refused with a clear message, and nothing changes."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from models.states import Role
from tests import payments as pay
from tests.conftest import copied_into
from tests.digest import changed, digest
from tests.factories import House, a_project, key
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of, sign_in
from tests.web.matrix import Door, World, a_world, let_in, people
from tests.web.rights import ROUTES, Person, Verdict, verdict
from tests.web.test_matrix import NOT_A_CHANGE, addresses, cells, filled, is_denied
from web.app import API, API_PREFIX, PAGES
from web.cookies import SESSION as COOKIE
from web.session import csrf_of

LONG = "9" * 5_000
HOSTILE = {
    "a number of 5000 digits": LONG,
    "a number beyond every column": "9" * 15,
    "a number below nothing": "-1",
    "digits of another script": "٣٤",
    "NUL": "a\x00b",
    "a broken line": "a\r\nset-cookie: stolen=yes",
    "braces": "{{ 7*7 }}{% include 'layout.html' %}{{ self.__init__.__globals__ }}",
    "markup": '"><script>alert(1)</script>',
    "SQL": "' OR 1=1; DROP TABLE project; --",
    "the way up": "../../../../etc/passwd",
    "a date that never was": "2025-02-31",
}
"""What an address or a hidden field may bring; some of it is harmless text, none of it is a crash."""
KINDS = [
    pytest.param(one, marks=() if place < 1 or one == "markup" else pytest.mark.long)
    for place, one in enumerate(HOSTILE)
]
ASKING_NOTHING = (
    "/logout",
    "/preferences",
    "/do/rotate",
    "/do/revoke/",
    "/step-up",
    "/end-others",
    "/identities/",
    "/publish",
)
"""Pressing the button is all that their forms ask."""


@pytest.fixture(scope="module")
def world(sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world of one of each thing."""
    house = copied_into(sqlite_house_template, tmp_path_factory.mktemp("attacks") / "house.db")
    made = a_world(house)
    let_in(made, [one.name for one in people() if one.is_signed_in])
    yield made
    house.engine.dispose()


@pytest.fixture(scope="module")
def door(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Give who asks."""
    with Door(console_of(world.house, files=tmp_path_factory.mktemp("files")), world) as found:
        yield found


def questions(world: World) -> Iterator[tuple[str, Person, list[str]]]:
    """Give each address that is read, as somebody who may, with the names that its query knows."""
    for prefix, routers in ((API_PREFIX, API), ("", PAGES)):
        for router in routers:
            for route in router.routes:
                name = f"GET {prefix}{route.path}"  # type: ignore[attr-defined]
                if name not in ROUTES or not isinstance(route, APIRoute):
                    continue
                right = ROUTES[name]
                who = (one for one in people() if one.is_signed_in and verdict(right, one) is Verdict.THROUGH)
                person = next(who, Person(Role.ADMIN, Role.ADMIN))
                yield (
                    filled(name.removeprefix("GET "), right, world),
                    person,
                    [one.name for one in route.dependant.query_params],
                )


def is_sound(answer: httpx.Response) -> str:
    """Return what is wrong with an answer to something hostile; empty where nothing is."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if "<script>alert(1)" in answer.text and "html" in answer.headers["content-type"]:
        return "markup was taken over"
    if "set-cookie" in answer.headers and "stolen" in answer.headers["set-cookie"]:
        return "a header was brought in"
    return "a template was run" if "49{%" in answer.text or ">49<" in answer.text else ""


class TestAnAddress:
    @pytest.mark.parametrize("kind", KINDS)
    def test_takes_whatever_its_query_says(self, door: Door, world: World, kind: str) -> None:
        before, found = digest(world.house.engine, NOT_A_CHANGE), []
        for path, person, names in questions(world):
            if not names:
                continue
            said = dict.fromkeys(names, HOSTILE[kind])
            answer = door.ask("GET", path.partition("?")[0], person, params=said)
            if wrong := is_sound(answer):
                found.append(f"{path} {names}: {wrong}")

        assert found == []
        assert changed(before, digest(world.house.engine, NOT_A_CHANGE)) == set()

    @pytest.mark.long
    @pytest.mark.parametrize("kind", ["a number of 5000 digits", "braces", "markup", "SQL", "a number below nothing"])
    def test_finds_nothing_under_a_name_that_is_none(self, door: Door, world: World, kind: str) -> None:
        admin, said = Person(Role.ADMIN, Role.ADMIN), HOSTILE[kind].replace("/", "")
        found = []
        for method, address in addresses():
            if method != "GET" or "{" not in address:
                continue
            parts = address.split("/")
            path = "/".join(said if one.startswith("{") else one for one in parts).replace("{form}", "json")
            answer = door.ask("GET", httpx.URL(path=path).raw_path.decode(), admin)
            if (wrong := is_sound(answer)) or answer.status_code not in (200, 303, 403, 404, 410, 422):
                found.append(f"{address}: {answer.status_code} {wrong}")

        assert found == []


class TestAHiddenField:
    @pytest.mark.parametrize("kind", KINDS)
    def test_that_was_tampered_with_breaks_nothing(self, door: Door, world: World, kind: str) -> None:
        """Key, version, and all else that a page hides in its forms; what people type is missing: nothing is done."""
        engine, said, found = world.house.engine, HOSTILE[kind], []
        names = ("expected_version", "seen", "seen_minor", "payload_hash", "id", "revision", "next", "key", "days")
        asked = {one.path: one for one in cells(world, people()) if one.is_form and not is_denied(one)}
        for cell in asked.values():
            if not cell.person.is_signed_in or any(part in cell.path for part in ASKING_NOTHING):
                continue
            typed = {**dict.fromkeys(names, said), "command_id": said * 30, "verb": "approve", "word": "approve"}
            typed |= {"id": str(world.rows["payouts"].id)} if cell.path.endswith("/together") else {}
            before = digest(engine, NOT_A_CHANGE)
            answer = door.send(cell.path, cell.person, **typed)
            if wrong := is_sound(answer):
                found.append(f"{cell}: {wrong}")
            told = {"sign_in_attempt", *(("audit_record", "app_user") if cell.path.startswith("/security") else ())}
            if tables := changed(before, digest(engine, NOT_A_CHANGE)) - told:  # a wrong factor is kept in the trail
                found.append(f"{cell} changes {sorted(tables)}")

        assert found == []


AMOUNTS = ["-1", "-0.01", "0", "1e9", "1,00", "0.001", "１００", "NaN", "9" * 30, "1 000", "+5", "0x10", "¥5"]


class TestAForm:
    @pytest.fixture
    def manager(self, signed_in: Callable[..., Browser], house: House) -> Browser:
        """Give a sponsor in front of the form for a fund."""
        visitor = signed_in("sponsor")
        visitor.open("/funds/new")
        return visitor

    @pytest.mark.parametrize("amount", AMOUNTS)
    def test_refuses_what_is_no_amount_and_keeps_it(self, house: House, manager: Browser, amount: str) -> None:
        page = manager.send(
            "open a fund",
            code="F9",
            name="second fund",
            organisation_id=str(house.parties["funder"]),
            commitment_minor=amount,
            debtor_name="fund",
            debtor_account="6222020200112299",
            debtor_bank="102100099996",
        )

        assert page.status in (409, 422), page.text
        assert "Nothing was changed" in page.text
        assert ("commitment_minor", amount) in page.form("/funds/new").fields
        assert house.one("SELECT count(*) FROM v_fund") == 0

    @pytest.mark.parametrize(
        "email", ["a@example.org\r\nBcc: x@example.org", "a@example.org\nX: y", "a\x00@example.org"]
    )
    def test_refuses_an_address_that_would_be_two_headers(
        self, house: House, signed_in: Callable[..., Browser], email: str
    ) -> None:
        admin = signed_in("admin")
        admin.open("/admin/people/new")
        before = house.one("SELECT count(*) FROM app_user")

        page = admin.send("add an account", login="new", email=email, name="New", language="en")

        assert page.status in (409, 422), page.path
        assert house.one("SELECT count(*) FROM app_user") == before

    @pytest.mark.parametrize("name", ["a\r\nSet-Cookie: b=c", "x" * 201, "a\x00b"])
    def test_refuses_a_name_that_fits_no_line(self, house: House, signed_in: Callable[..., Browser], name: str) -> None:
        lead = signed_in("project_lead")
        lead.open("/projects/new")

        page = lead.send("Hand the application in", name=name)

        assert page.status in (409, 422), page.path
        assert house.one("SELECT count(*) FROM project") == 0

    def test_shows_braces_and_markup_as_what_they_are(self, house: House, signed_in: Callable[..., Browser]) -> None:
        name = "{{7*7}}<script>alert(1)</script>"
        lead = signed_in("project_lead")
        lead.open("/projects/new")
        lead.send(
            "Hand the application in",
            name=name,
            programme_id=str(house.programmes["bare"]),
            platform_id=str(house.parties["platform"]),
            organisation_id=str(house.parties["sme"]),
        )

        page = signed_in("coordinator").open("/projects")

        assert name in page.text
        assert "&lt;script&gt;" in page.answer.text

    def test_warns_of_a_holder_that_only_looks_like_the_firm(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        officer, accountant = signed_in("finance_officer"), signed_in("accountant")
        officer.open("/payees")
        officer.follow("enter the account")
        officer.send("enter the account", holder_name="ѕmе", account_number="6222 0202 0011 2233", bank_code="ICBKCNBJ")

        accountant.open("/payees")
        page = accountant.follow("ѕmе")

        assert "look" in page.text
        assert house.one("SELECT status FROM v_payee_account") == "proposed"

    def test_with_more_fields_than_any_of_ours_is_not_read(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        lead = signed_in("project_lead")
        form = lead.open("/projects/new").form("/projects/new")
        data = {**dict(form.fields), **{f"more.{place}": "x" for place in range(300)}}

        answer = lead.ask("POST", "/projects/new", data=data, headers={"sec-fetch-site": "same-origin"})

        assert answer.status_code == 400
        assert house.one("SELECT count(*) FROM project") == 0


class TestOneFormManyTimes:
    def test_sent_at_once_is_done_once(self, house: House) -> None:
        (payout,) = pay.payouts(house, amount_minor=pay.AMOUNT)
        world = World(house)
        let_in(world, [Role.FUND_MANAGER])
        token, command = world.tokens[Role.FUND_MANAGER], key()
        row = house.rows("SELECT version, payload_hash FROM v_payout WHERE id = :id", id=str(payout))[0]
        data = {
            "csrf": csrf_of(token),
            "command_id": command,
            "verb": "approve",
            "expected_version": str(row.version),
            "payload_hash": row.payload_hash,
            "seen_minor": str(pay.AMOUNT),
        }

        answers = asyncio.run(_at_once(console_of(house), f"/payouts/{payout}/decide", token, [data] * 12))

        assert {one.status_code for one in answers} == {303}
        assert {one.headers["location"] for one in answers} == {f"/receipts/{command}"}
        assert house.one("SELECT count(*) FROM v_approval") == 1
        assert house.one("SELECT count(*) FROM command_record WHERE command_id = :id", id=command) == 1

    def test_under_other_keys_is_refused_but_once(self, house: House) -> None:
        (payout,) = pay.payouts(house, amount_minor=pay.AMOUNT)
        world = World(house)
        let_in(world, [Role.FUND_MANAGER])
        token = world.tokens[Role.FUND_MANAGER]
        row = house.rows("SELECT version FROM v_payout WHERE id = :id", id=str(payout))[0]
        same = {"csrf": csrf_of(token), "verb": "approve", "expected_version": str(row.version)}
        data = [{**same, "command_id": key(), "seen_minor": str(pay.AMOUNT)} for _ in range(12)]

        answers = asyncio.run(_at_once(console_of(house), f"/payouts/{payout}/decide", token, data))

        statuses = [one.status_code for one in answers]
        assert statuses.count(303) == 1, statuses
        assert set(statuses) <= {303, 409, 412}
        assert house.one("SELECT count(*) FROM v_approval") == 1


async def _at_once(app: Any, path: str, token: str, data: list[dict[str, str]]) -> list[httpx.Response]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={token}"}
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60, headers=headers) as client:
        return list(await asyncio.gather(*(client.post(path, data=one) for one in data)))


class TestAStalePage:
    def test_shows_theirs_and_keeps_what_was_typed(self, house: House, signed_in: Callable[..., Browser]) -> None:
        project = a_project(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        ours, theirs = signed_in("coordinator"), signed_in("sponsor")
        for one in (ours, theirs):
            one.open(f"/projects/{number}/do/hold")
        theirs.send("put on hold", code="partner", reason="theirs", until_on="2025-08-01")
        before = digest(house.engine, NOT_A_CHANGE)

        page = ours.send("put on hold", code="partner", reason="ours", until_on="2025-08-02")

        assert page.status == 412
        assert "sponsor" in page.text
        assert {("reason", "ours"), ("until_on", "2025-08-02")} <= set(page.form("/do/hold").fields)
        assert changed(before, digest(house.engine, NOT_A_CHANGE)) == set()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/projects?q=%00", 200),
        ("/payouts?q=%00", 200),
        ("/search?q=a%00", 200),
        ("/audit?q=%00&by=%00", 200),
        ("/projects/%00", 404),
        ("/payouts/%00", 404),
        ("/receipts/%00", 404),
        ("/funds/a%00", 404),
        ("/api/v1/projects/%00", 404),
    ],
)
def test_an_address_with_a_nul_is_no_fault(each_house: House, path: str, status: int) -> None:
    with Browser(console_of(each_house)) as visitor:
        sign_in(visitor, Role.AUDITOR)

        assert visitor.ask("GET", path).status_code == status
