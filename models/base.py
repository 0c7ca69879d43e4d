"""The form that all tables share: names of constraints, names of tables, and the columns that nouns have in common."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from models.ids import new_id
from models.types import Id, UTCDateTime

# Named from day one: a migration on SQLite copies the table and finds a constraint only by its name.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata

NO_AUDIT = "0" * 64
"""What the first audit record of a subject's chain follows."""


def open_index(table: str, columns: str | tuple[str, ...], condition: str) -> Index:
    """Return the index of a day among the few rows for which it still matters: sweeps find what is due by it."""
    names = (columns,) if isinstance(columns, str) else columns
    name = "_".join(("ix", table, *names))
    return Index(name, *names, sqlite_where=text(condition), postgresql_where=text(condition))


class Row(SQLModel):
    """A table whose name is the class name in snake case: `StageRun` lives in `stage_run`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy hands over the class
        """Return the name of the table."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()


class Identified(Row):
    """A row with a UUIDv7 key."""

    id: UUID = Field(default_factory=new_id, sa_type=Id, primary_key=True)


class Timestamped(SQLModel):
    """A row that knows when it came to be, in business time; the writer says it, no default guesses."""

    created_at: datetime = Field(sa_type=UTCDateTime)


class Subject(Identified):
    """A thing that people act on: it has a version for stale forms and the head of its own audit chain.

    Every act raises `version`; an UPDATE by the ORM names the version it read, as a second net below the lock.
    """

    version: int = 1
    audit_seq: int = 0
    audit_head: str = NO_AUDIT

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands over the class
        """Check the version on each UPDATE; the engine counts it up, not the mapper."""
        return {"version_id_col": cls.__table__.c.version, "version_id_generator": False}  # type: ignore[attr-defined]
