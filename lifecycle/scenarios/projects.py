"""The projects of a scenario: each led to its stage, with one agreement over its milestones, each in its state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lifecycle.agreements.commands import DraftAgreement, SignAgreement, SupplementAgreement
from lifecycle.agreements.terms import PlannedTranche, TrancheChange
from lifecycle.milestones.commands import AcceptMilestone, RejectMilestone, SubmitMilestone, WaiveMilestone
from lifecycle.projects.commands import Advance, Stop, Withdraw
from lifecycle.projects.registration import RegisterProject
from lifecycle.requirements.commands import AddEvidence
from lifecycle.scenarios.cast import Cast, Wish
from lifecycle.scenarios.file import Milestone, Project, Scenario
from models.agreements import Milestone as MilestoneRow
from models.limits import WHOLE_SHARE
from models.reading import rows_by
from models.states import STAGES, MilestoneState, OrganisationKind, ProjectState, Role

_REASON = "scenario"
_GATE = "G1"
"""What every tranche waits for: passed as soon as a project has left intake, and none is agreed on before."""
_HANDED_IN = (MilestoneState.SUBMITTED, MilestoneState.ACCEPTED, MilestoneState.REJECTED)
_LAST = len(STAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The file that reports rest on: the scenario itself."""

    file_name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One project of the file on its way."""

    place: str
    file: Project
    id: UUID
    firm: UUID
    funder: UUID

    @property
    def steps(self) -> int:
        """How often it moves on: five times into production; what ends otherwise ends where it can be paid."""
        if self.file.stage in STAGES:
            return STAGES.index(self.file.stage)
        if self.file.stage == ProjectState.IN_PRODUCTION:
            return _LAST
        return 1 if self.file.milestones else 0

    @property
    def award_minor(self) -> int:
        """The sum of its milestones."""
        return sum(one.amount_minor for one in self.file.milestones)


def begin_projects(cast: Cast, scenario: Scenario) -> list[Course]:
    """Register the projects, and agree on their money while they may be funded: as soon as they have left intake."""
    platform = cast.home[OrganisationKind.PLATFORM]
    wishes: list[Wish] = []
    for number, one in enumerate(scenario.projects):
        firm = cast.ids[one.organisation]
        parties = {"organisation_id": firm, "platform_id": platform}
        said = {"programme_id": cast.ids[one.programme], "name": one.name, **parties}
        wishes.append((cast.hand(Role.PROJECT_LEAD, firm), f"/projects/{number}", said))
    made = cast.make(RegisterProject, wishes)
    courses = [
        Course(
            place=f"/projects/{number}",
            file=one,
            id=project,
            firm=cast.ids[one.organisation],
            funder=cast.owners[one.programme],
        )
        for number, (one, project) in enumerate(zip(scenario.projects, made, strict=True))
    ]
    cast.ids |= {one.file.ref: one.id for one in courses}
    _advance(cast, courses, steps=range(1))
    _agree(cast, scenario, [one for one in courses if one.file.milestones])
    return courses


def move_projects(cast: Cast, courses: Sequence[Course], paper: Paper) -> None:
    """Lead the projects on to their stage, and their milestones to their state."""
    _advance(cast, courses, steps=range(1, _LAST))
    _report(cast, courses, paper)


def _advance(cast: Cast, courses: Sequence[Course], *, steps: Iterable[int]) -> None:
    who = cast.hand(Role.COORDINATOR, cast.home[OrganisationKind.PLATFORM])
    for step in steps:
        moving = [one for one in courses if one.steps > step]
        said = [(who, f"{one.place}/stage", {"project_id": one.id, "reason": _REASON}) for one in moving]
        cast.all(Advance, said)


def _agree(cast: Cast, scenario: Scenario, courses: Sequence[Course]) -> None:
    """Make out one agreement over the milestones of each project, to the last fen, and have both parties sign it."""
    fund_of = {one.ref: cast.id_of(one.fund) for one in scenario.programmes}
    drafts: list[Wish] = []
    for one in courses:
        said = {"fund_id": fund_of[one.file.programme], "project_id": one.id, "amount_minor": one.award_minor}
        terms = {"starts_on": cast.play.today, "tranches": _plan(one.file.milestones)}
        drafts.append((cast.hand(Role.SPONSOR, one.funder), one.place, {**said, **terms}))
    agreements = list(zip(courses, cast.make(DraftAgreement, drafts), strict=True))
    _set_amounts(cast, agreements)
    for role in (Role.SPONSOR, Role.PROJECT_LEAD):
        cast.all(
            SignAgreement,
            [
                (cast.hand(role, one.funder if role == Role.SPONSOR else one.firm), one.place, {"agreement_id": made})
                for one, made in agreements
            ],
        )
    rows = rows_by(cast.play.session, MilestoneRow, "agreement_id", [made for _, made in agreements], "number")
    for one, made in agreements:
        cast.ids |= zip(
            (milestone.ref for milestone in one.file.milestones), (row.id for row in rows[made]), strict=True
        )


def _shares(milestones: Sequence[Milestone]) -> list[int]:
    """Return a share for each: equal, and large enough that none is nothing; amounts take their place (`_set_amounts`).

    Shares are whole basis points and cannot say every amount.
    """
    award, count = sum(one.amount_minor for one in milestones), len(milestones)
    share = max(WHOLE_SHARE // count, -(-WHOLE_SHARE // award))
    return [*[share] * (count - 1), WHOLE_SHARE - share * (count - 1)]


def _plan(milestones: Sequence[Milestone]) -> tuple[PlannedTranche, ...]:
    return tuple(
        PlannedTranche(code=_code(number), share_basis_points=share, gate=_GATE, due_on=one.due_on)
        for number, (one, share) in enumerate(zip(milestones, _shares(milestones), strict=True))
    )


def _code(number: int) -> str:
    return f"M{number + 1}"


def _set_amounts(cast: Cast, agreements: Sequence[tuple[Course, UUID]]) -> None:
    """Put the amounts of the file in place of the shares, where these did not meet them by themselves."""
    wishes: list[Wish] = []
    for course, agreement in agreements:
        wanted = [one.amount_minor for one in course.file.milestones]
        met = [sum(wanted) * share // WHOLE_SHARE for share in _shares(course.file.milestones)]
        if wanted[:-1] != met[:-1]:
            changes = tuple(TrancheChange(code=_code(number), amount_minor=one) for number, one in enumerate(wanted))
            said = {"agreement_id": agreement, "reason": _REASON, "tranches": changes}
            wishes.append((cast.hand(Role.SPONSOR, course.funder), course.place, said))
    cast.all(SupplementAgreement, wishes)


def _report(cast: Cast, courses: Sequence[Course], paper: Paper) -> None:
    """Hand the reports in, on the paper of their project, and decide on them as the file says."""
    handed = {"type": "report", "file_name": paper.file_name, "sha256": paper.sha256, "size_bytes": paper.size_bytes}
    papers: list[Wish] = []
    for one in courses:
        if any(part.state in _HANDED_IN for part in one.file.milestones):
            said = {"project_id": one.id, "form": {"title": _REASON}, **handed}
            papers.append((cast.hand(Role.PROJECT_LEAD, one.firm), one.place, said))
    cast.all(AddEvidence, papers)
    report: Mapping[str, Any] = {"summary": _REASON, "evidence": (paper.sha256,)}
    decision: Mapping[str, Any] = {"reason": _REASON}
    platform = cast.home[OrganisationKind.PLATFORM]
    for verb, states, role, word in (
        (SubmitMilestone, _HANDED_IN, Role.PROJECT_LEAD, report),
        (AcceptMilestone, (MilestoneState.ACCEPTED,), Role.COORDINATOR, decision),
        (RejectMilestone, (MilestoneState.REJECTED,), Role.COORDINATOR, decision),
        (WaiveMilestone, (MilestoneState.WAIVED,), Role.SPONSOR, decision),
    ):
        wishes: list[Wish] = []
        for one in courses:
            at = {Role.PROJECT_LEAD: one.firm, Role.COORDINATOR: platform, Role.SPONSOR: one.funder}[role]
            wishes += [
                (cast.hand(role, at), f"{one.place}/milestones/{number}", {"milestone_id": cast.ids[part.ref], **word})
                for number, part in enumerate(one.file.milestones)
                if part.state in states
            ]
        cast.all(verb, wishes)


def end_projects(cast: Cast, courses: Sequence[Course]) -> None:
    """Withdraw and stop what the file says has ended; what waits to be paid there is cancelled, as it always is."""
    withdrawn: list[Wish] = []
    stopped: list[Wish] = []
    for one in courses:
        said = {"project_id": one.id, "reason": _REASON}
        if one.file.stage == ProjectState.WITHDRAWN:
            withdrawn.append((cast.hand(Role.PROJECT_LEAD, one.firm), f"{one.place}/stage", said))
        elif one.file.stage == ProjectState.STOPPED:
            asked = {**said, "code": "other"}
            stopped.append((cast.hand(Role.SPONSOR, one.funder), f"{one.place}/stage", asked))
    cast.all(Withdraw, withdrawn)
    cast.all(Stop, stopped)
