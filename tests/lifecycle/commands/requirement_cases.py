"""Refusals of handing in, judging, waiving, claiming, freezing and telling what is owed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.actor import Actor
from lifecycle.people.commands import AddUser, GrantRole
from lifecycle.projects.commands import Advance, NameParty
from lifecycle.requirements import commands as requirement
from lifecycle.stages.maturity import THREADS
from models.states import Competence, Door, MaturityScale, ProjectState, Role
from tests.factories import (
    House,
    a_project,
    evidence,
    filled,
    hand_in,
    ids_of,
    key,
    meet_lean_gate,
    name_members,
    reviews,
)
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)
FEASIBILITY = ProjectState.FEASIBILITY


def lean(house: House, stage: ProjectState = FEASIBILITY) -> UUID:
    return a_project(house, stage=stage, pack="lean")


wrong("evidence.add", "evidence_type_unknown", type="poem")
wrong("evidence.add", "file_hash_wrong", sha256="A" * 64)
wrong("evidence.add", "file_name_wrong", file_name="../paper.pdf")
wrong("evidence.add", "file_size_wrong", size_bytes=-1)
wrong("evidence.add", "form_field_missing", form={})
wrong("evidence.add", "form_field_unknown", form={"title": "a", "colour": "red"})
wrong("evidence.add", "form_field_wrong", form={"title": 7})
wrong("evidence.add", "file_hash_wrong", "file_name_wrong", "form_field_missing", sha256="", file_name="", form={})
wrong("evidence.withdraw", "evidence_not_found", evidence_id=NOWHERE)
wrong("evidence.withdraw", "reason_missing", reason="")
wrong("requirement.judge", "reason_missing", reason=" ")
wrong("requirement.judge", "clause_unknown", clause="G2.9")
wrong("requirement.judge", "clause_not_yet", clause="G4.1")
wrong("requirement.waive", "reason_missing", reason="")
wrong("requirement.waive", "clause_unknown", clause="G1.1")
wrong("requirement.waive", "not_waivable", clause="G2.2")
wrong("requirement.waive", "waiver_too_long", until_on=lambda house: house.today)
wrong("requirement.waive", "waiver_too_long", until_on=lambda house: house.today + timedelta(days=91))
wrong("requirement.confirm_waiver", "no_waiver_waiting", clause="G2.2")
wrong("requirement.reopen", "clause_unknown", clause="G1.1")
wrong("requirement.reopen", "reason_missing", reason="")
wrong("claim.add", "level_off_scale", level=10)
wrong("claim.add", "evidence_not_found", evidence_id=NOWHERE)
wrong("claim.add", "thread_unknown", scale=MaturityScale.MRL, item="my thread")
wrong("claim.add_all", "levels_not_named_once", levels=())
wrong("claim.add_all", "thread_unknown", levels=((MaturityScale.MRL, "my thread", 4),))
wrong("revision.freeze", "day_in_future", frozen_on=lambda house: house.today + timedelta(days=1))
wrong("revision.freeze", "clause_unknown", touched_clauses=("G9.1",))
wrong("revision.freeze", "reason_missing", reason="")


@refused("evidence.add", "evidence_frozen")
def _after_the_call(house: House) -> Any:
    ((one,), _) = reviews(house)
    return evidence(one)


@refused("evidence.add", "role", by=Role.LAB_LEAD)
def _the_firms_paper_by_the_platform(house: House) -> Any:
    return made(house, "evidence.add")


@refused("evidence.add", "role", by=Role.PROJECT_LEAD)
def _the_receivers_consent_by_the_firm(house: House) -> Any:
    one = a_project(house, stage=ProjectState.HANDOFF, pack="default")
    return evidence(one, type="receiver_consent", signed_on="2025-07-08", signed_by="x", run_units=1)


@refused("evidence.add", "role", by=Role.PROJECT_LEAD)
def _the_payment_by_who_is_paid(house: House) -> Any:
    one = a_project(house, stage=FEASIBILITY, pack="default")
    return evidence(one, type="tranche_record", tranche="T1", paid_on="2025-07-01", amount_minor=1, bank_reference="x")


@refused("evidence.withdraw", "not_the_author", by=Role.PROCESS_ENGINEER)
def _somebody_elses(house: House) -> Any:
    return replace(made(house, "evidence.withdraw"))


@refused("requirement.judge", "evidence_missing")
def _nothing_handed_in(house: House) -> Any:
    return on(requirement.JudgeRequirement, lean(house), clause="G2.1", yes=True, reason="seen")


@refused("requirement.judge", "clause_passed")
def _of_a_gate_that_was_passed(house: House) -> Any:
    one = lean(house, ProjectState.SMALL_BATCH_TRIAL)
    hand_in(house, one)
    return on(requirement.JudgeRequirement, one, clause="G2.1", yes=False, reason="on second thoughts")


@refused("requirement.judge", "role", by=Role.QUALITY_ENGINEER)
def _in_another_role(house: House) -> Any:
    return replace(made(house, "requirement.judge"))


@refused("requirement.judge", "four_eyes")
def _what_one_handed_in(house: House) -> Any:
    one = a_project(house, stage=FEASIBILITY, pack="default")
    hand_in(house, one, type="ip_clause", by=Role.COORDINATOR, **filled("ip_clause"))
    return on(requirement.JudgeRequirement, one, clause="G2.10", yes=True, reason="mine")


@refused("requirement.judge", "nothing_to_judge")
def _what_is_computed(house: House) -> Any:
    one = a_project(house, stage=FEASIBILITY, pack="default")
    return on(requirement.JudgeRequirement, one, clause="G2.3", yes=True, reason="looks good")


@refused("requirement.waive", "role", by=Role.EXPERT)
def _waived_by_the_expert(house: House) -> Any:
    return replace(made(house, "requirement.waive"))


@refused("requirement.waive", "waivers_used_up")
def _a_third_waiver(house: House) -> Any:
    """The default standard has three clauses at G2 that can be waived at most two: its G1 has four."""
    one = a_project(house, pack="default")
    name_members(house, one)
    until = house.today + timedelta(days=30)
    for clause in ("G1.3", "G1.7"):
        house.do(
            on(requirement.WaiveRequirement, one, clause=clause, reason="known", until_on=until), by=Role.PANEL_CHAIR
        )
    return on(requirement.WaiveRequirement, one, clause="G1.9", reason="known", until_on=until)


@refused("requirement.waive", "waivers_used_up")
def _a_third_waiver_after_the_first_two_ran_out(house: House) -> Any:
    one = a_project(house, pack="default")
    name_members(house, one)
    until = house.today + timedelta(days=2)
    for clause in ("G1.3", "G1.7"):
        waive = on(requirement.WaiveRequirement, one, clause=clause, reason="known", until_on=until)
        house.do(waive, by=Role.PANEL_CHAIR)
        house.do(on(requirement.ConfirmWaiver, one, clause=clause), by=Role.COORDINATOR)
    house.later(days=3)
    until = house.today + timedelta(days=2)
    return on(requirement.WaiveRequirement, one, clause="G1.9", reason="known", until_on=until)


@refused("requirement.confirm_waiver", "four_eyes", by=Role.PANEL_CHAIR)
def _by_the_same_person(house: House) -> Any:
    return replace(made(house, "requirement.confirm_waiver"))


@refused("requirement.confirm_waiver", "conflict_of_interest", by=Role.PROJECT_LEAD)
def _by_the_firm(house: House) -> Any:
    return replace(made(house, "requirement.confirm_waiver"))


@refused("requirement.judge", "four_eyes", by=Role.EXPERT)
def _in_the_market_experts_seat_too(house: House) -> Any:
    one = a_project(house, stage=FEASIBILITY, pack="default")
    name_members(house, one)
    said = {"clause": "G2.11", "yes": True, "reason": "seen"}
    for kind in ("feasibility_report", "dfmea"):
        hand_in(house, one, type=kind, **filled(kind))
    house.do(on(requirement.JudgeRequirement, one, **said, competence=Competence.TECHNICAL), by=Role.EXPERT)
    return on(requirement.JudgeRequirement, one, **said, competence=Competence.MARKET)


def also(house: House, role: Role, party: str = "platform") -> None:
    """Give the firm's lead another role at a party of the project."""
    user, place = house.people[Role.PROJECT_LEAD].user_id, house.parties[party]
    house.do(GrantRole(command_id=key(), user_id=user, role=role, organisation_id=place))


