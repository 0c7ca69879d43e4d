"""What waits for one person: for every verb that somebody is asked for, the rows on which it is due, and who may.

Who may is the engine's own answer (`engine.able`); here stands only what is waited for. Every verb there is stands in
exactly one of `STEPS`, `OF_THE_GATE` and `UNASKED`: a new one cannot be forgotten.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, null, or_, select
from sqlmodel import Session

from lifecycle.actor import Rights, read_rights
from lifecycle.commands import Stamp, Verb
from lifecycle.engine import able
from lifecycle.permissions import OF_ONESELF, PERMISSIONS
from lifecycle.reach import owing, reachable
from lifecycle.verbs import BY_NAME
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.funds import CapitalCall, FundSource
from models.holds import Hold
from models.installation import DISBURSEMENT_ID
from models.payouts import Payout
from models.people import User
from models.projects import Project, Requirement, StageRun
from models.reading import beside, table_of
from models.reviews import CompletionNotice, Objection, PanelMember, Review
from models.states import (
    ENDED,
    FundStatus,
    GateOutcome,
    MilestoneState,
    PayeeStatus,
    PayoutState,
    RecoveryState,
    ReviewState,
    Role,
    StageRunState,
    VerdictState,
)

Condition: TypeAlias = Callable[[Any, Stamp], ColumnElement[bool]]
_SOON = timedelta(days=14)
"""What is due at a day of the plan is asked for two weeks before."""
_TYPED_FOR_PAYOUTS = frozenset({"amount_not_positive", "payee_of_another"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One verb that somebody is asked for."""

    verb: str
    waits: Condition
    """The rows on which it is due, for (table, stamp)."""
    due: Callable[[Any], Any] | None = None
    since: Callable[[Any], Any] | None = None
    typed: frozenset[str] = frozenset()
    """Codes of what is only missing because nothing was said yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that waits for a person."""

    verb: str
    object_type: str
    object_id: UUID
    number: str
    """Of the project; empty where it belongs to none."""
    name: str
    ref: str
    """Number of the thing, where people name it by one, else its id."""
    label: str
    """What it is about: a gate, a tranche, the kind of a case, the holder of an account."""
    due_on: date | None
    since_on: date | None
    amount_minor: int | None
    currency: str
    on_behalf_of: UUID | None = None
    """Who is absent, where it is theirs and lent."""


def _in(*states: Any) -> Condition:
    return lambda table, _stamp: beside(table.c.state).in_(states)


def _column(name: str) -> Callable[[Any], Any]:
    return lambda table: table.c[name]


def _run(*conditions: Callable[[Any], ColumnElement[bool]]) -> Condition:
    """Return the condition on the open visit of a project's stage."""
    run = table_of(StageRun)
    asked = [one(run) for one in conditions]
    opened = select(run.c.id).where(run.c.closed_on.is_(None), *asked)
    return lambda table, _stamp: opened.where(run.c.id == table.c.stage_run_id).exists()


def _decided(*outcomes: GateOutcome) -> Condition:
    """Return the condition that a panel has decided so in the present visit."""
    review = table_of(Review)
    said = select(review.c.id).where(review.c.state == ReviewState.DECIDED, review.c.outcome.in_(outcomes))
    return lambda table, _stamp: and_(
        table.c.stage.not_in(ENDED), said.where(review.c.stage_run_id == table.c.stage_run_id).exists()
    )


