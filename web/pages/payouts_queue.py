"""The queue of payouts by who is waited for: counts as far as is counted, and one page of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import True_, func, select, union_all
from sqlmodel import Session

from lifecycle.payouts.queries import Which, payouts
from lifecycle.payouts.tally import COUNTED, Sum, sums
from lifecycle.payouts.waiting import DECIDERS, WAITING_STATES, Waits, waiting
from lifecycle.reach import owing
from models.agreements import Milestone
from models.funds import Fund
from models.payouts import Payout
from models.reading import beside, table_of
from models.states import MilestoneState, PayoutState
from web.money_rights import of_fund_or_project, readable_funds, readable_payouts
from web.session import Visit

PER_PAGE, CHOICES, ASKED = 50, 200, 500
"""Rows of a page, funds to choose from, open payouts about which the engine is asked: each costs milliseconds."""
TABS = ("mine", "others", "approved", "instructed", "returned", "paid", "ended")
"""Tabs of the queue, in the order in which money goes."""
_STATES: Mapping[str, tuple[PayoutState, ...]] = {
    "approved": (PayoutState.APPROVED,),
    "instructed": (PayoutState.INSTRUCTED,),
    "returned": (PayoutState.RETURNED,),
    "paid": (PayoutState.PAID,),
    "ended": (PayoutState.REJECTED, PayoutState.CANCELLED),
}
_BEFORE = (PayoutState.REQUESTED, PayoutState.RETURNED)
TOGETHER = {"payout.approve": "approve", "payout.release": "release"}
_NOBODY = Waits()
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: how many, and what they come to, by currency."""

    name: str
    count: int
    totals: tuple[tuple[str, int], ...] = ()
    is_more: bool = False
    """There are more than were counted: nothing is added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue as one page shows it."""

    tabs: tuple[Tab, ...]
    rows: Rows
    waits: Mapping[UUID, Waits]
    following: str | None
    words: tuple[str, ...]
    """What can be said of several of the rows at once."""
    funds: Sequence[tuple[str, str]]
    """To choose from; one more than `CHOICES` where there are too many for that."""
    next_on: Any
    """The day of the next planned tranche: when something may come."""

    @property
    def is_fund_typed(self) -> bool:
        """Say whether a fund is named by its code, being one of very many."""
        return len(self.funds) > CHOICES


@dataclass(frozen=True, slots=True)
class _Asked:
    """Open payouts about which the engine was asked what this person can do, by number."""

    rows: Rows = ()
    waits: dict[UUID, Waits] = field(default_factory=dict)
    is_more: bool = False
    """There are others behind them."""

    @property
    def mine(self) -> list[Mapping[str, Any]]:
        """Return those with which they can do something."""
        return [row for row in self.rows if self.waits.get(row["id"], _NOBODY).verb]

    @property
    def last(self) -> str:
        """Return the number of the last one."""
        return str(self.rows[-1]["number"]) if self.rows else ""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one person looks at, and how it is read."""

    session: Session
    visit: Visit
    which: Which
    most: int

    def read(self, which: Which) -> Rows:
        """Return payouts as lists show them."""
        return payouts(self.session, today=self.visit.today, calendar=self.visit.stamp.calendar, which=which)

    def ask(self, after: str = "") -> _Asked:
        """Ask the engine about the open payouts of one's own funds and projects, each verb once in a dry run.

        Who reads the money of all decides by what they hold besides.
        """
        if not self.visit.roles & DECIDERS:
            return _Asked()
        own = of_fund_or_project(table_of(Payout), owing(self.visit.rights), self.visit.actor)
        found = self.read(replace(self.which, reach=own, states=WAITING_STATES, after=after, limit=ASKED + 1))
        return _Asked(found[:ASKED], self.waits(found[:ASKED]), is_more=len(found) > ASKED)

    def waits(self, rows: Rows) -> dict[UUID, Waits]:
        """Return what this person can do with each of these."""
        return waiting(self.session, rows, self.visit.roles, self.visit.stamp)

    def mine(self, asked: _Asked, after: str) -> tuple[Rows, dict[UUID, Waits], str | None]:
        """Return a page of what waits for this person, and where the next begins; a file asks about all."""
        found, waits = [row for row in asked.mine if row["number"] > after], dict(asked.waits)
        while asked.is_more and len(found) <= self.most and (asked.last <= after or self.most > PER_PAGE):
            asked = self.ask(max(asked.last, after))
            found, waits = [*found, *asked.mine], waits | asked.waits
        shown = found[: self.most]
        if len(found) > self.most:
            return shown, waits, str(shown[-1]["number"])
        return shown, waits, asked.last if asked.is_more else None

    def others(self, asked: _Asked, after: str) -> tuple[Rows, dict[UUID, Waits], str | None]:
        """Return a page of what waits for others; of who has more than was asked about, each row is asked about."""
        mine = {row["id"] for row in asked.mine}
        limit = self.most + 1 + len(mine)
        found = self.read(replace(self.which, states=_BEFORE, after=after, limit=limit))
        left = [row for row in found if row["id"] not in mine]
        shown = left[: self.most]
        waits = asked.waits | self._not_asked(asked, shown)
        following = str(shown[-1]["number"]) if len(left) > self.most else None
        return [row for row in shown if not waits.get(row["id"], _NOBODY).verb], waits, following

    def in_states(self, asked: _Asked, tab: str, after: str) -> tuple[Rows, dict[UUID, Waits], str | None]:
        """Return a page of what stands in the states of a tab; of what is over, the newest first."""
        is_over = tab in ("paid", "ended")
        which = replace(self.which, states=_STATES[tab], after=after, limit=self.most + 1, is_newest_first=is_over)
        found = self.read(which)
        shown = found[: self.most]
        following = str(shown[-1]["number"]) if len(found) > self.most else None
        return shown, asked.waits | self._not_asked(asked, shown), following

    def _not_asked(self, asked: _Asked, rows: Rows) -> dict[UUID, Waits]:
        left = [row for row in rows if row["state"] in WAITING_STATES and row["id"] not in asked.waits]
        return self.waits(left) if asked.is_more and left else {}


def queue(  # noqa: PLR0913 - the filters of a list
    session: Session, visit: Visit, *, tab: str, text: str, fund: str, after: str, most: int = PER_PAGE
) -> Queue:
    """Read one tab of the queue, and the counts of all, as far as they are counted."""
    desk = _Desk(session, visit, Which(reach=readable_payouts(visit), text=text, fund=fund), most)
    asked, counted = desk.ask(), sums(session, desk.which, most=COUNTED)
    if tab == "mine":
        rows, waits, following = desk.mine(asked, after)
    elif tab == "others":
        rows, waits, following = desk.others(asked, after)
    else:
        rows, waits, following = desk.in_states(asked, tab, after)
    said = [TOGETHER.get(waits.get(row["id"], _NOBODY).verb, "") for row in rows if may_go_together(row, waits)]
    return Queue(
        tabs=_tabs(asked, counted),
        rows=rows,
        waits=waits,
        following=following,
        words=tuple(one for one in ("approve", "release") if one in said),
        funds=_funds(session, visit),
        next_on=None if rows else _next_on(session, visit),
    )


def may_go_together(row: Mapping[str, Any], waits: Mapping[UUID, Waits]) -> bool:
    """Say whether one's word on this payout can be given with others: released, or where one approval is enough."""
    verb = waits.get(row["id"], _NOBODY).verb
    return verb == "payout.release" or (verb == "payout.approve" and row["approvals_needed"] == 1)


