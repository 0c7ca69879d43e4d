"""Projects for lists and pages: plain rows, a fixed number of reads for any number of projects."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, True_, func, literal, or_, select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.projects.cohort import Cohort
from lifecycle.projects.facts import ProjectFacts, gate_facts
from models.holds import Hold
from models.journal import Transition
from models.people import Organisation, User
from models.programmes import Programme, StandardPack
from models.projects import Project, ProjectMember, Requirement, StageRun
from models.reading import beside
from models.states import ENDED, ProjectState, VerdictState
from models.types import says

_PASSING = (VerdictState.MET, VerdictState.WAIVED)


def portfolio(session: Session, *, today: date, stage: ProjectState | None = None) -> list[dict[str, Any]]:
    """Return every project with stage, due day, hold and the number of open requirements as last judged, by number."""
    project, run, organisation = _table(Project), _table(StageRun), _table(Organisation)
    open_requirements = _open_requirements()
    statement = (
        select(
            project.c.id,
            project.c.number,
            project.c.name,
            organisation.c.name.label("organisation"),
            project.c.stage,
            _is_on_hold(today).label("is_on_hold"),
            run.c.due_on,
            func.coalesce(open_requirements.c.unmet, 0).label("unmet"),
        )
        .outerjoin(organisation, organisation.c.id == project.c.organisation_id)
        .outerjoin(run, run.c.id == project.c.stage_run_id)
        .outerjoin(open_requirements, open_requirements.c.stage_run_id == project.c.stage_run_id)
        .order_by(project.c.number)
    )
    if stage is not None:
        statement = statement.where(project.c.stage == stage)
    return [{**row._mapping, "is_on_hold": bool(row.is_on_hold)} for row in session.execute(statement)]  # noqa: SLF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One project on a board or in a list."""

    id: UUID
    number: str
    name: str
    organisation: str | None
    platform: str | None
    programme_id: UUID
    stage: ProjectState
    opened_on: date | None
    due_on: date | None
    is_on_hold: bool
    pack_sha256: str
    open_count: int
    """Requirements of the present visit that were not met as last judged."""
    owed_by: Mapping[str, int]
    """Party -> of how many of them it owes the next step; the one that owes most first."""
    shared_count: int
    """How many of them several parties owe together: each of these counts for every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Cohort):
    """Which projects a list asks for."""

    text: str = ""
    """Part of a number, a project's or a firm's name."""
    stage: ProjectState | None = None
    is_overdue: bool = False
    is_on_hold: bool = False
    owed_by: str = ""
    """Party that owes the next step on something its present gate lacks, as last judged."""
    due_since: date | None = None
    """First day on which the present stage is due."""
    due_before: date | None = None
    """Day behind the last one."""

    @property
    def is_about_a_day(self) -> bool:
        """Say whether only projects fit whose present visit has a day: none that has ended."""
        return self.is_overdue or self.due_since is not None or self.due_before is not None

    @property
    def is_narrowed(self) -> bool:
        """Say whether more is asked for than a stage of what the reader may see."""
        return any(getattr(self, one.name) for one in fields(self) if one.name not in {"reach", "stage"})


def cards(session: Session, wanted: Wanted, *, today: date, limit: int, after: str = "") -> list[Card]:
    """Return at most `limit` of the projects asked for, by number behind `after`."""
    project, run, firm = _table(Project), _table(StageRun), _alias("firm")
    found = (
        carded(project.outerjoin(run, run.c.id == project.c.stage_run_id), firm, today)
        .where(*asked_for(wanted, today, firm))
        .order_by(project.c.number)
    )
    if after:
        found = found.where(project.c.number > after)
    return cards_of(session, session.execute(found.limit(limit)).all())


def carded(source: Any, firm: Any, today: date) -> Select[Any]:
    """Return the statement that reads cards from projects and their present visits; `firm` is the applicant's alias."""
    project, run, platform = _table(Project), _table(StageRun), _alias("platform")
    joined = source.outerjoin(firm, firm.c.id == project.c.organisation_id)
    return select(
        project.c.id,
        project.c.number,
        project.c.name,
        project.c.programme_id,
        project.c.stage,
        project.c.stage_run_id,
        project.c.pack_sha256,
        firm.c.name.label("organisation"),
        platform.c.name.label("platform"),
        run.c.opened_on,
        run.c.due_on,
        _is_on_hold(today).label("is_on_hold"),
    ).select_from(joined.outerjoin(platform, platform.c.id == project.c.platform_id))


