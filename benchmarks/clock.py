"""B4, B5: the sweeps of the clock over a large portfolio against the bare indexed SQL that finds and writes the same.

One project in a hundred is due. `--whole` measures a million; `make bench` a twentieth of it, to end within a minute.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from benchmarks.stage import Place, captured, places, replay, server, timed
from benchmarks.table import Result
from benchmarks.worlds import analysed
from flows.deadlines import STAGE_DEADLINES
from flows.reminders import remind
from flows.runtime import run as sweep
from models.db import transaction
from models.projects import Project, StageRun
from models.reading import table_of
from notifications.deadlines import BY_NAME
from notifications.reminders import told_at
from tests.factories import House, a_house, projects

FEW, MANY = (100_000, 1_000_000) if "--whole" in sys.argv else (5_000, 50_000)
RUNS, SHARE, AT_ONCE = 3, 100, 50_000
FAR = date(2027, 1, 4)
ZONE = ZoneInfo("Asia/Shanghai")


def run() -> Iterator[Result]:
    """Measure on both databases."""
    with server() as address:
        for place in places(address):
            yield from _on(place)


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    (pattern,) = projects(house)
    with transaction(place.engine) as session:
        session.execute(text(f"UPDATE stage_run SET due_on = '{FAR}', maximum_on = NULL"))  # noqa: S608 - our own day
    peaks, idle = [], []
    for first, last in ((1, FEW), (FEW + 1, MANY)):
        _many(place, pattern, first, last)
        analysed(place)
        idle.append((_median(partial(_reminded, house, 0)), _median(partial(_swept, house, 0))))
        _made_due(house)
        peaks.append(_peak(house))
        _made_due(house, is_due=False)
    for name, before, after in zip(("reminders", "stage-deadlines"), *idle, strict=True):
        work = f"{name} with nothing due among {MANY:,} projects against {FEW:,}, {place.kind}"
        figure = f"{after * 1000:,.1f} ms, among few {before * 1000:,.1f} ms"
        yield Result(mark="B5", work=work, figure=figure, ratios=(after / before,), at_most=1.2)
    yield _planned(place, house)
    yield Result(
        mark="B4",
        work=f"reminders: peak of memory with {MANY:,} projects over that with {FEW:,}, {place.kind}",
        figure=f"{peaks[1] / 2**20:.0f} MiB",
        ratios=(peaks[1] / peaks[0],),
        at_most=1.1,
    )
    yield _deadlines(place, house)


def _median(work: Callable[[], object]) -> float:
    work()
    return median(timed(work) for _ in range(RUNS))


def _many(place: Place, pattern: UUID, first: int, last: int) -> None:
    """Copy a project and its open visit, by one statement for each table and part."""
    is_sqlite = place.kind == "SQLite"
    head = "00000000-0000-7000-8000-"
    key = f"printf('{head}%012x', n)" if is_sqlite else f"CAST('{head}' || lpad(to_hex(n), 12, '0') AS uuid)"
    own = {"id": key, "stage_run_id": key, "project_id": key, "number": "'S-' || n"}
    for model, column in ((Project, "id"), (StageRun, "project_id")):
        table = table_of(model)
        names = ", ".join(table.c.keys())
        values = ", ".join(own.get(name, f"old.{name}") for name in table.c.keys())  # noqa: SIM118 - a collection of columns
        statement = (
            "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "  # noqa: S608 - our own names
            f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {table.name} AS old, numbers"
            f" WHERE old.{column} = :pattern"
        )
        for start in range(first, last + 1, AT_ONCE):
            with transaction(place.engine) as session:
                part = {"first": start, "last": min(start + AT_ONCE - 1, last)}
                session.execute(text(_bound(statement, place)), {**part, "pattern": _id(place, pattern)})


def _bound(statement: str, place: Place) -> str:
    return statement if place.kind == "SQLite" else statement.replace("SELECT :first", "SELECT CAST(:first AS bigint)")


def _id(place: Place, one: UUID) -> Any:
    return str(one) if place.kind == "SQLite" else one


def _made_due(house: House, *, is_due: bool = True) -> None:
    """Let the visit and the verdicts of every hundredth project end today, or long after; nothing was told before."""
    day, next_day = (f"'{house.today}'", f"'{house.today}'") if is_due else (f"'{FAR}'", "NULL")
    of_these = f"number LIKE 'S-%' AND CAST(substr(number, 3) AS integer) % {SHARE} = 0"
    with transaction(house.engine) as session:
        for statement in (
            "DELETE FROM planned_reminder",
            "DELETE FROM outbox_message",
            f"UPDATE stage_run SET due_on = {day} WHERE project_id IN (SELECT id FROM project WHERE {of_these})",  # noqa: S608
            f"UPDATE project SET next_due_on = {next_day} WHERE {of_these}",  # noqa: S608
        ):
            session.execute(text(statement))


def _reminded(house: House, count: int) -> None:
    done = remind(house.engine, house.stamp(), ZONE)
    if done.sent != count:
        raise RuntimeError(str(done))


def _swept(house: House, count: int) -> None:
    done = sum(sweep(house.engine, one, house.stamp()).done for one in STAGE_DEADLINES)
    if done != count:
        raise RuntimeError(str(done))


def _planned(place: Place, house: House) -> Result:
    """Plan and tell; bare are four inserts with an index of their own, one update and the same message."""
    due = MANY // SHARE
    ratios, ours, bare = [], [], []
    _made_due(house)
    analysed(place)
    with closing(place.driver(place.copy())) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE INDEX ix_bare_due_on ON stage_run (due_on) WHERE closed_on IS NULL")
        connection.commit()
        for _ in range(RUNS):
            ours.append(timed(partial(_reminded, house, due * 2)))  # three days before, and on the day
            bare.append(timed(partial(_bare, place, house, connection)))
            ratios.append(ours[-1] / bare[-1])
            _made_due(house)
            cursor.execute("DELETE FROM planned_reminder")
            cursor.execute("DELETE FROM outbox_message")
            connection.commit()
    figure = f"{median(ours):.2f} s, bare {median(bare):.2f} s"
    work = f"reminders: {due:,} of {MANY:,} projects are due, {place.kind}"
    return Result(mark="B4", work=work, figure=figure, ratios=tuple(ratios), at_most=2.0)


def _bare(place: Place, house: House, connection: Any) -> None:
    key = "lower(hex(randomblob(18)))" if place.kind == "SQLite" else "gen_random_uuid()"
    deadline, day, now = BY_NAME["stage_due"], house.today, house.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    cursor = connection.cursor()
    if place.kind == "SQLite":
        cursor.execute("BEGIN IMMEDIATE")
    for rung, on, _ in deadline.ladder.days(day, day + timedelta(days=45), house.stamp().calendar):
        due_at = told_at(on, ZONE).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        cursor.execute(
            "INSERT INTO planned_reminder (id, what, object_type, object_id, project_id, deadline_on, rung, due_at,"  # noqa: S608
            f" audience, status, reason, created_at) SELECT {key}, 'stage_due', 'stage_run', r.id, p.id, r.due_on,"
            f" {rung}, '{due_at}', '[\"coordinator\"]', 'planned', '', '{now}' FROM stage_run r JOIN project p ON"
            f" p.id = r.project_id AND p.stage_run_id = r.id WHERE r.due_on = '{day}' AND r.closed_on IS NULL"
        )
    cursor.execute(
        f"UPDATE planned_reminder SET status = 'sent', decided_at = '{now}'"  # noqa: S608
        f" WHERE status = 'planned' AND due_at <= '{now}'"
    )
    connection.commit()


def _deadlines(place: Place, house: House) -> Result:
    """Judge again what is due; bare are its writing statements and their commits by the driver."""
    _made_due(house)
    with closing(place.driver(place.copy())) as connection:
        with captured(place.engine) as kept:
            whole = timed(partial(_swept, house, MANY // SHARE))
        bare = timed(partial(replay, connection, kept))
    due = MANY // SHARE
    figure = f"{due / whole:,.0f} projects/s, bare {due / bare:,.0f}/s"
    work = f"stage-deadlines: {due:,} of {MANY:,} projects are due, {place.kind}"
    return Result(mark="–", work=work, figure=figure, ratios=(bare / whole,))


def _peak(house: House) -> int:
    """Run the sweep in a process of its own; return its peak of memory in bytes."""
    url = house.engine.url.render_as_string(hide_password=False)
    program: Sequence[str] = [sys.executable, "-c", _MEASURED, url, house.now.isoformat()]
    done = subprocess.run(program, env=dict(os.environ), stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return int(done.stdout.split()[-1])


_MEASURED = """
import sys
from datetime import datetime
from benchmarks.clock import ZONE
from benchmarks.stage import peak_of_memory
from flows.reminders import remind
from models.db import make_engine
from tests.factories import House
house = House(make_engine(sys.argv[1]), now=datetime.fromisoformat(sys.argv[2]))
remind(house.engine, house.stamp(), ZONE)
print(peak_of_memory())
"""
