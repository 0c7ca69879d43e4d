"""`gate check` of a whole portfolio: judged against the bare reads of the same rows, and the command as a whole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from benchmarks.stage import Place, captured, places, replay, server, stamp, timed
from benchmarks.table import Result
from benchmarks.worlds import JOURNAL, analysed, copied, decided, new_case, storied
from lifecycle.projects.queries import living_project_ids, project_rows
from lifecycle.verdicts.cache import verdicts_of
from models.db import reading

RUNS = 3
FEW, MANY = 1_000, 10_000
CHUNK = 500
"""As many as the command reads at once."""


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    story = storied(place.engine)
    without_papers, with_papers = new_case(story).project_id, decided(story)[0]
    peaks = []
    for many in (FEW, MANY - FEW):
        for project in (without_papers, with_papers):
            copied(place.engine, project, many // 2, left_out=JOURNAL)
        analysed(place)
        spent, peak = _command(place)
        peaks.append(peak)
    ratios, ours = [], []
    with closing(place.driver(place.copy())) as connection:
        for _ in range(RUNS):
            with captured(place.engine) as kept:
                ours.append(timed(partial(_judged, place)))
            ratios.append(timed(partial(replay, connection, [*kept, None])) / ours[-1])
    yield Result(
        mark="–",
        work=f"judge the gates of {MANY:,} projects, half with all papers, {place.kind}",
        figure=f"{MANY / min(ours):,.0f} projects/s",
        ratios=tuple(ratios),
    )
    yield Result(
        mark="–",
        work=f"`gate check --all` on {MANY:,} projects, {place.kind}",
        figure=f"{MANY / spent:,.0f} projects/s with start-up, peak {peaks[1] / 2**20:.0f} MiB, over that of {FEW:,}:",
        ratios=(peaks[1] / peaks[0],),
        at_most=1.2,
    )


def _judged(place: Place) -> None:
    with reading(place.engine) as session:
        for ids in living_project_ids(session, CHUNK):
            for _ in verdicts_of(session, project_rows(session, ids), stamp()):
                pass


def _command(place: Place) -> tuple[float, int]:
    """Run the command in a process of its own; return its seconds and its peak of memory in bytes."""
    url = place.engine.url.set(drivername=place.engine.url.get_backend_name() + _DRIVER[place.kind])
    environment = {**os.environ, "PILOTWAY_DB": url.render_as_string(hide_password=False), "PILOTWAY_MODE": "rehearsal"}
    program = [sys.executable, "-c", _MEASURED]
    finished: list[Any] = []

    def work() -> None:
        finished.append(subprocess.run(program, env=environment, capture_output=True, text=True, check=False))  # noqa: S603

    spent = timed(work)
    if finished[0].returncode != 3:  # something is unmet, as it should be
        raise RuntimeError(finished[0].stderr)
    return spent, int(finished[0].stderr.split()[-1])


_DRIVER = {"SQLite": "", "PostgreSQL": "+psycopg"}
_MEASURED = """
import sys
from benchmarks.stage import peak_of_memory
from cli.main import main
sys.argv = ["pilotway", "gate", "check", "--all"]
try:
    main()
finally:
    print(peak_of_memory(), file=sys.stderr)
"""
