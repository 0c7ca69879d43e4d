"""The board: of each stage the projects that are due soonest, and how many there are, whoever looks at however many.

The calendar of due days reads in the same two ways: from the index where there are many, sorted where there are few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, True_, case, false, func, literal, select, tuple_, union_all
from sqlmodel import Session

from lifecycle.projects.queries import Card, Wanted, asked_for, carded, cards_of
from models.holds import Hold
from models.people import Organisation
from models.projects import Project, StageRun
from models.reading import beside, table_of
from models.reviews import PanelMember, Review
from models.states import ENDED, STAGES, ProjectState, ReviewState

COUNTED = 10_000
"""How far is counted: of what is more, only that it is more. Counting on would read everything for one number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of the projects that somebody asks for stand where; none is greater than `most`."""

    by_stage: Mapping[ProjectState, int]
    late: Mapping[ProjectState, int]
    """Those of them that are overdue."""
    most: int
    """How far was counted."""
    is_of_many: bool
    """There are so many that their days are read from the index of all, and not sorted."""

    @property
    def all_late(self) -> int:
        """How many are overdue."""
        return min(self.most, sum(self.late.values()))


def counts(session: Session, wanted: Wanted, *, today: date, most: int = COUNTED) -> Counts:
    """Return how many of the projects asked for, of whatever stage, stand where, and how many of them are overdue."""
    wanted = replace(wanted, stage=None)
    if not isinstance(wanted.reach, True_):
        rows = session.execute(_grouped(wanted, today, most)).all()
        if sum(row.many for row in rows) <= most:
            return Counts(
                by_stage={row.stage: row.many for row in rows},
                late={row.stage: row.late for row in rows if row.late},
                most=most,
                is_of_many=False,
            )
    found = session.execute(union_all(*(_counted(wanted, state, today, most) for state in ProjectState)))
    told = {ProjectState(row.stage): row for row in found}
    return Counts(
        by_stage={state: row.many for state, row in told.items()},
        late={state: row.late for state, row in told.items() if row.late},
        most=most,
        is_of_many=True,
    )


def held(session: Session, wanted: Wanted, *, today: date, most: int = COUNTED) -> int:
    """Return how many of the projects asked for are on hold; of who sees all from the holds that stand."""
    project, run, hold, firm = table_of(Project), table_of(StageRun), table_of(Hold), _firm()
    source = _with_firm(project.outerjoin(run, run.c.id == project.c.stage_run_id), firm, wanted)
    own = select(literal(1)).select_from(source).where(*asked_for(replace(wanted, is_on_hold=True), today, firm))
    if isinstance(wanted.reach, True_):
        own = own.where(project.c.id.in_(select(hold.c.object_id).where(hold.c.lifted_at.is_(None))))
    return int(session.execute(select(_number(own, most))).scalar_one())


def columns(
    session: Session, wanted: Wanted, found: Counts, *, today: date, limit: int
) -> dict[ProjectState, list[Card]]:
    """Return of each stage at most `limit` of the projects asked for, due soonest first, those without a day last."""
    rows: list[Any] = []
    for stage in STAGES:
        if found.by_stage.get(stage) and wanted.stage in (None, stage):
            here = replace(wanted, stage=stage)
            asked = _by_day(here, today) if found.is_of_many else _sorted(here, today)
            rows += session.execute(asked.limit(limit)).all()
    cards = cards_of(session, rows)
    return {stage: [card for card in cards if card.stage == stage] for stage in STAGES}


def due(session: Session, wanted: Wanted, found: Counts, *, today: date, limit: int, after: str = "") -> list[Card]:
    """Return at most `limit` of the projects asked for that have a day, by it, behind the one with the number `after`.

    `found` are their counts: where they are many, the first rows of each stage are read from the index and merged.
    """
    project, run, firm = table_of(Project), table_of(StageRun), _firm()
    behind = [run.c.due_on.is_not(None)]
    last = session.execute(_place_of(wanted, after)).one_or_none() if after else None
    if last is not None:
        seen = (literal(last.due_on, run.c.due_on.type), literal(last.project_id, run.c.project_id.type))
        behind.append(tuple_(run.c.due_on, run.c.project_id) > tuple_(*seen))
    rows: list[Any] = []
    if found.is_of_many:
        for stage in STAGES:
            if found.by_stage.get(stage) and wanted.stage in (None, stage):
                asked = _by_day(replace(wanted, stage=stage), today).where(*behind)
                rows += session.execute(asked.limit(limit)).all()
        rows = sorted(rows, key=lambda row: (row.due_on, row.id))[:limit]
    else:
        asked = carded(project.join(run, run.c.id == project.c.stage_run_id), firm, today)
        asked = asked.where(*asked_for(wanted, today, firm), *behind)
        rows += session.execute(asked.order_by(run.c.due_on, project.c.id).limit(limit)).all()
    return cards_of(session, rows)


def _place_of(wanted: Wanted, number: str) -> Select[Any]:
    """Return the statement that finds where a project stands in the order of days; only one that may be seen."""
    project, run = table_of(Project), table_of(StageRun)
    place = select(run.c.due_on, run.c.project_id).join(project, project.c.stage_run_id == run.c.id)
    return place.where(project.c.number == number, wanted.reach, run.c.due_on.is_not(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel that was called and has not decided."""

    state: ReviewState
    silent: int
    """Members with a vote, none of them recused, who have not given it."""


