from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Refused, Unmet
from lifecycle.payouts.tiers import (
    Approver,
    Demand,
    Earlier,
    approval_reasons,
    approvals_needed,
    is_complete,
    limit_reasons,
)
from lifecycle.standards import library
from lifecycle.standards.funds import Tier
from models.states import Role
from notifications.words import LANGUAGES, Lang, explain_unmet

RULES = library.default().funds
DAY = date(2025, 11, 20)
MANAGER, DIRECTOR = Role.FUND_MANAGER, Role.FUND_DIRECTOR
SMALL, MIDDLE, LARGE = 30_000_000, 50_000_000, 200_000_001


def demand(amount: int, *earlier: tuple[int, int]) -> Demand:
    """The demand for an amount after payouts of so many days ago and so much."""
    before = [Earlier(requested_on=DAY - timedelta(days=ago), amount_minor=minor) for ago, minor in earlier]
    return approvals_needed(amount, currency="CNY", requested_on=DAY, earlier=before, rules=RULES)


def by(person: str, role: Role = MANAGER, typed: int | None = None) -> Approver:
    return Approver(person=person, role=role, typed_minor=typed)


def codes(reasons: tuple[Unmet, ...]) -> list[str]:
    return [one.code for one in reasons]


class TestApprovalsNeeded:
    @pytest.mark.parametrize(
        ("amount", "needed", "minute"),
        [
            (1, 1, False),
            (30_000_000, 1, False),
            (30_000_001, 2, False),
            (200_000_000, 2, False),
            (200_000_001, 3, True),
            (10**13, 3, True),
        ],
    )
    def test_rise_with_the_amount(self, amount: int, needed: int, minute: bool) -> None:
        asked = demand(amount)

        assert (asked.needed, asked.needs_minute, asked.needs_director) == (needed, minute, needed == 3)

    @pytest.mark.parametrize(("ago", "needed"), [(0, 2), (30, 2), (31, 1)])
    def test_add_up_what_the_payee_got_in_30_days(self, ago: int, needed: int) -> None:
        assert demand(1, (ago, 30_000_000)).needed == needed

    @given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10**9)), max_size=6), st.integers(1, 10**9))
    def test_are_no_fewer_for_parts_than_for_the_whole(self, earlier: list[tuple[int, int]], amount: int) -> None:
        whole = demand(amount + sum(minor for _, minor in earlier))

        assert demand(amount, *earlier).needed == whole.needed

    @pytest.mark.parametrize(
        "tiers", [(), RULES.tiers[:2], (Tier(needed=2), Tier(needed=1)), (Tier(needed=1), RULES.tiers[0])]
    )
    def test_cannot_be_read_from_a_matrix_with_a_gap(self, tiers: tuple[Tier, ...]) -> None:
        broken = RULES.model_copy(update={"tiers": tiers})

        with pytest.raises(Refused, match="tiers_unreadable"):
            approvals_needed(1, currency="CNY", requested_on=DAY, earlier=(), rules=broken)

    def test_cannot_be_read_in_another_currency(self) -> None:
        with pytest.raises(Refused, match="tiers_unreadable"):
            approvals_needed(1, currency="JPY", requested_on=DAY, earlier=(), rules=RULES)


class TestWhoCounts:
    @pytest.mark.parametrize(
        ("amount", "given", "candidate", "found"),
        [
            (SMALL, [], by("chen"), []),
            (SMALL, [], by("zhou", DIRECTOR), ["role"]),
            (SMALL, [], by("admin", Role.ADMIN), ["role"]),
            (MIDDLE, [by("chen")], by("li", typed=MIDDLE), []),
            (MIDDLE, [by("chen")], by("zhou", DIRECTOR, MIDDLE), []),
            (MIDDLE, [by("chen")], by("chen", DIRECTOR, MIDDLE), ["four_eyes"]),
            (MIDDLE, [by("chen")], by("li", typed=MIDDLE + 1), ["amount_not_typed_again"]),
            (MIDDLE, [by("chen")], by("li"), ["amount_not_typed_again"]),
            (MIDDLE, [by("chen")], by("chen"), ["four_eyes", "amount_not_typed_again"]),
            (MIDDLE, [by("chen")], by("wu", Role.CERTIFIER, MIDDLE), ["role"]),
            (LARGE, [by("chen"), by("li")], by("zhou", DIRECTOR, LARGE), []),
            (LARGE, [by("chen"), by("li")], by("wang", MANAGER, LARGE), ["role"]),
            (LARGE, [by("chen"), by("zhou", DIRECTOR)], by("wang", MANAGER, LARGE), []),
            (LARGE, [by("chen"), by("zhou", DIRECTOR)], by("zhou", MANAGER, LARGE), ["four_eyes"]),
        ],
    )
    def test_is_a_distinct_person_in_a_role_that_is_asked(
        self, amount: int, given: list[Approver], candidate: Approver, found: list[str]
    ) -> None:
        assert codes(approval_reasons(demand(amount), given=given, candidate=candidate, has_minute=True)) == found

    def test_waits_for_the_minute_of_a_large_payout(self) -> None:
        assert codes(approval_reasons(demand(LARGE), given=[], candidate=by("chen"), has_minute=False)) == [
            "committee_minute_missing"
        ]


