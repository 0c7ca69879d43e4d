"""What the verbs of an agreement look at: project and standard, what the fund promised, tranches, cost, signatures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.agreements.terms import plan_of, redistributed
from lifecycle.chart import Rule, judged
from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.funds.wall import walls_of
from lifecycle.ledger.sums import paid_by_agreement, promised_by
from lifecycle.milestones.facts import current_hashes, persons_of, side_of
from lifecycle.numbers import last_numbers, written
from lifecycle.projects.facts import ProjectFacts, project_facts
from lifecycle.standards.funds import Tranche
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.payouts import Payout
from models.programmes import Programme
from models.projects import Project
from models.reading import beside, rows_by, table_of
from models.states import FundStatus, MilestoneState, PayoutState, RecoveryState

Tie: TypeAlias = tuple[str, str | None, tuple[str, ...]]
"""(tranche, gate, criteria)."""

ENDED_PAYOUTS = (PayoutState.REJECTED, PayoutState.CANCELLED)
_OPEN_PAYOUTS = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.INSTRUCTED, PayoutState.RETURNED)


@dataclass(frozen=True, kw_only=True)
class DraftFacts:
    """An agreement that shall be made out, with all that its rules may ask."""

    command: Any
    fund: Any
    stamp: Stamp
    project: Any = None
    """The project with its programme's organisation, or None."""
    pack: Pack | None = None
    plan: tuple[Tranche, ...] | None = None
    promised_minor: int = 0
    """What the fund has promised, or paid under what is closed."""
    active_number: str | None = None
    """The number of the agreement that this project has with this fund already."""
    number: str = ""
    series: tuple[str, int, int] = ("AG", 0, 0)

    @property
    def award(self) -> int:
        """The award A."""
        return int(self.command.amount_minor)

    @property
    def own(self) -> int:
        """What the firm promises to put in."""
        return int(self.command.own_money_minor)

    @property
    def rate(self) -> int:
        """The rate r in basis points: that asked for, else the highest that the standard allows."""
        asked = self.command.rate_basis_points
        highest = self.pack.funds.rate_cap_basis_points if self.pack else 0
        return int(highest if asked is None else asked)

    @property
    def payment_days(self) -> int:
        """Days from a complete request to its booking: those asked for, else what the standard promises (F21)."""
        asked = self.command.payment_days
        promised = self.pack.funds.payment_days if self.pack else 0
        return int(promised if asked is None else asked)

    @property
    def categories(self) -> Mapping[str, int]:
        """Category -> budget."""
        named: Mapping[str, int] = self.command.cost_categories
        return named

    @property
    def term(self) -> tuple[date, date | None]:
        """First and last day."""
        return self.command.starts_on, self.command.ends_on


