"""What the verbs of settlement and recovery look at. Whoever reads here holds the lock of the fund."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.agreements.facts import AgreementFacts, agreement_facts
from lifecycle.commands import Stamp, Task
from lifecycle.endings.finishing import finished
from lifecycle.endings.settlement import Plan, Tranche, difference, plan_of
from lifecycle.funds.wall import walls_of
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.cases import set_aside_by
from lifecycle.ledger.entries import Accounts
from lifecycle.ledger.sums import paid_by_agreement, paid_by_milestone, set_off_against
from lifecycle.milestones.entitlement import Figures
from lifecycle.milestones.facts import persons_of, side_of
from lifecycle.milestones.figures import figures_of
from lifecycle.numbers import Number, drawn
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone, RecoveryOrder
from models.funds import ApprovalLimit
from models.holds import ExceptionCase
from models.payouts import Payout
from models.people import RoleGrant, User
from models.projects import Project
from models.reading import Groups, rows_by, table_of
from models.statements import StatementLine
from models.states import (
    MilestoneState,
    PayoutPurpose,
    PayoutState,
    RecoveryPartKind,
    RecoveryState,
    Role,
    UserStatus,
)

DEAD_PAYOUTS = (PayoutState.REJECTED, PayoutState.CANCELLED)
DIRECTORS = (Role.FUND_MANAGER, Role.FUND_DIRECTOR)


def left_of(order: Any) -> int:
    """Return what of a recovery order is still owed, in minor units."""
    return int(order.amount_minor - order.repaid_minor - order.set_off_minor - order.written_off_minor)


@dataclass(frozen=True, kw_only=True)
class SettleFacts(AgreementFacts):
    """An agreement that shall be settled: its figures, what each tranche was paid, what is on its way and owed."""

    figures: Figures
    tranches: tuple[Tranche, ...] = ()
    payouts: tuple[Any, ...] = ()
    """Those that are not rejected or cancelled."""
    orders: tuple[Any, ...] = ()
    """Recovery orders that are open, in order."""
    written_off_minor: int = 0
    """What two people gave up of its recovery orders."""
    wall: frozenset[UUID] = frozenset()
    number: Number | None = None
    """Of the order that the settlement makes, where it makes one."""

    @cached_property
    def outstanding_minor(self) -> int:
        """What open orders ask for."""
        return sum(left_of(order) for order in self.orders)

    @cached_property
    def on_their_way(self) -> tuple[Any, ...]:
        """Payouts that are not paid: until they are decided nobody knows what P is."""
        return tuple(row for row in self.payouts if row.state != PayoutState.PAID)

    @property
    def settled_minor(self) -> int:
        """What was paid besides the tranches."""
        return sum(row.amount_minor for row in self.payouts if row.purpose == PayoutPurpose.SETTLEMENT)

    @cached_property
    def plan(self) -> Plan:
        """How it is settled as it stands now."""
        return plan_of(
            self.figures,
            self.tranches,
            outstanding_minor=self.outstanding_minor,
            written_off_minor=self.written_off_minor,
        )

    @cached_property
    def difference_minor(self) -> int:
        """E - P less what the last settlement still pays, plus what is still owed or given up: zero while it holds."""
        besides = self.agreement.settlement_minor - self.settled_minor
        in_tranches = sum(one.row.amount_minor - one.paid_minor for one in self.tranches)
        unpaid = besides if self.figures.is_stopped else besides + in_tranches
        return difference(self.plan, unpaid_minor=unpaid, owed_minor=self.outstanding_minor)


def settle_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[SettleFacts]:
    """Read figures, payouts, what was paid by tranche, and orders; draw a number for each order that will be made."""
    ids = [task.row.id for task in tasks]
    figures, paid = figures_of(session, ids), paid_by_milestone(session, ids)
    payouts = rows_by(session, Payout, "agreement_id", ids, "number")
    orders = rows_by(session, RecoveryOrder, "agreement_id", ids, "number")
    walls = walls_of(session, [side_of(task) for task in tasks])
    found = [
        SettleFacts(
            **{name: getattr(base, name) for name in AgreementFacts.__dataclass_fields__},
            figures=figures[base.agreement.id],
            tranches=tuple(Tranche(row=row, paid_minor=paid.get(row.id, 0)) for row in base.living),
            payouts=_live(payouts.get(base.agreement.id, ())),
            orders=_open(orders.get(base.agreement.id, ())),
            written_off_minor=_written_off(orders.get(base.agreement.id, ())),
            wall=walls.get(side_of(task), frozenset()),
        )
        for task, base in zip(tasks, agreement_facts(session, tasks, stamp), strict=True)
    ]
    return _numbered(session, found, stamp, may_write=all(task.is_locked for task in tasks))


def _numbered(session: Session, found: list[SettleFacts], stamp: Stamp, *, may_write: bool) -> list[SettleFacts]:
    numbers = drawn(session, "RC", [stamp.today.year] * len(found), may_write=may_write)
    ordering = [place for place, one in enumerate(found) if one.plan.ordered_minor]
    given = dict(zip(ordering, numbers, strict=False))
    return [_with(one, number=given[place]) if place in given else one for place, one in enumerate(found)]


def _with(facts: SettleFacts, **values: Any) -> SettleFacts:
    return SettleFacts(**{**{name: getattr(facts, name) for name in SettleFacts.__dataclass_fields__}, **values})


def _live(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.state not in DEAD_PAYOUTS)


def _written_off(rows: Sequence[Any]) -> int:
    return sum(row.written_off_minor for row in rows)


def _open(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.state == RecoveryState.OPEN)


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """An agreement from which money is to be recovered."""

    command: Any
    stamp: Stamp
    agreement: Any
    project: Any
    fund: Any
    number: Number
    due_days: int
    """Days until it is due, as the project's standard says (F14)."""
    recoverable_minor: int = 0
    """What was paid, net, less what is asked back already, or was and two people gave up."""
    wall: frozenset[UUID] = frozenset()

    @property
    def on(self) -> "OrderFacts":
        """Whose actor the wall asks about."""
        return self


