"""Who of the demonstration can be tried with one click: every act that needs two people, and every wide role."""

from lifecycle.demo.people import CHAIRS, ELSEWHERE, EXPERTS, FUND, PLATFORMS
from lifecycle.people.queries import PERSONAS
from models.states import Role


class TestThePeopleWhoAreOffered:
    def test_fill_a_whole_panel_with_its_chair(self) -> None:
        assert [one for one in PERSONAS if one in CHAIRS] == ["fang"]
        assert len({login for login, _, _ in EXPERTS} & set(PERSONAS)) == 5

    def test_can_give_two_words_on_a_payout(self) -> None:
        plain = [login for login, _, roles in FUND if roles == (Role.FUND_MANAGER,)]

        assert set(plain) <= set(PERSONAS)
        assert len(plain) == 2

    def test_include_the_technical_manager_of_their_platform(self) -> None:
        crew = PLATFORMS["hardware"].people

        assert {crew[Role.TECHNICAL_MANAGER][0], crew[Role.COORDINATOR][0]} <= set(PERSONAS)

    def test_hold_wide_roles_everywhere_and_not_at_one_organisation(self) -> None:
        wide = [(login, at) for login, _, role, at in ELSEWHERE if role in (Role.OPERATOR, Role.AUDITOR)]

        assert sorted(wide) == [("operator", ""), ("qin", "")]
