"""All disbursement stopped and let go again: the one switch that the clock may throw and only two people turn back.

A freeze is a row in `hold` on the one object `disbursement`. Whoever pays asks `standing_holds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.invariants.check import Report
from models.holds import ExceptionCase, Hold
from models.installation import DISBURSEMENT_ID, Disbursement
from models.reading import table_of

OBJECT_TYPE = "disbursement"
INVARIANT = "invariant"
CODES = (INVARIANT, "restored", "decision", "other")
"""Why disbursement stands still: an invariant is broken, the database was restored, somebody decided it."""
SIGN = "disbursement.sign_lift"
"""What the first of two has done: nothing is lifted yet."""
_SHOWN_FOR = timedelta(days=365)
"""A hold bears a last day; this one needs a decision and does not end on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Command):
    """Stop all disbursement until two people lift it."""

    reason: str
    code: str = "decision"
    checks: tuple[str, ...] = ()
    """Invariants that were found broken."""
    disbursement_id: UUID = DISBURSEMENT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift(Command):
    """Let disbursement go on: the first of two people signs, the second lifts the oldest hold and closes its case."""

    reason: str
    disbursement_id: UUID = DISBURSEMENT_ID


@dataclass(frozen=True, kw_only=True)
class DisbursementFacts:
    """What stands on disbursement, as its verbs look at it."""

    command: Any
    row: Any
    stamp: Stamp
    holds: tuple[Any, ...] = field(default=())
    """Not lifted, the oldest first."""
    case: Any = None
    """The open case of a broken invariant."""


def freeze_for(report: Report, command_id: str) -> Freeze:
    """Return the command that stops disbursement for the money invariants that a check has found broken."""
    checks = report.broken_money
    return Freeze(command_id=command_id, reason=f"broken: {', '.join(checks)}", code=INVARIANT, checks=checks)


def standing_holds(session: Session) -> tuple[Any, ...]:
    """Return the holds on disbursement that are not lifted, the oldest first; none means that money may leave."""
    hold = table_of(Hold)
    standing = select(hold).where(hold.c.object_id == DISBURSEMENT_ID, hold.c.lifted_at.is_(None))
    return tuple(session.connection().execute(standing.order_by(hold.c.from_at, hold.c.id)))


def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[DisbursementFacts]:
    """Read the holds and the open case; all tasks speak of the same object."""
    case = table_of(ExceptionCase)
    opened = select(case).where(
        case.c.object_id == DISBURSEMENT_ID, case.c.kind == INVARIANT, case.c.closed_at.is_(None)
    )
    holds = standing_holds(session)
    found = session.connection().execute(opened.order_by(case.c.id)).first()
    return [
        DisbursementFacts(command=task.command, row=task.row, stamp=stamp, holds=holds, case=found) for task in tasks
    ]


@about_input
def has_reason(facts: DisbursementFacts) -> tuple[Unmet, ...]:
    """A reason is said."""
    return () if facts.command.reason.strip() else (unmet("reason_missing"),)


@about_input
def code_known(facts: DisbursementFacts) -> tuple[Unmet, ...]:
    """The code is one of the list."""
    code = facts.command.code
    return () if code in CODES else (unmet("hold_reason_unknown", value=code, known=list(CODES)),)


def not_frozen_for_this(facts: DisbursementFacts) -> tuple[Unmet, ...]:
    """One hold for each reason: a second one for the same would have to be lifted twice for nothing."""
    standing = [hold for hold in facts.holds if hold.reason == facts.command.code]
    return (unmet("frozen", since=standing[0].from_on.isoformat(), reason=standing[0].reason),) if standing else ()


def is_frozen(facts: DisbursementFacts) -> tuple[Unmet, ...]:
    """There is something to lift."""
    return () if facts.holds else (unmet("not_frozen"),)


def another_person(facts: DisbursementFacts) -> tuple[Unmet, ...]:
    """Two different people lift a hold."""
    if not facts.holds or facts.holds[0].first_lifter_id != facts.stamp.actor.person_id:
        return ()
    return (Unmet(code="four_eyes", values={"verb": "lift"}),)


def _act(facts: DisbursementFacts, name: str, detail: dict[str, Any]) -> Act:
    return Act(
        table=Disbursement,
        object_type=OBJECT_TYPE,
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.{name}",
        row=facts.row,
        detail=detail,
    )


