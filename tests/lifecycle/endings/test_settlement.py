from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.agreements.commands import AcceptAudit, CloseAgreement
from lifecycle.endings.commands import OrderRecovery, SettleAgreement, WriteOffRecovery
from lifecycle.funds.commands import ResizeFund
from lifecycle.funds.queries import Position, positions
from lifecycle.invariants.check import all_checks, check
from lifecycle.ledger.sums import paid_by_agreement
from lifecycle.milestones.commands import WaiveMilestone
from lifecycle.payouts.commands import Cancel, Reapprove
from lifecycle.people.commands import GrantRole
from lifecycle.projects.commands import Advance, Stop
from lifecycle.requirements.commands import JudgeRequirement
from models.db import reading
from models.states import BankEventKind, ProjectState, Role
from tests import factories as make
from tests import paid as paying
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.ending_recipes import repayment

A = 200_000_000


@pytest.fixture
def agreement(house: House) -> UUID:
    """An agreement over two million at 70 %, of which T1 (800,000) is paid."""
    terms: dict[str, Any] = {"amount_minor": A, "own_money_minor": 90_000_000}
    (one,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted", **terms)
    to_the_next_stage(house, one)
    paying.paid(house, one, amount=80_000_000)
    return one


def to_the_next_stage(house: House, agreement: UUID) -> None:
    project = make.project_of(house, agreement)
    if house.one("SELECT stage FROM project WHERE id = :id", id=str(project)) == "small_batch_trial":
        accept_paper(house, project)
    house.do(Advance(command_id=key(), project_id=project, reason="ready"), by=Role.COORDINATOR)


def accept_paper(house: House, project: UUID) -> None:
    make.hand_in(house, project)
    said = JudgeRequirement(command_id=key(), project_id=project, clause="G3.1", yes=True, reason="seen")
    house.do(said, by=Role.COORDINATOR)


def stop(house: House, agreement: UUID) -> None:
    project = make.project_of(house, agreement)
    house.do(Stop(command_id=key(), project_id=project, code="misuse", reason="why"), by=Role.FUND_MANAGER)


def settle(house: House, agreement: UUID) -> dict[str, Any]:
    command = SettleAgreement(command_id=key(), agreement_id=agreement, reason="as stated")
    return house.do(command, by=Role.FUND_DIRECTOR)[0]


def row(house: House, agreement: UUID) -> Any:
    (found,) = house.rows("SELECT * FROM agreement WHERE id = :id", id=str(agreement))
    return found


def tranches(house: House, agreement: UUID) -> dict[str, int]:
    sql = "SELECT tranche, amount_minor FROM milestone WHERE agreement_id = :id AND state <> 'waived' ORDER BY number"
    return {one.tranche: one.amount_minor for one in house.rows(sql, id=str(agreement))}


def sums(house: House, agreement: UUID) -> None:
    """The tranches sum to the award, the fund's position to its commitment, and no invariant is broken."""
    found = row(house, agreement)
    if found.status == "active":
        assert sum(tranches(house, agreement).values()) == found.amount_minor
    with reading(house.engine) as session:
        report = check(session, all_checks(), now=house.now)
    assert [result.id for result in report.results if not result.is_ok] == []
    at = place(house, agreement)
    assert at.paid_minor + at.reserved_minor + at.committed_minor + at.free_minor == at.commitment_minor
    assert min(at.committed_minor, at.free_minor) >= 0


def place(house: House, agreement: UUID) -> Position:
    fund = paying.fund_of(house, agreement)
    with reading(house.engine) as session:
        return positions(session, [fund])[fund]


class TestAStop:
    def test_tells_when_the_cost_is_due_and_lets_only_the_settlement_be_paid(
        self, house: House, agreement: UUID
    ) -> None:
        stop(house, agreement)

        assert row(house, agreement).statement_due_on == (house.today + timedelta(days=30)).isoformat()
        assert house.one("SELECT COUNT(*) FROM v_outbox WHERE kind = 'agreement.statement_due'") == 1
        command = paying.ask_settlement(house, agreement, 1)
        (answer,) = house.ask(command, by=Role.FINANCE_OFFICER)
        assert "not_settled" in {reason.code for reason in answer.unmet}

    def test_pays_the_entitlement_less_what_was_paid_and_gives_the_rest_back_to_the_fund(
        self, house: House, agreement: UUID
    ) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=130_000_000)

        said = settle(house, agreement)

        assert (said["entitlement_minor"], said["due_minor"], said["owed_minor"]) == (91_000_000, 11_000_000, 0)
        assert row(house, agreement).amount_minor == 91_000_000
        sums(house, agreement)
        over = paying.ask_settlement(house, agreement, 11_000_001)
        (answer,) = house.ask(over, by=Role.FINANCE_OFFICER)
        assert [reason.code for reason in answer.unmet] == ["settlement_exceeded"]
        (payout,) = paying.asked(house, paying.ask_settlement(house, agreement, 11_000_000))
        paying.pay(house, payout)
        assert paid(house, agreement) == 91_000_000
        sums(house, agreement)

    def test_recovers_the_unused_advance(self, house: House, agreement: UUID) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)

        settle(house, agreement)

        (order,) = house.rows("SELECT * FROM recovery_order")
        assert (order.amount_minor, order.code, order.state) == (10_000_000, "stop", "open")
        assert order.due_on == (house.today + timedelta(days=30)).isoformat()
        sums(house, agreement)
        repay(house, 10_000_000)
        assert paid(house, agreement) == 70_000_000
        assert house.one("SELECT state FROM recovery_order") == "settled"
        sums(house, agreement)

    def test_is_over_with_the_last_debt_and_the_fund_can_promise_what_came_back(
        self, house: House, agreement: UUID
    ) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)
        settle(house, agreement)
        repay(house, 4_000_000)
        assert row(house, agreement).status == "active"

        repay(house, 6_000_000)

        assert row(house, agreement).status == "closed"
        resize(house, agreement, 70_000_000)
        sums(house, agreement)

    def test_is_over_where_the_debt_was_given_up(self, house: House, agreement: UUID) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)
        settle(house, agreement)

        given_up(house)

        assert row(house, agreement).status == "closed"
        sums(house, agreement)

    def test_owes_the_firm_nothing_of_what_was_paid_back_while_the_rest_is_still_owed(
        self, house: House, agreement: UUID
    ) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)
        settle(house, agreement)

        repay(house, 4_000_000)

        assert (place(house, agreement).committed_minor, place(house, agreement).paid_minor) == (0, 76_000_000)
        sums(house, agreement)

    def test_owes_what_it_still_pays_besides_what_was_paid_back(self, house: House, agreement: UUID) -> None:
        """Ten million came back before the settlement, which pays eleven."""
        order(house, agreement, 10_000_000)
        repay(house, 10_000_000)
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=115_714_286)
        assert settle(house, agreement)["due_minor"] == 11_000_000
        owed = [place(house, agreement).committed_minor]
        (payout,) = paying.asked(house, paying.ask_settlement(house, agreement, 11_000_000))

        paying.approve(house, payout)

        owed.append(place(house, agreement).committed_minor)
        assert owed == [11_000_000, 0]
        assert place(house, agreement).reserved_minor == 11_000_000
        sums(house, agreement)

    def test_asks_no_more_for_what_two_people_gave_up(self, house: House, agreement: UUID) -> None:
        """Else one of them orders alone what both have forgiven."""
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)
        settle(house, agreement)
        given_up(house)

        anew = SettleAgreement(command_id=key(), agreement_id=agreement, reason="again")
        all_of_it: dict[str, Any] = {"amount_minor": 70_000_001, "code": "stop", "reason": "again"}
        ordered = OrderRecovery(command_id=key(), agreement_id=agreement, **all_of_it)
        answers = [house.ask(one, by=Role.FUND_MANAGER)[0] for one in (anew, ordered)]

        codes = [[reason.code for reason in answer.unmet] for answer in answers]
        assert codes == [["agreement_closed", "settled_already"], ["recovery_over_paid"]]
        sums(house, agreement)

    def test_nets_an_open_order_that_asks_for_more_than_is_owed(self, house: House, agreement: UUID) -> None:
        order(house, agreement, 30_000_000)
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=100_000_000)

        settle(house, agreement)

        (found,) = house.rows("SELECT * FROM recovery_order")
        assert (found.amount_minor, found.set_off_minor, found.state) == (30_000_000, 20_000_000, "open")
        assert paid(house, agreement) == 80_000_000
        sums(house, agreement)

    def test_waits_for_the_statement_until_it_is_due_and_then_recovers_all(self, house: House, agreement: UUID) -> None:
        stop(house, agreement)
        command = SettleAgreement(command_id=key(), agreement_id=agreement, reason="nothing came")
        house.later(days=30)
        (early,) = house.ask(command, by=Role.FUND_DIRECTOR)
        house.later(days=1)

        house.do(command, by=Role.FUND_DIRECTOR)

        assert [reason.code for reason in early.unmet] == ["final_statement_missing"]
        assert house.one("SELECT amount_minor FROM recovery_order") == 80_000_000

    def test_closes_the_agreement_where_nothing_is_left(self, house: House) -> None:
        (one,) = make.agreements(house, pack="granted")
        stop(house, one)
        house.later(days=31)

        assert settle(house, one)["is_closed"] is True
        assert row(house, one).status == "closed"

    def test_is_settled_anew_when_the_bank_sends_money_back_later(self, house: House, agreement: UUID) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=130_000_000)
        settle(house, agreement)
        (payout,) = paying.asked(house, paying.ask_settlement(house, agreement, 11_000_000))
        instruction = paying.pay(house, payout)
        again = SettleAgreement(command_id=key(), agreement_id=agreement, reason="again")
        (answer,) = house.ask(again, by=Role.FUND_DIRECTOR)
        assert [reason.code for reason in answer.unmet] == ["settled_already"]

        paying.hear(house, payout, instruction, BankEventKind.RETURN)

        (answer,) = house.ask(again, by=Role.FUND_DIRECTOR)
        assert [reason.code for reason in answer.unmet] == ["payouts_open"]


