from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Unmet
from lifecycle.milestones.entitlement import (
    Cut,
    Figures,
    Retained,
    Settlement,
    cap_reasons,
    cut_of,
    entitlement_of,
    matching_reasons,
    outstanding_advance,
    release_reasons,
    retention_reasons,
    settlement_of,
    use_reasons,
)
from lifecycle.milestones.plan import tranche_amounts, with_cut
from lifecycle.standards import library
from notifications.words import LANGUAGES, explain_unmet

RULES = library.default().funds
BARE = library.bare().funds
AWARD = 200_000_000
"""2,000,000 yuan."""
amounts = st.integers(min_value=0, max_value=10**13)
rates = st.integers(min_value=0, max_value=10_000)


def figures(**changes: Any) -> Figures:
    base: dict[str, Any] = {"currency": "CNY", "award_minor": AWARD, "rate_basis_points": 7000}
    return Figures(**(base | changes))


def codes(reasons: tuple[Unmet, ...]) -> list[str]:
    return [one.code for one in reasons]


class TestCaps:
    """With everything released and enough cost behind it, one fen decides."""

    @pytest.mark.parametrize(
        ("changes", "most", "code"),
        [
            ({"is_last_gate_passed": True, "is_audit_accepted": True}, AWARD, "paid_over_award"),
            ({}, 170_000_000, "paid_over_cap_before_gate"),
            ({"is_last_gate_passed": True}, 180_000_000, "paid_over_cap_before_audit"),
            ({"cost_minor": 0}, 90_000_000, "advance_over_cap"),
            ({"cost_minor": 10_000_000}, 97_000_000, "advance_over_cap"),
            ({"released_minor": 80_000_000}, 80_000_000, "paid_over_released"),
        ],
    )
    def test_take_a_payout_at_the_cap_and_refuse_one_fen_more(
        self, changes: dict[str, Any], most: int, code: str
    ) -> None:
        asked = figures(**({"cost_minor": 3 * AWARD, "released_minor": 2 * AWARD, "paid_minor": 1_000} | changes))

        assert cap_reasons(most - 1_000, asked, RULES) == ()
        assert code in codes(cap_reasons(most - 999, asked, RULES))

    def test_are_compared_without_rounding(self) -> None:
        odd = figures(award_minor=101, released_minor=101, cost_minor=1_000)  # 85 % are 85.85

        assert cap_reasons(85, odd, RULES) == ()
        assert codes(cap_reasons(86, odd, RULES)) == ["paid_over_cap_before_gate"]

    def test_name_every_cap_that_is_passed_with_its_figures(self) -> None:
        found = cap_reasons(AWARD + 1, figures(), RULES)

        assert codes(found) == [
            "paid_over_award",
            "paid_over_released",
            "paid_over_cap_before_gate",
            "advance_over_cap",
            "paid_over_cap_before_audit",
        ]
        assert found[0].values == {
            "paid": "¥2,000,000.01",
            "limit": "¥2,000,000.00",
            "paid_minor": 200_000_001,
            "limit_minor": AWARD,
        }

    def test_of_a_rehearsal_are_the_award_and_what_is_released(self) -> None:
        assert cap_reasons(AWARD, figures(released_minor=AWARD), BARE) == ()
        assert codes(cap_reasons(AWARD + 1, figures(released_minor=AWARD), BARE))[:2] == [
            "paid_over_award",
            "paid_over_released",
        ]


class TestAdvance:
    @pytest.mark.parametrize(
        ("paid", "cost", "outstanding"),
        [(80, 0, 80), (80, 100, 10), (80, 101, 10), (80, 102, 9), (0, 10, -7)],
    )
    def test_is_what_no_cost_stands_for_rounded_up(self, paid: int, cost: int, outstanding: int) -> None:
        assert outstanding_advance(figures(paid_minor=paid, cost_minor=cost)) == outstanding


class TestMatching:
    def test_is_not_asked_while_there_is_no_cost(self) -> None:
        assert matching_reasons(figures()) == ()

    @pytest.mark.parametrize(("own", "found"), [(30, []), (29, ["own_money_behind"]), (0, ["own_money_behind"])])
    def test_asks_three_tenths_of_the_cost_at_a_rate_of_seven(self, own: int, found: list[str]) -> None:
        assert codes(matching_reasons(figures(cost_minor=100, own_minor=own))) == found

    def test_says_what_is_needed_rounded_up(self) -> None:
        (reason,) = matching_reasons(figures(cost_minor=101, own_minor=30))

        assert reason.values["needed_minor"] == 31

    def test_asks_nothing_of_a_full_grant(self) -> None:
        assert matching_reasons(figures(rate_basis_points=10_000, cost_minor=10**9)) == ()


