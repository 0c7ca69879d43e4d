"""What the engine writes for every act: the rows themselves, transitions, sealed audit rows, messages, commands.

Set-based Core statements, built once: their number does not depend on the number of commands.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from lifecycle.canonical import canonical, instant, sha256
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Stale, Unmet, unmet
from models.base import Row as TableRow
from models.db import is_sqlite
from models.installation import NumberSeries
from models.journal import AuditRecord, CommandRecord, OutboxMessage, Transition
from models.people import User
from models.reading import one_of, wanted
from models.states import DeliveryStatus
from models.tables import object_type_of

NO_HASH = "0" * 64


@dataclass(slots=True)
class Done:
    """A command on its way into the database: its effects, and the answer that grows with the write."""

    verb: Verb[Any, Any]
    task: Task[Any]
    effects: Effects
    document: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Chain:
    """The head of one subject's audit chain while a batch is written."""

    version: int
    seq: int
    head: str
    row_version: int | None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Sheet:
    """All rows of one batch, gathered before the first statement runs."""

    chains: dict[tuple[type[TableRow], UUID], _Chain] = field(default_factory=dict)
    births: dict[tuple[type[TableRow], UUID], dict[str, Any]] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)


def write(session: Session, done: Sequence[Done], stamp: Stamp) -> None:
    """Write all effects and their journal; fill in the answers. Raises `Stale` when a row moved all the same."""
    sheet = _Sheet()
    moves = sum(1 for item in done for act in item.effects.acts if act.event)
    seqs = iter(_transition_seqs(session, moves))
    for item in done:
        for place, act in enumerate(item.effects.acts):
            seq = _enter(sheet, act, item.task.command.command_id, stamp, next(seqs) if act.event else None)
            if place == 0:
                item.document["transition_seq"] = seq
    _write_subjects(session, sheet)
    _write_rows(session, done, sheet)
    _insert(session, Transition, sheet.transitions)
    _insert(session, AuditRecord, sheet.audits)
    _insert(
        session, OutboxMessage, [_outbox(item, message, stamp) for item in done for message in item.effects.messages]
    )
    for item in done:
        _answer(item, sheet)
    _insert(session, CommandRecord, [_record(item, stamp) for item in done])


def misfits(effects: Effects) -> tuple[Unmet, ...]:
    """Return what is too long or too large for its column, on either database: SQLite itself would keep it."""
    written = [
        *((act.table, act.values) for act in effects.acts),
        *effects.rows,
        *((table, values) for table, _, values in effects.updates),
    ]
    return tuple(fault for table, values in written for fault in _too_large(table, values))


def _too_large(table: type[TableRow], values: Mapping[str, Any]) -> Iterator[Unmet]:
    limits = _limits(table)
    for name, value in values.items():
        field, kind, limit = limits.get(name, ("", None, 0))
        if kind is str and isinstance(value, str) and len(value) > limit:
            yield unmet("text_over_limit", field=field, limit=limit, length=len(value))
        elif kind is int and isinstance(value, int) and abs(value) > limit:
            yield unmet("number_over_limit", field=field, limit=limit)


@functools.cache
def _limits(table: type[TableRow]) -> dict[str, tuple[str, type, int]]:
    limits: dict[str, tuple[str, type, int]] = {}
    for column in _table(table).columns:
        length = getattr(column.type, "length", None)
        field = f"{_table(table).name}.{column.name}"
        if length:
            limits[column.name] = (field, str, length)
        elif isinstance(column.type, Integer):
            limits[column.name] = (field, int, 2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1)
    return limits


def write_refusals(
    session: Session, refused: Sequence[tuple[Verb[Any, Any], Task[Any], tuple[str, ...]]], stamp: Stamp
) -> None:
    """Write the audit row of each refusal that concerned a right, a person or money; nothing else changes.

    It stands in the chain of what the command was about; where nothing exists yet, in that of the account that tried,
    with the ids that the command names.
    """
    sheet = _Sheet()
    account = _account(session, stamp) if any(task.row is None for _, task, _ in refused) else None
    for verb, task, codes in refused:
        row, holder = (account, User) if task.row is None else (task.row, verb.subject)
        if row is None or holder is None:  # the clock has no account
            continue
        act = Act(
            table=holder,
            object_type=object_type_of(str(holder.__tablename__)),
            id=row.id,
            action=f"{verb.permission}.refused",
            row=row,
            detail={"codes": list(codes), **(_named(task.command) if task.row is None else {})},
        )
        _enter(sheet, act, task.command.command_id, stamp, None)
    heads: dict[type[TableRow], list[dict[str, Any]]] = {}
    for (table, row_id), chain in sheet.chains.items():
        values = {"audit_seq": chain.seq, "audit_head": chain.head}
        heads.setdefault(table, []).append({"b_id": row_id, **_prefixed(values)})
    for table, rows in heads.items():
        session.connection().execute(_update_plain(table, ("audit_head", "audit_seq")), rows)
    _insert(session, AuditRecord, sheet.audits)


