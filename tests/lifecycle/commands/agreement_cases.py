"""Refusals of the verbs of agreements, tranches and stated cost, and of closing a fund that still owes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lifecycle.agreements.commands import (
    AcceptAudit,
    CloseAgreement,
    SignAgreement,
    SubmitCost,
    SupplementAgreement,
    VerifyCost,
)
from lifecycle.agreements.terms import PlannedTranche, TrancheChange
from lifecycle.endings.commands import SettleAgreement
from lifecycle.funds.commands import CloseFund
from lifecycle.milestones.commands import AcceptMilestone, SubmitMilestone, WaiveMilestone
from lifecycle.people.commands import GrantRole, TieOrganisations
from lifecycle.projects.commands import Stop
from lifecycle.requirements.commands import WithdrawEvidence
from models.db import transaction
from models.money import MAX_MINOR
from models.states import ProjectState, Role
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong
from tests.lifecycle.ending_recipes import paid, stop, stopped

NOWHERE = UUID(int=5)
NO_FILE = "f" * 64
FEASIBILITY = ProjectState.FEASIBILITY


def plan(*tranches: tuple[str, int, str | None, tuple[str, ...]]) -> tuple[PlannedTranche, ...]:
    return tuple(
        PlannedTranche(code=code, share_basis_points=share, gate=gate, criteria=criteria)
        for code, share, gate, criteria in tranches
    )


wrong("agreement.draft", "amount_out_of_bounds", "award_too_small", amount_minor=0)
wrong("agreement.draft", "amount_out_of_bounds", "fund_over_committed", amount_minor=MAX_MINOR + 1)
wrong("agreement.draft", "amount_out_of_bounds", "own_money_missing", own_money_minor=-1)
wrong("agreement.draft", "award_too_small", amount_minor=5)
wrong("agreement.draft", "project_not_found", project_id=NOWHERE)
wrong("agreement.draft", "rate_over_cap", rate_basis_points=0)
wrong("agreement.draft", "own_money_missing", rate_basis_points=7000, own_money_minor=42_857_142)
wrong("agreement.draft", "fund_over_committed", amount_minor=2_000_000_001)
wrong("agreement.draft", "days_out_of_order", ends_on=date(2025, 1, 1))
wrong("agreement.draft", "payment_days_wrong", payment_days=61)
wrong("agreement.draft", "payment_days_wrong", payment_days=0)
wrong("agreement.draft", "category_ineligible", cost_categories={"interest": 150_000_000})
wrong("agreement.draft", "categories_wrong", cost_categories={"travel": 150_000_001, "visits": -1})
wrong("agreement.draft", "budget_does_not_add_up", cost_categories={"travel": 1})
wrong("agreement.draft", "plan_wrong", tranches=plan(("T1", 0, "G2", ())))
wrong("agreement.draft", "plan_wrong", tranches=plan(("T1", 10_000, "G9", ())))
wrong("agreement.draft", "plan_not_whole", tranches=plan(("T1", 9_999, "G2", ())))
wrong("agreement.draft", "tranche_not_tied", tranches=plan(("T1", 5_000, None, ()), ("R", 5_000, "G2", ())))
wrong("agreement.draft", "tranche_clause_unknown", tranches=plan(("T1", 10_000, None, ("G3.9",))))
wrong("agreement.draft", "tranche_out_of_order", tranches=plan(("T1", 5_000, "G3", ()), ("R", 5_000, "G2", ())))


@refused("agreement.draft", "project_in_intake")
def _in_intake(house: House) -> Any:
    return make.draft(house, make.funds(house)[0], make.a_project(house))


@refused("agreement.draft", "project_ended")
def _of_a_stopped_project(house: House) -> Any:
    command = made(house, "agreement.draft")
    house.do(Stop(command_id=key(), project_id=command.project_id, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    return command


@refused("agreement.draft", "project_not_found", by=Role.SPONSOR)
def _of_another_funders_programme(house: House) -> Any:
    project = make.a_project(house, stage=FEASIBILITY)
    other = house.parties["other firm"]
    sponsor = house.people[Role.SPONSOR].user_id
    grant = GrantRole(command_id=key(), user_id=sponsor, role=Role.SPONSOR, organisation_id=other)
    house.do(grant, by=Role.ADMIN)
    (fund,) = make.ids_of(house.do(make.new_fund(house, organisation_id=other), by=Role.SPONSOR))
    return make.draft(house, fund, project)


@refused("agreement.draft", "agreement_exists")
def _a_second_one(house: House) -> Any:
    return again("agreement.draft", done(house, "agreement.draft"))


@refused("agreement.draft", "fund_over_committed")
def _by_one_fen_more_than_is_free(house: House) -> Any:
    first = done(house, "agreement.draft", amount_minor=1_999_999_000)
    project = make.a_project(house, stage=FEASIBILITY)
    return make.draft(house, first.fund_id, project, amount_minor=1_001)


@refused("agreement.draft", "fund_closed")
def _of_a_closed_fund(house: House) -> Any:
    command = made(house, "agreement.draft")
    house.do(CloseFund(command_id=key(), fund_id=command.fund_id, reason="why"), by=Role.SPONSOR)
    return command


@refused("agreement.sign", "signed_already")
def _signed_twice(house: House) -> Any:
    return again("agreement.sign", done(house, "agreement.sign"))


@refused("agreement.sign", "four_eyes", by="both")
def _for_both_sides(house: House) -> Any:
    lead, sponsor = house.people[Role.PROJECT_LEAD], house.people[Role.SPONSOR]
    (one,) = make.agreements(house, is_signed=False)
    make.sign(house, one, sides=(Role.PROJECT_LEAD,))
    grants = ((Role.SPONSOR, "funder"),)
    second = made(house, "user.add", person_id=lead.person_id)
    (user,) = make.ids_of(house.do(second, by=Role.ADMIN))
    for role, party in grants:
        grant = GrantRole(command_id=key(), user_id=user, role=role, organisation_id=house.parties[party])
        house.do(grant, by=Role.ADMIN)
    house.people["both"] = type(sponsor)(user_id=user, person_id=lead.person_id, name="both", door=sponsor.door)
    return on(SignAgreement, one)


@refused("agreement.sign", "project_ended")
def _after_the_project_ended(house: House) -> Any:
    command = made(house, "agreement.sign")
    project = make.project_of(house, command.agreement_id)
    house.do(Stop(command_id=key(), project_id=project, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    return command


@refused("agreement.sign", "agreement_closed")
def _after_it_was_closed(house: House) -> Any:
    return on(SignAgreement, done(house, "agreement.close").agreement_id)


wrong("agreement.supplement", "reason_missing", reason="")
wrong("agreement.supplement", "amount_out_of_bounds", "tranches_do_not_add_up", amount_minor=0)
wrong("agreement.supplement", "fund_over_committed", amount_minor=2_000_000_001)
wrong("agreement.supplement", "days_out_of_order", ends_on=date(2025, 1, 1))
wrong("agreement.supplement", "budget_does_not_add_up", cost_categories={"travel": 1})
wrong("agreement.supplement", "tranches_do_not_add_up", tranches=(TrancheChange(code="T9"),))
wrong("agreement.supplement", "tranches_do_not_add_up", tranches=(TrancheChange(code="T1"), TrancheChange(code="T1")))
wrong(
    "agreement.supplement",
    "tranches_do_not_add_up",
    tranches=(TrancheChange(code="T1", amount_minor=110_000_000),),
)
wrong("agreement.supplement", "tranche_not_tied", tranches=(TrancheChange(code="T2", gate="G3", criteria=("G3.1",)),))
wrong("agreement.supplement", "tranche_clause_unknown", tranches=(TrancheChange(code="T2", criteria=("G3.9",)),))
wrong("agreement.supplement", "tranche_out_of_order", tranches=(TrancheChange(code="T3", gate="G2"),))


@refused("agreement.supplement", "tranches_do_not_add_up")
def _below_what_is_reported(house: House) -> Any:
    (one,) = make.agreements(house)
    make.reported(house, one)
    return on(SupplementAgreement, one, amount_minor=40_000_000, reason="why")


@refused("agreement.supplement", "plan_over_cap", by=Role.SPONSOR)
def _too_much_early(house: House) -> Any:
    project = make.projects(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")[0]
    (fund,) = make.funds(house)
    (one,) = make.ids_of(house.do(make.draft(house, fund, project), by=Role.SPONSOR))
    change = TrancheChange(code="T2", amount_minor=31_000_000)
    return on(SupplementAgreement, one, reason="why", tranches=(change,))


wrong("agreement.accept_audit", "evidence_not_found", evidence_sha256=NO_FILE)
wrong("agreement.accept_audit", "reason_missing", reason=" ")


@refused("agreement.accept_audit", "audit_accepted_already")
def _audited_twice(house: House) -> Any:
    return again("agreement.accept_audit", done(house, "agreement.accept_audit"))


@refused("agreement.accept_audit", "four_eyes")
def _audited_by_who_stated_the_cost(house: House) -> Any:
    (one,) = make.agreements(house)
    make.stated(house, one)
    _same_person(house, Role.FINANCE_OFFICER, Role.FUND_DIRECTOR)
    (paper,) = make.papers(house, one)
    return on(AcceptAudit, one, evidence_sha256=paper, reason="why")


def _same_person(house: House, one: str, other: str) -> None:
    """Let two accounts turn out to be one human's."""
    person = house.people[one].person_id
    with transaction(house.engine) as session:
        session.execute(
            text("UPDATE app_user SET person_id = :person WHERE id = :id"),
            {"person": str(person), "id": str(house.people[other].user_id)},
        )
    actor = house.people[other]
    house.people[other] = type(actor)(user_id=actor.user_id, person_id=person, name=actor.name, door=actor.door)


