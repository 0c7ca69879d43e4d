"""A payment cut in two needs as many approvals as the whole (rule book 5.4)."""

from typing import Any
from uuid import UUID

import pytest

from lifecycle.funds.commands import SetTiers, Tier
from lifecycle.payouts.commands import Amend, Cancel
from models.money import MAX_MINOR
from models.states import ProjectState, Role
from tests import factories as make
from tests import paid as paying
from tests.factories import House, key

SMALL_BATCH = ProjectState.SMALL_BATCH_TRIAL
HALF = 20_000_000
"""200,000 yuan: one approval alone, two with another half."""


@pytest.fixture
def milestone(house: House) -> UUID:
    (agreement,) = make.agreements(house)
    make.pay_in(house, paying.fund_of(house, agreement))
    return paying.released(house, agreement)[0]


def ask(house: House, milestone: UUID, amount: int = HALF) -> UUID:
    return paying.asked(house, paying.request(house, milestone, amount))[0]


def needed(house: House, payout: UUID) -> int:
    return int(house.one("SELECT approvals_needed FROM payout WHERE id = :id", id=str(payout)))


def amend(house: House, payout: UUID, **changes: Any) -> None:
    house.do(Amend(command_id=key(), payout_id=payout, reason="corrected", **changes), by=Role.FINANCE_OFFICER)


def in_dollars(house: House) -> UUID:
    """Return a tranche of the same firm that is paid in dollars, under tiers of the same figures."""
    (fund,), (project,) = make.funds(house, currency="USD"), make.projects(house, pack="funded", stage=SMALL_BATCH)
    tiers = (Tier(up_to_minor=30_000_000, approvers_needed=1), Tier(up_to_minor=MAX_MINOR, approvers_needed=2))
    house.do(SetTiers(command_id=key(), fund_id=fund, tiers=tiers, reason="as in yuan"), by=Role.SPONSOR)
    (agreement,) = make.ids_of(house.do(make.draft(house, fund, project), by=Role.SPONSOR))
    make.sign(house, agreement)
    make.pay_in(house, fund)
    return paying.released(house, agreement)[0]


class TestPayoutsToOnePayee:
    def test_are_added_up_before_the_tier_is_chosen(self, house: House, milestone: UUID) -> None:
        first, second = ask(house, milestone), ask(house, milestone, HALF - 10_000_000)
        third = ask(house, milestone, 1)

        assert [needed(house, one) for one in (first, second, third)] == [1, 1, 2]

    def test_are_added_up_within_one_call_too(self, house: House, milestone: UUID) -> None:
        both = paying.asked(house, *(paying.request(house, milestone, HALF) for _ in range(2)))

        assert sorted(needed(house, one) for one in both) == [1, 2]

    @pytest.mark.parametrize(("days", "approvals"), [(30, 2), (31, 1)])
    def test_are_added_up_for_thirty_days(self, house: House, milestone: UUID, days: int, approvals: int) -> None:
        ask(house, milestone)
        house.later(days=days)

        assert needed(house, ask(house, milestone)) == approvals

    def test_are_added_up_with_a_later_one_when_the_earlier_grows(self, house: House, milestone: UUID) -> None:
        first = ask(house, milestone, 1)
        house.later(minutes=1)
        ask(house, milestone, HALF)
        house.later(minutes=1)

        amend(house, first, new_amount_minor=HALF)

        assert needed(house, first) == 2

    def test_are_added_up_as_they_were_asked_for_however_late_one_is_amended(
        self, house: House, milestone: UUID
    ) -> None:
        ask(house, milestone)
        house.later(minutes=1)
        second = ask(house, milestone)
        house.later(days=31)

        amend(house, second)

        assert needed(house, second) == 2

    def test_need_no_fewer_approvals_after_the_other_was_given_up(self, house: House, milestone: UUID) -> None:
        first, second = ask(house, milestone), ask(house, milestone)
        house.do(Cancel(command_id=key(), payout_id=first, reason="asked twice"), by=Role.FINANCE_OFFICER)

        amend(house, second)

        assert needed(house, second) == 2

    def test_are_added_up_in_one_currency_only(self, house: House, milestone: UUID) -> None:
        dollars = in_dollars(house)
        first, second = ask(house, dollars), ask(house, milestone)

        assert [needed(house, one) for one in (first, second, ask(house, dollars))] == [1, 1, 2]

    def test_count_no_longer_when_they_are_given_up(self, house: House, milestone: UUID) -> None:
        first = ask(house, milestone)
        house.do(Cancel(command_id=key(), payout_id=first, reason="asked twice"), by=Role.FINANCE_OFFICER)

        assert needed(house, ask(house, milestone)) == 1
