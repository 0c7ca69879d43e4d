"""The verbs of a gate review: call, open, recuse, score, propose, decide, reopen, cancel, object, answer."""

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from lifecycle.chart import not_possible
from lifecycle.commands import Command, Verb
from lifecycle.projects import rules as project_rules
from lifecycle.projects.commands import ProjectCommand
from lifecycle.projects.facts import project_facts
from lifecycle.reviews import effects, rules
from lifecycle.reviews.chart import ReviewChart
from lifecycle.reviews.facts import CallFacts, ReviewFacts, call_facts, review_facts
from lifecycle.reviews.panel import Seat
from lifecycle.stages.chart import StageRunChart
from lifecycle.verdicts.cache import refresh
from models.projects import Project
from models.reviews import Review
from models.states import GateOutcome, ProjectState

R = TypeVar("R", bound="ReviewCommand")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReview(ProjectCommand):
    """Call a panel for the present stage: the evidence is frozen from now on."""

    planned_on: date
    panel: tuple[Seat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCommand(Command):
    """Base of what is asked of one review."""

    review_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReview(ReviewCommand):
    """Open the documents to the panel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recuse(ReviewCommand):
    """Step aside because of a conflict of interest, before or while scoring."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveScore(ReviewCommand):
    """Give points (0 to 10) to every factor, and a vote."""

    points: tuple[tuple[str, int], ...]
    vote: GateOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionItem:
    """One debt of a conditional go."""

    clause: str
    owner_id: UUID
    due_on: date
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(ReviewCommand):
    """Record what the panel decided; final when the notice period ends, or at once without one."""

    outcome: GateOutcome
    reason: str
    target: ProjectState | None = None
    until_on: date | None = None
    conditions: tuple[ConditionItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(ReviewCommand):
    """Make the proposal final after its notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenReview(ReviewCommand):
    """Score again after an upheld objection."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReview(ReviewCommand):
    """Call the panel off."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(ReviewCommand):
    """Record an objection made during the notice."""

    raised_by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerObjection(ReviewCommand):
    """Uphold or refuse an objection."""

    objection_id: UUID
    upheld: bool
    answer: str


CALL_REVIEW: Verb[CallReview, CallFacts] = Verb(
    object_type="review",
    name="call",
    command=CallReview,
    subject=Project,
    subject_id=lambda command: command.project_id,
    facts=call_facts,
    chart=StageRunChart,
    state=lambda facts: str(facts.on.run.state) if facts.on.run else str(facts.on.project.stage),
    event=lambda facts: None if rules.is_being_worked_on(facts) else "call_review",
    rules=(
        rules.handed_in,
        rules.not_on_hold,
        lambda facts: project_rules.not_ended(facts.on),
        rules.no_review_open,
        rules.panel_asked,
        rules.planned_ahead,
        rules.panel_known,
        rules.competences_held,
        rules.roles_held,
        rules.panel_sound,
        rules.panel_independent,
        rules.earlier_conditions_cleared,
        rules.waivers_within_limit,
    ),
    effects=effects.called,
    follow=refresh,
)


def review_verb(name: str, command: type[R], **rest: Any) -> Verb[R, ReviewFacts]:
    """Return a verb whose subject is the review, judged by its chart unless it moves nothing."""
    defaults: dict[str, Any] = {
        "object_type": "review",
        "facts": review_facts(name),
        "chart": ReviewChart,
        "state": lambda facts: str(facts.review.state),
        "subject": Review,
        "subject_id": lambda command: command.review_id,
    }
    return Verb(name=name, command=command, **{**defaults, **rest})


def _while_in(*states: str) -> Any:
    """Return the rule of a verb that moves nothing and belongs to some states only."""

    def rule(facts: ReviewFacts) -> Any:
        return () if facts.review.state in states else (not_possible(facts.verb, facts.review.state),)

    return rule


_AT_THE_HEAD = (rules.is_member, rules.not_recused, rules.not_conflicted, rules.is_chair)
"""What the person is asked who records what the panel decided."""

OPEN = review_verb(
    "open",
    OpenReview,
    facts=review_facts("open", project_facts),
    rules=(rules.not_ended,),
    effects=effects.opened,
)
RECUSE = review_verb(
    "recuse",
    Recuse,
    facts=review_facts("recuse", project_facts),
    event=lambda _facts: None,
    rules=(rules.not_ended, _while_in("called", "scoring"), rules.is_member, rules.not_recused, rules.says_why),
    effects=effects.recused,
)
SCORE = review_verb(
    "score",
    GiveScore,
    facts=review_facts("score", project_facts),
    event=lambda _facts: None,
    rules=(
        rules.not_ended,
        _while_in("scoring"),
        rules.not_on_hold,
        rules.is_member,
        rules.not_recused,
        rules.not_conflicted,
        rules.has_vote,
        rules.points_sound,
        rules.vote_known,
    ),
    effects=effects.scored,
)
PROPOSE = review_verb(
    "propose",
    Propose,
    rules=(rules.not_ended, *_AT_THE_HEAD, rules.owners_known),
    effects=effects.proposed,
    follow=refresh,
)
DECIDE = review_verb(
    "decide",
    Decide,
    rules=(rules.not_ended, *_AT_THE_HEAD),
    effects=effects.decided,
    follow=refresh,
)
REOPEN = review_verb("reopen", ReopenReview, rules=(rules.not_ended, rules.says_why), effects=effects.reopened)
CANCEL = review_verb("cancel", CancelReview, rules=(rules.says_why,), effects=effects.cancelled, follow=refresh)
OBJECT = review_verb(
    "object",
    Object,
    event=lambda _facts: None,
    rules=(rules.not_ended, _while_in("proposed"), rules.notice_runs),
    effects=effects.objected,
    follow=refresh,
)
ANSWER_OBJECTION = review_verb(
    "answer_objection",
    AnswerObjection,
    event=lambda _facts: None,
    rules=(rules.not_ended, _while_in("proposed"), rules.objection_waits, rules.says_why),
    effects=effects.objection_answered,
    follow=refresh,
)
