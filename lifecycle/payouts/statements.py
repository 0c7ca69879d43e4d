"""Statements of the bank, written down once: the head, then its lines chunk by chunk, each with what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.cases import opened_case, put_by_the_bank
from lifecycle.ledger.entries import Accounts, Sealed, entry
from lifecycle.ledger.sums import moved_after, suspense_by_fund
from lifecycle.payouts.matching import FEE_NOT_COVERED, OWN_UNKNOWN, Intent, Match, line_row
from models.funds import Fund
from models.holds import Hold
from models.reading import rows_by, table_of
from models.statements import BankEvent, BankStatement, StatementLine
from models.states import (
    AccountKind,
    BankEffect,
    BankEventKind,
    BankSource,
    PostingKind,
    StatementStatus,
)

OBJECT_TYPE = "statement"
HOLD_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStatement(Command):
    """Write the head of a statement down; the file it stood in is taken once."""

    fund_id: UUID
    source: BankSource
    account_number: str
    statement_ref: str
    file_name: str
    file_sha256: str
    currency: str
    sequence_no: int | None = None
    opening_minor: int | None = None
    closing_minor: int | None = None
    booked_from_on: date | None = None
    booked_until_on: date | None = None
    status: StatementStatus = StatementStatus.IMPORTED
    """`importing` where lines follow in other transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLines(Command):
    """Write some lines of a statement down, each with what it means; what nothing explains is set aside."""

    statement_id: UUID
    first_place: int
    found: tuple[Match, ...]

    def asks(self) -> dict[str, Any]:
        """Return what tells this part from another: its place and the bookings in it."""
        return {
            "statement_id": self.statement_id,
            "first_place": self.first_place,
            "lines": [one.line.content_hash for one in self.found],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePosition(Command):
    """Compare the bank's closing balance with what the ledger says lies there; a difference holds the fund."""

    statement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteStatement(Command):
    """Say that all lines of a statement that came in several parts are there."""

    statement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFacts:
    """A statement that comes in, the fund whose account it speaks of, and the statement before it."""

    command: Any
    stamp: Stamp
    fund: Any
    row: Any = None
    accounts: Accounts = field(default_factory=dict)
    before: Any = None
    is_known: bool = False
    holds: tuple[Any, ...] = ()
    """Those that the bank's word has put on the fund."""
    suspense_minor: int = 0
    """The fund's part of what nobody could explain yet."""
    later_minor: int = 0
    """What bookings of days after the statement have changed already."""
    is_beside_another: bool = False
    """Another file of the fund is being taken in parts: some of its bookings are here, and some are not."""


def statement_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[StatementFacts]:
    """Read the accounts of the fund, the newest statement of the same account, what was set aside and booked later."""
    funds = {task.fund.id for task in tasks}
    ledger = accounts_of(session, funds)
    earlier = rows_by(session, BankStatement, "fund_id", funds, "booked_until_on", "at")
    holds = rows_by(session, Hold, "object_id", funds)
    aside = suspense_by_fund(session, funds)
    ends = [one for task in tasks if (one := getattr(task.row, "booked_until_on", None)) is not None]
    later = moved_after(session, funds, min(ends)) if ends else {}
    there = taken_before(session, tasks)
    facts = []
    for task in tasks:
        row = task.row if hasattr(task.row, "file_sha256") else None
        known = [one for one in earlier.get(task.fund.id, ()) if row is None or one.id != row.id]
        facts.append(
            StatementFacts(
                command=task.command,
                stamp=stamp,
                fund=task.fund,
                row=row,
                accounts=ledger.get(task.fund.id, {}),
                before=_before(known, row or task.command),
                is_known=brought(task.command) in there,
                holds=put_by_the_bank(holds.get(task.fund.id, ())),
                suspense_minor=aside.get(task.fund.id, 0),
                later_minor=_later(later.get(task.fund.id, {}), row),
                is_beside_another=row is not None and any(_is_begun(one, row) for one in known),
            )
        )
    return facts


def taken_before(session: Session, tasks: Sequence[Task[Any]]) -> set[tuple[str, str]]:
    """Return the statements of the same files that were taken or put aside before, whatever fund they belong to."""
    files = {sha256 for task in tasks if (sha256 := brought(task.command)[0])}
    found = rows_by(session, BankStatement, "file_sha256", files)
    return {(row.file_sha256, row.statement_ref) for rows in found.values() for row in rows}


def brought(command: Any) -> tuple[str, str]:
    """Return what a statement is known by: its file's content and its own reference; nothing for who brings none."""
    return getattr(command, "file_sha256", ""), getattr(command, "statement_ref", "")


def _is_begun(other: Any, row: Any) -> bool:
    return bool(other.status == StatementStatus.IMPORTING and other.file_sha256 != row.file_sha256)


def _later(moved: Mapping[date, int], row: Any) -> int:
    until = None if row is None else row.booked_until_on
    return 0 if until is None else sum(amount for day, amount in moved.items() if day > until)


def _before(known: Sequence[Any], row: Any) -> Any:
    """Return the statement with balances that this one should follow: of the same account in the same currency."""
    own = (row.account_number, row.currency)
    last = [one for one in known if one.closing_minor is not None and (one.account_number, one.currency) == own]
    return last[-1] if last else None


@about_input
def new_statement(facts: Any) -> tuple[Unmet, ...]:
    """A statement of a file is taken once, and a file is put aside once."""
    return (unmet("already_exists", field="statement", value=facts.command.statement_ref),) if facts.is_known else ()


def taken(facts: StatementFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the head down; a gap in the bank's numbering or balances is a case."""
    command = facts.command
    values = {**command.asks(), "at": stamp.now}
    statement_id = stamp.new_id()
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=statement_id,
        action=f"{OBJECT_TYPE}.take",
        values=values,
        detail={key: values[key] for key in ("file_sha256", "statement_ref", "opening_minor", "closing_minor")},
    )
    code = _gap(facts)
    if code is None:
        return Effects(acts=(act,))
    said = {"statement_ref": command.statement_ref, "opening_minor": command.opening_minor}
    before = {"before": facts.before.statement_ref, "closing_minor": facts.before.closing_minor}
    gap = opened_case(code, OBJECT_TYPE, statement_id, facts.fund, stamp, **said, **before)
    return Effects(acts=(act, gap))


def _gap(facts: StatementFacts) -> str | None:
    command, before = facts.command, facts.before
    if before is None or command.opening_minor is None:
        return None
    if command.sequence_no is not None and before.sequence_no is not None:
        if command.sequence_no > before.sequence_no + 1:
            return "statement_missing"
        if command.sequence_no <= before.sequence_no:
            return None  # an older one, or one that overlaps: its balances follow another one's
    return "balances_do_not_chain" if command.opening_minor != before.closing_minor else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """The statement that lines belong to, and the accounts of its fund."""

    command: TakeLines
    stamp: Stamp
    statement: Any
    fund: Any
    accounts: Accounts
    available_minor: int
    is_held: bool = False
    """What the bank said before holds the fund already."""
    lines_there: int = 0
    """How many lines of the statement are written down already."""


def line_facts(session: Session, tasks: Sequence[Task[TakeLines]], stamp: Stamp) -> list[LineFacts]:
    """Read the accounts, and which funds the bank's word holds."""
    funds = {task.fund.id for task in tasks}
    ledger, holds = accounts_of(session, funds), rows_by(session, Hold, "object_id", funds)
    held = {key for key, rows in holds.items() if put_by_the_bank(rows)}
    line = table_of(StatementLine)
    of_these = line.c.statement_id.in_([task.row.id for task in tasks])
    counted = session.execute(select(line.c.statement_id, func.count()).where(of_these).group_by(line.c.statement_id))
    there = {statement_id: count for statement_id, count in counted}  # noqa: C416 - rows are no pairs to mypy
    return [
        LineFacts(
            command=task.command,
            stamp=stamp,
            statement=task.row,
            fund=task.fund,
            accounts=ledger[task.fund.id],
            available_minor=ledger[task.fund.id][AccountKind.AVAILABLE].balance_minor,
            is_held=task.fund.id in held,
            lines_there=there.get(task.row.id, 0),
        )
        for task in tasks
    ]


@about_input
def lines_follow(facts: LineFacts) -> tuple[Unmet, ...]:
    """A line of a statement is written down once: a part begins behind what is there."""
    if facts.command.first_place > facts.lines_there:
        return ()
    return (unmet("already_exists", field="statement", value=facts.statement.statement_ref),)


def lines_taken(facts: LineFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the lines; fees of the account are booked, what nothing explains is set aside with a case each.

    A payment under an id of ours that nobody here gave was made by what a restore has lost, and may be made again:
    the fund is held until two people have looked (`safety.md` 2.9).
    """
    rows, cases, ids = [], [], []
    sealed: Sealed = ()
    left = facts.available_minor
    for place, one in enumerate(facts.command.found, start=facts.command.first_place):
        row_id = stamp.new_id()
        ids.append(str(row_id))
        rows.append((StatementLine, {**line_row(one, facts.statement.id, row_id, place), "at": stamp.now}))
        code = one.exception
        for intent in one.intents:
            if intent.instruction is None:
                code = code or _not_covered(intent, left)
                sealed += _booked(facts, one, intent, row_id, left)
                left -= intent.amount_minor if intent.kind == BankEventKind.FEE and left >= intent.amount_minor else 0
        if code is not None:
            said = {"amount_minor": one.line.amount_minor, "currency": one.line.currency, "note": one.line.note}
            cases.append(opened_case(code, "statement_line", row_id, facts.fund, stamp, **said))
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=facts.statement.id,
        action=f"{OBJECT_TYPE}.take_lines",
        row=facts.statement,
        detail={"first_place": facts.command.first_place, "count": len(rows)},
        sealed=sealed,
    )
    messages = tuple(
        Message(
            kind="statement.unmatched",
            object_type=OBJECT_TYPE,
            object_id=facts.statement.id,
            facts={"statement_ref": facts.statement.statement_ref, "count": len(cases)},
        )
        for _ in cases[:1]
    )
    says = {"line_ids": ids}
    if facts.is_held or not any(one.exception == OWN_UNKNOWN for one in facts.command.found):
        return Effects(acts=(act, *cases), rows=tuple(rows), messages=messages, says=says)
    hold, row = fund_held(facts.fund, OWN_UNKNOWN, facts.statement.statement_ref, stamp)
    return Effects(acts=(act, *cases, hold), rows=(*rows, row), messages=messages, says=says)


def fund_held(fund: Any, reason: str, note: str, stamp: Stamp) -> tuple[Act, tuple[type[Hold], Mapping[str, Any]]]:
    """Return the act and the row of a hold that what the bank says puts on a fund: two people lift it, not a day."""
    act = Act(
        table=Fund,
        object_type="fund",
        id=fund.id,
        action="fund.hold",
        row=fund,
        detail={"reason": reason, "note": note},
    )
    row = {
        "id": stamp.new_id(),
        "object_type": "fund",
        "object_id": fund.id,
        "reason": reason,
        "note": note,
        "needs_decision": True,
        "from_at": stamp.now,
        "from_on": stamp.today,
        "until_on": stamp.today + timedelta(days=HOLD_DAYS),
    }
    return act, (Hold, row)


def _not_covered(intent: Intent, left: int) -> str | None:
    return FEE_NOT_COVERED if intent.kind == BankEventKind.FEE and left < intent.amount_minor else None


def _booked(facts: LineFacts, found: Match, intent: Intent, line_id: UUID, left: int) -> Sealed:
    """Return the event of a line that speaks of no instruction, with the entry of the money that moved."""
    is_fee = intent.kind == BankEventKind.FEE and left >= intent.amount_minor
    event = {
        "source": facts.statement.source,
        "bank_ref": found.line.bank_ref,
        "end_to_end_id": None,
        "instruction_id": None,
        "statement_line_id": line_id,
        "kind": intent.kind,
        "amount_minor": intent.amount_minor,
        "currency": found.line.currency,
        "content_hash": found.booking_hash,
        "effect": BankEffect.APPLIED if is_fee else BankEffect.SUSPENSE,
    }
    if found.line.currency != facts.fund.currency:
        return ((BankEvent, event),)  # another currency lies on no account of this fund
    kind = PostingKind.FEE if is_fee else PostingKind.SUSPENSE
    amount = intent.amount_minor if is_fee else intent.signed_minor
    return ((BankEvent, event), *entry(kind, amount, facts.accounts, new_id=facts.stamp.new_id, is_of_bank_event=True))


def position_compared(facts: StatementFacts, _target: str, stamp: Stamp) -> Effects:
    """Say what the bank and the ledger have on the statement's last day; a difference holds the fund for two people.

    Nothing is compared in another currency than the fund's, nor while another file is there in part: it is compared
    when that one is whole.
    """
    held = facts.accounts
    now = held[AccountKind.AVAILABLE].balance_minor + held[AccountKind.RESERVED].balance_minor + facts.suspense_minor
    ours = now - facts.later_minor
    bank = facts.row.closing_minor
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.compare",
        row=facts.row,
        values={"is_to_compare": facts.is_beside_another},
        detail={"bank_minor": bank, "ledger_minor": ours},
    )
    says = {"bank_minor": bank, "ledger_minor": ours}
    if facts.is_beside_another:
        return Effects(acts=(act,), says={**says, "waits": True})
    if bank is None or bank == ours or facts.row.currency != facts.fund.currency:
        return Effects(acts=(act,), says=says)
    differs = opened_case("position_differs", OBJECT_TYPE, facts.row.id, facts.fund, stamp, **says)
    message = Message(kind="fund.mismatch", object_type="fund", object_id=facts.fund.id, facts=says)
    if facts.holds:
        return Effects(acts=(act, differs), messages=(message,), says=says)
    hold, row = fund_held(facts.fund, "position_differs", facts.row.statement_ref, stamp)
    return Effects(acts=(act, differs, hold), rows=(row,), messages=(message,), says=says)


def _row_facts(_session: Session, tasks: Sequence[Task[CompleteStatement]], _stamp: Stamp) -> list[Any]:
    return [task.row for task in tasks]


@about_input
def importing(row: Any) -> tuple[Unmet, ...]:
    """Only what was begun is completed."""
    return (
        ()
        if row.status == StatementStatus.IMPORTING
        else (unmet("already_exists", field="statement", value=row.statement_ref),)
    )


def completed(row: Any, _target: str, _stamp: Stamp) -> Effects:
    """Call it imported."""
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=row.id,
        action=f"{OBJECT_TYPE}.complete",
        row=row,
        values={"status": StatementStatus.IMPORTED},
    )
    return Effects(acts=(act,))


TAKE: Verb[TakeStatement, StatementFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="take",
    command=TakeStatement,
    subject=Fund,
    subject_id=lambda command: command.fund_id,
    facts=statement_facts,
    rules=(new_statement,),
    effects=taken,
)
TAKE_LINES: Verb[TakeLines, LineFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="take_lines",
    command=TakeLines,
    subject=BankStatement,
    subject_id=lambda command: command.statement_id,
    facts=line_facts,
    rules=(lines_follow,),
    effects=lines_taken,
)
COMPARE: Verb[ComparePosition, StatementFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="compare",
    command=ComparePosition,
    subject=BankStatement,
    subject_id=lambda command: command.statement_id,
    facts=statement_facts,
    effects=position_compared,
)
COMPLETE: Verb[CompleteStatement, Any] = Verb(
    object_type=OBJECT_TYPE,
    name="complete",
    command=CompleteStatement,
    subject=BankStatement,
    subject_id=lambda command: command.statement_id,
    facts=_row_facts,
    rules=(importing,),
    effects=completed,
)
