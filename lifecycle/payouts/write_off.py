"""A booking that nothing explains is borne, or kept, by its fund: two people have agreed on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.cases import explained, set_aside_by, set_aside_of
from lifecycle.ledger.entries import Accounts, entry
from lifecycle.payouts.statements import OBJECT_TYPE
from models.holds import ExceptionCase
from models.money import said
from models.reading import rows_by
from models.statements import BankStatement, StatementLine
from models.states import (
    AccountKind,
    PostingKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff(Command):
    """Let the fund bear, or keep, a booking that nothing explains; two people have agreed on it."""

    statement_id: UUID
    statement_line_id: UUID
    exception_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffFacts:
    """A booking in suspense, its statement and fund, and the case in which two people agreed."""

    command: WriteOff
    stamp: Stamp
    statement: Any
    fund: Any
    accounts: Accounts
    line: Any = None
    case: Any = None
    aside_minor: int = 0
    """What of the booking the case is about and lies in suspense still; a debit negative."""

    @property
    def is_explained(self) -> bool:
        """Say whether nothing of it is left to be written off; another currency lies on no account of the fund."""
        known = self.case is not None and self.line is not None and self.fund is not None
        is_ours = known and self.line.currency == self.fund.currency
        return bool(is_ours and self.aside_minor == 0)


def write_off_facts(session: Session, tasks: Sequence[Task[WriteOff]], stamp: Stamp) -> list[WriteOffFacts]:
    """Read line, case and accounts."""
    lines = rows_by(session, StatementLine, "id", [task.command.statement_line_id for task in tasks])
    cases = rows_by(session, ExceptionCase, "id", [task.command.exception_id for task in tasks])
    ledger = accounts_of(session, {task.fund.id for task in tasks if task.fund is not None})
    aside = set_aside_by(session, lines)
    named = [next(iter(cases.get(task.command.exception_id, ())), None) for task in tasks]
    return [
        WriteOffFacts(
            command=task.command,
            stamp=stamp,
            statement=task.row,
            fund=task.fund,
            accounts=ledger.get(task.fund.id, {}) if task.fund is not None else {},
            line=next(iter(lines.get(task.command.statement_line_id, ())), None),
            case=case,
            aside_minor=0 if case is None else set_aside_of(case, aside),
        )
        for task, case in zip(tasks, named, strict=True)
    ]


@about_input
def booking_open(facts: Any) -> tuple[Unmet, ...]:
    """What a booking is, is said once: it lies in suspense until then."""
    return (unmet("booking_explained"),) if facts.is_explained else ()


@about_input
def write_off_agreed(facts: WriteOffFacts) -> tuple[Unmet, ...]:
    """The booking is one of this statement that was set aside, and two people agreed to write it off."""
    case, line = facts.case, facts.line
    ok = case is not None and case.action == "write_off" and case.confirmed_by is not None
    if line is None or line.statement_id != facts.statement.id or (ok and case.object_id != line.id):
        return (unmet("not_found"),)
    return () if ok else (unmet("two_people_missing"),)


@about_input
def fund_bears_it(facts: WriteOffFacts) -> tuple[Unmet, ...]:
    """What the fund is to bear it must have."""
    missing = -facts.aside_minor
    if facts.fund is None or facts.line is None or facts.line.currency != facts.fund.currency:
        return (unmet("foreign_currency"),)
    has = facts.accounts[AccountKind.AVAILABLE].balance_minor
    return (
        (unmet("insufficient_funds", **said(facts.fund.currency, available=has, asked=missing)),)
        if missing > has
        else ()
    )


def written_off(facts: WriteOffFacts, _target: str, stamp: Stamp) -> Effects:
    """Take what lies there out of suspense, out of the fund's own money or into it."""
    aside = facts.aside_minor
    word = explained(facts.line, aside, facts.case.facts.get("instruction"))
    moved = entry(PostingKind.CORRECTION, -aside, facts.accounts, new_id=stamp.new_id, is_of_bank_event=True)
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=facts.statement.id,
        action=f"{OBJECT_TYPE}.write_off",
        row=facts.statement,
        detail={
            "line_id": facts.line.id,
            "amount_minor": aside,
            "exception_id": facts.command.exception_id,
            "reason": facts.command.reason,
        },
        sealed=(word, *moved),
    )
    return Effects(acts=(act,))


WRITE_OFF: Verb[WriteOff, WriteOffFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="write_off",
    command=WriteOff,
    subject=BankStatement,
    subject_id=lambda command: command.statement_id,
    facts=write_off_facts,
    rules=(write_off_agreed, booking_open, fund_bears_it),
    effects=written_off,
)
