"""A stage from its first day to the project moving on, and a whole course of stages."""

from collections.abc import Callable, Collection, Generator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TypeAlias

from lifecycle.demo.case import Case, Product, register
from lifecycle.demo.gates import (
    MEASURED,
    NOTHING,
    RUNS,
    Meeting,
    begin_trial,
    finish_tracks,
    make_batch,
    meet,
    pass_gate,
    place,
    report_use,
    run_production,
)
from lifecycle.demo.story import Chapter, Steps, Story
from lifecycle.projects.commands import AcceptTransfer, Recycle, Transfer
from models.states import Role

Passage: TypeAlias = Generator[date, None, Case]
Stage: TypeAlias = Callable[[Story, Case, date, date], Passage]
"""From the first day of a stage to the day of moving on; returns the case as it is then."""
Then: TypeAlias = Callable[[Story, Case, date], Steps]
"""What happens in the stage in which a project still stands, since its first day there."""


def course(
    product: Product, *turns: str, trial: "Stage | None" = None, then: Then | None = None, taken_over_by: str = ""
) -> Chapter:
    """Return the chapter of a project: the day it is received, the days it moves on, and what happens after that.

    With `taken_over_by` another platform takes the project over in feasibility.
    """
    dates = [date.fromisoformat(text) for text in turns]
    stages: tuple[Stage, ...] = (intake, feasibility, trial or make_and_prove(), market, handoff)

    def chapter(story: Story) -> Steps:
        yield dates[0]
        case = register(story, product)
        for stage, (since, on) in zip(stages, pairwise(dates), strict=False):
            if stage is feasibility and taken_over_by:
                case = yield from _change_platform(story, case, since, taken_over_by)
            case = yield from stage(story, case, since, on)
        if then is not None:
            yield from then(story, case, dates[-1])

    return chapter


def intake(story: Story, case: Case, since: date, on: date) -> Passage:
    """Pass G1."""
    yield from pass_gate(story, case, "G1", since=since, on=on)
    return case


def feasibility(story: Story, case: Case, since: date, on: date) -> Passage:
    """Pass G2."""
    yield from pass_gate(story, case, "G2", since=since, on=on)
    return case


def make_and_prove(
    *, failed: tuple[int, int] | None = None, left_out: Collection[str] = NOTHING, meeting: Meeting = meet
) -> Stage:
    """Return the trial stage: freeze the design, make the batches, pass G3.

    With `failed` the first batch went wrong, and the stage is sent back once to be done again.
    """

    def trial(story: Story, case: Case, since: date, on: date) -> Passage:
        yield story.after(since, 1)
        case = begin_trial(story, case)
        if failed is not None:
            yield from fail_once(story, case, story.after(since, 12), failed)
            since = story.after(since, 13)
        length = story.calendar.working_days_between(since, on)
        for run, (started, good) in enumerate(RUNS, start=1):
            yield story.after(since, length * run // (len(RUNS) + 1))
            measured = MEASURED if run == len(RUNS) else 0
            case = replace(case, last_batch=make_batch(story, case, started, good, measured=measured))
        finish_tracks(story, case)
        yield from pass_gate(story, case, "G3", since=since, on=on, left_out=left_out, meeting=meeting)
        return case

    return trial


def fail_once(story: Story, case: Case, on: date, batch: tuple[int, int]) -> Steps:
    """Make a batch that goes wrong, and send the stage back to be done again."""
    yield on
    started, good = batch
    make_batch(story, case, started, good)
    reason = f"首批一次合格率 {good / started:.1%}，工艺参数须重新确定"
    asked = {"project_id": case.project_id, "code": "process", "reason": reason}
    story.act(case.who(Role.COORDINATOR), Recycle, **asked)


def market(story: Story, case: Case, since: date, on: date) -> Passage:
    """Place units of the last batch with three customers, and pass G4."""
    yield story.after(since, 1)
    place(story, case)
    yield story.after(on, -5)
    report_use(story, case)
    yield from pass_gate(story, case, "G4", since=since, on=on)
    return case


def handoff(story: Story, case: Case, since: date, on: date) -> Passage:
    """Run the receiver's line, and pass G5."""
    yield story.after(since, 3)
    run_production(story, case)
    yield from pass_gate(story, case, "G5", since=since, on=on)
    return case


def _change_platform(story: Story, case: Case, since: date, to: str) -> Passage:
    yield story.after(since, 4)
    asked = {"platform_id": story.organisations[to], "reason": "精密装配能力在对方平台"}
    story.act(case.who(Role.COORDINATOR), Transfer, project_id=case.project_id, **asked)
    yield story.after(since, 7)
    case = replace(case, product=replace(case.product, platform=to))
    story.act(case.who(Role.COORDINATOR), AcceptTransfer, project_id=case.project_id)
    return case
