"""A small installation with history, made through the engine: a programme on the bare standard, and projects on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from lifecycle import verbs
from lifecycle.actor import Actor
from lifecycle.calendar import Calendar
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.engine import execute
from lifecycle.installation import initialise, write_edges
from lifecycle.people.commands import AddOrganisation, AddProgramme, AddUser, GrantRole, PublishStandard
from lifecycle.projects.commands import Advance, PutOnHold, Recycle, Resume
from lifecycle.projects.registration import RegisterProject
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.db import transaction
from models.ids import new_id
from models.states import Door, OrganisationKind, Role

NOW = datetime(2025, 7, 8, 1, 0, tzinfo=UTC)


@dataclass(slots=True)
class World:
    """The engine's door for tests: acts as the clock, unless a stamp says otherwise."""

    engine: Engine
    now: datetime = NOW
    actor: Actor = field(default_factory=lambda: Actor.clock(Door.CLI))
    keys: Any = field(default_factory=lambda: count(1))

    def stamp(self) -> Stamp:
        """Return a stamp of the world's present minute."""
        today = (self.now + timedelta(hours=8)).date()
        return Stamp(now=self.now, today=today, actor=self.actor, calendar=Calendar(), new_id=new_id)

    def key(self) -> str:
        """Return an idempotency key that nobody used before."""
        return f"key-{next(self.keys)}"

    def act(self, *commands: Command) -> list[Answer]:
        """Carry the commands out in one transaction, a minute later than the last ones."""
        self.now += timedelta(minutes=1)
        with transaction(self.engine) as session:
            return execute(session, commands, stamp=self.stamp())

    def done(self, *commands: Command) -> list[UUID]:
        """Carry the commands out and return the ids of their subjects; a refusal is an error of the test."""
        answers = self.act(*commands)
        refused = [answer.error for answer in answers if answer.error is not None]
        if refused:
            raise refused[0]
        return [UUID(answer.document["object_id"]) for answer in answers]


def a_world(engine: Engine, pack: Pack | None = None) -> tuple[World, UUID, UUID]:
    """Return a world with one firm and one programme, and the ids of both."""
    world = World(engine)
    with transaction(engine) as session:
        initialise(session, mode="rehearsal", now=world.now, new_id=new_id)
        write_edges(session, verbs.all_edges())
    asked = pack or library.bare()
    world.done(PublishStandard(command_id=world.key(), sha256=library.sha256(asked), body=asked.canonical()))
    (firm,) = world.done(AddOrganisation(command_id=world.key(), name="甲公司", kind=OrganisationKind.SME))
    (programme,) = world.done(
        AddProgramme(command_id=world.key(), code="P1", name="Pilot", pack_sha256=library.sha256(asked))
    )
    (user,) = world.done(AddUser(command_id=world.key(), login="lead", email="lead@example.org", name="Li"))
    world.done(GrantRole(command_id=world.key(), user_id=user, role=Role.PROJECT_LEAD, organisation_id=firm))
    return world, programme, firm


def some_projects(world: World, programme: UUID, firm: UUID, many: int) -> Sequence[UUID]:
    """Register projects and move them about: the first ones far, one of them back again."""
    asked = [
        RegisterProject(command_id=world.key(), programme_id=programme, organisation_id=firm, name=f"Project {number}")
        for number in range(many)
    ]
    projects = world.done(*asked)
    for place, project in enumerate(projects):
        for _ in range(max(0, 3 - place)):
            world.done(Advance(command_id=world.key(), project_id=project, reason="the gate is passed"))
    until_on = world.stamp().today + timedelta(days=30)
    world.done(
        PutOnHold(command_id=world.key(), project_id=projects[0], code="partner", reason="waits", until_on=until_on)
    )
    world.done(Resume(command_id=world.key(), project_id=projects[0], reason="is back"))
    world.done(Recycle(command_id=world.key(), project_id=projects[0], code="other", reason="once more"))
    return projects
