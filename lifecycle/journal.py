"""What the engine writes for every act: the rows themselves, transitions, sealed audit rows, messages, commands.

Set-based Core statements, built once: their number does not depend on the number of commands.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Stale
from lifecycle.sealing import SEALED, Sheet, enter, move_balances, numbers_for
from lifecycle.writing import dependency_order, insert_rows, prefixed, update_rows, update_subjects
from models.base import Row as TableRow
from models.db import is_sqlite
from models.installation import NumberSeries
from models.journal import AuditRecord, CommandRecord, OutboxMessage, Transition
from models.people import User
from models.reading import one_of, table_of, wanted
from models.states import DeliveryStatus
from models.tables import object_type_of


@dataclass(slots=True)
class Done:
    """A command on its way into the database: its effects, and the answer that grows with the write."""

    verb: Verb[Any, Any]
    task: Task[Any]
    effects: Effects
    document: dict[str, Any] = field(default_factory=dict)


def write(session: Session, done: Sequence[Done], stamp: Stamp) -> None:
    """Write all effects and their journal; fill in the answers. Raises `Stale` when a row moved all the same."""
    sheet = Sheet()
    acts = [act for item in done for act in item.effects.acts]
    move_balances(session, acts)  # locks the accounts: numbers drawn after it ascend in the order of commits
    seqs = numbers_for(session, acts)
    for item in done:
        for place, act in enumerate(item.effects.acts):
            seq = enter(sheet, act, item.task.command.command_id, stamp, seqs)
            if place == 0:
                item.document["transition_seq"] = seq
    _write_subjects(session, sheet)
    _write_rows(session, done, sheet)
    insert_rows(session, Transition, sheet.transitions)
    for table in SEALED:
        insert_rows(session, table, sheet.sealed.get(table, ()))
    insert_rows(session, AuditRecord, sheet.audits)
    insert_rows(
        session, OutboxMessage, [_outbox(item, message, stamp) for item in done for message in item.effects.messages]
    )
    for item in done:
        _answer(item, sheet)
    insert_rows(session, CommandRecord, [_record(item, stamp) for item in done])


def write_refusals(
    session: Session, refused: Sequence[tuple[Verb[Any, Any], Task[Any], tuple[str, ...]]], stamp: Stamp
) -> None:
    """Write the audit row of each refusal that concerned a right, a person or money; nothing else changes.

    It stands in the chain of what the command was about; where nothing exists yet, in that of the account that tried,
    with the ids that the command names.
    """
    sheet = Sheet()
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
            detail={"codes": list(codes), **(_named(task.command) if task.row is None else task.command.whence())},
        )
        enter(sheet, act, task.command.command_id, stamp, {})
    heads: dict[type[TableRow], list[dict[str, Any]]] = {}
    for (table, row_id), chain in sheet.chains.items():
        values = {"audit_seq": chain.seq, "audit_head": chain.head}
        heads.setdefault(table, []).append({"b_id": row_id, **prefixed(values)})
    for table, rows in heads.items():
        session.connection().execute(update_rows(table, ("audit_head", "audit_seq")), rows)
    insert_rows(session, AuditRecord, sheet.audits)


def _account(session: Session, stamp: Stamp) -> Any:
    """Lock the acting account, as whoever writes into its chain does."""
    user = table_of(User)
    return session.execute(select(user).where(user.c.id == stamp.actor.user_id).with_for_update()).first()


def _named(command: Command) -> dict[str, Any]:
    return {name: value for name, value in command.asks().items() if isinstance(value, UUID)}


def _write_subjects(session: Session, sheet: Sheet) -> None:
    groups: dict[tuple[type[TableRow], tuple[str, ...]], list[dict[str, Any]]] = {}
    for (table, row_id), chain in sheet.chains.items():
        values = {**chain.values, "version": chain.version, "audit_seq": chain.seq, "audit_head": chain.head}
        if chain.row_version is None:
            sheet.births[table, row_id] = {**values, "id": row_id}
            continue
        row = {"b_id": row_id, "b_version": chain.row_version, **prefixed(values)}
        groups.setdefault((table, tuple(sorted(values))), []).append(row)
    for (table, columns), rows in groups.items():
        result: Any = session.connection().execute(update_subjects(table, columns), rows)
        if result.rowcount != len(rows):
            raise Stale("stale")


def _write_rows(session: Session, done: Sequence[Done], sheet: Sheet) -> None:
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
            group.append({"b_id": row_id, **prefixed(values)})
        for key, last in item.effects.numbers.items():
            numbers[key] = max(last, numbers.get(key, 0))
    for (table, columns), changed in updates.items():
        session.connection().execute(update_rows(table, columns), changed)
    for table in sorted(inserts, key=dependency_order):
        insert_rows(session, table, inserts[table])
    _write_numbers(session, numbers)


def _write_numbers(session: Session, numbers: Mapping[tuple[str, int], int]) -> None:
    if not numbers:
        return
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    statement = dialect.insert(table_of(NumberSeries))
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


def _answer(item: Done, sheet: Sheet) -> None:
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
    record = table_of(CommandRecord)
    condition = one_of(record.c.command_id, is_single=is_single)
    columns = (record.c.command_id, record.c.body_sha256, record.c.answer)
    return select(*columns).where(record.c.actor_id == bindparam("actor"), condition)


__all__ = ["Done", "recorded", "write", "write_refusals"]
