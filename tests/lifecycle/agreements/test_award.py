"""The tranches sum to the award (F1), whatever is supplemented or waived, one after the other or in one batch."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle.agreements.commands import CloseAgreement, SupplementAgreement, VerifyCost
from lifecycle.agreements.terms import TrancheChange, redistributed
from lifecycle.commands import Command
from lifecycle.milestones.commands import AcceptMilestone, WaiveMilestone
from lifecycle.milestones.figures import figures_of
from models.db import make_engine, reading
from models.states import ProjectState, Role
from tests.conftest import copied
from tests.factories import House, agreements, draft, ids_of, key, projects, reported, stated, tranches

CODES = ("T1", "T2", "T3", "T4", "R")


@pytest.fixture(scope="module")
def funded_house(
    sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    path, template = sqlite_house_template
    file = tmp_path_factory.mktemp("award") / "house.db"
    shutil.copyfile(path, file)
    engine = make_engine(str(file))
    yield copied(template, engine)
    engine.dispose()


AMOUNTS = st.integers(1, 120_000_000)
STEPS = st.one_of(
    st.tuples(st.just("waive"), st.integers(1, 5)),
    st.tuples(st.just("award"), AMOUNTS),
    st.tuples(st.just("tranche"), st.tuples(st.sampled_from(CODES), AMOUNTS)),
    st.tuples(st.just("both"), st.tuples(AMOUNTS, st.sampled_from(CODES), AMOUNTS)),
)


def command_of(house: House, agreement: UUID, step: tuple[str, object]) -> Command:
    kind, said = step
    if kind == "waive":
        assert isinstance(said, int)
        return WaiveMilestone(
            command_id=key(), milestone_id=tranches(house, agreement, number=said)[0], reason="not needed"
        )
    parts = said if isinstance(said, tuple) else (said,)
    amount = next((int(one) for one in parts if isinstance(one, int)), None) if kind != "tranche" else None
    code = next((one for one in parts if isinstance(one, str)), None)
    change = (TrancheChange(code=code, amount_minor=int(parts[-1])),) if code else ()
    return SupplementAgreement(
        command_id=key(), agreement_id=agreement, reason="changed", amount_minor=amount, tranches=change
    )


def sums(house: House) -> list[tuple[int, int]]:
    sql = (
        "SELECT g.amount_minor, SUM(m.amount_minor) FROM v_agreement g JOIN v_milestone m ON m.agreement_id = g.id"
        " WHERE m.state <> 'waived' GROUP BY g.id, g.amount_minor"
    )
    return [(row[0], row[1]) for row in house.rows(sql)]


class TestAward:
    @given(steps=st.lists(STEPS, min_size=1, max_size=6), at_once=st.booleans())
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_is_the_sum_of_its_tranches_after_any_changes(
        self, funded_house: House, steps: list[tuple[str, object]], *, at_once: bool
    ) -> None:
        (one,) = agreements(funded_house, amount_minor=100_000_001)
        commands = [command_of(funded_house, one, step) for step in steps]

        for batch in [commands] if at_once else [[command] for command in commands]:
            funded_house.ask(*batch, by=Role.SPONSOR)

        assert all(award == total for award, total in sums(funded_house))

    def test_loses_both_tranches_that_are_waived_in_one_batch(self, house: House) -> None:
        (one,) = agreements(house)
        waived = [command_of(house, one, ("waive", number)) for number in (2, 3)]

        answers = house.ask(*waived, by=Role.SPONSOR)

        assert all(answer.is_done for answer in answers)
        assert sums(house) == [(55_000_000, 55_000_000)]

    def test_of_two_agreements_of_one_fund_is_raised_within_it_though_both_ask_at_once(self, house: House) -> None:
        (one,) = agreements(house, amount_minor=1_000_000_000, own_money_minor=500_000_000)
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        (project,) = projects(house, pack="funded", stage=ProjectState.FEASIBILITY)
        (other,) = ids_of(house.do(draft(house, fund, project), by=Role.SPONSOR))
        more = [
            SupplementAgreement(command_id=key(), agreement_id=agreement, reason="more", amount_minor=amount)
            for agreement, amount in ((one, 1_900_000_000), (other, 100_000_001))
        ]

        answers = house.ask(*more, by=Role.SPONSOR)

        assert [answer.is_done for answer in answers] == [True, False]
        assert [reason.code for reason in answers[1].unmet] == ["fund_over_committed"]


class TestADraft:
    def test_is_given_up_by_a_manager(self, each_house: House) -> None:
        (one,) = agreements(each_house, is_signed=False)

        each_house.do(CloseAgreement(command_id=key(), agreement_id=one, reason="typed wrong"), by=Role.FUND_MANAGER)

        assert each_house.one("SELECT status FROM v_agreement") == "closed"


class TestRedistributed:
    @given(
        rest=st.integers(0, 10**13),
        shares=st.dictionaries(st.sampled_from(CODES), st.integers(1, 9_000), min_size=1),
        given=st.dictionaries(st.sampled_from(CODES), st.integers(-5, 10**13)),
    )
    def test_sums_to_the_rest_or_is_nothing(self, rest: int, shares: dict[str, int], given: dict[str, int]) -> None:
        found = redistributed(rest, shares, given)
        if found is not None:
            assert sum(found.values()) == rest
            assert min(found.values()) >= 1
            assert all(found[code] == amount for code, amount in given.items())

    def test_gives_the_last_one_what_rounding_leaves(self) -> None:
        assert redistributed(100, {"T1": 1, "T2": 1, "R": 1}, {}) == {"T1": 33, "T2": 33, "R": 34}


class TestFigures:
    def test_hold_what_the_fund_rules_ask_for(self, each_house: House) -> None:
        house = each_house
        (one,) = agreements(house)
        (cost,) = stated(house, one)
        verified = VerifyCost(
            command_id=key(), cost_id=cost, accepted_minor=70_000_000, accepted_own_minor=21_000_000, reason="cut"
        )
        house.do(verified, by=Role.CERTIFIER)
        (first,) = reported(house, one)
        house.do(AcceptMilestone(command_id=key(), milestone_id=first, reason="seen"), by=Role.COORDINATOR)

        with reading(house.engine) as session:
            figures = figures_of(session, [one])[one]

        assert (figures.award_minor, figures.rate_basis_points) == (100_000_000, 10_000)
        assert (figures.cost_minor, figures.own_minor) == (70_000_000, 21_000_000)
        assert (figures.released_minor, figures.paid_minor) == (40_000_000, 0)
        assert not figures.is_last_gate_passed
