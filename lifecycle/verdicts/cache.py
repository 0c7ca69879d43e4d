"""Keeping the verdict cache in step: judged afresh after each act that changes an input, written where it differs."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.stages.judgement import Verdict, judge, judge_stage
from lifecycle.stages.rules import RULES
from lifecycle.standards.frozen import packs_of
from lifecycle.verdicts.records import records_of
from models.projects import Project, Requirement
from models.reviews import Condition


def _table(model: Any) -> Any:
    return model.__table__


def refresh(session: Session, project_ids: Sequence[UUID], stamp: Stamp) -> None:
    """Bring the cached verdicts of these projects' open visits, and their open conditions, up to date."""
    if not project_ids:
        return
    project = _table(Project)
    projects = session.execute(select(project).where(project.c.id.in_(project_ids))).all()
    requirement = _table(Requirement)
    runs = [row.stage_run_id for row in projects if row.stage_run_id is not None]
    rows = session.execute(select(requirement).where(requirement.c.stage_run_id.in_(runs))).all()
    cached = {(row.project_id, row.clause): row for row in rows}
    conditions = _open_conditions(session, project_ids)
    changes: list[dict[str, Any]] = []
    cleared: list[dict[str, Any]] = []
    for project_id, verdicts, verdict_of in _judged(session, projects, stamp):
        for verdict in verdicts:
            row = cached.get((project_id, verdict.clause))
            if row is not None and (row.verdict, row.verdict_code, row.due_on) != _cache(verdict):
                state, code, due_on = _cache(verdict)
                changes.append({"b_id": row.id, "v_verdict": state, "v_code": code, "v_due": due_on})
        cleared.extend(
            {"b_id": condition.id, "v_day": stamp.today}
            for condition in conditions.get(project_id, ())
            if verdict_of(condition.clause).passes
        )
    if changes:
        session.execute(_UPDATE, changes)
    if cleared:
        session.execute(_CLEAR, cleared)


def verdicts_of(session: Session, projects: Sequence[Any], stamp: Stamp) -> Iterator[tuple[UUID, tuple[Verdict, ...]]]:
    """Yield (project id, verdicts of its present stage), judged now."""
    for project_id, verdicts, _ in _judged(session, projects, stamp):
        yield project_id, verdicts


def _judged(session: Session, projects: Sequence[Any], stamp: Stamp) -> Iterator[tuple[UUID, tuple[Verdict, ...], Any]]:
    records = records_of(session, projects, today=stamp.today)
    packs = packs_of(session, {row.pack_sha256 for row in projects})
    for row in projects:
        if row.id not in records:
            continue
        pack, known = packs[row.pack_sha256], records[row.id]
        verdicts = judge_stage(pack, known, calendar=stamp.calendar, rules=RULES)

        def verdict_of(clause: str, pack: Any = pack, known: Any = known) -> Verdict:
            return judge(pack, pack.criterion(clause), known, calendar=stamp.calendar, rules=RULES)

        yield row.id, verdicts, verdict_of


def _open_conditions(session: Session, project_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    condition = _table(Condition)
    statement = select(condition).where(condition.c.project_id.in_(project_ids), condition.c.cleared_on.is_(None))
    found: dict[UUID, list[Any]] = {}
    for row in session.execute(statement):
        found.setdefault(row.project_id, []).append(row)
    return found


def _cache(verdict: Verdict) -> tuple[Any, str, Any]:
    return verdict.state, verdict.code, verdict.due_on


_R, _C = _table(Requirement), _table(Condition)
_UPDATE = (
    update(_R)
    .where(_R.c.id == bindparam("b_id"))
    .values(verdict=bindparam("v_verdict"), verdict_code=bindparam("v_code"), due_on=bindparam("v_due"))
)
_CLEAR = update(_C).where(_C.c.id == bindparam("b_id")).values(cleared_on=bindparam("v_day"))
