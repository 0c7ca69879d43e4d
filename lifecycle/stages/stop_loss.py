"""The stop-loss of a trial: limits agreed in the contract; one that is used up opens a stop review [design]."""

from dataclasses import dataclass
from typing import Literal

from lifecycle.stages.forms import whole
from lifecycle.stages.records import Records
from lifecycle.standards.pack import RunLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """The agreed limits; None where none was agreed."""

    money_minor: int | None = None
    batches: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the trial has used so far: money in minor units, batches started, calendar days over all its visits."""

    money_minor: int
    batches: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHit:
    """One limit that is used up."""

    code: Literal["stop_loss_money", "stop_loss_batches", "stop_loss_days"]
    limit: int
    used: int


def agreed_stop_loss(limits: RunLimits, records: Records) -> StopLoss:
    """Return the limits of the newest contract; without a contract nothing was agreed."""
    contract = records.latest(limits.form)
    if contract is None:
        return StopLoss()
    return StopLoss(
        money_minor=whole(contract.values, limits.money_field),
        batches=whole(contract.values, limits.batches_field),
        days=whole(contract.values, limits.days_field),
    )


def limits_hit(agreed: StopLoss, used: Used) -> tuple[LimitHit, ...]:
    """Return every agreed limit that is used up: reaching it is enough, one more batch or day would pass it."""
    pairs: tuple[tuple[Literal["stop_loss_money", "stop_loss_batches", "stop_loss_days"], int | None, int], ...] = (
        ("stop_loss_money", agreed.money_minor, used.money_minor),
        ("stop_loss_batches", agreed.batches, used.batches),
        ("stop_loss_days", agreed.days, used.days),
    )
    return tuple(
        LimitHit(code=code, limit=limit, used=spent)
        for code, limit, spent in pairs
        if limit is not None and spent >= limit
    )
