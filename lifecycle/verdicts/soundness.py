"""The invariant that the verdict cache says what a fresh judgement says."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.invariants.check import Check
from lifecycle.invariants.statements import Moment
from lifecycle.stages.judgement import parties_of
from lifecycle.verdicts.cache import verdicts_of
from models.projects import Project, Requirement
from models.reading import rows_by, table_of
from models.states import STAGES

_AT_A_TIME = 400


def fresh_verdicts(stamp: Stamp) -> Check:
    """Return invariant H05; what time has changed since is the next sweep's work and no breach."""

    def broken(session: Session, _moment: Moment) -> Iterator[Mapping[str, Any]]:
        project = table_of(Project)
        settled = project.c.next_due_on.is_(None) | (project.c.next_due_on > stamp.today)
        statement = select(project).where(project.c.stage.in_(STAGES), settled).order_by(project.c.id)
        rows = session.execute(statement).all()
        for start in range(0, len(rows), _AT_A_TIME):
            yield from _stale(session, rows[start : start + _AT_A_TIME], stamp)

    return Check(id="H05", name="fresh-verdicts", broken=broken)


def _stale(session: Session, projects: Any, stamp: Stamp) -> Iterator[Mapping[str, Any]]:
    runs = [row.stage_run_id for row in projects]
    stored = {
        (row.project_id, row.clause): (row.verdict, row.verdict_code, row.owed_by)
        for rows in rows_by(session, Requirement, "stage_run_id", runs).values()
        for row in rows
    }
    for project_id, verdicts in verdicts_of(session, projects, stamp):
        for verdict in verdicts:
            said = stored.get((project_id, verdict.clause))
            fresh = (verdict.state, verdict.code, parties_of(verdict))
            if said is None or said not in (fresh, (*fresh[:2], None)):  # who owes it may not have been written yet
                yield {
                    "project_id": str(project_id),
                    "clause": verdict.clause,
                    "stored": f"{said[0]} {said[1]} {' '.join(said[2] or ())}".strip() if said else "nothing",
                    "fresh": f"{verdict.state} {verdict.code} {' '.join(fresh[2])}".strip(),
                }
