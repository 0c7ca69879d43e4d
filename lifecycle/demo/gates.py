"""Passing a gate honestly: every paper, record, claim and judgement that it asks for, by the people it asks.

What is asked is read from the project's own standard, so a pack that asks for more gets more or is refused.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.demo import forms, trial_forms
from lifecycle.demo.case import Case, stage_of
from lifecycle.demo.forms import Form
from lifecycle.demo.story import Line, Steps, Story, id_of
from lifecycle.demo.trial_forms import GAUGE, RUN_GOOD, RUN_HOURS, RUN_UNITS, author_of
from lifecycle.projects.commands import Advance, NameParty, Submit
from lifecycle.requirements.commands import AddEvidence, ClaimLevels, FreezeRevision, JudgeRequirement
from lifecycle.reviews.commands import CallReview, Decide, GiveScore, OpenReview, Propose
from lifecycle.stages.maturity import THREADS
from lifecycle.trials.commands import (
    AddBatch,
    AddCharacteristic,
    AddMeasurements,
    CloseBatch,
    FinishTrack,
    RecordOrder,
    RecordScenario,
    StartTrack,
)
from models.states import BatchKind, GateOutcome, MaturityScale, OrderKind, Role

FORMS: forms.Forms = {**forms.FORMS, **trial_forms.FORMS}
RUNS: tuple[tuple[int, int], ...] = ((40, 38), (60, 58), (120, 118))
"""Units started and right first time in the trial batches of a project without trouble."""
MEASURED = 40
"""Units of a batch of which the special characteristic is measured."""
NOTHING: frozenset[str] = frozenset()
Meeting: TypeAlias = Callable[[Story, Case, str], UUID]
"""What a panel does on the day it meets; returns the review."""


def paper(story: Story, case: Case, type_id: str, form: Form) -> Line:
    """Return how one paper is handed in, by the person it is owed by; its file is kept now."""
    text = json.dumps({"project": case.number, "type": type_id, **form}, ensure_ascii=False, indent=1)
    content = text.encode()
    sha256 = story.papers[case.project_id, type_id] = story.keep(content)
    fields = {
        "project_id": case.project_id,
        "type": type_id,
        "file_name": f"{type_id}.json",
        "sha256": sha256,
        "size_bytes": len(content),
        "form": form,
        "revision": case.revision if case.pack.evidence_type(type_id).only_for_revision else None,
    }
    return case.who(author_of(type_id, form)), AddEvidence, fields


def hand_in(story: Story, case: Case, type_id: str, form: Form) -> UUID:
    """Hand in one paper, and return its id."""
    return id_of(story.together([paper(story, case, type_id, form)])[0])


def hand_in_all(story: Story, case: Case, *types: str) -> None:
    """Hand in every paper of these types, with its usual values on this day."""
    story.together([paper(story, case, name, form) for name in types for form in FORMS[name](case, story.today)])


def hand_in_gate(story: Story, case: Case, gate: str, *, left_out: Collection[str] = NOTHING) -> None:
    """Hand in all papers that a gate asks for and the levels claimed for it, but those left out."""
    asked = {name for criterion in case.pack.stage(stage_of(gate)).criteria for name in criterion.evidence}
    apart = {*left_out, *ENTRY_PAPERS.values(), "maturity_claim"}
    own = [kind.id for kind in case.pack.evidence_types if kind.gate == gate and kind.id in asked - apart]
    types = [type_id for type_id in own if type_id in FORMS]
    lines = [paper(story, case, name, form) for name in types for form in FORMS[name](case, story.today)]
    levels = case.product.levels.get(gate) if "maturity_claim" not in left_out else None
    if levels is None:
        story.together(lines)
        return
    assessment = paper(story, case, "maturity_claim", forms.maturity_claim(case, story.today, levels)[0])
    claim(story, case, levels, id_of(story.together([*lines, assessment])[-1]))


def claim(story: Story, case: Case, levels: tuple[int, int], assessment: UUID) -> None:
    """Claim a level for the technology and for each thread, on the assessment handed in."""
    trl, mrl = levels
    wanted = [(MaturityScale.TRL, case.product.technology, trl), *((MaturityScale.MRL, one, mrl) for one in THREADS)]
    said = {"levels": tuple(wanted), "evidence_id": assessment}
    story.act(case.who(Role.PROJECT_LEAD), ClaimLevels, project_id=case.project_id, **said)


def judge_gate(story: Story, case: Case, gate: str, *, left_out: Collection[str] = NOTHING) -> None:
    """Let everyone whom a criterion of the gate names say yes to it, but to those left out."""
    judge(story, case, *(one.id for one in case.pack.stage(stage_of(gate)).criteria if one.id not in left_out))


def judge(story: Story, case: Case, *clauses: str) -> None:
    """Let everyone whom these criteria name say yes to them."""
    story.together(
        [
            (
                case.who(seat.role, seat.competence),
                JudgeRequirement,
                {
                    "project_id": case.project_id,
                    "clause": clause,
                    "yes": True,
                    "reason": "核对材料，符合要求",
                    "part": seat.part,
                    "competence": seat.competence,
                },
            )
            for clause in clauses
            for seat in case.pack.criterion(clause).judges
        ]
    )


def convene(story: Story, case: Case, gate: str, *, planned_on: date | None = None) -> UUID:
    """Hand the stage in, call its panel and open the documents to it."""
    coordinator = case.who(Role.COORDINATOR)
    story.act(case.who(Role.PROJECT_LEAD), Submit, project_id=case.project_id)
    seats = case.seats(story, gate)
    asked = {"project_id": case.project_id, "planned_on": planned_on or story.today, "panel": seats}
    review = id_of(story.act(coordinator, CallReview, **asked))
    story.act(coordinator, OpenReview, review_id=review)
    return review


def vote(
    story: Story,
    case: Case,
    gate: str,
    review: UUID,
    *,
    outcome: GateOutcome = GateOutcome.GO,
    absent: Collection[str] = NOTHING,
) -> None:
    """Let every member score and vote, but those who are absent."""
    factors = case.pack.stage(stage_of(gate)).score.factors
    by_id = {actor.user_id: login for login, actor in story.people.items()}
    for chair, seat in enumerate(case.seats(story, gate)):
        points = tuple((factor.id, 7 + (chair + number) % 3) for number, factor in enumerate(factors))
        if by_id[seat.user_id] not in absent:
            story.act(by_id[seat.user_id], GiveScore, review_id=review, points=points, vote=outcome)


def propose(story: Story, case: Case, gate: str, review: UUID, **said: Any) -> None:
    """Let the chair, at G1 the expert, write down what the panel decided."""
    asked = {"outcome": GateOutcome.GO, "reason": "材料齐全，评审通过", **said}
    story.act(_chair(case, gate), Propose, review_id=review, **asked)


def _chair(case: Case, gate: str) -> str:
    return case.who(Role.EXPERT) if gate == "G1" else case.who(Role.PANEL_CHAIR)


def decide(story: Story, case: Case, gate: str, review: UUID) -> None:
    """Make the proposal final after its notice."""
    story.act(_chair(case, gate), Decide, review_id=review)


ENTRY_PAPERS: Mapping[str, str] = {"G1": "fee_and_capacity_quote", "G2": "task_contract", "G3": "trial_agreement"}
"""Gate -> the paper that the stage behind it asks for at its door."""


def advance(story: Story, case: Case, gate: str) -> None:
    """Hand in what the next stage asks at its door, and move on."""
    coordinator = case.who(Role.COORDINATOR)
    if gate in ENTRY_PAPERS:
        hand_in_all(story, case, ENTRY_PAPERS[gate])
    if gate == "G4":
        plant = story.organisations[case.product.plant]
        story.act(coordinator, NameParty, project_id=case.project_id, party="receiver", organisation_id=plant)
    story.act(coordinator, Advance, project_id=case.project_id, reason="评审结论：通过")


def freeze(
    story: Story, case: Case, label: str, *, touched: Sequence[str] = (), reason: str = "试制前冻结设计"
) -> Case:
    """Freeze a design revision today, and return the case whose papers speak of it."""
    story.act(
        case.who(Role.PROCESS_ENGINEER),
        FreezeRevision,
        project_id=case.project_id,
        label=label,
        frozen_on=story.today,
        reason=reason,
        touched_clauses=tuple(touched),
    )
    return replace(case, revision=label)


def begin_trial(story: Story, case: Case) -> Case:
    """Freeze the first revision, name the special characteristic and start the asked verifications."""
    case = freeze(story, case, "A")
    name, unit, low, high = case.product.characteristic
    limits = {"lower_limit": low, "upper_limit": high, "gauge": GAUGE}
    engineer = case.who(Role.PROCESS_ENGINEER)
    story.act(engineer, AddCharacteristic, project_id=case.project_id, name=name, unit=unit, **limits)
    asked = [
        {"project_id": case.project_id, "verification": one, "started_on": story.today}
        for one in case.product.verifications
    ]
    story.all(case.who(Role.LAB_LEAD), StartTrack, asked)
    return case


def finish_tracks(story: Story, case: Case) -> None:
    """End every verification with the result passed."""
    asked = [
        {"project_id": case.project_id, "verification": one, "finished_on": story.today, "is_passed": True}
        for one in case.product.verifications
    ]
    story.all(case.who(Role.LAB_LEAD), FinishTrack, asked)


def make_batch(story: Story, case: Case, started: int, good: int, *, measured: int = 0, **more: Any) -> str:
    """Record a batch of today, by default a closed one, and return its number; of some units its values as well.

    A closed trial batch gets its record where the standard asks for one.
    """
    facts = {"is_closed": not measured, "is_conforming": good >= started * 0.9, "revision": case.revision, **more}
    engineer = case.who(Role.PROCESS_ENGINEER)
    answer = story.act(
        engineer,
        AddBatch,
        project_id=case.project_id,
        made_on=story.today,
        started=started,
        passed_first_time=good,
        size=float(started),
        equipment=case.product.equipment[0],
        **facts,
    )
    number = str(answer["number"])
    if measured:
        measure(story, case, number, measured)
        is_conforming = facts["is_conforming"]
        story.act(engineer, CloseBatch, project_id=case.project_id, number=number, is_conforming=is_conforming)
    is_closed = measured or facts["is_closed"]
    if is_closed and "kind" not in more and "batch_record" in case.pack.criterion("G3.1").evidence:
        record = trial_forms.batch_record(case, number, story.today, started)
        hand_in(story, case, "batch_record", record)
    return number


def measure(story: Story, case: Case, batch: str, count: int) -> None:
    """Measure the special characteristic on so many units of an open batch: a calm process with Ppk about 2."""
    name, _, low, high = case.product.characteristic
    subgroups = tuple((value,) for value in calm_values(low, high, count))
    asked = {"number": batch, "characteristic": name, "subgroups": subgroups}
    story.act(case.who(Role.PROCESS_ENGINEER), AddMeasurements, project_id=case.project_id, **asked)


def calm_values(low: float, high: float, count: int) -> list[float]:
    """Return values of a stable process in the middle of its limits: normal quantiles in golden-section order."""
    golden = (math.sqrt(5) - 1) / 2
    process = NormalDist((low + high) / 2, (high - low) / 13)
    return [round(process.inv_cdf((i * golden) % 1), 5) for i in range(1, count + 1)]


def place(story: Story, case: Case) -> None:
    """Place ten units of the last batch with each of three customers, who use them from tomorrow."""
    facts = {
        "project_id": case.project_id,
        "profile": "每日两班",
        "agreement_signed_on": story.today,
        "started_on": story.today,
        "units": 10,
        "unit_batches": (case.last_batch,),
        "limits": {"可用率": {"lower": 95.0, "unit": "%"}},
    }
    owners = zip(case.customers(), trial_forms.sites(case), strict=True)
    asked = [{**facts, "site": site, "customer_id": story.organisations[key]} for key, site in owners]
    story.all(case.who(Role.PROJECT_LEAD), RecordScenario, asked)


def report_use(story: Story, case: Case) -> None:
    """Write down what was measured at the three customers, and the paid order of the first."""
    seen = {
        "project_id": case.project_id,
        "report_signed_on": story.today,
        "measured": {"可用率": 98.2},
        "failures": 0,
        "witness": "平台试验员",
        "valid_until_on": story.today + timedelta(days=365),
    }
    lead = case.who(Role.PROJECT_LEAD)
    story.all(lead, RecordScenario, [{**seen, "site": site} for site in trial_forms.sites(case)])
    order = {"kind": OrderKind.ORDER, "quantity": case.product.first_lot, "is_binding": True}
    story.act(
        lead,
        RecordOrder,
        project_id=case.project_id,
        reference=f"DD-{case.number[3:]}-1",
        customer_id=story.organisations[case.customers()[0]],
        amount_minor=case.product.first_lot * case.product.target_minor * 2,
        currency="CNY",
        signed_on=story.today,
        paid_on=story.today,
        **order,
    )


def run_production(story: Story, case: Case) -> None:
    """Run the receiver's line at rate, measure the run and hand its paper in; in process industries three runs."""
    for _ in range(3 if case.product.manufacture == "process" else 1):
        facts = {"kind": BatchKind.PRODUCTION_RUN, "hours": RUN_HOURS}
        number = make_batch(story, case, RUN_UNITS, RUN_GOOD, measured=MEASURED, **facts)
    hand_in(story, case, "run_at_rate", trial_forms.run_at_rate(case, number))


