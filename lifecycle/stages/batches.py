"""Which batches a gate counts: closed ones of the frozen revision, made since it was frozen."""

from collections.abc import Sequence

from lifecycle.stages.control_chart import Subgroups
from lifecycle.stages.records import BatchRecord, Computed, Records
from lifecycle.stages.rule import missing
from models.states import BatchKind


def counted_batches(records: Records, kind: BatchKind) -> tuple[BatchRecord, ...]:
    """Return the closed batches of this kind that carry the frozen revision and are not older than it, oldest first.

    Batches must be younger than the frozen revision [design, section 3.0]; open ones are shown, never judged.
    """
    frozen = records.revision
    if frozen is None:
        return ()
    return tuple(
        batch
        for batch in in_order(records, kind)
        if batch.is_closed and batch.revision == frozen.label and batch.made_on >= frozen.frozen_on
    )


def in_order(records: Records, kind: BatchKind) -> tuple[BatchRecord, ...]:
    """Return all batches of this kind in the order of production; of one day in the order they were recorded."""
    return tuple(sorted((batch for batch in records.batches if batch.kind is kind), key=lambda batch: batch.made_on))


def nothing_to_judge(records: Records, kind: BatchKind) -> Computed | None:
    """Say why no batch can be judged yet; None when there is one that counts."""
    if records.revision is None:
        return missing("no_frozen_revision")
    counted = counted_batches(records, kind)
    if counted:
        return None
    every = in_order(records, kind)
    return missing(
        "no_closed_batch",
        revision=records.revision.label,
        open=[batch.number for batch in every if not batch.is_closed],
        not_counted=[batch.number for batch in every if batch.is_closed],
    )


def consecutive_values(batches: Sequence[BatchRecord], name: str, *, at_least: int) -> Subgroups:
    """Return the newest unbroken stretch of measured values of a characteristic, in the order of production.

    The latest batch alone when it holds enough values; else whole earlier batches are put before it until it is enough
    or one of them did not measure the characteristic. Nobody chooses which batches are looked at.
    """
    stretch: list[tuple[float, ...]] = []
    for batch in reversed(batches):
        measured = batch.measurements.get(name, ())
        stretch[:0] = measured
        if not measured or sum(map(len, stretch)) >= at_least:
            break
    return stretch
