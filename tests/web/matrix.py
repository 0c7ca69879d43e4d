"""The world of the matrix: one of each thing, somebody in each role here and elsewhere, a door that asks cheaply."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from lifecycle.access.queries import fingerprint
from lifecycle.actor import Actor
from lifecycle.people.commands import AddOrganisation, AddToken, AddUser, DisableUser, EnableUser, GrantRole
from lifecycle.people.queries import standards
from lifecycle.permissions import PARTIES_OF_ROLE
from lifecycle.projects.commands import NameParty, Submit
from lifecycle.reviews.commands import CallReview
from lifecycle.writing import insert_rows
from models.access import OutsideIdentity, WebSession
from models.db import reading, transaction
from models.ids import new_id
from models.reading import table_of
from models.states import Door as DoorName
from models.states import OrganisationKind, ProjectState, Role, Scope, SignInKind
from tests import factories as make
from tests import payments as pay
from tests.factories import EVERYWHERE, SEATS, House, key
from tests.lifecycle import ending_recipes as ending
from tests.lifecycle.delivery_recipes import endpoints
from tests.lifecycle.recipes import propose_standard
from tests.web.browser import ADDRESS
from tests.web.rights import Person, Place
from web.cookies import SESSION as COOKIE
from web.nouns import NOUNS
from web.render import hashed_name
from web.session import csrf_of

NOBODY = Person("nobody")
ANONYMOUS = Person("anonymous", is_signed_in=False)
_ELSEWHERE = {
    "sme": "other firm",
    "platform": "other platform",
    "funder": "other funder",
    "programme": "other funder",
    "receiver": "other receiver",
}
_SAME = {"sec-fetch-site": "same-origin", "origin": ADDRESS}


def people() -> tuple[Person, ...]:
    """Return somebody in each role at the things' own organisations and at others, who holds none, and nobody."""
    here, elsewhere = [], []
    for role in Role:
        if role in EVERYWHERE:
            here.append(Person(role, role, Place.EVERYWHERE))
        elif role is Role.CUSTOMER_REP:  # named for nothing here
            here.append(Person(role, role, Place.ELSEWHERE))
            continue
        else:
            here.append(Person(role, role, Place.HERE))
        elsewhere.append(Person(f"{role} elsewhere", role, Place.ELSEWHERE))
    return (*here, *elsewhere, NOBODY, ANONYMOUS)


@dataclass(slots=True)
class World:
    """What is asked for."""

    house: House
    rows: dict[str, Any] = field(default_factory=dict)
    """Noun -> row."""
    parts: dict[str, str] = field(default_factory=dict)
    """Part of an address -> value, where no noun says it."""
    tokens: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, UUID] = field(default_factory=dict)

    def ref(self, noun: str) -> str:
        """Return how people name the thing of a noun."""
        return NOUNS[noun].ref(self.rows[noun])


def a_world(house: House) -> World:
    """Build one of each thing that a page or a program can ask for."""
    world = World(house)
    project, review = _reviewed(house)
    (payout,) = pay.payouts(house)
    others = {
        "other funder": OrganisationKind.FUNDER,
        "other receiver": OrganisationKind.RECEIVER,
    }
    made = house.do(*(AddOrganisation(command_id=key(), name=name, kind=kind) for name, kind in others.items()))
    house.parties |= dict(zip(others, make.ids_of(made), strict=True))
    receiver = house.parties["receiver"]
    house.do(NameParty(command_id=key(), project_id=project, party="receiver", organisation_id=receiver))
    paper = UUID(str(house.rows("SELECT id FROM evidence WHERE project_id = :id", id=str(project))[0].id))
    (order,) = ending.orders(house, 1)
    fund = pay.payer_of(house, payout)
    (statement,) = make.ids_of(house.do(pay.take(fund)))
    (line,) = pay.set_aside(house, statement)
    asked = house.rows("SELECT milestone_id, payee_account_id FROM payout WHERE id = :id", id=str(payout))[0]
    milestone = UUID(str(asked.milestone_id))
    agreement = UUID(house.one("SELECT agreement_id FROM v_milestone WHERE id = :id", id=str(milestone)))
    (cost,) = make.stated(house, agreement)
    ids = {
        "projects": project,
        "reviews": review,
        "payouts": payout,
        "funds": fund,
        "milestones": milestone,
        "agreements": agreement,
        "costs": cost,
        "recoveries": order,
        "payees": UUID(str(asked.payee_account_id)),
        "payment-batches": pay.batches(house)[0],
        "statements": statement,
        "exceptions": pay.case_of(house, line),
        "webhooks": endpoints(house, 1)[0],
        "users": house.people["disabled"].user_id,
        "organisations": house.parties["sme"],
        "standard-drafts": _draft(house),
    }
    _others(house)
    with reading(house.engine) as session:
        for path, noun in NOUNS.items():
            table = table_of(noun.subject)
            wanted = select(table).where(table.c.id == ids[path]) if path in ids else select(table)
            world.rows[path] = session.execute(wanted).one()
        version = next(one["version"] for one in standards(session) if one["code"] == "default")
    number = house.one("SELECT number FROM trial_batch WHERE project_id = :id", id=str(project))
    grant = UUID(str(house.one("SELECT id FROM role_grant WHERE user_id = :id", id=str(ids["users"]))))
    second, token, identity = _belongings(house, ids["users"])
    world.parts = {
        "evidence": str(paper),
        "clause": "G2.1",
        "number": str(number),
        "code": "default",
        "version": version,
        "form": "json",
        "name": hashed_name("app.css"),
        "command_id": key(),
        "run_id": key(),
        "row_id": str(grant),
        "grant_id": str(second),
        "token_id": str(token),
        "identity": str(identity),
        "token": "a-link-that-nobody-was-sent",
        "tag": "projects",
        "key_id": key(),
        "sha256": "0" * 64,
        "programme": "default",
        "period": "2025-Q2",
        "platform": str(house.parties["platform"]),
    }
    return world