wrong("agreement.close", "reason_missing", reason="")


@refused("agreement.close", "role", "tranches_open", by=Role.FUND_MANAGER)
def _by_a_manager_where_it_was_in_force(house: House) -> Any:
    return on(CloseAgreement, make.agreements(house)[0], reason="why")


@refused("agreement.supplement", "project_ended", "settled_already", by=Role.SPONSOR)
def _more_than_was_settled_on(house: House) -> Any:
    (agreement,) = stopped(house, 1, 8_000)
    settle = on(SettleAgreement, agreement, reason="as stated")
    house.do(settle, by=Role.FUND_DIRECTOR)
    return on(SupplementAgreement, agreement, own_money_minor=60_000_000, reason="more")


@refused("agreement.close", "tranches_open")
def _while_the_project_runs(house: House) -> Any:
    return on(CloseAgreement, make.agreements(house)[0], reason="why")


@refused("agreement.close", "agreement_closed")
def _closed_twice(house: House) -> Any:
    return again("agreement.close", done(house, "agreement.close"))


@refused("agreement.close", "not_settled", by=Role.FUND_DIRECTOR)
def _after_a_stop_with_an_advance_that_is_not_cleared(house: House) -> Any:
    (one,) = paid(house, 1)
    stop(house, one)
    return on(CloseAgreement, one, reason="over")


