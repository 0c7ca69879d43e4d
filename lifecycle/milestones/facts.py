"""What the verbs of a tranche look at: its agreement and project, the gates decided, the papers, who may not decide."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from lifecycle.milestones.entitlement import Retained
from lifecycle.milestones.figures import LAST_GATE
from lifecycle.milestones.rules import RETENTION_OVER
from lifecycle.projects.facts import ProjectFacts, gate_facts, project_facts
from lifecycle.stages.judgement import Verdict
from models.agreements import Agreement, RecoveryOrder
from models.evidence import Evidence
from models.people import User
from models.projects import StageRun
from models.reading import Groups, rows_by, table_of
from models.reviews import Condition, Objection, Review
from models.states import STAGES, EvidenceStatus, GateOutcome, RecoveryState, ReviewState
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
        """The day of the last gate's go, from which the retention runs."""
        return last_go(self.decided.get(LAST_GATE), self.conditions, self.on.runs)

    @cached_property
    def decided(self) -> Mapping[str, Any]:
        """Gate -> its latest decided review."""
        return decided_in(self.reviews)

    def verdict_of(self, clause: str) -> Verdict | None:
        """Judge a criterion now; None for a project without open visit, whose records are not read."""
        return None if self.on.records is None else self.on.verdict_of(clause)


def decided_in(reviews: Sequence[Any]) -> dict[str, Any]:
    """Return gate -> its latest decided review, of the reviews of a project in order."""
    return {row.gate: row for row in reviews if row.state == ReviewState.DECIDED}


def last_go(review: Any, conditions: Sequence[Any], runs: Sequence[Any]) -> date | None:
    """Return the day of the last gate's go, by its review; a go with conditions counts once they are met.

    Where the standard has no panel there, the day on which the stage was passed. None where it was not.
    """
    if review is None:
        passed = [run.closed_on for run in runs if run.stage == STAGES[-1] and run.state == "passed"]
        return max(passed, default=None)
    if review.outcome not in (GateOutcome.GO, GateOutcome.CONDITIONAL_GO):
        return None
    cleared = [row.cleared_on for row in conditions if row.review_id == review.id and row.cleared_on]
    days: list[date] = [review.decided_on, *cleared]
    return max(days)


def retained_of(session: Session, milestones: Iterable[Any], today: date) -> dict[UUID, Retained]:
    """Return tranche -> what the release of a retention looks at, of those that are one; six statements, or none.

    One whose last gate is not passed is not in it: none of its months has begun.
    """
    kept = [row for row in milestones if RETENTION_OVER in row.needs]
    projects = {row.project_id for row in kept}
    reviews = rows_by(session, Review, "project_id", projects, "decided_on", "id")
    conditions = rows_by(session, Condition, "project_id", projects)
    runs = rows_by(session, StageRun, "project_id", projects)
    matters = _open_matters(session, [(row.project_id, row.agreement_id) for row in kept], reviews) if kept else {}
    found = {}
    for row in kept:
        of = row.project_id
        review = decided_in(reviews.get(of, ())).get(LAST_GATE)
        day = last_go(review, conditions.get(of, ()), runs.get(of, ()))
        if day is not None:
            open_matters = matters[row.agreement_id]
            found[row.id] = Retained(accepted_on=day, today=today, noticed_on=row.noticed_on, open_matters=open_matters)
    return found


def milestone_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[MilestoneFacts]:
    """Read what does not need the records of a gate."""
    return _read(session, tasks, project_facts(session, tasks, stamp))


def result_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[MilestoneFacts]:
    """Read everything, the records of the gates too, and how each gate was decided."""
    found = _read(session, tasks, gate_facts(session, tasks, stamp))
    ids = [task.project.id for task in tasks]
    reviews = rows_by(session, Review, "project_id", ids, "decided_on", "id")
    conditions = rows_by(session, Condition, "project_id", ids, "due_on")
    matters = _open_matters(session, [(one.on.project.id, one.agreement.id) for one in found], reviews)
    return [
        replace(
            one,
            reviews=tuple(reviews.get(one.on.project.id, ())),
            conditions=tuple(conditions.get(one.on.project.id, ())),
            open_matters=matters.get(one.agreement.id, 0),
        )
        for one in found
    ]


def _open_matters(session: Session, pairs: Sequence[tuple[UUID, UUID]], reviews: Groups) -> dict[UUID, int]:
    """Return agreement -> what keeps its retention back: findings, objections, recovery orders (F13). Three reads.

    `pairs` are project and agreement.
    """
    issues = rows_by(session, Issue, "project_id", [project for project, _ in pairs])
    orders = rows_by(session, RecoveryOrder, "agreement_id", [agreement for _, agreement in pairs])
    known = [row.id for rows in reviews.values() for row in rows] or [UUID(int=0)]
    objections = rows_by(session, Objection, "review_id", known)
    counted = {}
    for project, agreement in pairs:
        against = [objection for row in reviews.get(project, ()) for objection in objections.get(row.id, ())]
        counted[agreement] = (
            sum(1 for row in issues.get(project, ()) if row.closed_on is None)
            + sum(1 for row in orders.get(agreement, ()) if row.state == RecoveryState.OPEN)
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
