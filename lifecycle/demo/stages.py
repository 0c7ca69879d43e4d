"""A stage from its first day to the project moving on, for a project that has no trouble in it."""

from collections.abc import Generator, Sequence
from datetime import date

from lifecycle.demo.case import Case, Product, register
from lifecycle.demo.gates import (
    begin_trial,
    finish_tracks,
    make_batch,
    measure,
    pass_gate,
    place,
    report_use,
    run_production,
)
from lifecycle.demo.story import Steps, Story

RUNS: tuple[tuple[int, int], ...] = ((40, 38), (60, 58), (120, 118))
"""Units started and right first time in the trial batches."""


def intake(story: Story, product: Product, received: date, on: date) -> Generator[date, None, Case]:
    """Register an application and pass G1; the case is returned."""
    yield received
    case = register(story, product)
    yield from pass_gate(story, case, "G1", since=received, on=on)
    return case


def feasibility(story: Story, case: Case, since: date, on: date) -> Steps:
    """Pass G2."""
    yield from pass_gate(story, case, "G2", since=since, on=on)


def trial(
    story: Story, case: Case, since: date, on: date, *, runs: Sequence[tuple[int, int]] = RUNS
) -> Generator[date, None, Case]:
    """Freeze the design, make the batches and pass G3; the case with its frozen revision is returned."""
    yield story.after(since, 1)
    case = begin_trial(story, case)
    yield from batches(story, case, since, on, runs=runs)
    yield from pass_gate(story, case, "G3", since=since, on=on)
    return case


def batches(story: Story, case: Case, since: date, until: date, *, runs: Sequence[tuple[int, int]]) -> Steps:
    """Make trial batches spread over a stretch of time, measure the last one and end the verifications."""
    length = story.calendar.working_days_between(since, until)
    for place_in_row, (started, good) in enumerate(runs, start=1):
        yield story.after(since, length * place_in_row // (len(runs) + 1))
        number = make_batch(story, case, started, good)
    measure(story, case, number)
    finish_tracks(story, case)


def market(story: Story, case: Case, since: date, on: date) -> Steps:
    """Place units of the last batch with three customers, and pass G4."""
    yield story.after(since, 1)
    place(story, case, [f"B-{len(RUNS):02d}"])
    yield story.after(on, -5)
    report_use(story, case)
    yield from pass_gate(story, case, "G4", since=since, on=on)


def handoff(story: Story, case: Case, since: date, on: date) -> Steps:
    """Run the receiver's line, and pass G5."""
    yield story.after(since, 5)
    run_production(story, case)
    yield from pass_gate(story, case, "G5", since=since, on=on)