def _tabs(asked: _Asked, counted: Mapping[PayoutState, Sum]) -> tuple[Tab, ...]:
    """Return the tabs; what waits for others is all that waits without what waits for the reader."""
    mine = _tab_of("mine", asked)
    taken = [row for row in asked.mine if row["state"] in _BEFORE]
    others = _summed("others", counted, _BEFORE, without=taken)
    if asked.is_more:
        known = sum(row["state"] in _BEFORE for row in asked.rows) - len(taken)
        others = Tab(name="others", count=known, is_more=True)
    return mine, others, *(_summed(name, counted, states) for name, states in _STATES.items())


def _tab_of(name: str, asked: _Asked) -> Tab:
    rows = asked.mine
    if asked.is_more:
        return Tab(name=name, count=len(rows), is_more=True)
    return Tab(name=name, count=len(rows), totals=tuple(sorted(_added(rows).items())))


def _added(rows: Rows) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["currency"]] = totals.get(row["currency"], 0) + row["amount_minor"]
    return totals


def _summed(name: str, counted: Mapping[PayoutState, Sum], states: Iterable[PayoutState], *, without: Rows = ()) -> Tab:
    own = [counted[state] for state in states if state in counted]
    count = sum(one.count for one in own)
    if any(one.is_more for one in own):
        return Tab(name=name, count=count, is_more=True)
    totals = {currency: -minor for currency, minor in _added(without).items()}
    for one in own:
        for currency, minor in one.totals.items():
            totals[currency] = totals.get(currency, 0) + minor
    left = tuple((currency, minor) for currency, minor in sorted(totals.items()) if minor)
    return Tab(name=name, count=count - len(without), totals=left)


def _funds(session: Session, visit: Visit) -> list[tuple[str, str]]:
    fund = table_of(Fund)
    statement = select(fund.c.code, fund.c.name).where(readable_funds(visit.rights)).order_by(fund.c.code)
    statement = statement.limit(CHOICES + 1)
    return [(row.code, row.name) for row in session.execute(statement)]


def _next_on(session: Session, visit: Visit) -> Any:
    """Return the first day from today on of a tranche that is planned or submitted.

    Of all tranches each state has it in its index.
    """
    table = table_of(Milestone)
    reach = of_fund_or_project(table, visit.rights, visit.actor)
    states = (MilestoneState.PLANNED, MilestoneState.SUBMITTED)
    ahead = select(func.min(table.c.due_on)).where(reach, table.c.due_on >= visit.today)
    if not isinstance(reach, True_):
        return session.execute(ahead.where(beside(table.c.state).in_(states))).scalar()
    first = session.execute(union_all(*(ahead.where(table.c.state == one) for one in states)))
    return min(filter(None, first.scalars()), default=None)