@refused("agreement.close", "payouts_open", "recoveries_open")
def _while_money_is_asked_for_and_owed(house: House) -> Any:
    (one,) = make.agreements(house, is_signed=False)
    pending(house, one)
    return on(CloseAgreement, one, reason="why")


@refused(
    "fund.close",
    "money_reserved",
    "batch_may_be_alive",
    "payouts_open",
    "agreements_active",
    "recoveries_open",
    "exceptions_open",
    by=Role.SPONSOR,
)
def _while_nothing_is_over(house: House) -> Any:
    (one,) = make.agreements(house)
    pending(house, one)
    return on(CloseFund, UUID(house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=str(one))), reason="why")


def pending(house: House, agreement: UUID) -> None:
    """Leave money of an agreement on its way in every respect, past the verbs that would do it one after the other."""
    found = house.rows("SELECT project_id, fund_id FROM agreement WHERE id = :id", id=str(agreement))[0]
    now, zero, (milestone,) = "2025-07-08T01:00:00.000000Z", "0" * 64, make.tranches(house, agreement)
    payee, payout, batch, case, order = (str(UUID(int=place)) for place in range(50, 55))
    subject = {"version": 1, "audit_seq": 0, "audit_head": zero}
    of = {"project_id": found.project_id, "agreement_id": str(agreement), "fund_id": found.fund_id}
    money = {"amount_minor": 100, "currency": "CNY"}
    account = {"holder_name": "firm", "account_number": "1", "bank_code": "1", "bank_name": "", "payee_hash": zero}
    rows: dict[str, dict[str, Any]] = {
        "payee_account": account
        | {"id": payee, "organisation_id": str(house.parties["sme"]), "status": "proposed", "reason": "", "at": now}
        | {"warnings": "[]", "called_back": "{}"},
        "payout": of
        | money
        | {"id": payout, "number": "PO-1", "purpose": "milestone", "milestone_id": str(milestone), "state": "approved"}
        | {"payee_account_id": payee, "revision": 1, "payload_hash": zero, "evidence": "[]", "amended_by": "[]"}
        | {"approvals_needed": 1, "is_director_needed": 0, "is_minute_needed": 0, "attempt": 0, "created_at": now},
        "payment_batch": {"id": batch, "number": "PB-1", "msg_id": "M1", "state": "unknown", "fund_id": found.fund_id}
        | {"format": "pain001", "debtor_name": "a", "debtor_account": "b", "debtor_bank": "c", "fence": 0}
        | {"execution_on": "2025-07-08", "instruction_count": 1, "total_minor": 100, "currency": "CNY"}
        | {"file_name": "f", "file_sha256": zero, "created_at": now},
        "exception_case": {"id": case, "kind": "unmatched", "object_type": "batch", "object_id": batch}
        | {"fund_id": found.fund_id, "facts": "{}", "proposal": "{}", "opened_at": now},
        "recovery_order": of
        | money
        | {"id": order, "number": "RC-1", "code": "misuse", "reason": "why", "due_on": "2025-08-08", "state": "open"}
        | {"repaid_minor": 0, "set_off_minor": 0, "written_off_minor": 0, "ordered_at": now},
    }
    with transaction(house.engine) as session:
        for table, own in rows.items():
            values = own | subject
            names = ", ".join(values)
            session.execute(
                text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{n}' for n in values)})"), values
            )
        reserved = "UPDATE account SET balance_minor = 100 WHERE fund_id = :fund AND kind = 'reserved'"
        session.execute(text(reserved), {"fund": found.fund_id})


