"""The week in figures: open projects by stage for coordinators, position and burn for fund managers; sets, not rows.

A chart is plain data (title, rows of label, text and share); the template of a mail draws it, the text lists it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, select
from sqlmodel import Session

from lifecycle.funds.queries import Position, burn, positions
from models.funds import Fund
from models.money import Money
from models.people import RoleGrant
from models.projects import Project, StageRun
from models.reading import table_of
from models.states import STAGES, FundStatus, Role
from notifications.words import Lang, sentence, title

Chart: TypeAlias = dict[str, Any]
MONTHS = 6
"""Months of burn that a chart shows."""
_WHOLE = 100


@dataclass(slots=True)
class Standing:
    """How one stage of one platform stands."""

    count: int = 0
    overdue: int = 0
    days: dict[int, int] = field(default_factory=dict)
    """Days in the present visit -> how many projects."""

    @property
    def median_days(self) -> int:
        """The middle of the days that the open visits have lasted."""
        half, seen = (self.count + 1) // 2, 0
        for days in sorted(self.days):
            seen += self.days[days]
            if seen >= half:
                return days
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that the digests of one week show, read once for everybody."""

    places: Mapping[tuple[Role, UUID], frozenset[UUID]]
    """(role, user) -> the organisations that they hold it at."""
    stages: Mapping[UUID, Mapping[str, Standing]]
    """Platform -> stage -> how it stands."""
    funds: Sequence[Any]
    positions: Mapping[UUID, Position]
    months: Mapping[UUID, Sequence[Mapping[str, Any]]]

    def readers(self) -> frozenset[UUID]:
        """Return whom a week has figures for, messages or not."""
        return frozenset(user for _, user in self.places)

    def charts(self, user_id: UUID, lang: Lang) -> list[Chart]:
        """Return what one person sees: of the platforms they coordinate, and of the funds they manage."""
        found = [
            chart
            for place in sorted(self.places.get((Role.COORDINATOR, user_id), ()))
            for chart in _of_platform(self.stages.get(place, {}), lang)
        ]
        funders = self.places.get((Role.FUND_MANAGER, user_id), frozenset())
        for fund in self.funds:
            if fund.organisation_id in funders:
                found += [_position(fund, self.positions[fund.id], lang), *_burn(fund, self.months[fund.id], lang)]
        return found


def figures_of(session: Session, *, today: date, zone: ZoneInfo) -> Figures:
    """Read the figures of all platforms and funds: three statements, and those of each fund."""
    places = _places(session)
    fund = table_of(Fund)
    funders = {place for (role, _), held in places.items() if role == Role.FUND_MANAGER for place in held}
    asked = select(fund).where(fund.c.organisation_id.in_(funders), fund.c.status == FundStatus.ACTIVE)
    funds = session.execute(asked.order_by(fund.c.code)).all()
    ids = [row.id for row in funds]
    return Figures(
        places=places,
        stages=_stages(session, today),
        funds=funds,
        positions=positions(session, ids) if ids else {},
        months={one: [row for row in burn(session, one, zone) if row["month"]][-MONTHS:] for one in ids},
    )


def _places(session: Session) -> dict[tuple[Role, UUID], frozenset[UUID]]:
    grant = table_of(RoleGrant)
    wanted = (grant.c.role.in_((Role.COORDINATOR, Role.FUND_MANAGER)), grant.c.organisation_id.is_not(None))
    found: dict[tuple[Role, UUID], set[UUID]] = {}
    for row in session.execute(select(grant).where(grant.c.revoked_at.is_(None), *wanted)):
        found.setdefault((Role(row.role), row.user_id), set()).add(row.organisation_id)
    return {key: frozenset(held) for key, held in found.items()}


def _stages(session: Session, today: date) -> dict[UUID, dict[str, Standing]]:
    project, run = table_of(Project), table_of(StageRun)
    overdue = func.sum(case((and_(run.c.due_on.is_not(None), run.c.due_on < today), 1), else_=0))
    key = (project.c.platform_id, project.c.stage, run.c.opened_on)
    statement = (
        select(*key, func.count().label("projects"), overdue.label("overdue"))
        .join(run, run.c.id == project.c.stage_run_id)
        .where(project.c.stage.in_(STAGES), project.c.platform_id.is_not(None))
        .group_by(*key)
    )
    found: dict[UUID, dict[str, Standing]] = {}
    for row in session.execute(statement):
        standing = found.setdefault(row.platform_id, {}).setdefault(str(row.stage), Standing())
        standing.count += row.projects
        standing.overdue += int(row.overdue)
        days = (today - row.opened_on).days
        standing.days[days] = standing.days.get(days, 0) + row.projects
    return found


def _of_platform(stages: Mapping[str, Standing], lang: Lang) -> Iterable[Chart]:
    known = [(str(stage), stages[str(stage)]) for stage in STAGES if str(stage) in stages]
    if not known:
        return []
    return [
        _chart("chart_open", [(title("state", name, lang), one.count, str(one.count)) for name, one in known], lang),
        _chart(
            "chart_overdue", [(title("state", name, lang), one.overdue, str(one.overdue)) for name, one in known], lang
        ),
        _chart(
            "chart_dwell",
            [(title("state", name, lang), one.median_days, str(one.median_days)) for name, one in known],
            lang,
        ),
    ]


def _position(fund: Any, position: Position, lang: Lang) -> Chart:
    parts = {
        "chart_paid": position.paid_minor,
        "chart_reserved": position.reserved_minor,
        "chart_committed": position.committed_minor,
        "chart_free": position.free_minor,
    }
    rows = [(sentence(code, {}, lang), amount, Money(amount, fund.currency).display) for code, amount in parts.items()]
    return _chart("chart_position", rows, lang, fund=fund.name)


def _burn(fund: Any, months: Sequence[Mapping[str, Any]], lang: Lang) -> Iterable[Chart]:
    rows = [(one["month"], one["paid_minor"], Money(one["paid_minor"], fund.currency).display) for one in months]
    return [_chart("chart_burn", rows, lang, fund=fund.name)] if rows else []


def _chart(code: str, rows: Collection[tuple[str, int, str]], lang: Lang, **values: str) -> Chart:
    """Return a chart; each bar has its share of the longest in whole percent."""
    longest = max((abs(amount) for _, amount, _ in rows), default=0) or 1
    return {
        "title": sentence(code, values, lang),
        "rows": [
            {"label": label, "text": shown, "share": abs(amount) * _WHOLE // longest} for label, amount, shown in rows
        ],
    }