def given_up(house: House) -> None:
    """Let two people write the one recovery order off."""
    order = UUID(str(house.one("SELECT id FROM recovery_order")))
    user, place = house.people["nobody"].user_id, house.parties["funder"]
    second = GrantRole(command_id=key(), user_id=user, role=Role.FUND_DIRECTOR, organisation_id=place)
    house.do(second, by=Role.ADMIN)
    for by in (Role.FUND_MANAGER, "nobody"):
        house.do(WriteOffRecovery(command_id=key(), recovery_id=order, reason="bankrupt"), by=by)


class TestMoneyThatComesBackAfterTheEnd:
    @pytest.fixture
    def over(self, house: House, agreement: UUID) -> UUID:
        """The agreement, stopped and settled on just what was paid: closed, and its fund promises nothing else."""
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=114_285_715)
        assert settle(house, agreement)["is_closed"] is True
        resize(house, agreement, 80_000_000)
        return agreement

    def test_opens_the_agreement_again_and_is_settled_and_paid_anew(self, house: House, over: UUID) -> None:
        (payout,) = payouts(house)
        back(house, payout)

        assert (row(house, over).status, row(house, over).amount_minor) == ("active", 80_000_000)
        assert house.one("SELECT COUNT(*) FROM v_outbox WHERE kind = 'agreement.reopened'") == 1
        assert house.one("SELECT COUNT(*) FROM v_audit WHERE action = 'agreement.reopen'") == 1
        sums(house, over)
        house.do(Cancel(command_id=key(), payout_id=payout, reason="stopped"), by=Role.FINANCE_OFFICER)
        assert settle(house, over)["due_minor"] == 80_000_000
        (again,) = paying.asked(house, paying.ask_settlement(house, over, 80_000_000))
        paying.pay(house, again)
        assert paid(house, over) == 80_000_000
        sums(house, over)
        close(house, over)

    def test_in_part_is_settled_anew(self, house: House, over: UUID) -> None:
        back(house, *payouts(house), amount=10_000_000)

        assert row(house, over).status == "active"
        assert settle(house, over)["due_minor"] == 10_000_000
        sums(house, over)

    def test_of_its_settlement_is_paid_again_at_once(self, house: House, agreement: UUID) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=130_000_000)
        settle(house, agreement)
        (payout,) = paying.asked(house, paying.ask_settlement(house, agreement, 11_000_000))
        paying.pay(house, payout)
        close(house, agreement)

        back(house, payout)

        for by in (Role.FUND_MANAGER, Role.FUND_DIRECTOR):
            house.do(Reapprove(command_id=key(), payout_id=payout, amount_minor=11_000_000), by=by)
        paying.hear(house, payout, paying.send(house, payout))
        assert paid(house, agreement) == 91_000_000
        sums(house, agreement)

    def test_leaves_it_closed_beside_a_newer_one_of_the_project(self, house: House, agreement: UUID) -> None:
        (payout,) = payouts(house)
        rest = house.rows("SELECT id FROM milestone WHERE agreement_id = :id AND number > 1", id=str(agreement))
        waive = (WaiveMilestone(command_id=key(), milestone_id=UUID(one.id), reason="not needed") for one in rest)
        house.do(*waive, by=Role.SPONSOR)
        close(house, agreement)
        project, fund = make.project_of(house, agreement), paying.fund_of(house, agreement)
        newer = make.draft(house, fund, project, amount_minor=1_000)
        (drafted,) = make.ids_of(house.do(newer, by=Role.SPONSOR))
        free = place(house, agreement).free_minor

        back(house, payout)

        assert [row(house, one).status for one in (agreement, drafted)] == ["closed", "active"]
        assert place(house, agreement).free_minor == free + 80_000_000
        again = Reapprove(command_id=key(), payout_id=payout, amount_minor=80_000_000)
        (answer,) = house.ask(again, by=Role.FUND_MANAGER)
        assert "agreement_not_in_force" in {reason.code for reason in answer.unmet}
        house.do(Cancel(command_id=key(), payout_id=payout, reason="paid anew"), by=Role.FINANCE_OFFICER)

    def test_leaves_it_closed_where_the_fund_has_promised_the_rest_to_others(
        self, house: House, agreement: UUID
    ) -> None:
        stop(house, agreement)
        paying.accept_cost(house, agreement, cost=130_000_000)
        settle(house, agreement)
        close(house, agreement)
        resize(house, agreement, 80_000_000)

        back(house, *payouts(house))

        assert row(house, agreement).status == "closed"
        sums(house, agreement)