def meet(story: Story, case: Case, gate: str) -> UUID:
    """Let the panel meet today: all judge, score and vote go, and the chair proposes it; returns the review."""
    review = convene(story, case, gate)
    judge_gate(story, case, gate)
    vote(story, case, gate, review)
    propose(story, case, gate, review)
    return review


def pass_gate(  # noqa: PLR0913 - two days and two ways to differ
    story: Story,
    case: Case,
    gate: str,
    *,
    since: date,
    on: date,
    left_out: Collection[str] = NOTHING,
    meeting: Meeting = meet,
) -> Steps:
    """Pass a gate between the day its stage began and the day the project moves on.

    The caller has done what the stage consists of (batches, placements); here is what the gate asks besides. Papers
    left out are those that the meeting deals with in its own way.
    """
    proposed_on = _proposal_day(story, case, gate, since, on)
    yield max(since, story.after(proposed_on, -5))
    hand_in_gate(story, case, gate, left_out=left_out)
    yield proposed_on
    review = meeting(story, case, gate)
    if proposed_on != on:
        yield on
        decide(story, case, gate, review)
    advance(story, case, gate)


def _proposal_day(story: Story, case: Case, gate: str, since: date, on: date) -> date:
    """Return the last working day to propose on, so that the notice is over on the day of the decision."""
    notice = case.pack.stage(stage_of(gate)).notice
    if notice is None:
        return on
    if notice.unit == "working_days":
        return story.after(on, -notice.days - 1)
    first = story.calendar.previous_working_day(on - timedelta(days=notice.days))
    return max(since, story.after(first, -1))
