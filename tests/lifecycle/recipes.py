"""For every verb: how to bring about commands that will be carried out, by whom, and what the journal then says.

`make(house, count)` returns that many commands on as many different subjects. Used by all tests of the engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.calendars import commands as calendars
from lifecycle.commands import REGISTRY, Command
from lifecycle.disbursement import commands as disbursement
from lifecycle.people import commands as people
from lifecycle.projects import commands as project
from lifecycle.projects import registration
from lifecycle.requirements import commands as requirement
from lifecycle.reviews import commands as review
from lifecycle.standards import library
from lifecycle.trials import commands as trial
from models.states import (
    FindingKind,
    GateOutcome,
    MaturityScale,
    OrderKind,
    OrganisationKind,
    ProjectState,
    Role,
    Verification,
)
from tests import factories as make
from tests.factories import House, key
from tests.remembered import remembered

Made: TypeAlias = list[Command]
FEASIBILITY, TRIAL, MARKET = ProjectState.FEASIBILITY, ProjectState.SMALL_BATCH_TRIAL, ProjectState.MARKET_VALIDATION


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One verb, with all that its acts leave in the journal."""

    by: str
    make: Callable[[House, int], Made]
    acts: tuple[str, ...]
    """Actions of the audit rows, in their order."""
    moves: tuple[tuple[str, str, str, str], ...] = ()
    """(object type, event, from, to) of the transitions, in their order."""
    tells: tuple[str, ...] = ()
    """Kinds of the outbox messages."""


RECIPES: dict[str, Recipe] = {}


def recipe(
    verb: str,
    *acts: str,
    by: str,
    moves: tuple[tuple[str, str, str, str], ...] = (),
    tells: str = "",
) -> Callable[[Callable[[House, int], Made]], Callable[[House, int], Made]]:
    """Enter a function as the recipe of a verb; by default its one act is called like the verb."""

    def enter(function: Callable[[House, int], Made]) -> Callable[[House, int], Made]:
        RECIPES[verb] = Recipe(
            by=by, make=remembered(function), acts=acts or (verb,), moves=moves, tells=tuple(tells.split())
        )
        return function

    return enter


def given(command: type[Command], ids: Sequence[UUID], **rest: Any) -> Made:
    """Return the same command for each of these subjects."""
    build: Any = command
    field = f"{REGISTRY[command].subject_name}_id"
    return [build(command_id=key(), **{field: one}, **rest) for one in ids]


def _users(house: House, count: int) -> list[UUID]:
    return make.ids_of(house.do(*add_user(house, count)))


@recipe("calendar.override", by=Role.ADMIN, tells="calendar.changed")
def set_a_day(house: House, count: int) -> Made:
    """There is only one calendar: each command sets another day, long ahead of every deadline."""
    first = date(2030, 3, 4)
    return [
        calendars.OverrideDay(
            command_id=key(), day=first + timedelta(weeks=ahead), is_working_day=False, name="storm", notice="2030-1"
        )
        for ahead in range(count)
    ]


@recipe("calendar.announce", by=Role.ADMIN, tells="calendar.changed")
def announce_a_year(house: House, count: int) -> Made:
    """Each command announces another year as it was guessed."""
    return [calendars.AnnounceYear(command_id=key(), year=2030 + ahead, notice="2029-7") for ahead in range(count)]


@recipe("disbursement.freeze", by=Role.ACCOUNTANT, tells="disbursement.frozen")
def stop_disbursement(house: House, count: int) -> Made:
    """There is only one subject: the first stops it, the others find it stopped."""
    return [disbursement.Freeze(command_id=key(), reason="a wrong payee") for _ in range(count)]


@recipe("disbursement.lift", by=Role.FUND_DIRECTOR)
def let_disbursement_go_on(house: House, count: int) -> Made:
    """The first of two people signs."""
    house.do(*stop_disbursement(house, 1))
    return [disbursement.Lift(command_id=key(), reason="it was right") for _ in range(count)]