def order_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[OrderFacts]:
    """Read what was paid under each agreement and what is asked back already."""
    ids = [task.row.id for task in tasks]
    paid, orders = paid_by_agreement(session, ids), rows_by(session, RecoveryOrder, "agreement_id", ids)
    packs = packs_of(session, {task.project.pack_sha256 for task in tasks})
    walls = walls_of(session, [side_of(task) for task in tasks])
    years = [stamp.today.year] * len(tasks)
    numbers = drawn(session, "RC", years, may_write=all(task.is_locked for task in tasks))
    return [
        OrderFacts(
            command=task.command,
            stamp=stamp,
            agreement=task.row,
            project=task.project,
            fund=task.fund,
            number=number,
            due_days=packs[task.project.pack_sha256].funds.recovery_days,
            recoverable_minor=paid.get(task.row.id, 0)
            - _written_off(orders.get(task.row.id, ()))
            - sum(left_of(order) for order in _open(orders.get(task.row.id, ()))),
            wall=walls.get(side_of(task), frozenset()),
        )
        for task, number in zip(tasks, numbers, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class RecoveryFacts:
    """One command on a recovery order."""

    command: Any
    stamp: Stamp
    order: Any
    project: Any
    fund: Any
    roles: frozenset[Role]
    accounts: Accounts = field(default_factory=dict)
    case: Any = None
    """The case about a booking that repays this order: the one in which two people agreed, else the open one."""
    line: Any = None
    """That booking."""
    is_explained: bool = False
    """What it is was said before, of a part of it at least: it does not lie in suspense as a whole."""
    wall: frozenset[UUID] = frozenset()
    orderer: UUID | None = None
    proposer: UUID | None = None
    """The persons who ordered it, and who proposed to write it off."""
    limit_minor: int | None = None
    """Up to which amount the actor may decide; None where it cannot be read."""
    is_proposed: bool = False
    """Somebody who still may decide on such an amount has proposed to write it off."""
    milestone: Any = None
    """The tranche that is set off against, and its project and agreement."""
    other: Any = None
    agreement: Any = None
    figures: Figures | None = None
    unasked_minor: int = 0
    """What of the tranche nobody asked for and nothing was set off against."""
    funds_rules: Any = None
    finished: Any = None
    """The settled agreement of the order, where nothing is left to pay or to recover once this is done."""

    @property
    def on(self) -> "RecoveryFacts":
        """Whose actor the wall asks about."""
        return self

    @cached_property
    def left_minor(self) -> int:
        """What is still owed."""
        return left_of(self.order)


def recovery_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[RecoveryFacts]:
    """Read accounts and cases of repayments, and who may decide on a write-off up to which amount."""
    ledger = accounts_of(session, {task.fund.id for task in tasks})
    named = [getattr(task.command, "statement_line_id", None) for task in tasks]
    booked = {one for one in named if one is not None}
    lines = rows_by(session, StatementLine, "id", booked)
    cases = rows_by(session, ExceptionCase, "object_id", booked)
    aside = set_aside_by(session, booked)
    persons = persons_of(session, {one for task in tasks for one in (task.row.ordered_by, task.row.write_off_by)})
    walls = walls_of(session, [side_of(task) for task in tasks])
    limits = rows_by(session, ApprovalLimit, "fund_id", {task.fund.id for task in tasks})
    held = _deciding_roles(session, {stamp.actor.user_id, *(task.row.write_off_by for task in tasks)} - {None})

    def limit(task: Task[Any], user_id: UUID | None) -> int | None:
        roles = () if user_id is None else held.get((user_id, task.fund.organisation_id), ())
        return _limit(limits.get(task.fund.id, ()), roles, user_id)

    proposed = {
        task.row.id for task in tasks if (most := limit(task, task.row.write_off_by)) and left_of(task.row) <= most
    }
    over = finished(session, {task.row: kind for task in tasks if (kind := _met_wholly(task, proposed)) is not None})
    return [
        RecoveryFacts(
            command=task.command,
            stamp=stamp,
            order=task.row,
            project=task.project,
            fund=task.fund,
            roles=task.roles,
            accounts=ledger[task.fund.id],
            **_booking(task.command, lines, cases, aside),
            wall=walls.get(side_of(task), frozenset()),
            orderer=persons.get(task.row.ordered_by),
            proposer=persons.get(task.row.write_off_by),
            limit_minor=limit(task, stamp.actor.user_id),
            is_proposed=task.row.id in proposed,
            finished=over.get(task.row.id),
        )
        for task in tasks
    ]


def _met_wholly(task: Task[Any], proposed: Collection[UUID]) -> RecoveryPartKind | None:
    """Return how the command meets all that is left of its order; None where it leaves a rest, or only proposes."""
    amount = getattr(task.command, "amount_minor", None)
    if amount is None:
        return RecoveryPartKind.WRITTEN_OFF if task.row.id in proposed else None
    return RecoveryPartKind.REPAID if amount == left_of(task.row) else None


def _booking(
    command: Any, lines: Groups, cases: Groups, aside: Mapping[UUID, Mapping[str | None, int]]
) -> dict[str, Any]:
    """Return the booking that a repayment names, and the case about it: the one named, else the one that is open."""
    line_id: Any = getattr(command, "statement_line_id", None)
    case_id = getattr(command, "exception_id", None)
    about = cases.get(line_id, ())
    fits = [row for row in about if (row.closed_at is None if case_id is None else row.id == case_id)]
    line = next(iter(lines.get(line_id, ())), None)
    return {
        "line": line,
        "case": next(iter(fits), None),
        "is_explained": line is not None and sum(aside.get(line_id, {}).values()) != line.amount_minor,
    }


def _deciding_roles(session: Session, user_ids: Collection[UUID]) -> dict[tuple[UUID, UUID | None], list[Role]]:
    """Return account and organisation -> roles in which it decides on money there."""
    grant, user = table_of(RoleGrant), table_of(User)
    statement = (
        select(grant.c.user_id, grant.c.organisation_id, grant.c.role)
        .join(user, user.c.id == grant.c.user_id)
        .where(
            grant.c.user_id.in_(list(user_ids)),
            grant.c.revoked_at.is_(None),
            grant.c.role.in_(DIRECTORS),
            user.c.status == UserStatus.ACTIVE,
        )
    )
    found: dict[tuple[UUID, UUID | None], list[Role]] = {}
    for row in session.connection().execute(statement):
        found.setdefault((row.user_id, row.organisation_id), []).append(Role(row.role))
    return found


def _limit(limits: Sequence[Any], roles: Collection[Role], user_id: UUID | None) -> int | None:
    """Return the lower of the best role's limit and the person's own; None where no role's can be read (F8)."""
    in_force = [row for row in limits if row.until_at is None]
    of_roles = [row.up_to_minor for row in in_force if row.role in roles]
    own = [row.up_to_minor for row in in_force if user_id is not None and row.user_id == user_id]
    return min([max(of_roles), *own]) if of_roles else None


def set_off_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[RecoveryFacts]:
    """Read the tranches that are set off against, with what of each nobody asked for yet."""
    wanted = [task.command.milestone_id for task in tasks]
    milestones = rows_by(session, Milestone, "id", wanted)
    rows = [row for found in milestones.values() for row in found]
    agreements = _by_id(session, Agreement, {row.agreement_id for row in rows})
    projects = _by_id(session, Project, {row.project_id for row in rows})
    figures = figures_of(session, list(agreements))
    packs = packs_of(session, {row.pack_sha256 for row in projects.values()})
    unasked = _unasked(session, rows)
    walls = walls_of(session, [side_of(task) for task in tasks])
    facts = []
    for task in tasks:
        row = next(iter(milestones.get(task.command.milestone_id, ())), None)
        other = projects.get(row.project_id) if row is not None else None
        facts.append(
            RecoveryFacts(
                command=task.command,
                stamp=stamp,
                order=task.row,
                project=task.project,
                fund=task.fund,
                roles=task.roles,
                wall=walls.get(side_of(task), frozenset()),
                milestone=row,
                other=other,
                agreement=agreements.get(row.agreement_id) if row is not None else None,
                figures=figures.get(row.agreement_id) if row is not None else None,
                unasked_minor=unasked.get(row.id, 0) if row is not None else 0,
                funds_rules=packs[other.pack_sha256].funds if other is not None else None,
            )
        )
        if row is not None:  # the next order of the batch finds less, whether or not this one is refused
            unasked[row.id] -= task.command.amount_minor
    return facts


def _by_id(session: Session, model: Any, ids: Collection[UUID]) -> dict[UUID, Any]:
    groups: Groups = rows_by(session, model, "id", ids)
    return {key: found[0] for key, found in groups.items()}


def _unasked(session: Session, milestones: Sequence[Any]) -> dict[UUID, int]:
    """Return tranche -> what is neither asked for nor set off; of one that was not released nothing."""
    ids = [row.id for row in milestones]
    payouts = rows_by(session, Payout, "milestone_id", ids)
    set_off = set_off_against(session, ids)
    return {
        row.id: row.amount_minor
        - sum(one.amount_minor for one in _live(payouts.get(row.id, ())))
        - set_off.get(row.id, 0)
        if row.state == MilestoneState.ACCEPTED
        else 0
        for row in milestones
    }
