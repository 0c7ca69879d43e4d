"""B1, B3: `advance` through the full command against the same statements sent by the driver, same commits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from statistics import median
from typing import TypeAlias
from uuid import UUID

from benchmarks.stage import Place, captured, done, ground, places, registered, replay, server, stamp, timed
from benchmarks.table import Result
from benchmarks.worlds import copied, decided, storied
from lifecycle.commands import Stamp
from lifecycle.projects.commands import Advance

RUNS = 7
ONE_BY_ONE = 30
"""Projects advanced in each run, a commit for each."""
AT_ONCE = 1_000
ASKED = {"SQLite": 0.35, "PostgreSQL": 0.40}
STAGES = 5
"""A project can be advanced so many times."""
STANDING = stamp()

Work: TypeAlias = Callable[[Sequence[UUID]], None]
"""Advances these projects in one transaction."""


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    on = ground(place.engine)
    ids = registered(place.engine, on, (RUNS + 1) * ONE_BY_ONE)
    figure, ratios = against_driver(place, partial(advanced, place, STANDING), blocks(ids, ONE_BY_ONE))
    yield Result(
        mark="B1",
        work=f"one advance, bare standard, {place.kind}",
        figure=figure,
        ratios=ratios,
        at_least=ASKED[place.kind],
    )
    story = storied(place.engine)
    project, coordinator = decided(story)
    ids = copied(place.engine, project, (RUNS + 1) * ONE_BY_ONE)
    work = partial(advanced, place, stamp(coordinator, story.now))
    figure, ratios = against_driver(place, work, blocks(ids, ONE_BY_ONE))
    yield Result(
        mark="B1",
        work=f"one advance, default standard, gate met, by its coordinator, {place.kind}",
        figure=figure,
        ratios=ratios,
        at_least=ASKED[place.kind],
    )
    ids = registered(place.engine, on, AT_ONCE, key="bulk")
    figure, ratios = against_driver(place, partial(advanced, place, STANDING), [[ids]] * STAGES)
    work_at_once = f"{AT_ONCE:,} advances in one transaction, {place.kind}"
    yield Result(mark="B3", work=work_at_once, figure=figure, ratios=ratios, at_least=0.25)


def blocks(ids: Sequence[UUID], size: int) -> list[list[list[UUID]]]:
    """Cut into runs of so many transactions with one project each."""
    return [[[project] for project in ids[start : start + size]] for start in range(0, len(ids), size)]


def advanced(place: Place, by: Stamp, ids: Sequence[UUID]) -> None:
    """Advance these projects in one transaction."""
    commands = [Advance(command_id=f"{by.new_id()}", project_id=project, reason="bench") for project in ids]
    done(place.engine, *commands, by=by)


def against_driver(place: Place, work: Work, runs: Sequence[Sequence[Sequence[UUID]]]) -> tuple[str, tuple[float, ...]]:
    """Do the work in each of these runs, each time followed by the driver on the copy; the first run warms up.

    Return the figure, and per run the ratio of the medians of one transaction: on a machine that others use too the
    mean says how busy they were.
    """
    ours, bare = [], []
    with closing(place.driver(place.copy())) as connection:
        for transactions in runs:
            mine, again = [], []
            for ids in transactions:
                with captured(place.engine) as kept:
                    mine.append(timed(partial(work, ids)))
                again.append(timed(partial(replay, connection, kept)))
            ours.append(median(mine))
            bare.append(median(again))
    size = len(runs[0][0])
    figure = f"{size / median(ours[1:]):,.0f}/s, bare {size / median(bare[1:]):,.0f}/s"
    return figure, tuple(one / other for one, other in zip(bare[1:], ours[1:], strict=True))
