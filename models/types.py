"""Column types: the very text of the contract on SQLite, native on PostgreSQL.

Also the two kinds of column that carry a CHECK (states, money), and SQLite with STRICT tables.
"""

import functools
import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    String,
    Table,
    Text,
    Uuid,
    event,
    literal,
    type_coerce,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler, SQLiteTypeCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.money import MAX_MINOR

E = TypeVar("E", bound=StrEnum)
Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def utc_text(value: datetime) -> str:
    """Return an aware instant as `YYYY-MM-DDTHH:MM:SS.ffffffZ`; naive values raise ValueError."""
    if value.tzinfo is UTC:  # as nearly always: nothing to turn round
        return value.isoformat(timespec="microseconds")[:-6] + "Z"
    if value.utcoffset() is None:
        message = f"a naive datetime has no place in time: {value!r}"
        raise ValueError(message)
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def canonical_json(value: Json) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, non-ASCII kept; NaN and infinity: ValueError."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant: `2025-07-08T01:00:00.000000Z` on SQLite, timestamptz on PostgreSQL, always UTC in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite, whose own dates are naive."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: object, dialect: Dialect) -> str | datetime | None:
        """Refuse what is naive or no datetime."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            message = f"expected an aware datetime, got {value!r}"
            raise TypeError(message)
        text = utc_text(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: str | datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return aware UTC."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day: ISO text on SQLite, date on PostgreSQL. A datetime is refused: its day depends on the place."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: object, dialect: Dialect) -> str | date | None:
        """Refuse what is no plain date."""
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            message = f"expected a date, got {value!r}"
            raise TypeError(message)
        return value.isoformat() if dialect.name == "sqlite" else value

    def process_result_value(self, value: str | date | None, dialect: Dialect) -> date | None:  # noqa: ARG002
        """Return a date."""
        return date.fromisoformat(value) if isinstance(value, str) else value


_parsed = functools.lru_cache(maxsize=1 << 16)(uuid.UUID)
"""The same ids are read again and again, and parsing one costs more than finding it."""


class Id(TypeDecorator[uuid.UUID]):
    """A UUID: 36 lower-case characters on SQLite, native on PostgreSQL."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite, where SQLAlchemy would drop the hyphens."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Uuid())

    def process_bind_param(self, value: object, dialect: Dialect) -> str | uuid.UUID | None:
        """Refuse text: two spellings of one id would be two ids."""
        if value is None:
            return None
        if not isinstance(value, uuid.UUID):
            message = f"expected a UUID, got {value!r}"
            raise TypeError(message)
        return str(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: str | uuid.UUID | None, dialect: Dialect) -> uuid.UUID | None:  # noqa: ARG002
        """Return a UUID."""
        return _parsed(value) if isinstance(value, str) else value