def cards_of(session: Session, rows: Sequence[Any]) -> list[Card]:
    """Return the cards of rows that `carded` read, with what is open of each and who owes it: one more read for all."""
    lacks = _lacks(session, [row.stage_run_id for row in rows if row.stage_run_id is not None])
    return [_card(row, lacks.get(row.stage_run_id, ())) for row in rows]


def ids_of(wanted: Wanted, *, today: date) -> Select[Any]:
    """Return the statement that selects the ids of the projects asked for."""
    project, run, firm = _table(Project), _table(StageRun), _alias("firm")
    return (
        select(project.c.id)
        .outerjoin(firm, firm.c.id == project.c.organisation_id)
        .outerjoin(run, run.c.id == project.c.stage_run_id)
        .where(*asked_for(wanted, today, firm))
    )


def visits_of(session: Session, project_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Return project -> its visits of all stages, in their order; one read."""
    run = _table(StageRun)
    columns = (run.c.project_id, run.c.stage, run.c.opened_on, run.c.closed_on)
    statement = select(*columns).where(run.c.project_id.in_(project_ids)).order_by(run.c.opened_on, run.c.id)
    found: dict[UUID, list[Any]] = {}
    for row in session.execute(statement).mappings() if project_ids else ():
        found.setdefault(row["project_id"], []).append(row)
    return found


def is_named_in(user_id: UUID) -> ColumnElement[bool]:
    """Return the condition on `project` that somebody is named in it."""
    project, member = _table(Project), _table(ProjectMember)
    named: ColumnElement[bool] = project.c.id.in_(
        select(member.c.project_id).where(member.c.user_id == user_id, member.c.until_at.is_(None))
    )
    return named


def stages_named_in(session: Session, user_id: UUID) -> frozenset[str]:
    """Return the stages of the projects in which somebody is named."""
    project = _table(Project)
    return frozenset(
        map(str, session.execute(select(project.c.stage).where(is_named_in(user_id)).distinct()).scalars())
    )


def asked_for(wanted: Wanted, today: date, firm: Any) -> list[ColumnElement[bool]]:
    """Return the conditions on a project, its present visit and its firm that a list asks for."""
    project, run = _table(Project), _table(StageRun)
    asked = wanted.conditions()
    if wanted.text:
        parts = (project.c.number, project.c.name, firm.c.name)
        asked.append(or_(*(part.icontains(wanted.text, autoescape=True) for part in parts)))
    if wanted.stage is not None:
        stage = project.c.stage if isinstance(wanted.reach, True_) else beside(project.c.stage)
        asked.append(stage == wanted.stage)
    if wanted.is_overdue:
        asked.append(run.c.due_on < today)
    if wanted.due_since is not None:
        asked.append(run.c.due_on >= wanted.due_since)
    if wanted.due_before is not None:
        asked.append(run.c.due_on < wanted.due_before)
    if wanted.is_on_hold:
        asked.append(_is_on_hold(today))
    if wanted.owed_by:
        asked.append(_is_owed_by(wanted.owed_by))
    return asked


def _is_owed_by(party: str) -> ColumnElement[bool]:
    requirement, project = _table(Requirement), _table(Project)
    of_present = requirement.c.stage_run_id == project.c.stage_run_id
    return select(requirement.c.id).where(of_present, says(requirement.c.owed_by, party)).correlate(project).exists()


def _lacks(session: Session, runs: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Return visit -> (parties, number) of the requirements that were not met as last judged, by who owes them."""
    requirement = _table(Requirement)
    owed = (requirement.c.stage_run_id, requirement.c.owed_by)
    lacking = (requirement.c.stage_run_id.in_(runs), requirement.c.verdict.not_in(_PASSING))
    statement = select(*owed, func.count().label("many")).where(*lacking).group_by(*owed)
    found: dict[UUID, list[Any]] = {}
    for row in session.execute(statement) if runs else ():
        found.setdefault(row.stage_run_id, []).append(row)
    return found


def _card(row: Any, lacks: Sequence[Any]) -> Card:
    values = {name: value for name, value in row._mapping.items() if name != "stage_run_id"}  # noqa: SLF001
    is_on_hold = bool(values.pop("is_on_hold"))
    owed: Counter[str] = Counter()
    for one in lacks:
        owed.update(dict.fromkeys(one.owed_by or (), one.many))
    parties = dict(sorted(owed.items(), key=lambda pair: (-pair[1], pair[0])))
    return Card(
        **values,
        is_on_hold=is_on_hold,
        open_count=sum(one.many for one in lacks),
        owed_by=parties,
        shared_count=sum(one.many for one in lacks if len(one.owed_by or ()) > 1),
    )


def overview(session: Session, project_id: UUID, *, today: date) -> dict[str, Any]:
    """Return one project in full: facts, visits of stages, people named, history."""
    row = session.execute(_facts_of(project_id, today)).one()
    return {
        **row._mapping,  # noqa: SLF001
        "visits": _plain(session.execute(_visits_of(project_id))),
        "people": _plain(session.execute(_people_of(project_id))),
        "history": _plain(session.execute(_history_of(project_id))),
    }


def project_rows(session: Session, project_ids: Sequence[UUID]) -> list[Any]:
    """Return the rows of these projects as verbs read them, with their programme's own, by number."""
    project, programme = _table(Project), _table(Programme)
    statement = (
        select(project, programme.c.organisation_id.label("programme_organisation_id"), programme.c.has_fund)
        .join(programme, programme.c.id == project.c.programme_id)
        .where(project.c.id.in_(project_ids))
    )
    return list(session.execute(statement.order_by(project.c.number)))


def gates(session: Session, project_ids: Sequence[UUID], stamp: Stamp) -> list[ProjectFacts]:
    """Return what the verbs of these projects would look at now, by number: gate and entry are judged when asked."""
    rows = project_rows(session, project_ids)
    return gate_facts(session, [Task(command=None, row=row, project=row, is_locked=False) for row in rows], stamp)


def living_under(
    session: Session, pack_sha256: str, *, limit: int, reach: ColumnElement[bool] | None = None
) -> list[Any]:
    """Return projects that have not ended and have frozen a standard (id, number, name, stage), the first by number."""
    project = _table(Project)
    columns = (project.c.id, project.c.number, project.c.name, project.c.stage)
    locked = (project.c.pack_sha256 == pack_sha256, project.c.stage.not_in(ENDED))
    statement = select(*columns).where(*locked).order_by(project.c.number).limit(limit)
    return list(session.execute(statement if reach is None else statement.where(reach)))


def living_count(session: Session, pack_sha256: str, *, most: int) -> int:
    """Return how many projects that have not ended have frozen a standard, counted as far as `most`."""
    project = _table(Project)
    locked = (project.c.pack_sha256 == pack_sha256, project.c.stage.not_in(ENDED))
    some = select(literal(1)).select_from(project).where(*locked).limit(most).subquery()
    return int(session.execute(select(func.count()).select_from(some)).scalar_one())


def living_project_ids(session: Session, chunk: int) -> Iterator[list[UUID]]:
    """Yield the ids of all projects that have not ended, by number, in chunks."""
    project = _table(Project)
    statement = select(project.c.id).where(project.c.stage.not_in(ENDED)).order_by(project.c.number)
    for part in session.execute(statement).scalars().partitions(chunk):
        yield list(part)


def _open_requirements() -> Any:
    requirement = _table(Requirement)
    return (
        select(requirement.c.stage_run_id, func.count().label("unmet"))
        .where(requirement.c.verdict.not_in(_PASSING))
        .group_by(requirement.c.stage_run_id)
        .subquery()
    )


def _is_on_hold(today: date) -> Any:
    hold, project = _table(Hold), _table(Project)
    in_force = or_(hold.c.needs_decision.is_(True), hold.c.until_on >= today)
    return (
        select(hold.c.id)
        .where(hold.c.object_id == project.c.id, hold.c.lifted_at.is_(None), in_force)
        .correlate(project)
        .exists()
    )


def _facts_of(project_id: UUID, today: date) -> Select[Any]:
    project, run, programme, pack = _table(Project), _table(StageRun), _table(Programme), _table(StandardPack)
    hold = _table(Hold)
    firm, platform, receiver = (_alias(name) for name in ("firm", "platform", "receiver"))
    until = (
        select(func.max(hold.c.until_on))
        .where(hold.c.object_id == project.c.id, hold.c.lifted_at.is_(None))
        .where(or_(hold.c.needs_decision.is_(True), hold.c.until_on >= today))
        .correlate(project)
        .scalar_subquery()
    )
    return (
        select(
            project.c.id,
            project.c.number,
            project.c.name,
            programme.c.code.label("programme"),
            programme.c.name.label("programme_name"),
            (pack.c.code + "@" + pack.c.pack_version).label("standard"),
            firm.c.name.label("organisation"),
            platform.c.name.label("platform"),
            receiver.c.name.label("receiver"),
            project.c.stage,
            run.c.state.label("run_state"),
            run.c.visit,
            project.c.received_on,
            run.c.opened_on,
            run.c.due_on,
            until.label("hold"),
            project.c.version,
            project.c.outside,
        )
        .join(programme, programme.c.id == project.c.programme_id)
        .join(pack, pack.c.sha256 == project.c.pack_sha256)
        .outerjoin(firm, firm.c.id == project.c.organisation_id)
        .outerjoin(platform, platform.c.id == project.c.platform_id)
        .outerjoin(receiver, receiver.c.id == project.c.receiver_id)
        .outerjoin(run, run.c.id == project.c.stage_run_id)
        .where(project.c.id == project_id)
    )


def _visits_of(project_id: UUID) -> Select[Any]:
    run = _table(StageRun)
    columns = ("stage", "visit", "state", "opened_on", "due_on", "closed_on", "reason")
    chosen = select(*(run.c[name] for name in columns)).where(run.c.project_id == project_id)
    return chosen.order_by(run.c.opened_on, run.c.id)


def _people_of(project_id: UUID) -> Select[Any]:
    member, user = _table(ProjectMember), _table(User)
    return (
        select(member.c.role, user.c.name, user.c.login)
        .join(user, user.c.id == member.c.user_id)
        .where(member.c.project_id == project_id, member.c.until_at.is_(None))
        .order_by(member.c.role, user.c.name)
    )


def _history_of(project_id: UUID) -> Select[Any]:
    moved, user = _table(Transition), _table(User)
    return (
        select(moved.c.at, moved.c.event, moved.c.from_state, moved.c.to_state, user.c.name.label("by"))
        .outerjoin(user, user.c.id == moved.c.actor_id)
        .where(moved.c.object_type == "project", moved.c.object_id == project_id)
        .order_by(moved.c.seq)
    )


def _alias(name: str) -> Any:
    return _table(Organisation).alias(name)


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping


def _table(model: Any) -> Any:
    return model.__table__