wrong("cost.submit", "days_out_of_order", from_on=lambda house: house.today + timedelta(days=1))
wrong("cost.submit", "cost_before_start", from_on=lambda house: house.today - timedelta(days=1))
wrong("cost.submit", "day_in_future", until_on=lambda house: house.today + timedelta(days=1))
wrong("cost.submit", "category_ineligible", by_category={"fines": 100_000_000})
wrong("cost.submit", "categories_wrong", by_category={"travel": 100_000_000, "": 1})
wrong("cost.submit", "amount_out_of_bounds", "own_money_over_cost", by_category={})
wrong("cost.submit", "own_money_over_cost", own_money_minor=80_000_001)
wrong("cost.submit", "own_money_over_cost", own_money_minor=-1)
wrong("cost.submit", "evidence_not_found", evidence_sha256=NO_FILE)


@refused("cost.submit", "agreement_not_signed")
def _before_it_is_signed(house: House) -> Any:
    (one,) = make.agreements(house, is_signed=False)
    (paper,) = make.papers(house, one)
    period = {"from_on": house.today, "until_on": house.today}
    return on(SubmitCost, one, **period, by_category={"travel": 1}, own_money_minor=0, evidence_sha256=paper)


@refused("cost.submit", "category_not_agreed")
def _of_another_category(house: House) -> Any:
    (one,) = make.agreements(house, cost_categories={"travel": 150_000_000})
    (paper,) = make.papers(house, one)
    period = {"from_on": house.today, "until_on": house.today}
    return on(SubmitCost, one, **period, by_category={"pizza": 1}, own_money_minor=0, evidence_sha256=paper)