def panels(session: Session, project_ids: Sequence[UUID]) -> dict[UUID, Panel]:
    """Return project -> the panel that sits over its present visit; one statement."""
    project, review, member = table_of(Project), table_of(Review), table_of(PanelMember)
    has_say = (member.c.review_id == review.c.id, member.c.has_vote.is_(True), member.c.recused_on.is_(None))
    silent = select(func.count()).select_from(member).where(*has_say, member.c.vote.is_(None)).scalar_subquery()
    statement = (
        select(project.c.id, review.c.state, silent.label("silent"))
        .join(review, review.c.stage_run_id == project.c.stage_run_id)
        .where(project.c.id.in_(project_ids), review.c.state.not_in((ReviewState.DECIDED, ReviewState.CANCELLED)))
    )
    found = session.execute(statement) if project_ids else ()
    return {row.id: Panel(state=ReviewState(row.state), silent=row.silent) for row in found}


def spells(session: Session, reach: ColumnElement[bool]) -> list[Any]:
    """Return (stage, opened_on, closed_on, times) of all visits of these projects; one statement, for who sees few."""
    project, run = table_of(Project), table_of(StageRun)
    key = (run.c.stage, run.c.opened_on, run.c.closed_on)
    statement = select(*key, func.count().label("times")).join(project, project.c.id == run.c.project_id)
    return list(session.execute(statement.where(reach).group_by(*key)))


def _grouped(wanted: Wanted, today: date, most: int) -> Select[Any]:
    """Return the statement that counts those of who sees few; it stops where there turn out to be many."""
    project, run, firm = table_of(Project), table_of(StageRun), _firm()
    source = _with_firm(project.outerjoin(run, run.c.id == project.c.stage_run_id), firm, wanted)
    is_late = case((run.c.due_on < today, 1), else_=0).label("is_late")
    asked = asked_for(wanted, today, firm)
    few = select(project.c.stage, is_late).select_from(source).where(*asked).limit(most + 1).subquery()
    numbers = (func.count().label("many"), func.sum(few.c.is_late).label("late"))
    return select(few.c.stage, *numbers).group_by(few.c.stage)


def _counted(wanted: Wanted, state: ProjectState, today: date, most: int) -> Select[Any]:
    """Return the statement that counts one stage from its index, as far as is counted."""
    project, run, firm = table_of(Project), table_of(StageRun), _firm()
    if state in ENDED:
        own = select(literal(1)).select_from(_with_firm(project, firm, wanted)).where(project.c.stage == state)
        if wanted.is_about_a_day:
            own = own.where(false())
        own = own.where(*asked_for(_dayless(wanted), today, firm))
        late: Any = literal(0)
    else:
        source = run
        if not isinstance(wanted.reach, True_) or _dayless(wanted).is_narrowed:
            source = _with_firm(run.join(project, project.c.id == run.c.project_id), firm, wanted)
        own = select(literal(1)).select_from(source).where(run.c.stage == state, run.c.closed_on.is_(None))
        own = own.where(*asked_for(wanted, today, firm))
        late = _number(own.where(run.c.due_on < today), most)
    return select(literal(str(state)).label("stage"), _number(own, most).label("many"), late.label("late"))


def _dayless(wanted: Wanted) -> Wanted:
    return replace(wanted, is_overdue=False, due_since=None, due_before=None)


def _number(rows: Select[Any], most: int) -> Any:
    return select(func.count()).select_from(rows.limit(most).subquery()).scalar_subquery()


def _by_day(wanted: Wanted, today: date) -> Select[Any]:
    """Return the cards of a stage as the index of open visits has them: no more is read than is shown."""
    project, run, firm = table_of(Project), table_of(StageRun), _firm()
    asked = asked_for(replace(wanted, stage=None), today, firm)
    own = (run.c.stage == wanted.stage, run.c.closed_on.is_(None), *asked)
    found = carded(run.join(project, project.c.id == run.c.project_id), firm, today).where(*own)
    return found.order_by(run.c.due_on.nulls_last(), run.c.project_id)


def _sorted(wanted: Wanted, today: date) -> Select[Any]:
    """Return the cards of a stage of who sees few: found by what makes them theirs, and sorted."""
    project, run, firm = table_of(Project), table_of(StageRun), _firm()
    asked = (*asked_for(replace(wanted, stage=None), today, firm), beside(project.c.stage) == wanted.stage)
    found = carded(project.join(run, run.c.id == project.c.stage_run_id), firm, today).where(*asked)
    return found.order_by(run.c.due_on.nulls_last(), project.c.id)


def _with_firm(source: Any, firm: Any, wanted: Wanted) -> Any:
    return source.outerjoin(firm, firm.c.id == table_of(Project).c.organisation_id) if wanted.text else source


def _firm() -> Any:
    return table_of(Organisation).alias("firm")
