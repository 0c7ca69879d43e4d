"""Reads what the verbs of a payout look at, in the same number of statements for one and for many.

Whoever reads here holds the lock of the fund: milestones, approvals, accounts and balances of its payouts stand still.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.ledger.accounts import accounts_of
from lifecycle.milestones.entitlement import Figures
from lifecycle.milestones.figures import figures_of
from lifecycle.numbers import drawn
from lifecycle.payouts.facts import APPROVING_ROLES, DISBURSEMENT_ID, PayoutFacts
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone
from models.evidence import Evidence
from models.funds import ApprovalLimit, ApprovalTier
from models.holds import Hold
from models.payouts import Approval, PayeeAccount, PaymentInstruction, Payout
from models.people import OrganisationTie, RoleGrant, User
from models.reading import Groups, rows_by, table_of
from models.states import AccountKind, PayoutState, Role, UserStatus


def payout_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
    """Read everything around each payout, in the same number of statements for one and for many."""
    rows = [task.row if _is_payout(task.row) else None for task in tasks]
    milestones = rows_by(session, Milestone, "id", {row.milestone_id for row in rows if row is not None} - {None})
    agreements = rows_by(session, Agreement, "id", {task.row.agreement_id for task in tasks})
    wanted = {row.payee_account_id for row in rows if row is not None}
    wanted |= {getattr(task.command, "payee_account_id", None) for task in tasks} - {None}
    accounts = rows_by(session, PayeeAccount, "id", wanted)
    ids = [row.id for row in rows if row is not None]
    approvals = rows_by(session, Approval, "payout_id", ids, "seq")
    instructions = rows_by(session, PaymentInstruction, "payout_id", ids, "attempt")
    documents = rows_by(session, Evidence, "project_id", {task.project.id for task in tasks})
    funds = {task.fund.id for task in tasks}
    ledger = accounts_of(session, funds)
    holds = _holds(session, {DISBURSEMENT_ID, *funds, *(task.project.id for task in tasks)})
    siblings = _siblings(session, tasks, stamp)
    tiers = rows_by(session, ApprovalTier, "fund_id", funds, "up_to_minor")
    limits = rows_by(session, ApprovalLimit, "fund_id", funds)
    people = _people(session, tasks, rows, milestones, accounts, approvals)
    figures = figures_of(session, {task.row.agreement_id for task in tasks})
    packs = packs_of(session, {task.project.pack_sha256 for task in tasks})
    new = [stamp.today.year for row in rows if row is None]
    numbers = iter(drawn(session, "PO", new, may_write=all(task.is_locked for task in tasks)))
    taken: dict[UUID, int] = {}
    found = []
    for task, row in zip(tasks, rows, strict=True):
        milestone = _one(milestones, row.milestone_id) if row is not None else task.row
        account_id = getattr(task.command, "payee_account_id", None) or (row.payee_account_id if row else None)
        of_fund = ledger.get(task.fund.id, {})
        facts = PayoutFacts(
            command=task.command,
            payout=row,
            milestone=milestone if _is_milestone(milestone) else None,
            agreement=_one(agreements, task.row.agreement_id),
            project=task.project,
            fund=task.fund,
            account=_one(accounts, account_id),
            roles=task.roles,
            stamp=stamp,
            pack=packs[task.project.pack_sha256],
            accounts=of_fund,
            available_minor=of_fund[AccountKind.AVAILABLE].balance_minor - taken.get(task.fund.id, 0),
            others_minor=siblings.of_milestone(milestone, row),
            recent_minor=siblings.to_payee(task.project.organisation_id, row),
            holds=tuple(
                hold for key in (DISBURSEMENT_ID, task.fund.id, task.project.id) for hold in holds.get(key, ())
            ),
            approvals=tuple(approvals.get(row.id, ())) if row is not None else (),
            instructions=tuple(instructions.get(row.id, ())) if row is not None else (),
            documents=tuple(documents.get(task.project.id, ())),
            tiers=_in_force(tiers.get(task.fund.id, ())),
            limits=_in_force(limits.get(task.fund.id, ())),
            person_of=people.person_of,
            entitled=people.entitled(task.fund.organisation_id),
            names=people.names,
            interested=people.interested(task.project.organisation_id),
            number=next(numbers) if row is None else None,
            figures=_without(figures.get(task.row.agreement_id), row),
        )
        taken[task.fund.id] = taken.get(task.fund.id, 0) + facts.amount_minor
        found.append(facts)
    return found


def _without(figures: Figures | None, payout: Any) -> Figures | None:
    """What is approved counts as paid: the payout itself is taken out, so that it is not compared with itself."""
    if figures is None or payout is None or payout.state not in (PayoutState.APPROVED, PayoutState.INSTRUCTED):
        return figures
    return replace(figures, paid_minor=figures.paid_minor - payout.amount_minor)


def _on(holds: Groups, *keys: UUID) -> tuple[Any, ...]:
    return tuple(hold for key in keys for hold in holds.get(key, ()))


def _is_payout(row: Any) -> bool:
    return hasattr(row, "payload_hash")


def _is_milestone(row: Any) -> bool:
    return hasattr(row, "tranche")


def _one(groups: Groups, key: UUID | None) -> Any:
    rows = groups.get(key, []) if key is not None else []
    return rows[0] if rows else None


def _in_force(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.until_at is None)


def _holds(session: Session, ids: Collection[UUID]) -> Groups:
    found = rows_by(session, Hold, "object_id", ids, "from_at")
    return {key: [row for row in rows if row.lifted_at is None] for key, rows in found.items()}


ADDING_UP_DAYS = 30
"""Payouts to one payee within so many days are added up before the tier is chosen (rule book 5.4)."""


class _Siblings:
    """Other live payouts that count: those of the same milestone, and the recent ones to the same payee."""

    def __init__(self, rows: Sequence[Any], since: datetime) -> None:
        self._live = {row.id: row for row in rows if row.state not in (PayoutState.REJECTED, PayoutState.CANCELLED)}
        self._of_milestone: Counter[UUID | None] = Counter()
        recent: dict[UUID, list[Any]] = {}
        for row in self._live.values():
            self._of_milestone[row.milestone_id] += row.amount_minor
            if row.created_at >= since:
                recent.setdefault(row.organisation_id, []).append(row)
        self._recent = {firm: _Running(found) for firm, found in recent.items()}
        self._since = since

    def of_milestone(self, milestone: Any, own: Any) -> int:
        """Return what the others of a milestone come to."""
        key = getattr(milestone, "id", None)
        mine = self._live.get(own.id) if own is not None else None
        counted = mine.amount_minor if mine is not None and mine.milestone_id == key else 0
        return 0 if key is None else self._of_milestone[key] - counted

    def to_payee(self, organisation_id: UUID, own: Any) -> int:
        """Return what the others, none of them later, come to for this firm."""
        running = self._recent.get(organisation_id)
        if running is None:
            return 0
        mine = self._live.get(own.id) if own is not None else None
        is_recent = mine is not None and mine.organisation_id == organisation_id and mine.created_at >= self._since
        counted = mine.amount_minor if mine is not None and is_recent else 0
        return running.until(own.created_at if own is not None else None) - counted


class _Running:
    """Sums of amounts up to any instant: a batch of hundreds asks for as many of them."""

    def __init__(self, rows: Sequence[Any]) -> None:
        ordered = sorted(rows, key=lambda row: row.created_at)
        self._times = [row.created_at for row in ordered]
        self._sums: list[int] = [0, *accumulate(row.amount_minor for row in ordered)]

    def until(self, instant: datetime | None) -> int:
        """Return the sum of all up to and at this instant; of all where there is none."""
        return self._sums[len(self._times) if instant is None else bisect_right(self._times, instant)]


def _siblings(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> _Siblings:
    payout, account = table_of(Payout), table_of(PayeeAccount)
    since = stamp.now - timedelta(days=ADDING_UP_DAYS)
    milestones = {getattr(task.row, "milestone_id", None) or task.row.id for task in tasks}
    firms = {task.project.organisation_id for task in tasks} - {None}
    recent = account.c.organisation_id.in_(list(firms)) & (payout.c.created_at >= since)
    statement = (
        select(
            payout.c.id,
            payout.c.milestone_id,
            payout.c.amount_minor,
            payout.c.state,
            payout.c.created_at,
            account.c.organisation_id,
        )
        .join(account, account.c.id == payout.c.payee_account_id)
        .where(or_(payout.c.milestone_id.in_(list(milestones)), recent))
    )
    return _Siblings(session.connection().execute(statement).all(), since)


@dataclass(frozen=True, slots=True)
class _People:
    """Who is one human, who may approve where, and who belongs to which firm."""

    person_of: Mapping[UUID, UUID]
    names: Mapping[UUID, str]
    grants: tuple[Any, ...]
    tied: Mapping[UUID, frozenset[UUID]]

    def entitled(self, organisation_id: UUID) -> dict[UUID, frozenset[Role]]:
        held: dict[UUID, set[Role]] = {}
        for row in self.grants:
            active = row.status == UserStatus.ACTIVE and row.organisation_id == organisation_id
            if active and row.role in APPROVING_ROLES:
                held.setdefault(row.user_id, set()).add(Role(row.role))
        return {user: frozenset(roles) for user, roles in held.items()}

    def interested(self, organisation_id: UUID) -> frozenset[UUID]:
        near = {organisation_id} | self.tied.get(organisation_id, frozenset())
        return frozenset(row.person_id for row in self.grants if row.organisation_id in near)


def _people(
    session: Session,
    tasks: Sequence[Task[Any]],
    rows: Sequence[Any],
    milestones: Groups,
    accounts: Groups,
    approvals: Groups,
) -> _People:
    firms = {task.project.organisation_id for task in tasks} - {None}
    tied = _tied(session, firms)
    near = firms | {other for others in tied.values() for other in others}
    funders = {task.fund.organisation_id for task in tasks}
    grant, user = table_of(RoleGrant), table_of(User)
    columns = (grant.c.user_id, grant.c.role, grant.c.organisation_id, user.c.person_id, user.c.name, user.c.status)
    statement = (
        select(*columns)
        .join(user, user.c.id == grant.c.user_id)
        .where(grant.c.organisation_id.in_(list(near | funders)), grant.c.revoked_at.is_(None))
    )
    grants = tuple(session.connection().execute(statement))
    involved = {row.requested_by for row in rows if row is not None}
    involved |= {getattr(task.row, "submitted_by", None) for task in tasks}
    involved |= {getattr(task.command, "on_behalf_of", None) for task in tasks}
    for groups, columns_of_people in (
        (milestones, ("submitted_by",)),
        (accounts, ("proposed_by", "confirmed_by")),
        (approvals, ("approver_id", "on_behalf_of_id")),
    ):
        involved |= {getattr(row, name) for group in groups.values() for row in group for name in columns_of_people}
    known = rows_by(session, User, "id", involved - {None})
    person_of = {key: found[0].person_id for key, found in known.items()}
    person_of |= {row.user_id: row.person_id for row in grants}
    return _People(person_of, {row.user_id: row.name for row in grants}, grants, tied)


def _tied(session: Session, firms: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Return firm -> organisations tied to it by ownership or common control."""
    if not firms:
        return {}
    tie = table_of(OrganisationTie)
    ids = list(firms)
    statement = select(tie.c.organisation_id, tie.c.other_id).where(
        or_(tie.c.organisation_id.in_(ids), tie.c.other_id.in_(ids))
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row.organisation_id, set()).add(row.other_id)
        found.setdefault(row.other_id, set()).add(row.organisation_id)
    return {firm: frozenset(found.get(firm, ())) for firm in firms}
