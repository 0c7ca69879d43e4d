"""The audit trail to look at: its rows by object, person, act and time, whether a chain holds, the checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal, select, tuple_
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.permissions import PERMISSIONS
from models.agreements import Agreement
from models.funds import Fund
from models.journal import AuditRecord, Checkpoint, CommandRecord
from models.payouts import PaymentBatch, Payout
from models.people import User
from models.programmes import Programme
from models.projects import Project
from models.reading import table_of
from models.tables import metadata, subject_tables

_AUDIT, _USER, _CHECKPOINT, _COMMAND = (table_of(model) for model in (AuditRecord, User, Checkpoint, CommandRecord))
_CALLED: dict[str, tuple[Any, str]] = {
    "project": (Project, "number"),
    "payout": (Payout, "number"),
    "batch": (PaymentBatch, "number"),
    "agreement": (Agreement, "number"),
    "fund": (Fund, "code"),
    "programme": (Programme, "code"),
    "user": (User, "login"),
}
_SHOWN = ("seq", "at", "door", "action", "object_type", "object_id", "chain_seq", "from_state", "to_state", "hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which rows of the trail are asked for; nothing of it for all of them."""

    about: tuple[str, UUID] | None = None
    """(object type, id)."""
    by: UUID | None = None
    act: str = ""
    """A verb, carried out or refused."""
    since: datetime | None = None
    before: datetime | None = None
    """The instant behind the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a look at one chain says."""

    rows: int
    is_whole: bool
    """Each row holds the hash of the one before and of its own body, and none is missing in between."""


def account_of(session: Session, login: str) -> UUID | None:
    """Return the id of the account with this login; None for nobody."""
    return session.execute(select(_USER.c.id).where(_USER.c.login == login.lower())).scalar()


def object_of(session: Session, ref: str) -> tuple[str, UUID] | None:
    """Return (object type, id) of what people call by a number, a code or a login, or by its id; None for nothing."""
    try:
        known = UUID(ref)
    except ValueError:
        known = None
    for object_type, (model, column) in _CALLED.items():
        table = table_of(model)
        named = table.c.id == known if known else func.lower(table.c[column]) == ref.lower()
        found = session.execute(select(table.c.id).where(named).limit(1)).scalar()
        if found is not None:
            return object_type, found
    return _by_its_rows(session, known) if known else None


def acts(session: Session, sought: Sought, *, after: int | None = None, limit: int) -> list[dict[str, Any]]:
    """Return the rows of the trail that are sought, the latest first, behind row `after`; with the name of who acted.

    An act is found by its own rows, done or refused, and by all that its command wrote. `ref` is what people call the
    object, or its project; None where neither has such a name. One statement, three for one act.
    """
    ways = _ways(sought.act) if sought.act else ((_AUDIT, ()),)
    found = {
        row["seq"]: row
        for start, way in ways
        for row in session.execute(_rows(sought, start, way, after).limit(limit)).mappings()
    }
    latest = sorted(found.values(), key=lambda row: (row["at"], row["seq"]), reverse=True)
    return [{**row, "act": _act(row)} for row in latest[:limit]]


def _ways(act: str) -> Sequence[tuple[Any, Sequence[ColumnElement[bool]]]]:
    """Return the tables and conditions by which the rows of an act are found, each in the order of an index."""
    wrote = (
        (_AUDIT.c.actor_id == _COMMAND.c.actor_id)
        & (_AUDIT.c.at == _COMMAND.c.at)
        & (_AUDIT.c.command_id == _COMMAND.c.command_id)
    )
    return (
        (_AUDIT, (_AUDIT.c.action == act,)),
        (_AUDIT, (_AUDIT.c.action == f"{act}.refused",)),
        (_COMMAND.join(_AUDIT, wrote), (_COMMAND.c.verb == act,)),
    )


