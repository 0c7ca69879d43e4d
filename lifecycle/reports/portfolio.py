"""The whole portfolio in figures: how far projects came, how long stages last, what became of those decided, the money.

Counted in sets over a cohort (`lifecycle.projects.cohort`); the number of statements does not depend on the number of
projects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.projects.cohort import Cohort
from lifecycle.reports.survival import Lasting, lasting
from lifecycle.stages.statistics import Interval, wilson_interval
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.payouts import Payout
from models.people import Organisation
from models.programmes import Programme, StandardPack
from models.projects import Project, StageRun
from models.reading import table_of
from models.reviews import CompletionNotice
from models.states import ENDED, STAGES, PayoutState, ProjectState, StageRunState

LEAST = 10
"""Decided projects below which no share is told: an interval from fewer says nothing (`docs/console.md`)."""
CONFIDENCE = 0.95
SUCCESS = (ProjectState.IN_PRODUCTION,)
"""What counts as success; a page says so beside the figure."""
_PROJECT, _RUN, _PAYOUT = table_of(Project), table_of(StageRun), table_of(Payout)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """One stage of the cohort."""

    stage: ProjectState
    entered: int
    """Projects that were ever in it."""
    visits: int
    recycled: int
    """Visits that ended with being sent back."""
    dwell: Lasting
    """Of its visits, in working days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What became of the projects that were decided."""

    succeeded: int
    stopped: int
    withdrawn: int
    share: Interval | None
    """None below `LEAST` decided ones."""

    @property
    def decided(self) -> int:
        """How many have come to an end."""
        return self.succeeded + self.stopped + self.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFigures:
    """What was paid, in one currency."""

    currency: str
    paid_minor: int
    per_success_minor: int | None
    """Mean of what was paid to a project in production, of those to which something was paid."""
    successes: int
    """How many these are."""
    days_to_first: int | None
    """Median working days from the complete first request to its payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """All of the dashboard."""

    projects: int
    produced: int
    stages: Sequence[StageFigures]
    conversion: Conversion
    money: Sequence[MoneyFigures]
    pack: Pack
    """The standard that most of the projects have frozen: its targets stand beside what they took."""
    notices: float | None
    """Median of the completion notices of a project."""


def portfolio_figures(session: Session, cohort: Cohort, *, today: date, calendar: Calendar) -> Portfolio:
    """Return the figures of a cohort, in seven statements."""
    states = _states(session, cohort)
    return Portfolio(
        projects=sum(states.values()),
        produced=states.get(ProjectState.IN_PRODUCTION, 0),
        stages=_stages(session, cohort, today, calendar),
        conversion=conversion_of(states),
        money=_money(session, cohort, calendar),
        pack=_pack(session, cohort),
        notices=_notices(session, cohort, sum(states.values())),
    )


def conversion_of(states: Mapping[ProjectState, int]) -> Conversion:
    """Return what became of the decided ones, with the 95 % interval of the share that succeeded (Wilson)."""
    good = sum(states.get(one, 0) for one in SUCCESS)
    stopped, withdrawn = states.get(ProjectState.STOPPED, 0), states.get(ProjectState.WITHDRAWN, 0)
    decided = sum(states.get(one, 0) for one in ENDED)
    share = wilson_interval(good, decided, confidence=CONFIDENCE) if decided >= LEAST else None
    return Conversion(succeeded=good, stopped=stopped, withdrawn=withdrawn, share=share)


def filters(session: Session, reach: ColumnElement[bool]) -> tuple[list[Any], list[Any], dict[str, Pack]]:
    """Return what the projects that somebody may see are told apart by.

    Platforms and programmes are (id, name), by name; of a standard, by its code, the version that was published last.
    """
    found = []
    for model, column in ((Organisation, _PROJECT.c.platform_id), (Programme, _PROJECT.c.programme_id)):
        table = table_of(model)
        inside = table.c.id.in_(select(column).where(reach))
        found.append(list(session.execute(select(table.c.id, table.c.name).where(inside).order_by(table.c.name))))
    platforms, programmes = found
    pack = table_of(StandardPack)
    frozen = select(pack.c.code, pack.c.sha256).where(pack.c.sha256.in_(select(_PROJECT.c.pack_sha256).where(reach)))
    newest = dict(session.execute(frozen.order_by(pack.c.code, pack.c.published_at, pack.c.id)).tuples().all())
    packs = packs_of(session, newest.values())
    return platforms, programmes, {code: packs[sha256] for code, sha256 in newest.items()}


