"""The shape of what programs can list and read: columns, order, filters, readers; and the rows as JSON.

Who may read what is the pages' own condition (`reading_rights`, `money_rights`); nothing is decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, column, literal_column, or_, select, text
from sqlmodel import Session

from lifecycle.canonical import instant
from lifecycle.errors import Forbidden, unmet
from models.reading import table_of
from models.states import Role
from models.types import Id
from models.views import COLUMNS, source_of, written_columns
from web.session import Visit

Reach: TypeAlias = Callable[[Visit], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One question that a list can be asked: `?stage=feasibility`."""

    kind: type[Any]
    """str, bool, UUID or an enum: how its value is read."""
    where: Callable[[Visit, Any], ColumnElement[bool]]
    about: str = ""
    """What it asks, in a few words, where its name does not say so."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of row."""

    path: str
    model: type[Any]
    reach: Reach
    view: str = ""
    """The contract's view whose columns are its keys."""
    fields: tuple[str, ...] = ()
    """Its keys, where the contract has no view: columns of its table."""
    key: str = "id"
    order: str = "id"
    """A column in which no two rows are alike. By `id` the oldest stands first."""
    is_newest_first: bool = False
    filters: Mapping[str, Filter] = field(default_factory=dict)
    readers: frozenset[Role] = frozenset()
    """Who is shown such a list at all; none: everybody, each with what they may read."""

    @property
    def table(self) -> Any:
        """Its table."""
        return table_of(self.model)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of each row."""
        return COLUMNS[self.view] if self.view else self.fields

    @property
    def order_kind(self) -> type[Any]:
        """What the values of its order are."""
        return {"id": UUID, "seq": int}.get(self.order, str)

    @property
    def sorts(self) -> tuple[str, ...]:
        """What a list can be sorted by: its default first."""
        ways = (self.order, f"-{self.order}")
        return ways[::-1] if self.is_newest_first else ways

    def for_readers(self, visit: Visit) -> None:
        """Refuse who is shown no such list: the answer says who is."""
        if self.readers and not visit.roles & self.readers:
            raise Forbidden(unmet("role", needs=sorted(self.readers), verb="read"))


def documents(session: Session, resource: Resource, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Return key -> the columns of these rows as the contract writes them. One statement, by key."""
    if not keys:
        return {}
    if not resource.view:
        table = resource.table
        rows = session.execute(select(table).where(table.c[resource.key].in_(keys))).mappings()
        return {row[resource.key]: {name: _plain(row[name]) for name in resource.fields} for row in rows}
    dialect = session.get_bind().dialect.name
    columns: list[Any] = [literal_column(said).label(name) for name, said in written_columns(resource.view, dialect)]
    own: ColumnElement[Any] = column("id", Id) if resource.key == "id" else column(resource.key)
    wanted = bindparam("wanted", expanding=True, type_=own.type)
    statement = select(own.label("its_key"), *columns).select_from(text(source_of(resource.view)))
    rows = session.execute(statement.where(own.in_(wanted)), {"wanted": list(keys)}).mappings()
    return {row["its_key"]: {name: row[name] for name in resource.keys} for row in rows}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | StrEnum) else value


def of_columns(model: Any, **kinds: type[Any]) -> dict[str, Filter]:
    """Return filters that ask for one value of a column: `of_columns(Payout, state=PayoutState)`."""
    return {name: Filter(kind=kind, where=_equals(table_of(model).c[name])) for name, kind in kinds.items()}


def _equals(asked: Any) -> Callable[[Visit, Any], ColumnElement[bool]]:
    return lambda _visit, value: asked == value


def text_in(*columns: Any) -> dict[str, Filter]:
    """Return the filter for part of a text, whatever its case."""
    return {
        "q": Filter(
            kind=str,
            where=lambda _visit, value: or_(*(one.icontains(value.strip(), autoescape=True) for one in columns)),
            about="part of " + ", ".join(one.name for one in columns),
        )
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that belong to one thing: `/projects/{ref}/requirements`."""

    resource: Resource
    within: Callable[[UUID], ColumnElement[bool]]
    """Condition on its table, from the id of the thing."""


def by_column(resource: Resource, name: str) -> Part:
    """Return the part whose rows name the thing in one column."""
    return Part(resource=resource, within=lambda row_id: resource.table.c[name] == row_id)