class TestCut:
    @pytest.mark.parametrize(
        ("paid", "cost", "tranche", "cut"),
        [
            (80_000_000, 80_000_000, 60_000_000, Cut(payable_minor=60_000_000, moved_minor=0)),
            (80_000_000, 79_999_999, 60_000_000, Cut(payable_minor=59_999_999, moved_minor=1)),
            (80_000_000, 70_000_000, 60_000_000, Cut(payable_minor=53_000_000, moved_minor=7_000_000)),
            (80_000_000, 0, 56_000_000, Cut(payable_minor=0, moved_minor=56_000_000)),
            (80_000_000, 0, 30_000_000, Cut(payable_minor=0, moved_minor=30_000_000)),
            (0, 0, 80_000_000, Cut(payable_minor=80_000_000, moved_minor=0)),
        ],
    )
    def test_is_what_is_lacking_of_70_percent_used(self, paid: int, cost: int, tranche: int, cut: Cut) -> None:
        asked = figures(paid_minor=paid, cost_minor=cost)

        assert cut_of(tranche, asked, RULES) == cut
        assert codes(use_reasons(tranche, asked, RULES)) == ([] if cut.payable_minor else ["money_not_used"])

    def test_is_never_made_in_a_rehearsal(self) -> None:
        assert cut_of(5, figures(paid_minor=AWARD), BARE) == Cut(payable_minor=5, moved_minor=0)

    @given(amounts, amounts, amounts, rates)
    def test_loses_no_fen_of_the_tranche_and_leaves_enough_used(
        self, tranche: int, paid: int, cost: int, rate: int
    ) -> None:
        asked = figures(paid_minor=paid, cost_minor=cost, rate_basis_points=rate)
        cut = cut_of(tranche, asked, RULES)

        assert cut.payable_minor + cut.moved_minor == tranche
        assert min(cut.payable_minor, cut.moved_minor) >= 0
        if cut.payable_minor:
            assert (cut.moved_minor * 10_000) + rate * cost >= RULES.used_basis_points * paid


class TestStopped:
    def test_pays_no_tranche(self) -> None:
        assert codes(release_reasons(1, figures(released_minor=AWARD, is_stopped=True), RULES)) == [
            "stopped_pays_settlement_only"
        ]


def settled(entitled: int, paid: int, **changes: Any) -> Settlement:
    """The settlement on a cost that entitles to this amount."""
    cost = entitled * 10
    return settlement_of(
        figures(rate_basis_points=1000, cost_minor=cost, paid_minor=paid, **changes), retention_basis_points=500
    )


class TestSettlement:
    def test_of_the_rule_book_pays_10000_and_keeps_90000(self) -> None:
        assert settled(180_000_000, 170_000_000) == Settlement(
            entitlement_minor=180_000_000, acceptance_minor=1_000_000, retention_minor=9_000_000, recovery_minor=0
        )

    def test_of_the_rule_book_recovers_100000(self) -> None:
        assert settled(160_000_000, 170_000_000) == Settlement(
            entitlement_minor=160_000_000, acceptance_minor=0, retention_minor=0, recovery_minor=10_000_000
        )

    def test_keeps_back_only_what_is_left_between_95_percent_and_all(self) -> None:
        assert settled(175_000_000, 170_000_000) == Settlement(
            entitlement_minor=175_000_000, acceptance_minor=0, retention_minor=5_000_000, recovery_minor=0
        )

    def test_never_passes_the_award(self) -> None:
        assert settled(300_000_000, 170_000_000).entitlement_minor == AWARD

    def test_of_a_stopped_project_keeps_nothing_back(self) -> None:
        assert settled(100_000_000, 80_000_000, is_stopped=True) == Settlement(
            entitlement_minor=100_000_000, acceptance_minor=20_000_000, retention_minor=0, recovery_minor=0
        )

    def test_of_a_stopped_project_recovers_the_unused_advance(self) -> None:
        assert settled(0, 80_000_000, is_stopped=True).recovery_minor == 80_000_000

    def test_rounds_the_entitlement_down(self) -> None:
        assert entitlement_of(figures(cost_minor=101)) == 70

    @given(amounts, rates, amounts, amounts, rates, st.booleans())
    def test_comes_to_the_entitlement_to_the_last_fen(
        self, award: int, rate: int, cost: int, paid: int, retention: int, stopped: bool
    ) -> None:
        asked = figures(award_minor=award, rate_basis_points=rate, cost_minor=cost, paid_minor=paid, is_stopped=stopped)
        made = settlement_of(asked, retention_basis_points=retention)
        to_come = made.acceptance_minor + made.retention_minor

        assert to_come - made.recovery_minor == made.entitlement_minor - paid
        assert min(made.acceptance_minor, made.retention_minor, made.recovery_minor) >= 0
        assert not (to_come and made.recovery_minor)
        assert made.entitlement_minor <= award
        assert made.entitlement_minor * 10_000 <= rate * cost