def payouts(house: House) -> list[UUID]:
    return [UUID(one.id) for one in house.rows("SELECT id FROM v_payout")]


def back(house: House, payout: UUID, **more: Any) -> None:
    pay.tell(house, payout, kind="return", **{f"{name}_minor": value for name, value in more.items()})


def close(house: House, agreement: UUID) -> None:
    house.do(CloseAgreement(command_id=key(), agreement_id=agreement, reason="over"), by=Role.FUND_DIRECTOR)


def resize(house: House, agreement: UUID, commitment: int) -> None:
    fund = paying.fund_of(house, agreement)
    house.do(
        ResizeFund(command_id=key(), fund_id=fund, commitment_minor=commitment, reason="as promised"), by="sponsor"
    )


class TestAProjectInProduction:
    """F11, with the figures of the rule book: A 2,000,000, P 1,700,000."""

    def reach_the_end(self, house: House, agreement: UUID, cost: int) -> None:
        paying.accept_cost(house, agreement, cost=140_000_000, is_final=False)
        for number, amount in ((2, 60_000_000), (3, 30_000_000)):
            to_the_next_stage(house, agreement)
            paying.paid(house, agreement, number=number, amount=amount)
        to_the_next_stage(house, agreement)
        house.later(days=1)
        paying.accept_cost(house, agreement, cost=cost - 140_000_000)
        audit(house, agreement)

    def test_is_paid_95_percent_of_the_entitlement_now_and_the_rest_as_retention(
        self, house: House, agreement: UUID
    ) -> None:
        self.reach_the_end(house, agreement, 257_142_858)

        said = settle(house, agreement)

        assert (said["entitlement_minor"], said["due_minor"]) == (180_000_000, 10_000_000)
        assert {name: tranches(house, agreement)[name] for name in ("T4", "R")} == {"T4": 1_000_000, "R": 9_000_000}
        assert row(house, agreement).amount_minor == 180_000_000
        sums(house, agreement)
        paying.paid(house, agreement, number=4, amount=1_000_000)
        assert paid(house, agreement) == 171_000_000

    def test_owes_back_what_it_was_paid_beyond_the_entitlement(self, house: House, agreement: UUID) -> None:
        self.reach_the_end(house, agreement, 228_571_429)

        said = settle(house, agreement)

        assert (said["entitlement_minor"], said["due_minor"], said["owed_minor"]) == (160_000_000, 0, 10_000_000)
        found = house.rows("SELECT amount_minor, code FROM recovery_order")
        assert found == [(10_000_000, "negative_balance")]
        sums(house, agreement)

    def test_asks_for_the_settlement_before_the_last_tranches(self, house: House, agreement: UUID) -> None:
        self.reach_the_end(house, agreement, 257_142_858)
        (tranche,) = paying.released(house, agreement, number=4)

        (answer,) = house.ask(paying.request(house, tranche, 1_000_000), by=Role.FINANCE_OFFICER)

        assert [reason.code for reason in answer.unmet] == ["not_settled"]


def audit(house: House, agreement: UUID) -> None:
    (paper,) = make.papers(house, agreement)
    command = AcceptAudit(command_id=key(), agreement_id=agreement, evidence_sha256=paper, reason="no finding")
    house.do(command, by=Role.FUND_DIRECTOR)


def order(house: House, agreement: UUID, amount: int) -> None:
    command = OrderRecovery(
        command_id=key(), agreement_id=agreement, amount_minor=amount, code="ineligible_cost", reason="fines"
    )
    house.do(command, by=Role.FUND_MANAGER)


def repay(house: House, amount: int) -> None:
    recovery = UUID(str(house.one("SELECT id FROM recovery_order")))
    house.do(repayment(house, recovery, amount), by=Role.ACCOUNTANT)


def paid(house: House, agreement: UUID) -> int:
    with reading(house.engine) as session:
        return paid_by_agreement(session, [agreement])[agreement]
