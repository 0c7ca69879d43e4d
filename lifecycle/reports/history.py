"""The history of projects as a stream of events: what each act was, on which object, of which project. Read-only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlmodel import Session

from models.evidence import Evidence
from models.journal import AuditRecord
from models.people import Organisation, User
from models.projects import Project, Requirement, StageRun
from models.reviews import Review
from models.trials import TrialBatch

Order: TypeAlias = Literal["time", "project"]

REFUSED = ".refused"
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act that was carried out."""

    seq: int
    at: datetime
    action: str
    """`project.advance`, `evidence.add` …"""
    object_type: str
    object_id: UUID
    project_id: UUID
    project_number: str
    from_state: str
    to_state: str
    actor: str
    """Login of who acted; `clock` for scheduled work."""
    door: str
    command_id: str


def _table(model: Any) -> Any:
    return model.__table__


OWNED: dict[str, Any] = {
    "stage_run": StageRun,
    "requirement": Requirement,
    "review": Review,
    "evidence": Evidence,
    "trial_batch": TrialBatch,
}
"""Objects that belong to one project."""


def events(session: Session, *, order: Order, only: frozenset[UUID] = frozenset()) -> Iterator[Event]:
    """Yield every act on a project or on what belongs to it, a thousand rows at a time.

    In the order of time, or project by project (what a case-based log needs). With `only`: those projects.
    """
    statement = _statement(only)
    audit, project = _table(AuditRecord), _table(Project)
    keys = (audit.c.seq,) if order == "time" else (project.c.number, audit.c.seq)
    rows = session.execute(statement.order_by(*keys), execution_options={"yield_per": _AT_A_TIME})
    for row in rows:
        yield Event(
            seq=row.seq,
            at=row.at,
            action=row.action,
            object_type=row.object_type,
            object_id=row.object_id,
            project_id=row.project_id,
            project_number=row.number,
            from_state=row.from_state,
            to_state=row.to_state,
            actor=row.login or "clock",
            door=str(row.door),
            command_id=row.command_id,
        )


def _statement(only: frozenset[UUID]) -> Select[Any]:
    audit, project, user = _table(AuditRecord), _table(Project), _table(User)
    owners = {name: _table(model) for name, model in OWNED.items()}
    joined: Any = audit
    for name, table in owners.items():
        joined = joined.outerjoin(table, (audit.c.object_type == name) & (audit.c.object_id == table.c.id))
    owner = func.coalesce(*(table.c.project_id for table in owners.values()), audit.c.object_id)
    joined = joined.join(project, project.c.id == owner).outerjoin(user, user.c.id == audit.c.actor_id)
    columns = [audit.c[name] for name in ("seq", "at", "action", "object_type", "object_id", "from_state", "to_state")]
    statement = (
        select(
            *columns,
            audit.c.door,
            audit.c.command_id,
            project.c.id.label("project_id"),
            project.c.number,
            user.c.login,
        )
        .select_from(joined)
        .where(~audit.c.action.like(f"%{REFUSED}"))
    )
    return statement.where(project.c.id.in_(only)) if only else statement


def projects(session: Session, only: frozenset[UUID] = frozenset()) -> Iterator[Any]:
    """Yield number, name, stage and parties of each project, in the order of numbers."""
    project, organisation = _table(Project), _table(Organisation)
    statement = (
        select(
            project.c.id,
            project.c.number,
            project.c.name,
            project.c.stage,
            project.c.received_on,
            project.c.organisation_id,
            project.c.platform_id,
            organisation.c.name.label("applicant"),
        )
        .select_from(project.outerjoin(organisation, organisation.c.id == project.c.organisation_id))
        .order_by(project.c.number)
    )
    if only:
        statement = statement.where(project.c.id.in_(only))
    yield from session.execute(statement, execution_options={"yield_per": _AT_A_TIME})


def objects(session: Session, kind: str, only: frozenset[UUID] = frozenset()) -> Iterator[Any]:
    """Yield (id, project id) of the objects of one kind that somebody acted on."""
    table, project = _table(OWNED[kind]), _table(Project)
    statement = select(table.c.id, table.c.project_id).where(table.c.audit_seq > 0).order_by(table.c.id)
    if only:
        statement = statement.join(project, project.c.id == table.c.project_id).where(project.c.id.in_(only))
    yield from session.execute(statement, execution_options={"yield_per": _AT_A_TIME})
