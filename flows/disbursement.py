"""The payment run: approved payouts -> batch -> file -> sent. Prepare (transaction), put (none), record (transaction).

Killed between any two lines, the next run finds the prepared batch, looks whether its file lies there, and goes on.
Workers that share a run take payouts chunk by chunk (`flows/chunks.py`); a batch is claimed with a fence.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from flows.chunks import Chunk, Lane, due_payouts, key_of, next_chunk
from flows.claims import LEASE, claim_batch, give_back, let_go
from flows.run_log import note
from flows.turns import never
from lifecycle.banking.template import Template
from lifecycle.canonical import sha256_of_bytes
from lifecycle.commands import Answer, Stamp
from lifecycle.engine import execute
from lifecycle.payouts.batches import ANSWER_HOURS, Doubt, Send, file_of
from lifecycle.payouts.commands import Amend
from lifecycle.payouts.facts import DISBURSEMENT_ID
from lifecycle.payouts.taking_back import TakeBack, kept_here
from models.db import is_lock_timeout, reading, run_in_transaction
from models.holds import Hold
from models.payouts import PaymentBatch, PaymentInstruction, Payout
from models.ports import BankChannel, NotPut, OutsideError, PutResult
from models.reading import rows_by, table_of
from models.states import PaymentBatchState

T = TypeVar("T")
_TURNS = 12
"""How often we stand in line for a fund before the run fails: a minute by the limits of PostgreSQL."""


class Frozen(Exception):
    """All disbursement is on hold: nothing more is prepared and nothing more is put."""


@dataclass(slots=True, kw_only=True)
class Run:
    """What a payment run did, in domain words."""

    batches: list[dict[str, Any]] = field(default_factory=list)
    sent: list[UUID] = field(default_factory=list)
    taken_back: list[UUID] = field(default_factory=list)
    """Given up before anything was put, because a payment in them may not leave any more."""
    unknown: list[UUID] = field(default_factory=list)
    refused: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Payout number and the codes that kept it back."""
    failed: list[tuple[UUID, str]] = field(default_factory=list)
    waiting: list[UUID] = field(default_factory=list)
    """Batches that somebody else works on, or whose fund is on hold."""
    found: list[UUID] = field(default_factory=list)
    """Those of `sent` whose file an earlier run had put."""
    is_cut: bool = False
    """Asked to end, it left prepared batches to the next run."""
    is_frozen: bool = False
    """All disbursement is on hold, from its beginning or since a moment in it: what is not sent stays here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """How this process hands files over: through which channel, under which name, for how long it claims a batch."""

    bank: BankChannel
    holder: str
    takes: Literal["keep", "move"] = "move"
    """Whether the other side copies what lies there, or takes it away: then absence proves nothing."""
    lease: timedelta = LEASE
    answer_hours: int = ANSWER_HOURS
    templates: Mapping[str, Template] = field(default_factory=dict)
    """Bank code -> workbook that its portal takes; every other bank takes messages."""


def disburse(
    engine: Engine, teller: Teller, stamp: Stamp, *, run_id: UUID | None = None, is_over: Callable[[], bool] = never
) -> Run:
    """Hand over what is due, a chunk at a time, then what others prepared and left; say what was done.

    Workers that name the same row of the book (`run_id`) share a run: each payout is judged by one of them. Asked to
    end, or stopped by a hold on all disbursement, it ends between two batches; a later run hands over what is prepared.
    """
    run = Run()
    try:
        _disburse_chunks(engine, teller, stamp, run, run_id, is_over)
        if not run.is_cut:
            deliver(engine, teller, stamp, run, is_over=is_over)
    except Frozen:
        run.is_frozen = True
    return run


def help_disburse(
    engine: Engine, teller: Teller, stamp: Stamp, *, run_id: UUID, is_over: Callable[[], bool] = never
) -> Run:
    """Take chunks of a run that another worker began, until none is left or all is on hold; say what was done."""
    run = Run()
    try:
        _disburse_chunks(engine, teller, stamp, run, run_id, is_over)
    except Frozen:
        run.is_frozen = True
    return run


def _disburse_chunks(
    engine: Engine, teller: Teller, stamp: Stamp, run: Run, run_id: UUID | None, is_over: Callable[[], bool]
) -> None:
    """Prepare and hand over chunk after chunk; a fund that somebody else has is passed over while others wait."""
    with reading(engine) as session:
        if is_frozen(session):
            raise Frozen
        lanes = deque(Lane(fund_id=one, run_id=run_id) for one in due_payouts(session))
    passed_over = 0
    while lanes:
        if is_over():
            run.is_cut = True
            return
        lane, waits = lanes.popleft(), passed_over > len(lanes)  # nothing else is to be done meanwhile
        chunk = _patiently(engine, partial(_next_chunk, lane=lane, teller=teller, stamp=stamp, waits=waits))
        if chunk is None:
            lanes.append(lane)
            passed_over += 1
            continue
        passed_over = 0
        if chunk.numbers:
            lanes.appendleft(replace(lane, after=chunk.last))
        _note(engine, chunk, stamp, run)
        for answer in chunk.made:
            batch_id = UUID(answer.document["object_id"])
            deliver(engine, teller, stamp, run, is_over=is_over, only=batch_id)


def _next_chunk(session: Session, *, lane: Lane, teller: Teller, stamp: Stamp, waits: bool) -> Chunk | None:
    return next_chunk(session, lane, teller.templates.get, stamp, waits=waits)


def _note(engine: Engine, chunk: Chunk, stamp: Stamp, run: Run) -> None:
    """Keep what became of a chunk; what changed under its approval goes back to who asked for it."""
    run.batches += [dict(answer.document) for answer in chunk.made]
    changed = []
    for answer in chunk.judged:
        if answer.error is not None:
            payout_id = answer.command.payout_id  # type: ignore[attr-defined]
            run.refused.append((chunk.numbers[payout_id], answer.error.codes))
            if "payload_changed" in answer.error.codes:
                changed.append(payout_id)
    if changed:
        _back_to_requested(engine, changed, stamp)


def _patiently(engine: Engine, work: Callable[[Session], T]) -> T:
    """Do the work in a transaction; where another worker has the fund for long, stand in line again for a minute."""
    for _ in range(_TURNS):
        try:
            return run_in_transaction(engine, work)
        except DBAPIError as error:
            if not is_lock_timeout(error):
                raise
    return run_in_transaction(engine, work)


def is_frozen(session: Session) -> bool:
    """Say whether all disbursement is on hold."""
    hold = table_of(Hold)
    held = select(hold.c.id).where(hold.c.object_id == DISBURSEMENT_ID, hold.c.lifted_at.is_(None)).limit(1)
    return session.execute(held).first() is not None


def _is_held(session: Session, fund_id: UUID) -> bool:
    return any(row.lifted_at is None for row in rows_by(session, Hold, "object_id", [fund_id]).get(fund_id, ()))


def _back_to_requested(engine: Engine, payouts: Sequence[UUID], stamp: Stamp) -> None:
    """What changed underneath an approval is asked for anew: its money is free, its approvals are void."""
    amend = [
        Amend(
            command_id=key_of("changed", one, stamp.new_id()),
            payout_id=one,
            reason="what was approved has changed",
        )
        for one in payouts
    ]
    run_in_transaction(engine, lambda session: execute(session, amend, stamp=stamp))


def deliver(
    engine: Engine,
    teller: Teller,
    stamp: Stamp,
    run: Run,
    *,
    is_over: Callable[[], bool] = never,
    only: UUID | None = None,
) -> None:
    """Put the file of every prepared batch (or of this one) and record it as sent; a claim keeps others away meanwhile.

    A file of a fund on hold stays here. Raises `Frozen`: while disbursement is stopped no money leaves, also what was
    prepared before. Both are asked before each file: a stop between two of them keeps the second one here.
    """
    batch = table_of(PaymentBatch)
    waiting = select(batch.c.id, batch.c.fund_id).where(batch.c.state == PaymentBatchState.PREPARED)
    if only is not None:
        waiting = waiting.where(batch.c.id == only)
    with reading(engine) as session:
        if is_frozen(session):
            raise Frozen
        prepared = list(session.execute(waiting.order_by(batch.c.number)))
    failed = {one for one, _ in run.failed}  # a disk that is full now is not asked twice in one run
    for batch_id, fund_id in [(row.id, row.fund_id) for row in prepared if row.id not in failed]:
        if is_over():
            run.is_cut = True
            return
        fence = _claimed(engine, batch_id, fund_id, teller)
        if fence is None:
            run.waiting.append(batch_id)
            continue
        try:
            _put(engine, teller, batch_id, fence, stamp, run)
        except NotPut as error:
            note("file_kept", "bad", said=error)
            run.failed.append((batch_id, str(error)))
            _given_back(engine, batch_id, fence)
        except OutsideError as error:  # the claim stays until its lease ends: nobody knows how far it came
            note("file_in_doubt", "bad", said=error)
            run.failed.append((batch_id, str(error)))


def _claimed(engine: Engine, batch_id: UUID, fund_id: UUID, teller: Teller) -> int | None:
    """Claim a batch; None where somebody else has it or its fund is on hold. Raises `Frozen`."""

    def work(session: Session) -> int | None:
        if is_frozen(session):
            raise Frozen
        if _is_held(session, fund_id):
            return None
        return claim_batch(session, batch_id, teller.holder, lease=teller.lease)

    return run_in_transaction(engine, work)


def _given_back(engine: Engine, batch_id: UUID, fence: int) -> None:
    run_in_transaction(engine, lambda session: give_back(session, batch_id, fence))


def _found(teller: Teller, name: str) -> str | None:
    """Look before anything is handed over: where that fails nothing was."""
    try:
        return teller.bank.find(name)
    except OutsideError as error:
        raise NotPut(str(error)) from error


def _put(engine: Engine, teller: Teller, batch_id: UUID, fence: int, stamp: Stamp, run: Run) -> None:
    """Hand the file over and record it; one that may not leave any more is taken back, while nobody has begun.

    What ends or is held after this look counts as exported.
    """
    with reading(engine) as session:
        row = rows_by(session, PaymentBatch, "id", [batch_id])[batch_id][0]
        instructions = rows_by(session, PaymentInstruction, "batch_id", [batch_id])[batch_id]
        payouts = [
            found for (found,) in rows_by(session, Payout, "id", [one.payout_id for one in instructions]).values()
        ]
        kept = kept_here(session, payouts, stamp)
    data = file_of(row, instructions)
    if sha256_of_bytes(data) != row.file_sha256:
        note("file_differs", "bad", number=row.number)
        run.failed.append((batch_id, "the file made again differs from the one that was prepared"))
        return
    was_there = _found(teller, row.file_name)
    if kept and was_there is None and fence == 1:
        take_back = TakeBack(command_id=key_of("take_back", batch_id, UUID(int=fence)), batch_id=batch_id, fence=fence)
        if _recorded(engine, take_back, fence, stamp, run):
            note("batch_taken_back", "warn", number=row.number, count=len(kept))
            run.taken_back.append(batch_id)
            numbers = {one.id: one.number for one in payouts}
            run.refused += [(numbers[one], tuple(why.code for why in reasons)) for one, reasons in kept.items()]
        return
    may_be_gone = was_there is None and fence > 1
    doubt = _BEGUN if kept and may_be_gone else _doubt(teller, row.file_name, data, may_be_gone=may_be_gone)
    attempt = UUID(int=fence)
    if doubt is not None:
        command: Any = Doubt(command_id=key_of("doubt", batch_id, attempt), batch_id=batch_id, why=doubt)
    else:
        key, hours = key_of("send", batch_id, attempt), teller.answer_hours
        command = Send(command_id=key, batch_id=batch_id, fence=fence, answer_hours=hours)
    if _recorded(engine, command, fence, stamp, run):
        (run.sent if doubt is None else run.unknown).append(batch_id)
        said = {"number": row.number, "count": len(instructions), "sha": row.file_sha256[:12]}
        note(*(("batch_sent", "info") if doubt is None else ("batch_doubted", "bad")), **said)
        if doubt is None and was_there is not None:
            run.found.append(batch_id)


def _recorded(engine: Engine, command: Any, fence: int, stamp: Stamp, run: Run) -> bool:
    """Write down what became of a batch and let it go; say whether that was possible."""

    def record(session: Session) -> list[Answer]:
        answers = execute(session, [command], stamp=stamp)
        let_go(session, command.batch_id, fence)
        return answers

    (answer,) = _patiently(engine, record)
    if answer.error is not None:
        run.failed.append((command.batch_id, ", ".join(answer.error.codes)))
    return answer.is_done


_BEGUN = "begun_and_stopped"


def _doubt(teller: Teller, name: str, data: bytes, *, may_be_gone: bool) -> str | None:
    """Hand the file over; return the code why nobody can say whether the bank has it, None where it is there."""
    if may_be_gone and teller.takes == "move":
        return "begun_and_gone"
    if teller.bank.put(name, data) == PutResult.OTHER_CONTENT:
        return "other_file_there"
    return None
