"""The compiled table says what python-statemachine itself does, whatever the facts are."""

from dataclasses import dataclass
from datetime import date
from itertools import product
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed

from lifecycle import calendar
from lifecycle.chart import Chart, compiled, decide, options
from lifecycle.errors import Refused
from lifecycle.milestones.chart import MilestoneChart
from lifecycle.payouts.batch_chart import BatchChart
from lifecycle.payouts.chart import PayoutChart
from lifecycle.projects.chart import ProjectChart
from lifecycle.reviews.chart import ReviewChart
from lifecycle.reviews.panel import Tally
from lifecycle.stages.chart import StageRunChart
from lifecycle.stages.judgement import Verdict
from lifecycle.standards import library
from models.states import (
    STAGES,
    ApprovalDecision,
    FundStatus,
    GateOutcome,
    InstructionStatus,
    MilestoneState,
    PayeeStatus,
    PayoutPurpose,
    ProjectState,
    VerdictState,
)

CHARTS: tuple[type[Chart], ...] = (
    ProjectChart,
    StageRunChart,
    ReviewChart,
    MilestoneChart,
    PayoutChart,
    BatchChart,
)
TODAY = date(2025, 7, 8)
DAYS = st.sampled_from([date(2025, 7, 7), TODAY, date(2025, 7, 9), date(2025, 12, 1)])
OUTCOMES = st.sampled_from(GateOutcome)
REVIEW_ID = UUID(int=7)
PERSONS = (REVIEW_ID, UUID(int=8))
PACKS = (library.bare(), library.default())


def names(chart: Any) -> list[str]:
    return [str(event) for event in chart.events]


def pairs(chart: type[Chart]) -> list[tuple[str, str]]:
    """Return every state with every event, those that the chart knows and those that it refuses."""
    events = sorted({event.removesuffix("_") for event in names(chart)})
    return [(str(state.value), event) for state, event in product(chart.states, events)]


def by_machine(chart: type[Chart], state: str, event: str, facts: Any) -> str | tuple[str, ...]:
    """Return the state that a real machine reaches, or the codes with which it refuses."""
    machine = chart(start_value=next(one.value for one in chart.states if str(one.value) == state))
    name = next(one for one in names(chart) if one.removesuffix("_") == event)
    try:
        Chart.send(machine, name, facts=facts)  # a chart may have an event of that name
    except Refused as refused:
        return tuple(reason.code for reason in refused.unmet)
    except TransitionNotAllowed:
        return (f"{event}_not_possible_when_{state}",)
    (reached,) = machine.configuration
    return str(reached.value)


def by_table(chart: type[Chart], state: str, event: str, facts: Any) -> str | tuple[str, ...]:
    try:
        return decide(chart, state, event, facts)
    except Refused as refused:
        return tuple(reason.code for reason in refused.unmet)


@dataclass(frozen=True)
class Seat:
    has_vote: bool
    recused_on: date | None
    vote: GateOutcome | None


@st.composite
def gates(draw: st.DrawFn) -> SimpleNamespace:
    """Draw what a project's arrows look at."""
    pack, stage = draw(st.sampled_from(PACKS)), draw(st.sampled_from(STAGES))
    verdict = draw(st.sampled_from(VerdictState))
    said = Verdict(clause="G2.2", state=verdict, code="any", strength=draw(st.sampled_from("CHW")))
    following = [*STAGES, ProjectState.IN_PRODUCTION][STAGES.index(stage) + 1]
    review = SimpleNamespace(
        id=REVIEW_ID,
        state="decided",
        outcome=draw(OUTCOMES),
        stage_run_id=draw(st.sampled_from([1, 2])),
        notice_starts_on=TODAY,
        notice_ends_on=draw(st.none() | DAYS),
    )
    return SimpleNamespace(
        pack=pack,
        stage=stage,
        asked=pack.stage(stage),
        hold=draw(st.none() | st.just(SimpleNamespace(reason="ehs", until_on=TODAY))),
        outcome=draw(st.none() | OUTCOMES),
        review=review,
        verdicts=(said,) if draw(st.booleans()) else (),
        verdict_of=lambda _clause: said,
        records=None,
        open_conditions=(SimpleNamespace(clause="G2.2", review_id=REVIEW_ID),) if draw(st.booleans()) else (),
        project=SimpleNamespace(
            has_fund=draw(st.booleans()),
            receiver_id=draw(st.none() | st.just(1)),
            received_on=1,
            stage_run_id=1,
            organisation_id=1,
            stage=draw(st.sampled_from(ProjectState)),
        ),
        next_stage=lambda: following,
        calendar=calendar.china(),
        stamp=SimpleNamespace(
            today=TODAY,
            calendar=calendar.china(),
            actor=SimpleNamespace(name="Li", person_id=draw(st.sampled_from(PERSONS)), is_clock=draw(st.booleans())),
        ),
        runs=(),
    )


