"""Stop and withdraw, with all that follows for money in the same transaction (rule book F10, F12, invariant I25)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Act, Effects, Message, Stamp, Task
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.entries import Accounts
from lifecycle.payouts.effects import cancelled_with_project
from lifecycle.payouts.terms import hand_in_by
from lifecycle.projects import effects, rules
from lifecycle.projects.chart import ProjectChart
from lifecycle.projects.commands import Stop, Withdraw, project_verb
from lifecycle.projects.facts import ProjectFacts, project_facts
from models.agreements import Agreement
from models.payouts import Payout
from models.reading import rows_by, table_of
from models.states import FundStatus, PayoutPurpose, PayoutState

_OPEN = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.RETURNED)
"""What ends with the project; what is at the bank already is followed to its end."""


@dataclass(frozen=True, kw_only=True)
class EndingFacts(ProjectFacts):
    """A project that ends, with its agreements, its waiting payouts, and the accounts of the funds they come from."""

    agreements: tuple[Any, ...] = ()
    """Those that are active: each waits for its settlement from now on."""
    waiting: tuple[Any, ...] = ()
    accounts: Mapping[UUID, Accounts] = field(default_factory=dict)


def funds_of(session: Session, project_ids: Sequence[UUID]) -> Collection[UUID]:
    """Return the funds that have agreements with these projects: they are locked before the projects."""
    agreement = table_of(Agreement)
    statement = select(agreement.c.fund_id).where(agreement.c.project_id.in_(list(project_ids))).distinct()
    return list(session.connection().execute(statement).scalars())


def ending_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[EndingFacts]:
    """Read agreements and payouts of each project, and the accounts of the funds of those payouts."""
    ids = [task.project.id for task in tasks]
    agreements = rows_by(session, Agreement, "project_id", ids, "number")
    payouts = rows_by(session, Payout, "project_id", ids, "number")
    accounts = accounts_of(session, {row.fund_id for rows in payouts.values() for row in rows})
    return [
        EndingFacts(
            **base.as_read(),
            agreements=tuple(row for row in agreements.get(base.project.id, ()) if row.status == FundStatus.ACTIVE),
            waiting=tuple(
                row
                for row in payouts.get(base.project.id, ())
                if row.state in _OPEN and row.purpose != PayoutPurpose.SETTLEMENT
            ),
            accounts=accounts,
        )
        for base in project_facts(session, tasks, stamp)
    ]


def frozen(agreement: Any, facts: EndingFacts, stamp: Stamp) -> tuple[Act, Message]:
    """Return the act that lets an agreement wait for its settlement, and the word about it: the cost is due (F12)."""
    due = hand_in_by(stamp.today, facts.pack.funds.statement_days, stamp.calendar).due_on
    said = {"number": agreement.number, "project": facts.project.number, "due_on": due.isoformat()}
    act = Act(
        table=Agreement,
        object_type="agreement",
        id=agreement.id,
        action="agreement.freeze",
        row=agreement,
        values={"statement_due_on": due},
        detail={"statement_due_on": due},
    )
    told = Message(kind="agreement.statement_due", object_type="agreement", object_id=agreement.id, facts=said)
    return act, told


def ended(verb: str, kind: str) -> Any:
    """Return the effects of an end: the visit is closed, what waits to be paid is cancelled and its money is free.

    Each agreement is frozen: its cost is to be stated by a day, and nothing but its settlement is paid (F10, F12).
    """
    project_ends = effects.ended(verb, kind)

    def all_of_it(facts: EndingFacts, target: str, stamp: Stamp) -> Effects:
        of_project: Effects = project_ends(facts, target, stamp)
        cancelled = tuple(
            cancelled_with_project(row, facts.project, facts.accounts[row.fund_id], stamp) for row in facts.waiting
        )
        waits = [frozen(row, facts, stamp) for row in facts.agreements]
        return Effects(
            acts=(*of_project.acts, *cancelled, *(act for act, _ in waits)),
            updates=of_project.updates,
            messages=(*of_project.messages, *(told for _, told in waits)),
        )

    return all_of_it


WITHDRAW = project_verb(
    "withdraw",
    Withdraw,
    chart=ProjectChart,
    facts=ending_facts,
    funds=funds_of,
    rules=(rules.has_reason,),
    effects=ended("withdraw", "withdrawn"),
)
STOP = project_verb(
    "stop",
    Stop,
    chart=ProjectChart,
    facts=ending_facts,
    funds=funds_of,
    rules=(rules.has_reason, rules.stop_reason),
    effects=ended("stop", "stopped"),
)
