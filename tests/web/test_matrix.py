"""Who may what: every address of the console and of the API, for everybody, as `tests/web/rights.py` declares it."""

import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select

from lifecycle.permissions import OF_THE_FIRM
from models.db import reading
from models.reading import table_of
from models.states import Role, Scope
from tests.conftest import copied_into
from tests.digest import changed, digest
from tests.factories import House, key
from tests.web.conftest import console_of
from tests.web.matrix import ANONYMOUS, NOBODY, Door, World, a_world, let_in, people
from tests.web.rights import (
    BIRTHS,
    EACH_LIST,
    EACH_NOUN,
    EACH_VERB,
    IN_LISTS,
    LISTS,
    PARTS,
    READERS,
    ROUTES,
    Person,
    Place,
    Right,
    Verdict,
    of_verb,
    verdict,
)
from web.api import births, rows
from web.app import API, API_PREFIX, PAGES
from web.errors import PROBLEM
from web.nouns import NOUNS
from web.session import csrf_of

NOT_A_CHANGE = frozenset({"web_session.seen_at"})
"""When a session was last used moves by itself, at most once in a minute; everything else is somebody's act."""
OF_A_REFUSAL = NOT_A_CHANGE | {"audit_record", "audit_seq", "audit_head"}
"""A refusal is recorded in the trail of what it was about, and moves nothing else."""
OF_TWO = ("four_eyes", "conflict_of_interest")
"""Somebody has the right, and still not for this one thing."""
_PART = re.compile(r"{(\w+)}")


def addresses() -> list[tuple[str, str]]:
    """Return (method, address) of every route of the application."""
    found = []
    for prefix, routers in ((API_PREFIX, API), ("", PAGES)):
        for router in routers:
            for route in router.routes:
                assert isinstance(route, APIRoute), f"{route} is no route of ours"
                found += [(method, f"{prefix}{route.path}") for method in sorted(route.methods or ())]
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """One request of one person, and what the declaration says to it."""

    method: str
    path: str
    person: Person
    expected: Verdict
    is_form: bool = False
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} as {self.person.name}"