def _told(name: str, **values: Any) -> Message:
    return Message(kind=f"{OBJECT_TYPE}.{name}", object_type=OBJECT_TYPE, object_id=DISBURSEMENT_ID, facts=values)


def frozen(facts: DisbursementFacts, _target: str, stamp: Stamp) -> Effects:
    """Put the hold; a broken invariant opens a case for two people too."""
    command = facts.command
    hold = {
        "id": stamp.new_id(),
        "object_type": OBJECT_TYPE,
        "object_id": DISBURSEMENT_ID,
        "reason": command.code,
        "note": command.reason,
        "needs_decision": True,
        "from_at": stamp.now,
        "from_on": stamp.today,
        "until_on": stamp.today + _SHOWN_FOR,
        "put_by": stamp.actor.user_id,
    }
    detail = {"hold_id": hold["id"], "code": command.code, "reason": command.reason, "checks": command.checks}
    acts = [_act(facts, "freeze", detail)]
    if command.code == INVARIANT and facts.case is None:
        acts.append(_case_opened(command, stamp))
    return Effects(
        acts=tuple(acts),
        rows=((Hold, hold),),
        messages=(_told("frozen", code=command.code, checks=list(command.checks)),),
        says={"hold_id": str(hold["id"]), "holds_count": len(facts.holds) + 1},
    )


def _case_opened(command: Freeze, stamp: Stamp) -> Act:
    return Act(
        table=ExceptionCase,
        object_type="exception",
        id=stamp.new_id(),
        action="exception.open",
        values={
            "kind": INVARIANT,
            "object_type": OBJECT_TYPE,
            "object_id": DISBURSEMENT_ID,
            "facts": {"checks": list(command.checks)},
            "opened_at": stamp.now,
        },
        detail={"kind": INVARIANT, "checks": command.checks},
    )


def lifted(facts: DisbursementFacts, _target: str, stamp: Stamp) -> Effects:
    """Sign as the first of two people, or lift the oldest hold as the second; the case goes the same way."""
    hold, reason = facts.holds[0], facts.command.reason
    is_first = hold.first_lifter_id is None
    detail = {"hold_id": hold.id, "code": hold.reason, "reason": reason}
    if is_first:
        change: dict[str, Any] = {"first_lifter_id": stamp.actor.person_id}
        detail["signed"] = "first of two"
    else:
        change = {"lifted_at": stamp.now, "lifted_on": stamp.today, "lifted_by": stamp.actor.user_id}
    acts = [_act(facts, "lift", detail)]
    if hold.reason == INVARIANT and facts.case is not None:
        acts.append(_case_proposed(facts, stamp) if is_first else _case_confirmed(facts, stamp))
    left = len(facts.holds) if is_first else len(facts.holds) - 1
    return Effects(
        acts=tuple(acts),
        updates=((Hold, hold.id, change),),
        messages=() if is_first else (_told("lifted", code=hold.reason),),
        says={
            "hold_id": str(hold.id),
            "holds_count": left,
            **({"done_as": "disbursement.sign_lift"} if is_first else {}),
        },
    )


def _case_proposed(facts: DisbursementFacts, stamp: Stamp) -> Act:
    values = {
        "action": "lift_hold",
        "reason": facts.command.reason,
        "proposed_by": stamp.actor.user_id,
        "proposed_at": stamp.now,
    }
    return _on_case(facts, "propose", values)


def _case_confirmed(facts: DisbursementFacts, stamp: Stamp) -> Act:
    return _on_case(facts, "confirm", {"confirmed_by": stamp.actor.user_id, "closed_at": stamp.now})


def _on_case(facts: DisbursementFacts, name: str, values: dict[str, Any]) -> Act:
    return Act(
        table=ExceptionCase,
        object_type="exception",
        id=facts.case.id,
        action=f"exception.{name}",
        row=facts.case,
        values=values,
        detail={"action": "lift_hold", "reason": facts.command.reason},
    )


FREEZE = Verb(
    object_type=OBJECT_TYPE,
    name="freeze",
    command=Freeze,
    subject=Disbursement,
    subject_id=lambda command: command.disbursement_id,
    facts=facts,
    rules=(has_reason, code_known, not_frozen_for_this),
    effects=frozen,
)
LIFT = Verb(
    object_type=OBJECT_TYPE,
    name="lift",
    command=Lift,
    subject=Disbursement,
    subject_id=lambda command: command.disbursement_id,
    facts=facts,
    rules=(is_frozen, another_person, has_reason),
    effects=lifted,
)
