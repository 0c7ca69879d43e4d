"""What is owed back: by whom it is asked, how it comes back, and that no figure forgets it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lifecycle import engine as melody
from lifecycle.endings.commands import OrderRecovery, SetOffRecovery, WriteOffRecovery
from lifecycle.exceptions.carrying_out import follow_up
from lifecycle.funds.commands import SetLimit
from lifecycle.funds.queries import ledger_lines, positions
from lifecycle.invariants.check import all_checks, check
from lifecycle.ledger.sums import paid_by_agreement
from lifecycle.payouts.commands import Reapprove
from lifecycle.people.commands import DisableUser, GrantRole
from models.db import reading, transaction
from models.states import ProjectState, Role
from tests import factories as make
from tests import paid as paying
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.ending_recipes import paid, repayment
from tests.lifecycle.recipes import add_user, given

PAID = pay.AMOUNT


def order(house: House, agreement: UUID, amount: int = 1_000) -> UUID:
    asked: dict[str, Any] = {"amount_minor": amount, "code": "misuse", "reason": "why"}
    command = OrderRecovery(command_id=key(), agreement_id=agreement, **asked)
    return make.ids_of(house.do(command, by=Role.FUND_MANAGER))[0]


def set_off(house: House, recovery: UUID, milestone: UUID, amount: int) -> SetOffRecovery:
    return SetOffRecovery(
        command_id=key(),
        recovery_id=recovery,
        milestone_id=milestone,
        amount_minor=amount,
        notified_on=house.today,
        reason="told by letter",
    )


def codes(house: House, command: Any, by: str) -> set[str]:
    (answer,) = house.ask(command, by=by)
    return {reason.code for reason in answer.unmet}


def net(house: House, agreement: UUID) -> int:
    with reading(house.engine) as session:
        return paid_by_agreement(session, [agreement])[agreement]


def two_of_one_firm(house: House) -> tuple[UUID, UUID]:
    """Return two agreements of one fund with projects of one firm; of the first a hundred yuan was paid."""
    (first,) = paid(house, 1)
    (project,) = make.projects(house, 1, stage=ProjectState.SMALL_BATCH_TRIAL, pack="funded")
    (other,) = make.ids_of(house.do(make.draft(house, paying.fund_of(house, first), project), by=Role.SPONSOR))
    make.sign(house, other)
    return first, other


def broken(house: House) -> list[str]:
    with reading(house.engine) as session:
        report = check(session, all_checks({}), now=house.now)
    return [one["id"] for one in report.document()["checks"] if not one["ok"]]


def whole(house: House, agreement: UUID) -> None:
    fund = paying.fund_of(house, agreement)
    with reading(house.engine) as session:
        place = positions(session, [fund])[fund]
    assert place.paid_minor + place.reserved_minor + place.committed_minor + place.free_minor == place.commitment_minor


class TestAnOrder:
    def test_asks_at_most_for_what_was_paid_and_is_not_asked_back_already(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        order(house, agreement, PAID - 1)

        over = OrderRecovery(command_id=key(), agreement_id=agreement, amount_minor=2, code="misuse", reason="why")

        assert codes(house, over, Role.FUND_MANAGER) == {"recovery_over_paid"}
        assert order(house, agreement, 1)

    def test_keeps_the_next_payout_back_until_it_is_met(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        recovery = order(house, agreement)
        (milestone,) = make.tranches(house, agreement)
        command = paying.request(house, milestone, 500)
        assert codes(house, command, Role.FINANCE_OFFICER) == {"recovery_open"}

        house.do(repayment(house, recovery, 1_000), by=Role.ACCOUNTANT)

        assert codes(house, command, Role.FINANCE_OFFICER) == set()
        assert net(house, agreement) == PAID - 1_000
        whole(house, agreement)

    def test_is_told_by_the_ledger_and_by_the_position_with_the_same_sums(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        recovery = order(house, agreement)
        house.do(repayment(house, recovery, 1_000), by=Role.ACCOUNTANT)

        fund = paying.fund_of(house, agreement)
        with reading(house.engine) as session:
            lines, place = ledger_lines(session, fund), positions(session, [fund])[fund]

        held = {line["account"]: line["balance_minor"] for line in lines}
        assert (held["available"], held["paid"]) == (place.available_minor, place.paid_minor + place.repaid_minor)
        assert place.cash_minor == place.paid_in_minor + place.unnamed_minor - place.paid_minor - place.fee_minor
        assert (place.paid_minor, place.repaid_minor) == (PAID - 1_000, 1_000)
        number, ref = house.rows("SELECT o.number, p.bank_ref FROM recovery_order o, recovery_part p")[0]
        (last,) = [line for line in lines if line["kind"] == "recovery"]
        assert (last["recovery"], last["bank_ref"], last["project"] is not None) == (number, ref, True)
        (first, *_) = [line for line in lines if line["kind"] == "post"]
        assert first["payout"].startswith("PO-")


class TestASetOff:
    def test_counts_as_paid_back_and_as_paid(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        recovery = order(house, agreement)
        (milestone,) = make.tranches(house, agreement)
        before = net(house, agreement)

        house.do(set_off(house, recovery, milestone, 1_000), by=Role.FUND_MANAGER)

        assert net(house, agreement) == before
        assert house.one("SELECT state FROM recovery_order") == "settled"
        left = house.one("SELECT amount_minor FROM milestone WHERE id = :id", id=str(milestone)) - PAID - 1_000
        over = paying.request(house, milestone, left + 1)
        assert codes(house, over, Role.FINANCE_OFFICER) == {"milestone_exceeded"}
        whole(house, agreement)

    def test_is_not_against_what_is_asked_for_already(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        (milestone,) = make.tranches(house, agreement)
        left = house.one("SELECT amount_minor FROM milestone WHERE id = :id", id=str(milestone)) - PAID
        paying.asked(house, paying.request(house, milestone, left - 999))
        recovery = order(house, agreement)

        assert codes(house, set_off(house, recovery, milestone, 1_000), Role.FUND_MANAGER) == {"set_off_over_tranche"}
        assert codes(house, set_off(house, recovery, milestone, 999), Role.FUND_MANAGER) == set()

    def test_is_not_against_a_tranche_of_another_fund(self, house: House) -> None:
        first, second = paid(house, 2)
        (milestone,) = make.tranches(house, second)

        command = set_off(house, order(house, first), milestone, 1_000)

        assert codes(house, command, Role.FUND_MANAGER) == {"set_off_of_another"}

    def test_across_agreements_of_one_firm_moves_the_debt_and_no_money(self, house: House) -> None:
        first, other = two_of_one_firm(house)
        (milestone,) = paying.released(house, other)
        recovery = order(house, first)
        fund = paying.fund_of(house, first)
        before = house.rows("SELECT kind, balance_minor FROM v_account WHERE fund_id = :id ORDER BY kind", id=str(fund))

        house.do(set_off(house, recovery, milestone, 1_000), by=Role.FUND_MANAGER)

        assert (net(house, first), net(house, other)) == (PAID - 1_000, 1_000)
        after = house.rows("SELECT kind, balance_minor FROM v_account WHERE fund_id = :id ORDER BY kind", id=str(fund))
        assert after == before
        left = house.one("SELECT amount_minor FROM milestone WHERE id = :id", id=str(milestone)) - 1_000
        over = paying.request(house, milestone, left + 1)
        assert codes(house, over, Role.FINANCE_OFFICER) == {"milestone_exceeded"}
        assert codes(house, paying.request(house, milestone, left), Role.FINANCE_OFFICER) == set()
        whole(house, first)
        assert broken(house) == []

    def test_across_agreements_waits_for_the_release_of_the_other_tranche(self, house: House) -> None:
        first, other = two_of_one_firm(house)
        (milestone,) = make.tranches(house, other)

        early = set_off(house, order(house, first), milestone, 1)

        assert codes(house, early, Role.FUND_MANAGER) == {"set_off_over_tranche", "paid_over_released"}

    def test_of_two_orders_in_one_batch_takes_no_more_than_the_tranche_has(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        (milestone,) = make.tranches(house, agreement)
        left = house.one("SELECT amount_minor FROM milestone WHERE id = :id", id=str(milestone)) - PAID
        paying.asked(house, paying.request(house, milestone, left - 1_500))
        both = [set_off(house, order(house, agreement), milestone, 1_000) for _ in "ab"]

        answers = house.ask(*both, by=Role.FUND_MANAGER)

        assert [answer.is_done for answer in answers] == [True, False]


class TestAWriteOff:
    def test_needs_two_people_of_whom_neither_ordered_it(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        recovery = order(house, agreement)
        word = WriteOffRecovery(command_id=key(), recovery_id=recovery, reason="the firm is gone")

        assert codes(house, word, Role.FUND_MANAGER) == {"four_eyes"}
        house.do(word, by=Role.FUND_DIRECTOR)
        again = replace(word, command_id=key())
        assert codes(house, again, Role.FUND_DIRECTOR) == {"four_eyes"}
        second = make.ids_of(house.do(*_another_manager(house)))[0]
        house.people["second manager"] = replace(
            house.people[Role.FUND_MANAGER], user_id=second, person_id=second, name="second manager"
        )
        _grant(house, second)

        house.do(again, by="second manager")

        (found,) = house.rows("SELECT state, written_off_minor FROM recovery_order")
        assert (found.state, found.written_off_minor) == ("written_off", 1_000)
        assert net(house, agreement) == PAID

    def test_is_proposed_anew_where_who_proposed_it_has_left(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        word = WriteOffRecovery(command_id=key(), recovery_id=order(house, agreement), reason="the firm is gone")
        house.do(word, by=Role.FUND_DIRECTOR)
        house.do(DisableUser(command_id=key(), user_id=house.people[Role.FUND_DIRECTOR].user_id), by=Role.ADMIN)
        _grant(house, house.people["nobody"].user_id)

        house.do(replace(word, command_id=key()), by="nobody")

        (found,) = house.rows("SELECT state, write_off_by FROM recovery_order")
        assert (found.state, UUID(str(found.write_off_by))) == ("open", house.people["nobody"].user_id)

    def test_needs_a_limit_that_reaches_it(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        director = house.people[Role.FUND_DIRECTOR].user_id
        limit = SetLimit(
            command_id=key(),
            fund_id=paying.fund_of(house, agreement),
            user_id=director,
            up_to_minor=999,
            reason="new here",
        )
        house.do(limit, by=Role.SPONSOR)
        word = WriteOffRecovery(command_id=key(), recovery_id=order(house, agreement), reason="gone")

        assert codes(house, word, Role.FUND_DIRECTOR) == {"over_approval_limit"}


class TestADebtWhoseMoneyTheBankSendsBack:
    """A hundred yuan was paid: the firm owes no more of it than it still has."""

    @pytest.mark.parametrize(
        ("owed", "back", "left"), [(1_000, PAID, 0), (1_000, PAID - 400, 400), (1_000, PAID - 1_000, 1_000)]
    )
    def test_is_lowered_to_what_the_firm_still_has(self, house: House, owed: int, back: int, left: int) -> None:
        (agreement,) = paid(house, 1)
        order(house, agreement, owed)

        pay.tell(house, payout_of(house), kind="return", amount_minor=back)

        (found,) = house.rows("SELECT state, amount_minor, set_off_minor FROM recovery_order")
        assert found.amount_minor - found.set_off_minor == left
        assert found.state == ("open" if left else "settled")
        assert net(house, agreement) == PAID - back
        assert house.one("SELECT count(*) FROM v_outbox WHERE kind = 'recovery.set_off'") == (left < owed)
        whole(house, agreement)
        assert broken(house) == []

    def test_is_lowered_the_newest_first_and_by_each_return_of_one_file(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        order(house, agreement, 3_000)
        order(house, agreement, 2_000)
        first, second = (pay.word(house, payout_of(house), "return", amount_minor=one) for one in (6_000, 3_000))

        house.do(first, second)

        found = house.rows("SELECT state, set_off_minor FROM recovery_order ORDER BY number")
        assert [(row.state, row.set_off_minor) for row in found] == [("open", 2_000), ("settled", 2_000)]
        assert broken(house) == []

    def test_no_more_keeps_the_payment_from_being_made_again(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        order(house, agreement)
        payout = payout_of(house)
        pay.tell(house, payout, kind="return")

        again = Reapprove(command_id=key(), payout_id=payout, amount_minor=PAID)

        assert codes(house, again, Role.FUND_MANAGER) == set()

    def test_that_was_written_off_is_the_firms_still(self, house: House) -> None:
        (agreement,) = paid(house, 1)
        order(house, agreement, 4_000)
        edit(house, "UPDATE recovery_order SET written_off_minor = 1000")

        pay.tell(house, payout_of(house), kind="return", amount_minor=7_000)

        assert house.one("SELECT amount_minor - set_off_minor - written_off_minor FROM recovery_order") == 2_000


def payout_of(house: House) -> UUID:
    return UUID(house.one("SELECT id FROM v_payout"))


def edit(house: House, sql: str) -> None:
    with transaction(house.engine) as session:
        session.execute(text(sql))


class TestACreditThatNobodyKnew:
    @pytest.mark.parametrize(("amount", "expected"), [(1_000, set()), (1_001, {"recovery_over_left"})])
    def test_repays_an_order_once_two_people_say_so(self, house: House, amount: int, expected: set[str]) -> None:
        (agreement,) = paid(house, 1)
        recovery = order(house, agreement)
        fund = paying.fund_of(house, agreement)
        (statement,) = make.ids_of(house.do(pay.take(fund)))
        (line,) = pay.set_aside(house, statement, amount_minor=amount)
        case = pay.case_of(house, line)
        propose = pay.propose(case, "match", recovery_id=recovery)
        assert codes(house, propose, Role.ACCOUNTANT) == expected
        if expected:
            return

        confirm = pay.confirm(house, case, "match")
        with transaction(house.engine) as session:
            melody.execute_all_or_none(session, [confirm], stamp=house.stamp(Role.FUND_MANAGER))
            more = follow_up(session, case, confirm.command_id)
            melody.execute_all_or_none(session, more, stamp=house.stamp(Role.FUND_MANAGER))

        assert house.one("SELECT state FROM recovery_order") == "settled"
        assert house.one("SELECT SUM(balance_minor) FROM account WHERE kind = 'suspense'") == 0
        with reading(house.engine) as session:
            place = positions(session, [fund])[fund]
        assert (place.suspense_minor, place.paid_minor) == (0, PAID - 1_000)
        whole(house, agreement)
        assert broken(house) == []


def _another_manager(house: House) -> Any:
    return add_user(house, 1)


def _grant(house: House, user: UUID) -> None:
    said: dict[str, Any] = {"role": Role.FUND_MANAGER, "organisation_id": house.parties["funder"]}
    house.do(*given(GrantRole, [user], **said), by=Role.ADMIN)
