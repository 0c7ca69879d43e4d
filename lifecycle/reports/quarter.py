"""The quarter of a programme as it was on its day: counted in sets, frozen under its SHA-256, never counted again.

Stock and flow come from the transitions, so a report that is frozen late still says how the quarter ended (F18).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lifecycle.canonical import canonical, sha256
from lifecycle.commands import Stamp
from models.agreements import Agreement
from models.db import is_sqlite
from models.funds import Fund
from models.journal import OutboxMessage, Transition
from models.payouts import Payout
from models.programmes import Programme
from models.projects import Project
from models.reading import table_of
from models.reviews import Review
from models.runs import FrozenReport
from models.states import DeliveryStatus, ReviewState

KIND = "quarter"
_MONTHS = 3
_project = table_of(Project)
_Sums: TypeAlias = dict[UUID, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """Three months of a year, from the first day up to and excluding the next one's."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """Return `2026-Q3`."""
        return f"{self.year}-Q{self.number}"

    @property
    def starts_on(self) -> date:
        """The first day."""
        return date(self.year, (self.number - 1) * _MONTHS + 1, 1)

    @property
    def ends_on(self) -> date:
        """The first day behind it."""
        return quarter_of(self.starts_on + timedelta(days=31 * _MONTHS)).starts_on

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return its first instant and the first one behind it, where the installation is."""
        first, behind = (datetime.combine(day, wall(), zone).astimezone(UTC) for day in (self.starts_on, self.ends_on))
        return first, behind


def quarter_of(day: date) -> Quarter:
    """Return the quarter that a day lies in."""
    return Quarter(year=day.year, number=(day.month - 1) // _MONTHS + 1)


def last_quarter(today: date) -> Quarter:
    """Return the last quarter that has ended by a day."""
    return quarter_of(quarter_of(today).starts_on - timedelta(days=1))


def freeze(session: Session, stamp: Stamp, quarter: Quarter, zone: ZoneInfo) -> list[str]:
    """Freeze the report of a quarter for every programme that has none; return the codes of those programmes.

    A repeat finds the rows and changes nothing. The number of statements does not depend on the number of projects.
    """
    programme, report = table_of(Programme), table_of(FrozenReport)
    there = select(report.c.object_id).where(report.c.kind == KIND, report.c.period == quarter.name)
    missing = session.execute(select(programme).where(programme.c.id.not_in(there)).order_by(programme.c.code)).all()
    if not missing or quarter.ends_on > stamp.today:
        return []
    bodies = _bodies(session, missing, quarter, zone)
    rows = [
        {
            "id": stamp.new_id(),
            "kind": KIND,
            "object_id": row.id,
            "period": quarter.name,
            "body": bodies[row.id],
            "sha256": body_sha256(bodies[row.id]),
            "at": stamp.now,
        }
        for row in missing
    ]
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    session.connection().execute(dialect.insert(report).on_conflict_do_nothing(), rows)
    told = [_message(row, frozen, stamp) for row, frozen in zip(missing, rows, strict=True)]
    session.connection().execute(dialect.insert(table_of(OutboxMessage)).on_conflict_do_nothing(), told)
    return [row.code for row in missing]


def body_sha256(body: Mapping[str, Any]) -> str:
    """Return the hash of a report: over its canonical JSON."""
    return sha256(canonical(body))


def _bodies(
    session: Session, programmes: Sequence[Any], quarter: Quarter, zone: ZoneInfo
) -> dict[UUID, dict[str, Any]]:
    """Return programme -> its report, counted in five statements for all of them."""
    first, behind = quarter.span(zone)
    stock, flow = _moves(session, first, behind)
    gates, money, awards = _gates(session, quarter), _money(session, quarter), _awards(session, quarter)
    return {
        row.id: {
            "format": "pilotway-quarter/1",
            "programme": row.code,
            "name": row.name,
            "period": quarter.name,
            "from_on": quarter.starts_on.isoformat(),
            "until_on": (quarter.ends_on - timedelta(days=1)).isoformat(),
            "projects_by_state": {state: count for state, count in sorted(stock.get(row.id, {}).items()) if count},
            "moves": dict(sorted(flow.get(row.id, {}).items())),
            "gate_decisions": dict(sorted(gates.get(row.id, {}).items())),
            "awarded": dict(sorted(awards.get(row.id, {}).items())),
            "payments": dict(sorted(money.get(row.id, {}).items())),
        }
        for row in programmes
    }


def _moves(session: Session, first: datetime, behind: datetime) -> tuple[_Sums, _Sums]:
    """Return how many projects stood where at the end, and which arrows they took in the quarter."""
    move = table_of(Transition)
    inside = func.sum(case((move.c.at >= first, 1), else_=0))
    key = (_project.c.programme_id, move.c.event, move.c.from_state, move.c.to_state)
    statement = (
        select(*key, func.count().label("count"), inside.label("inside"))
        .join(_project, and_(move.c.object_type == "project", _project.c.id == move.c.object_id))
        .where(move.c.at < behind)
        .group_by(*key)
    )
    stock: _Sums = {}
    flow: _Sums = {}
    for row in session.execute(statement):
        standing = stock.setdefault(row.programme_id, {})
        standing[row.to_state] = standing.get(row.to_state, 0) + row.count
        if row.from_state:
            standing[row.from_state] = standing.get(row.from_state, 0) - row.count
        if row.inside:
            arrows = flow.setdefault(row.programme_id, {})
            arrows[row.event] = arrows.get(row.event, 0) + int(row.inside)
    return stock, flow


def _gates(session: Session, quarter: Quarter) -> _Sums:
    review = table_of(Review)
    key = (_project.c.programme_id, review.c.gate, review.c.outcome)
    statement = (
        select(*key, func.count().label("count"))
        .join(_project, _project.c.id == review.c.project_id)
        .where(review.c.state == ReviewState.DECIDED, *_within(review.c.decided_on, quarter))
        .group_by(*key)
    )
    found: _Sums = {}
    for row in session.execute(statement):
        found.setdefault(row.programme_id, {})[f"{row.gate} {row.outcome}"] = row.count
    return found


def _awards(session: Session, quarter: Quarter) -> _Sums:
    agreement, fund = table_of(Agreement), table_of(Fund)
    key = (_project.c.programme_id, fund.c.code, agreement.c.currency)
    statement = (
        select(*key, func.count().label("count"), func.sum(agreement.c.amount_minor).label("amount"))
        .join(_project, _project.c.id == agreement.c.project_id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .where(*_within(agreement.c.signed_on, quarter))
        .group_by(*key)
    )
    found: _Sums = {}
    for row in session.execute(statement):
        sums = {"count": row.count, "amount_minor": int(row.amount), "currency": row.currency}
        found.setdefault(row.programme_id, {})[row.code] = sums
    return found


def _money(session: Session, quarter: Quarter) -> _Sums:
    """Return by fund what was booked in the quarter, and how many of these payments were in time (F21)."""
    payout, fund = table_of(Payout), table_of(Fund)
    in_time = func.sum(case((payout.c.paid_on <= payout.c.pay_by_on, 1), else_=0))
    amount = func.sum(payout.c.amount_minor)
    key = (_project.c.programme_id, fund.c.code, payout.c.currency)
    statement = (
        select(*key, func.count().label("count"), amount.label("amount"), in_time.label("kept"))
        .join(_project, _project.c.id == payout.c.project_id)
        .join(fund, fund.c.id == payout.c.fund_id)
        .where(*_within(payout.c.paid_on, quarter))
        .group_by(*key)
    )
    found: _Sums = {}
    for row in session.execute(statement):
        found.setdefault(row.programme_id, {})[row.code] = {
            "count": row.count,
            "amount_minor": int(row.amount),
            "currency": row.currency,
            "in_time": int(row.kept),
        }
    return found


def _within(day: Any, quarter: Quarter) -> tuple[Any, ...]:
    return day >= quarter.starts_on, day < quarter.ends_on


def _message(programme: Any, frozen: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
    kind = "report.frozen"
    return {
        "id": stamp.new_id(),
        "kind": kind,
        "dedupe_key": f"{kind}:{programme.id}:{frozen['period']}",
        "object_type": "programme",
        "object_id": programme.id,
        "facts": {"programme": programme.name, "period": frozen["period"], "sha256": frozen["sha256"]},
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "fence": 0,
        "created_at": stamp.now,
    }


def reports(
    session: Session,
    *,
    programme_id: UUID | None = None,
    period: str | None = None,
    reach: ColumnElement[bool] | None = None,
) -> list[dict[str, Any]]:
    """Return the frozen reports with the code of their programme, the newest period first; filtered where asked.

    `reach` is a condition on `programme`: what the reader may see.
    """
    report, programme = table_of(FrozenReport), table_of(Programme)
    statement = (
        select(report, programme.c.code.label("programme"))
        .join(programme, programme.c.id == report.c.object_id)
        .where(report.c.kind == KIND)
        .order_by(report.c.period.desc(), programme.c.code)
    )
    if programme_id is not None:
        statement = statement.where(report.c.object_id == programme_id)
    if period is not None:
        statement = statement.where(report.c.period == period)
    if reach is not None:
        statement = statement.where(reach)
    return [
        {**row._mapping, "is_sound": body_sha256(row.body) == row.sha256}  # noqa: SLF001
        for row in session.execute(statement)
    ]