def _states(session: Session, cohort: Cohort) -> dict[ProjectState, int]:
    statement = select(_PROJECT.c.stage, func.count()).where(*cohort.conditions()).group_by(_PROJECT.c.stage)
    return {ProjectState(stage): count for stage, count in session.execute(statement)}


def _pack(session: Session, cohort: Cohort) -> Pack:
    key = _PROJECT.c.pack_sha256
    counts = select(key).where(*cohort.conditions()).group_by(key).order_by(func.count().desc(), key).limit(1)
    most = session.execute(counts).scalar_one_or_none()
    return library.default() if most is None else packs_of(session, [most])[most]


def _stages(session: Session, cohort: Cohort, today: date, calendar: Calendar) -> list[StageFigures]:
    joined = _RUN.join(_PROJECT, _PROJECT.c.id == _RUN.c.project_id)
    ever = select(_RUN.c.stage, func.count(_RUN.c.project_id.distinct())).select_from(joined)
    entered = dict(session.execute(ever.where(*cohort.conditions()).group_by(_RUN.c.stage)).tuples().all())
    key = (_RUN.c.stage, _RUN.c.state, _RUN.c.opened_on, _RUN.c.closed_on)
    spells = select(*key, func.count().label("times")).select_from(joined).where(*cohort.conditions()).group_by(*key)
    days: dict[str, list[tuple[int, bool]]] = {}
    recycled: dict[str, int] = {}
    for row in session.execute(spells):
        spent = calendar.working_days_between(row.opened_on, row.closed_on or today)
        days.setdefault(row.stage, []).extend([(spent, row.closed_on is not None)] * row.times)
        if row.state == StageRunState.RECYCLED:
            recycled[row.stage] = recycled.get(row.stage, 0) + row.times
    return [
        StageFigures(
            stage=stage,
            entered=entered.get(stage, 0),
            visits=len(days.get(stage, ())),
            recycled=recycled.get(stage, 0),
            dwell=lasting(days.get(stage, ())),
        )
        for stage in STAGES
    ]


def _money(session: Session, cohort: Cohort, calendar: Calendar) -> list[MoneyFigures]:
    paid = (_PAYOUT.c.state == PayoutState.PAID, *cohort.conditions())
    joined = _PAYOUT.join(_PROJECT, _PROJECT.c.id == _PAYOUT.c.project_id)
    key = (_PAYOUT.c.currency, _PROJECT.c.id, _PROJECT.c.stage)
    amount = func.sum(_PAYOUT.c.amount_minor)
    sums = session.execute(select(*key, amount.label("amount")).select_from(joined).where(*paid).group_by(*key)).all()
    first = (
        select(_PAYOUT.c.project_id, _PAYOUT.c.currency, func.min(_PAYOUT.c.complete_on), func.min(_PAYOUT.c.paid_on))
        .select_from(joined)
        .where(*paid, _PAYOUT.c.complete_on.is_not(None))
        .group_by(_PAYOUT.c.project_id, _PAYOUT.c.currency)
    )
    waits: dict[str, list[int]] = {}
    for _, currency, complete_on, paid_on in session.execute(first):
        waits.setdefault(currency, []).append(calendar.working_days_between(complete_on, paid_on))
    totals: dict[str, int] = {}
    good: dict[str, list[int]] = {}
    for row in sums:
        totals[row.currency] = totals.get(row.currency, 0) + int(row.amount)
        if row.stage in SUCCESS:
            good.setdefault(row.currency, []).append(int(row.amount))
    return [
        MoneyFigures(
            currency=currency,
            paid_minor=total,
            per_success_minor=sum(good[currency]) // len(good[currency]) if currency in good else None,
            successes=len(good.get(currency, ())),
            days_to_first=round(median(waits[currency])) if currency in waits else None,
        )
        for currency, total in sorted(totals.items())
    ]


def _notices(session: Session, cohort: Cohort, projects: int) -> float | None:
    """Return the median of the notices of a project; those without any count as none."""
    notice = table_of(CompletionNotice)
    per_project = (
        select(_PROJECT.c.id, func.count().label("times"))
        .select_from(notice.join(_PROJECT, _PROJECT.c.id == notice.c.project_id))
        .where(*cohort.conditions())
        .group_by(_PROJECT.c.id)
    )
    counts: list[int] = [row.times for row in session.execute(per_project)]
    return float(median([*counts, *[0] * (projects - len(counts))])) if projects else None