@recipe("organisation.add", by=Role.ADMIN, tells="organisation.added")
def add_organisation(house: House, count: int) -> Made:
    return [
        people.AddOrganisation(command_id=key(), name=f"firm {key()}", kind=OrganisationKind.SME, outside_key=key())
        for _ in range(count)
    ]


@recipe("organisation.correct", by=Role.COORDINATOR)
def correct_organisation(house: House, count: int) -> Made:
    firms = make.ids_of(house.do(*add_organisation(house, count)))
    house.do(
        *(
            registration.RegisterProject(
                command_id=key(),
                programme_id=house.programmes["default"],
                organisation_id=firm,
                platform_id=house.parties["platform"],
                name=f"robot {key()}",
            )
            for firm in firms
        )
    )
    return [
        people.CorrectOrganisation(command_id=key(), organisation_id=firm, reason="as licensed", name=f"right {key()}")
        for firm in firms
    ]


@recipe("organisation.tie", by=Role.ADMIN)
def tie(house: House, count: int) -> Made:
    added = house.do(*add_organisation(house, count))
    return [
        people.TieOrganisations(
            command_id=key(),
            organisation_id=UUID(answer["object_id"]),
            other_id=house.parties["customer"],
            share_basis_points=2500,
        )
        for answer in added
    ]


@recipe("user.add", by=Role.ADMIN, tells="user.added")
def add_user(house: House, count: int) -> Made:
    return [
        people.AddUser(command_id=key(), login=(name := key()), email=f"{name}@example.org", name="Li Wei")
        for _ in range(count)
    ]


@recipe("user.grant", by=Role.ADMIN)
def grant(house: House, count: int) -> Made:
    platform = house.parties["platform"]
    return [
        people.GrantRole(command_id=key(), user_id=user, role=Role.LAB_LEAD, organisation_id=platform)
        for user in _users(house, count)
    ]


@recipe("user.revoke", by=Role.ADMIN)
def revoke(house: House, count: int) -> Made:
    granted = house.do(*grant(house, count))
    return [
        people.RevokeRole(command_id=key(), user_id=UUID(answer["object_id"]), grant_id=UUID(str(answer["grant_id"])))
        for answer in granted
    ]


@recipe("user.disable", by=Role.ADMIN)
def disable(house: House, count: int) -> Made:
    return [people.DisableUser(command_id=key(), user_id=user) for user in _users(house, count)]


@recipe("user.enable", by=Role.ADMIN)
def enable(house: House, count: int) -> Made:
    disabled = disable(house, count)
    house.do(*disabled)
    return [
        people.EnableUser(command_id=key(), user_id=one.user_id)
        for one in disabled
        if isinstance(one, people.DisableUser)
    ]


@recipe("user.set_language", by=Role.ADMIN)
def set_language(house: House, count: int) -> Made:
    own = house.people[Role.ADMIN].user_id
    return [people.SetLanguage(command_id=key(), user_id=own, language=("en", "zh-CN")[at % 2]) for at in range(count)]


@recipe("user.add_token", by=Role.ADMIN)
def add_token(house: House, count: int) -> Made:
    end = house.now + timedelta(days=90)
    return [
        people.AddToken(command_id=key(), user_id=user, token_sha256=key().replace("-", "") * 2, expires_at=end)
        for user in _users(house, count)
    ]


@recipe("user.revoke_token", by=Role.ADMIN)
def revoke_token(house: House, count: int) -> Made:
    given = house.do(*add_token(house, count))
    return [
        people.RevokeToken(command_id=key(), user_id=UUID(answer["object_id"]), token_id=UUID(str(answer["token_id"])))
        for answer in given
    ]


def _packs(count: int) -> list[tuple[str, dict[str, Any]]]:
    packs = [make.lean().model_copy(update={"version": f"2026.{number}"}) for number in range(2, count + 2)]
    return [(library.sha256(pack), pack.canonical()) for pack in packs]


@recipe("standard.publish", by=Role.STANDARD_EDITOR, tells="standard.published")
def publish(_house: House, count: int) -> Made:
    return [people.PublishStandard(command_id=key(), sha256=name, body=body) for name, body in _packs(count)]


