"""B1, B3: `advance` through the full command against the same statements sent by the driver, same commits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from uuid import UUID

from benchmarks.stage import CLOCK, Place, captured, done, ground, places, registered, replay, server, timed
from benchmarks.table import Result
from lifecycle.actor import Actor
from lifecycle.projects.commands import Advance

RUNS = 7
ONE_BY_ONE = 40
"""Projects advanced in each run, a commit for each."""
AT_ONCE = 1_000
ASKED = {"SQLite": 0.35, "PostgreSQL": 0.40}


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    on = ground(place.engine)
    ids = registered(place.engine, on, (RUNS + 1) * ONE_BY_ONE)
    figure, ratios, _ = against_driver(place, blocks(ids, ONE_BY_ONE), one_by_one)
    yield Result(
        mark="B1",
        work=f"advance, bare standard, {place.kind}",
        figure=figure,
        ratios=ratios,
        at_least=ASKED[place.kind],
    )


def blocks(ids: Sequence[UUID], size: int) -> list[list[UUID]]:
    """Cut into blocks, one for each run; the first of them warms up."""
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def one_by_one(place: Place, ids: Sequence[UUID], by: Actor = CLOCK) -> None:
    """Advance each project in a transaction of its own."""
    for project in ids:
        done(place.engine, Advance(command_id=f"a-{project}", project_id=project, reason="bench"), by=by)


def all_at_once(place: Place, ids: Sequence[UUID], by: Actor = CLOCK) -> None:
    """Advance all projects in one transaction."""
    done(
        place.engine,
        *(Advance(command_id=f"b-{project}", project_id=project, reason="bench") for project in ids),
        by=by,
    )


def against_driver(
    place: Place, ids: Sequence[Sequence[UUID]], work: Callable[[Place, Sequence[UUID]], None]
) -> tuple[str, tuple[float, ...], int]:
    """Run the work on one block after the other, each time followed by the driver on the copy.

    Return the figure, the ratios without the first run, and the number of statements per run.
    """
    ratios, ours, bare, statements = [], [], [], 0
    with closing(place.driver(place.copy())) as connection:
        for block in ids:
            with captured(place.engine) as kept:
                seconds = timed(lambda block=block: work(place, block))
            again = timed(lambda kept=kept: replay(connection, kept))
            ours.append(seconds)
            bare.append(again)
            ratios.append(again / seconds)
            statements = sum(1 for item in kept if item)
    size = len(ids[0])
    figure = f"{size / sorted(ours[1:])[len(ours) // 2 - 1]:,.0f}/s, bare {size / sorted(bare[1:])[len(bare) // 2 - 1]:,.0f}/s"
    return figure, tuple(ratios[1:]), statements


if __name__ == "__main__":
    for one in run():
        print(one.cells())
