"""Tranches between their release and their payment: cut by unused money, kept back as a retention."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from lifecycle.endings.settlement import Tranche, plan_of
from lifecycle.funds.queries import positions
from lifecycle.milestones.commands import AcceptMilestone, AnnounceRelease, WaiveMilestone
from lifecycle.milestones.entitlement import Figures, Retained
from lifecycle.milestones.facts import last_go
from lifecycle.milestones.rules import still_over
from lifecycle.payouts.commands import Approve, Instruct, Release, RequestPayout
from lifecycle.projects.commands import Advance
from lifecycle.requirements.commands import JudgeRequirement
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.db import reading
from models.ids import new_id
from models.states import GateOutcome, MilestoneState, ProjectState, Role
from tests import factories as make
from tests import paid as paying
from tests.factories import House, key
from tests.lifecycle.endings.test_settlement import audit, order, repay, row, settle, to_the_next_stage, tranches


@pytest.fixture
def agreement(house: House) -> UUID:
    """A million at 70 %, of which T1 (400,000) is paid and the next gates are passed."""
    terms: dict[str, Any] = {"amount_minor": 100_000_000, "own_money_minor": 45_000_000}
    (one,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted", **terms)
    to_the_next_stage(house, one)
    paying.paid(house, one)
    return one


def free_of(house: House, agreement: UUID) -> int:
    """Return what the fund of an agreement can still promise."""
    fund = paying.fund_of(house, agreement)
    with reading(house.engine) as session:
        return positions(session, [fund])[fund].free_minor


def asked(house: House, command: RequestPayout) -> set[str]:
    (answer,) = house.ask(command, by=Role.FINANCE_OFFICER)
    return {reason.code for reason in answer.unmet}


class TestACut:
    def test_moves_what_lacks_of_the_use_to_the_next_tranche(self, house: House, agreement: UUID) -> None:
        """0.70 x 400,000 less 0.70 x 300,000 of cost: 70,000 are lacking."""
        paying.accept_cost(house, agreement, cost=30_000_000, is_final=False)
        to_the_next_stage(house, agreement)
        (second,) = paying.released(house, agreement, number=2)
        assert asked(house, paying.request(house, second, 23_000_001)) == {"tranche_cut"}

        paying.asked(house, paying.request(house, second, 23_000_000))

        assert tranches(house, agreement) == {
            "T1": 40_000_000,
            "T2": 23_000_000,
            "T3": 22_000_000,
            "T4": 10_000_000,
            "R": 5_000_000,
        }
        assert house.one("SELECT cut_minor FROM milestone WHERE tranche = 'T2'") == 7_000_000

    def test_is_made_once_however_often_is_asked(self, house: House, agreement: UUID) -> None:
        paying.accept_cost(house, agreement, cost=30_000_000, is_final=False)
        to_the_next_stage(house, agreement)
        (second,) = paying.released(house, agreement, number=2)

        for _ in range(2):
            paying.asked(house, paying.request(house, second, 10_000_000))

        assert tranches(house, agreement)["T2"] == 23_000_000
        assert sum(tranches(house, agreement).values()) == 100_000_000

    def test_of_the_last_tranche_is_the_funds_to_promise_again(self, house: House, agreement: UUID) -> None:
        paying.accept_cost(house, agreement, cost=30_000_000, is_final=False)
        to_the_next_stage(house, agreement)
        (second,) = paying.released(house, agreement, number=2)
        given_up = house.rows("SELECT id FROM milestone WHERE tranche IN ('T3', 'T4', 'R')")
        for one in given_up:
            waive = WaiveMilestone(command_id=key(), milestone_id=UUID(str(one.id)), reason="not needed")
            house.do(waive, by=Role.SPONSOR)
        promised = free_of(house, agreement)

        for _ in range(2):
            paying.asked(house, paying.request(house, second, 11_500_000))

        held = tranches(house, agreement)
        assert (held["T1"], held["T2"]) == (40_000_000, 23_000_000)
        assert row(house, agreement).amount_minor == 63_000_000
        assert free_of(house, agreement) - promised == 7_000_000

    def test_of_all_of_it_leaves_nothing_to_ask_for(self, house: House, agreement: UUID) -> None:
        to_the_next_stage(house, agreement)
        (second,) = paying.released(house, agreement, number=2)

        assert asked(house, paying.request(house, second, 2_000_001)) == {"tranche_cut"}

    def test_counts_what_is_asked_for_in_the_same_batch(self, house: House, agreement: UUID) -> None:
        """T2 asks for 23: with it 63 are out, of which 44.1 should be used; 21 are: 23.1 move on from T3."""
        paying.accept_cost(house, agreement, cost=30_000_000, is_final=False)
        for _ in range(2):
            to_the_next_stage(house, agreement)
        second, third = (paying.released(house, agreement, number=number)[0] for number in (2, 3))
        files = tuple(make.papers(house, agreement))
        asks = ((second, 23_000_000), (third, 1))
        both = [replace(paying.request(house, one, amount), new_evidence=files) for one, amount in asks]

        answers = house.ask(*both, by=Role.FINANCE_OFFICER)

        assert [[reason.code for reason in answer.unmet] for answer in answers] == [[], ["money_not_used"]]
        assert sum(tranches(house, agreement).values()) == 100_000_000


class TestCaps:
    def test_count_what_is_approved_before_in_the_same_batch(self, house: House) -> None:
        """The second tranche is asked for first, so neither is cut: forty and thirty percent against a cap of 45."""
        terms: dict[str, Any] = {"amount_minor": 10_000_000, "own_money_minor": 4_500_000}
        (one,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted", **terms)
        to_the_next_stage(house, one)
        to_the_next_stage(house, one)
        make.pay_in(house, paying.fund_of(house, one))
        first, second = (paying.released(house, one, number=number)[0] for number in (1, 2))
        amounts = ((second, 3_000_000), (first, 4_000_000))
        paper = (house.one("SELECT sha256 FROM v_evidence WHERE status = 'current'"),)
        asked = (replace(paying.request(house, tranche, amount), new_evidence=paper) for tranche, amount in amounts)
        payouts = [paying.asked(house, command)[0] for command in asked]

        answers = house.ask(
            *(
                Approve(command_id=key(), payout_id=payout, amount_minor=amount)
                for payout, (_, amount) in zip(payouts, amounts, strict=True)
            ),
            by=Role.FUND_MANAGER,
        )

        codes = [[reason.code for reason in answer.unmet] for answer in answers]
        assert codes == [[], ["advance_over_cap"]]


class TestARetention:
    def reported(self, house: House, agreement: UUID) -> UUID:
        """Return the retention of a settled agreement, handed in."""
        paying.accept_cost(house, agreement, cost=100_000_000, is_final=False)
        for number in (2, 3):
            to_the_next_stage(house, agreement)
            amount = {2: 30_000_000, 3: 15_000_000}[number]
            paying.paid(house, agreement, number=number, amount=amount)
        to_the_next_stage(house, agreement)
        house.later(days=1)
        paying.accept_cost(house, agreement, cost=45_000_000)
        audit(house, agreement)
        settle(house, agreement)
        return make.reported(house, agreement, number=5)[0]

    def released(self, house: House, agreement: UUID) -> UUID:
        """Return the request for a retention that was released."""
        retained = self.reported(house, agreement)
        house.later(days=366)
        house.do(AnnounceRelease(command_id=key(), milestone_id=retained, where="board"), by=Role.COORDINATOR)
        house.later(days=8)
        house.do(AcceptMilestone(command_id=key(), milestone_id=retained, reason="over"), by=Role.COORDINATOR)
        return paying.asked(house, paying.request(house, retained, tranches(house, agreement)["R"]))[0]

    def test_waits_again_for_what_came_up_between_its_release_and_its_payment(
        self, house: House, agreement: UUID
    ) -> None:
        payout = self.released(house, agreement)
        paying.approve(house, payout)
        order(house, agreement, 1_000)

        (release,) = house.ask(Release(command_id=key(), payout_id=payout), by=Role.PAYER)
        (instruct,) = house.ask(Instruct(command_id=key(), payout_id=payout, batch_id=new_id()))

        assert [reason.code for reason in release.unmet] == ["retention_open_matters"]
        assert [reason.code for reason in instruct.unmet] == ["retention_open_matters", "recovery_open"]
        repay(house, 1_000)
        paying.hear(house, payout, paying.send(house, payout))
        assert house.one("SELECT state FROM v_payout WHERE id = :id", id=str(payout)) == "paid"

    def test_is_released_after_its_months_its_notice_and_with_nothing_open(self, house: House, agreement: UUID) -> None:
        retained = self.reported(house, agreement)
        accept = AcceptMilestone(command_id=key(), milestone_id=retained, reason="over")

        def reasons() -> set[str]:
            (answer,) = house.ask(accept, by=Role.COORDINATOR)
            return {reason.code for reason in answer.unmet}

        assert reasons() == {"retention_running", "retention_notice_missing"}
        house.later(days=366)
        house.do(AnnounceRelease(command_id=key(), milestone_id=retained, where="board"), by=Role.COORDINATOR)
        assert reasons() == {"retention_notice_running"}
        house.later(days=8)
        assert reasons() == set()
        amount = tranches(house, agreement)["R"]
        (payout,) = paying.asked(house, paying.request(house, retained, amount))
        paying.pay(house, payout)
        assert house.one("SELECT purpose FROM payout WHERE id = :id", id=str(payout)) == "retention"
        assert row(house, agreement).settled_on is not None


class TestARetentionWhoseLastGateWasDecidedAnew:
    @pytest.mark.parametrize(("outcome", "codes"), [("go", []), ("conditional_go", []), ("recycle", ["gate_unmet"])])
    def test_is_paid_only_where_it_is_a_go(self, outcome: str, codes: list[str]) -> None:
        review = _Decided(id=1, decided_on=date(2025, 3, 31), outcome=GateOutcome(outcome))
        day = last_go(review, (), ())
        today, noticed = date(2026, 4, 1), date(2026, 3, 1)
        seen = Retained(accepted_on=day, today=today, noticed_on=noticed, open_matters=0) if day else None

        assert [one.code for one in still_over(_Kept(), seen, library.default().funds)] == codes


@dataclass
class _Decided:
    id: int
    decided_on: date
    outcome: GateOutcome


class _Kept:
    needs = ("retention_over",)


def tied() -> Pack:
    """Return the granted standard whose retention waits for a criterion of the last stage instead of its gate."""
    base = make.granted()
    seen = (make._criterion("G5.1", "W", "paper"),)
    stages = tuple(one.model_copy(update={"criteria": seen}) if one.gate == "G5" else one for one in base.stages)
    *others, last = base.funds.tranches
    plan = (*others, last.model_copy(update={"gate": None, "criteria": ("G5.1",)}))
    funds = base.funds.model_copy(update={"tranches": plan})
    return Pack.model_validate(base.model_copy(update={"code": "tied", "stages": stages, "funds": funds}).model_dump())


class TestARetentionThatIsTiedToACriterion:
    def test_is_kept_until_the_last_gate_has_passed(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before that day no month of it has begun."""
        monkeypatch.setattr(make, "PACKS", {**make.PACKS, "tied": tied})
        monkeypatch.setattr(make, "WITHOUT_PANELS", (*make.WITHOUT_PANELS, "tied"))
        house = make.a_house(engine)
        (agreement,) = make.agreements(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="tied")
        project = make.project_of(house, agreement)
        make.hand_in(house, project)
        met = JudgeRequirement(command_id=key(), project_id=project, clause="G3.1", yes=True, reason="seen")
        house.do(met, by=Role.COORDINATOR)
        for _ in range(2):
            house.do(Advance(command_id=key(), project_id=project, reason="ready"), by=Role.COORDINATOR)
        (retained,) = make.reported(house, agreement, number=5)
        house.do(replace(met, command_id=key(), clause="G5.1"), by=Role.COORDINATOR)

        (answer,) = house.ask(
            AcceptMilestone(command_id=key(), milestone_id=retained, reason="seen"), by=Role.COORDINATOR
        )

        assert [(reason.code, reason.values) for reason in answer.unmet] == [
            ("gate_unmet", {"gate": "G5", "verdict_code": "gate_not_passed"})
        ]


