"""Many things from a few: each row of a pattern once for each number, by one statement, a million within minutes.

What is copied belongs either to a project or to a block of projects; a block has a platform and a fund of its own, so
that whoever looks after one platform reads as many projects as before, however many there are elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Table,
    UniqueConstraint,
    case,
    cast,
    func,
    insert,
    literal,
    select,
)

from benchmarks.stage import Place
from models.db import reading, transaction
from models.tables import metadata
from models.types import Id

AT_ONCE = 50_000
_DIGITS, _ROOM = 7, 28
"""Of the greatest number, and how long a text may become."""
Number = ColumnElement[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Rows that are copied together."""

    rows: Mapping[Table, Sequence[Mapping[str, Any]]]
    kinds: Mapping[UUID, int]
    """Id of each row -> what its copies' ids begin with."""
    changed: Mapping[str, Any] = field(default_factory=dict)
    """`table.column` -> a function of the number that says what stands there in a copy."""


def pattern(place: Place, owners: Mapping[str, str], ids: Sequence[UUID], *, begin: int, **changed: Any) -> Pattern:
    """Return the rows of these tables whose owner (table -> column) is one of these."""
    rows = {}
    with reading(place.engine) as session:
        for table in metadata.sorted_tables:
            if table.name in owners:
                found = session.execute(select(table).where(table.c[owners[table.name]].in_(ids)))
                rows[table] = [dict(row._mapping) for row in found]  # noqa: SLF001 - its documented name
    own = [row["id"] for some in rows.values() for row in some if "id" in row]
    return Pattern(rows=rows, kinds={one: begin + at for at, one in enumerate(own)}, changed=changed)


def multiply(place: Place, this: Pattern, first: int, last: int, *, of: Pattern | None = None, block: int = 1) -> None:
    """Copy a pattern for each number; ids that are of the pattern `of` become those of the number's block.

    The first block is the pattern's own.
    """
    for table, rows in this.rows.items():
        for row in rows:
            for start in range(first, last + 1, AT_ONCE):
                numbers = select(literal(start, Integer).label("n")).cte("numbers", recursive=True)
                end = min(start + AT_ONCE - 1, last)
                numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < end))
                told = {
                    name: _told(place, this, of, table, name, value, numbers.c.n, block)
                    for name, value in row.items()
                    if name != "seq"
                }
                asked = select(*(value.label(name) for name, value in told.items())).select_from(numbers)
                with transaction(place.engine) as session:
                    if place.kind == "PostgreSQL":  # what is copied keeps what the original kept: no key is asked again
                        session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
                    session.execute(insert(table).from_select(list(told), asked, include_defaults=False))


def _told(  # noqa: PLR0913, PLR0917 - what one value of a copy depends on
    place: Place, this: Pattern, of: Pattern | None, table: Table, name: str, value: Any, n: Number, block: int
) -> ColumnElement[Any]:
    column = table.c[name]
    if change := this.changed.get(f"{table.name}_{name}"):
        return literal(value, column.type) if change is None else change(n, column.type)
    if isinstance(value, UUID) and value in this.kinds:
        return _key(place, this.kinds[value], n)
    if of is not None and isinstance(value, UUID) and value in of.kinds:
        number = (n - 1) / block if place.kind == "SQLite" else func.div(n - 1, block)
        whole = cast(number, Integer)
        return case((n <= block, literal(value, Id)), else_=_key(place, of.kinds[value], whole))
    if type(value) is str and _is_alone(table, name):
        room = min(getattr(column.type, "length", None) or _ROOM, _ROOM) - _DIGITS - 1
        return literal(f"{value[-room:]}~", String) + cast(n, String)
    return literal(value, column.type)


def _is_alone(table: Table, name: str) -> bool:
    """Say whether a text may stand in one row only."""
    sets = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    sets += [one.columns for one in table.indexes if one.unique]
    has_room = (getattr(table.c[name].type, "length", None) or _ROOM) > 2 * _DIGITS  # a currency has three letters
    return has_room and any(name in columns and not any(isinstance(c.type, Id) for c in columns) for columns in sets)


def _key(place: Place, kind: int, n: Number) -> ColumnElement[Any]:
    if place.kind == "SQLite":
        return func.printf("%08x-0000-7000-8000-%012x", kind, n)
    return cast(literal(f"{kind:08x}-0000-7000-8000-", String) + func.lpad(func.to_hex(n), 12, "0"), Id)