def second_account(house: House, role: Role) -> str:
    """Give the firm's lead a second account with a role at the platform, and return how it is called here."""
    person = house.people[Role.PROJECT_LEAD].person_id
    account = AddUser(command_id=key(), login="alias", email="alias@example.org", name="alias", person_id=person)
    (user,) = ids_of(house.do(account))
    place = house.parties["platform"]
    house.do(GrantRole(command_id=key(), user_id=user, role=role, organisation_id=place))
    house.people["alias"] = Actor(user_id=user, person_id=person, name="alias", door=Door.CLI)
    return "alias"


@refused("requirement.confirm_waiver", "conflict_of_interest", by=Role.PROJECT_LEAD)
def _by_the_firm_in_another_role(house: House) -> Any:
    also(house, Role.TECHNICAL_MANAGER)
    return made(house, "requirement.confirm_waiver")


@refused("requirement.confirm_waiver", "conflict_of_interest", by="alias")
def _by_the_firm_under_another_account(house: House) -> Any:
    second_account(house, Role.COORDINATOR)
    return made(house, "requirement.confirm_waiver")


@refused("requirement.judge", "conflict_of_interest", by="alias")
def _for_the_platform_by_the_firm(house: House) -> Any:
    """The lead's second account, on a paper that a colleague of the firm handed in."""
    second_account(house, Role.COORDINATOR)
    one = lean(house)
    hand_in(house, one, by=Role.PROCESS_ENGINEER)
    return on(requirement.JudgeRequirement, one, clause="G2.1", yes=True, reason="seen")