def _account(session: Session, stamp: Stamp) -> Any:
    """Lock the acting account, as whoever writes into its chain does."""
    user = _table(User)
    return session.execute(select(user).where(user.c.id == stamp.actor.user_id).with_for_update()).first()


def _named(command: Command) -> dict[str, Any]:
    return {name: value for name, value in command.asks().items() if isinstance(value, UUID)}


def _enter(sheet: _Sheet, act: Act, command_id: str, stamp: Stamp, seq: int | None) -> int | None:
    chain = _chain_of(sheet, act)
    rows: list[list[Any]] = []
    if act.event and seq is not None:
        rows.append(["v_transition", seq, _enter_transition(sheet, act, command_id, stamp, seq)])
    chain.seq += 1
    body = canonical(
        {
            "action": act.action,
            "actor_id": stamp.actor.user_id,
            "at": stamp.now,
            "chain_seq": chain.seq,
            "command_id": command_id,
            "detail": dict(act.detail),
            "door": str(stamp.actor.door),
            "from_state": act.from_state,
            "object_id": act.id,
            "object_type": act.object_type,
            "rows": rows,
            "to_state": act.to_state,
        }
    )
    previous, chain.head = chain.head, sha256(f"{chain.head}\n{body}")
    sheet.audits.append(
        {
            "at": stamp.now,
            "actor_id": stamp.actor.user_id,
            "door": stamp.actor.door,
            "action": act.action,
            "object_type": act.object_type,
            "object_id": act.id,
            "chain_seq": chain.seq,
            "from_state": act.from_state,
            "to_state": act.to_state,
            "command_id": command_id,
            "body": body,
            "prev_hash": previous,
            "hash": chain.head,
        }
    )
    return seq


def _chain_of(sheet: _Sheet, act: Act) -> _Chain:
    key = (act.table, act.id)
    chain = sheet.chains.get(key)
    if chain is None:
        if act.row is None:
            chain = _Chain(version=0, seq=0, head=NO_HASH, row_version=None)
        else:
            chain = _Chain(act.row.version, act.row.audit_seq, act.row.audit_head, act.row.version)
        sheet.chains[key] = chain
    chain.version += 1
    chain.values.update(act.values)
    return chain


def _enter_transition(sheet: _Sheet, act: Act, command_id: str, stamp: Stamp, seq: int) -> str:
    row = {
        "seq": seq,
        "object_type": act.object_type,
        "object_id": act.id,
        "event": act.event,
        "from_state": act.from_state,
        "to_state": act.to_state,
        "actor_id": stamp.actor.user_id,
        "command_id": command_id,
        "definition_version": act.definition_version,
        "at": stamp.now,
    }
    sheet.transitions.append(row)
    return sha256(canonical(list(row.values())))


def _write_subjects(session: Session, sheet: _Sheet) -> None:
    groups: dict[tuple[type[TableRow], tuple[str, ...]], list[dict[str, Any]]] = {}
    for (table, row_id), chain in sheet.chains.items():
        values = {**chain.values, "version": chain.version, "audit_seq": chain.seq, "audit_head": chain.head}
        if chain.row_version is None:
            sheet.births[table, row_id] = {**values, "id": row_id}
            continue
        row = {"b_id": row_id, "b_version": chain.row_version, **_prefixed(values)}
        groups.setdefault((table, tuple(sorted(values))), []).append(row)
    for (table, columns), rows in groups.items():
        result: Any = session.connection().execute(_update_subject(table, columns), rows)
        if result.rowcount != len(rows):
            raise Stale("stale")


def _write_rows(session: Session, done: Sequence[Done], sheet: _Sheet) -> None:
    inserts: dict[type[TableRow], list[Mapping[str, Any]]] = {}
    for (table, _), born in sheet.births.items():
        inserts.setdefault(table, []).append(born)
    updates: dict[tuple[type[TableRow], tuple[str, ...]], list[dict[str, Any]]] = {}
    numbers: dict[tuple[str, int], int] = {}
    for item in done:
        for table, row in item.effects.rows:
            inserts.setdefault(table, []).append(row)
        for table, row_id, values in item.effects.updates:
            group = updates.setdefault((table, tuple(sorted(values))), [])
            group.append({"b_id": row_id, **_prefixed(values)})
        for key, last in item.effects.numbers.items():
            numbers[key] = max(last, numbers.get(key, 0))
    for (table, columns), changed in updates.items():
        session.connection().execute(_update_plain(table, columns), changed)
    for table in sorted(inserts, key=_dependency_order):
        _insert(session, table, inserts[table])
    _write_numbers(session, numbers)


