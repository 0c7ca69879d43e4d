"""A prepared batch is taken back that may not leave any more: a project ended or is on hold, an account is retired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Effects, Stamp, Task
from lifecycle.errors import Unmet, unmet
from lifecycle.payouts.batches import BatchCommand, BatchFacts, batch_facts, batch_verb, given_up
from models.holds import Hold
from models.payouts import PayeeAccount
from models.projects import Project
from models.reading import rows_by
from models.states import ENDED, PayeeStatus, PayoutPurpose, ProjectState, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(BatchCommand):
    """Give up a batch before anybody began to hand it over, because a payment in it may not leave any more."""

    fence: int


def kept_here(session: Session, payouts: Sequence[Any], stamp: Stamp) -> Mapping[UUID, tuple[Unmet, ...]]:
    """Return payout -> why its money may not leave any more (F10, F12, F16); those that may are not in it."""
    projects = rows_by(session, Project, "id", {row.project_id for row in payouts})
    holds = rows_by(session, Hold, "object_id", projects)
    accounts = rows_by(session, PayeeAccount, "id", {row.payee_account_id for row in payouts})
    found = {}
    for row in payouts:
        reasons = (
            *_ended(row, projects[row.project_id][0]),
            *_held(holds.get(row.project_id, ()), stamp),
            *_retired(accounts[row.payee_account_id][0]),
        )
        if reasons:
            found[row.id] = reasons
    return found


def _ended(payout: Any, project: Any) -> tuple[Unmet, ...]:
    is_over = project.stage in ENDED and project.stage != ProjectState.IN_PRODUCTION
    if not is_over or payout.purpose == PayoutPurpose.SETTLEMENT:
        return ()
    return (unmet("project_ended", state=str(project.stage)),)


def _held(holds: Sequence[Any], stamp: Stamp) -> tuple[Unmet, ...]:
    standing = [row for row in holds if row.lifted_at is None and (row.needs_decision or row.until_on >= stamp.today)]
    return tuple(unmet("project_on_hold", reason=row.reason, until=row.until_on.isoformat()) for row in standing[:1])


def _retired(account: Any) -> tuple[Unmet, ...]:
    if account.status == PayeeStatus.CONFIRMED:
        return ()
    return (Unmet(code="payee_not_confirmed", party="funder", role=Role.ACCOUNTANT),)


def take_back_facts(session: Session, tasks: Sequence[Task[TakeBack]], stamp: Stamp) -> list[BatchFacts]:
    """Read each batch, and what keeps its payouts here."""
    found = batch_facts(session, tasks, stamp)
    kept = kept_here(session, [payout for one in found for payout in one.payouts], stamp)
    return [replace(one, kept=frozenset(row.id for row in one.payouts if row.id in kept)) for one in found]


def taken_back(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """Approve its payouts again: the last gate judges each before the next batch, and names what stands in its way."""
    return given_up(facts, "take_back", target, "a payment in it may not leave any more", stamp)


TAKE_BACK = batch_verb("take_back", TakeBack, taken_back, facts=take_back_facts)
