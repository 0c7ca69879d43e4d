"""The shape of what programs can list and read: columns, order, filters, readers; and the rows as JSON.

Who may read what is the pages' own condition (`reading_rights`, `money_rights`); nothing is decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, column, literal_column, or_, select, text
from sqlmodel import Session

from lifecycle.canonical import instant
from lifecycle.errors import Forbidden, unmet
from models.journal import AuditRecord
from models.reading import table_of
from models.states import Role
from models.tables import object_type_of
from models.types import Id
from models.views import COLUMNS, source_of, written_columns
from web.session import Visit

Reach: TypeAlias = Callable[[Visit], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One question that a list can be asked: `?stage=feasibility`."""

    kind: type[Any]
    """str, bool, UUID, datetime or an enum: how its value is read."""
    where: Callable[[Visit, Any], ColumnElement[bool]]
    words: tuple[str, ...] = ()
    """What a text can be, where it is one of a few."""
    about: str = ""
    """What it asks, in a few words, where its name does not say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One more order that a list can be asked for; an index on its column and the list's own order finds the page."""

    column: str
    """Rows without a value come last, whichever way it goes; rows with the same one stand in the list's own order."""
    kind: type[Any]
    is_falling: bool = False
    """The greatest value stands first: of ages, for one, the latest day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Something that each row of a list can bring along, in a fixed number of statements for any number of rows."""

    read: Callable[[Session, Visit, Sequence[Any]], Mapping[Any, Any]]
    """Key -> what is told, as far as the reader may see it; a row that is left out brings nothing (null)."""
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of row."""

    path: str
    model: type[Any]
    reach: Reach
    view: str = ""
    """The contract's view whose columns are its keys."""
    fields: tuple[str, ...] = ()
    """Its keys, where the contract has no view: columns of its table. Else those behind the columns of the view."""
    key: str = "id"
    order: str = "id"
    """A column in which no two rows are alike. By `id` the oldest stands first."""
    is_newest_first: bool = False
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[str, Sort] = field(default_factory=dict)
    includes: Mapping[str, Include] = field(default_factory=dict)
    readers: frozenset[Role] = frozenset()
    """Who is shown such a list at all; none: everybody, each with what they may read."""

    @property
    def table(self) -> Any:
        """Its table."""
        return table_of(self.model)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of each row."""
        return (*(COLUMNS[self.view] if self.view else ()), *self.fields)

    @property
    def order_kind(self) -> type[Any]:
        """What the values of its order are."""
        return {"id": UUID, "seq": int}.get(self.order, str)

    @property
    def sorts(self) -> tuple[str, ...]:
        """What a list can be sorted by: its default first."""
        ways = (self.order, f"-{self.order}")
        own = ways[::-1] if self.is_newest_first else ways
        return (*own, *(way for name in self.orders for way in (name, f"-{name}")))

    def for_readers(self, visit: Visit) -> None:
        """Refuse who is shown no such list: the answer says who is."""
        if self.readers and not visit.roles & self.readers:
            raise Forbidden(unmet("role", needs=sorted(self.readers), verb="read"))


def documents(session: Session, resource: Resource, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Return key -> the columns of these rows: one statement for the view as the contract writes it, one for others."""
    seen = _of_view(session, resource, keys) if resource.view and keys else {}
    others = _of_table(session, resource, keys) if resource.fields and keys else {}
    return {key: {**seen.get(key, {}), **others.get(key, {})} for key in seen or others}


def _of_table(session: Session, resource: Resource, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    table = resource.table
    columns = (table.c[resource.key].label("its_key"), *(table.c[name] for name in resource.fields))
    rows = session.execute(select(*columns).where(table.c[resource.key].in_(keys))).mappings()
    return {row["its_key"]: {name: _plain(row[name]) for name in resource.fields} for row in rows}


def _of_view(session: Session, resource: Resource, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    dialect = session.get_bind().dialect.name
    columns: list[Any] = [literal_column(said).label(name) for name, said in written_columns(resource.view, dialect)]
    own: ColumnElement[Any] = column("id", Id) if resource.key == "id" else column(resource.key)
    wanted = bindparam("wanted", expanding=True, type_=own.type)
    statement = select(own.label("its_key"), *columns).select_from(text(source_of(resource.view)))
    rows = session.execute(statement.where(own.in_(wanted)), {"wanted": list(keys)}).mappings()
    return {row["its_key"]: {name: row[name] for name in COLUMNS[resource.view]} for row in rows}


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


def acted_on_since(model: Any) -> dict[str, Filter]:
    """Return the filter for subjects whose audit chain has grown since an instant; its newest act says when.

    What only time has changed is no act; the order of acts is that of `/events`.
    """
    table, audit = table_of(model), table_of(AuditRecord)
    newest = (
        audit.c.object_type == object_type_of(str(table.name)),
        audit.c.object_id == table.c.id,
        audit.c.chain_seq == table.c.audit_seq,
    )
    return {
        "updated_since": Filter(
            kind=datetime,
            where=lambda _visit, since: (
                select(audit.c.seq).where(*newest, audit.c.at >= since).correlate(table).exists()
            ),
            about="acted on at or after an instant, RFC 3339 with its zone",
        )
    }


def as_instant(text: str) -> datetime:
    """Return an instant as RFC 3339 writes it; ValueError for anything else, and for one without its zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or "T" not in text.upper():
        raise ValueError(text)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


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
