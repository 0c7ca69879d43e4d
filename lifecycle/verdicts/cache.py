"""Keeping the verdict cache in step: judged afresh after each act that changes an input, written where it differs."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.commands import Stamp
from lifecycle.stages.ageing import next_change
from lifecycle.stages.judgement import Verdict, judge, judge_stage, parties_of
from lifecycle.stages.records import Records
from lifecycle.stages.rules import RULES
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from lifecycle.verdicts.records import records_of
from models.projects import Project, Requirement
from models.reading import rows_by, table_of
from models.reviews import Condition


def refresh(session: Session, project_ids: Sequence[UUID], stamp: Stamp) -> None:
    """Bring the cached verdicts of these projects' open visits, and their open conditions, up to date."""
    projects = [rows[0] for rows in rows_by(session, Project, "id", project_ids).values()]
    runs = [row.stage_run_id for row in projects if row.stage_run_id is not None]
    conditions = rows_by(session, Condition, "project_id", project_ids, "due_on")
    cached = {
        (row.project_id, row.clause): row
        for rows in rows_by(session, Requirement, "stage_run_id", runs).values()
        for row in rows
    }
    if not cached and not conditions:
        return
    days: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    cleared: list[dict[str, Any]] = []
    for project, pack, records in _judgeable(session, projects, stamp):
        for verdict in judge_stage(pack, records, calendar=stamp.calendar.of(project.programme_id), rules=RULES):
            row = cached.get((project.id, verdict.clause))
            if row is not None and (row.verdict, row.verdict_code, row.due_on, row.owed_by) != _cache(verdict):
                state, code, due_on, owing = _cache(verdict)
                changes.append(
                    {"b_id": row.id, "v_verdict": state, "v_code": code, "v_due": due_on, "v_owed_by": owing}
                )
        due = next_change(pack, records)
        if due != project.next_due_on:
            days.append({"b_id": project.id, "v_due": due})
        cleared.extend(
            {"b_id": condition.id, "v_day": stamp.today}
            for condition in conditions.get(project.id, ())
            if condition.cleared_on is None
            and _passes(pack, condition.clause, records, stamp.calendar.of(project.programme_id))
        )
    if changes:
        session.connection().execute(_UPDATE, changes)
    if cleared:
        session.connection().execute(_CLEAR, cleared)
    if days:
        session.connection().execute(_DUE, days)


def verdicts_of(session: Session, projects: Sequence[Any], stamp: Stamp) -> Iterator[tuple[UUID, tuple[Verdict, ...]]]:
    """Yield (project id, verdicts of its present stage), judged now."""
    for project, pack, records in _judgeable(session, projects, stamp):
        yield project.id, judge_stage(pack, records, calendar=stamp.calendar.of(project.programme_id), rules=RULES)


def _judgeable(session: Session, projects: Sequence[Any], stamp: Stamp) -> Iterator[tuple[Any, Pack, Records]]:
    records = records_of(session, projects, today=stamp.today)
    packs = packs_of(session, {row.pack_sha256 for row in projects})
    for row in projects:
        if row.id in records:
            yield row, packs[row.pack_sha256], records[row.id]


def _passes(pack: Pack, clause: str, records: Records, calendar: Calendar) -> bool:
    return judge(pack, pack.criterion(clause), records, calendar=calendar, rules=RULES).passes


def _cache(verdict: Verdict) -> tuple[Any, str, Any, list[str]]:
    return verdict.state, verdict.code, verdict.due_on, parties_of(verdict)


_R, _C, _P = table_of(Requirement), table_of(Condition), table_of(Project)
_DUE = update(_P).where(_P.c.id == bindparam("b_id")).values(next_due_on=bindparam("v_due"))
_UPDATE = (
    update(_R)
    .where(_R.c.id == bindparam("b_id"))
    .values(
        verdict=bindparam("v_verdict"),
        verdict_code=bindparam("v_code"),
        due_on=bindparam("v_due"),
        owed_by=bindparam("v_owed_by"),
    )
)
_CLEAR = update(_C).where(_C.c.id == bindparam("b_id")).values(cleared_on=bindparam("v_day"))
