"""The payment run: approved payouts -> batch -> file -> sent. Prepare (transaction), put (none), record (transaction).

Killed between any two lines, the next run finds the prepared batch, looks whether its file lies there, and goes on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from sqlalchemy import Engine, select
from sqlmodel import Session

from flows.claims import LEASE, claim_batch, give_back, let_go
from flows.turns import never
from lifecycle.banking.template import Template
from lifecycle.canonical import sha256_of_bytes
from lifecycle.commands import Answer, Stamp
from lifecycle.engine import execute
from lifecycle.payouts.batches import ANSWER_HOURS, Doubt, PrepareBatch, Send, file_of
from lifecycle.payouts.commands import Amend, Instruct
from lifecycle.payouts.facts import DISBURSEMENT_ID
from lifecycle.payouts.taking_back import TakeBack, kept_here
from models.db import reading, run_in_transaction
from models.funds import Fund
from models.holds import Hold
from models.limits import INSTRUCTIONS_PER_BATCH
from models.payouts import PaymentBatch, PaymentInstruction, Payout
from models.ports import BankChannel, NotPut, OutsideError, PutResult
from models.reading import rows_by, table_of
from models.states import PaymentBatchState, PayoutState

_SPACE = UUID("7d5f3c1e-2a44-5b8e-8f0d-52a1d7a90c33")


class Frozen(Exception):
    """All disbursement is on hold: nothing is prepared and nothing is put (exit 3)."""


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


def disburse(engine: Engine, teller: Teller, stamp: Stamp, *, is_over: Callable[[], bool] = never) -> Run:
    """Prepare what is due, then put and record every prepared batch, older ones first. Raises `Frozen`.

    Asked to end, it stops between two batches: what is prepared, the next run hands over.
    """
    with reading(engine) as session:
        if _is_frozen(session):
            raise Frozen
        due = due_payouts(session)
    run = Run()
    for fund_id, payouts in due.items():
        for start in range(0, len(payouts), INSTRUCTIONS_PER_BATCH):
            if is_over():
                run.is_cut = True
                return run
            _prepare(engine, teller, fund_id, payouts[start : start + INSTRUCTIONS_PER_BATCH], stamp, run)
    deliver(engine, teller, stamp, run, is_over=is_over)
    return run


def _is_frozen(session: Session) -> bool:
    hold = table_of(Hold)
    held = select(hold.c.id).where(hold.c.object_id == DISBURSEMENT_ID, hold.c.lifted_at.is_(None)).limit(1)
    return session.execute(held).first() is not None


def _held_funds(session: Session, funds: Collection[UUID]) -> set[UUID]:
    holds = rows_by(session, Hold, "object_id", funds)
    return {key for key, rows in holds.items() if any(row.lifted_at is None for row in rows)}


def due_payouts(session: Session) -> dict[UUID, list[Any]]:
    """Return fund -> its approved payouts by number: the last gate judges them, one by one."""
    payout = table_of(Payout)
    statement = (
        select(payout.c.id, payout.c.number, payout.c.fund_id, payout.c.version)
        .where(payout.c.state == PayoutState.APPROVED)
        .order_by(payout.c.fund_id, payout.c.number)
    )
    due: dict[UUID, list[Any]] = {}
    for row in session.execute(statement):
        due.setdefault(row.fund_id, []).append(row)
    return due


def _prepare(engine: Engine, teller: Teller, fund_id: UUID, payouts: Sequence[Any], stamp: Stamp, run: Run) -> None:
    """Judge every payout once more and write batch and instructions, all in one transaction."""
    numbers = {row.id: row.number for row in payouts}

    def work(session: Session) -> tuple[list[Answer], list[Answer]]:
        batch_id = stamp.new_id()
        instruct = [
            Instruct(command_id=_key("instruct", row.id, batch_id), payout_id=row.id, batch_id=batch_id)
            for row in payouts
        ]
        judged = execute(session, instruct, stamp=stamp)
        accepted = tuple(UUID(answer.document["object_id"]) for answer in judged if answer.is_done)
        if not accepted:
            return judged, []
        prepare = PrepareBatch(
            command_id=_key("prepare", batch_id, batch_id),
            fund_id=fund_id,
            batch_id=batch_id,
            payout_ids=accepted,
            execution_on=stamp.calendar.next_working_day(stamp.today),
            template=teller.templates.get(_bank_of(session, fund_id)),
        )
        made = execute(session, [prepare], stamp=stamp)
        if not made[0].is_done:
            raise RuntimeError(f"a batch of judged payouts was refused: {made[0].unmet}")
        return judged, made

    judged, made = run_in_transaction(engine, work)
    run.batches += [dict(answer.document) for answer in made]
    changed = []
    for answer in judged:
        if answer.error is not None:
            payout_id = answer.command.payout_id  # type: ignore[attr-defined]
            run.refused.append((numbers[payout_id], answer.error.codes))
            if "payload_changed" in answer.error.codes:
                changed.append(payout_id)
    if changed:
        _back_to_requested(engine, changed, stamp)


def _bank_of(session: Session, fund_id: UUID) -> str:
    fund = table_of(Fund)
    return str(session.execute(select(fund.c.debtor_bank).where(fund.c.id == fund_id)).scalar_one())


def _back_to_requested(engine: Engine, payouts: Sequence[UUID], stamp: Stamp) -> None:
    """What changed underneath an approval is asked for anew: its money is free, its approvals are void."""
    amend = [
        Amend(command_id=_key("changed", one, stamp.new_id()), payout_id=one, reason="what was approved has changed")
        for one in payouts
    ]
    run_in_transaction(engine, lambda session: execute(session, amend, stamp=stamp))


def deliver(engine: Engine, teller: Teller, stamp: Stamp, run: Run, *, is_over: Callable[[], bool] = never) -> None:
    """Put the file of every prepared batch and record it as sent; a claim keeps others away meanwhile.

    A file of a fund on hold stays here. Raises `Frozen`: while disbursement is stopped no money leaves, also what was
    prepared before.
    """
    batch = table_of(PaymentBatch)
    with reading(engine) as session:
        if _is_frozen(session):
            raise Frozen
        prepared = list(
            session.execute(
                select(batch.c.id, batch.c.fund_id)
                .where(batch.c.state == PaymentBatchState.PREPARED)
                .order_by(batch.c.number)
            )
        )
        held = _held_funds(session, {row.fund_id for row in prepared})
    run.waiting += [row.id for row in prepared if row.fund_id in held]
    for batch_id in [row.id for row in prepared if row.fund_id not in held]:
        if is_over():
            run.is_cut = True
            return
        fence = _claimed(engine, batch_id, teller)
        if fence is None:
            run.waiting.append(batch_id)
            continue
        try:
            _put(engine, teller, batch_id, fence, stamp, run)
        except NotPut as error:
            run.failed.append((batch_id, str(error)))
            _given_back(engine, batch_id, fence)
        except OutsideError as error:  # the claim stays until its lease ends: nobody knows how far it came
            run.failed.append((batch_id, str(error)))


def _claimed(engine: Engine, batch_id: UUID, teller: Teller) -> int | None:
    def work(session: Session) -> int | None:
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
        run.failed.append((batch_id, "the file made again differs from the one that was prepared"))
        return
    was_there = _found(teller, row.file_name)
    if kept and was_there is None and fence == 1:
        take_back = TakeBack(command_id=_key("take_back", batch_id, UUID(int=fence)), batch_id=batch_id, fence=fence)
        if _recorded(engine, take_back, fence, stamp, run):
            run.taken_back.append(batch_id)
            numbers = {one.id: one.number for one in payouts}
            run.refused += [(numbers[one], tuple(why.code for why in reasons)) for one, reasons in kept.items()]
        return
    may_be_gone = was_there is None and fence > 1
    doubt = _BEGUN if kept and may_be_gone else _doubt(teller, row.file_name, data, may_be_gone=may_be_gone)
    attempt = UUID(int=fence)
    if doubt is not None:
        command: Any = Doubt(command_id=_key("doubt", batch_id, attempt), batch_id=batch_id, why=doubt)
    else:
        key, hours = _key("send", batch_id, attempt), teller.answer_hours
        command = Send(command_id=key, batch_id=batch_id, fence=fence, answer_hours=hours)
    if _recorded(engine, command, fence, stamp, run):
        (run.sent if doubt is None else run.unknown).append(batch_id)
        if doubt is None and was_there is not None:
            run.found.append(batch_id)


def _recorded(engine: Engine, command: Any, fence: int, stamp: Stamp, run: Run) -> bool:
    """Write down what became of a batch and let it go; say whether that was possible."""

    def record(session: Session) -> list[Answer]:
        answers = execute(session, [command], stamp=stamp)
        let_go(session, command.batch_id, fence)
        return answers

    (answer,) = run_in_transaction(engine, record)
    if answer.error is not None:
        run.failed.append((command.batch_id, ", ".join(answer.error.codes)))
    return answer.is_done


_BEGUN = "a payment in it may not leave any more, and somebody began to hand it over before"


def _doubt(teller: Teller, name: str, data: bytes, *, may_be_gone: bool) -> str | None:
    """Hand the file over; return why nobody can say whether the bank has it, None where it is there."""
    if may_be_gone and teller.takes == "move":
        return "somebody began to hand it over before, and what the bank took is no longer there"
    if teller.bank.put(name, data) == PutResult.OTHER_CONTENT:
        return "another file of this name lies there"
    return None


def _key(what: str, subject: UUID, more: UUID) -> str:
    return str(uuid5(_SPACE, f"{what}:{subject}:{more}"))