@refused("requirement.waive", "conflict_of_interest", by=Role.PROJECT_LEAD)
def _its_own_elements_by_the_firm_as_receiver(house: House) -> Any:
    also(house, Role.RECEIVER_LEAD, "receiver")
    one = a_project(house, stage=ProjectState.HANDOFF, pack="default")
    house.do(on(NameParty, one, party="receiver", organisation_id=house.parties["receiver"]), by=Role.COORDINATOR)
    until = house.today + timedelta(days=20)
    return on(requirement.WaiveRequirement, one, clause="G5.2", reason="not needed", until_on=until)


@refused("requirement.confirm_waiver", "no_waiver_waiting")
def _confirmed_already(house: House) -> Any:
    return again("requirement.confirm_waiver", done(house, "requirement.confirm_waiver"))


@refused("claim.add_all", "maturity_cross_check")
def _a_pair_that_cannot_be(house: House) -> Any:
    threads = tuple((MaturityScale.MRL, thread, 9) for thread in THREADS)
    return made(house, "claim.add_all", levels=((MaturityScale.TRL, "arm", 3), *threads))


@refused("revision.freeze", "already_exists", "impact_list_missing")
def _the_same_label(house: House) -> Any:
    return again("revision.freeze", done(house, "revision.freeze"))


@refused("revision.freeze", "revision_out_of_order")
def _before_the_last_one(house: House) -> Any:
    first: Any = done(house, "revision.freeze")
    earlier = house.today - timedelta(days=1)
    return again("revision.freeze", first, label="B", touched_clauses=("G2.1",), frozen_on=earlier)


@refused("notice.issue", "notice_open_already")
def _one_waits_already(house: House) -> Any:
    return again("notice.issue", done(house, "notice.issue"))


@refused("notice.issue", "notices_used_up")
def _a_third_notice(house: House) -> Any:
    command: Any = made(house, "notice.issue")
    for _ in range(2):
        house.do(again("notice.issue", command), by=Role.COORDINATOR)
        house.do(on(requirement.AnswerNotice, command.project_id), by=Role.PROJECT_LEAD)
    return replace(command)


@refused("notice.issue", "nothing_owed")
def _all_is_there(house: House) -> Any:
    one = lean(house)
    meet_lean_gate(house, one)
    return on(requirement.IssueNotice, one)


@refused("notice.answer", "no_notice_open")
def _none_was_issued(house: House) -> Any:
    return on(requirement.AnswerNotice, lean(house))


@refused("requirement.reopen", "evidence_frozen")
def _while_the_panel_reads(house: House) -> Any:
    ((one,), _) = reviews(house)
    return on(requirement.ReopenRequirement, one, clause="G2.1", reason="doubt")


@refused("project.advance", "gate_unmet", "gate_unmet", "decision_missing")
def _after_a_judgement_was_reopened(house: House) -> Any:
    """What was accepted counts no longer; a later acceptance counts again."""
    command: Any = made(house, "requirement.reopen")
    house.do(command, replace(command, command_id=command.command_id + "2", clause="G2.2"), by=Role.COORDINATOR)
    return on(Advance, command.project_id, reason="now")
