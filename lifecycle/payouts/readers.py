"""Reads what the verbs of a payout look at, in the same number of statements for one and for many.

Whoever reads here holds the lock of the fund: milestones, approvals, accounts and balances of its payouts stand still.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.chart import Rule, judged
from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.funds.wall import Side, walls_of
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.sums import set_off_against
from lifecycle.milestones.entitlement import Figures, Retained
from lifecycle.milestones.facts import retained_of
from lifecycle.milestones.figures import figures_of
from lifecycle.numbers import Number, drawn
from lifecycle.payouts.facts import DECIDING_ROLES, DISBURSEMENT_ID, PayoutFacts
from lifecycle.payouts.near import teams_of, tied_to
from lifecycle.permissions import PARTIES_OF_ROLE
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone, RecoveryOrder
from models.evidence import Evidence
from models.funds import ApprovalLimit, ApprovalTier
from models.holds import Hold
from models.payouts import Approval, PayeeAccount, PaymentInstruction, Payout
from models.people import Delegation, RoleGrant, User
from models.reading import Groups, rows_by, table_of
from models.states import AccountKind, MilestoneState, PayoutState, RecoveryState, Role, UserStatus

_NAMED = (
    ("submitted_by", "decided_by"),
    ("user_id",),
    ("proposed_by", "confirmed_by"),
    ("approver_id", "on_behalf_of_id"),
)
"""Who is named by milestones, teams, accounts and approvals."""


def payout_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
    """Read everything around each payout, in the same number of statements for one and for many."""
    rows = [task.row if _is_payout(task.row) else None for task in tasks]
    of_agreements = {_agreement_id(task.row) for task in tasks}
    plans = rows_by(session, Milestone, "agreement_id", of_agreements, "number")
    milestones = {row.id: [row] for plan in plans.values() for row in plan}
    agreements = rows_by(session, Agreement, "id", of_agreements)
    orders = rows_by(session, RecoveryOrder, "agreement_id", of_agreements)
    set_off = set_off_against(session, list(milestones))
    accounts = rows_by(session, PayeeAccount, "id", _accounts_named(tasks, rows))
    approvals, instructions = _words_and_attempts(session, [row.id for row in rows if row is not None])
    funds, projects = {task.fund.id for task in tasks}, {task.project.id for task in tasks}
    documents = rows_by(session, Evidence, "project_id", projects)
    ledger = accounts_of(session, funds)
    holds = _holds(session, {DISBURSEMENT_ID, *funds, *projects})
    tiers, limits = (rows_by(session, one, "fund_id", funds, "up_to_minor") for one in (ApprovalTier, ApprovalLimit))
    teams = teams_of(session, projects)
    people = _people(session, tasks, rows, tuple(zip((milestones, teams, accounts, approvals), _NAMED, strict=True)))
    walls = walls_of(session, [_side(task) for task in tasks])
    delegations = _delegations(session, {place for task in tasks for place in _deciding(task)}, stamp)
    figures = figures_of(session, of_agreements)
    packs = packs_of(session, {task.project.pack_sha256 for task in tasks})
    spans = [_around(row, stamp, packs[task.project.pack_sha256]) for task, row in zip(tasks, rows, strict=True)]
    siblings = _siblings(session, tasks, min((since for since, _ in spans), default=stamp.now))
    numbers = _numbers(session, tasks, rows, stamp)
    paid_for = [_tranche(task.row, milestones) for task in tasks]
    retained = retained_of(session, filter(None, paid_for), stamp.today)
    earlier = _Earlier()
    found = []
    for task, row, tranche, span in zip(tasks, rows, paid_for, spans, strict=True):
        agreement_id = _agreement_id(task.row)
        account_id = getattr(task.command, "payee_account_id", None) or (row.payee_account_id if row else None)
        of_fund = ledger.get(task.fund.id, {})
        facts = PayoutFacts(
            command=task.command,
            payout=row,
            milestone=tranche,
            agreement=_one(agreements, agreement_id),
            project=task.project,
            fund=task.fund,
            account=_one(accounts, account_id),
            roles=task.roles,
            stamp=stamp,
            pack=packs[task.project.pack_sha256],
            accounts=of_fund,
            available_minor=of_fund[AccountKind.AVAILABLE].balance_minor - earlier.taken(task.fund.id, row),
            **_sums(siblings, agreement_id, row, tranche, set_off),
            **_place(plans.get(agreement_id, []), tranche, retained),
            waiting_minor=siblings.waiting(agreement_id, tranche),
            owed_minor=_owed(orders.get(agreement_id, ())),
            delegations=tuple(row for place in _deciding(task) for row in delegations.get(place, ())),
            recent_minor=siblings.to_payee((task.project.organisation_id, task.fund.currency), row, span),
            holds=_on(holds, DISBURSEMENT_ID, task.fund.id, task.project.id),
            approvals=tuple(approvals.get(row.id, ())) if row is not None else (),
            instructions=tuple(instructions.get(row.id, ())) if row is not None else (),
            documents=tuple(documents.get(task.project.id, ())),
            tiers=_in_force(tiers.get(task.fund.id, ())),
            limits=_in_force(limits.get(task.fund.id, ())),
            person_of=people.person_of,
            entitled=people.entitled(task.fund.organisation_id, task.project.platform_id),
            active=people.active,
            names=people.names,
            interested=people.interested(task.project.organisation_id) | walls[_side(task)],
            team=frozenset(people.person_of[row.user_id] for row in teams.get(task.project.id, ())),
            number=next(numbers) if row is None else None,
            figures=_without(figures.get(agreement_id), row),
            before_minor=earlier.asked(agreement_id, row),
        )
        found.append(earlier.count(facts))
    return found


class _Earlier:
    """What the commands before one take of its fund and its agreement.

    One payout takes its money once: where several verbs on it are explained in one go none counts for another.
    """

    def __init__(self) -> None:
        self._taken, self._asked = Counter[UUID](), Counter[UUID]()
        self._own: dict[UUID, int] = {}

    def taken(self, fund_id: UUID, row: Any) -> int:
        """Return what others will take of the fund."""
        return self._taken[fund_id] - self._of(row)

    def asked(self, agreement_id: UUID, row: Any) -> int:
        """Return what others ask of the agreement that the figures do not count yet."""
        return self._asked[agreement_id] - (self._of(row) if row is not None and row.state in _WAITING else 0)

    def _of(self, row: Any) -> int:
        return self._own.get(row.id, 0) if row is not None else 0

    def count(self, facts: PayoutFacts) -> PayoutFacts:
        """Count what a command will take, in place of what one on the same payout would; return its facts."""
        row, amount = facts.payout, facts.amount_minor
        more = amount - self._of(row)
        self._taken[facts.fund.id] += more
        if row is not None:
            self._asked[facts.agreement.id] += more if row.state in _WAITING else 0
            self._own[row.id] = amount
        return facts


def _words_and_attempts(session: Session, ids: Sequence[UUID]) -> tuple[Groups, Groups]:
    """Return what people said of these payouts, and the attempts to pay them."""
    approvals = rows_by(session, Approval, "payout_id", ids, "seq")
    return approvals, rows_by(session, PaymentInstruction, "payout_id", ids, "attempt")


def _accounts_named(tasks: Sequence[Task[Any]], rows: Sequence[Any]) -> set[UUID]:
    """Return the payee accounts that payouts have, and those that commands give them."""
    named = [getattr(task.command, "payee_account_id", None) for task in tasks]
    return {*(row.payee_account_id for row in rows if row is not None), *(one for one in named if one is not None)}


def _numbers(session: Session, tasks: Sequence[Task[Any]], rows: Sequence[Any], stamp: Stamp) -> Iterator[Number]:
    """Draw a number for each payout that is only asked for."""
    new = [stamp.today.year for row in rows if row is None]
    return iter(drawn(session, "PO", new, may_write=all(task.is_locked for task in tasks)))


def request_facts(rules: tuple[Rule, ...]) -> FactsOf[Any, PayoutFacts]:
    """Return the fact query of a request: those of one agreement in a batch see cuts and requests one after the other.

    `rules` are all that the verb asks: what is refused moves nothing.
    """

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
        amounts: dict[UUID, int] = {}
        asked: dict[UUID, int] = {}
        found = []
        for one in payout_facts(session, tasks, stamp):
            milestone, following, agreement = one.milestone, one.next_tranche, one.agreement.id
            seen = replace(
                one,
                tranche_minor=amounts.get(milestone.id, one.tranche_minor),
                next_minor=amounts.get(following.id, one.next_minor) if following is not None else 0,
                waiting_minor=one.waiting_minor + asked.get(agreement, 0),
            )
            if not judged(rules, seen):
                asked[agreement] = asked.get(agreement, 0) + seen.amount_minor
                amounts[milestone.id] = seen.tranche_minor - seen.cut_minor
                if following is not None:
                    amounts[following.id] = seen.next_minor + seen.cut_minor
            found.append(seen)
        return found

    return facts


def _sums(
    siblings: "_Siblings", agreement_id: UUID, own: Any, tranche: Any, set_off: Mapping[UUID, int]
) -> dict[str, Any]:
    """Return what the other payouts of a tranche, or of the settlement, come to; a set-off counts as paid."""
    others: dict[str, Any] = {"others": siblings.numbers(agreement_id, tranche, own)}
    if tranche is None:
        return {**others, "others_minor": siblings.of_settlement(agreement_id, own)}
    discharged = set_off.get(tranche.id, 0)
    return {
        **others,
        "others_minor": siblings.of_tranche(tranche, own) + discharged,
        "other_parts_minor": siblings.counted(tranche, own) + discharged,
    }


def _place(plan: Sequence[Any], tranche: Any, retained: Mapping[UUID, Retained]) -> dict[str, Any]:
    """Return what a tranche holds, what keeps it back where it is a retention, and the one that follows it."""
    following = _next(plan, tranche) if tranche is not None else None
    return {
        "tranche_minor": tranche.amount_minor if tranche is not None else 0,
        "retained": retained.get(tranche.id) if tranche is not None else None,
        "next_tranche": following,
        "next_minor": following.amount_minor if following is not None else 0,
    }


def _around(row: Any, stamp: Stamp, pack: Pack) -> tuple[datetime, datetime]:
    """Return first and last instant of the requests that are added up with one: as long before it as after it (5.4)."""
    asked_at, days = row.created_at if row is not None else stamp.now, timedelta(days=pack.funds.adding_up_days)
    return asked_at - days, asked_at + days


def _side(task: Task[Any]) -> Side:
    """Return which fund pays which firm."""
    return task.fund.id, task.project.organisation_id


def _deciding(task: Task[Any]) -> frozenset[UUID]:
    """Return the organisations whose people give their word on a payment: the funder, and the platform certifies."""
    return frozenset({task.fund.organisation_id, task.project.platform_id} - {None})


def _agreement_id(row: Any) -> UUID:
    """Return the agreement of a payout or a milestone; of an agreement its own id."""
    found: UUID = getattr(row, "agreement_id", row.id)
    return found


def _next(plan: Sequence[Any], milestone: Any) -> Any:
    """Return the tranche that a cut of this one moves to, or None for the last one."""
    after = [row for row in plan if row.number > milestone.number and row.state != MilestoneState.WAIVED]
    return after[0] if after else None


def _owed(orders: Sequence[Any]) -> int:
    return sum(
        row.amount_minor - row.repaid_minor - row.set_off_minor for row in orders if row.state == RecoveryState.OPEN
    )


def _delegations(session: Session, organisation_ids: Collection[UUID], stamp: Stamp) -> Groups:
    """Return organisation -> delegations of its people that are in force today."""
    found = rows_by(session, Delegation, "organisation_id", organisation_ids)
    return {
        key: [row for row in rows if row.revoked_at is None and row.from_on <= stamp.today <= row.until_on]
        for key, rows in found.items()
    }


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


def _tranche(row: Any, milestones: Groups) -> Any:
    """Return what is paid for: a payout's tranche, or the one that is asked for; None for a settlement."""
    if _is_payout(row):
        return _one(milestones, row.milestone_id)
    return row if _is_milestone(row) else None