class JSONText(TypeDecorator[Json]):
    """JSON: canonical text on SQLite, JSONB on PostgreSQL. A change inside the value is not seen: assign a new one."""

    impl = JSONB
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Store text on SQLite; Python's None is SQL's NULL on both."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSONB(none_as_null=True))

    def process_bind_param(self, value: Json, dialect: Dialect) -> Json:
        """Write canonical text where text is stored; what is no JSON is refused on both."""
        if value is None:
            return None
        text = canonical_json(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Json:
        """Return the value; psycopg has parsed it already, SQLite gives text."""
        parsed: Json = json.loads(value) if value is not None and dialect.name == "sqlite" else value
        return parsed


class WordList(TypeDecorator[list[str]]):
    """A few plain words, sorted, with a space between them: `platform sme`; found by `says`."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy hands it over
        """Write each word once."""
        return None if value is None else " ".join(sorted(set(value)))

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[str] | None:  # noqa: ARG002 - SQLAlchemy hands it over
        """Return the words; None where nothing was written yet."""
        return None if value is None else value.split()


def says(column: Any, word: str) -> ColumnElement[bool]:
    """Return the condition that a `WordList` holds a word."""
    text: Any = literal(" ", String) + type_coerce(column, String) + literal(" ", String)
    found: ColumnElement[bool] = text.like(f"% {word} %")
    return found


class State(TypeDecorator[StrEnum]):
    """A word of an enum, stored by its value as text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        """Remember which words are known."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Refuse a word that the enum does not have."""
        if value is None:
            return None
        return (value if isinstance(value, self.words) else self.words(value)).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Return the member; a stored word that nobody knows raises ValueError here."""
        return None if value is None else self.words(value)


def state_column(words: type[StrEnum], **column_kwargs: Any) -> Column[Any]:
    """Return a column that holds a word of the enum, with a CHECK, so that both databases refuse nonsense.

    Not null unless `nullable=True` is given. Use it as `Field(sa_column=state_column(ProjectState))`.
    """
    column: Column[Any] = Column(State(words), **{"nullable": False, **column_kwargs})
    known = [word.value for word in words]
    return _checked(column, "known", lambda attached: attached.in_(known))


def minor_column(*, minimum: int = 1, maximum: int = MAX_MINOR, **column_kwargs: Any) -> Column[Any]:
    """Return a column for an amount in minor units, with its bounds as a CHECK (`safety.md` 2.2).

    Not null unless `nullable=True` is given. Use it as `amount_minor: int = Field(sa_column=minor_column())`.
    """
    column: Column[Any] = Column(BigInteger, **{"nullable": False, **column_kwargs})
    return _checked(column, "bounds", lambda attached: attached.between(minimum, maximum))


def _checked(column: Column[Any], name: str, rule: Callable[[Column[Any]], ColumnElement[bool]]) -> Column[Any]:
    """Give the table a CHECK named after the column, once the column knows its name and table."""

    def add_check(attached: Column[Any], table: Table) -> None:
        # Through text, so that the migration shows plain SQL and both databases get the same words.
        sql = rule(Column(attached.name, attached.type.impl if isinstance(attached.type, State) else attached.type))
        text = str(sql.compile(compile_kwargs={"literal_binds": True}))
        table.append_constraint(CheckConstraint(text, name=f"{attached.name}_{name}"))

    event.listen(column, "after_parent_attach", add_check)
    return column


_STRICT_NAMES = (
    dict.fromkeys(("INTEGER", "BIGINT", "SMALLINT", "BOOLEAN"), "INTEGER")
    | dict.fromkeys(("TEXT", "VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "CLOB", "UUID", "JSON"), "TEXT")
    | dict.fromkeys(("DATE", "DATETIME", "TIMESTAMP", "TIME"), "TEXT")
    | dict.fromkeys(("REAL", "FLOAT", "DOUBLE"), "REAL")
    | {"BLOB": "BLOB"}
)


class _StrictTypes(SQLiteTypeCompiler):
    """Names only the types that a STRICT table of SQLite knows: INTEGER, REAL, TEXT, BLOB (`safety.md` S15)."""

    def process(self, type_: TypeEngine[Any], **kw: Any) -> str:
        """Return the type's name as a STRICT table knows it; CompileError for types that lose digits."""
        name = super().process(type_, **kw).partition("(")[0]
        if name not in _STRICT_NAMES:
            message = f"{type_!r} has no exact form on SQLite: store an integer of minor units, or text"
            raise CompileError(message)
        return _STRICT_NAMES[name]


class _StrictTables(SQLiteDDLCompiler):
    """Makes every table STRICT, those of migrations and their temporary copies too."""

    def post_create_table(self, table: Table) -> str:
        """Add STRICT to whatever else the table asks for."""
        options: str = super().post_create_table(table)  # type: ignore[no-untyped-call]
        if "STRICT" in options:
            return options
        return f"{options}, STRICT" if options else "\n STRICT"


class StrictSQLite(SQLiteDialect_pysqlite):
    """SQLite through the standard driver, all tables STRICT.

    A dialect of its own instead of rules for all of SQLAlchemy, so that other databases of the process
    (the one of an orchestration server, for example) are left as they are.
    """

    supports_statement_cache = True
    type_compiler_cls = _StrictTypes
    ddl_compiler = _StrictTables


STRICT_DRIVER = "sqlite+strict"
registry.register("sqlite.strict", __name__, StrictSQLite.__name__)
