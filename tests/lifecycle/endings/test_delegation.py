"""Somebody stands in for the fund manager: with the manager's role, limit and name, and for a time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.funds.commands import SetTiers, Tier
from lifecycle.payouts.commands import Approve, Certify, Instruct, Release, SendBack
from lifecycle.people.commands import Delegate, DisableUser, EndDelegation, GrantRole, RevokeRole
from models.ids import new_id
from models.money import MAX_MINOR
from models.states import Role
from tests import factories as make
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.recipes import add_user

MANAGER = Role.FUND_MANAGER


@pytest.fixture
def deputy(house: House) -> str:
    """A person without any role, to whom the manager has delegated theirs for two weeks."""
    lend(house, "nobody")
    return "nobody"


def lend(house: House, name: str, role: Role = MANAGER, **days: Any) -> UUID:
    said: dict[str, Any] = {
        "from_on": house.today,
        "until_on": house.today + timedelta(days=14),
        "reason": "on leave",
        **days,
    }
    command = Delegate(
        command_id=key(),
        user_id=house.people[name].user_id,
        role=role,
        organisation_id=house.parties["funder"],
        **said,
    )
    return UUID(house.do(command, by=role)[0]["delegation_id"])


def approval(house: House, payout: UUID, absent: str | None = MANAGER) -> Approve:
    behalf = house.people[absent].user_id if absent is not None else None
    return Approve(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT, on_behalf_of=behalf)


def codes(house: House, command: Any, by: str) -> list[str]:
    (answer,) = house.ask(command, by=by)
    return [reason.code for reason in answer.unmet]


class TestWhoStandsIn:
    def test_approves_in_the_name_of_the_absent_and_both_names_are_kept(self, house: House, deputy: str) -> None:
        (payout,) = pay.payouts(house)

        house.do(approval(house, payout), by=deputy)

        (word,) = house.rows("SELECT approver_id, on_behalf_of_id, role FROM approval")
        assert UUID(str(word.approver_id)) == house.people[deputy].user_id
        assert UUID(str(word.on_behalf_of_id)) == house.people[MANAGER].user_id
        assert word.role == MANAGER
        pay.instruct(house, payout)
        assert house.one("SELECT state FROM payout") == "instructed"

    def test_has_no_right_without_saying_for_whom(self, house: House, deputy: str) -> None:
        (payout,) = pay.payouts(house)

        assert codes(house, approval(house, payout, None), deputy) == ["not_found"]

    def test_has_no_right_in_the_name_of_another(self, house: House, deputy: str) -> None:
        (payout,) = pay.payouts(house)

        assert codes(house, approval(house, payout, Role.FUND_DIRECTOR), deputy) == ["not_found"]
        assert codes(house, approval(house, payout), Role.FUND_DIRECTOR) == ["delegation_not_in_force"]

    @pytest.mark.parametrize("days", [-1, 15])
    def test_has_no_right_before_the_first_and_after_the_last_day(self, house: House, days: int) -> None:
        (payout,) = pay.payouts(house)
        lend(house, "nobody", from_on=house.today + timedelta(days=1)) if days < 0 else lend(house, "nobody")
        house.later(days=max(0, days))

        assert codes(house, approval(house, payout), "nobody") == ["not_found"]

    def test_counts_with_the_absent_as_one_person(self, house: House, deputy: str) -> None:
        (payout,) = pay.payouts(house, amount_minor=35_000_000)
        house.do(Approve(command_id=key(), payout_id=payout, amount_minor=35_000_000), by=MANAGER)
        again = Approve(
            command_id=key(),
            payout_id=payout,
            amount_minor=35_000_000,
            on_behalf_of=house.people[MANAGER].user_id,
        )

        assert codes(house, again, deputy) == ["already_decided"]

    def test_gives_one_of_three_approvals_and_not_two(self, house: House, deputy: str) -> None:
        (payout,) = pay.payouts(house)
        tiers = (Tier(up_to_minor=MAX_MINOR, approvers_needed=3),)
        fund = pay.payer_of(house, payout)
        house.do(SetTiers(command_id=key(), fund_id=fund, tiers=tiers, reason="three look"), by=Role.SPONSOR)
        house.do(SendBack(command_id=key(), payout_id=payout, reason="counted anew"), by=Role.FUND_DIRECTOR)
        house.do(approval(house, payout), by=deputy)

        house.do(approval(house, payout, None), by=Role.FUND_DIRECTOR)

        assert house.one("SELECT state FROM v_payout") == "requested"
        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'reserved'") == 0

    @pytest.mark.parametrize("ending", ["ended", "over", "role lost", "disabled"])
    def test_has_said_nothing_at_the_last_gate_once_the_delegation_is_over(self, house: House, ending: str) -> None:
        lent = lend(house, "nobody")
        (payout,) = pay.payouts(house)
        house.do(approval(house, payout), by="nobody")

        match ending:
            case "ended":
                user = house.people["nobody"].user_id
                house.do(EndDelegation(command_id=key(), user_id=user, delegation_id=lent), by=MANAGER)
            case "over":
                house.later(days=15)
            case "disabled":
                house.do(DisableUser(command_id=key(), user_id=house.people["nobody"].user_id), by=Role.ADMIN)
            case _:
                manager = house.people[MANAGER].user_id
                grant = house.one("SELECT id FROM role_grant WHERE user_id = :u", u=str(manager))
                house.do(RevokeRole(command_id=key(), user_id=manager, grant_id=UUID(str(grant))), by=Role.ADMIN)

        said = codes(house, Instruct(command_id=key(), payout_id=payout, batch_id=new_id()), "clock")
        assert said == ["approvals_missing"]


class TestWhoCertifiesOrReleasesForAnother:
    def test_lets_the_money_go_in_the_name_of_the_absent(self, house: House) -> None:
        lend(house, "nobody", Role.CERTIFIER)
        deputy = _deputy(house, Role.PAYER)
        (payout,) = pay.payouts(house, pack="strict")
        certifier, payer = (house.people[role].user_id for role in (Role.CERTIFIER, Role.PAYER))

        house.do(
            Certify(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT, on_behalf_of=certifier), by="nobody"
        )
        pay.approve(house, payout)
        house.do(Release(command_id=key(), payout_id=payout, on_behalf_of=payer), by=deputy)

        names = house.rows(
            "SELECT approver_id, on_behalf_of_id FROM v_approval WHERE decision <> 'approve' ORDER BY seq"
        )
        assert [(UUID(row.approver_id), UUID(row.on_behalf_of_id)) for row in names] == [
            (house.people["nobody"].user_id, certifier),
            (house.people[deputy].user_id, payer),
        ]
        assert codes(house, Instruct(command_id=key(), payout_id=payout, batch_id=new_id()), "clock") == []

    def test_does_nothing_else_on_the_same_payout(self, house: House) -> None:
        """Who certified for the absent does not release for another, nor does the absent one."""
        lend(house, "nobody", Role.CERTIFIER)
        (payout,) = pay.payouts(house, pack="strict")
        certifier = house.people[Role.CERTIFIER]
        word = Certify(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT, on_behalf_of=certifier.user_id)
        house.do(word, by="nobody")
        pay.approve(house, payout)
        for user in (house.people["nobody"].user_id, certifier.user_id):
            grant: dict[str, Any] = {"role": Role.PAYER, "organisation_id": house.parties["funder"]}
            house.do(GrantRole(command_id=key(), user_id=user, **grant), by=Role.ADMIN)

        for by in ("nobody", Role.CERTIFIER):
            assert codes(house, Release(command_id=key(), payout_id=payout), by) == ["four_eyes"]

    def test_has_no_right_once_it_is_over(self, house: House) -> None:
        lend(house, "nobody", Role.PAYER)
        (payout,) = pay.payouts(house, pack="strict")
        pay.certify(house, payout)
        pay.approve(house, payout)
        payer = house.people[Role.PAYER].user_id
        house.later(days=15)

        said = codes(house, Release(command_id=key(), payout_id=payout, on_behalf_of=payer), "nobody")

        assert said == ["not_found"]


def _deputy(house: House, role: Role) -> str:
    """Return a new person without any role, to whom the holder of this one has delegated it."""
    add = add_user(house, 1)
    (user,) = make.ids_of(house.do(*add))
    house.people["deputy"] = replace(house.people["nobody"], user_id=user, person_id=user, name="deputy")
    lend(house, "deputy", role)
    return "deputy"


class TestADelegation:
    @pytest.mark.parametrize("role", [Role.CERTIFIER, Role.PAYER, Role.ACCOUNTANT])
    def test_is_not_given_to_who_has_another_duty_at_the_funder(self, house: House, role: Role) -> None:
        (user,) = make.ids_of(house.do(*_added(house)))
        grant: dict[str, Any] = {"role": role, "organisation_id": house.parties["funder"]}
        house.do(GrantRole(command_id=key(), user_id=user, **grant), by=Role.ADMIN)

        assert codes(house, _lent(house, user), MANAGER) == ["delegate_excluded"]

    def test_is_not_given_to_people_of_a_firm(self, house: House) -> None:
        assert codes(house, _lent(house, house.people[Role.PROJECT_LEAD].user_id), MANAGER) == ["delegate_excluded"]

    def test_cannot_be_passed_on(self, house: House, deputy: str) -> None:
        (user,) = make.ids_of(house.do(*_added(house)))

        assert codes(house, _lent(house, user), deputy) == ["role"]


def _added(house: House) -> Any:
    return add_user(house, 1)


def _lent(house: House, user: UUID) -> Delegate:
    return Delegate(
        command_id=key(),
        user_id=user,
        role=MANAGER,
        organisation_id=house.parties["funder"],
        from_on=house.today,
        until_on=house.today,
        reason="on leave",
    )