class TestIsComplete:
    @pytest.mark.parametrize(
        ("amount", "given", "complete"),
        [
            (SMALL, [], False),
            (SMALL, [by("chen")], True),
            (SMALL, [by("zhou", DIRECTOR)], False),
            (MIDDLE, [by("chen"), by("chen")], False),
            (MIDDLE, [by("chen"), by("li")], True),
            (LARGE, [by("chen"), by("li"), by("wang")], False),
            (LARGE, [by("chen"), by("li"), by("zhou", DIRECTOR)], True),
            (LARGE, [by("chen"), by("zhou", DIRECTOR), by("zhou", MANAGER)], False),
        ],
    )
    def test_counts_people_and_not_rows(self, amount: int, given: list[Approver], complete: bool) -> None:
        assert is_complete(demand(amount), given) is complete

    @given(
        st.sampled_from([SMALL, MIDDLE, LARGE]),
        st.lists(st.builds(by, st.sampled_from("abcd"), st.sampled_from([MANAGER, DIRECTOR, Role.PAYER])), max_size=8),
    )
    def test_never_lets_fewer_people_than_needed_do(self, amount: int, given: list[Approver]) -> None:
        asked = demand(amount)

        if is_complete(asked, given):
            people = {one.person for one in given if one.role is not Role.PAYER}
            assert len(people) >= asked.needed
            assert any(one.role is MANAGER for one in given)
            assert not asked.needs_director or any(one.role is DIRECTOR for one in given)


class TestLimits:
    @pytest.mark.parametrize(
        ("role", "person", "found"),
        [
            (MIDDLE, MIDDLE, []),
            (MIDDLE - 1, 10**13, ["over_approval_limit"]),
            (10**13, MIDDLE - 1, ["over_approval_limit"]),
            (None, 10**13, ["approval_limit_unreadable"]),
            (10**13, None, ["approval_limit_unreadable"]),
            (None, None, ["approval_limit_unreadable"]),
            (0, 10**13, ["over_approval_limit"]),
        ],
    )
    def test_let_the_lower_win_and_refuse_what_is_missing(
        self, role: int | None, person: int | None, found: list[str]
    ) -> None:
        assert codes(limit_reasons(demand(MIDDLE), role_limit_minor=role, person_limit_minor=person)) == found

    def test_are_compared_with_what_is_added_up(self) -> None:
        split = demand(20_000_000, (3, 20_000_000))

        (reason,) = limit_reasons(split, role_limit_minor=30_000_000, person_limit_minor=10**13)

        assert reason.values == {
            "total": "¥400,000.00",
            "limit": "¥300,000.00",
            "total_minor": 40_000_000,
            "limit_minor": 30_000_000,
        }

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_are_told_with_their_figures(self, lang: Lang) -> None:
        said = (
            *limit_reasons(demand(MIDDLE), role_limit_minor=1, person_limit_minor=1),
            *approval_reasons(demand(LARGE), given=[by("chen")], candidate=by("li"), has_minute=False),
        )

        words = [explain_unmet(one, lang).what for one in said]

        assert len(words) == 3
        assert [what for one, what in zip(said, words, strict=True) if "[" in what or what == one.code] == []

    def test_are_met_at_the_limit(self) -> None:
        at_limit = replace(demand(MIDDLE), total_minor=MIDDLE)

        assert limit_reasons(at_limit, role_limit_minor=MIDDLE, person_limit_minor=MIDDLE) == ()
