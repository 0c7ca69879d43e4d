"""What the verbs around requirements look at: the project's gate, and the stored rows that they touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.projects.facts import ProjectFacts, gate_facts, project_facts
from models.agreements import Agreement
from models.evidence import Evidence
from models.projects import Requirement
from models.reading import rows_by
from models.reviews import CompletionNotice
from models.states import FundStatus


@dataclass(frozen=True, kw_only=True)
class DeskFacts(ProjectFacts):
    """A project's gate, with the stored rows that these verbs touch."""

    documents: tuple[Any, ...] = ()
    requirements: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[Any, ...] = ()
    is_accounted_for: bool = True
    """No agreement waits for the project's cost or audit."""


CLAIMS = frozenset({"claims"})
"""A claim is checked against the others (M1), whether or not the standard has a criterion about them."""


def desk_facts(
    session: Session, tasks: Sequence[Task[Any]], stamp: Stamp, only: frozenset[str] | None = None
) -> list[DeskFacts]:
    """Read the gate, or `only` some of its registers, and the rows beside it."""
    visits = [task.project.stage_run_id for task in tasks if task.project.stage_run_id is not None]
    requirements = rows_by(session, Requirement, "stage_run_id", visits, "clause")
    notices = rows_by(session, CompletionNotice, "project_id", [task.project.id for task in tasks], "number")
    return [
        DeskFacts(
            **base.as_read(),
            requirements={row.clause: row for row in requirements.get(base.project.stage_run_id, ())},
            notices=tuple(notices.get(base.project.id, ())),
        )
        for base in gate_facts(session, tasks, stamp, CLAIMS, only)
    ]


def paper_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[DeskFacts]:
    """Read the papers of each project; what the gate says of them is for later."""
    ids = [task.project.id for task in tasks]
    documents, agreements = (
        rows_by(session, Evidence, "project_id", ids, "version_no"),
        rows_by(session, Agreement, "project_id", ids),
    )
    return [
        DeskFacts(
            **base.as_read(),
            documents=tuple(documents.get(base.project.id, ())),
            is_accounted_for=all(row.status == FundStatus.CLOSED for row in agreements.get(base.project.id, ())),
        )
        for base in project_facts(session, tasks, stamp)
    ]
