"""Refusals of the verbs of settlement, recovery, retention and standing in for somebody."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lifecycle.agreements.commands import CloseAgreement, SubmitCost
from lifecycle.endings.commands import RepayRecovery, SetOffRecovery, SettleAgreement, WriteOffRecovery
from lifecycle.funds.commands import SetLimit
from lifecycle.milestones.commands import AnnounceRelease, WaiveMilestone
from lifecycle.people.commands import GrantRole
from lifecycle.projects.commands import Advance
from lifecycle.requirements.commands import JudgeRequirement
from models.db import transaction
from models.states import ProjectState, Role
from tests import factories as make
from tests import paid as paying
from tests.factories import House
from tests.lifecycle import ending_recipes as recipes
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)


def all_paid_back(house: House) -> UUID:
    """Return an order of which nothing is owed any more."""
    (order,) = recipes.orders(house, 1)
    house.do(recipes.repayment(house, order, 1_000), by=Role.ACCOUNTANT)
    return order


wrong("agreement.settle", "reason_missing", reason=" ")
wrong("recovery.order", "reason_missing", reason="")
wrong("recovery.order", "recovery_code_unknown", code="anger")
wrong("recovery.order", "recovery_over_paid", amount_minor=10_001)
wrong("recovery.order", "amount_out_of_bounds", amount_minor=0)
wrong("recovery.repay", "repayment_without_booking", "recovery_over_left", amount_minor=1_001)
wrong("recovery.repay", "repayment_without_booking", "amount_out_of_bounds", amount_minor=0)
wrong("recovery.repay", "repayment_without_booking", amount_minor=399)
wrong("recovery.repay", "repayment_without_booking", statement_line_id=None)
wrong("recovery.repay", "bank_ref_missing", bank_ref=" ")
wrong("recovery.repay", "day_in_future", received_on=date(2099, 1, 1))
wrong("recovery.repay", "role", by=Role.FUND_MANAGER)
wrong("recovery.repay", "two_people_missing", exception_id=NOWHERE)
wrong("recovery.set_off", "reason_missing", reason="")
wrong("recovery.set_off", "recovery_over_left", amount_minor=1_001)
wrong("recovery.set_off", "day_in_future", notified_on=date(2099, 1, 1))
wrong("recovery.set_off", "set_off_of_another", milestone_id=NOWHERE)
wrong("recovery.write_off", "reason_missing", reason="")
wrong("recovery.write_off", "four_eyes", by=Role.FUND_MANAGER)
wrong("payout.settle", "settlement_exceeded", new_amount_minor=2_001)
wrong("milestone.announce", "place_missing", where="")
wrong("user.delegate", "reason_missing", reason="")
wrong("user.delegate", "role_not_delegable", "role", role=Role.ACCOUNTANT)
wrong("user.delegate", "role", role=Role.FUND_DIRECTOR)
wrong("user.delegate", "days_out_of_order", until_on=date(2025, 1, 1))
wrong("user.delegate", "delegation_over", from_on=date(2025, 1, 1), until_on=date(2025, 1, 2))
wrong("user.delegate", "four_eyes", user_id=lambda house: house.people[Role.FUND_MANAGER].user_id)
wrong("user.delegate", "delegate_excluded", user_id=lambda house: house.people[Role.PAYER].user_id)
wrong("user.delegate", "user_disabled", user_id=lambda house: house.people["disabled"].user_id)
wrong("user.end_delegation", "delegation_not_found", delegation_id=NOWHERE)
wrong("user.end_delegation", "role", by=Role.FUND_DIRECTOR)


@refused("agreement.settle", "settlement_too_early", "final_statement_missing")
def _of_a_project_that_goes_on(house: House) -> Any:
    return on(SettleAgreement, make.agreements(house)[0], reason="why")


@refused("agreement.settle", "cost_not_verified")
def _while_cost_waits(house: House) -> Any:
    (one,) = make.agreements(house)
    make.stated(house, one)
    recipes.stop(house, one)
    return on(SettleAgreement, one, reason="why")


@refused("agreement.settle", "payouts_open")
def _while_money_is_at_the_bank(house: House) -> Any:
    command = made(house, "payout.settle")
    house.do(command, by=Role.FINANCE_OFFICER)
    return on(SettleAgreement, command.agreement_id, reason="why")


@refused("agreement.settle", "settled_already")
def _settled_twice(house: House) -> Any:
    return again("agreement.settle", done(house, "agreement.settle"))


@refused("agreement.settle", "agreement_closed")
def _after_it_was_closed(house: House) -> Any:
    (one,) = make.agreements(house)
    recipes.stop(house, one)
    house.do(on(CloseAgreement, one, reason="nothing paid"), by=Role.SPONSOR)
    house.later(days=31)
    return on(SettleAgreement, one, reason="why")


@refused("cost.submit", "settled_already")
def _stated_after_the_settlement(house: House) -> Any:
    (one,) = recipes.paid(house, 1)
    recipes.stop(house, one)
    house.later(days=31)
    house.do(on(SettleAgreement, one, reason="nothing came"), by=Role.FUND_DIRECTOR)
    (paper,) = make.papers(house, one)
    said: dict[str, Any] = {"from_on": date(2025, 7, 8), "until_on": date(2025, 7, 8), "by_category": {"travel": 100}}
    return on(SubmitCost, one, own_money_minor=0, evidence_sha256=paper, **said)


@refused("payout.request", "recovery_open")
def _while_the_firm_owes_money_back(house: House) -> Any:
    (order,) = recipes.orders(house, 1)
    sql = "SELECT agreement_id FROM recovery_order WHERE id = :id"
    (milestone,) = make.tranches(house, UUID(str(house.one(sql, id=str(order)))))
    return paying.request(house, milestone, 500)


@refused("payout.request", "tranche_cut")
def _of_a_tranche_whose_money_before_is_not_used(house: House) -> Any:
    terms: dict[str, Any] = {"amount_minor": 100_000_000, "own_money_minor": 45_000_000}
    (one,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted", **terms)
    project = make.project_of(house, one)
    house.do(on(Advance, project, reason="ready"), by=Role.COORDINATOR)
    paying.paid(house, one)
    make.hand_in(house, project)
    house.do(on(JudgeRequirement, project, clause="G3.1", yes=True, reason="seen"), by=Role.COORDINATOR)
    house.do(on(Advance, project, reason="ready"), by=Role.COORDINATOR)
    (second,) = paying.released(house, one, number=2)
    return paying.request(house, second, 2_000_001)


@refused("payout.settle", "not_settled", "settlement_exceeded")
def _asked_before_the_settlement(house: House) -> Any:
    (one,) = recipes.stopped(house, 1, 12_000)
    return paying.ask_settlement(house, one, 1)


@refused("recovery.set_off", "set_off_over_tranche")
def _against_a_tranche_that_is_not_released(house: House) -> Any:
    command = made(house, "recovery.set_off")
    agreement = UUID(house.one("SELECT agreement_id FROM v_milestone WHERE id = :id", id=str(command.milestone_id)))
    return on(
        SetOffRecovery,
        command.recovery_id,
        milestone_id=make.tranches(house, agreement, number=2)[0],
        amount_minor=1,
        notified_on=house.today,
        reason="why",
    )


@refused("recovery.repay", "recovery_closed", "recovery_over_left")
def _paid_back_twice(house: House) -> Any:
    return recipes.repayment(house, all_paid_back(house))


@refused("recovery.repay", "repayment_without_booking", "booking_explained")
def _the_same_booking_twice(house: House) -> Any:
    return again("recovery.repay", done(house, "recovery.repay"))


@refused("recovery.repay", "repayment_without_booking")
def _by_a_booking_of_another_fund(house: House) -> Any:
    one, other = (command for command in recipes.repay(house, 2) if isinstance(command, RepayRecovery))
    return again("recovery.repay", one, statement_line_id=other.statement_line_id)


@refused("recovery.repay", "repayment_without_booking")
def _by_what_comes_back_of_a_payment(house: House) -> Any:
    command = made(house, "recovery.repay")
    with transaction(house.engine) as session:
        ours = """UPDATE statement_line SET details = '{"end_to_end_ids": ["PWABCDPO20250001A1"]}'"""
        session.execute(text(ours))
    return command


@refused("recovery.write_off", "recovery_closed")
def _forgiven_after_it_was_paid(house: House) -> Any:
    return on(WriteOffRecovery, all_paid_back(house), reason="why")


@refused("milestone.announce", "notice_not_asked")
def _of_no_retention(house: House) -> Any:
    return on(AnnounceRelease, make.tranches(house, *make.agreements(house))[0], where="board")


@refused("milestone.announce", "milestone_decided")
def _of_a_waived_one(house: House) -> Any:
    command = made(house, "milestone.announce")
    house.do(on(WaiveMilestone, command.milestone_id, reason="why"), by=Role.SPONSOR)
    return command


@refused("user.end_delegation", "delegation_not_found")
def _ended_twice(house: House) -> Any:
    return again("user.end_delegation", done(house, "user.end_delegation"))


@refused("cost.submit", "cost_after_stop")
def _of_a_day_after_the_stop(house: House) -> Any:
    (one,) = make.agreements(house)
    recipes.stop(house, one)
    house.later(days=1)
    (paper,) = make.papers(house, one)
    said: dict[str, Any] = {"from_on": house.today, "until_on": house.today, "by_category": {"travel": 100}}
    return on(SubmitCost, one, own_money_minor=0, evidence_sha256=paper, **said)


@refused("agreement.settle", "final_statement_missing")
def _before_the_statement_is_due(house: House) -> Any:
    (one,) = make.agreements(house)
    recipes.stop(house, one)
    return on(SettleAgreement, one, reason="why")


@refused("agreement.settle", "four_eyes", by="both")
def _by_who_stated_the_cost(house: House) -> Any:
    (one,) = recipes.stopped(house, 1, 8_000)
    officer, director = house.people[Role.FINANCE_OFFICER], house.people[Role.FUND_DIRECTOR]
    (user,) = make.ids_of(house.do(made(house, "user.add", person_id=officer.person_id), by=Role.ADMIN))
    said: dict[str, Any] = {"role": Role.FUND_DIRECTOR, "organisation_id": house.parties["funder"]}
    house.do(on(GrantRole, user, **said), by=Role.ADMIN)
    house.people["both"] = replace(director, user_id=user, person_id=officer.person_id, name="both")
    return on(SettleAgreement, one, reason="why")


@refused("agreement.settle", "audit_missing")
def _before_the_audit(house: House) -> Any:
    (one,) = make.agreements(house, pack="granted")
    project = make.project_of(house, one)
    make.hand_in(house, project)
    judge = on(JudgeRequirement, project, clause="G3.1", yes=True, reason="seen")
    house.do(judge, by=Role.COORDINATOR)
    for _ in range(3):
        house.do(on(Advance, project, reason="ready"), by=Role.COORDINATOR)
    paying.accept_cost(house, one, cost=1_000)
    return on(SettleAgreement, one, reason="why")


@refused("recovery.write_off", "over_approval_limit")
def _above_the_own_limit(house: House) -> Any:
    command = made(house, "recovery.write_off")
    fund = UUID(str(house.one("SELECT fund_id FROM recovery_order WHERE id = :id", id=str(command.recovery_id))))
    director = house.people[Role.FUND_DIRECTOR].user_id
    house.do(on(SetLimit, fund, user_id=director, up_to_minor=999, reason="new here"), by=Role.SPONSOR)
    return command


@refused("recovery.write_off", "approval_limit_unreadable")
def _without_a_limit_of_the_role(house: House) -> Any:
    command = made(house, "recovery.write_off")
    with transaction(house.engine) as session:
        session.execute(text("UPDATE approval_limit SET until_at = since_at"))
    return command
