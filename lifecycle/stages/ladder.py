"""The scale-up ladder: a larger batch is unlocked only by conforming batches on the step below [design]."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lifecycle.stages.batches import counted_batches, in_order
from lifecycle.stages.records import BatchRecord, Records
from lifecycle.standards.pack import RunLimits
from models.states import BatchKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The agreed batch sizes, the smallest first, and how many conforming batches open the next step."""

    sizes: tuple[float, ...]
    conforming_batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """How large the next batch may be, in the unit of the batch size."""

    size: float
    next_size: float | None
    """The step above; None on the last one."""
    batches_needed: int
    """Conforming batches of at least `size` still owed before the step above opens; 0 on the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAboveLadder:
    """Why a run is refused."""

    code: Literal["run_above_unlocked_size", "run_above_last_step"]
    asked: float
    size: float
    next_size: float | None
    batches_needed: int


def agreed_ladder(limits: RunLimits, records: Records) -> Ladder | None:
    """Return the ladder of the newest contract; None when no steps were agreed, so that none can be refused."""
    contract = records.latest(limits.form)
    listed = contract.values.get(limits.ladder_field) if contract else None
    if not isinstance(listed, list | tuple):
        return None
    sizes = {float(size) for size in listed if isinstance(size, int | float) and not isinstance(size, bool)}
    steps = tuple(sorted(size for size in sizes if 0 < size < float("inf")))
    return Ladder(sizes=steps, conforming_batches=limits.conforming_batches) if steps else None


def evidence_batches(records: Records) -> tuple[BatchRecord, ...]:
    """Return the batches that may open a step: those of the frozen revision; before a freeze all trial batches."""
    if records.revision is None:
        return in_order(records, BatchKind.TRIAL)
    return counted_batches(records, BatchKind.TRIAL)


def unlocked(ladder: Ladder, batches: Sequence[BatchRecord]) -> Unlocked:
    """Return the largest size that may be run now: the first step is free, each further one opens by the step below.

    A closed conforming batch counts for a step when it is at least as large as the step.
    """
    for i, size in enumerate(ladder.sizes[:-1]):
        owed = ladder.conforming_batches - sum(_conforms(batch, size) for batch in batches)
        if owed > 0:
            return Unlocked(size=size, next_size=ladder.sizes[i + 1], batches_needed=owed)
    return Unlocked(size=ladder.sizes[-1], next_size=None, batches_needed=0)


def refused_run(size: float, ladder: Ladder, batches: Sequence[BatchRecord]) -> RunAboveLadder | None:
    """Return why a run of this size is refused; None when it may start. A size that is no number is refused too."""
    free = unlocked(ladder, batches)
    if size <= free.size:
        return None
    return RunAboveLadder(
        code="run_above_last_step" if free.next_size is None else "run_above_unlocked_size",
        asked=size,
        size=free.size,
        next_size=free.next_size,
        batches_needed=free.batches_needed,
    )


def _conforms(batch: BatchRecord, size: float) -> bool:
    return batch.is_closed and batch.conforming is True and batch.size is not None and batch.size >= size