@recipe("standard_draft.propose", by=Role.STANDARD_EDITOR, tells="standard.proposed")
def propose_standard(_house: House, count: int) -> Made:
    why = "three batches instead of one"
    return [
        people.ProposeStandard(command_id=key(), sha256=name, body=body, reason=why) for name, body in _packs(count)
    ]


@recipe("standard_draft.withdraw", by=Role.STANDARD_EDITOR)
def withdraw_standard(house: House, count: int) -> Made:
    drafts = make.ids_of(house.do(*propose_standard(house, count), by=Role.STANDARD_EDITOR))
    return [
        people.WithdrawStandard(command_id=key(), standard_draft_id=one, reason="the bound is not met by anybody")
        for one in drafts
    ]


@recipe("programme.add", by=Role.SPONSOR, tells="programme.added")
def add_programme(house: House, count: int) -> Made:
    pack = library.sha256(library.bare())
    return [people.AddProgramme(command_id=key(), code=key(), name="call", pack_sha256=pack) for _ in range(count)]


OPENED = ("stage_run", "open", "", "open")


@recipe(
    "project.register",
    "project.register",
    "stage_run.open",
    by=Role.PROJECT_LEAD,
    moves=(("project", "register", "", "intake"), OPENED),
    tells="project.received",
)
def register(house: House, count: int) -> Made:
    return [
        registration.RegisterProject(
            command_id=key(),
            programme_id=house.programmes["lean"],
            organisation_id=house.parties["sme"],
            platform_id=house.parties["platform"],
            name=f"robot {key()}",
        )
        for _ in range(count)
    ]


@recipe(
    "project.import",
    "project.import",
    "stage_run.open",
    by=Role.COORDINATOR,
    moves=(("project", "import", "", "small_batch_trial"), OPENED),
)
def bring_in(house: House, count: int) -> Made:
    return [
        registration.ImportProject(
            command_id=key(),
            programme_id=house.programmes["lean"],
            organisation_id=house.parties["sme"],
            platform_id=house.parties["platform"],
            name=f"robot {key()}",
            stage=TRIAL,
            outside_key=key(),
            outside={"title": "robot", "trl": 6},
            outside_sha256="0" * 64,
            trl=6,
        )
        for _ in range(count)
    ]


@recipe("project.update_imported", by=Role.COORDINATOR)
def update_imported(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=TRIAL, pack="lean")
    return given(registration.UpdateImported, ids, name="robot 2", outside={"trl": 7}, outside_sha256="1" * 64)


@recipe(
    "project.submit",
    "project.submit",
    "stage_run.submit",
    by=Role.PROJECT_LEAD,
    moves=(("stage_run", "submit", "open", "submitted"),),
    tells="project.submitted",
)
def submit(house: House, count: int) -> Made:
    return given(project.Submit, make.projects(house, count))


@recipe(
    "project.advance",
    "project.advance",
    "stage_run.pass",
    "stage_run.open",
    by=Role.COORDINATOR,
    moves=(("project", "advance", "intake", "feasibility"), ("stage_run", "pass", "open", "passed"), OPENED),
    tells="project.advanced",
)
def advance(house: House, count: int) -> Made:
    return given(project.Advance, make.projects(house, count), reason="ready")


@recipe(
    "project.recycle",
    "project.recycle",
    "stage_run.recycle",
    "stage_run.open",
    by=Role.COORDINATOR,
    moves=(
        ("project", "recycle", "small_batch_trial", "feasibility"),
        ("stage_run", "recycle", "open", "recycled"),
        OPENED,
    ),
    tells="project.recycled",
)
def recycle(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=TRIAL)
    return given(project.Recycle, ids, code="design", reason="the board overheats", target=FEASIBILITY)


@recipe(
    "project.withdraw",
    "project.withdraw",
    "stage_run.close",
    by=Role.PROJECT_LEAD,
    moves=(("project", "withdraw", "intake", "withdrawn"), ("stage_run", "close", "open", "closed")),
    tells="project.withdrawn",
)
def withdraw(house: House, count: int) -> Made:
    return given(project.Withdraw, make.projects(house, count), reason="sold")


