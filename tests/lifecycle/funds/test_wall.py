from uuid import UUID

import pytest

from lifecycle.funds.wall import Tie, walled_off, walls_of
from lifecycle.people.commands import GrantRole, TieOrganisations
from models.db import reading
from models.states import Role
from tests.factories import House, funds, key, sources
from tests.models.test_plans import sent

FUND, FIRM, INVESTOR, SISTER, STRANGER = (UUID(int=place) for place in range(1, 6))


def tie(one: UUID, other: UUID) -> Tie:
    return Tie(one=one, other=other)


class TestWall:
    @pytest.mark.parametrize("ties", [(tie(INVESTOR, FIRM),), (tie(FIRM, INVESTOR),)])
    def test_stands_between_an_investor_and_the_firm_it_is_tied_to_either_way_round(self, ties: tuple[Tie]) -> None:
        assert walled_off({INVESTOR}, FIRM, ties) == {INVESTOR}

    def test_takes_in_who_is_tied_to_the_investor(self) -> None:
        ties = (tie(INVESTOR, FIRM), tie(SISTER, INVESTOR))
        assert walled_off({INVESTOR}, FIRM, ties) == {INVESTOR, SISTER}

    def test_stands_where_only_a_sister_of_the_investor_owns_the_firm(self) -> None:
        ties = (tie(SISTER, FIRM), tie(SISTER, INVESTOR))
        assert walled_off({INVESTOR}, FIRM, ties) == {INVESTOR, SISTER}

    def test_is_none_without_a_tie_to_the_firm(self) -> None:
        assert walled_off({INVESTOR}, FIRM, (tie(INVESTOR, SISTER), tie(FIRM, STRANGER))) == frozenset()

    def test_is_none_for_an_owner_who_does_not_invest(self) -> None:
        assert walled_off({INVESTOR}, FIRM, (tie(STRANGER, FIRM),)) == frozenset()


class TestPeople:
    def test_of_the_investor_are_named_by_the_human_not_by_the_account(self, house: House) -> None:
        (fund,) = funds(house)
        sources(house, fund)
        firm, investor = house.parties["sme"], house.parties["other firm"]
        manager = house.people[Role.FUND_MANAGER]
        house.do(
            TieOrganisations(command_id=key(), organisation_id=firm, other_id=investor, is_common_control=True),
            GrantRole(command_id=key(), user_id=manager.user_id, role=Role.LAB_LEAD, organisation_id=investor),
            by=Role.ADMIN,
        )

        with reading(house.engine) as session:
            wall = walls_of(session, [(fund, firm)])

        assert wall[fund, firm] == {manager.person_id, house.people["stranger"].person_id}


class TestTies:
    def test_of_who_is_tied_to_an_investor_count_though_no_firm_is_asked_for(self, house: House) -> None:
        (fund,) = funds(house)
        sources(house, fund)
        firm, investor, sister = (house.parties[name] for name in ("sme", "other firm", "other platform"))
        house.do(
            TieOrganisations(command_id=key(), organisation_id=sister, other_id=investor, share_basis_points=6_000),
            TieOrganisations(command_id=key(), organisation_id=firm, other_id=sister, share_basis_points=2_000),
            by=Role.ADMIN,
        )

        with sent(house.engine) as seen, reading(house.engine) as session:
            found = walls_of(session, [(fund, firm), *((fund, UUID(int=place)) for place in range(40_000))])

        assert found[fund, firm] == {house.people[name].person_id for name in ("stranger", "other coordinator")}
        assert {one for side, one in found.items() if side[1] != firm} == {frozenset()}
        assert max(len(values) for values in seen.values()) < len("a handful")
