"""A changed account is paid to only when its firm has had time to notice (F16)."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount, RetireAccount
from models.states import Role
from tests import factories as make
from tests import paying
from tests import payments as pay
from tests.factories import House, key

TODAY, CHANGED = date(2025, 7, 8), date(2025, 7, 15)
"""A Tuesday, and the day five working days later."""


def propose(house: House, *numbers: str) -> list[UUID]:
    """Enter accounts of a firm that has an agreement."""
    if not house.rows("SELECT 1 FROM v_agreement"):
        make.agreements(house)
    named: list[dict[str, Any]] = [{**pay.ACCOUNT, "account_number": number} for number in numbers]
    made = [ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **one) for one in named]
    return make.ids_of(house.do(*made, by=Role.FINANCE_OFFICER))


def confirm(house: House, *accounts: UUID) -> None:
    made = [ConfirmAccount(command_id=key(), payee_account_id=one, called="021-5555 0101") for one in accounts]
    house.do(*made, by=Role.ACCOUNTANT)


def usable_on(house: House, account: UUID) -> date:
    return date.fromisoformat(str(house.one("SELECT usable_on FROM payee_account WHERE id = :id", id=str(account))))


class TestAnAccount:
    def test_that_is_the_first_of_its_firm_is_usable_at_once(self, house: House) -> None:
        (first,) = propose(house, "1111")
        confirm(house, first)

        assert usable_on(house, first) == TODAY

    def test_confirmed_beside_another_in_one_call_waits(self, house: House) -> None:
        first, second = propose(house, "1111", "2222")
        confirm(house, first, second)

        assert [usable_on(house, one) for one in (first, second)] == [TODAY, CHANGED]

    def test_that_takes_the_place_of_a_retired_one_waits(self, house: House) -> None:
        (first,) = propose(house, "1111")
        confirm(house, first)
        house.do(RetireAccount(command_id=key(), payee_account_id=first, reason="closed"), by=Role.ACCOUNTANT)
        (second,) = propose(house, "2222")
        confirm(house, second)

        assert usable_on(house, second) == CHANGED


@pytest.mark.parametrize(("pack", "day"), [("funded", 7), ("strict", 14)])
def test_waits_as_long_as_the_standard_of_the_project_asks(house: House, pack: str, day: int) -> None:
    (milestone,) = pay.accepted(house, pack=pack)
    pay.payee(house)
    (changed,) = propose(house, "2222")
    confirm(house, changed)
    command = pay.request(house, milestone, payee_account_id=changed)
    (payout,) = make.ids_of(house.do(command, by=Role.FINANCE_OFFICER))

    house.later(days=day - 1)
    assert "payee_cooling_off" in reasons(house, payout)
    house.later(days=1)
    assert "payee_cooling_off" not in reasons(house, payout)


def reasons(house: House, payout: UUID) -> set[str]:
    (answer,) = house.ask(paying.approve(payout), by=Role.FUND_MANAGER)
    return {one.code for one in answer.unmet}