class TestRetention:
    OVER = Retained(
        accepted_on=date(2025, 3, 31), today=date(2026, 3, 31), noticed_on=date(2026, 3, 23), open_matters=0
    )

    def test_is_released_after_its_months_and_its_notice(self) -> None:
        assert retention_reasons(self.OVER, RULES) == ()

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"today": date(2026, 3, 30), "noticed_on": date(2026, 1, 1)}, "retention_running"),
            ({"noticed_on": None}, "retention_notice_missing"),
            ({"noticed_on": date(2026, 3, 24)}, "retention_notice_running"),
            ({"open_matters": 1}, "retention_open_matters"),
        ],
    )
    def test_waits(self, changes: dict[str, Any], code: str) -> None:
        assert codes(retention_reasons(replace(self.OVER, **changes), RULES)) == [code]

    def test_of_a_rehearsal_waits_for_open_matters_alone(self) -> None:
        today = date(2026, 3, 31)
        asked = Retained(accepted_on=today, today=today, noticed_on=None, open_matters=2)

        assert codes(retention_reasons(asked, BARE)) == ["retention_open_matters"]


class TestWholeLife:
    @given(
        st.integers(min_value=20, max_value=10**13),
        st.lists(st.integers(min_value=0, max_value=10**13), min_size=3, max_size=3),
        st.lists(st.booleans(), min_size=3, max_size=3),
    )
    def test_never_pays_beyond_award_caps_or_released_tranches_and_ends_at_the_entitlement(
        self, award: int, spent: list[int], pays_own: list[bool]
    ) -> None:
        """T1, T2, T3 with any cost in between, each paid as far as the rules let it; then the settlement."""
        plan = tranche_amounts(award, RULES.tranches)
        now = figures(award_minor=award)
        for place, (cost, own) in enumerate(zip(spent, pays_own, strict=True)):
            cut = cut_of(plan[place], now, RULES) if place else Cut(payable_minor=plan[0], moved_minor=0)
            plan = with_cut(plan, place, cut.moved_minor)
            asked = replace(now, released_minor=sum(plan[: place + 1]))
            if not release_reasons(cut.payable_minor, asked, RULES):
                now = replace(asked, paid_minor=now.paid_minor + cut.payable_minor)
            assert sum(plan) == award
            assert now.paid_minor * 10_000 <= 8_500 * award
            assert now.paid_minor <= now.released_minor
            assert outstanding_advance(now) * 10_000 <= 4_500 * award + 10_000
            now = replace(now, cost_minor=now.cost_minor + cost, own_minor=now.own_minor + (cost if own else 0))

        made = settlement_of(now, retention_basis_points=500)

        paid = now.paid_minor + made.acceptance_minor + made.retention_minor - made.recovery_minor
        assert paid == made.entitlement_minor <= award


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sentence_gets_the_figures_it_names(lang: Any) -> None:
    late = date(2026, 1, 1)
    said = (
        *release_reasons(AWARD + 1, figures(is_stopped=True, cost_minor=7), RULES),
        *use_reasons(5, figures(paid_minor=AWARD), RULES),
        *retention_reasons(Retained(accepted_on=late, today=late, noticed_on=late, open_matters=1), RULES),
        *retention_reasons(Retained(accepted_on=late, today=late, noticed_on=None, open_matters=1), RULES),
    )

    words = [explain_unmet(one, lang).what for one in said]

    assert len(words) == 14
    assert [what for one, what in zip(said, words, strict=True) if "[" in what or what == one.code] == []
