"""What can stand in the way of a payment batch. Pure: facts in, reasons out."""

from typing import TYPE_CHECKING

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.payouts.outcomes import ENDED as OVER
from models.states import InstructionStatus, PayoutState

if TYPE_CHECKING:
    from lifecycle.payouts.batches import BatchFacts, PrepareFacts


@about_input
def fence_holds(facts: "BatchFacts") -> tuple[Unmet, ...]:
    """A worker that slept past its lease writes nothing: another has taken the batch since."""
    fence = getattr(facts.command, "fence", None)
    if fence is None or fence == facts.batch.fence:
        return ()
    return (unmet("fence_lost", seen=fence, current=facts.batch.fence),)


@about_input
def two_agreed(facts: "BatchFacts") -> tuple[Unmet, ...]:
    """Two people have looked at the bank's written word: one proposed to give the batch up, another agreed."""
    case = facts.agreed
    ok = case is not None and case.action == "abandon_batch" and case.confirmed_by is not None
    return () if ok else (unmet("two_people_missing"),)


def may_not_leave(facts: "BatchFacts") -> tuple[Unmet, ...]:
    """Only a batch with a payment that may not leave any more is taken back, and only before it could have left.

    Whoever takes it back is the first who ever claimed it: nobody else can have handed anything over.
    """
    if not facts.kept:
        return (unmet("batch_may_leave"),)
    return () if facts.batch.fence == 1 else (unmet("batch_may_be_alive", count=len(facts.instructions)),)


def nothing_paid(facts: "BatchFacts") -> tuple[Unmet, ...]:
    """What the bank has acknowledged, rejected or booked of a batch cannot be unsaid."""
    said = [row for row in facts.instructions if row.status not in _NOTHING_HEARD]
    return (unmet("batch_may_be_alive", count=len(said)),) if said else ()


def nothing_awaited(facts: "BatchFacts") -> tuple[Unmet, ...]:
    """A batch is over when the bank has said its last word on each of its instructions."""
    open_still = [row for row in facts.instructions if row.status not in OVER]
    return (unmet("bank_word_missing", count=len(open_still)),) if open_still else ()


_NOTHING_HEARD = (InstructionStatus.PREPARED, InstructionStatus.SENT, InstructionStatus.UNKNOWN)


@about_input
def something_to_pay(facts: "PrepareFacts") -> tuple[Unmet, ...]:
    """A batch carries payouts that were put into it just before, all of its fund."""
    if not facts.payouts:
        return (unmet("batch_empty"),)
    wrong = [
        row.number
        for row in facts.payouts
        if row.state != PayoutState.INSTRUCTED or row.fund_id != facts.fund.id or row.id in facts.alive
    ]
    return (unmet("batch_of_others", numbers=wrong),) if wrong else ()
