"""One word on several payouts: all of them, or none and every reason why (rule book 5.4)."""

from dataclasses import replace
from uuid import UUID

import pytest

from lifecycle.errors import Invalid, LifecycleError, NotFound, Refused
from lifecycle.payouts.together import MOST, Item, together
from models.db import transaction
from models.ids import new_id
from models.states import Role
from tests import paid as paying
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.payouts.test_adding_up import HALF, ask, in_dollars, milestone

__all__ = ["milestone"]
BOTH = 2 * pay.AMOUNT


def seen(house: House, *payouts: UUID) -> list[Item]:
    """Return payouts as a list shows them now."""
    rows = {row.id: row for row in house.rows("SELECT id, version, payload_hash FROM v_payout")}
    found = (rows[str(one)] for one in payouts)
    return [Item(id=UUID(row.id), version=row.version, payload_hash=row.payload_hash) for row in found]


def refused(house: House, items: list[Item], total_minor: int) -> LifecycleError:
    """Approve them together, which is refused, and return why."""
    with pytest.raises(LifecycleError) as caught, transaction(house.engine) as session:
        together(
            session, "approve", items, total_minor=total_minor, key=key(), stamp=house.stamp(str(Role.FUND_MANAGER))
        )
    assert house.one("SELECT count(*) FROM v_approval") == 0
    return caught.value


class TestOneWord:
    def test_is_given_on_all(self, house: House) -> None:
        items = seen(house, *pay.payouts(house, 2))

        with transaction(house.engine) as session:
            answers = together(
                session, "approve", items, total_minor=BOTH, key=key(), stamp=house.stamp(str(Role.FUND_MANAGER))
            )

        assert [answer.is_done for answer in answers] == [True, True]
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"approved"}

    def test_needs_the_total_that_leaves(self, house: House) -> None:
        error = refused(house, seen(house, *pay.payouts(house, 2)), BOTH - 1)

        assert isinstance(error, Refused)
        assert error.codes == ("total_differs",)

    def test_is_for_each_payout_once_and_for_at_most_two_hundred(self, house: House) -> None:
        (one,) = seen(house, *pay.payouts(house))
        many = [replace(one, id=new_id()) for _ in range(MOST + 1)]

        for items in ([], [one, one], many):
            error = refused(house, items, pay.AMOUNT)
            assert isinstance(error, Invalid)
            assert error.codes == ("items_wrong",)

    def test_on_what_is_not_there_says_nothing_of_the_others(self, house: House) -> None:
        (one,) = seen(house, *pay.payouts(house))

        assert isinstance(refused(house, [one, replace(one, id=new_id())], pay.AMOUNT), NotFound)

    def test_is_not_given_across_currencies(self, house: House, milestone: UUID) -> None:
        items = seen(house, ask(house, milestone), ask(house, in_dollars(house)))

        assert refused(house, items, 2 * HALF).codes == ("several_currencies",)

    def test_is_not_enough_where_two_people_approve(self, house: House, milestone: UUID) -> None:
        both = paying.asked(house, *(paying.request(house, milestone, HALF) for _ in range(2)))

        assert refused(house, seen(house, *both), 2 * HALF).codes == ("more_approvals_needed",)

    def test_does_not_stand_for_what_was_changed_since(self, house: House) -> None:
        first, second = seen(house, *pay.payouts(house, 2))

        assert refused(house, [replace(first, payload_hash="0" * 64), second], BOTH).codes == ("payload_changed",)
        assert refused(house, [replace(first, version=99), second], BOTH).codes == ("stale",)