def _one(groups: Groups, key: UUID | None) -> Any:
    rows = groups.get(key, []) if key is not None else []
    return rows[0] if rows else None


def _in_force(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.until_at is None)


def _holds(session: Session, ids: Collection[UUID]) -> Groups:
    found = rows_by(session, Hold, "object_id", ids, "from_at")
    return {key: [row for row in rows if row.lifted_at is None] for key, rows in found.items()}


_WAITING = (PayoutState.REQUESTED, PayoutState.RETURNED)
Payee: TypeAlias = tuple[UUID, str]
"""Firm, and the currency it is paid in."""


class _Siblings:
    """Other live payouts that count: those of the same agreement, and the recent ones to the same payee.

    Amounts are added up within one currency only.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self._live = {row.id: row for row in rows if row.state not in (PayoutState.REJECTED, PayoutState.CANCELLED)}
        self._sums: Counter[tuple[UUID, UUID | None, bool]] = Counter()
        self._waiting: Counter[UUID] = Counter()
        self._numbers: dict[tuple[UUID, UUID | None], list[str]] = {}
        to_firm: dict[Payee, list[Any]] = {}
        for row in self._live.values():
            is_waiting = row.state in _WAITING
            self._sums[row.agreement_id, row.milestone_id, is_waiting] += row.amount_minor
            self._numbers.setdefault((row.agreement_id, row.milestone_id), []).append(row.number)
            if is_waiting and row.milestone_id is not None:
                self._waiting[row.agreement_id] += row.amount_minor
            to_firm.setdefault(_payee(row), []).append(row)
        self._to_firm = {payee: _Running(found) for payee, found in to_firm.items()}

    def _others(self, agreement_id: UUID, milestone_id: UUID | None, own: Any, *, is_waiting: bool) -> int:
        """Return the sum of one kind, without the payout itself."""
        mine = self._live.get(own.id) if own is not None else None
        total = self._sums[agreement_id, milestone_id, is_waiting]
        if mine is None or (mine.agreement_id, mine.milestone_id) != (agreement_id, milestone_id):
            return total
        return total - (mine.amount_minor if (mine.state in _WAITING) == is_waiting else 0)

    def of_tranche(self, milestone: Any, own: Any) -> int:
        """Return what the others of a tranche come to."""
        return self.counted(milestone, own) + self._others(milestone.agreement_id, milestone.id, own, is_waiting=True)

    def numbers(self, agreement_id: UUID, milestone: Any, own: Any) -> tuple[str, ...]:
        """Return the numbers of the others of a tranche, or of the settlement."""
        known = self._numbers.get((agreement_id, milestone.id if milestone is not None else None), [])
        return tuple(sorted(number for number in known if own is None or number != own.number))

    def counted(self, milestone: Any, own: Any) -> int:
        """Return what those of them come to that no longer wait for approval."""
        return self._others(milestone.agreement_id, milestone.id, own, is_waiting=False)

    def of_settlement(self, agreement_id: UUID, own: Any) -> int:
        """Return what the others of an agreement come to that belong to no tranche."""
        return sum(self._others(agreement_id, None, own, is_waiting=is_waiting) for is_waiting in (True, False))

    def waiting(self, agreement_id: UUID, milestone: Any) -> int:
        """Return what is asked for under other tranches of the agreement."""
        same = self._sums[agreement_id, milestone.id, True] if milestone is not None else 0
        return self._waiting[agreement_id] - same

    def to_payee(self, payee: Payee, own: Any, span: tuple[datetime, datetime]) -> int:
        """Return what the others asked for within these instants come to for this firm in this currency (5.4)."""
        running = self._to_firm.get(payee)
        if running is None:
            return 0
        mine = self._live.get(own.id) if own is not None else None
        return running.between(*span) - (mine.amount_minor if mine is not None and _payee(mine) == payee else 0)


def _payee(row: Any) -> Payee:
    return row.organisation_id, row.currency


class _Running:
    """Sums of amounts between any instants: a batch of hundreds asks for as many of them."""

    def __init__(self, rows: Sequence[Any]) -> None:
        ordered = sorted(rows, key=lambda row: row.created_at)
        self._times = [row.created_at for row in ordered]
        self._sums: list[int] = [0, *accumulate(row.amount_minor for row in ordered)]

    def between(self, since: datetime, until: datetime) -> int:
        """Return the sum of all from one instant to another, both included."""
        return self._sums[bisect_right(self._times, until)] - self._sums[bisect_left(self._times, since)]


def _siblings(session: Session, tasks: Sequence[Task[Any]], since: datetime) -> _Siblings:
    payout, account = table_of(Payout), table_of(PayeeAccount)
    agreements = {_agreement_id(task.row) for task in tasks}
    firms = {task.project.organisation_id for task in tasks} - {None}
    found = select(
        payout.c.id,
        payout.c.number,
        payout.c.milestone_id,
        payout.c.agreement_id,
        payout.c.amount_minor,
        payout.c.currency,
        payout.c.state,
        payout.c.created_at,
        account.c.organisation_id,
    ).join(account, account.c.id == payout.c.payee_account_id)
    same = found.where(payout.c.agreement_id.in_(list(agreements)))
    recent = found.where(account.c.organisation_id.in_(list(firms)), payout.c.created_at >= since)
    return _Siblings(session.connection().execute(same.union(recent)).all())


@dataclass(frozen=True, slots=True)
class _People:
    """Who is one human, who may approve where, and who belongs to which firm."""

    person_of: Mapping[UUID, UUID]
    names: Mapping[UUID, str]
    grants: tuple[Any, ...]
    tied: Mapping[UUID, frozenset[UUID]]
    active: frozenset[UUID]

    def entitled(self, funder_id: UUID, platform_id: UUID) -> dict[UUID, frozenset[Role]]:
        parties = {"funder": funder_id, "platform": platform_id}
        held: dict[UUID, set[Role]] = {}
        for row in self.grants:
            if row.status != UserStatus.ACTIVE or row.role not in DECIDING_ROLES:
                continue
            if any(parties.get(party) == row.organisation_id for party in PARTIES_OF_ROLE[Role(row.role)]):
                held.setdefault(row.user_id, set()).add(Role(row.role))
        return {user: frozenset(roles) for user, roles in held.items()}

    def interested(self, organisation_id: UUID) -> frozenset[UUID]:
        near = {organisation_id} | self.tied.get(organisation_id, frozenset())
        return frozenset(row.person_id for row in self.grants if row.organisation_id in near)


def _people(
    session: Session, tasks: Sequence[Task[Any]], rows: Sequence[Any], named: Sequence[tuple[Groups, tuple[str, ...]]]
) -> _People:
    """`named` are rows, and their columns that name the account of somebody who had a part."""
    firms = {task.project.organisation_id for task in tasks} - {None}
    tied = tied_to(session, firms)
    near = firms | {other for others in tied.values() for other in others}
    deciding = {place for task in tasks for place in _deciding(task)}
    grant, user = table_of(RoleGrant), table_of(User)
    columns = (grant.c.user_id, grant.c.role, grant.c.organisation_id, user.c.person_id, user.c.name, user.c.status)
    statement = (
        select(*columns)
        .join(user, user.c.id == grant.c.user_id)
        .where(grant.c.organisation_id.in_(list(near | deciding)), grant.c.revoked_at.is_(None))
    )
    grants = tuple(session.connection().execute(statement))
    involved = {row.requested_by for row in rows if row is not None}
    involved |= {getattr(task.row, "submitted_by", None) for task in tasks}
    involved |= {getattr(task.command, "on_behalf_of", None) for task in tasks}
    for groups, columns_of_people in named:
        involved |= {getattr(row, name) for group in groups.values() for row in group for name in columns_of_people}
    known = rows_by(session, User, "id", involved - {None})
    person_of = {key: found[0].person_id for key, found in known.items()}
    person_of |= {row.user_id: row.person_id for row in grants}
    active = frozenset(key for key, found in known.items() if found[0].status == UserStatus.ACTIVE)
    return _People(person_of, {row.user_id: row.name for row in grants}, grants, tied, active)
