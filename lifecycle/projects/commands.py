"""The verbs of a project that exists: hand in, move on, go back, stand still, end, change platform."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlmodel import Session

from lifecycle.actor import Parties, conflict_of
from lifecycle.chart import about_input
from lifecycle.commands import Command, Stamp, Task, Verb
from lifecycle.engine import project_parties
from lifecycle.errors import Unmet, unmet
from lifecycle.people.facts import Holder, holders
from lifecycle.permissions import NAMED_ROLES
from lifecycle.projects import effects, rules
from lifecycle.projects.chart import ProjectChart
from lifecycle.projects.facts import ProjectFacts, gate_facts, neighbour_facts, project_facts
from lifecycle.stages.chart import StageRunChart
from lifecycle.verdicts.cache import refresh
from models.projects import Project, ProjectMember
from models.reading import rows_by
from models.states import ProjectState, Role

P = TypeVar("P", bound="ProjectCommand")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCommand(Command):
    """Base of what is asked of one project."""

    project_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(ProjectCommand):
    """Hand the stage in for review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPanel(ProjectCommand):
    """Say when the panel of the present stage shall meet: what its gate asks is due by that day."""

    planned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(ProjectCommand):
    """Move the project to the next stage, or from handoff into production."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle(ProjectCommand):
    """Send the project back: this stage again (no target), or an earlier one."""

    code: str
    reason: str
    target: ProjectState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(ProjectCommand):
    """End the project from the applicant's side."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(ProjectCommand):
    """End the project from the fund's side."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnHold(ProjectCommand):
    """Let nothing move until a day, at most 90 calendar days ahead."""

    code: str
    reason: str
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(ProjectCommand):
    """End the hold."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendHold(ProjectCommand):
    """Move the last day of the hold, once."""

    until_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(ProjectCommand):
    """Ask another platform to take the project over."""

    platform_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptTransfer(ProjectCommand):
    """Take over a project that was offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(ProjectCommand):
    """Name a person for a part in this project."""

    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassign(ProjectCommand):
    """End a person's part in this project; what they said in it stays."""

    user_id: UUID
    role: Role
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParty(ProjectCommand):
    """Say which organisation plays a part: the plant that takes over production, or what an import left open."""

    party: Literal["sme", "platform", "receiver"]
    organisation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectProject(ProjectCommand):
    """Record the day on which the application of an imported project arrived, where its source gave none or another.

    What is counted from that day is judged again: clean record (G1.5), need and platform (G1.7), and the due days of
    intake. The project keeps its number, and the due day of its stage.
    """

    received_on: date
    reason: str


def _id(command: ProjectCommand) -> UUID:
    return command.project_id


def project_verb(name: str, command: type[P], **rest: Any) -> Verb[P, ProjectFacts]:
    """Return a verb whose subject is the project; by default without a chart and with light facts."""
    defaults: dict[str, Any] = {
        "facts": project_facts,
        "state": lambda facts: str(facts.project.stage),
        "object_type": "project",
    }
    return Verb(name=name, command=command, subject=Project, subject_id=_id, **{**defaults, **rest})


SUBMIT = project_verb(
    "submit",
    Submit,
    chart=StageRunChart,
    facts=gate_facts,
    state=lambda facts: str(facts.run.state) if facts.run else str(facts.project.stage),
    rules=(rules.not_ended, rules.not_on_hold),
    effects=effects.submitted,
)
PLAN_PANEL = project_verb(
    "plan_panel",
    PlanPanel,
    rules=(rules.not_ended, rules.panel_not_called, rules.planned_ahead),
    effects=effects.panel_planned,
    follow=refresh,
)
ADVANCE = project_verb(
    "advance",
    Advance,
    chart=ProjectChart,
    facts=gate_facts,
    rules=(rules.has_reason, rules.run_can("pass")),
    effects=effects.advanced,
)


def _recycle_event(facts: ProjectFacts) -> str | None:
    """Return the arrow back to an earlier stage; this stage again is none, and of a later one the rule says why not."""
    target = facts.command.target
    is_back = target is not None and (facts.has_ended or target in rules.stages_back(facts.stage)[1:])
    return f"recycle_to_{target}" if is_back else None


