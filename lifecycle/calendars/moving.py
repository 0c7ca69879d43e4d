"""Which open deadlines a change of the calendar moves, and to which day; a passed one never moves (W7).

Terms in working days keep their number of days; a promise of payment is computed again; a day that people named, or a
term in calendar days, only leaves a day that is off now (W3).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.payouts.terms import WAITING, pay_by
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, RecoveryOrder
from models.base import Row
from models.payouts import Payout
from models.projects import Project, Requirement, StageRun
from models.reading import table_of
from models.reviews import CompletionNotice, Condition, Review
from models.states import STAGES, FundStatus, RecoveryState, ReviewState


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A calendar before and after, and from which day on they differ."""

    before: Calendar
    after: Calendar
    since: date
    today: date
    programme_id: UUID | None = None

    @property
    def first_open(self) -> date:
        """The first day whose deadlines may move."""
        return max(self.since, self.today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One deadline that moves."""

    what: str
    ref: str
    table: type[Row]
    row: Any
    column: str
    was_on: date
    is_on: date
    project_id: UUID

    def said(self) -> dict[str, Any]:
        """Return it in plain values."""
        days = {"was_on": self.was_on.isoformat(), "is_on": self.is_on.isoformat()}
        return {"what": self.what, "ref": self.ref, **days}


_Rule = Callable[[Any, date, Calendar, Calendar, Change], date]


def moved_by(session: Session, change: Change, *, is_locked: bool) -> list[Moved]:
    """Return every open deadline that moves, by project; a fixed number of reads, whose rows are locked if asked."""
    found: list[Moved] = []
    for what, table, column, statement, rule in _sources(session):
        day = table_of(table).c[column]
        asked = statement.where(day >= change.first_open)
        if change.programme_id is not None:
            asked = asked.where(_project.c.programme_id == change.programme_id)
        if is_locked:
            asked = asked.with_for_update(of=table_of(table))
        for row in session.execute(asked.order_by(table_of(table).c.id)):
            was_on = getattr(row, column)
            before, after = change.before.of(row.programme_id), change.after.of(row.programme_id)
            is_on = max(rule(row, was_on, before, after, change), change.today)
            if is_on != was_on:
                found.append(
                    Moved(
                        what=what,
                        ref=row.project_number,
                        table=table,
                        row=row,
                        column=column,
                        was_on=was_on,
                        is_on=is_on,
                        project_id=row.of_project,
                    )
                )
    return found


def judged_again(session: Session, change: Change) -> list[UUID]:
    """Return the projects with requirements that are due on a day that may have moved."""
    row = table_of(Requirement)
    statement = (
        select(_project.c.id)
        .join(row, row.c.stage_run_id == _project.c.stage_run_id)
        .where(row.c.due_on >= change.first_open, _project.c.stage.in_(STAGES))
        .distinct()
        .order_by(_project.c.id)
    )
    if change.programme_id is not None:
        statement = statement.where(_project.c.programme_id == change.programme_id)
    return list(session.execute(statement).scalars())


_project = table_of(Project)


def _rows(model: Any, *conditions: Any, **more: Any) -> Select[Any]:
    """Return the rows of a table with what is needed of their project; further columns by their name."""
    table = table_of(model)
    columns = (
        table,
        _project.c.id.label("of_project"),
        _project.c.number.label("project_number"),
        *(() if model is Project else (_project.c.programme_id, _project.c.pack_sha256)),
        *(column.label(name) for name, column in more.items()),
    )
    if model is Project:
        return select(*columns).where(*conditions)
    return select(*columns).join_from(table, _project, _project.c.id == table.c.project_id).where(*conditions)


def _sources(session: Session) -> Iterator[tuple[str, type[Row], str, Select[Any], _Rule]]:
    """Yield (deadline, table, column, its open rows, the rule that moves it)."""
    run, review, notice, condition = map(table_of, (StageRun, Review, CompletionNotice, Condition))
    payout, recovery, agreement = map(table_of, (Payout, RecoveryOrder, Agreement))
    present = (_project.c.stage.in_(STAGES), run.c.id == _project.c.stage_run_id, run.c.closed_on.is_(None))
    by_length = _same_length(session)
    yield "stage_due", StageRun, "due_on", _rows(StageRun, *present), by_length("default_unit")
    yield "stage_maximum", StageRun, "maximum_on", _rows(StageRun, *present), by_length("maximum_unit")
    shown = (review.c.state == ReviewState.PROPOSED, review.c.proposed_on.is_not(None))
    yield "public_notice", Review, "notice_ends_on", _rows(Review, *shown), _same_notice(session)
    unanswered = (notice.c.answered_on.is_(None), notice.c.stage_run_id == _project.c.stage_run_id)
    yield "notice_due", CompletionNotice, "due_on", _rows(CompletionNotice, *unanswered), _counted("issued_on")
    yield "condition_due", Condition, "due_on", _rows(Condition, condition.c.cleared_on.is_(None)), _handed_in
    asked = (_project.c.transfer_to_id.is_not(None), _project.c.stage.in_(STAGES))
    yield "transfer_due", Project, "transfer_due_on", _rows(Project, *asked), _left
    terms = select(agreement.c.payment_days).where(agreement.c.id == payout.c.agreement_id).scalar_subquery()
    waiting = _rows(Payout, payout.c.state.in_(WAITING), payout.c.complete_on.is_not(None), payment_days=terms)
    yield "payout_promise", Payout, "pay_by_on", waiting, _promised
    owed = _rows(RecoveryOrder, recovery.c.state == RecoveryState.OPEN)
    yield "recovery_due", RecoveryOrder, "due_on", owed, _handed_in
    stopped = _rows(Agreement, agreement.c.status == FundStatus.ACTIVE, agreement.c.settled_on.is_(None))
    yield "cost_statement_due", Agreement, "statement_due_on", stopped, _handed_in


def _same_days(start: date, end: date, before: Calendar, after: Calendar) -> date:
    """Return the day as many working days after the start as before; a day off was named, and only leaves one."""
    if not before.is_working_day(end):
        return after.next_working_day(end)
    return after.add_working_days(start, before.working_days_between(start, end))


def _same_length(session: Session) -> Callable[[str], _Rule]:
    def of(unit: str) -> _Rule:
        def rule(row: Any, was_on: date, before: Calendar, after: Calendar, _change: Change) -> date:
            stage = packs_of(session, [row.pack_sha256])[row.pack_sha256].stage(row.stage)
            if getattr(stage, unit) != "working_days":
                return was_on
            return _same_days(row.opened_on, was_on, before, after)

        return rule

    return of


def _same_notice(session: Session) -> _Rule:
    def rule(row: Any, was_on: date, before: Calendar, after: Calendar, _change: Change) -> date:
        stages = packs_of(session, [row.pack_sha256])[row.pack_sha256].stages
        notice = next((one.notice for one in stages if one.gate == row.gate), None)
        if notice is None or notice.unit != "working_days":
            return was_on
        return _same_days(row.proposed_on, was_on, before, after)

    return rule


def _counted(start: str) -> _Rule:
    return lambda row, was_on, before, after, _change: _same_days(getattr(row, start), was_on, before, after)


def _left(_row: Any, was_on: date, before: Calendar, after: Calendar, change: Change) -> date:
    """Keep the working days that are left: when it began is not in the row."""
    return _same_days(change.today, was_on, before, after)


def _handed_in(_row: Any, was_on: date, _before: Calendar, after: Calendar, _change: Change) -> date:
    return after.next_working_day(was_on)


def _promised(row: Any, _was_on: date, _before: Calendar, _after: Calendar, change: Change) -> date:
    """Compute the promise again, by the installation's days: banks follow no programme's calendar."""
    return pay_by(row.complete_on, row.payment_days, change.after).due_on