@recipe(
    "project.stop",
    "project.stop",
    "stage_run.close",
    by=Role.FUND_MANAGER,
    moves=(("project", "stop", "intake", "stopped"), ("stage_run", "close", "open", "closed")),
    tells="project.stopped",
)
def stop(house: House, count: int) -> Made:
    return given(project.Stop, make.projects(house, count), code="misuse", reason="misuse")


@recipe("project.hold", by=Role.COORDINATOR, tells="project.held")
def hold(house: House, count: int) -> Made:
    until = house.today + timedelta(days=30)
    return given(project.PutOnHold, make.projects(house, count), code="partner", reason="waiting", until_on=until)


@recipe("project.resume", "project.resume", "stage_run.move_due_day", by=Role.COORDINATOR, tells="project.resumed")
def resume(house: House, count: int) -> Made:
    ids = make.projects(house, count)
    make.put_on_hold(house, *ids)
    house.later(days=5)
    return given(project.Resume, ids, reason="they answered")


@recipe("project.extend_hold", by=Role.SPONSOR)
def extend_hold(house: House, count: int) -> Made:
    ids = make.projects(house, count)
    make.put_on_hold(house, *ids)
    return given(project.ExtendHold, ids, until_on=house.today + timedelta(days=60), reason="still waiting")


@recipe("project.transfer", by=Role.COORDINATOR, tells="project.transfer_asked")
def transfer(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=FEASIBILITY, pack="lean")
    return given(project.Transfer, ids, platform_id=house.parties["other platform"], reason="better furnace")


@recipe("project.accept_transfer", by="other coordinator", tells="project.transferred")
def accept_transfer(house: House, count: int) -> Made:
    asked = house.do(*transfer(house, count), by=Role.COORDINATOR)
    return given(project.AcceptTransfer, make.ids_of(asked))


@recipe("project.assign", by=Role.COORDINATOR)
def assign(house: House, count: int) -> Made:
    chair = house.people[Role.PANEL_CHAIR].user_id
    return given(project.Assign, make.projects(house, count), user_id=chair, role=Role.PANEL_CHAIR)


@recipe("project.unassign", by=Role.COORDINATOR)
def unassign(house: House, count: int) -> Made:
    assigned = house.do(*assign(house, count), by=Role.COORDINATOR)
    chair = house.people[Role.PANEL_CHAIR].user_id
    return given(project.Unassign, make.ids_of(assigned), user_id=chair, role=Role.PANEL_CHAIR, reason="moved away")


@recipe("project.name_party", by=Role.COORDINATOR)
def name_party(house: House, count: int) -> Made:
    plant = house.parties["receiver"]
    return given(project.NameParty, make.projects(house, count), party="receiver", organisation_id=plant)


@recipe("project.correct", by=Role.COORDINATOR)
def correct_receipt(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=TRIAL, pack="default")
    return given(project.CorrectProject, ids, received_on=house.today - timedelta(days=90), reason="its letter")


@recipe("project.plan_panel", "project.plan_panel", "stage_run.plan_panel", by=Role.COORDINATOR)
def plan_panel(house: House, count: int) -> Made:
    return given(project.PlanPanel, _lean(house, count), planned_on=house.today + timedelta(days=30))


@recipe("project.refresh", by=Role.OPERATOR)
def refresh(house: House, count: int) -> Made:
    return given(requirement.RefreshVerdicts, make.projects(house, count))


def _lean(house: House, count: int) -> list[UUID]:
    return make.projects(house, count, stage=FEASIBILITY, pack="lean")


@recipe("evidence.add", "evidence.add", "project.add_evidence", by=Role.PROJECT_LEAD, tells="project.evidence_added")
def add_evidence(house: House, count: int) -> Made:
    return [make.evidence(one) for one in _lean(house, count)]


@recipe("evidence.withdraw", "evidence.withdraw", "project.withdraw_evidence", by=Role.PROJECT_LEAD)
def withdraw_evidence(house: House, count: int) -> Made:
    ids = _lean(house, count)
    papers = make.hand_in(house, *ids)
    return [
        requirement.WithdrawEvidence(command_id=key(), project_id=one, evidence_id=paper, reason="wrong file")
        for one, paper in zip(ids, papers, strict=True)
    ]