@dataclass(frozen=True, kw_only=True)
class AgreementFacts:
    """One command on an agreement, with all that its rules may ask."""

    command: Any
    on: ProjectFacts
    fund: Any
    agreement: Any
    milestones: tuple[Any, ...] = ()
    asked_for: frozenset[UUID] = frozenset()
    """Tranches of which money was requested."""
    statements: tuple[Any, ...] = ()
    hashes: frozenset[str] = frozenset()
    persons: Mapping[UUID | None, UUID] = field(default_factory=dict)
    """Account -> person, of those who signed or stated."""
    open_payouts: int = 0
    open_recoveries: int = 0
    paid_minor: int = 0
    """What was paid, net; read for who closes it."""
    promised_minor: int = 0
    """What the fund has promised besides this agreement."""

    @cached_property
    def award(self) -> int:
        """The award as it shall be."""
        return int(self._now("amount_minor"))

    @cached_property
    def own(self) -> int:
        """The firm's own money as it shall be."""
        return int(self._now("own_money_minor"))

    @property
    def rate(self) -> int:
        """The rate r in basis points; a supplement leaves it."""
        return int(self.agreement.rate_basis_points)

    @property
    def categories(self) -> Mapping[str, int]:
        """The budget as it shall be: asked for, or as it is while award and own money stay."""
        named: Mapping[str, int] = getattr(self.command, "cost_categories", None) or {}
        is_same = (self.award, self.own) == (self.agreement.amount_minor, self.agreement.own_money_minor)
        return named or (self.agreement.cost_categories if is_same else {})

    @property
    def term(self) -> tuple[date, date | None]:
        """First and last day as they shall be."""
        return self.agreement.starts_on, self._now("ends_on")

    def _now(self, name: str) -> Any:
        asked = getattr(self.command, name, None)
        return getattr(self.agreement, name) if asked is None else asked

    @cached_property
    def living(self) -> tuple[Any, ...]:
        """The tranches that belong to the award, in order."""
        return tuple(row for row in self.milestones if row.state != MilestoneState.WAIVED)

    @cached_property
    def open_tranches(self) -> tuple[Any, ...]:
        """The tranches that a supplement may change: nothing is handed in, accepted or asked for."""
        waiting = (MilestoneState.PLANNED, MilestoneState.REJECTED)
        return tuple(row for row in self.living if row.state in waiting and row.id not in self.asked_for)

    @cached_property
    def new_amounts(self) -> dict[str, int] | None:
        """Open tranche -> its amount after the supplement; None where it does not come out."""
        changes = {one.code: one for one in self.command.tranches}
        if len(changes) < len(self.command.tranches) or not set(changes) <= {row.tranche for row in self.open_tranches}:
            return None
        given = {code: one.amount_minor for code, one in changes.items() if one.amount_minor is not None}
        if not given and self.award == self.agreement.amount_minor:
            return {row.tranche: row.amount_minor for row in self.open_tranches}
        fixed = sum(row.amount_minor for row in self.living if row not in self.open_tranches)
        shares = {row.tranche: row.share_basis_points for row in self.open_tranches}
        return redistributed(self.award - fixed, shares, given)

    @property
    def all_amounts(self) -> dict[str, int]:
        """Every living tranche -> its amount after the supplement."""
        return {row.tranche: row.amount_minor for row in self.living} | (self.new_amounts or {})

    @cached_property
    def new_ties(self) -> tuple[Tie, ...]:
        """Every living tranche with what it waits for after the supplement."""
        changes = {one.code: one for one in self.command.tranches}
        return tuple(self._tie(row, changes.get(row.tranche)) for row in self.living)

    @staticmethod
    def _tie(row: Any, change: Any) -> Tie:
        if change is None or not (change.gate or change.criteria):
            return row.tranche, row.gate, tuple(row.criteria)
        return row.tranche, change.gate, tuple(change.criteria)

    @property
    def stated_by(self) -> frozenset[UUID]:
        """The people who stated cost under this agreement."""
        named = (self.persons.get(row.submitted_by) for row in self.statements)
        return frozenset(one for one in named if one is not None)


@dataclass(frozen=True, kw_only=True)
class CostFacts:
    """One command on a cost statement."""

    command: Any
    on: ProjectFacts
    agreement: Any
    cost: Any
    hashes: frozenset[str] = frozenset()
    submitter: UUID | None = None
    wall: frozenset[UUID] = frozenset()


def draft_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[DraftFacts]:
    """Read projects, their standards and what each fund has promised; draw numbers in the order of the commands."""
    fund_ids, project_ids = [task.fund.id for task in tasks], [task.command.project_id for task in tasks]
    projects = _projects(session, project_ids)
    packs = packs_of(session, {row.pack_sha256 for row in projects.values()})
    promised = promised_by(session, fund_ids)
    active = _active(session, fund_ids)
    year = stamp.today.year
    last = last_numbers(session, "AG", (year,), may_write=all(task.is_locked for task in tasks))[year]
    found = []
    for place, task in enumerate(tasks, 1):
        project = projects.get(task.command.project_id)
        pack = packs[project.pack_sha256] if project is not None else None
        found.append(
            DraftFacts(
                command=task.command,
                fund=task.fund,
                stamp=stamp,
                project=project,
                pack=pack,
                plan=plan_of(task.command.tranches, pack.funds) if pack else None,
                promised_minor=promised.get(task.fund.id, 0),
                active_number=active.get((task.fund.id, task.command.project_id)),
                number=written("AG", year, last + place),
                series=("AG", year, last + place),
            )
        )
    return found


def agreement_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[AgreementFacts]:
    """Read each agreement's project, tranches, cost statements and signatures, and the papers of its project."""
    ids = [task.row.id for task in tasks]
    milestones = rows_by(session, Milestone, "agreement_id", ids, "number")
    statements = rows_by(session, CostStatement, "agreement_id", ids, "statement_no")
    hashes = current_hashes(session, [task.project.id for task in tasks])
    signers = {name for task in tasks for name in (task.row.signed_by_sme, task.row.signed_by_funder)}
    persons = persons_of(session, signers | {row.submitted_by for rows in statements.values() for row in rows})
    return [
        AgreementFacts(
            command=task.command,
            on=base,
            fund=task.fund,
            agreement=task.row,
            milestones=tuple(milestones.get(task.row.id, ())),
            statements=tuple(statements.get(task.row.id, ())),
            hashes=hashes.get(task.project.id, frozenset()),
            persons=persons,
        )
        for task, base in zip(tasks, project_facts(session, tasks, stamp), strict=True)
    ]


