"""An agreement that was over and to which the bank sends money back: it is opened again, to be paid or settled anew."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Act, Message, Stamp, Task
from lifecycle.ledger.sums import paid_by_agreement, promised_by
from models.agreements import Agreement
from models.reading import rows_by
from models.states import FundStatus


def to_reopen(session: Session, tasks: Sequence[Task[Any]]) -> Mapping[UUID, Any]:
    """Return payout -> its closed agreement, for payouts of which money comes back; each agreement once.

    The fund can promise its award again: what came back was promised until now. Only where it had given up a rest, and
    has promised that to others since, the agreement stays closed; so it does under a closed fund, and where the project
    has another one with the fund by now: it has one at a time, and what came back is the fund's for that one.
    """
    asked = [task for task in tasks if task.fund.status == FundStatus.ACTIVE]
    agreements = rows_by(session, Agreement, "id", [task.row.agreement_id for task in asked])
    closed = {key for key, (row,) in agreements.items() if row.status == FundStatus.CLOSED}
    if not closed:
        return {}
    taken = _with_another(session, [agreements[key][0] for key in closed])
    paid = paid_by_agreement(session, closed)
    promised = dict(promised_by(session, {task.fund.id for task in asked}))
    found = {}
    for task in asked:
        agreement, fund = agreements[task.row.agreement_id][0], task.fund
        more = agreement.amount_minor - paid.get(agreement.id, 0)
        has_room = promised[fund.id] + more <= fund.commitment_minor
        if agreement.id in closed and _place(agreement) not in taken and has_room:
            closed.remove(agreement.id)
            taken.add(_place(agreement))
            promised[fund.id] += more
            found[task.row.id] = agreement
    return found


def _place(agreement: Any) -> tuple[UUID, UUID]:
    return agreement.project_id, agreement.fund_id


def _with_another(session: Session, agreements: Sequence[Any]) -> set[tuple[UUID, UUID]]:
    """Return project and fund of those whose project has an agreement in force, or drafted, with the fund."""
    others = rows_by(session, Agreement, "project_id", {row.project_id for row in agreements})
    return {_place(row) for rows in others.values() for row in rows if row.status == FundStatus.ACTIVE}


def reopened(agreement: Any, payout: Any, amount_minor: int, stamp: Stamp) -> tuple[Act, Message]:
    """Open the agreement again. Its settlement stands until it is settled anew, so that what came back can be paid."""
    said = {"payout": payout.number, "amount_minor": amount_minor}
    act = Act(
        table=Agreement,
        object_type="agreement",
        id=agreement.id,
        action="agreement.reopen",
        row=agreement,
        values={"status": FundStatus.ACTIVE, "closed_on": None},
        detail={**said, "was_closed_on": agreement.closed_on, "on": stamp.today},
    )
    told = {"number": agreement.number, "currency": payout.currency, **said}
    return act, Message(kind="agreement.reopened", object_type="agreement", object_id=agreement.id, facts=told)