@recipe(
    "requirement.judge", "requirement.judge", "project.judge_requirement", by=Role.COORDINATOR, tells="project.judged"
)
def judge(house: House, count: int) -> Made:
    ids = _lean(house, count)
    make.hand_in(house, *ids)
    return given(requirement.JudgeRequirement, ids, clause="G2.1", yes=True, reason="seen")


@recipe(
    "requirement.waive",
    "requirement.waive",
    "project.waive_requirement",
    by=Role.PANEL_CHAIR,
    tells="project.waiver_asked",
)
def waive(house: House, count: int) -> Made:
    ids = _lean(house, count)
    make.name_members(house, *ids)
    until = house.today + timedelta(days=60)
    return given(requirement.WaiveRequirement, ids, clause="G2.1", reason="known", until_on=until)


@recipe(
    "requirement.confirm_waiver",
    "requirement.confirm_waiver",
    "project.confirm_waiver",
    by=Role.QUALITY_ENGINEER,
    tells="project.requirement_waived",
)
def confirm_waiver(house: House, count: int) -> Made:
    asked = waive(house, count)
    house.do(*asked, by=Role.PANEL_CHAIR)
    ids = [one.project_id for one in asked if isinstance(one, requirement.WaiveRequirement)]
    return given(requirement.ConfirmWaiver, ids, clause="G2.1")


@recipe(
    "requirement.reopen",
    "requirement.reopen",
    "project.reopen_requirement",
    by=Role.COORDINATOR,
    tells="project.requirement_reopened",
)
def reopen_requirement(house: House, count: int) -> Made:
    ids = _lean(house, count)
    make.meet_lean_gate(house, *ids)
    return given(requirement.ReopenRequirement, ids, clause="G2.1", reason="the source was withdrawn")


@recipe("claim.add", "project.claim_level", by=Role.PROJECT_LEAD)
def claim(house: House, count: int) -> Made:
    return given(requirement.ClaimLevel, _lean(house, count), scale=MaturityScale.TRL, item="arm", level=4)


@recipe("claim.add_all", "project.claim_level", by=Role.PROJECT_LEAD)
def claim_all(house: House, count: int) -> Made:
    levels = ((MaturityScale.TRL, "arm", 4), (MaturityScale.MRL, "design", 4))
    return given(requirement.ClaimLevels, _lean(house, count), levels=levels)


@recipe("revision.freeze", "project.freeze_revision", by=Role.PROCESS_ENGINEER, tells="project.revision_frozen")
def freeze(house: House, count: int) -> Made:
    return given(requirement.FreezeRevision, _lean(house, count), label="A", frozen_on=house.today, reason="first")


@recipe("notice.issue", "project.issue_notice", by=Role.COORDINATOR, tells="notice.issued")
def issue_notice(house: House, count: int) -> Made:
    return given(requirement.IssueNotice, _lean(house, count))


@recipe("notice.answer", "project.answer_notice", by=Role.PROJECT_LEAD, tells="notice.answered")
def answer_notice(house: House, count: int) -> Made:
    issued = house.do(*issue_notice(house, count), by=Role.COORDINATOR)
    return given(requirement.AnswerNotice, make.ids_of(issued))


@recipe(
    "review.call",
    "review.call",
    "stage_run.call_review",
    "project.call_review",
    by=Role.COORDINATOR,
    moves=(("review", "call", "", "called"), ("stage_run", "call_review", "submitted", "in_review")),
    tells="review.called",
)
def call_review(house: House, count: int) -> Made:
    return given(review.CallReview, make.submitted(house, count), planned_on=house.today, panel=make.panel(house))


@recipe("review.open", by=Role.COORDINATOR, moves=(("review", "open", "called", "scoring"),), tells="review.opened")
def open_review(house: House, count: int) -> Made:
    return given(review.OpenReview, make.reviews(house, count)[1])


@recipe("review.recuse", by=Role.EXPERT)
def recuse(house: House, count: int) -> Made:
    return given(review.Recuse, make.reviews(house, count)[1], reason="my brother's firm")


