"""B17: the rate of `advance` among many projects with their history against the rate among few."""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from uuid import UUID

from benchmarks.advance import STANDING, advanced
from benchmarks.stage import Place, ground, places, registered, server, timed
from benchmarks.table import Result
from benchmarks.worlds import analysed, copied

RUNS = 5
ONE_BY_ONE = 40
FEW, MANY = 5_000, 100_000


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    on = ground(place.engine)
    (pattern,) = registered(place.engine, on, 1)
    copied(place.engine, pattern, FEW)
    among_few = _rates(place, registered(place.engine, on, (RUNS + 1) * ONE_BY_ONE, key="few"))
    copied(place.engine, pattern, MANY - FEW)
    analysed(place)
    among_many = _rates(place, registered(place.engine, on, (RUNS + 1) * ONE_BY_ONE, key="many"))
    yield Result(
        mark="B17",
        work=f"one advance among {MANY:,} projects against {FEW:,}, {place.kind}",
        figure=f"{median(among_many):,.0f}/s, among few {median(among_few):,.0f}/s",
        ratios=tuple(many / median(among_few) for many in among_many),
        at_least=0.8,
    )


def _rates(place: Place, ids: Sequence[UUID]) -> list[float]:
    rates = []
    for start in range(0, len(ids), ONE_BY_ONE):
        each = [timed(partial(advanced, place, STANDING, [one])) for one in ids[start : start + ONE_BY_ONE]]
        rates.append(1 / median(each))
    return rates[1:]