class _Row:
    def __init__(self, place: int, *, amount: int, is_retention: bool, state: MilestoneState) -> None:
        self.id, self.number = UUID(int=place), place
        self.amount_minor, self.is_retention, self.state = amount, is_retention, state
        self.share_basis_points = 500 if is_retention else 2000


@st.composite
def settlements(draw: st.DrawFn) -> tuple[Figures, list[Tranche], int]:
    """Draw an agreement at its end: what was paid for each tranche, what came back, what is still asked back."""
    amounts = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
    states = st.sampled_from([MilestoneState.ACCEPTED, MilestoneState.PLANNED])
    found = []
    for place, amount in enumerate(amounts):
        state = draw(states)
        one = _Row(place, amount=amount, is_retention=place == len(amounts) - 1, state=state)
        paid = draw(st.integers(0, amount)) if state == MilestoneState.ACCEPTED else 0
        found.append(Tranche(row=one, paid_minor=paid))
    covered = sum(one.paid_minor for one in found)
    repaid = draw(st.integers(0, covered))
    figures = Figures(
        currency="CNY",
        award_minor=sum(amounts),
        rate_basis_points=draw(st.integers(1, 10_000)),
        cost_minor=draw(st.integers(0, 10**10)),
        paid_minor=covered - repaid,
        is_stopped=draw(st.booleans()),
    )
    return figures, found, draw(st.integers(0, covered - repaid))


class TestEverySettlement:
    @settings(max_examples=300)
    @given(drawn=settlements())
    def test_comes_to_the_entitlement_less_what_was_paid(self, drawn: tuple[Figures, list[Tranche], int]) -> None:
        figures, found, outstanding = drawn

        plan = plan_of(figures, found, outstanding_minor=outstanding)

        owed = outstanding + plan.ordered_minor - plan.absorbed_minor
        assert plan.due_minor - owed == plan.entitlement_minor - figures.paid_minor
        assert min(plan.due_minor, owed) == 0

    @settings(max_examples=300)
    @given(drawn=settlements())
    def test_keeps_the_tranches_equal_to_an_award_that_nobody_passes(
        self, drawn: tuple[Figures, list[Tranche], int]
    ) -> None:
        figures, found, outstanding = drawn

        plan = plan_of(figures, found, outstanding_minor=outstanding)

        assert sum(plan.amounts.values()) == plan.award_minor <= figures.award_minor
        assert figures.paid_minor + plan.due_minor <= plan.award_minor
        assert all(plan.amounts[one.row.id] >= one.paid_minor for one in found)
        assert all(plan.amounts[one] == 0 for one in plan.given_up)
