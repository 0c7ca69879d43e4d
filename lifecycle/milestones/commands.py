"""The verbs of a tranche: handed in, accepted or rejected, waived."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lifecycle.commands import Command, FactsOf, Verb
from lifecycle.milestones import effects, rules
from lifecycle.milestones.chart import OBJECT_TYPE, MilestoneChart
from lifecycle.milestones.facts import MilestoneFacts, milestone_facts, result_facts, waiving_facts
from models.agreements import Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneCommand(Command):
    """Base of what is asked of one tranche."""

    milestone_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMilestone(MilestoneCommand):
    """Hand in what was reached, with the SHA-256 of each file that shows it."""

    summary: str
    evidence: tuple[str, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptMilestone(MilestoneCommand):
    """Find that the result is there: the tranche is released."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectMilestone(MilestoneCommand):
    """Give the report back, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceRelease(MilestoneCommand):
    """Say publicly that a retention shall be released: objections are possible until the notice has run."""

    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveMilestone(MilestoneCommand):
    """Take the tranche out of the award for good."""

    reason: str


def _verb(
    name: str, command: type[Any], effect: Any, facts: FactsOf[Any, MilestoneFacts], *own: Any
) -> Verb[Any, MilestoneFacts]:
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=Milestone,
        subject_id=lambda asked: asked.milestone_id,
        chart=MilestoneChart,
        state=lambda facts: str(facts.milestone.state),
        facts=facts,
        rules=(rules.agreement_active, *own),
        effects=effect,
    )


SUBMIT = _verb("submit", SubmitMilestone, effects.submitted, milestone_facts, rules.project_running, rules.report_sound)
ACCEPT = _verb(
    "accept",
    AcceptMilestone,
    effects.accepted,
    result_facts,
    rules.project_running,
    rules.has_reason,
    rules.clock_needs_a_gate,
)
REJECT = _verb("reject", RejectMilestone, effects.rejected, milestone_facts, rules.has_reason)
ANNOUNCE: Verb[AnnounceRelease, MilestoneFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="announce",
    command=AnnounceRelease,
    subject=Milestone,
    subject_id=lambda asked: asked.milestone_id,
    state=lambda facts: str(facts.milestone.state),
    facts=milestone_facts,
    rules=(rules.agreement_active, rules.project_running, rules.is_retained, rules.place_named),
    effects=effects.announced,
)
_WAIVE = (rules.agreement_active, rules.has_reason)
WAIVE = _verb("waive", WaiveMilestone, effects.waived, waiving_facts(_WAIVE), rules.has_reason)
