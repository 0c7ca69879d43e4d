"""Refusals of the verbs of a fund."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lifecycle.endings.commands import OrderRecovery
from lifecycle.funds.commands import (
    CallCapital,
    CloseFund,
    Commit,
    Contribute,
    HoldFund,
    ResizeFund,
    ResumeFund,
    SetLimit,
    Tier,
)
from lifecycle.funds.corrections import AmendCommitment, CancelCall, CorrectFund
from lifecycle.payouts.statements import TakeLines
from lifecycle.people.commands import GrantRole
from models.db import transaction
from models.money import MAX_MINOR
from models.states import Role, SourceKind
from tests import payments as pay
from tests.factories import House, agreements, call_capital, funds, ids_of, key, new_fund, pay_in, sources
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong
from tests.lifecycle.ending_recipes import paid

NOWHERE = UUID(int=5)

wrong("fund.add", "fund_code_wrong", code="F 1")
wrong("fund.add", "fund_name_wrong", name=" ")
wrong("fund.add", "fund_name_wrong", debtor_name="")
wrong("fund.add", "fund_name_wrong", debtor_account="")
wrong("fund.correct", "fund_name_wrong", name=" ")
wrong("fund.correct", "reason_missing", reason=" ")
wrong("fund.correct", "fund_name_wrong", debtor_bank="1" * 15)
wrong("fund.correct", "nothing_to_change", name=None, debtor_name=None)
wrong("fund.amend_commitment", "source_not_found", source_id=NOWHERE)
wrong("fund.amend_commitment", "amount_out_of_bounds", amount_minor=-1)
wrong("fund.amend_commitment", "nothing_to_change", amount_minor=1_000_000_000)
wrong("fund.amend_commitment", "reason_missing", reason="")
wrong("fund.cancel_call", "call_not_found", call_no=2)
wrong("fund.cancel_call", "reason_missing", reason="")
wrong("fund.add", "currency_unknown", currency="BHD")
wrong("fund.add", "amount_out_of_bounds", commitment_minor=0)
wrong("fund.add", "amount_out_of_bounds", commitment_minor=MAX_MINOR + 1)
wrong("fund.add", "role", organisation_id=NOWHERE)
wrong("fund.add", "organisation_not_found", by=Role.ADMIN, organisation_id=NOWHERE)
wrong("fund.resize", "amount_out_of_bounds", commitment_minor=0)
wrong("fund.resize", "reason_missing", reason=" ")
wrong("fund.commit", "organisation_not_found", organisation_id=NOWHERE)
wrong("fund.commit", "amount_out_of_bounds", amount_minor=0)
wrong("fund.commit", "amount_out_of_bounds", amount_minor=-1)
wrong("fund.call", "amount_out_of_bounds", amount_minor=0)
wrong("fund.call", "call_over_commitment", amount_minor=1_000_000_001)
wrong("fund.call", "due_day_past", due_on=lambda house: house.today - timedelta(days=1))
wrong("fund.contribute", "source_not_found", source_id=NOWHERE)
wrong("fund.contribute", "amount_out_of_bounds", amount_minor=0)
wrong("fund.contribute", "contribution_over_call", amount_minor=500_000_001)
wrong("fund.contribute", "day_in_future", received_on=lambda house: house.today + timedelta(days=1))
wrong("fund.contribute", "reason_missing", "more_than_paid_in", "insufficient_funds", amount_minor=-1)
wrong("fund.hold", "hold_reason_unknown", code="mood")
wrong("fund.hold", "hold_too_long", until_on=lambda house: house.today + timedelta(days=91))
wrong("fund.hold", "reason_missing", reason=" ")
wrong("fund.resume", "reason_missing", reason="")
wrong("fund.resume", "four_eyes", by=Role.FUND_DIRECTOR)
wrong("fund.set_tiers", "tiers_wrong", tiers=())
wrong("fund.set_tiers", "tiers_wrong", tiers=(Tier(up_to_minor=MAX_MINOR - 1, approvers_needed=1),))
wrong("fund.set_tiers", "tiers_wrong", tiers=(Tier(up_to_minor=MAX_MINOR, approvers_needed=6),))
wrong("fund.set_limit", "limit_of_whom", role=Role.FUND_MANAGER)
wrong("fund.set_limit", "limit_of_whom", user_id=None)
wrong("fund.set_limit", "role_approves_nothing", role=Role.PAYER, user_id=None)
wrong("fund.set_limit", "user_not_found", user_id=NOWHERE)
wrong("fund.set_limit", "amount_out_of_bounds", up_to_minor=-1)
wrong("fund.set_limit", "four_eyes", user_id=lambda house: house.people[Role.FUND_DIRECTOR].user_id)
wrong("fund.set_limit", "four_eyes", role=Role.FUND_DIRECTOR, user_id=None)


@refused("fund.add", "already_exists")
def _same_code(house: House) -> Any:
    return again("fund.add", done(house, "fund.add"), debtor_account="another")


@refused("fund.add", "debtor_account_taken")
def _the_account_of_another_fund(house: House) -> Any:
    done(house, "fund.add", debtor_account="6222 0202 1")
    return new_fund(house, debtor_account=" 622202021")


@refused("fund.resize", "nothing_to_change")
def _the_size_it_has(house: House) -> Any:
    return again("fund.resize", done(house, "fund.resize"))


@refused("fund.resize", "fund_below_promises")
def _below_what_it_has_promised(house: House) -> Any:
    (agreement,) = agreements(house, 1)
    fund = house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=str(agreement))
    promised = house.one("SELECT amount_minor FROM v_agreement WHERE id = :id", id=str(agreement))
    house.do(on(ResizeFund, UUID(fund), commitment_minor=promised, reason="to the last fen"), by=Role.SPONSOR)
    return on(ResizeFund, UUID(fund), commitment_minor=promised - 1, reason="less")


@refused("fund.correct", "fund_account_in_use")
def _after_money_came_in(house: House) -> Any:
    (one,) = funds(house)
    pay_in(house, one)
    assert house.ask(on(CorrectFund, one, name="another", reason="why"), by=Role.SPONSOR)[0].is_done
    return on(CorrectFund, one, debtor_account="62220299", reason="why")


@refused("fund.correct", "fund_account_in_use")
def _after_a_statement_of_the_account(house: House) -> Any:
    (one,) = funds(house)
    house.do(pay.take(one))
    return on(CorrectFund, one, debtor_bank="301290000007", reason="why")


@refused("fund.correct", "debtor_account_taken")
def _to_the_account_of_another_fund(house: House) -> Any:
    one, other = funds(house, 2)
    number = house.one("SELECT debtor_account FROM fund WHERE id = :id", id=str(other))
    return on(CorrectFund, one, debtor_account=f" {number[:4]} {number[4:]}", reason="mistyped")


@refused("fund.amend_commitment", "commitment_below_calls")
def _below_what_was_called(house: House) -> Any:
    (one,) = funds(house)
    (source,) = sources(house, one)
    call_capital(house, one, amount_minor=500)
    return on(AmendCommitment, one, source_id=source, amount_minor=499, reason="why")


@refused("fund.cancel_call", "call_cancelled_already")
def _cancelled_twice(house: House) -> Any:
    return again("fund.cancel_call", done(house, "fund.cancel_call"))


@refused("fund.cancel_call", "call_not_found")
def _the_cancellation_itself(house: House) -> Any:
    return again("fund.cancel_call", done(house, "fund.cancel_call"), call_no=2)


@refused("fund.cancel_call", "call_paid_already")
def _after_a_part_of_it_came(house: House) -> Any:
    (one,) = funds(house)
    (source,) = sources(house, one)
    call_capital(house, one, amount_minor=500)
    call_capital(house, one, amount_minor=300)
    paid = {"source_id": source, "received_on": house.today, "bank_ref": "B-1"}
    house.do(on(Contribute, one, amount_minor=501, **paid), by=Role.ACCOUNTANT)
    return on(CancelCall, one, call_no=2, reason="why")


@refused("fund.call", "no_investors", "call_over_commitment")
def _without_investors(house: House) -> Any:
    return on(CallCapital, funds(house)[0], amount_minor=1, due_on=house.today)


@refused("fund.commit", "amount_out_of_bounds")
def _all_the_money_there_is_twice(house: House) -> Any:
    (one,) = funds(house)
    sources(house, one, amount_minor=MAX_MINOR)
    investor, kind = house.parties["other firm"], SourceKind.LARGE_ENTERPRISE
    return on(Commit, one, organisation_id=investor, kind=kind, amount_minor=1)


@refused("fund.contribute", "already_exists")
def _same_booking(house: House) -> Any:
    first = done(house, "fund.contribute", amount_minor=1, bank_ref="B-1")
    return again("fund.contribute", first)


@refused("fund.contribute", "two_people_missing")
def _money_of_nobody_that_the_bank_told_of_first(house: House) -> Any:
    (one,) = funds(house)
    (statement,) = ids_of(house.do(pay.take(one)))
    booked = pay.unexplained(5_000, bank_ref="B-1")
    house.do(TakeLines(command_id=key(), statement_id=statement, first_place=1, found=booked))
    return on(Contribute, one, amount_minor=5_000, received_on=house.today, bank_ref="B-1")


@refused("fund.contribute", "contribution_over_call")
def _before_any_call(house: House) -> Any:
    (one,) = funds(house)
    (source,) = sources(house, one)
    return on(Contribute, one, source_id=source, amount_minor=1, received_on=house.today)


@refused("fund.contribute", "more_than_paid_in")
def _back_to_one_what_came_from_another(house: House) -> Any:
    (one,) = funds(house)
    (source,) = sources(house, one)
    call_capital(house, one)
    pay_in(house, one)
    return on(Contribute, one, source_id=source, amount_minor=-1, received_on=house.today, note="back")


@refused("fund.hold", "fund_on_hold")
def _held_already(house: House) -> Any:
    return again("fund.hold", done(house, "fund.hold"))


@refused("fund.resume", "fund_not_on_hold")
def _not_held(house: House) -> Any:
    return on(ResumeFund, funds(house)[0], reason="why")


@refused("fund.resume", "fund_not_on_hold")
def _lifted_already(house: House) -> Any:
    return again("fund.resume", done(house, "fund.resume"))


@refused("fund.set_tiers", "tiers_wrong")
def _more_money_asks_less(house: House) -> Any:
    tiers = (Tier(up_to_minor=100, approvers_needed=2), Tier(up_to_minor=MAX_MINOR, approvers_needed=1))
    return made(house, "fund.set_tiers", tiers=tiers)


@refused("fund.set_tiers", "four_eyes")
def _by_a_sponsor_who_approves_under_another_account(house: House) -> Any:
    sponsor = house.people[Role.SPONSOR]
    (answer,) = house.do(made(house, "user.add", person_id=sponsor.person_id), by=Role.ADMIN)
    grant = GrantRole(
        command_id=key(),
        user_id=UUID(answer["object_id"]),
        role=Role.FUND_MANAGER,
        organisation_id=house.parties["funder"],
    )
    house.do(grant, by=Role.ADMIN)
    return made(house, "fund.set_tiers")


@refused("fund.set_limit", "four_eyes", by=Role.SPONSOR)
def _of_a_second_account_of_ones_own(house: House) -> Any:
    sponsor = house.people[Role.SPONSOR]
    other = made(house, "user.add", person_id=sponsor.person_id)
    (answer,) = house.do(other, by=Role.ADMIN)
    user = UUID(answer["object_id"])
    return on(SetLimit, funds(house)[0], user_id=user, up_to_minor=1, reason="why")


@refused("fund.add", "bank_code_wrong")
def _for_real_work_at_a_bank_that_is_none(house: House) -> Any:
    with transaction(house.engine) as session:
        session.execute(text("UPDATE installation SET mode = 'production', clock_at = NULL"))
    return made(house, "fund.add", debtor_bank="BANK")


@refused("fund.close", "money_left_in_fund")
def _with_money_in_it(house: House) -> Any:
    (one,) = funds(house)
    pay_in(house, one, amount_minor=1)
    return on(CloseFund, one, reason="why")


@refused("fund.close", "money_in_suspense", "exceptions_open")
def _with_money_that_nobody_explained(house: House) -> Any:
    (one,) = funds(house)
    pay.credited(house, one, 500)
    return on(CloseFund, one, reason="why")


@refused("fund.close", "agreements_active", "recoveries_open", "batch_may_be_alive")
def _while_a_firm_owes_it(house: House) -> Any:
    (agreement,) = paid(house, 1)
    order: dict[str, Any] = {"amount_minor": 1_000, "code": "misuse", "reason": "why"}
    house.do(on(OrderRecovery, agreement, **order), by=Role.FUND_MANAGER)
    fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
    left = int(house.one("SELECT balance_minor FROM v_account WHERE kind = 'available'"))
    house.do(on(Contribute, fund, amount_minor=-left, received_on=house.today, note="back"), by=Role.ACCOUNTANT)
    return on(CloseFund, fund, reason="why")


@refused("fund.close", "fund_closed")
def _closed_twice(house: House) -> Any:
    return again("fund.close", done(house, "fund.close"))


@refused("fund.commit", "fund_closed")
def _committed_to_a_closed_one(house: House) -> Any:
    command = made(house, "fund.commit")
    house.do(CloseFund(command_id=key(), fund_id=command.fund_id, reason="why"), by=Role.SPONSOR)
    return command


@refused("fund.hold", "not_found", by="stranger")
def _out_of_reach(house: House) -> Any:
    return replace(made(house, "fund.hold"), expected_version=99)


@refused("fund.hold", "not_found")
def _never_there(house: House) -> Any:
    return on(HoldFund, NOWHERE, code="other", reason="why", until_on=house.today)


@refused("fund.add", "role", by=Role.FUND_DIRECTOR)
def _by_who_may_not(house: House) -> Any:
    return new_fund(house)