@refused("cost.submit", "period_stated_already")
def _stated_twice(house: House) -> Any:
    return again("cost.submit", done(house, "cost.submit"))


@refused("cost.submit", "final_stated_already")
def _after_the_final_one(house: House) -> Any:
    first = done(house, "cost.submit", is_final=True)
    house.later(days=1)
    return again("cost.submit", first, from_on=house.today, until_on=house.today)


wrong("cost.verify", "accepted_over_claim", accepted_minor=80_000_001)
wrong("cost.verify", "accepted_over_claim", accepted_own_minor=24_000_001)
wrong("cost.verify", "accepted_over_claim", accepted_minor=10_000_000)
wrong("cost.verify", "accepted_over_claim", accepted_minor=-1, accepted_own_minor=0)
wrong("cost.verify", "reason_missing", reason="")


@refused("cost.verify", "cost_verified_already")
def _verified_twice(house: House) -> Any:
    return again("cost.verify", done(house, "cost.verify"))


@refused("cost.verify", "four_eyes")
def _verified_by_who_stated_it(house: House) -> Any:
    command = made(house, "cost.verify")
    _same_person(house, Role.FINANCE_OFFICER, Role.CERTIFIER)
    return command


@refused("cost.verify", "evidence_not_found")
def _whose_file_was_withdrawn(house: House) -> Any:
    command = made(house, "cost.verify")
    _withdraw_papers(house)
    return command


def _withdraw_papers(house: House) -> None:
    rows = house.rows("SELECT id, project_id FROM evidence WHERE status = 'current' AND type = 'paper'")
    commands = (
        WithdrawEvidence(command_id=key(), project_id=UUID(row.project_id), evidence_id=UUID(row.id), reason="wrong")
        for row in rows
    )
    house.do(*commands, by=Role.PROJECT_LEAD)


@refused("cost.verify", "conflict_of_interest")
def _verified_by_an_investors_own(house: House) -> Any:
    command = made(house, "cost.verify")
    _wall(house, command.cost_id, "cost_statement", Role.CERTIFIER)
    return command


def _wall(house: House, subject: UUID, table: str, *roles: Role) -> None:
    """Let an investor of the fund own a part of the firm, and let these people belong to the investor."""
    fund = UUID(house.rows(f"SELECT fund_id FROM {table} WHERE id = :id", id=str(subject))[0].fund_id)
    make.sources(house, fund)
    investor = house.parties["other firm"]
    tie = TieOrganisations(
        command_id=key(), organisation_id=investor, other_id=house.parties["sme"], share_basis_points=1
    )
    grants = (
        GrantRole(command_id=key(), user_id=house.people[one].user_id, role=Role.LAB_LEAD, organisation_id=investor)
        for one in roles
    )
    house.do(tie, *grants, by=Role.ADMIN)


wrong("milestone.submit", "report_missing", summary=" ")
wrong("milestone.submit", "files_number", evidence=())
wrong("milestone.submit", "evidence_not_found", evidence=(NO_FILE,))


@refused("milestone.submit", "agreement_not_signed")
def _of_an_unsigned_supplement(house: House) -> Any:
    command = made(house, "milestone.submit")
    agreement = house.rows("SELECT agreement_id FROM milestone WHERE id = :id", id=str(command.milestone_id))[0][0]
    change = SupplementAgreement(command_id=key(), agreement_id=UUID(agreement), reason="why", own_money_minor=1)
    house.do(change, by=Role.SPONSOR)
    return command


@refused("milestone.submit", "project_ended")
def _of_a_project_that_ended(house: House) -> Any:
    command = made(house, "milestone.submit")
    project = house.rows("SELECT project_id FROM milestone WHERE id = :id", id=str(command.milestone_id))[0][0]
    house.do(Stop(command_id=key(), project_id=UUID(project), code="misuse", reason="why"), by=Role.FUND_MANAGER)
    return command


