"""The history of projects as a stream of events: what each act was, on which object, of which project. Read-only."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from lifecycle.permissions import PERMISSIONS
from models.evidence import Evidence
from models.journal import AuditRecord, CommandRecord
from models.people import Organisation, User
from models.projects import Project, Requirement, StageRun
from models.reviews import Review
from models.trials import TrialBatch

Order: TypeAlias = Literal["time", "project"]

REFUSED = ".refused"
_SAID = ("reason", "answer", "disposition")
"""Where an audit row keeps the words that somebody gave."""
_NAMED = ("clause", "number", "verification", "site", "reference", "label", "name", "item", "role", "type")
"""Where an act on the project itself says what it is about."""
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act that was carried out, or the refusal of one that somebody had no right to."""

    seq: int
    at: datetime
    action: str
    """`project.advance`, `evidence.add` …; of a refusal `project.advance.refused`."""
    object_type: str
    object_id: UUID
    project_id: UUID
    project_number: str
    from_state: str
    to_state: str
    actor: str
    """Login of who acted; `clock` for scheduled work."""
    actor_name: str
    door: str
    command_id: str
    verb: str
    """What was asked: one command may leave several acts."""
    about: str
    """Clause, gate, evidence type or batch of the object, else what the act itself names."""
    reason: str
    """What was said about it: reason, answer, disposition."""
    codes: tuple[str, ...]
    """Why it was refused; empty for what was carried out."""

    @property
    def is_refused(self) -> bool:
        """Say whether nothing but this row came of it."""
        return self.action.endswith(REFUSED)


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
_ABOUT = {"requirement": "clause", "review": "gate", "evidence": "type", "trial_batch": "number"}


def told(session: Session, project_id: UUID, *, after: int = 0, before: int = 0) -> Iterator[tuple[Event, int]]:
    """Yield the acts on a project as people tell them, with the seq of the last row before each.

    One for each command and each refusal; of what followed from a command only what is a verb of its own.
    """
    last, command = after, ("", "")
    for event in events(session, order="time", only=frozenset({project_id}), after=after, before=before):
        mine = (event.actor, event.command_id)
        if mine != command or event.action in PERMISSIONS:
            yield event, last
        last, command = event.seq, mine


def latest(
    session: Session,
    project_id: UUID,
    *,
    limit: int,
    before: int = 0,
    fits: Callable[[Event], bool] = lambda _event: True,
) -> tuple[list[Event], bool]:
    """Return the newest acts on a project as people tell them, the newest first, and whether there are more.

    Only those that fit, and were written before a seq where one is given. Only the end of the trail is read: more of
    it where one command left many rows, or few fit.
    """
    audit, wanted = _table(AuditRecord), 4 * limit
    while True:
        newest = select(audit.c.seq).where(_of(frozenset({project_id}))).order_by(audit.c.seq.desc())
        newest = newest.where(audit.c.seq < before) if before else newest
        bound = session.execute(newest.offset(wanted).limit(1)).scalar()
        acts = (event for event, _ in told(session, project_id, after=bound or 0, before=before))
        found = [event for event in acts if fits(event)]
        if bound is None:
            return found[: -limit - 1 : -1], len(found) > limit
        if len(found) > limit:  # the oldest of them may be the rest of a command that began before
            return found[: -limit - 1 : -1], True
        wanted *= 4


def events(
    session: Session, *, order: Order, only: frozenset[UUID] = frozenset(), after: int = 0, before: int = 0
) -> Iterator[Event]:
    """Yield every act on a project or on what belongs to it, and every refusal, a thousand rows at a time.

    In the order of time, or project by project (what a case-based log needs). With `only`: those projects; with
    `after` and `before`: what was written between these.
    """
    statement = _statement(only).where(_table(AuditRecord).c.seq > after)
    statement = statement.where(_table(AuditRecord).c.seq < before) if before else statement
    audit, project = _table(AuditRecord), _table(Project)
    keys = (audit.c.seq,) if order == "time" else (project.c.number, audit.c.seq)
    rows = session.execute(statement.order_by(*keys), execution_options={"yield_per": _AT_A_TIME})
    for row in rows:
        detail = json.loads(row.body)["detail"]
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
            actor_name=row.actor_name or "",
            door=str(row.door),
            command_id=row.command_id,
            verb=row.action if row.action in PERMISSIONS else row.verb or row.action.removesuffix(REFUSED),
            about=row.about or next((str(detail[key]) for key in _NAMED if detail.get(key)), ""),
            reason=next((str(detail[key]) for key in _SAID if detail.get(key)), ""),
            codes=tuple(detail.get("codes", ())),
        )


def _statement(only: frozenset[UUID]) -> Select[Any]:
    audit, project, user = _table(AuditRecord), _table(Project), _table(User)
    owners = {name: _table(model) for name, model in OWNED.items()}
    joined: Any = audit
    for name, table in owners.items():
        joined = joined.outerjoin(table, (audit.c.object_type == name) & (audit.c.object_id == table.c.id))
    owner = func.coalesce(*(table.c.project_id for table in owners.values()), audit.c.object_id)
    joined = joined.join(project, project.c.id == owner).outerjoin(user, user.c.id == audit.c.actor_id)
    command = _table(CommandRecord)
    asked = (command.c.actor_id == audit.c.actor_id) & (command.c.command_id == audit.c.command_id)
    about = (owners[name].c[column] for name, column in _ABOUT.items())
    columns = [audit.c[name] for name in ("seq", "at", "action", "object_type", "object_id", "from_state", "to_state")]
    statement = select(
        *columns,
        audit.c.door,
        audit.c.command_id,
        audit.c.body,
        command.c.verb,
        func.coalesce(*about).label("about"),
        project.c.id.label("project_id"),
        project.c.number,
        user.c.login,
        user.c.name.label("actor_name"),
    ).select_from(joined.outerjoin(command, asked))
    return statement.where(_of(only)) if only else statement


def _of(only: frozenset[UUID]) -> Any:
    """Return the condition that finds the rows of a few projects by the objects they own, not among all rows."""
    audit = _table(AuditRecord)
    own = (audit.c.object_type == "project") & audit.c.object_id.in_(only)
    owned = (
        (audit.c.object_type == name)
        & audit.c.object_id.in_(select(_table(model).c.id).where(_table(model).c.project_id.in_(only)))
        for name, model in OWNED.items()
    )
    return or_(own, *owned)


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
