"""Who may what: every address of the console and of the API, for everybody, as `tests/web/rights.py` declares it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from models.states import Role
from tests.conftest import copied_into
from tests.digest import changed, digest
from tests.factories import House, key
from tests.web.conftest import console_of
from tests.web.matrix import ANONYMOUS, NOBODY, Door, World, a_world, let_in, people
from tests.web.rights import EACH_NOUN, EACH_VERB, READERS, ROUTES, Person, Place, Right, Verdict, of_verb, verdict
from web.app import API, API_PREFIX, PAGES
from web.nouns import NOUNS

NOT_A_CHANGE = frozenset({"web_session.seen_at"})
"""When a session was last used moves by itself, at most once in a minute; everything else is somebody's act."""
OF_A_REFUSAL = NOT_A_CHANGE | {"audit_record", "audit_seq", "audit_head"}
"""A refusal is recorded in the trail of what it was about, and moves nothing else."""
_PART = re.compile(r"{(\w+)}")


def addresses() -> list[tuple[str, str]]:
    """Return (method, address) of every route of the application."""
    found = []
    for prefix, routers in ((API_PREFIX, API), ("", PAGES)):
        for router in routers:
            for route in router.routes:
                assert isinstance(route, APIRoute), f"{route} is no route of ours"
                found += [(method, f"{prefix}{route.path}") for method in sorted(route.methods)]
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
    """Give its console."""
    return console_of(world.house, files=tmp_path_factory.mktemp("files"))


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
        if name in EACH_NOUN or name in EACH_VERB:
            continue
        right = ROUTES[name]
        path = filled(address, right, world)
        is_form = method == "POST" and not address.startswith(API_PREFIX)
        found += [Cell(method, path, one, verdict(right, one), is_form, right.body) for one in asked]
    return found


def cells_of_nouns(world: World, asked: tuple[Person, ...]) -> list[Cell]:
    """Return the addresses that every noun has for programs."""
    found = []
    for path, noun in NOUNS.items():
        begin = f"{API_PREFIX}/{path}/{world.ref(path)}"
        for one in asked:
            reads = verdict(Right(reads=path), one)
            shown = reads if noun.view or reads is Verdict.SIGN_IN else Verdict.HIDDEN
            found += [Cell("GET", begin, one, shown), Cell("GET", f"{begin}/commands", one, reads)]
    return found


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
        headers = {"x-csrf-token": _csrf(door, cell.person)}
        return door.ask(cell.method, cell.path, cell.person, headers=headers)
    if cell.is_form:
        return door.send(cell.path, cell.person, **_form(door.world, cell.path))
    if cell.body == "file":
        return door.call(cell.path, cell.person, files={"file": ("a.csv", b"x")})
    headers = {"if-match": f'"{_version(door.world, cell)}"'}
    return door.call(cell.path, cell.person, _body(door.world, cell), headers=headers)


def _csrf(door: Door, person: Person) -> str:
    from web.session import csrf_of

    return csrf_of(door.world.tokens.get(person.name, ""))


def _form(world: World, path: str) -> dict[str, Any]:
    if path.endswith("/together"):
        return {"word": "approve", "id": str(world.rows["payouts"].id), "total": "1"}
    if path.endswith("/decide"):
        return {"verb": "approve", "amount_minor": "1"}
    if path.endswith("/do/evidence-add"):
        return {"type": "paper"}
    return {}


def _version(world: World, cell: Cell) -> int:
    """Return the version that is said to have been seen: a wrong one where only that keeps a request from success."""
    if not is_denied(cell):
        return 999
    row = world.rows.get("payouts" if cell.body else cell.path.split("/")[3], world.rows["payouts"])
    return int(row.version)


def _body(world: World, cell: Cell) -> dict[str, Any]:
    payout, name = world.rows["payouts"], cell.body
    if name == "payout":
        ids = {one: str(getattr(payout, one)) for one in ("project_id", "milestone_id", "payee_account_id")}
        return {**ids, "amount_minor": 1, "currency": "CNY", "purpose": "milestone"}
    if name == "several":
        item = {"id": str(payout.id), "version": _version(world, cell), "payload_hash": payout.payload_hash}
        return {"items": [item], "total_minor": int(payout.amount_minor)}
    return {}


def said(answer: httpx.Response) -> Verdict | str:
    """Return the verdict that an answer is; its status where it is none."""
    status = answer.status_code
    if status == 401 or (status == 303 and answer.headers["location"].startswith("/login?")):
        return Verdict.SIGN_IN
    if status == 403:
        return Verdict.FORBIDDEN
    if status == 404:
        return Verdict.HIDDEN
    return Verdict.THROUGH if status < 500 and status != 405 else str(status)


def wrong(door: Door, asked: list[Cell]) -> list[str]:
    """Return which of these are answered otherwise than declared."""
    found = []
    for cell in asked:
        answer = said(asked_for(door, cell))
        if answer != cell.expected:
            found.append(f"{cell}: {cell.expected} is declared, {answer} was said")
    return found


def is_denied(cell: Cell) -> bool:
    """Say whether the declaration refuses a request."""
    return cell.expected is not Verdict.THROUGH


def changing(door: Door, asked: list[Cell], without: frozenset[str]) -> list[str]:
    """Return which of these requests change the database; a batch that does is asked again one by one."""
    engine = door.world.house.engine
    before = digest(engine, without)
    for cell in asked:
        asked_for(door, cell)
    after = digest(engine, without)
    if not changed(before, after):
        return []
    found = []
    for cell in asked:
        before = after
        asked_for(door, cell)
        after = digest(engine, without)
        if tables := changed(before, after):
            found.append(f"{cell} changes {sorted(tables)}")
    return found or ["together they change the database, none of them alone"]


FEW = (
    ANONYMOUS,
    NOBODY,
    Person(Role.COORDINATOR, Role.COORDINATOR, Place.HERE),
    Person(Role.FUND_MANAGER, Role.FUND_MANAGER, Place.HERE),
    Person(f"{Role.PROJECT_LEAD} elsewhere", Role.PROJECT_LEAD, Place.ELSEWHERE),
)


class TestTheDeclaration:
    def test_has_a_row_for_every_address(self) -> None:
        known = {*ROUTES, *EACH_NOUN, *EACH_VERB}
        asked = {f"{method} {address}" for method, address in addresses()}

        assert sorted(asked - known) == [], "say in tests/web/rights.py who may open these"
        assert sorted(known - asked) == []

    def test_says_who_reads_every_noun(self) -> None:
        assert sorted(READERS) == sorted(NOUNS)


class TestEveryAddress:
    def test_says_to_a_few_what_is_declared(self, door: Door, world: World) -> None:
        asked = [one for one in cells(world, FEW) if is_denied(one) or one.method == "GET"]

        assert wrong(door, asked) == []
        assert changing(door, asked, OF_A_REFUSAL) == []