@pytest.fixture(scope="module")
def world(sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world of one of each thing; nothing that these tests are about to refuse changes it."""
    house = copied_into(sqlite_house_template, tmp_path_factory.mktemp("matrix") / "house.db")
    made = a_world(house)
    let_in(made, [one.name for one in people() if one.is_signed_in])
    yield made
    house.engine.dispose()


@pytest.fixture(scope="module")
def console(world: World, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Give its console, at an address for which passkeys hold."""
    app = console_of(world.house, files=tmp_path_factory.mktemp("files"), api="http://localhost:8000")
    app.state.house.feeds.at_once = 10**9  # everybody here comes from one place
    return app


@pytest.fixture(scope="module")
def door(console: FastAPI, world: World) -> Iterator[Door]:
    """Give who asks."""
    with Door(console, world) as found:
        yield found


def filled(address: str, right: Right, world: World) -> str:
    """Return an address with its parts: those of the right, the thing's own name, else those of the world."""
    at = {**(right.at or {})}
    query = at.pop("?", "").format(payout=world.rows["payouts"].id)
    path = _PART.sub(lambda part: at.get(part[1]) or _value(address, part[1], right, world), address)
    return f"{path}?{query}" if query else path


def _value(address: str, part: str, right: Right, world: World) -> str:
    first = address.removeprefix(API_PREFIX).split("/")[1]
    if part in ("ref", "code") and (first in NOUNS or right.reads):
        if first == "evidence":
            return world.parts["evidence"]
        return world.ref(first if first in NOUNS else right.reads)
    if part == "code" and first == "problems":
        return "not-found"
    if part == "pair":
        return f"{world.parts['version']}..{world.parts['version']}"
    if part == "ref":
        return world.parts["platform"] if first == "platforms" else key()
    if part == "number":
        return world.parts["number"]
    return world.parts[part]


def cells(world: World, asked: tuple[Person, ...]) -> list[Cell]:
    """Return every address for each of these people."""
    found = []
    for method, address in addresses():
        name = f"{method} {address}"
        if name in (*EACH_NOUN, *EACH_VERB, *EACH_LIST):
            continue
        right = ROUTES[name]
        path = filled(address, right, world)
        is_form = method == "POST" and not address.startswith(API_PREFIX)
        found += [Cell(method, path, one, verdict(right, one), is_form, right.body) for one in asked]
    return found


def cells_of_nouns(world: World, asked: tuple[Person, ...]) -> list[Cell]:
    """Return the addresses that every noun has for programs."""
    found = []
    for path in NOUNS:
        begin = f"{API_PREFIX}/{path}/{world.ref(path)}"
        for one in asked:
            reads = verdict(Right(reads=path), one)
            shown = reads if path in LISTS or reads is Verdict.SIGN_IN else Verdict.HIDDEN
            found += [Cell("GET", begin, one, shown), Cell("GET", f"{begin}/commands", one, reads)]
    return found


def cells_of_lists(world: World, asked: tuple[Person, ...]) -> list[Cell]:
    """Return the lists for programs, what belongs to one thing, and what brings a thing in."""
    lists = [(f"{API_PREFIX}/{path}", right) for path, right in LISTS.items()]
    parts = [(f"{API_PREFIX}/{path}/{world.ref(path)}/{part}", right) for (path, part), right in PARTS.items()]
    found = [Cell("GET", path, one, verdict(right, one)) for path, right in (*lists, *parts) for one in asked]
    born = [(f"{API_PREFIX}/{path}", right) for path, right in BIRTHS.items()]
    return [*found, *(Cell("POST", path, one, verdict(right, one)) for path, right in born for one in asked)]


def cells_of_verbs(world: World, asked: tuple[Person, ...]) -> list[Cell]:
    """Return the addresses of every verb of every noun: its page, its form, and what programs call."""
    own = {name for name in ROUTES if "/do/" in name}
    found = []
    for path, noun in NOUNS.items():
        row = world.rows[path]
        for verb in noun.verbs:
            right, spoken = of_verb(path, verb), noun.spoken(verb)
            page = f"/{path}/{noun.ref(row)}/do/{spoken}"
            called = f"{API_PREFIX}/{path}/{noun.ref(row)}/commands/{spoken}"
            has_own = any(name.endswith(f"/{path}/{{ref}}/do/{spoken}") for name in own)
            for one in asked:
                seen = verdict(Right(reads=path), one)
                said = verdict(right, one)
                if not has_own and path not in ("payouts", "exceptions"):
                    found += [Cell("GET", page, one, seen), Cell("POST", page, one, said, is_form=True)]
                found.append(Cell("POST", called, one, said))
    return found


def asked_for(door: Door, cell: Cell) -> httpx.Response:
    """Ask."""
    if cell.method != "POST":
        token = csrf_of(door.world.tokens.get(cell.person.name, ""))
        headers = {"x-csrf-token": token, "idempotency-key": key()}
        return door.ask(cell.method, cell.path, cell.person, headers=headers)
    if cell.is_form:
        return door.send(cell.path, cell.person, **_form(door.world, cell))
    if cell.body in ("file", "evidence"):
        return door.call(cell.path, cell.person, **_file(door.world, cell))
    headers = {"if-match": f'"{_version(door.world, cell)}"'}
    return door.call(cell.path, cell.person, _body(door.world, cell), headers=headers)


def _form(world: World, cell: Cell) -> dict[str, Any]:
    path, seen = cell.path, str(_version(world, cell))
    if "/do/" in path:
        return {"expected_version": seen, **({"type": "paper"} if path.endswith("/do/evidence-add") else {})}
    if path == "/security/sessions/end":
        return {"session": str(world.sessions.get(cell.person.name, ""))}
    if path.endswith("/together"):
        return {"word": "approve", "id": str(world.rows["payouts"].id), "total": "1"}
    if path.endswith("/decide"):
        return {"verb": "approve", "amount_minor": "1", "expected_version": seen}
    return {}


def _file(world: World, cell: Cell) -> dict[str, Any]:
    told = {"project_id": str(world.rows["projects"].id), "type": "paper"} if cell.body == "evidence" else {}
    return {"files": {"file": ("a.csv", b"x")}, "data": told}


def _version(world: World, cell: Cell) -> int:
    """Return the version that was seen."""
    noun = cell.path.split("/")[3 if cell.path.startswith(API_PREFIX) else 1]
    name = "payouts" if cell.body or noun not in world.rows else noun
    table = table_of(NOUNS[name].subject)
    with reading(world.house.engine) as session:  # another request may have changed it
        return int(session.execute(select(table.c.version).where(table.c.id == world.rows[name].id)).scalar_one())


def _body(world: World, cell: Cell) -> dict[str, Any]:
    payout, name = world.rows["payouts"], cell.body
    if name == "payout":
        ids = {one: str(getattr(payout, one)) for one in ("project_id", "milestone_id", "payee_account_id")}
        return {**ids, "amount_minor": 1, "currency": "CNY", "purpose": "milestone"}
    if name == "several":
        item = {"id": str(payout.id), "version": _version(world, cell), "payload_hash": payout.payload_hash}
        return {"items": [item], "total_minor": int(payout.amount_minor)}
    if name == "grant":  # lacks its organisation
        return {"role": Role.PROJECT_LEAD}
    return {"days": 1, "scopes": [Scope.READ]} if name == "token" else {}


def said(answer: httpx.Response) -> Verdict | str:
    """Return the verdict that an answer is; its status where it is none."""
    status = answer.status_code
    if (status == 401 and '"not_signed_in"' in answer.text) or (
        status == 303 and answer.headers["location"].startswith("/login?")
    ):
        return Verdict.SIGN_IN
    if status == 403:
        has_right = '"code":"role"' not in answer.text and any(f'"code":"{one}"' in answer.text for one in OF_TWO)
        return Verdict.THROUGH if has_right else Verdict.FORBIDDEN
    if status == 404:
        return Verdict.HIDDEN
    return Verdict.THROUGH if status < 500 and status != 405 else str(status)


def is_denied(cell: Cell) -> bool:
    """Say whether the declaration refuses a request."""
    return cell.expected is not Verdict.THROUGH


def differing(door: Door, asked: list[Cell], without: frozenset[str] = NOT_A_CHANGE) -> list[str]:
    """Return which of these are answered otherwise than declared, and which of them change the database.

    The database is looked at before and after all of them; only where it differs they are asked again one by one.
    """
    engine = door.world.house.engine
    before = digest(engine, without)
    answers = [(cell, said(asked_for(door, cell))) for cell in asked]
    found = [f"{cell}: {cell.expected} is declared, {one} was said" for cell, one in answers if one != cell.expected]
    after = digest(engine, without)
    if changed(before, after):
        found.append(f"together they change {sorted(changed(before, after))}")
        found += _changing(door, asked, without)
    return found


def refused_though_allowed(door: Door, asked: list[Cell], pristine: Path) -> list[str]:
    """Return which of these are refused for the right that they are declared to have; what one of them did is undone.

    What stands in the way may be anything else: a field, a rule, a state, a version.
    """
    found = []
    for cell in asked:
        answer = asked_for(door, cell)
        if (told := said(answer)) is not Verdict.THROUGH:
            found.append(f"{cell}: it may, and {told} was said ({answer.status_code})")
        if answer.status_code < 400:
            restore(door.world.house.engine, pristine)
    return found


def kept(engine: Engine, path: Path) -> Path:
    """Keep the whole database in a file."""
    with closing(sqlite3.connect(path)) as copy, engine.connect() as connection:
        connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
    return path


def restore(engine: Engine, pristine: Path) -> None:
    """Let the database be again what it was when it was kept."""
    with closing(sqlite3.connect(pristine)) as copy, engine.connect() as connection:
        copy.backup(connection.connection.driver_connection)  # type: ignore[arg-type]


def _changing(door: Door, asked: list[Cell], without: frozenset[str]) -> Iterator[str]:
    engine = door.world.house.engine
    after = digest(engine, without)
    for cell in asked:
        before = after
        asked_for(door, cell)
        after = digest(engine, without)
        if tables := changed(before, after):
            yield f"{cell} changes {sorted(tables)}"


WHOLE_OR_PART = pytest.mark.parametrize(
    "every", [pytest.param(9, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.prove)]
)
"""The same ninth of all requests in the long tests; each of them where a release is proven."""


def thinned(asked: list[Cell], every: int) -> list[Cell]:
    """Return one of so many requests and never fewer, always the same ones, spread over addresses and people."""
    return sorted(asked, key=lambda one: zlib.crc32(str(one).encode()))[: -(-len(asked) // every)]


FEW = (ANONYMOUS, NOBODY, Person(f"{Role.PROJECT_LEAD} elsewhere", Role.PROJECT_LEAD, Place.ELSEWHERE))
SOME = (*FEW, Person(Role.COORDINATOR, Role.COORDINATOR), Person(Role.FUND_MANAGER, Role.FUND_MANAGER))
LEAVING = ("/logout", f"{API_PREFIX}/session")
"""They end the session that asks."""


class TestTheDeclaration:
    def test_has_a_row_for_every_address(self) -> None:
        known = {*ROUTES, *EACH_NOUN, *EACH_VERB, *EACH_LIST}
        asked = {f"{method} {address}" for method, address in addresses()}

        assert sorted(asked - known) == [], "say in tests/web/rights.py who may open these"
        assert sorted(known - asked) == [], "no such address any more"

    def test_says_who_reads_every_noun(self) -> None:
        assert sorted(READERS) == sorted(NOUNS)

    def test_says_who_is_shown_every_list_and_who_brings_in_what(self) -> None:
        assert sorted(LISTS) == sorted(rows.RESOURCES)
        assert sorted(PARTS) == sorted(rows.PARTS)
        assert sorted(BIRTHS) == sorted(births.BIRTHS)


class TestEveryAddress:
    def test_is_closed_to_who_has_no_part_and_changes_nothing(self, door: Door, world: World) -> None:
        denied = [one for one in (*cells(world, FEW), *cells_of_lists(world, FEW)) if is_denied(one)]

        assert len(denied) > len(ROUTES)
        assert differing(door, denied) == []

    @WHOLE_OR_PART
    @pytest.mark.parametrize("place", [Place.HERE, Place.ELSEWHERE, Place.EVERYWHERE])
    def test_says_to_everybody_what_is_declared_and_changes_nothing_by_looking(
        self, door: Door, world: World, place: Place, every: int
    ) -> None:
        asked = thinned([one for one in cells(world, people()) if one.person.place is place], every)

        assert differing(door, [one for one in asked if one.method == "GET"]) == []
        assert differing(door, [one for one in asked if one.method != "GET" and is_denied(one)], OF_A_REFUSAL) == []

    @WHOLE_OR_PART
    def test_of_each_noun_says_to_everybody_what_is_declared(self, door: Door, world: World, every: int) -> None:
        assert differing(door, thinned(cells_of_nouns(world, people()), every)) == []

    @WHOLE_OR_PART
    def test_of_each_list_says_to_everybody_what_is_declared(self, door: Door, world: World, every: int) -> None:
        asked = thinned(cells_of_lists(world, people()), every)

        assert differing(door, [one for one in asked if one.method == "GET" or is_denied(one)]) == []

    @pytest.mark.long
    @pytest.mark.parametrize("path", sorted(IN_LISTS))
    def test_of_each_list_holds_a_thing_for_its_readers_only(self, door: Door, world: World, path: str) -> None:
        """Who is shown no such list at all is the test above."""
        wanted = {"grants": world.parts["grant_id"], "tokens": world.parts["token_id"]}
        sought = wanted.get(path) or str(world.rows[path].id)
        found = {}
        for one in people():
            if verdict(LISTS[path], one) is Verdict.THROUGH:
                shown = door.ask("GET", f"{API_PREFIX}/{path}?limit=200", one).json()["data"]
                found[one.name] = any(row["id"] == sought for row in shown)

        assert found == {one.name: IN_LISTS[path].reaches(one) for one in people() if one.name in found}
        assert True in found.values()

    @WHOLE_OR_PART
    @pytest.mark.parametrize("path", sorted(NOUNS))
    def test_of_each_verb_is_denied_to_everybody_else_and_leaves_nothing_but_its_record(
        self, door: Door, world: World, path: str, every: int
    ) -> None:
        begun = f"{API_PREFIX}/{path}/"
        called = thinned([one for one in cells_of_verbs(world, people()) if one.path.startswith(begun)], every)
        pages = thinned([one for one in cells_of_verbs(world, SOME) if one.path.startswith(f"/{path}/")], every)

        assert differing(door, [one for one in pages if one.method == "GET"]) == []
        assert differing(door, [one for one in (*called, *pages) if is_denied(one)], OF_A_REFUSAL) == []


def is_kept_to_others(cell: Cell) -> bool:
    """Say whether somebody with the right is not the one for this thing, and the answer does not tell it apart.

    Who ordered a recovery forgives nothing of it; a paper is handed in by the party that owes it: here the firm.
    """
    is_own_order = cell.path.endswith("/do/write-off") and cell.person.role is Role.FUND_MANAGER
    return is_own_order or (cell.body == "evidence" and cell.person.role not in OF_THE_FIRM | {Role.COORDINATOR})


def may_at_least() -> int:
    """Return how many pairs of somebody and a route that writes the tables of rights let through, at the least.

    Counted from the tables and not by `verdict`, so that it stands where that lets nobody through by mistake: of a
    verb the people of its roles, at one door and at the thing's own place only; of what takes no role everybody.
    """
    everybody = people()
    plain = [
        right
        for name, right in ROUTES.items()
        if not name.startswith("GET") and not (right.roles or right.reads or right.is_absent)
    ]
    routes = sum(one.is_signed_in or right.is_open for right in plain for one in everybody)
    holders = [one for one in everybody if one.role and one.place is not Place.ELSEWHERE]
    verbs = [(path, of_verb(path, verb)) for path, noun in NOUNS.items() for verb in noun.verbs]
    return routes + sum(
        one.role in (right.roles or ()) and READERS[path].reaches(one) for path, right in verbs for one in holders
    )


class TestWhoMay:
    @pytest.mark.parametrize(
        "every",
        [pytest.param(61), pytest.param(9, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.prove)],
    )
    def test_is_not_refused_for_the_right_whatever_else_stands_in_the_way(
        self, door: Door, world: World, every: int, tmp_path: Path
    ) -> None:
        every_one = (*cells(world, people()), *cells_of_verbs(world, people()), *cells_of_lists(world, people()))
        may = [one for one in every_one if one.method != "GET" and not is_denied(one) and not is_kept_to_others(one)]
        asked = thinned(may, every)

        assert len({str(one) for one in asked}) * every >= may_at_least() > 0
        assert refused_though_allowed(door, asked, kept(world.house.engine, tmp_path / "as-it-was.db")) == []


FORGERIES = {
    "no token": {"csrf": ""},
    "the token of another session": {"csrf": csrf_of("token of nobody")},
    "from another site": {"sec-fetch-site": "cross-site"},
    "from a neighbour": {"sec-fetch-site": "same-site"},
    "from another origin, by an old browser": {"origin": "https://evil.example"},
}


class TestAForm:
    @pytest.mark.parametrize("forged", FORGERIES)
    def test_that_no_page_of_ours_sent_is_refused_and_changes_nothing(
        self, door: Door, world: World, forged: str
    ) -> None:
        before = digest(world.house.engine, NOT_A_CHANGE)
        for cell in one_for_each_form(world):
            answer = forge(door, cell, FORGERIES[forged])
            assert answer.status_code == 403, f"{cell}: {answer.status_code}"
            assert "did not come from a page of this session" in answer.text or '"csrf"' in answer.text, answer.text
        assert changed(before, digest(world.house.engine, NOT_A_CHANGE)) == set()


def one_for_each_form(world: World) -> list[Cell]:
    """Return each address that writes, as somebody who may."""
    found: dict[str, Cell] = {}
    for cell in (*cells(world, people()), *cells_of_verbs(world, SOME)[:60]):
        is_for_who_is_in = cell.person.is_signed_in and cell.path not in ("/login", "/login/as", "/api/v1/session")
        if cell.method in ("POST", "DELETE") and not is_denied(cell) and is_for_who_is_in:
            found.setdefault(f"{cell.method} {cell.path}", cell)
    return list(found.values())


def forge(door: Door, cell: Cell, forged: dict[str, str]) -> httpx.Response:
    """Send a form as another site would make somebody's browser send it."""
    token = csrf_of(door.world.tokens[cell.person.name])
    headers = {name: value for name, value in forged.items() if name != "csrf"}
    if "origin" in headers:  # who sends no Sec-Fetch-Site is judged by the origin
        headers["sec-fetch-site"] = ""
    said_token = forged.get("csrf", token)
    if cell.is_form:
        return door.ask("POST", cell.path, cell.person, data={"csrf": said_token}, headers=headers)
    headers |= {"x-csrf-token": said_token, "idempotency-key": key(), "if-match": '"1"'}
    body = _body(door.world, cell)
    sent = _file(door.world, cell) if cell.body in ("file", "evidence") else {"json": body}
    return door.ask(cell.method, cell.path, cell.person, headers=headers, **sent)


METHODS = ("GET", "POST", "PUT", "DELETE")


def answering(path: str) -> set[str]:
    """Return the methods that an address takes, by every route that it fits."""
    found: set[str] = set()
    for prefix, routers in ((API_PREFIX, API), ("", PAGES)):
        if not path.startswith(prefix):
            continue
        for router in routers:
            for route in router.routes:
                assert isinstance(route, APIRoute)
                if route.path_regex.fullmatch(path.removeprefix(prefix)):
                    found |= route.methods or set()
    return found


class TestAMethod:
    def test_that_an_address_does_not_know_is_405_with_those_that_it_knows(self, door: Door, world: World) -> None:
        admin = Person(Role.ADMIN, Role.ADMIN, Place.EVERYWHERE)
        before = digest(world.house.engine, NOT_A_CHANGE)
        for path in sorted({one.path.partition("?")[0] for one in (*cells(world, (admin,)), *nouns(world))}):
            known = answering(path)
            for method in sorted(set(METHODS) - known):
                answer = door.ask(method, path, admin)
                assert answer.status_code == 405, f"{method} {path}: {answer.status_code}"
                assert {one.strip() for one in answer.headers["allow"].split(",")} == known, f"{method} {path}"
                is_for_programs = path.startswith(f"{API_PREFIX}/")
                assert answer.headers["content-type"].startswith(PROBLEM if is_for_programs else "text/html")
                assert ("method_not_allowed" if is_for_programs else "此地址不支持该方法") in answer.text
        assert changed(before, digest(world.house.engine, NOT_A_CHANGE)) == set()


def nouns(world: World) -> list[Cell]:
    """Return the addresses of a noun and of a verb."""
    number = world.ref("projects")
    paths = (f"{API_PREFIX}/projects/{number}", f"/projects/{number}/do/advance")
    return [Cell("GET", path, NOBODY, Verdict.HIDDEN) for path in paths]
