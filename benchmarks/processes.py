"""B2: eight processes on PostgreSQL, each advancing its own projects, against eight that send the same statements."""

import multiprocessing
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Barrier
from uuid import UUID

import psycopg

from benchmarks.advance import STANDING, advanced
from benchmarks.stage import Place, captured, ground, on_postgres, registered, replay, server, timed
from benchmarks.table import Result
from models.db import make_engine

WORKERS, EACH, RUNS = 8, 25, 5


def run() -> list[Result]:
    """Measure on PostgreSQL; SQLite has one writer."""
    with server() as address:
        if address is None:
            return []
        with on_postgres(address) as place:
            return [_on(place)]


def _on(place: Place) -> Result:
    ids = registered(place.engine, ground(place.engine), WORKERS * EACH * (RUNS + 1))
    bare, url = place.copy(), place.engine.url.render_as_string(hide_password=False)
    fresh = multiprocessing.get_context("spawn")
    barrier = fresh.Barrier(WORKERS + 1)
    workers = [
        fresh.Process(target=_work, args=(url, bare, ids[number::WORKERS], barrier), daemon=True)
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    lap = partial(_lap, barrier)
    laps = [(timed(lap), timed(lap)) for _ in range(RUNS + 1)][1:]
    for worker in workers:
        worker.join()
    ours, again = (sorted(part)[RUNS // 2] for part in zip(*laps, strict=True))
    return Result(
        mark="B2",
        work=f"advance by {WORKERS} processes, {place.kind}",
        figure=f"{WORKERS * EACH / ours:,.0f}/s, bare {WORKERS * EACH / again:,.0f}/s",
        ratios=tuple(other / one for one, other in laps),
        at_least=0.40,
    )


def _lap(barrier: Barrier) -> None:
    barrier.wait()
    barrier.wait()


def _work(url: str, bare: str, ids: Sequence[UUID], barrier: Barrier) -> None:
    """Advance, and then replay, one block of projects in each run, all workers at the same time."""
    engine = make_engine(url)
    place = Place("PostgreSQL", engine, lambda: bare, psycopg.connect)
    with closing(psycopg.connect(bare)) as connection:
        for start in range(0, len(ids), EACH):
            with captured(engine) as kept:
                barrier.wait()
                for project in ids[start : start + EACH]:
                    advanced(place, STANDING, [project])
                barrier.wait()
            barrier.wait()
            replay(connection, kept)
            barrier.wait()