def supplement_facts(rules: tuple[Rule, ...]) -> FactsOf[Any, AgreementFacts]:
    """Return the fact query of a supplement; those of one fund in a batch see its promises one after the other.

    `rules` are all that the verb asks: what is refused promises nothing.
    """

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[AgreementFacts]:
        promised = dict(promised_by(session, [task.fund.id for task in tasks]))
        asked = _asked_for(session, [task.row.id for task in tasks])
        found = []
        for one in agreement_facts(session, tasks, stamp):
            own = one.agreement.amount_minor if one.agreement.status == FundStatus.ACTIVE else 0
            others = promised.get(one.fund.id, 0) - own
            seen = replace(one, promised_minor=others, asked_for=asked.get(one.agreement.id, frozenset()))
            if not judged(rules, seen):
                promised[one.fund.id] = others + seen.award
            found.append(seen)
        return found

    return facts


def closing_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[AgreementFacts]:
    """Read each agreement, what was paid for it, and count what is still on its way or owed."""
    payout, order = table_of(Payout), table_of(RecoveryOrder)
    ids = [task.row.id for task in tasks]
    payouts = _count(session, payout, ids, payout.c.state.in_(_OPEN_PAYOUTS))
    orders = _count(session, order, ids, beside(order.c.state) == RecoveryState.OPEN)
    paid = paid_by_agreement(session, ids)
    return [
        replace(
            one,
            open_payouts=payouts.get(one.agreement.id, 0),
            open_recoveries=orders.get(one.agreement.id, 0),
            paid_minor=paid.get(one.agreement.id, 0),
        )
        for one in agreement_facts(session, tasks, stamp)
    ]


def cost_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CostFacts]:
    """Read the agreement of each cost statement, the papers of its project, who stated it and who may not decide."""
    agreements = rows_by(session, Agreement, "id", [task.row.agreement_id for task in tasks])
    hashes = current_hashes(session, [task.project.id for task in tasks])
    persons = persons_of(session, {task.row.submitted_by for task in tasks})
    walls = walls_of(session, [side_of(task) for task in tasks])
    return [
        CostFacts(
            command=task.command,
            on=base,
            agreement=agreements[task.row.agreement_id][0],
            cost=task.row,
            hashes=hashes.get(task.project.id, frozenset()),
            submitter=persons.get(task.row.submitted_by),
            wall=walls.get(side_of(task), frozenset()),
        )
        for task, base in zip(tasks, project_facts(session, tasks, stamp), strict=True)
    ]


def _projects(session: Session, project_ids: Collection[UUID]) -> dict[UUID, Any]:
    project, programme = table_of(Project), table_of(Programme)
    statement = (
        select(project, programme.c.organisation_id.label("programme_organisation_id"))
        .join(programme, programme.c.id == project.c.programme_id)
        .where(project.c.id.in_(list(project_ids)))
    )
    return {row.id: row for row in session.connection().execute(statement)}


def _active(session: Session, fund_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], str]:
    agreement = table_of(Agreement)
    statement = select(agreement.c.fund_id, agreement.c.project_id, agreement.c.number).where(
        agreement.c.fund_id.in_(list(fund_ids)), agreement.c.status == FundStatus.ACTIVE
    )
    return {(row.fund_id, row.project_id): row.number for row in session.connection().execute(statement)}


def _asked_for(session: Session, agreement_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    payout = table_of(Payout)
    statement = select(payout.c.agreement_id, payout.c.milestone_id).where(
        payout.c.agreement_id.in_(list(agreement_ids)),
        payout.c.milestone_id.is_not(None),
        payout.c.state.not_in(ENDED_PAYOUTS),
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row.agreement_id, set()).add(row.milestone_id)
    return {agreement: frozenset(ids) for agreement, ids in found.items()}


def _count(session: Session, table: Any, agreement_ids: Collection[UUID], condition: Any) -> dict[UUID, int]:
    statement = select(table.c.agreement_id, func.count()).where(
        table.c.agreement_id.in_(list(agreement_ids)), condition
    )
    return {row[0]: row[1] for row in session.connection().execute(statement.group_by(table.c.agreement_id))}
