"""Who approves does not say how many must; what was asked of three is not asked of one later (rule book 5.4)."""

from dataclasses import replace
from uuid import UUID

from lifecycle.funds.commands import SetTiers, Tier
from lifecycle.payouts.commands import Amend, Approve, Reapprove, SendBack
from models.money import MAX_MINOR
from models.states import Role
from tests import payments as pay
from tests.factories import House, funds, ids_of, key

BIG = 240_000_000
"""2.4 million yuan: two approvals and a director."""
ONE_IS_ENOUGH = (Tier(up_to_minor=MAX_MINOR, approvers_needed=1),)


def asked(house: House, amount: int = BIG) -> UUID:
    (milestone,) = pay.accepted(house, 1, amount_minor=600_000_000, own_money_minor=300_000_000)
    return ids_of(house.do(pay.request(house, milestone, amount_minor=amount), by=Role.FINANCE_OFFICER))[0]


def lowered(house: House, payout: UUID, tiers: tuple[Tier, ...] = ONE_IS_ENOUGH) -> SetTiers:
    return SetTiers(command_id=key(), fund_id=pay.payer_of(house, payout), tiers=tiers, reason="easier")


def needed(house: House) -> tuple[int, bool]:
    ((approvals, is_directed),) = house.rows("SELECT approvals_needed, is_director_needed FROM payout")
    return int(approvals), bool(is_directed)


class TestTiers:
    def test_are_not_set_by_the_director_whom_they_bind(self, house: House) -> None:
        (answer,) = house.ask(lowered(house, asked(house)), by=Role.FUND_DIRECTOR)

        assert answer.error is not None
        assert answer.error.codes == ("role",)

    def test_are_yuan_by_default_and_of_no_fund_in_another_currency(self, house: House) -> None:
        """30,000,000 minor units are 300,000 yuan, and far more in dollars."""
        yuan, dollars = funds(house), funds(house, currency="USD")
        sql = "SELECT COUNT(*) FROM approval_tier WHERE fund_id = :fund"

        assert [house.one(sql, fund=str(one)) for one in (*yuan, *dollars)] == [3, 0]


class TestAPayoutThatIsCountedAnew:
    def test_asks_for_as_many_as_before_where_the_tiers_were_lowered_meanwhile(self, house: House) -> None:
        payout = asked(house)
        house.do(lowered(house, payout), by=Role.SPONSOR)

        house.do(SendBack(command_id=key(), payout_id=payout, reason="look again"), by=Role.FUND_DIRECTOR)

        assert needed(house) == (3, True)
        (minute,) = pay.minutes_of(house, payout)
        approve = Approve(command_id=key(), payout_id=payout, amount_minor=BIG, minute_sha256=minute)
        house.do(approve, by=Role.FUND_DIRECTOR)
        assert house.one("SELECT state FROM v_payout") == "requested"

    def test_asks_for_the_minute_of_the_tiers_under_which_it_was_asked_for(self, house: House) -> None:
        """Tiers that ask for none now take it from no payout that waits, and new ones put it on none."""
        payout = asked(house)
        house.do(lowered(house, payout), by=Role.SPONSOR)

        approve = Approve(command_id=key(), payout_id=payout, amount_minor=BIG)
        (answer,) = house.ask(approve, by=Role.FUND_DIRECTOR)

        assert [one.code for one in answer.unmet] == ["minute_missing"]
        (minute,) = pay.minutes_of(house, payout)
        house.do(replace(approve, minute_sha256=minute), by=Role.FUND_DIRECTOR)

    def test_asks_for_no_minute_where_the_tiers_asked_for_none_then(self, house: House) -> None:
        payout = asked(house, amount=1)
        asks = (Tier(up_to_minor=MAX_MINOR, approvers_needed=1, is_minute_needed=True),)
        house.do(lowered(house, payout, tiers=asks), by=Role.SPONSOR)

        house.do(Approve(command_id=key(), payout_id=payout, amount_minor=1), by=Role.FUND_MANAGER)

        assert house.one("SELECT state FROM v_payout") == "approved"

    def test_asks_for_as_many_where_it_has_become_smaller(self, house: House) -> None:
        payout = asked(house)

        amend = Amend(command_id=key(), payout_id=payout, reason="less", new_amount_minor=1)
        house.do(amend, by=Role.FINANCE_OFFICER)

        assert needed(house) == (3, True)

    def test_asks_for_as_many_as_the_tiers_say_when_it_came_back(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="returned")
        two = (Tier(up_to_minor=MAX_MINOR, approvers_needed=2),)
        house.do(lowered(house, payout, two), by=Role.SPONSOR)
        anew = Reapprove(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT)

        house.do(anew, by=Role.FUND_MANAGER)
        assert (house.one("SELECT state FROM v_payout"), needed(house)) == ("returned", (2, False))
        house.do(replace(anew, command_id=key()), by=Role.FUND_DIRECTOR)

        assert house.one("SELECT state FROM v_payout") == "approved"
