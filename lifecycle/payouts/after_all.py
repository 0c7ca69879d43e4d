"""A payment that was given up and that the bank has made after all: whether there is room for it in what it pays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.ledger.sums import set_off_against
from models.agreements import Agreement, Milestone
from models.payouts import Payout
from models.reading import Groups, rows_by
from models.states import MilestoneState, PayoutState

GIVEN_UP = (PayoutState.CANCELLED, PayoutState.REJECTED)


@dataclass(frozen=True, slots=True)
class Room:
    """What a tranche, or the settlement of an agreement, holds beside all other live payouts, and their numbers."""

    left_minor: int
    others: tuple[str, ...]


def room_of(session: Session, payouts: Collection[Any]) -> Mapping[UUID, Room]:
    """Return payout -> the room for it; only those that were given up are in it, for what is live has its room.

    Four statements, none without such a payout.
    """
    asked = [row for row in payouts if row.state in GIVEN_UP]
    if not asked:
        return {}
    named = {row.milestone_id for row in asked} - {None}
    milestones, set_off = rows_by(session, Milestone, "id", named), set_off_against(session, named)
    ids = {row.agreement_id for row in asked}
    agreements, siblings = rows_by(session, Agreement, "id", ids), rows_by(session, Payout, "agreement_id", ids)
    found = {}
    for row in asked:
        others = [one for one in _live(siblings[row.agreement_id]) if one.milestone_id == row.milestone_id]
        taken = sum(one.amount_minor for one in others) + set_off.get(row.milestone_id, 0)
        held = _held(row, milestones, agreements)
        found[row.id] = Room(max(0, held - taken), tuple(sorted(one.number for one in others)))
    return found


def _live(rows: Sequence[Any]) -> Sequence[Any]:
    return [row for row in rows if row.state not in GIVEN_UP]


def _held(payout: Any, milestones: Groups, agreements: Groups) -> int:
    if payout.milestone_id is None:
        return int(agreements[payout.agreement_id][0].settlement_minor)
    (milestone,) = milestones[payout.milestone_id]
    return 0 if milestone.state == MilestoneState.WAIVED else int(milestone.amount_minor)
