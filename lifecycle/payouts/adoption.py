"""A payment that a restored database has lost, taken up again as an attempt under the id it was made with.

Two people have agreed on it. What it was is then learned from the booking like any other payment (`safety.md` 2.9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.banking.template import Template
from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.ledger.cases import set_aside_by, set_aside_of
from lifecycle.payouts import rules
from lifecycle.payouts.batches import PrepareFacts, instruction_rows, prepare_facts, written
from lifecycle.payouts.chart import OBJECT_TYPE, VERSION
from lifecycle.payouts.payload import seen
from models.holds import ExceptionCase
from models.payouts import Payout
from models.reading import rows_by
from models.statements import StatementLine
from models.states import PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Command):
    """Take a lost payment up as an attempt to pay this payout."""

    payout_id: UUID
    batch_id: UUID
    """The batch that stands for the lost file; it is never put anywhere."""
    end_to_end_id: str
    execution_on: date
    exception_id: UUID
    template: Template | None = None

    @property
    def payout_ids(self) -> tuple[UUID, ...]:
        """The one payout of the batch."""
        return (self.payout_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptFacts:
    """What a batch of the payout would say, and the booking and case that speak of it."""

    command: Adopt
    stamp: Stamp
    payout: Any
    prepare: PrepareFacts
    case: Any = None
    line: Any = None
    aside_minor: int = 0


def adopt_facts(session: Session, tasks: Sequence[Task[Adopt]], stamp: Stamp) -> list[AdoptFacts]:
    """Read what a batch needs, the cases and their bookings."""
    cases = rows_by(session, ExceptionCase, "id", [task.command.exception_id for task in tasks])
    about = [row.object_id for rows in cases.values() for row in rows]
    lines = rows_by(session, StatementLine, "id", about)
    aside = set_aside_by(session, about)
    found = []
    for task, prepare in zip(tasks, prepare_facts(session, tasks, stamp), strict=True):
        case = next(iter(cases.get(task.command.exception_id, ())), None)
        found.append(
            AdoptFacts(
                command=task.command,
                stamp=stamp,
                payout=task.row,
                prepare=prepare,
                case=case,
                line=None if case is None else next(iter(lines.get(case.object_id, ())), None),
                aside_minor=0 if case is None else set_aside_of(case, aside),
            )
        )
    return found


@about_input
def adoption_agreed(facts: AdoptFacts) -> tuple[Unmet, ...]:
    """Two people agreed to adopt the payment that this booking names."""
    case = facts.case
    ok = case is not None and case.action == "adopt" and case.confirmed_by is not None
    return () if ok else (unmet("two_people_missing"),)


@about_input
def is_the_lost_one(facts: AdoptFacts) -> tuple[Unmet, ...]:
    """The booking names one id, which names this payout, and is of its fund and amount."""
    fund_id = None if facts.case is None else facts.case.fund_id
    end, named = rules.lost_id(facts.line), facts.command.end_to_end_id
    if end != named:
        return (unmet("adopt_names_nothing", end_to_end_id=named),)
    return rules.adoptable(facts.payout, facts.line, fund_id, facts.aside_minor)


def adopted(facts: AdoptFacts, _target: str, stamp: Stamp) -> Effects:
    """Write batch and attempt as if the bank had just been told; what it has booked is learned next."""
    payout, command = facts.payout, facts.command
    attempt = payout.attempt + 1
    (row,) = instruction_rows(facts.prepare)
    row |= {"attempt": attempt, "end_to_end_id": command.end_to_end_id}
    whole = written(facts.prepare, [row], stamp)
    act = Act(
        table=Payout,
        object_type=OBJECT_TYPE,
        id=payout.id,
        action=f"{OBJECT_TYPE}.adopt",
        row=payout,
        event="instruct",
        from_state=str(payout.state),
        to_state=PayoutState.INSTRUCTED,
        values={"state": PayoutState.INSTRUCTED, "attempt": attempt},
        detail={"end_to_end_id": command.end_to_end_id, "exception_id": command.exception_id, **seen(payout)},
        definition_version=VERSION,
    )
    return Effects(acts=(act, *whole.acts), rows=whole.rows, numbers=whole.numbers)


ADOPT: Verb[Adopt, AdoptFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="adopt",
    command=Adopt,
    subject=Payout,
    subject_id=lambda command: command.payout_id,
    facts=adopt_facts,
    rules=(adoption_agreed, is_the_lost_one),
    effects=adopted,
)