SETS = st.sampled_from([frozenset(), frozenset([PERSONS[0]])])
HOLDS = st.none() | st.just(SimpleNamespace(until_on=TODAY, from_on=TODAY, reason="other"))


@st.composite
def payments(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what the arrows of a payout and of its batch look at."""
    said = {decision: draw(SETS) for decision in ApprovalDecision}
    sums = st.sampled_from([0, 1, 2])
    account = SimpleNamespace(
        organisation_id=draw(st.sampled_from([1, 2])), status=draw(st.sampled_from(PayeeStatus)), usable_on=draw(DAYS)
    )
    return {
        "payout": SimpleNamespace(
            payload_hash="a",
            amount_minor=1,
            currency="CNY",
            approvals_needed=draw(sums),
        ),
        "asks": SimpleNamespace(is_director_needed=draw(st.booleans()), is_minute_needed=draw(st.booleans())),
        "purpose": draw(st.sampled_from(PayoutPurpose)),
        "fund": SimpleNamespace(code="F1", currency="CNY", status=draw(st.sampled_from(FundStatus))),
        "account": draw(st.none() | st.just(account)),
        "acting": frozenset([PERSONS[0]]),
        "persons": said.__getitem__,
        "makers": draw(SETS),
        "barred_from_approving": draw(SETS),
        "interested": draw(SETS),
        "names_of": lambda _people: ["Li"],
        "others_who_can": (),
        "needs_certifier": draw(st.booleans()),
        "needs_release": draw(st.booleans()),
        "is_released": draw(st.booleans()),
        "is_certified": draw(st.booleans()),
        "account_usable_on": draw(st.none() | DAYS),
        "account_changed_on": draw(st.none() | DAYS),
        "is_called_back": draw(st.booleans()),
        "limit_minor": draw(st.none() | sums),
        "amount_minor": draw(sums),
        "others_minor": draw(sums),
        "others": (),
        "tranche_minor": draw(sums),
        "owed_minor": draw(sums),
        "available_minor": draw(sums),
        "minute_sha256": draw(st.sampled_from([None, "a"])),
        "is_last_approval": draw(st.booleans()),
        "has_director": draw(st.booleans()),
        "capped": (),
        "project_hold": draw(HOLDS),
        "fund_hold": draw(HOLDS),
        "freeze": draw(HOLDS),
        "hash_now": draw(st.sampled_from(["a", "b"])),
        "missing_evidence": draw(st.sampled_from([(), ("a",)])),
        "valid_approvals": draw(sums),
        "people_with_interest": draw(SETS),
        "alive_instructions": draw(st.sampled_from([(), (1,)])),
        "batch": SimpleNamespace(fence=1),
        "kept": draw(SETS),
        "revived_count": draw(sums),
        "retained": None,
        "tiers": draw(st.sampled_from([(), (1,)])),
        "agreed": draw(st.none() | st.just(SimpleNamespace(action="abandon_batch", confirmed_by=1))),
        "instructions": tuple(
            SimpleNamespace(status=one) for one in draw(st.lists(st.sampled_from(InstructionStatus), max_size=2))
        ),
    }


@st.composite
def facts(draw: st.DrawFn) -> SimpleNamespace:
    """Draw what the arrows of all charts look at."""
    on = draw(gates())
    seats = draw(st.lists(st.builds(Seat, st.booleans(), st.none() | DAYS, st.none() | OUTCOMES), max_size=5))
    score = draw(st.sampled_from([2.0, 5.0, 9.0]))
    means = {factor.id: score for factor in on.asked.score.factors}
    item = SimpleNamespace(
        clause="G2.2",
        due_on=draw(DAYS),
        note=draw(st.sampled_from(["", "by Li"])),
        review_id=REVIEW_ID,
        cleared_on=draw(st.none() | DAYS),
    )
    command = SimpleNamespace(
        outcome=draw(OUTCOMES),
        reason=draw(st.sampled_from(["", "why"])),
        target=draw(st.none() | st.sampled_from(ProjectState)),
        until_on=draw(st.none() | DAYS),
        conditions=(item,) if draw(st.booleans()) else (),
        payload_hash=draw(st.sampled_from([None, "a", "b"])),
        amount_minor=draw(st.integers(1, 2)),
        fence=draw(st.none() | st.integers(1, 2)),
        callback_by=draw(st.sampled_from([None, " ", "Li"])),
        callback_at="2025-07-08 09:30",
    )
    objection = SimpleNamespace(is_upheld=draw(st.none() | st.booleans()))
    tranche = SimpleNamespace(
        gate=draw(st.sampled_from([None, "G2"])),
        criteria=["G2.2"],
        amount_minor=1,
        report={"evidence": ["a"]},
        state=draw(st.sampled_from(MilestoneState)),
        needs=draw(st.sampled_from([[], ["final_statement"]])),
    )
    return SimpleNamespace(
        **vars(on),
        **draw(payments()),
        on=on,
        milestone=tranche,
        agreement=SimpleNamespace(
            number="AG-2025-0001",
            signed_on=draw(st.none() | DAYS),
            status=draw(st.sampled_from(FundStatus)),
            settled_on=draw(st.none() | DAYS),
            settlement_minor=draw(st.integers(0, 2)),
        ),
        agreement_minor=draw(st.integers(1, 2)),
        hashes=draw(st.sampled_from([frozenset(), frozenset("a")])),
        submitter=draw(st.none() | st.just(REVIEW_ID)),
        wall=draw(st.sampled_from([frozenset(), frozenset([REVIEW_ID])])),
        decided={"G2": on.review} if draw(st.booleans()) else {},
        seats=seats,
        present=[seat for seat in seats if seat.has_vote],
        voted=[seat for seat in seats if seat.has_vote and seat.vote],
        tally=Tally(total=score * 10, means=means, voters=len(seats)),
        command=command,
        conditions=command.conditions,
        objections=(objection,) if draw(st.booleans()) else (),
    )


class TestTheTable:
    @pytest.mark.long
    @pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
    @given(facts=facts())
    @settings(max_examples=25)
    def test_decides_as_the_machine_does_for_every_state_and_event(self, chart: type[Chart], facts: Any) -> None:
        for state, event in pairs(chart):
            assert by_table(chart, state, event, facts) == by_machine(chart, state, event, facts)

    @pytest.mark.long
    @pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
    @given(facts=facts())
    @settings(max_examples=25)
    def test_offers_exactly_what_it_knows_and_what_stands_in_the_way(self, chart: type[Chart], facts: Any) -> None:
        for state in chart.states:
            offered = {one.event: one for one in options(chart, str(state.value), facts)}
            known = {event for source, event in compiled(chart) if source == state.value}
            assert set(offered) == known
            for event, option in offered.items():
                codes = tuple(reason.code for reason in option.unmet)
                assert by_table(chart, str(state.value), event, facts) == (codes or option.target)

    @pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
    def test_knows_no_way_out_of_an_end(self, chart: type[Chart]) -> None:
        ends = {str(state.value) for state in chart.states if state.final}
        assert bool(ends) is (chart is not PayoutChart)  # the bank has the last word, and may always speak again
        assert not [arrow for arrow in compiled(chart) if arrow[0] in ends]
