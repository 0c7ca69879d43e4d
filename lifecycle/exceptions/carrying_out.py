"""What a confirmed way out does, in the transaction that confirmed it."""

from typing import Any
from uuid import UUID, uuid5

from sqlmodel import Session

from lifecycle.banking.own_ids import payout_named
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.endings.commands import RepayRecovery
from lifecycle.engine import execute
from lifecycle.exceptions.proposal import Action
from lifecycle.ledger.cases import set_aside_by, set_aside_of
from lifecycle.payouts.adoption import Adopt
from lifecycle.payouts.batches import Abandon
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.moving import batch_moves
from lifecycle.payouts.rules import lost_id
from lifecycle.payouts.write_off import WriteOff
from models.holds import ExceptionCase
from models.payouts import PaymentInstruction, Payout
from models.reading import rows_by
from models.statements import StatementLine
from models.states import BankEventKind, BankSource


def carry_out(session: Session, case_id: UUID, command_id: str, stamp: Stamp) -> list[Answer]:
    """Do what two people agreed on, and bring the batches along of which they have spoken.

    Where one answer holds an error nothing of it may stay: the door rolls the confirmation back with it.
    """
    before = _adoption(session, case_id, command_id)
    if before and (failed := [one for one in execute(session, before, stamp=stamp) if one.error is not None]):
        return failed
    commands = follow_up(session, case_id, command_id)
    answers = execute(session, commands, stamp=stamp)
    spoken_of = [one.instruction_id for one in commands if isinstance(one, Learn)]
    rows = rows_by(session, PaymentInstruction, "id", spoken_of)
    moves = batch_moves(session, {row.batch_id for found in rows.values() for row in found})
    return [*answers, *execute(session, moves, stamp=stamp)]


def _adoption(session: Session, case_id: UUID, command_id: str) -> list[Command]:
    """Return what takes a lost payment up, before its booking is learned."""
    case = rows_by(session, ExceptionCase, "id", [case_id])[case_id][0]
    if case.action != Action.ADOPT:
        return []
    (line,) = rows_by(session, StatementLine, "id", [case.object_id])[case.object_id]
    end = lost_id(line) or ""
    number: Any = payout_named(end)
    (payout,) = rows_by(session, Payout, "number", [number])[number]
    return [
        Adopt(
            command_id=f"{command_id}:adopt",
            payout_id=payout.id,
            batch_id=uuid5(case.id, "adopted"),
            end_to_end_id=end,
            execution_on=line.booked_on,
            exception_id=case.id,
        )
    ]


def follow_up(session: Session, case_id: UUID, command_id: str) -> list[Command]:
    """Return what the confirmed proposal of a case does: run it in the transaction that confirmed it.

    A case about a batch speaks of every instruction of it that may still be alive.
    """
    case = rows_by(session, ExceptionCase, "id", [case_id])[case_id][0]
    if case.action == Action.ABANDON_BATCH:
        return [
            Abandon(
                command_id=f"{command_id}:abandon", batch_id=case.object_id, reason=case.reason, exception_id=case.id
            )
        ]
    line = next(iter(rows_by(session, StatementLine, "id", [case.object_id]).get(case.object_id, ())), None)
    if case.action == Action.WRITE_OFF and line is not None:
        return [
            WriteOff(
                command_id=f"{command_id}:write-off",
                statement_id=line.statement_id,
                statement_line_id=line.id,
                exception_id=case.id,
                reason=case.reason,
            )
        ]
    if case.action == Action.MATCH and case.proposal.get("recovery_id") and line is not None:
        return [_repay(case, line, command_id)]
    if case.action not in (Action.MATCH, Action.ADOPT, Action.CONFIRM_PAID, Action.CONFIRM_REJECTED):
        return []
    if case.object_type == "batch":
        spoken_of = rows_by(session, PaymentInstruction, "batch_id", [case.object_id], "end_to_end_id")[case.object_id]
    elif case.action in (Action.MATCH, Action.ADOPT):
        end: Any = case.proposal["end_to_end_id"] if case.action == Action.MATCH else lost_id(line)
        spoken_of = rows_by(session, PaymentInstruction, "end_to_end_id", [end])[end]
    else:
        spoken_of = rows_by(session, PaymentInstruction, "id", [case.object_id])[case.object_id]
    aside = 0 if line is None else set_aside_of(case, set_aside_by(session, [line.id]))
    return [_learn(case, one, line, aside, command_id) for one in spoken_of]


def _repay(case: Any, line: Any, command_id: str) -> Command:
    return RepayRecovery(
        command_id=f"{command_id}:repay",
        recovery_id=UUID(case.proposal["recovery_id"]),
        amount_minor=line.amount_minor,
        bank_ref=line.bank_ref or line.line_ref,
        received_on=line.booked_on,
        exception_id=case.id,
        statement_line_id=line.id,
    )


def _learn(case: Any, instruction: Any, line: Any, aside_minor: int, command_id: str) -> Command:
    kinds = {
        Action.ADOPT: BankEventKind.SETTLE,
        Action.CONFIRM_PAID: BankEventKind.SETTLE,
        Action.CONFIRM_REJECTED: BankEventKind.REJECT,
    }
    kind = kinds.get(Action(case.action)) or BankEventKind(case.proposal["kind"])
    return Learn(
        command_id=f"{command_id}:{instruction.id}",
        payout_id=instruction.payout_id,
        instruction_id=instruction.id,
        source=BankSource.PEOPLE,
        kind=kind,
        amount_minor=instruction.amount_minor if line is None else abs(aside_minor),
        bank_ref=None if line is None else line.bank_ref,
        booked_on=None if line is None else line.booked_on,
        reason=case.reason,
        exception_id=case.id,
        statement_line_id=None if line is None else line.id,
        set_aside_minor=aside_minor,
    )