def _reviewed(house: House) -> tuple[UUID, UUID]:
    """Return a project with a trial batch and papers, and the review that was called at its gate."""
    (project,) = make.projects(house, stage=ProjectState.FEASIBILITY, pack="lean")
    make.batches(house, project)
    make.meet_lean_gate(house, project)
    house.do(Submit(command_id=key(), project_id=project), by=Role.PROJECT_LEAD)
    call = CallReview(command_id=key(), project_id=project, planned_on=house.today, panel=make.panel(house))
    (review,) = make.ids_of(house.do(call, by=Role.COORDINATOR))
    return project, review


def _draft(house: House) -> UUID:
    """Return a draft of a standard by an editor who is asked for nothing else: everybody else may publish it."""
    (author,) = make.ids_of(house.do(AddUser(command_id=key(), login="author", email="author@example.org", name="A")))
    platform = house.parties["platform"]
    house.do(GrantRole(command_id=key(), user_id=author, role=Role.STANDARD_EDITOR, organisation_id=platform))
    house.people["author"] = Actor(user_id=author, person_id=author, name="author", door=DoorName.CLI)
    (draft,) = make.ids_of(house.do(*propose_standard(house, 1), by="author"))
    return draft


def _belongings(house: House, user_id: UUID) -> tuple[UUID, UUID, UUID]:
    """Return a further role of a closed account, a token, and a name under which a provider knows it."""
    role = GrantRole(
        command_id=key(), user_id=user_id, role=Role.EHS_OFFICER, organisation_id=house.parties["platform"]
    )
    ends = house.now + timedelta(days=30)
    token = AddToken(
        command_id=key(), user_id=user_id, token_sha256=fingerprint("theirs"), expires_at=ends, scopes=(Scope.READ,)
    )
    house.do(EnableUser(command_id=key(), user_id=user_id))
    house.do(role, token)
    house.do(DisableUser(command_id=key(), user_id=user_id))
    identity = new_id()
    known = {"id": identity, "user_id": user_id, "issuer": "https://id.example.org", "subject": "7"}
    with transaction(house.engine) as session:
        insert_rows(session, OutsideIdentity, [{**known, "created_at": house.now}])
    asked = "SELECT id FROM role_grant WHERE user_id = :id AND role = 'ehs_officer'"
    kept = house.one("SELECT id FROM api_token WHERE user_id = :id", id=str(user_id))
    return UUID(str(house.one(asked, id=str(user_id)))), UUID(str(kept)), identity


def _others(house: House) -> None:
    """Let somebody in each role work for an organisation that has no part in anything of these tests."""
    wanted = [one for one in people() if one.name not in house.people and one.is_signed_in]
    logins = [one.name.replace(" ", ".") for one in wanted]
    users = house.do(
        *(AddUser(command_id=key(), login=login, email=f"{login}@example.org", name=login) for login in logins)
    )
    for one, user_id in zip(wanted, make.ids_of(users), strict=True):
        if one.role is None:
            continue
        role = one.role
        party = _ELSEWHERE[PARTIES_OF_ROLE[role][0]] if role in PARTIES_OF_ROLE else "other firm"
        at = None if role in SEATS else house.parties[party]
        house.do(GrantRole(command_id=key(), user_id=user_id, role=role, organisation_id=at))
        house.people[one.name] = Actor(user_id=user_id, person_id=user_id, name=one.name, door=DoorName.CLI)


def let_in(world: World, names: Iterable[str]) -> None:
    """Begin a session for each of these people, proven for decisions about money, last seen two minutes ago."""
    house, rows = world.house, []
    for name in names:
        token = f"token of {name}"
        world.tokens[name], world.sessions[name] = token, new_id()
        rows.append(
            {
                "id": world.sessions[name],
                "user_id": house.people[name].user_id,
                "token_sha256": fingerprint(token),
                "kind": SignInKind.PERSONA,
                "created_at": house.now - timedelta(minutes=3),
                "seen_at": house.now - timedelta(minutes=2),
                "expires_at": house.now + timedelta(hours=8),
                "stepped_up_until": house.now + timedelta(minutes=5),
                "address": "192.0.2.1",
                "agent": "",
            }
        )
    with transaction(house.engine) as session:
        insert_rows(session, WebSession, rows)


class Door:
    """Asks the application in this process, as whoever is named."""

    def __init__(self, app: FastAPI, world: World) -> None:
        self.world = world
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.1", 1234))
        self._client = httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def ask(self, method: str, path: str, person: Person, **more: Any) -> httpx.Response:
        """Send one request as a page of this person's session would."""
        token = self.world.tokens.get(person.name, "")
        headers = {"accept-language": "en", **_SAME, **more.pop("headers", {})}
        if token:
            headers["cookie"] = f"{COOKIE}={token}"
        self._client.cookies.clear()  # what one person was given goes with no other's request
        return self._runner.run(self._client.request(method, path, headers=headers, **more))

    def send(self, path: str, person: Person, **typed: Any) -> httpx.Response:
        """Send a form of this person's session."""
        token = self.world.tokens.get(person.name, "")
        return self.ask("POST", path, person, data={"csrf": csrf_of(token), "command_id": key(), **typed})

    def call(self, path: str, person: Person, body: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Send what a program sends."""
        token = self.world.tokens.get(person.name, "")
        headers = {"x-csrf-token": csrf_of(token), "idempotency-key": key(), **more.pop("headers", {})}
        sent = more or {"json": dict(body or {})}
        return self.ask("POST", path, person, headers=headers, **sent)
