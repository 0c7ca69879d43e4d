"""A payment run over the payouts of several funds by one worker and shared by two, each a process, on PostgreSQL."""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

from benchmarks.payments import EACH, approved
from benchmarks.stage import Place, on_postgres, server, timed
from benchmarks.table import Result
from benchmarks.worlds import analysed
from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot
from models.db import make_engine
from models.settings import Settings
from tests.factories import House, a_house
from tests.paying import ACCOUNT, a_paying_fund

FUNDS, FIRMS, RUNS = (10, 10, 1) if "--whole" in sys.argv else (4, 2, 3)
"""Each fund pays so many firms, a hundred payouts each: 10,000 in all, or 800."""
PAYOUTS = FUNDS * FIRMS * EACH
ENOUGH = 10**9
_PATIENCE = 120
_FRESH = multiprocessing.get_context("spawn")


def run() -> Iterator[Result]:
    """Measure on PostgreSQL; SQLite has one writer."""
    with server() as address:
        if address is not None:
            with on_postgres(address) as place:
                yield from _on(place)


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    for number in range(FUNDS):
        approved(a_paying_fund(house, tranches=1, paid_in=ENOUGH, account=f"{ACCOUNT}{number}"), FIRMS)
    analysed(place)
    laps = [(_lap(place, house, 1), _lap(place, house, 2)) for _ in range(RUNS)]
    alone, shared = (median(part) for part in zip(*laps, strict=True))
    yield Result(
        mark="–",
        work=f"{PAYOUTS:,} approved payouts of {FUNDS} funds to `sent`, one worker, {place.kind}",
        figure=f"{alone:,.1f} s, {PAYOUTS / alone:,.0f} payouts/s",
    )
    yield Result(
        mark="–",
        work=f"the same, two workers on {os.cpu_count()} cores with the server: rate over that of one",
        figure=f"{shared:,.1f} s, {PAYOUTS / shared:,.0f} payouts/s",
        ratios=tuple(one / two for one, two in laps),
    )


def _lap(place: Place, house: House, workers: int) -> float:
    """Let fresh processes work on a copy, and return the time from their common start until the last has ended."""
    url = place.copy().replace("postgresql://", "postgresql+psycopg://")
    barrier = _FRESH.Barrier(workers + 1)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "out").mkdir()
        processes = [
            _FRESH.Process(target=_work, args=(url, house.now, folder, f"worker-{number}", barrier), daemon=True)
            for number in range(workers)
        ]
        for process in processes:
            process.start()
        barrier.wait(_PATIENCE)
        seconds = timed(partial(_all_end, processes))
    engine = make_engine(url)
    found = House(engine, now=house.now).rows("SELECT status, done_count FROM scheduled_run")
    sent = House(engine, now=house.now).one("SELECT count(*) FROM v_instruction i JOIN v_batch b ON b.id = i.batch_id")
    engine.dispose()
    if sent != PAYOUTS or len(found) != 1 or found[0].status != "done":
        raise RuntimeError(f"{sent} instructions, {found}")
    return seconds


def _all_end(processes: list[multiprocessing.context.SpawnProcess]) -> None:
    for process in processes:
        process.join()


def _work(url: str, now: datetime, folder: str, name: str, barrier: Barrier) -> None:
    """Be a worker that is woken for this slot."""
    engine, place = make_engine(url), Path(folder)
    settings = Settings(db=url, worker=name, bank_out=place / "out", bank_in=place / "in", bank_take="keep")
    body = {"disbursement": BODIES["disbursement"]}
    work = Clockwork(engine=engine, settings=settings, stamp=House(engine, now=now).stamp(), bodies=body)
    with engine.connect():
        barrier.wait(_PATIENCE)
    run_slot(work, "disbursement", now, asked="bench")
    engine.dispose()
