"""B11: `audit verify` of whole chains against a bare SHA-256 loop over the same bytes."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from benchmarks.advance import STANDING, advanced
from benchmarks.stage import Place, ground, places, registered, server, timed
from benchmarks.table import Result
from lifecycle.audit.verify import verify
from models.db import reading

RUNS = 5
PROJECTS = 2_000
ROWS = "SELECT prev_hash, body FROM audit_record ORDER BY object_type, object_id, chain_seq"


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    ids = registered(place.engine, ground(place.engine), PROJECTS)
    for _ in range(2):
        advanced(place, STANDING, ids)
    with closing(place.driver(place.copy())) as connection:
        rows = _read(connection)
        ratios, ours = [], []
        for _ in range(RUNS):
            ours.append(timed(partial(_verified, place, len(rows))))
            ratios.append(timed(lambda: _hashed(_read(connection))) / ours[-1])
        in_memory = min(timed(partial(_hashed, rows)) for _ in range(RUNS))
    figure = f"{len(rows) / min(ours):,.0f} rows/s; hashing alone, without reading: {len(rows) / in_memory:,.0f}"
    work = f"audit verify, {len(rows):,} rows, against reading and hashing them, {place.kind}"
    yield Result(mark="B11", work=work, figure=figure, ratios=tuple(ratios), at_least=0.25)


def _verified(place: Place, count: int) -> None:
    with reading(place.engine) as session:
        found = verify(session)
    if found.problems_count or found.rows_count != count:
        raise RuntimeError(str(found))


def _read(connection: Any) -> list[Any]:
    cursor = connection.cursor()
    cursor.execute(ROWS)
    rows: list[Any] = cursor.fetchall()
    return rows


def _hashed(rows: list[Any]) -> None:
    for previous, body in rows:
        hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
