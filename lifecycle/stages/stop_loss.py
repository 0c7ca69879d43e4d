"""The stop-loss of a trial: limits agreed in the contract; one that is used up opens a stop review [design]."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from lifecycle.stages.forms import whole
from lifecycle.standards.pack import RunLimits
from models.states import ProjectState

Code: TypeAlias = Literal["stop_loss_money", "stop_loss_batches", "stop_loss_days"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """The agreed limits; None where none was agreed."""

    money_minor: int | None = None
    batches: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the trial has used so far, over all its visits.

    Money is what its batches cost, in minor units: the least that is known until payments are kept. Batches count when
    they are started; days are calendar days, and go on during a hold, which stops no clock of a contract (rule book 3).
    """

    money_minor: int = 0
    batches: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHit:
    """One limit that is used up."""

    code: Code
    limit: int
    used: int


def agreed_stop_loss(limits: RunLimits, contract: Mapping[str, Any]) -> StopLoss:
    """Return the limits that stand in the form of a contract; in an empty one nothing was agreed."""
    return StopLoss(
        money_minor=whole(contract, limits.money_field),
        batches=whole(contract, limits.batches_field),
        days=whole(contract, limits.days_field),
    )


def days_used(visits: Iterable[Any], stage: ProjectState, today: date) -> int:
    """Return the calendar days that all visits of a stage have lasted by today."""
    return sum(((visit.closed_on or today) - visit.opened_on).days for visit in visits if visit.stage == stage)


def limits_hit(agreed: StopLoss, used: Used) -> tuple[LimitHit, ...]:
    """Return every agreed limit that is used up: reaching it is enough, one more batch or day would pass it."""
    pairs: tuple[tuple[Code, int | None, int], ...] = (
        ("stop_loss_money", agreed.money_minor, used.money_minor),
        ("stop_loss_batches", agreed.batches, used.batches),
        ("stop_loss_days", agreed.days, used.days),
    )
    return tuple(
        LimitHit(code=code, limit=limit, used=spent)
        for code, limit, spent in pairs
        if limit is not None and spent >= limit
    )
