"""What the verbs of a tranche look at: its agreement and project, the gates decided, the papers, who may not decide."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.chart import Rule, compiled, judged
from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.funds.wall import walls_of
from lifecycle.milestones.chart import MilestoneChart
from lifecycle.milestones.figures import LAST_GATE
from lifecycle.projects.facts import ProjectFacts, gate_facts, project_facts
from lifecycle.stages.judgement import Verdict
from models.agreements import Agreement, RecoveryOrder
from models.evidence import Evidence
from models.people import User
from models.reading import Groups, rows_by, table_of
from models.reviews import Condition, Objection, Review
from models.states import STAGES, EvidenceStatus, RecoveryState, ReviewState
from models.trials import Issue


@dataclass(frozen=True, kw_only=True)
class MilestoneFacts:
    """One command on a tranche, with all that its rules may ask."""

    command: Any
    on: ProjectFacts
    milestone: Any
    agreement: Any
    agreement_minor: int
    """The award as it is when this command's turn comes within its batch."""
    hashes: frozenset[str] = frozenset()
    """SHA-256 of every current document of the project."""
    submitter: UUID | None = None
    """The person who handed the report in."""
    wall: frozenset[UUID] = frozenset()
    """People who do not decide on this firm."""
    reviews: tuple[Any, ...] = ()
    conditions: tuple[Any, ...] = ()
    open_matters: int = 0
    """Findings of the project, objections against its reviews and recovery orders that are still open."""

    @property
    def accepted_on(self) -> date | None:
        """The day of the last gate's go, from which the retention runs; a go with conditions counts once they are met.

        Where the standard has no panel there, the day on which the stage was passed.
        """
        review = self.decided.get(LAST_GATE)
        if review is None:
            passed = [run.closed_on for run in self.on.runs if run.stage == STAGES[-1] and run.state == "passed"]
            return max(passed, default=None)
        cleared = [row.cleared_on for row in self.conditions if row.review_id == review.id and row.cleared_on]
        days: list[date] = [review.decided_on, *cleared]
        return max(days)

    @cached_property
    def decided(self) -> Mapping[str, Any]:
        """Gate -> its latest decided review."""
        return {row.gate: row for row in self.reviews if row.state == ReviewState.DECIDED}

    def verdict_of(self, clause: str) -> Verdict | None:
        """Judge a criterion now; None for a project without open visit, whose records are not read."""
        return None if self.on.records is None else self.on.verdict_of(clause)


def milestone_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[MilestoneFacts]:
    """Read what does not need the records of a gate."""
    return _read(session, tasks, project_facts(session, tasks, stamp))


def result_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[MilestoneFacts]:
    """Read everything, the records of the gates too, and how each gate was decided."""
    found = _read(session, tasks, gate_facts(session, tasks, stamp))
    ids = [task.project.id for task in tasks]
    reviews = rows_by(session, Review, "project_id", ids, "decided_on", "id")
    conditions = rows_by(session, Condition, "project_id", ids, "due_on")
    matters = _open_matters(session, found, reviews)
    return [
        replace(
            one,
            reviews=tuple(reviews.get(one.on.project.id, ())),
            conditions=tuple(conditions.get(one.on.project.id, ())),
            open_matters=matters.get(one.agreement.id, 0),
        )
        for one in found
    ]


def _open_matters(session: Session, found: Sequence[MilestoneFacts], reviews: Groups) -> dict[UUID, int]:
    """Return agreement -> what keeps its retention back: findings, objections, recovery orders (F13). Three reads."""
    issues = rows_by(session, Issue, "project_id", [one.on.project.id for one in found])
    orders = rows_by(session, RecoveryOrder, "agreement_id", [one.agreement.id for one in found])
    known = [row.id for rows in reviews.values() for row in rows] or [UUID(int=0)]
    objections = rows_by(session, Objection, "review_id", known)
    counted = {}
    for one in found:
        against = [objection for row in reviews.get(one.on.project.id, ()) for objection in objections.get(row.id, ())]
        counted[one.agreement.id] = (
            sum(1 for row in issues.get(one.on.project.id, ()) if row.closed_on is None)
            + sum(1 for row in orders.get(one.agreement.id, ()) if row.state == RecoveryState.OPEN)
            + sum(1 for row in against if row.answered_on is None)
        )
    return counted


def waiving_facts(rules: tuple[Rule, ...]) -> FactsOf[Any, MilestoneFacts]:
    """Return the fact query of `waive`: two tranches of one agreement see its award one after the other.

    `rules` are those asked besides the arrow's: what is refused lowers no award.
    """

    def is_waived(facts: MilestoneFacts) -> bool:
        arrow = compiled(MilestoneChart).get((str(facts.milestone.state), "waive"))
        return arrow is not None and not judged((*arrow[1], *rules), facts)

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[MilestoneFacts]:
        left: dict[UUID, int] = {}
        found = []
        for one in milestone_facts(session, tasks, stamp):
            award = left.get(one.agreement.id, one.agreement_minor)
            seen = replace(one, agreement_minor=award)
            left[one.agreement.id] = award - (one.milestone.amount_minor if is_waived(seen) else 0)
            found.append(seen)
        return found

    return facts


def _read(session: Session, tasks: Sequence[Task[Any]], bases: Sequence[ProjectFacts]) -> list[MilestoneFacts]:
    agreements = rows_by(session, Agreement, "id", [task.row.agreement_id for task in tasks])
    hashes = current_hashes(session, [task.project.id for task in tasks])
    people = persons_of(session, {task.row.submitted_by for task in tasks})
    walls = walls_of(session, [side_of(task) for task in tasks])
    return [
        MilestoneFacts(
            command=task.command,
            on=base,
            milestone=task.row,
            agreement=agreements[task.row.agreement_id][0],
            agreement_minor=agreements[task.row.agreement_id][0].amount_minor,
            hashes=hashes.get(task.project.id, frozenset()),
            submitter=people.get(task.row.submitted_by),
            wall=walls.get(side_of(task), frozenset()),
        )
        for task, base in zip(tasks, bases, strict=True)
    ]


def side_of(task: Task[Any]) -> tuple[UUID, UUID]:
    """Return the fund and the firm between which the wall may stand; a project without a firm has none."""
    return task.fund.id, task.project.organisation_id or UUID(int=0)


def current_hashes(session: Session, project_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Return project -> SHA-256 of its current documents. One statement."""
    evidence = table_of(Evidence)
    statement = select(evidence.c.project_id, evidence.c.sha256).where(
        evidence.c.project_id.in_(list(project_ids)), evidence.c.status == EvidenceStatus.CURRENT
    )
    found: dict[UUID, set[str]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row.project_id, set()).add(row.sha256)
    return {project: frozenset(hashes) for project, hashes in found.items()}


def persons_of(session: Session, user_ids: Collection[UUID | None]) -> dict[UUID | None, UUID]:
    """Return account -> the human behind it. One statement."""
    user = table_of(User)
    statement = select(user.c.id, user.c.person_id).where(user.c.id.in_([one for one in user_ids if one is not None]))
    return {row.id: row.person_id for row in session.connection().execute(statement)}
