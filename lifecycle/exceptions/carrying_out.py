"""What a confirmed way out does, in the transaction that confirmed it."""

from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Answer, Stamp
from lifecycle.engine import execute
from lifecycle.exceptions.commands import follow_up
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.moving import batch_moves
from models.payouts import PaymentInstruction
from models.reading import rows_by


def carry_out(session: Session, case_id: UUID, command_id: str, stamp: Stamp) -> list[Answer]:
    """Do what two people agreed on, and bring the batches along of which they have spoken.

    Where one answer holds an error nothing of it may stay: the door rolls the confirmation back with it.
    """
    commands = follow_up(session, case_id, command_id)
    answers = execute(session, commands, stamp=stamp)
    spoken_of = [one.instruction_id for one in commands if isinstance(one, Learn)]
    rows = rows_by(session, PaymentInstruction, "id", spoken_of)
    moves = batch_moves(session, {row.batch_id for found in rows.values() for row in found})
    return [*answers, *execute(session, moves, stamp=stamp)]
