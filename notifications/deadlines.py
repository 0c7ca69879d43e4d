"""The deadlines that people are reminded of: which days are open, who is told at which rung, whether a hold stops them.

Each is one select over living rows; a deadline that is met, moved or void is no longer in it (`docs/clock.md`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.sql.selectable import Subquery

from lifecycle.calendar import Calendar, add_months
from lifecycle.milestones.figures import LAST_GATE
from lifecycle.payouts.terms import REMINDED_BEFORE, WAITING
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.deliveries import PlannedReminder
from models.evidence import Evidence
from models.funds import CapitalCall, Fund, FundSource
from models.holds import Hold
from models.payouts import Payout
from models.projects import Project, Requirement, StageRun
from models.reading import table_of
from models.reviews import CompletionNotice, Condition, Review, Waiver
from models.states import (
    ENDED,
    STAGES,
    EvidenceStatus,
    FundStatus,
    GateOutcome,
    MilestoneState,
    RecoveryState,
    ReviewState,
)
from models.types import Day, Id
from notifications.noticed import has_day_of_notice, is_in_notice, is_unmet

Audience: TypeAlias = tuple[str, ...]
"""Codes: a role, `owner` (who owes this very thing) or `firm` (its lead and its finance officer)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Who is told how many working days before or after a deadline; it ends with its last rung unless it goes on."""

    rungs: Mapping[int, Audience]
    daily: tuple[tuple[int, Audience], ...] = ()
    """From so many calendar days after the deadline on somebody is told every day, weekends and holidays too (F21)."""

    def day(self, deadline: date, rung: int, calendar: Calendar) -> date:
        """Return the day of one rung."""
        return _day(deadline, rung, calendar) if rung in self.rungs else deadline + timedelta(days=rung)

    def days(self, deadline: date, until: date, calendar: Calendar) -> list[tuple[int, date, Audience]]:
        """Return (rung, day, audience); of a daily ladder those up to `until`, counted in calendar days.

        What falls on a day off is told on the last working day before it, except where a promise runs every day.
        """
        found = [(rung, _day(deadline, rung, calendar), told) for rung, told in self.rungs.items()]
        for late in range(1, (until - deadline).days + 1):
            told = next((audience for begins, audience in reversed(self.daily) if late >= begins), None)
            if told is not None:
                found.append((late, deadline + timedelta(days=late), told))
        return found


def _day(deadline: date, rung: int, calendar: Calendar) -> date:
    return calendar.add_working_days(deadline, rung) if rung else calendar.previous_working_day(deadline)


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """One kind of deadline."""

    name: str
    object_type: str
    step: str
    """Permission key of the verb that settles it."""
    open: Callable[[], Select[Any]]
    """Columns: object_id, project_id, fund_id, programme_id, anchor_on, months, label."""
    ladder: Ladder
    is_service: bool = False
    """A hold stops it (W8); terms of law and contract run on."""
    moved: Callable[[Any], ColumnElement[bool]] | None = None
    """Says of an id that another kind of deadline is told of it instead, while that one stands."""

    @cached_property
    def rows(self) -> Subquery:
        """The open ones, as a table to join."""
        return self.open().subquery(f"open_{self.name}")

    @cached_property
    def days(self) -> Select[Any]:
        """The days up to `last` that open ones hang on, each once; built once, for it is asked in every pass."""
        rows = self.rows
        asked = select(rows.c.anchor_on, rows.c.months).where(rows.c.anchor_on <= bindparam("last", type_=Day()))
        return asked.distinct().order_by(rows.c.anchor_on, rows.c.months)

    @cached_property
    def days_to_plan(self) -> Select[Any]:
        """Those of them on which a ladder is not planned to its end: what is long overdue is not asked for again."""
        rows, planned = self.rows, table_of(PlannedReminder)
        if self.ladder.daily:
            return self.days
        last_rung = exists().where(
            planned.c.what == self.name,
            planned.c.object_id == rows.c.object_id,
            planned.c.deadline_on == rows.c.anchor_on,
            planned.c.rung == max(self.ladder.rungs),
        )
        return self.days.where(~last_rung)


def deadline_day(anchor: date, months: int) -> date:
    """Return the deadline that hangs on a day: itself, or so many months later (F13)."""
    return add_months(anchor, months) if months else anchor


_OURS: Audience = ("owner", "coordinator")
_ABOVE: Audience = ("fund_manager", "sponsor")


def _usual(owner: Audience = _OURS, above: Audience = _ABOVE) -> Ladder:
    """Return the ladder of the house: three working days before, on the day, three and ten after (console, 5.14)."""
    return Ladder(rungs={-3: owner, 0: owner, 3: owner, 10: above})


def _promise() -> Ladder:
    """Return the ladder of a promise of payment: 10, 5 and 1 working days before, the day itself, then daily (F21)."""
    payers: Audience = ("owner", "fund_manager")
    rungs = {-days: payers for days in REMINDED_BEFORE} | {0: payers}
    return Ladder(rungs=rungs, daily=((1, (*payers, "fund_director")), (10, (*payers, "fund_director", "sponsor"))))


project, fund = table_of(Project), table_of(Fund)
_LIVING = project.c.stage.not_in(ENDED)
"""Said so that SQLite begins with the days, not with all living projects by their stage."""


def _columns(
    object_id: Any, day: Any, label: Any, *, fund_id: Any = None, months: Any = None, without_project: bool = False
) -> tuple[Any, ...]:
    nothing = cast(null(), Id())
    return (
        object_id.label("object_id"),
        (nothing if without_project else project.c.id).label("project_id"),
        (nothing if fund_id is None else fund_id).label("fund_id"),
        (nothing if without_project else project.c.programme_id).label("programme_id"),
        day.label("anchor_on"),
        (literal(0) if months is None else months).label("months"),
        label.label("label"),
    )


def _of_project(model: Any, day: str, label: str | ColumnElement[Any], *conditions: Any, **more: Any) -> Select[Any]:
    """Return the rows of a table that hang on a living project and have such a day."""
    table = table_of(model)
    named = table.c[label] if isinstance(label, str) else label
    return (
        select(*_columns(table.c.id, table.c[day], named, **more))
        .join_from(table, project, project.c.id == table.c.project_id)
        .where(table.c[day].is_not(None), *conditions)
    )


def _visit(day: str) -> Select[Any]:
    run = table_of(StageRun)
    return _of_project(StageRun, day, "stage", project.c.stage_run_id == run.c.id, _LIVING, run.c.closed_on.is_(None))


def _requirements() -> Select[Any]:
    row = table_of(Requirement)
    asked = (project.c.stage_run_id == row.c.stage_run_id, _LIVING, is_unmet(row), ~is_in_notice(row))
    return _of_project(Requirement, "due_on", "clause", *asked)


def _conditions() -> Select[Any]:
    return _of_project(Condition, "due_on", "clause", table_of(Condition).c.cleared_on.is_(None), _LIVING)


def _notices() -> Select[Any]:
    row = table_of(CompletionNotice)
    asked = (row.c.answered_on.is_(None), project.c.stage_run_id == row.c.stage_run_id, _LIVING)
    return _of_project(CompletionNotice, "due_on", cast(row.c.number, Text), *asked)


def _documents() -> Select[Any]:
    row = table_of(Evidence)
    return _of_project(Evidence, "valid_until_on", "type", row.c.status == EvidenceStatus.CURRENT, _LIVING)


def _waivers() -> Select[Any]:
    row = table_of(Waiver)
    stands = (row.c.confirmed_at.is_not(None), project.c.stage_run_id == row.c.stage_run_id, _LIVING)
    return _of_project(Waiver, "until_on", "clause", *stands)


def _reviews() -> Select[Any]:
    row = table_of(Review)
    return _of_project(
        Review, "planned_on", "gate", row.c.state.in_((ReviewState.CALLED, ReviewState.SCORING)), _LIVING
    )


def _holds() -> Select[Any]:
    hold = table_of(Hold)
    return (
        select(*_columns(hold.c.id, hold.c.until_on, hold.c.reason))
        .join_from(hold, project, (project.c.id == hold.c.object_id) & (hold.c.object_type == "project"))
        .where(hold.c.lifted_at.is_(None), _LIVING)
    )


def _transfers() -> Select[Any]:
    asked = (project.c.transfer_to_id.is_not(None), project.c.transfer_due_on.is_not(None), _LIVING)
    return select(*_columns(project.c.id, project.c.transfer_due_on, literal(""))).where(*asked)


def _promises() -> Select[Any]:
    row = table_of(Payout)
    return _of_project(Payout, "pay_by_on", "number", row.c.state.in_(WAITING), fund_id=row.c.fund_id)


def _recoveries() -> Select[Any]:
    row = table_of(RecoveryOrder)
    return _of_project(RecoveryOrder, "due_on", "number", row.c.state == RecoveryState.OPEN, fund_id=row.c.fund_id)


def _tranches() -> Select[Any]:
    row, agreement = table_of(Milestone), table_of(Agreement)
    waits = row.c.state.in_((MilestoneState.PLANNED, MilestoneState.REJECTED))
    runs = select(agreement.c.id).where(agreement.c.id == row.c.agreement_id, agreement.c.status == FundStatus.ACTIVE)
    asked = (waits, row.c.is_retention.is_(False), runs.exists(), project.c.stage != "stopped")
    return _of_project(Milestone, "due_on", "tranche", *asked, fund_id=row.c.fund_id)


def _retentions() -> Select[Any]:
    """A retention runs from the last gate's go, or from the end of the stage where no panel sat (F13)."""
    row, review, run, condition = map(table_of, (Milestone, Review, StageRun, Condition))
    gone = review.c.outcome.in_((GateOutcome.GO, GateOutcome.CONDITIONAL_GO))
    went = (
        select(func.max(func.coalesce(condition.c.cleared_on, review.c.decided_on)))
        .join_from(review, condition, condition.c.review_id == review.c.id, isouter=True)
        .where(review.c.project_id == row.c.project_id, review.c.gate == LAST_GATE, gone)
        .where(review.c.state == ReviewState.DECIDED)
    )
    passed = select(func.max(run.c.closed_on)).where(
        run.c.project_id == row.c.project_id, run.c.stage == STAGES[-1], run.c.state == "passed"
    )
    since = func.coalesce(went.scalar_subquery(), passed.scalar_subquery(), type_=row.c.due_on.type)
    waits = row.c.state.in_((MilestoneState.PLANNED, MilestoneState.SUBMITTED, MilestoneState.REJECTED))
    columns = _columns(row.c.id, since, row.c.tranche, fund_id=row.c.fund_id, months=row.c.months_after)
    return (
        select(*columns)
        .join_from(row, project, project.c.id == row.c.project_id)
        .where(row.c.is_retention, row.c.months_after > 0, row.c.amount_minor > 0, waits, since.is_not(None))
    )