@refused("milestone.submit", "submit_not_possible_when_submitted")
def _submitted_twice(house: House) -> Any:
    return again("milestone.submit", done(house, "milestone.submit"))


wrong("milestone.accept", "reason_missing", reason="")


@refused("milestone.accept", "gate_unmet")
def _before_its_gate(house: House) -> Any:
    (one,) = make.agreements(house)
    return on(AcceptMilestone, make.reported(house, one, number=2)[0], reason="why")


@refused("milestone.accept", "gate_unmet", by=Role.COORDINATOR)
def _before_its_criterion_is_met(house: House) -> Any:
    return on(AcceptMilestone, _on_a_criterion(house), reason="why")


@refused("milestone.accept", "gate_unmet", "role", by="clock")
def _by_the_clock_where_people_have_to_look(house: House) -> Any:
    return on(AcceptMilestone, _on_a_criterion(house), reason="why")


def _on_a_criterion(house: House) -> UUID:
    tranches = plan(("T1", 5_000, None, ("G3.1",)), ("R", 5_000, "G5", ()))
    (one,) = make.agreements(house, tranches=tranches)
    return make.reported(house, one)[0]


@refused("milestone.accept", "four_eyes")
def _by_who_handed_it_in(house: House) -> Any:
    command = made(house, "milestone.accept")
    _same_person(house, Role.PROJECT_LEAD, Role.CERTIFIER)
    return command


@refused("milestone.accept", "evidence_not_found")
def _whose_evidence_is_gone(house: House) -> Any:
    command = made(house, "milestone.accept")
    _withdraw_papers(house)
    return command


@refused("milestone.accept", "conflict_of_interest")
def _by_an_investors_own(house: House) -> Any:
    command = made(house, "milestone.accept")
    _wall(house, command.milestone_id, "milestone", Role.CERTIFIER)
    return command


@refused("milestone.accept", "project_on_hold")
def _on_hold(house: House) -> Any:
    command = made(house, "milestone.accept")
    project = house.rows("SELECT project_id FROM milestone WHERE id = :id", id=str(command.milestone_id))[0][0]
    make.put_on_hold(house, UUID(project))
    return command


wrong("milestone.reject", "reason_missing", reason="")
wrong("milestone.waive", "reason_missing", reason="")


@refused("milestone.reject", "four_eyes")
def _rejected_by_who_handed_it_in(house: House) -> Any:
    command = made(house, "milestone.reject")
    _same_person(house, Role.PROJECT_LEAD, Role.COORDINATOR)
    return command


@refused("milestone.waive", "last_tranche")
def _the_last_one_left(house: House) -> Any:
    (one,) = make.agreements(house)
    for number in (1, 2, 3, 4):
        command = on(WaiveMilestone, make.tranches(house, one, number=number)[0], reason="why")
        house.do(command, by=Role.SPONSOR)
    return on(WaiveMilestone, make.tranches(house, one, number=5)[0], reason="why")


@refused("milestone.waive", "waive_not_possible_when_accepted")
def _what_is_released(house: House) -> Any:
    return on(WaiveMilestone, done(house, "milestone.accept").milestone_id, reason="why")


@refused("milestone.submit", "agreement_closed", "project_ended")
def _of_a_closed_agreement(house: House) -> Any:
    (one,) = make.agreements(house, is_signed=False)
    (paper,) = make.papers(house, one)
    make.sign(house, one)
    project = make.project_of(house, one)
    house.do(Stop(command_id=key(), project_id=project, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    house.do(on(CloseAgreement, one, reason="settled"), by=Role.SPONSOR)
    return on(SubmitMilestone, make.tranches(house, one)[0], summary="late", evidence=(paper,))


@refused("cost.verify", "not_found")
def _never_stated(_house: House) -> Any:
    return on(VerifyCost, NOWHERE, accepted_minor=1, accepted_own_minor=1)
