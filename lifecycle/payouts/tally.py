"""How many payouts stand where, and what they come to: exact as far as is counted, and no further."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, True_, func, literal, select, union_all
from sqlmodel import Session

from lifecycle.payouts.queries import Which, conditions
from models.funds import Fund
from models.payouts import Payout
from models.people import Organisation
from models.projects import Project
from models.reading import beside, table_of
from models.states import PayoutState

COUNTED = 10_000
"""How far payouts are counted and added up: of what is more, only that it is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How many payouts stand in some states, and what they come to by currency."""

    count: int
    """At most as many as were counted."""
    totals: Mapping[str, int]
    """Currency -> minor units; nothing where there are more, for what was counted is not all."""
    is_more: bool = False
    """There are more than were counted."""


def sums(session: Session, which: Which, *, most: int = COUNTED) -> dict[PayoutState, Sum]:
    """Return count and totals of the payouts asked for, by state; each state is counted as far as `most`.

    Two statements at most, neither of which reads more than is counted, except to leave out what is not asked for.
    """
    if not isinstance(which.reach, True_):
        found = list(session.execute(_added(_few(which, most, beside(table_of(Payout).c.state)))))
        if sum(row.many for row in found) <= most:
            return _by_state(found, most)
    return _by_state(session.execute(union_all(*(_of_state(which, one, most) for one in PayoutState))), most)


def _of_state(which: Which, state: PayoutState, most: int) -> Select[Any]:
    """Return the statement that counts one state: from its index for who reads all, else among one's own."""
    column = table_of(Payout).c.state
    told = literal(state, column.type)
    is_it = (column if isinstance(which.reach, True_) else beside(column)) == told
    return _added(_few(which, most, told).where(is_it))


def _few(which: Which, most: int, state: Any) -> Select[Any]:
    """Return the statement that reads state, currency and amount of one payout more than is counted."""
    payout, fund, project, firm = map(table_of, (Payout, Fund, Project, Organisation))
    source = payout.join(fund, fund.c.id == payout.c.fund_id) if which.fund else payout
    if which.text:
        source = source.join(project, project.c.id == payout.c.project_id)
        source = source.outerjoin(firm, firm.c.id == project.c.organisation_id)
    columns = (state.label("state"), payout.c.currency, payout.c.amount_minor)
    return select(*columns).select_from(source).where(*conditions(which)).limit(most + 1)


def _added(few: Select[Any]) -> Select[Any]:
    rows = few.subquery()
    numbers = (func.count().label("many"), func.sum(rows.c.amount_minor).label("total"))
    return select(rows.c.state, rows.c.currency, *numbers).group_by(rows.c.state, rows.c.currency)


def _by_state(rows: Iterable[Any], most: int) -> dict[PayoutState, Sum]:
    found: dict[PayoutState, list[Any]] = {}
    for row in rows:
        found.setdefault(PayoutState(row.state), []).append(row)
    counts = {state: sum(row.many for row in own) for state, own in found.items()}
    return {
        state: Sum(
            count=min(counts[state], most),
            totals={row.currency: int(row.total) for row in own} if counts[state] <= most else {},
            is_more=counts[state] > most,
        )
        for state, own in found.items()
    }