@recipe("review.score", by=Role.EXPERT)
def score(house: House, count: int) -> Made:
    ids = make.reviews(house, count, state="scoring")[1]
    return given(review.GiveScore, ids, points=(("merit", 7),), vote=GateOutcome.GO)


@recipe(
    "review.propose",
    by=Role.PANEL_CHAIR,
    moves=(("review", "propose", "scoring", "proposed"),),
    tells="review.proposed",
)
def propose(house: House, count: int) -> Made:
    ids = make.reviews(house, count, state="voted")[1]
    return given(review.Propose, ids, outcome=GateOutcome.GO, reason="as voted")


@recipe(
    "review.decide", by=Role.PANEL_CHAIR, moves=(("review", "decide", "proposed", "decided"),), tells="review.decided"
)
def decide(house: House, count: int) -> Made:
    ids = make.reviews(house, count, state="proposed")[1]
    house.later(days=8)
    return given(review.Decide, ids)


@recipe("review.object", by=Role.PROJECT_LEAD, tells="review.objected")
def objection(house: House, count: int) -> Made:
    """Raised while the notice runs, which begins on a working day: in a house of many tests any day may be today."""
    ids = make.reviews(house, count, state="proposed")[1]
    starts = house.one("SELECT notice_starts_on FROM review WHERE id = :id", id=str(ids[0]))
    house.later(days=max(1, (date.fromisoformat(str(starts)) - house.today).days))
    return given(review.Object, ids, raised_by="a neighbour", text="I was first")


@recipe("review.answer_objection", by=Role.PANEL_CHAIR)
def answer_objection(house: House, count: int) -> Made:
    raised = house.do(*objection(house, count), by=Role.PROJECT_LEAD)
    return [
        review.AnswerObjection(
            command_id=key(),
            review_id=UUID(answer["object_id"]),
            objection_id=UUID(answer["objection_id"]),
            upheld=True,
            answer="indeed",
        )
        for answer in raised
    ]


@recipe(
    "review.reopen",
    by=Role.PANEL_CHAIR,
    moves=(("review", "reopen", "proposed", "scoring"),),
    tells="review.reopened",
)
def reopen_review(house: House, count: int) -> Made:
    answered = house.do(*answer_objection(house, count), by=Role.PANEL_CHAIR)
    return given(review.ReopenReview, make.ids_of(answered), reason="upheld")


@recipe(
    "review.cancel",
    "review.cancel",
    "stage_run.reopen",
    by=Role.COORDINATOR,
    moves=(("review", "cancel", "called", "cancelled"), ("stage_run", "reopen", "in_review", "submitted")),
    tells="review.cancelled",
)
def cancel_review(house: House, count: int) -> Made:
    return given(review.CancelReview, make.reviews(house, count)[1], reason="the room is taken")


def _at_trial(house: House, count: int) -> list[UUID]:
    return make.projects(house, count, stage=TRIAL)


@recipe("characteristic.add", "project.add_characteristic", by=Role.PROCESS_ENGINEER)
def add_characteristic(house: House, count: int) -> Made:
    return given(trial.AddCharacteristic, _at_trial(house, count), name="torque", unit="Nm", lower_limit=1.0)


@recipe(
    "trial_batch.add", "trial_batch.add", "project.add_batch", by=Role.PROCESS_ENGINEER, tells="trial_batch.recorded"
)
def add_batch(house: House, count: int) -> Made:
    return given(trial.AddBatch, _at_trial(house, count), made_on=house.today, started=50, passed_first_time=41)


@recipe(
    "trial_batch.correct",
    "trial_batch.correct",
    "project.correct_batch",
    by=Role.PROCESS_ENGINEER,
    tells="trial_batch.corrected",
)
def correct_batch(house: House, count: int) -> Made:
    ids = _at_trial(house, count)
    make.batches(house, *ids)
    return given(trial.CorrectBatch, ids, number="B-01", started=50, passed_first_time=42, reason="miscounted")