def _rows(sought: Sought, start: Any, way: Sequence[ColumnElement[bool]], after: int | None) -> Select[Any]:
    is_by_command = start is not _AUDIT
    by = _COMMAND if is_by_command else _AUDIT  # both have who and when; the rows of a command are of its instant
    asked = (_COMMAND.c.actor_id == _AUDIT.c.actor_id) & (_COMMAND.c.command_id == _AUDIT.c.command_id)
    joined = start.outerjoin(_USER, _USER.c.id == _AUDIT.c.actor_id)
    joined = joined if is_by_command else joined.outerjoin(_COMMAND, asked)
    shown = (
        *(_AUDIT.c[name] for name in _SHOWN),
        _USER.c.name.label("by"),
        _USER.c.login,
        _COMMAND.c.verb,
        _reference(),
    )
    last = _AUDIT.alias()
    reached = select(last.c.at).where(last.c.seq == after).scalar_subquery()
    conditions = (
        *way,
        *(_is(sought.about) if sought.about else ()),
        *((by.c.actor_id == sought.by,) if sought.by else ()),
        *((by.c.at >= sought.since,) if sought.since else ()),
        *((by.c.at < sought.before,) if sought.before else ()),
        *((by.c.at <= reached, tuple_(by.c.at, _AUDIT.c.seq) < tuple_(reached, literal(after))) if after else ()),
    )
    return select(*shown).select_from(joined).where(*conditions).order_by(by.c.at.desc(), _AUDIT.c.seq.desc())


def chain_of(session: Session, about: tuple[str, UUID]) -> Chain:
    """Return whether the chain of one object holds: computed anew from its rows."""
    columns = (_AUDIT.c.chain_seq, _AUDIT.c.body, _AUDIT.c.prev_hash, _AUDIT.c.hash)
    rows = session.execute(select(*columns).where(*_is(about)).order_by(_AUDIT.c.chain_seq)).all()
    return Chain(rows=len(rows), is_whole=_is_whole(rows))


def checkpoints(session: Session, *, limit: int) -> list[dict[str, Any]]:
    """Return the newest checkpoints."""
    columns = (
        _CHECKPOINT.c[name]
        for name in ("seq", "at", "audit_seq", "heads_count", "heads_sha256", "file_sha256", "key_id")
    )
    rows = session.execute(select(*columns).order_by(_CHECKPOINT.c.seq.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


def trail_length(session: Session) -> int:
    """Return the number of the last row."""
    return session.execute(select(func.max(_AUDIT.c.seq))).scalar() or 0


def _reference() -> Any:
    """Return the column of what people call an object: one look by its id in the table of its type, row by row."""
    project, tables = table_of(Project), {kind: metadata.tables[name] for kind, name in subject_tables().items()}
    own = {
        kind: select(table_of(model).c[column]).where(table_of(model).c.id == _AUDIT.c.object_id)
        for kind, (model, column) in _CALLED.items()
    }
    of_a_project = {
        kind: select(project.c.number)
        .join(table, table.c.project_id == project.c.id)
        .where(table.c.id == _AUDIT.c.object_id)
        for kind, table in tables.items()
        if kind not in own and "project_id" in table.c and "id" in table.c
    }
    every = {**own, **of_a_project}.items()
    looks = [(_AUDIT.c.object_type == kind, look.correlate(_AUDIT).scalar_subquery()) for kind, look in every]
    return case(*looks, else_=None).label("ref")


def _act(row: Any) -> str:
    """Return what was asked: the act itself where it is a verb, else the verb that it followed from."""
    action = str(row["action"])
    return action if action in PERMISSIONS else row["verb"] or action.removesuffix(".refused")


def _is(about: tuple[str, UUID]) -> tuple[Any, Any]:
    return _AUDIT.c.object_type == about[0], _AUDIT.c.object_id == about[1]


def _by_its_rows(session: Session, object_id: UUID) -> tuple[str, UUID] | None:
    """Return what an id is of which nothing but the trail is asked: by the index of its chain, type by type."""
    asked = (_AUDIT.c.object_type.in_(sorted(subject_tables())), _AUDIT.c.object_id == object_id)
    found = session.execute(select(_AUDIT.c.object_type).where(*asked).limit(1)).scalar()
    return (found, object_id) if found else None


def _is_whole(rows: Sequence[Any]) -> bool:
    before = None
    for number, row in enumerate(rows, start=1):
        follows = before is None or row.prev_hash == before
        if row.chain_seq != number or not follows or row.hash != sha256(f"{row.prev_hash}\n{row.body}"):
            return False
        before = row.hash
    return True