def _cost_statements() -> Select[Any]:
    row, cost = table_of(Agreement), table_of(CostStatement)
    final = select(cost.c.id).where(cost.c.agreement_id == row.c.id, cost.c.is_final)
    asked = (~final.exists(), row.c.status == FundStatus.ACTIVE, row.c.settled_on.is_(None))
    return _of_project(Agreement, "statement_due_on", "number", *asked, fund_id=row.c.fund_id)


def _calls() -> Select[Any]:
    """A call is open while the investor's payments fall short of all that was called up to it."""
    call, source = table_of(CapitalCall), table_of(FundSource)
    before = call.alias("call_before")
    called = select(func.sum(before.c.amount_minor)).where(
        before.c.source_id == call.c.source_id, before.c.call_no <= call.c.call_no
    )
    return (
        select(*_columns(call.c.id, call.c.due_on, fund.c.code, fund_id=fund.c.id, without_project=True))
        .join_from(call, source, source.c.id == call.c.source_id)
        .join(fund, fund.c.id == call.c.fund_id)
        .where(source.c.paid_in_minor < called.scalar_subquery(), fund.c.status == FundStatus.ACTIVE)
    )


_FIRM: Audience = ("firm", "coordinator")
_FUND: Audience = ("accountant", "fund_director")

DEADLINES: tuple[Deadline, ...] = (
    Deadline(
        name="stage_due",
        object_type="stage_run",
        step="project.advance",
        open=lambda: _visit("due_on"),
        ladder=_usual(("coordinator",)),
        is_service=True,
    ),
    Deadline(
        name="stage_maximum",
        object_type="stage_run",
        step="project.advance",
        open=lambda: _visit("maximum_on"),
        ladder=_usual(("coordinator", "technical_manager")),
        is_service=True,
    ),
    Deadline(
        name="requirement_due",
        object_type="requirement",
        step="evidence.add",
        open=_requirements,
        ladder=_usual(),
        is_service=True,
        moved=has_day_of_notice,
    ),
    Deadline(
        name="condition_due", object_type="condition", step="evidence.add", open=_conditions, ladder=_usual()
    ),  # evidence may be handed in on hold, and its own overdue day puts a project there
    Deadline(
        name="notice_due",
        object_type="notice",
        step="notice.answer",
        open=_notices,
        ladder=_usual(_FIRM),
        is_service=True,
    ),
    Deadline(
        name="evidence_expiry", object_type="evidence", step="evidence.add", open=_documents, ladder=_usual(_OURS)
    ),
    Deadline(name="hold_ends", object_type="hold", step="project.resume", open=_holds, ladder=_usual()),
    Deadline(name="waiver_ends", object_type="waiver", step="requirement.judge", open=_waivers, ladder=_usual()),
    Deadline(
        name="transfer_due",
        object_type="project",
        step="project.accept_transfer",
        open=_transfers,
        ladder=_usual(),
        is_service=True,
    ),
    Deadline(
        name="review_planned",
        object_type="review",
        step="review.decide",
        open=_reviews,
        ladder=_usual(),
        is_service=True,
    ),
    Deadline(name="payout_promise", object_type="payout", step="payout.approve", open=_promises, ladder=_promise()),
    Deadline(
        name="recovery_due",
        object_type="recovery",
        step="recovery.repay",
        open=_recoveries,
        ladder=_usual(("firm", "accountant"), ("fund_manager", "fund_director")),
    ),
    Deadline(
        name="retention_due",
        object_type="milestone",
        step="milestone.announce",
        open=_retentions,
        ladder=_usual(_FIRM),
    ),
    Deadline(name="call_due", object_type="capital_call", step="fund.contribute", open=_calls, ladder=_usual(_FUND)),
    Deadline(
        name="cost_statement_due",
        object_type="agreement",
        step="cost.submit",
        open=_cost_statements,
        ladder=_usual(_FIRM),
    ),
    Deadline(
        name="milestone_due", object_type="milestone", step="milestone.submit", open=_tranches, ladder=_usual(_FIRM)
    ),
)
"""Every deadline that is told, in the order of a message."""

BY_NAME: Mapping[str, Deadline] = {one.name: one for one in DEADLINES}