@recipe(
    "trial_batch.close",
    "trial_batch.close",
    "project.close_batch",
    by=Role.PROCESS_ENGINEER,
    tells="trial_batch.closed",
)
def close_batch(house: House, count: int) -> Made:
    ids = _at_trial(house, count)
    make.batches(house, *ids)
    return given(trial.CloseBatch, ids, number="B-01", is_conforming=True)


@recipe("trial_batch.measure", "trial_batch.measure", "project.measure_batch", by=Role.QUALITY_ENGINEER)
def measure(house: House, count: int) -> Made:
    ids = make.ids_of(house.do(*add_characteristic(house, count), by=Role.PROCESS_ENGINEER))
    make.batches(house, *ids)
    return given(trial.AddMeasurements, ids, number="B-01", characteristic="torque", subgroups=((1.1, 1.2), (1.3, 1.1)))


@recipe(
    "trial_batch.correct_measurement",
    "trial_batch.correct_measurement",
    "project.correct_measurement_batch",
    by=Role.QUALITY_ENGINEER,
)
def correct_measurement(house: House, count: int) -> Made:
    made = measure(house, count)
    house.do(*made, by=Role.QUALITY_ENGINEER)
    ids = [one.project_id for one in made if isinstance(one, trial.AddMeasurements)]
    wrong = {"number": "B-01", "characteristic": "torque", "subgroup": 2, "place": 1}
    return given(trial.CorrectMeasurement, ids, **wrong, value=1.25, reason="misread")


@recipe(
    "project.reach_stop_loss",
    "project.reach_stop_loss",
    "stage_run.reach_stop_loss",
    by=Role.OPERATOR,
    tells="project.stop_loss_reached",
)
def reach_stop_loss(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=TRIAL, pack="default")
    make.sign_contract(house, *ids, stop_loss_days=0)
    return given(trial.ReachStopLoss, ids)


@recipe("issue.add", "project.add_issue", by=Role.EHS_OFFICER, tells="project.issue_added")
def add_issue(house: House, count: int) -> Made:
    return given(trial.AddIssue, _at_trial(house, count), kind=FindingKind.ISSUE, severity=2, title="board overheats")


@recipe("issue.close", "project.close_issue", by=Role.QUALITY_ENGINEER)
def close_issue(house: House, count: int) -> Made:
    added = house.do(*add_issue(house, count), by=Role.EHS_OFFICER)
    return given(trial.CloseIssue, make.ids_of(added), number=1, disposition="larger fan")


@recipe("track.start", "project.start_track", by=Role.LAB_LEAD)
def start_track(house: House, count: int) -> Made:
    return given(trial.StartTrack, _at_trial(house, count), verification=Verification.PROCESS, started_on=house.today)


@recipe("track.finish", "project.finish_track", by=Role.QUALITY_ENGINEER)
def finish_track(house: House, count: int) -> Made:
    started = house.do(*start_track(house, count), by=Role.LAB_LEAD)
    ids = make.ids_of(started)
    done = {"verification": Verification.PROCESS, "finished_on": house.today, "is_passed": True}
    return given(trial.FinishTrack, ids, **done)


@recipe("scenario.record", "project.record_scenario", by=Role.COORDINATOR, tells="project.scenario_recorded")
def record_scenario(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=MARKET)
    limits = {"noise": {"upper": 60, "unit": "dB"}}
    return given(trial.RecordScenario, ids, site="canteen", customer_id=house.parties["customer"], limits=limits)


@recipe("order.record", "project.record_order", by=Role.PROJECT_LEAD, tells="project.order_recorded")
def record_order(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=MARKET)
    order = {"reference": "PO-1", "kind": OrderKind.ORDER, "quantity": 3, "amount_minor": 900_000, "currency": "CNY"}
    return given(trial.RecordOrder, ids, customer_id=house.parties["customer"], **order)


from tests.lifecycle import (  # noqa: E402 - the money and the ways out have their recipes in files of their own
    access_recipes,  # noqa: F401
    agreement_recipes,  # noqa: F401
    delivery_recipes,  # noqa: F401
    ending_recipes,  # noqa: F401
    entrance_recipes,  # noqa: F401
    fund_recipes,  # noqa: F401
    payout_recipes,  # noqa: F401
)