def _may_pass(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    """A panel said go, or nothing was open as last judged."""
    row = table_of(Requirement)
    unmet = row.c.verdict.not_in((VerdictState.MET, VerdictState.WAIVED))
    is_open = select(row.c.id).where(row.c.stage_run_id == table.c.stage_run_id, unmet).exists()
    gone = _decided(GateOutcome.GO, GateOutcome.CONDITIONAL_GO)(table, stamp)
    return and_(table.c.stage.not_in(ENDED), table.c.stage_run_id.is_not(None), or_(gone, ~is_open))


def _unvoted(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    seat = table_of(PanelMember)
    mine = select(seat.c.review_id).where(
        seat.c.user_id == stamp.actor.user_id, seat.c.has_vote, seat.c.recused_on.is_(None), seat.c.vote.is_(None)
    )
    return and_(table.c.state == ReviewState.SCORING, table.c.id.in_(mine))


def _objected(is_upheld: Callable[[Any], ColumnElement[bool]]) -> Condition:
    row = table_of(Objection)
    said = select(row.c.id).where(is_upheld(row))
    return lambda table, _stamp: and_(
        table.c.state == ReviewState.PROPOSED, said.where(row.c.review_id == table.c.id).exists()
    )


def _open_notices(name: str, project: Any) -> Any:
    """Return the statement of a column of the open notices of a project's present visit."""
    row = table_of(CompletionNotice)
    own = (row.c.project_id == project.c.id, row.c.stage_run_id == project.c.stage_run_id)
    return select(row.c[name]).where(*own, row.c.answered_on.is_(None))


def _of_notice(name: str) -> Callable[[Any], Any]:
    latest = table_of(CompletionNotice).c.number.desc()
    return lambda table: _open_notices(name, table).order_by(latest).limit(1).scalar_subquery()


def _has_hold(object_id: Any, *, is_decided: bool) -> Any:
    hold = table_of(Hold)
    asked = select(hold.c.id).where(hold.c.object_id == object_id, hold.c.lifted_at.is_(None))
    return (asked.where(hold.c.needs_decision) if is_decided else asked).exists()


def _held_since(object_id: Callable[[Any], Any]) -> Callable[[Any], Any]:
    hold = table_of(Hold)
    first = select(func.min(hold.c.from_on)).where(hold.c.lifted_at.is_(None))
    return lambda table: first.where(hold.c.object_id == object_id(table)).scalar_subquery()


def _tranche_due(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    state = beside(table.c.state)
    planned = and_(state == MilestoneState.PLANNED, table.c.due_on <= stamp.today + _SOON)
    return and_(~beside(table.c.is_retention), or_(planned, state == MilestoneState.REJECTED), _in_force(table))


def _in_force(table: Any) -> ColumnElement[bool]:
    agreement = table_of(Agreement)
    runs = select(agreement.c.id).where(agreement.c.status == FundStatus.ACTIVE, agreement.c.signed_on.is_not(None))
    return runs.where(agreement.c.id == table.c.agreement_id).exists()


def _unasked_money(table: Any, _stamp: Stamp) -> ColumnElement[bool]:
    payout = table_of(Payout)
    asked = select(payout.c.id).where(
        payout.c.milestone_id == table.c.id,
        payout.c.state.not_in((PayoutState.REJECTED, PayoutState.CANCELLED)),
    )
    return and_(
        beside(table.c.state) == MilestoneState.ACCEPTED, table.c.amount_minor > 0, _in_force(table), ~asked.exists()
    )


def _settlement_unasked(table: Any, _stamp: Stamp) -> ColumnElement[bool]:
    payout = table_of(Payout)
    asked = select(payout.c.id).where(
        payout.c.agreement_id == table.c.id,
        payout.c.milestone_id.is_(None),
        payout.c.state.not_in((PayoutState.REJECTED, PayoutState.CANCELLED)),
    )
    return and_(*_active(table), table.c.settlement_minor > 0, ~asked.exists())


def _cost(table: Any, *conditions: ColumnElement[bool]) -> Any:
    cost = table_of(CostStatement)
    return select(cost.c.id).where(cost.c.agreement_id == table.c.id, cost.c.is_final, *conditions).exists()


def _active(table: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the condition on an agreement that it runs: most do, so that it is found by whose it is."""
    return (beside(table.c.status) == FundStatus.ACTIVE,)


def _cost_due(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    unsettled = and_(*_active(table), beside(table.c.settled_on).is_(None))
    return and_(unsettled, table.c.statement_due_on <= stamp.today + _SOON, ~_cost(table))


def _final_cost(table: Any) -> ColumnElement[bool]:
    verified: ColumnElement[bool] = _cost(table, table_of(CostStatement).c.verified_at.is_not(None))
    return verified


def _audit_due(table: Any, _stamp: Stamp) -> ColumnElement[bool]:
    row = table_of(Milestone)
    asks = select(row.c.id).where(row.c.agreement_id == table.c.id, cast(row.c.needs, Text).contains("audit_accepted"))
    unsettled = and_(*_active(table), beside(table.c.settled_on).is_(None))
    return and_(unsettled, table.c.audit_accepted_on.is_(None), asks.exists(), _final_cost(table))


def _to_settle(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    unsettled = and_(*_active(table), beside(table.c.settled_on).is_(None))
    return and_(unsettled, or_(_final_cost(table), table.c.statement_due_on < stamp.today))


def _overdue(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    return and_(beside(table.c.state) == RecoveryState.OPEN, table.c.due_on < stamp.today)


def _called_in(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    """An investor has paid less than was called by today."""
    call, source = table_of(CapitalCall), table_of(FundSource)
    called = select(func.sum(call.c.amount_minor)).where(call.c.source_id == source.c.id, call.c.due_on <= stamp.today)
    short = select(source.c.id).where(source.c.fund_id == table.c.id, source.c.paid_in_minor < called.scalar_subquery())
    return and_(table.c.status == FundStatus.ACTIVE, short.exists())


def _open_case(is_proposed: bool) -> Condition:  # noqa: FBT001 - one of two halves
    def waits(table: Any, _stamp: Stamp) -> ColumnElement[bool]:
        half = table.c.proposed_by.is_not(None) if is_proposed else table.c.proposed_by.is_(None)
        return and_(table.c.closed_at.is_(None), table.c.object_type != "disbursement", half)

    return waits


def _handed_over(table: Any, stamp: Stamp) -> ColumnElement[bool]:
    """Another editor reads it: publishing and giving back are the two ends, and who may end it is the same editor."""
    user = table_of(User)
    own = select(user.c.id).where(user.c.person_id == stamp.actor.person_id)
    return and_(table.c.closed_at.is_(None), table.c.proposed_by.not_in(own))


_REQUESTED: dict[str, Any] = {"due": _column("pay_by_on"), "since": _column("created_at")}
_PLANNED: dict[str, Any] = {"due": _column("planned_on")}
_CASE: dict[str, Any] = {"since": _column("opened_at")}
_OWED_BACK: dict[str, Any] = {"due": _column("due_on"), "since": _column("ordered_at")}

STEPS: tuple[Step, ...] = (
    Step(verb="payout.certify", waits=_in(PayoutState.REQUESTED, PayoutState.RETURNED), **_REQUESTED),
    Step(verb="payout.approve", waits=_in(PayoutState.REQUESTED), typed=frozenset({"minute_missing"}), **_REQUESTED),
    Step(verb="payout.reapprove", waits=_in(PayoutState.RETURNED), typed=frozenset({"minute_missing"}), **_REQUESTED),
    Step(verb="payout.release", waits=_in(PayoutState.APPROVED), **_REQUESTED),
    Step(verb="payout.request", waits=_unasked_money, since=_column("decided_at"), typed=_TYPED_FOR_PAYOUTS),
    Step(verb="payout.settle", waits=_settlement_unasked, since=_column("settled_on"), typed=_TYPED_FOR_PAYOUTS),
    Step(
        verb="payee_account.confirm",
        waits=lambda table, _stamp: table.c.status == PayeeStatus.PROPOSED,
        since=_column("at"),
    ),
    Step(verb="exception.propose", waits=_open_case(is_proposed=False), **_CASE),
    Step(verb="exception.confirm", waits=_open_case(is_proposed=True), **_CASE),
    Step(
        verb="disbursement.lift",
        waits=lambda _table, _stamp: _has_hold(DISBURSEMENT_ID, is_decided=False),
        since=_held_since(lambda _table: DISBURSEMENT_ID),
    ),
    Step(verb="recovery.repay", waits=_overdue, **_OWED_BACK),
    Step(verb="recovery.set_off", waits=_overdue, **_OWED_BACK),
    Step(verb="fund.contribute", waits=_called_in),
    Step(verb="milestone.submit", waits=_tranche_due, due=_column("due_on")),
    Step(verb="milestone.accept", waits=_in(MilestoneState.SUBMITTED), since=_column("submitted_at")),
    Step(
        verb="agreement.sign",
        waits=lambda table, _stamp: and_(*_active(table), table.c.signed_on.is_(None)),
        since=_column("created_at"),
    ),
    Step(verb="cost.submit", waits=_cost_due, due=_column("statement_due_on")),
    Step(
        verb="cost.verify",
        waits=lambda table, _stamp: table.c.verified_at.is_(None),
        since=_column("submitted_at"),
    ),
    Step(verb="agreement.accept_audit", waits=_audit_due),
    Step(verb="agreement.settle", waits=_to_settle),
    Step(
        verb="agreement.close",
        waits=lambda table, _stamp: and_(*_active(table), beside(table.c.settled_on).is_not(None)),
        since=_column("settled_on"),
    ),
    Step(verb="review.open", waits=_in(ReviewState.CALLED), **_PLANNED),
    Step(verb="review.score", waits=_unvoted, **_PLANNED),
    Step(verb="review.propose", waits=_in(ReviewState.SCORING), **_PLANNED),
    Step(verb="review.decide", waits=_in(ReviewState.PROPOSED), since=_column("notice_ends_on")),
    Step(verb="review.answer_objection", waits=_objected(lambda row: row.c.is_upheld.is_(None))),
    Step(verb="review.reopen", waits=_objected(lambda row: row.c.is_upheld.is_(True))),
    Step(verb="review.call", waits=_run(lambda run: run.c.state == StageRunState.SUBMITTED)),
    Step(
        verb="notice.answer",
        waits=lambda table, _stamp: _open_notices("id", table).exists(),
        due=_of_notice("due_on"),
        since=_of_notice("issued_on"),
    ),
    Step(verb="project.advance", waits=_may_pass),
    Step(verb="project.recycle", waits=_decided(GateOutcome.RECYCLE)),
    Step(verb="project.stop", waits=_decided(GateOutcome.STOP)),
    Step(verb="project.transfer", waits=_decided(GateOutcome.TRANSFER)),
    Step(
        verb="project.accept_transfer",
        waits=lambda table, _stamp: and_(table.c.stage.not_in(ENDED), table.c.transfer_to_id.is_not(None)),
        due=_column("transfer_due_on"),
    ),
    Step(
        verb="project.resume",
        waits=lambda table, _stamp: and_(table.c.stage.not_in(ENDED), _has_hold(table.c.id, is_decided=True)),
        since=_held_since(_column("id")),
    ),
    Step(verb="standard_draft.withdraw", waits=_handed_over, since=_column("proposed_at")),
)
"""What people are asked for, money first."""

OF_THE_GATE = frozenset({"evidence.add", "requirement.judge", "requirement.confirm_waiver", "project.submit"})
"""What the gates of projects ask for: `notifications.todo` reads them there."""

UNASKED = frozenset(
    {
        # What somebody begins because they want to, or says when it has happened: nobody waits for it by name.
        *("project.register", "project.withdraw", "project.hold", "project.extend_hold", "project.plan_panel"),
        *("project.assign", "project.unassign", "project.correct", "project.name_party", "notice.issue"),
        *("requirement.waive", "requirement.reopen", "evidence.withdraw", "review.recuse", "review.cancel"),
        *("review.object", "payout.reject", "payout.send_back", "payout.amend", "payout.cancel"),
        *("payee_account.propose", "payee_account.retire", "recovery.order", "recovery.write_off"),
        *("milestone.announce", "milestone.reject", "milestone.waive", "agreement.draft", "agreement.supplement"),
        *("fund.add", "fund.resize", "fund.commit", "fund.amend_commitment", "fund.call", "fund.cancel_call"),
        *("fund.correct", "fund.hold", "fund.resume", "fund.set_tiers", "fund.set_limit", "fund.close"),
        *("organisation.add", "organisation.correct", "organisation.tie", "programme.add", "standard.publish"),
        *("calendar.override", "calendar.announce", "disbursement.freeze"),
        # What a requirement asks for in its own words: its line names them.
        *("claim.add", "claim.add_all", "revision.freeze", "characteristic.add", "issue.add", "issue.close"),
        *("trial_batch.add", "trial_batch.correct", "trial_batch.close", "trial_batch.measure"),
        *("trial_batch.correct_measurement", "track.start", "track.finish", "scenario.record", "order.record"),
        # Accounts, and what the page of operations shows.
        *("user.add", "user.grant", "user.revoke", "user.disable", "user.enable", "user.add_token"),
        *OF_ONESELF,
        *("invitation.send", "invitation.revoke", "invitation.ask_link"),
        "standard_draft.propose",
        *(
            "user.reset_access",
            "user.delegate",
            "user.end_delegation",
            "webhook.add",
            "webhook.rotate",
            "webhook.end_rotation",
            "webhook.disable",
        ),
        *("webhook.enable", "webhook.ping", "webhook.replay", "outbox.retry", "outbox.drop"),
        *("schedule.pause", "schedule.resume", "schedule.request"),
        # What runs do, and what follows from a case that two people agreed on.
        *("project.import", "project.update_imported", "project.refresh", "project.reach_stop_loss"),
        *("payout.instruct", "payout.learn", "payout.adopt", "statement.take", "statement.take_lines"),
        *("statement.compare", "statement.complete", "statement.quarantine", "statement.write_off"),
        *("batch.prepare", "batch.send", "batch.doubt", "batch.find", "batch.acknowledge", "batch.settle"),
        *("batch.take_back", "batch.abandon"),
    }
)
"""Verbs that nobody is asked for by name."""


def steps_of(session: Session, stamp: Stamp, *, limit: int) -> Iterator[Waiting]:
    """Yield what waits for the actor, at most `limit` rows of each verb, those due soonest first.

    A verb is asked in a fixed number of reads, and only where one of its roles is held or lent.
    """
    rights = read_rights(session, stamp.actor, [], today=stamp.today)
    held = {role for role, _ in rights.grants}
    lent: dict[UUID, set[Role]] = {}
    for absent, role, _ in rights.lent:
        lent.setdefault(absent, set()).add(role)
    lent_too = Rights(is_active=rights.is_active, grants=rights.grants | {(role, at) for _, role, at in rights.lent})
    wide, reach = owing(lent_too), {}
    for step in STEPS:
        kind, _, name = step.verb.partition(".")
        verb, roles = BY_NAME[(kind, name)], PERMISSIONS[step.verb]
        takes_over = "on_behalf_of" in verb.command.__dataclass_fields__
        lenders = sorted((one for one, had in lent.items() if had & roles and takes_over), key=str)
        if not (held & roles or lenders):
            continue
        if verb.subject not in reach:
            reach[verb.subject] = reachable(table_of(verb.subject), wide, stamp.actor)
        rows = {row.id: row for row in session.execute(_candidates(step, verb, reach[verb.subject], stamp, limit))}
        done: set[UUID] = set()
        people: tuple[UUID | None, ...] = (None, *lenders) if rows else ()
        for person in people:
            asked = [one for one in rows if one not in done]
            mine = able(session, verb, asked, stamp=stamp, absent=person, typed=step.typed)
            done |= mine
            yield from (_waiting(step, verb, row, person) for key, row in rows.items() if key in mine)


def _candidates(step: Step, verb: Verb[Any, Any], reach: ColumnElement[bool], stamp: Stamp, limit: int) -> Any:
    project, table = table_of(Project), table_of(verb.subject)
    due = step.due(table) if step.due else None
    source = table if table is project or "project_id" not in table.c else _with_project(table)
    has_project = table is project or source is not table
    ref, label = _names(table)
    columns = (
        table.c.id,
        (project.c.number if has_project else literal("")).label("project_number"),
        (project.c.name if has_project else literal("")).label("project_name"),
        ref.label("ref"),
        label.label("label"),
        (null() if due is None else due).label("due_on"),
        (step.since(table) if step.since else null()).label("since"),
        _amount(table).label("amount_minor"),
        (table.c.currency if "currency" in table.c else literal("CNY")).label("currency"),
    )
    found = select(*columns).select_from(source).where(step.waits(table, stamp), reach)
    order = () if due is None else (due.is_(None), due)
    return found.order_by(*order, beside(table.c.id)).limit(limit)


def _with_project(table: Any) -> Any:
    project = table_of(Project)
    return table.outerjoin(project, project.c.id == table.c.project_id)


def _names(table: Any) -> tuple[Any, Any]:
    """Return how a row is named, and what it is about, in columns; empty where by nothing but its id."""
    found = (_REFS.get(str(table.name)), _LABELS.get(str(table.name)))
    ref, label = (table.c[name] if name else literal("") for name in found)
    return ref, label


def _amount(table: Any) -> Any:
    """Return what is decided on: of an order to pay back what is left of it."""
    if table is table_of(RecoveryOrder):
        return table.c.amount_minor - table.c.repaid_minor - table.c.set_off_minor - table.c.written_off_minor
    return table.c.amount_minor if str(table.name) in ("payout", "milestone") else null()


_REFS = {"payout": "number", "agreement": "number", "recovery_order": "number", "project": "number", "fund": "code"}
_LABELS = {
    "standard_draft": "code",
    "review": "gate",
    "milestone": "tranche",
    "exception_case": "kind",
    "payee_account": "holder_name",
}


def _waiting(step: Step, verb: Verb[Any, Any], row: Any, absent: UUID | None) -> Waiting:
    since = row.since
    return Waiting(
        verb=step.verb,
        object_type=verb.subject_name,
        object_id=row.id,
        number=row.project_number or "",
        name=row.project_name or "",
        ref=row.ref or str(row.id),
        label=row.label,
        due_on=row.due_on,
        since_on=since.date() if isinstance(since, datetime) else since,
        amount_minor=row.amount_minor,
        currency=row.currency,
        on_behalf_of=absent,
    )
