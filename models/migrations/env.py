"""Runs migrations on the connection that `models.migrate` opened; the transaction is the caller's."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel.sql.sqltypes import AutoString

from models.tables import metadata
from models.types import Day, Id, JSONText, State, UTCDateTime, WordList


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write column types so that a revision stays right when the code moves on: no enum, no SQLModel in it."""
    if kind != "type":
        return False
    if isinstance(item, State):
        return "sa.Text()"
    if isinstance(item, AutoString | WordList):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if isinstance(item, UTCDateTime | Day | Id | JSONText):
        autogen.imports.add(f"from models.types import {type(item).__name__}")
        return f"{type(item).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
