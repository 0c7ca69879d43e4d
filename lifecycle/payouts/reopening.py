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
    has promised that to others since, the agreement stays closed; so it does under a closed fund.
    """
    asked = [task for task in tasks if task.fund.status == FundStatus.ACTIVE]
    agreements = rows_by(session, Agreement, "id", [task.row.agreement_id for task in asked])
    closed = {key for key, (row,) in agreements.items() if row.status == FundStatus.CLOSED}
    if not closed:
        return {}
    paid = paid_by_agreement(session, closed)
    promised = promised_by(session, {task.fund.id for task in asked})
    found = {}
    for task in asked:
        agreement, fund = agreements[task.row.agreement_id][0], task.fund
        more = agreement.amount_minor - paid.get(agreement.id, 0)
        if agreement.id in closed and promised[fund.id] + more <= fund.commitment_minor:
            closed.remove(agreement.id)
            promised[fund.id] += more
            found[task.row.id] = agreement
    return found


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
