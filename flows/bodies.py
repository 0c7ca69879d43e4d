"""What each schedule does. A new one is a line in `BODIES` and a line in `lifecycle/schedules/times.py`."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select

from flows.backups import backup
from flows.chunks import due_payouts
from flows.deadlines import STAGE_DEADLINES
from flows.desk import channel_of, folders_of, teller_of
from flows.disbursement import Run, disburse, help_disburse
from flows.housekeeping import housekeeping
from flows.reconciliation import Taken, doubt_silent, silent_batches, take_answers
from flows.recovery import Finished, finish
from flows.runtime import Tally, run
from flows.soundness import checkpoint, invariants, invariants_broken
from flows.telling import daily_digest, drain, remind, report, waiting_count, weekly_digest
from flows.turns import Body, Effect, Outcome, Turn
from models.db import reading
from models.payouts import PaymentBatch
from models.reading import table_of
from models.states import PaymentBatchState


def stage_deadlines(turn: Turn) -> Outcome:
    """Do what time does by itself (`flows/deadlines.py`)."""
    sweeps = (run(turn.engine, sweep, turn.stamp, is_over=turn.is_over) for sweep in STAGE_DEADLINES)
    tally = sum(sweeps, Tally())
    return Outcome(
        found=tally.done + tally.refused + tally.failed,
        done=tally.done,
        refused=tally.refused,
        failed=tally.failed,
        effects=tally.effects,
        is_cut=tally.is_cut,
    )


def _deadlines_due(turn: Turn) -> int:
    with reading(turn.engine) as session:
        return sum(len(sweep.due(session, turn.stamp)) for sweep in STAGE_DEADLINES)


def disbursement(turn: Turn) -> Outcome:
    """Hand approved payouts over; files that nobody can be sure of count as failed. Refused while all is frozen.

    Frozen in the middle, it says what it did before, and counts once more as refused: what is left stays here.
    """
    teller = teller_of(turn.engine, turn.settings, turn.stamp)
    run = disburse(turn.engine, teller, turn.stamp, run_id=turn.run_id, is_over=turn.is_over)
    done = payment_outcome(run)
    return _frozen(done) if run.is_frozen else done


def _frozen(done: Outcome) -> Outcome:
    """Return what a run did until all was frozen; one that had begun names the hold among its effects."""
    hold = Effect(effect="refused", object_type="disbursement", detail="frozen")
    effects = (hold, *done.effects) if done.effects else ()
    found = done.found + len(effects) - len(done.effects)
    return replace(done, found=found, refused=done.refused + 1, effects=effects, refusal="frozen")


def help_disbursement(turn: Turn) -> Outcome:
    """Hand over chunks of the run that another worker began; while all is frozen that one says so."""
    teller = teller_of(turn.engine, turn.settings, turn.stamp)
    if turn.run_id is None:
        raise ValueError("only a run that has a row can be shared")
    return payment_outcome(help_disburse(turn.engine, teller, turn.stamp, run_id=turn.run_id, is_over=turn.is_over))


def payment_outcome(found: Run) -> Outcome:
    """Return what a payment run did, in domain words."""
    sent = [Effect(effect="batch.send", object_type="batch", object_id=str(one)) for one in found.sent]
    back = [Effect(effect="batch.take_back", object_type="batch", object_id=str(one)) for one in found.taken_back]
    doubt = [Effect(effect="batch.doubt", object_type="batch", object_id=str(one)) for one in found.unknown]
    refused = [
        Effect(effect="refused", object_type="payout", ref=number, detail=", ".join(codes))
        for number, codes in found.refused
    ]
    failed = [Effect(effect="failed", object_type="batch", object_id=str(one), detail=why) for one, why in found.failed]
    effects = (*failed, *doubt, *refused, *back, *sent)
    return Outcome(
        found=len(effects) + len(found.waiting),
        done=len(found.sent),
        refused=len(found.refused),
        failed=len(found.failed) + len(found.unknown),
        effects=effects,
        is_cut=found.is_cut,
    )


def _payouts_due(turn: Turn) -> int:
    with reading(turn.engine) as session:
        return sum(due_payouts(session).values())


_FILES = {"imported": "file.imported", "duplicate": "file.known", "quarantined": "file.quarantined"}


def reconciliation(turn: Turn) -> Outcome:
    """Take the bank's answers, and doubt what it should have answered by now.

    Counts are of files: imported, known already, in quarantine (`docs/contract.md` 5).
    """
    bank = channel_of(turn.engine, turn.settings, turn.stamp)
    taken = take_answers(turn.engine, bank, turn.stamp, is_over=turn.is_over)
    doubts = [
        Effect(effect="batch.doubt", object_type="batch", object_id=str(one))
        for one in doubt_silent(turn.engine, turn.stamp)
    ]
    status = [one.status for one in taken]
    return Outcome(
        found=len(status) + len(doubts),
        done=status.count("imported"),
        refused=status.count("duplicate"),
        failed=status.count("quarantined"),
        effects=(*doubts, *map(_file_effect, taken)),
        is_cut=turn.is_over(),
    )


def _file_effect(one: Taken) -> Effect:
    said = one.document()
    counts = [f"{name} {said[name]}" for name in ("matched", "duplicate", "exception") if said[name]]
    detail = said["why"] or ", ".join(counts)
    return Effect(effect=_FILES[one.status], object_type="statement", ref=one.name, detail=detail)


def _answers_there(turn: Turn) -> int:
    with reading(turn.engine) as session:
        silent = len(silent_batches(session, turn.stamp))
    return silent + sum(1 for _ in folders_of(turn.settings).inbox())


def recovery(turn: Turn) -> Outcome:
    """Bring to its end what a killed payment run left."""
    teller = teller_of(turn.engine, turn.settings, turn.stamp)
    return recovery_outcome(finish(turn.engine, teller, folders_of(turn.settings), turn.stamp))


def _prepared(turn: Turn) -> int:
    batch = table_of(PaymentBatch)
    waiting = select(func.count()).select_from(batch).where(batch.c.state == PaymentBatchState.PREPARED)
    with reading(turn.engine) as session:
        return int(session.execute(waiting).scalar_one())


def recovery_outcome(found: Finished) -> Outcome:
    """Return what a recovery did, in domain words."""
    moved = [
        Effect(effect=f"batch.{one['to']}", object_type="batch", object_id=one["object_id"], detail=one["why"])
        for one in found.moved
    ]
    failed = [
        Effect(effect="failed", object_type=one["object_type"], object_id=one["object_id"], detail=one["error"])
        for one in found.failed
    ]
    return Outcome(
        found=len(moved) + len(failed) + len(found.waiting),
        done=len(moved),
        failed=len(failed),
        effects=(*failed, *moved),
    )


BODIES: Mapping[str, Body] = {
    "recovery": Body(run=recovery, look=_prepared),
    "stage-deadlines": Body(run=stage_deadlines, look=_deadlines_due),
    "reconciliation": Body(run=reconciliation, look=_answers_there),
    "disbursement": Body(run=disbursement, look=_payouts_due, help=help_disbursement),
    "invariants": Body(run=invariants, look=invariants_broken),
    "checkpoint": Body(run=checkpoint),
    "backup": Body(run=backup),
    "housekeeping": Body(run=housekeeping),
    "reminders": Body(run=remind),
    "digest": Body(run=daily_digest),
    "weekly-digest": Body(run=weekly_digest),
    "report": Body(run=report),
    "outbox": Body(run=drain, look=waiting_count, help=drain),
}
"""Schedule -> what it does; a schedule without a body does not run."""
