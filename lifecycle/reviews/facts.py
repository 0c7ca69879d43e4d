"""What the verbs of a review look at: the project's gate, the seats with their votes, scores and objections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.actor import Parties, conflict_of
from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.engine import project_parties
from lifecycle.people.facts import Holder, holders
from lifecycle.projects.facts import ProjectFacts, gate_facts
from lifecycle.reviews.panel import Tally, tally
from lifecycle.standards.pack import Stage
from models.people import User
from models.reading import rows_by, table_of
from models.reviews import Condition, Objection, PanelMember, Review, Score
from models.states import UserStatus


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """A call of a panel: the project's gate, and who may sit in it."""

    command: Any
    on: ProjectFacts
    people: Mapping[UUID, Holder]
    """Active users named in the call."""
    conflicted: Mapping[UUID, str]
    """Those of them who, under this or another account, belong to a party of the project, with that party."""
    calls: int = 0


@dataclass(frozen=True, kw_only=True)
class ReviewFacts:
    """One command on a review, with all that its rules may ask."""

    command: Any
    verb: str
    on: ProjectFacts
    review: Any
    seats: tuple[Any, ...] = ()
    conflicted: Mapping[UUID, str] = field(default_factory=dict)
    """Accounts among them whose human belongs to a party of the project by now, with that party."""
    scores: Mapping[UUID, Mapping[str, int]] = field(default_factory=dict)
    """Member id -> factor -> points."""
    score_ids: Mapping[tuple[UUID, str], UUID] = field(default_factory=dict)
    """(member id, factor) -> row, for a vote that is given again."""
    objections: tuple[Any, ...] = ()
    kept_conditions: tuple[Any, ...] = ()

    owners: frozenset[UUID] = frozenset()
    """Active users among those who shall owe a condition."""

    @cached_property
    def asked(self) -> Stage:
        """What the gate of this review asks for; its project may have ended meanwhile."""
        return next(stage for stage in self.on.pack.stages if stage.gate == self.review.gate)

    @cached_property
    def seat(self) -> Any:
        """The actor's own seat, or None."""
        return next((seat for seat in self.seats if seat.user_id == self.on.stamp.actor.user_id), None)

    @cached_property
    def present(self) -> list[Any]:
        """The seats that may vote: not those that stepped aside, nor those that should, for a conflict found since."""
        voting = [seat for seat in self.seats if seat.has_vote and seat.recused_on is None]
        return [seat for seat in voting if seat.user_id not in self.conflicted]

    @cached_property
    def voted(self) -> list[Any]:
        """The seats whose votes count."""
        return [seat for seat in self.present if seat.vote is not None]

    @cached_property
    def tally(self) -> Tally:
        """The score of those who voted."""
        counted = {seat.id: self.scores.get(seat.id, {}) for seat in self.voted}
        return tally(self.asked.score, counted)

    @property
    def outcome(self) -> Any:
        """The proposed outcome: that of the command, else that of the review."""
        return getattr(self.command, "outcome", None) or self.review.outcome

    @property
    def conditions(self) -> tuple[Any, ...]:
        """The conditions of this review: proposed now, or written down already."""
        return tuple(getattr(self.command, "conditions", ())) or self.kept_conditions


def call_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CallFacts]:
    """Read the gates, and who of the named people is active and who belongs to a party."""
    named = holders(session, {seat.user_id for task in tasks for seat in task.command.panel})
    people = {user_id: holder for user_id, holder in named.items() if holder.is_active}
    calls = _calls(session, [task.project.stage_run_id for task in tasks])
    return [
        CallFacts(
            command=task.command,
            on=on,
            people=people,
            conflicted=_conflicted(task.command.panel, people, project_parties(task.project)),
            calls=calls.get(task.project.stage_run_id, 0),
        )
        for task, on in zip(tasks, gate_facts(session, tasks, stamp), strict=True)
    ]


def _conflicted(seats: Sequence[Any], people: Mapping[UUID, Holder], parties: Parties) -> dict[UUID, str]:
    """Return the accounts among these seats whose human belongs to a party of the project, with that party."""
    known = {seat.user_id: seat.role for seat in seats if seat.user_id in people}
    found = {key: conflict_of(role, people[key].person_grants, parties) for key, role in known.items()}
    return {key: party for key, party in found.items() if party is not None}


def _calls(session: Session, run_ids: Sequence[UUID | None]) -> dict[UUID, int]:
    """Return how often a panel was called for each visit, cancelled calls included."""
    review = table_of(Review)
    statement = select(review.c.stage_run_id, func.count()).where(review.c.stage_run_id.in_(run_ids))
    return {row[0]: row[1] for row in session.execute(statement.group_by(review.c.stage_run_id))}


def review_facts(verb: str, base: FactsOf[Any, ProjectFacts] = gate_facts) -> Any:
    """Return the fact query of a verb on a review; who does not judge the gate takes `project_facts` as its base."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[ReviewFacts]:
        ids = [task.row.id for task in tasks]
        seats = rows_by(session, PanelMember, "review_id", ids, "id")
        people = holders(session, {seat.user_id for found in seats.values() for seat in found})
        scores: dict[UUID, dict[str, int]] = {}
        score_ids: dict[tuple[UUID, str], UUID] = {}
        for row in [row for rows in rows_by(session, Score, "review_id", ids, "id").values() for row in rows]:
            scores.setdefault(row.member_id, {})[row.factor] = row.points
            score_ids[row.member_id, row.factor] = row.id
        objections = rows_by(session, Objection, "review_id", ids, "id")
        conditions = rows_by(session, Condition, "review_id", ids, "id")
        wanted = {item.owner_id for task in tasks for item in getattr(task.command, "conditions", ())}
        owners = frozenset(row.id for row in _active(session, wanted)) if wanted else frozenset()
        return [
            ReviewFacts(
                command=task.command,
                verb=verb,
                on=on,
                review=task.row,
                seats=tuple(seats.get(task.row.id, ())),
                conflicted=_conflicted(seats.get(task.row.id, ()), people, project_parties(task.project)),
                scores=scores,
                score_ids=score_ids,
                objections=tuple(objections.get(task.row.id, ())),
                kept_conditions=tuple(conditions.get(task.row.id, ())),
                owners=owners,
            )
            for task, on in zip(tasks, base(session, tasks, stamp), strict=True)
        ]

    return facts


def _active(session: Session, user_ids: set[UUID]) -> Sequence[Any]:
    user = table_of(User)
    statement = select(user.c.id).where(user.c.id.in_(user_ids), user.c.status == UserStatus.ACTIVE)
    return session.execute(statement).all()
