"""What an act leaves for ever: its numbers, the rows that only grow, the kept balances, and the audit row over them."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import bindparam, text, update
from sqlmodel import Session

from lifecycle.canonical import canonical, sha256
from lifecycle.commands import THIS_BANK_EVENT, Act, Stamp
from lifecycle.errors import Refused, unmet
from models.base import NO_AUDIT
from models.base import Row as TableRow
from models.db import is_sqlite
from models.journal import Transition
from models.ledger import Account, Posting
from models.payouts import Approval
from models.reading import table_of
from models.statements import BankEvent
from models.views import COLUMNS

Seqs: TypeAlias = Mapping[type[TableRow], Iterator[int]]
"""Numbers drawn for the rows of one batch, table by table."""

SEALED: Mapping[type[TableRow], str] = {BankEvent: "v_bank_event", Approval: "v_approval", Posting: "v_posting"}
"""Tables that only grow besides the transitions, with the view whose columns are hashed; written in this order."""


@dataclass(slots=True)
class Chain:
    """The head of one subject's audit chain while a batch is written."""

    version: int
    seq: int
    head: str
    row_version: int | None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Sheet:
    """All rows of one batch, gathered before the first statement runs."""

    chains: dict[tuple[type[TableRow], UUID], Chain] = field(default_factory=dict)
    births: dict[tuple[type[TableRow], UUID], dict[str, Any]] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    sealed: dict[type[TableRow], list[dict[str, Any]]] = field(default_factory=dict)
    audits: list[dict[str, Any]] = field(default_factory=list)


def enter(sheet: Sheet, act: Act, command_id: str, stamp: Stamp, seqs: Seqs) -> int | None:
    """Enter an act and seal it with what it leaves for ever; return the number of its transition, where it has one."""
    chain = _chain_of(sheet, act)
    seq = next(seqs[Transition]) if act.event else None
    rows: list[list[Any]] = []
    if act.event and seq is not None:
        rows.append(["v_transition", seq, _enter_transition(sheet, act, command_id, stamp, seq)])
    rows += _enter_sealed(sheet, act, command_id, stamp, seqs)
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


def _chain_of(sheet: Sheet, act: Act) -> Chain:
    key = (act.table, act.id)
    chain = sheet.chains.get(key)
    if chain is None:
        if act.row is None:
            chain = Chain(version=0, seq=0, head=NO_AUDIT, row_version=None)
        else:
            chain = Chain(act.row.version, act.row.audit_seq, act.row.audit_head, act.row.version)
        sheet.chains[key] = chain
    chain.version += 1
    chain.values.update(act.values)
    return chain


def _enter_transition(sheet: Sheet, act: Act, command_id: str, stamp: Stamp, seq: int) -> str:
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


def _enter_sealed(sheet: Sheet, act: Act, command_id: str, stamp: Stamp, seqs: Seqs) -> list[list[Any]]:
    """Enter the rows of an act that only grow; return how its audit row names them."""
    named: list[list[Any]] = []
    bank_event_seq = None
    for table, values in act.sealed:
        columns = COLUMNS[SEALED[table]]
        row = dict.fromkeys(columns) | {"seq": next(seqs[table]), "at": stamp.now, **values}
        if "command_id" in row:
            row["command_id"] = command_id
        if table is BankEvent:
            bank_event_seq = row["seq"]
        if row.get("bank_event_seq") == THIS_BANK_EVENT:
            if bank_event_seq is None:
                raise AssertionError("an entry follows from the bank event of its act, which has no bank event")
            row["bank_event_seq"] = bank_event_seq
        sheet.sealed.setdefault(table, []).append(row)
        named.append([SEALED[table], row["seq"], sha256(canonical([row[name] for name in columns]))])
    return named


def move_balances(session: Session, acts: Sequence[Act]) -> None:
    """Bring the kept balances along with the postings, which locks their accounts until the end of the transaction.

    Raises `Refused` (`insufficient_funds`) when an account would fall below its floor after any of the postings, not
    only after the last; AssertionError when an entry does not sum to zero, for that is a mistake of the program.
    """
    postings = [values for act in acts for table, values in act.sealed if table is Posting]
    if not postings:
        return
    sums: dict[tuple[UUID, str], int] = {}
    changes: dict[UUID, int] = {}
    lowest: dict[UUID, int] = {}
    for row in postings:
        entry, account = (row["entry_id"], row["currency"]), row["account_id"]
        sums[entry] = sums.get(entry, 0) + row["amount_minor"]
        changes[account] = changes.get(account, 0) + row["amount_minor"]
        lowest[account] = min(lowest.get(account, 0), changes[account])
    if any(sums.values()):
        raise AssertionError("an entry of the ledger does not sum to zero")
    rows = [
        {"b_id": account, "b_change": change, "b_lowest": lowest[account]}
        for account, change in sorted(changes.items())  # in one order everywhere: no two writers wait for each other
    ]
    result: Any = session.connection().execute(_move_balance(), rows)
    if result.rowcount != len(rows):
        raise Refused(unmet("insufficient_funds"))


@functools.cache
def _move_balance() -> Any:
    account = table_of(Account)
    balance = account.c.balance_minor
    keeps_floor = account.c.floor_minor.is_(None) | (balance + bindparam("b_lowest") >= account.c.floor_minor)
    moved = balance + bindparam("b_change")
    return update(account).where(account.c.id == bindparam("b_id"), keeps_floor).values(balance_minor=moved)


def numbers_for(session: Session, acts: Sequence[Act]) -> Seqs:
    """Draw the numbers of all rows that only grow, so that audit bodies can name them before they are written."""
    wanted: dict[type[TableRow], int] = {Transition: sum(1 for act in acts if act.event)}
    for act in acts:
        for table, _ in act.sealed:
            wanted[table] = wanted.get(table, 0) + 1
    return {table: iter(_drawn(session, table, count)) for table, count in wanted.items() if count}


def _drawn(session: Session, table: type[TableRow], count: int) -> Sequence[int]:
    name = table_of(table).name
    if is_sqlite(session):  # BEGIN IMMEDIATE: nobody else writes
        last = session.connection().execute(_last_seq(name)).scalar_one()
        return range(last + 1, last + 1 + count)
    return sorted(session.connection().execute(_drawn_seqs(name), {"count": count}).scalars())


@functools.cache
def _last_seq(table: str) -> Any:
    return text(f"SELECT COALESCE(MAX(seq), 0) FROM {table}")  # noqa: S608 - a name from our own metadata


@functools.cache
def _drawn_seqs(table: str) -> Any:
    drawn = f"SELECT nextval(pg_get_serial_sequence('{table}', 'seq')) FROM generate_series(1, :count)"  # noqa: S608
    return text(drawn)
