"""Refusals of registering, importing and everything that moves a project."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lifecycle.people.commands import GrantRole
from lifecycle.projects import commands as project
from lifecycle.reviews.commands import Decide
from models.states import GateOutcome, ProjectState, Role
from tests.factories import House, a_project, hand_in, ids_of, key, put_on_hold, reviews
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)
INTAKE, FEASIBILITY, TRIAL = ProjectState.INTAKE, ProjectState.FEASIBILITY, ProjectState.SMALL_BATCH_TRIAL


def tomorrow(house: House) -> Any:
    return house.today + timedelta(days=1)


wrong("project.register", "programme_not_found", programme_id=NOWHERE)
wrong("project.register", "organisation_not_found", by=Role.COORDINATOR, organisation_id=NOWHERE)
wrong("project.register", "name_length", name="")
wrong("project.register", "day_in_future", received_on=tomorrow)
wrong("project.register", "profile_unknown", profiles={"size": "huge"})
wrong("project.import", "programme_not_found", programme_id=NOWHERE)
wrong("project.import", "organisation_not_found", organisation_id=NOWHERE)
wrong("project.import", "level_off_scale", trl=10)
wrong("project.advance", "reason_missing", reason=" ")
wrong("project.advance", "reason_missing", reason="x" * 10_001)
wrong("project.recycle", "recycle_reason_unknown", code="mood")
wrong("project.recycle", "reason_missing", reason="")
wrong("project.stop", "stop_reason_unknown", code="mood")
wrong("project.withdraw", "reason_missing", reason="")
wrong("project.hold", "hold_reason_unknown", code="mood")
wrong("project.hold", "hold_too_long", until_on=lambda house: house.today + timedelta(days=91))
wrong("project.hold", "role", code="ehs")
wrong("project.extend_hold", "hold_too_long", until_on=lambda house: house.today + timedelta(days=121))
wrong("project.transfer", "same_platform", platform_id=lambda house: house.parties["platform"])
wrong("project.transfer", "organisation_not_found", platform_id=NOWHERE)
wrong("project.transfer", "organisation_not_found", platform_id=lambda house: house.parties["sme"])
wrong("project.assign", "user_not_found", user_id=NOWHERE)
wrong("project.assign", "user_not_found", user_id=lambda house: house.people["disabled"].user_id)
wrong("project.assign", "role_not_held", user_id=lambda house: house.people["nobody"].user_id)
wrong("project.unassign", "part_not_held", role=Role.EXPERT)
wrong("project.unassign", "reason_missing", reason=" ")
wrong("project.name_party", "organisation_not_found", organisation_id=NOWHERE)
wrong("project.name_party", "role", by=Role.OPERATOR)
wrong("project.name_party", "party_named_already", party="platform")
wrong("project.correct", "reason_missing", reason="")
wrong("project.correct", "day_in_future", received_on=tomorrow)
wrong("project.import", "day_in_future", received_on=tomorrow)
wrong("project.correct", "receipt_out_of_range", received_on=date(1025, 7, 1))
wrong("project.correct", "nothing_corrected", received_on=lambda house: house.today)
wrong("project.plan_panel", "planned_day_past", planned_on=lambda house: house.today - timedelta(days=1))


@refused("project.import", "already_exists")
def _the_same_row(house: House) -> Any:
    return again("project.import", done(house, "project.import"))


@refused("project.update_imported", "not_imported")
def _registered_here(house: House) -> Any:
    return made(house, "project.update_imported", project_id=a_project(house))


@refused("project.correct", "not_imported")
def _taken_in_here(house: House) -> Any:
    return made(house, "project.correct", project_id=a_project(house))


@refused("project.correct", "receipt_out_of_range")
def _received_after_the_trial_had_begun(house: House) -> Any:
    command = made(house, "project.correct", received_on=tomorrow(house))
    house.later(days=5)
    return command


@refused("project.correct", "review_open_already")
def _while_a_panel_judges(house: House) -> Any:
    return made(house, "project.correct", project_id=reviews(house)[0][0])


@refused("project.submit", "submit_not_possible_when_submitted")
def _submitted_already(house: House) -> Any:
    return again("project.submit", done(house, "project.submit"))


@refused("project.submit", "project_on_hold")
def _on_hold(house: House) -> Any:
    command = made(house, "project.submit")
    put_on_hold(house, command.project_id)
    return replace(command)


ON_AN_ENDED_PROJECT = {
    "project.submit": ("submit_not_possible_when_withdrawn",),
    "project.advance": ("advance_not_possible_when_withdrawn",),
    "project.recycle": ("recycle_not_possible_when_withdrawn",),
    "project.withdraw": ("withdraw_not_possible_when_withdrawn",),
    "project.stop": ("stop_not_possible_when_withdrawn",),
    "project.hold": ("project_ended",),
    "project.resume": ("project_ended", "not_on_hold"),
    "project.extend_hold": ("project_ended", "not_on_hold"),
    "project.transfer": ("project_ended",),
    "project.assign": ("project_ended",),
    "project.name_party": ("project_ended",),
    "project.plan_panel": ("project_ended",),
    "project.correct": ("project_ended",),
    "evidence.add": ("project_ended",),
    "notice.issue": ("project_ended", "nothing_owed"),
    "trial_batch.add": ("project_ended",),
    "issue.add": ("project_ended",),
}


def _ended(verb: str) -> None:
    def arrange(house: House) -> Any:
        command = made(house, verb)
        house.do(on(project.Withdraw, command.project_id, reason="sold"), by=Role.PROJECT_LEAD)
        return replace(command)

    arrange.__name__ = "on an ended project"
    refused(verb, *ON_AN_ENDED_PROJECT[verb])(arrange)


for _verb in ON_AN_ENDED_PROJECT:
    _ended(_verb)


@refused("project.advance", "project_on_hold")
def _advance_on_hold(house: House) -> Any:
    command = made(house, "project.advance")
    put_on_hold(house, command.project_id)
    return replace(command)


@refused("project.advance", "gate_unmet", "gate_unmet", "decision_missing")
def _gate_open_and_nobody_decided(house: House) -> Any:
    return on(project.Advance, a_project(house, stage=FEASIBILITY, pack="lean"), reason="now")


ENTRIES = {
    TRIAL: ("contract_not_signed", "first_tranche_not_paid", "facility_not_booked", "ehs_not_cleared"),
    ProjectState.MARKET_VALIDATION: ("units_not_from_conforming_batches", "trial_agreement_missing"),
    ProjectState.HANDOFF: ("receiver_not_named",),
    FEASIBILITY: ("quote_missing",),
}
"""What the default standard asks of the entry into a stage, besides its gate."""


def _entry(stage: ProjectState) -> None:
    def arrange(house: House) -> Any:
        before = list(ProjectState)[list(ProjectState).index(stage) - 1]
        return on(project.Advance, a_project(house, stage=before, pack="default"), reason="now")

    arrange.__name__ = f"nothing shown for {stage}"
    refused("project.advance", *ENTRIES[stage], "gate_unmet", "decision_missing")(arrange)


for _stage in ENTRIES:
    _entry(_stage)


@refused("project.advance", "signed_in_future", *ENTRIES[TRIAL][1:], "gate_unmet", "decision_missing")
def _with_a_contract_that_is_signed_tomorrow(house: House) -> Any:
    one = a_project(house, stage=FEASIBILITY, pack="default")
    signed = {"signed_by_sme_on": (house.today + timedelta(days=1)).isoformat(), "contract_number": "1"}
    hand_in(house, one, type="task_contract", signed_by_funder_on=house.today.isoformat(), **signed)
    return on(project.Advance, one, reason="now")


@refused("project.recycle", "recycles_used_up")
def _a_third_time(house: House) -> Any:
    one = a_project(house, stage=TRIAL)
    for _ in range(2):
        house.do(on(project.Recycle, one, code="design", reason="again"), by=Role.COORDINATOR)
    return on(project.Recycle, one, code="design", reason="again")


@refused("project.recycle", "recycle_target_wrong")
def _forward(house: House) -> Any:
    return on(project.Recycle, a_project(house), code="design", reason="why", target=ProjectState.HANDOFF)


@refused("project.recycle", "decision_missing")
def _while_a_panel_sits(house: House) -> Any:
    ((one,), _) = reviews(house)
    return on(project.Recycle, one, code="design", reason="why")


@refused("project.recycle", "recycle_target_decided")
def _elsewhere_than_decided(house: House) -> Any:
    ((one,), _) = reviews(house, state="proposed", outcome=GateOutcome.RECYCLE)
    return on(project.Recycle, one, code="design", reason="why", target=INTAKE)


@refused("project.hold", "project_on_hold")
def _a_second_hold(house: House) -> Any:
    command = made(house, "project.hold")
    put_on_hold(house, command.project_id)
    return replace(command)


@refused("project.hold", "project_on_hold", by=Role.EHS_OFFICER)
def _a_second_safety_hold(house: House) -> Any:
    command = made(house, "project.hold", code="ehs")
    put_on_hold(house, command.project_id, code="ehs")
    return replace(command)


@refused("project.resume", "not_on_hold")
def _nothing_to_resume(house: House) -> Any:
    return on(project.Resume, a_project(house), reason="why")


def _held_for_safety(house: House) -> UUID:
    one = a_project(house)
    put_on_hold(house, one, code="ehs")
    return one


@refused("project.resume", "role", by=Role.COORDINATOR)
def _a_safety_hold_by_the_coordinator(house: House) -> Any:
    return on(project.Resume, _held_for_safety(house), reason="why")


@refused("project.resume", "role", by="clock")
def _a_safety_hold_by_the_clock(house: House) -> Any:
    return on(project.Resume, _held_for_safety(house), reason="why")


@refused("project.resume", "role", "four_eyes", by=Role.EHS_OFFICER)
def _a_safety_hold_by_one_person_alone(house: House) -> Any:
    command = on(project.Resume, _held_for_safety(house), reason="why")
    house.do(command, by=Role.EHS_OFFICER)
    return again("project.resume", command)


@refused("project.extend_hold", "not_on_hold")
def _nothing_to_extend(house: House) -> Any:
    return made(house, "project.extend_hold", project_id=a_project(house))


@refused("project.extend_hold", "hold_extended_already")
def _extended_twice(house: House) -> Any:
    command = done(house, "project.extend_hold")
    return again("project.extend_hold", command, until_on=command.until_on + timedelta(days=1))


@refused("project.transfer", "outcome_not_at_this_gate")
def _not_at_this_gate(house: House) -> Any:
    return made(house, "project.transfer", project_id=a_project(house, stage=TRIAL, pack="lean"))


@refused("project.accept_transfer", "no_transfer_asked", by="clock")
def _nobody_asked(house: House) -> Any:
    return on(project.AcceptTransfer, a_project(house, stage=FEASIBILITY, pack="lean"))


@refused("project.accept_transfer", "project_on_hold")
def _taken_over_on_hold(house: House) -> Any:
    command = made(house, "project.accept_transfer")
    put_on_hold(house, command.project_id, code="ehs")
    return replace(command)


@refused("project.accept_transfer", "outcome_not_at_this_gate", "no_transfer_asked", by="clock")
def _taken_over_too_late(house: House) -> Any:
    return on(project.AcceptTransfer, a_project(house, stage=TRIAL, pack="lean"))


@refused("project.accept_transfer", "transfer_lapsed")
def _too_late(house: House) -> Any:
    command = made(house, "project.accept_transfer")
    house.later(days=30)
    return replace(command)


@refused("project.transfer", "own_platform")
def _to_a_platform_that_applied_itself(house: House) -> Any:
    other = house.parties["other platform"]
    own = made(house, "project.register", organisation_id=other)
    (one,) = ids_of(house.do(own))
    return on(project.Transfer, one, platform_id=other, reason="we can do it ourselves")


@refused("project.register", "own_platform", by="stranger")
def _at_ones_own_platform(house: House) -> Any:
    firm = house.parties["other firm"]
    return made(house, "project.register", organisation_id=firm, platform_id=firm)


@refused("project.name_party", "own_platform")
def _the_platform_as_applicant(house: House) -> Any:
    (one,) = ids_of(house.do(made(house, "project.import", organisation_id=None), by=Role.COORDINATOR))
    return on(project.NameParty, one, party="sme", organisation_id=house.parties["platform"])


@refused("project.assign", "conflict_of_interest")
def _the_firms_own_lead(house: House) -> Any:
    lead = house.people[Role.PROJECT_LEAD].user_id
    house.do(GrantRole(command_id=key(), user_id=lead, role=Role.EXPERT))
    return made(house, "project.assign", user_id=lead, role=Role.EXPERT)


@refused("project.assign", "conflict_of_interest")
def _the_coordinator_in_the_customers_name(house: House) -> Any:
    user, customer = house.people[Role.COORDINATOR].user_id, house.parties["customer"]
    house.do(GrantRole(command_id=key(), user_id=user, role=Role.CUSTOMER_REP, organisation_id=customer))
    return made(house, "project.assign", user_id=user, role=Role.CUSTOMER_REP)


@refused("project.assign", "already_exists")
def _named_twice(house: House) -> Any:
    return again("project.assign", done(house, "project.assign"))


@refused("project.plan_panel", "review_open_already")
def _called_already(house: House) -> Any:
    ((one,), _) = reviews(house)
    return on(project.PlanPanel, one, planned_on=house.today)


@refused("project.advance", "decision_missing")
def _the_panel_said_stop(house: House) -> Any:
    (ids, called) = reviews(house, state="proposed", outcome=GateOutcome.STOP)
    assert house.one(f"SELECT state FROM v_review WHERE id = '{called[0]}'") == "decided"
    return on(project.Advance, ids[0], reason="all the same")


@refused("project.submit", "submit_not_possible_when_in_review")
def _in_review(house: House) -> Any:
    ids, called = reviews(house, state="proposed")
    house.later(days=8)
    house.do(Decide(command_id=key(), review_id=called[0]), by=Role.PANEL_CHAIR)
    return on(project.Submit, ids[0])