RECYCLE = project_verb(
    "recycle",
    Recycle,
    chart=ProjectChart,
    facts=gate_facts,
    event=_recycle_event,
    rules=(
        rules.not_ended,
        rules.not_on_hold,
        rules.has_reason,
        rules.recycle_reason,
        rules.recycle_target,
        rules.recycle_decided,
        rules.recycle_as_decided,
        rules.recycles_left,
    ),
    effects=effects.recycled,
    follow=refresh,
)
HOLD = project_verb(
    "hold",
    PutOnHold,
    rules=(rules.not_ended, rules.hold_adds, rules.has_reason, rules.hold_days, rules.ehs_holds_for_safety),
    effects=effects.held,
)
RESUME = project_verb(
    "resume",
    Resume,
    rules=(rules.not_ended, rules.is_on_hold, rules.resume_roles, rules.second_lifter, rules.has_reason),
    effects=effects.resumed,
    follow=refresh,
)
EXTEND_HOLD = project_verb(
    "extend_hold",
    ExtendHold,
    rules=(rules.not_ended, rules.is_on_hold, rules.has_reason, rules.extensions_left, rules.extension_days),
    effects=effects.hold_extended,
)
TRANSFER = project_verb(
    "transfer",
    Transfer,
    rules=(rules.not_ended, rules.not_on_hold, rules.has_reason, rules.transfer_allowed, rules.another_platform),
    effects=effects.transfer_asked,
)


def _new_platform(task: Task[AcceptTransfer]) -> Parties:
    return {"platform": task.project.transfer_to_id}


ACCEPT_TRANSFER = project_verb(
    "accept_transfer",
    AcceptTransfer,
    rules=(rules.not_ended, rules.not_on_hold, rules.transfer_allowed, rules.transfer_asked),
    parties=_new_platform,
    effects=effects.transfer_accepted,
    follow=refresh,
)


CORRECT = project_verb(
    "correct",
    CorrectProject,
    rules=(
        rules.not_ended,
        rules.was_imported,
        rules.panel_not_called,
        rules.has_reason,
        rules.received_in_time,
        rules.receipt_corrected,
    ),
    effects=effects.receipt_corrected,
    follow=refresh,
)


@dataclass(frozen=True, kw_only=True)
class PartFacts(ProjectFacts):
    """A project, who is named for a part in it, and the row of that part."""

    person: Holder | None = None
    member: Any = None


def part_facts(session: Session, tasks: Any, stamp: Stamp) -> list[PartFacts]:
    """Read the project, the people named and the parts they have or had."""
    people = holders(session, {task.command.user_id for task in tasks})
    rows = rows_by(session, ProjectMember, "project_id", [task.project.id for task in tasks])
    members = {(row.project_id, row.user_id, row.role): row for found in rows.values() for row in found}
    return [
        PartFacts(
            **base.as_read(),
            person=people.get(task.command.user_id),
            member=members.get((task.project.id, task.command.user_id, task.command.role)),
        )
        for task, base in zip(tasks, project_facts(session, tasks, stamp), strict=True)
    ]


@about_input
def person_can_be_named(facts: PartFacts) -> tuple[Unmet, ...]:
    """Refuse an unknown or disabled account, and a part it has already; what is held by being named is granted first.

    No party of the project is named for what others judge in it, under whatever account (rule book 1.4). A manager of
    the project needs no grant to be named: it gives them no right.
    """
    role, person = facts.command.role, facts.person
    if person is None or not person.is_active:
        return (unmet("user_not_found"),)
    if facts.member is not None and facts.member.until_at is None:
        return (unmet("already_exists", field="member", value=role),)
    if role in NAMED_ROLES and role not in person.roles:
        return (unmet("role_not_held", person=person.name, role=role),)
    party = conflict_of(role, person.person_grants, project_parties(facts.project)) if role in NAMED_ROLES else None
    return (unmet("conflict_of_interest", conflict=party, people=[person.name]),) if party else ()


@about_input
def has_part(facts: PartFacts) -> tuple[Unmet, ...]:
    """Only a part that somebody has can end."""
    return () if facts.member is not None and facts.member.until_at is None else (unmet("part_not_held"),)


ASSIGN = project_verb(
    "assign",
    Assign,
    facts=part_facts,
    rules=(rules.not_ended, person_can_be_named),
    effects=effects.assigned,
)
UNASSIGN = project_verb(
    "unassign",
    Unassign,
    facts=part_facts,
    rules=(rules.not_ended, rules.has_reason, has_part),
    effects=effects.unassigned,
)
NAME_PARTY = project_verb(
    "name_party",
    NameParty,
    facts=neighbour_facts,
    rules=(
        rules.not_ended,
        rules.receiver_by_coordinator,
        rules.party_exists,
        rules.sides_apart,
        rules.party_open,
    ),
    effects=effects.party_named,
    follow=refresh,
)