def _write_numbers(session: Session, numbers: Mapping[tuple[str, int], int]) -> None:
    if not numbers:
        return
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    statement = dialect.insert(_table(NumberSeries))
    statement = statement.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": statement.excluded.last})
    rows = [{"kind": kind, "year": year, "last": last} for (kind, year), last in sorted(numbers.items())]
    session.connection().execute(statement, rows)


def _outbox(item: Done, message: Message, stamp: Stamp) -> dict[str, Any]:
    command = sha256(f"{stamp.actor.user_id}:{item.task.command.command_id}")[:16]
    return {
        "id": stamp.new_id(),
        "kind": message.kind,
        "dedupe_key": f"{message.kind}:{message.object_id}:{command}",
        "object_type": message.object_type,
        "object_id": message.object_id,
        "facts": dict(message.facts),
        "status": DeliveryStatus.WAITING,
        "created_at": stamp.now,
    }


def _answer(item: Done, sheet: _Sheet) -> None:
    first = item.effects.acts[0]
    item.document.update(
        {
            "object_type": first.object_type,
            "object_id": str(first.id),
            "state": str(next(act.to_state for act in reversed(item.effects.acts) if act.id == first.id)),
            "version": sheet.chains[first.table, first.id].version,
            "command_id": item.task.command.command_id,
            "replayed": False,
            **item.effects.says,
        }
    )


def _record(item: Done, stamp: Stamp) -> dict[str, Any]:
    return {
        "actor_id": stamp.actor.user_id,
        "command_id": item.task.command.command_id,
        "verb": item.verb.permission,
        "object_type": item.document["object_type"],
        "object_id": UUID(item.document["object_id"]),
        "body_sha256": item.verb.body_sha256(item.task.command),
        "answer": item.document,
        "at": stamp.now,
    }


def recorded(session: Session, actor_id: UUID, command_ids: Sequence[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return key -> (body hash, stored answer) of those commands that were carried out already."""
    statement = _recorded(is_single=len(command_ids) == 1)
    rows = session.connection().execute(statement, {"actor": actor_id, **wanted(command_ids)})
    return {row.command_id: (row.body_sha256, row.answer) for row in rows}


@functools.cache
def _recorded(*, is_single: bool) -> Any:
    record = _table(CommandRecord)
    condition = one_of(record.c.command_id, is_single=is_single)
    columns = (record.c.command_id, record.c.body_sha256, record.c.answer)
    return select(*columns).where(record.c.actor_id == bindparam("actor"), condition)


def _transition_seqs(session: Session, count: int) -> list[int]:
    """Draw the numbers of the next transitions, so that the audit body can name them before they are written."""
    if not count:
        return []
    if is_sqlite(session):  # BEGIN IMMEDIATE: nobody else writes
        last = session.connection().execute(_LAST_SEQ).scalar_one()
        return list(range(last + 1, last + 1 + count))
    return sorted(session.connection().execute(_DRAWN_SEQS, {"count": count}).scalars())


def _insert(session: Session, table: type[TableRow], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        defaults = _defaults(table)
        session.connection().execute(_insert_into(table), [{**defaults, **row} for row in rows])


@functools.cache
def _insert_into(table: type[TableRow]) -> Any:
    """Return one statement per table: a new one each time would be looked up anew by its parts."""
    return insert(_table(table))


@functools.cache
def _defaults(table: type[TableRow]) -> dict[str, Any]:
    """Return the model's own defaults: Core inserts do not know them."""
    defaults = {}
    for name, info in table.model_fields.items():
        if not info.is_required() and name not in ("id", "seq"):
            defaults[name] = info.get_default(call_default_factory=True)
    return defaults


@functools.cache
def _dependency_order(table: type[TableRow]) -> int:
    return SQLModel.metadata.sorted_tables.index(_table(table))


@functools.cache
def _update_subject(table: type[TableRow], columns: tuple[str, ...]) -> Any:
    target = _table(table)
    statement = update(target).where(target.c.id == bindparam("b_id"), target.c.version == bindparam("b_version"))
    return statement.values({column: bindparam(f"v_{column}") for column in columns})


@functools.cache
def _update_plain(table: type[TableRow], columns: tuple[str, ...]) -> Any:
    target = _table(table)
    return (
        update(target)
        .where(target.c.id == bindparam("b_id"))
        .values({name: bindparam(f"v_{name}") for name in columns})
    )


def _prefixed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"v_{name}": value for name, value in values.items()}


def _table(model: Any) -> Any:
    return model.__table__


_LAST_SEQ = text("SELECT COALESCE(MAX(seq), 0) FROM transition")
_DRAWN_SEQS = text("SELECT nextval(pg_get_serial_sequence('transition', 'seq')) FROM generate_series(1, :count)")

__all__ = ["NO_HASH", "Done", "instant", "recorded", "write", "write_refusals"]
