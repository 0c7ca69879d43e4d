"""What an operator's alarms look at: a page of figures in the text format that Prometheus reads. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from models.db import db_now
from models.deliveries import Delivery
from models.holds import ExceptionCase, Hold
from models.installation import DISBURSEMENT_ID
from models.journal import Claim, OutboxMessage
from models.payouts import Payout
from models.projects import Project, StageRun
from models.reading import table_of
from models.runs import ScheduledRun
from models.states import STAGES, DeliveryStatus, SlotStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure with its name, what it means, and what it is of."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def exposition(measures: Iterable[Measure]) -> str:
    """Return the figures as text: each name explained once, all its lines together."""
    grouped: dict[str, list[Measure]] = {}
    for measure in measures:
        grouped.setdefault(measure.name, []).append(measure)
    lines: list[str] = []
    for name, found in grouped.items():
        lines += [f"# HELP {name} {found[0].help}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(one.labels)} {one.value:.15g}" for one in found]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{key}="{_escaped(value)}"' for key, value in sorted(labels.items()))
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def measures(session: Session, now: datetime, today: date) -> Sequence[Measure]:
    """Return every figure as of this instant and day; the number of statements does not grow with the data."""
    return (
        *_outbox(session, now),
        *_runs(session),
        *_work(session, today),
        *_money(session),
    )


def _outbox(session: Session, now: datetime) -> Iterable[Measure]:
    outbox, delivery = table_of(OutboxMessage), table_of(Delivery)
    waiting = outbox.c.status.in_((DeliveryStatus.WAITING, DeliveryStatus.FAILED))
    count, oldest = session.execute(select(func.count(), func.min(outbox.c.created_at)).where(waiting)).one()
    age = (now - oldest).total_seconds() if oldest is not None else 0.0
    yield Measure(
        name="pilotway_outbox_waiting",
        help="Messages that nobody was told yet, those that cannot be told now among them.",
        value=count,
    )
    yield Measure(name="pilotway_outbox_oldest_seconds", help="Age of the oldest of them.", value=max(age, 0.0))
    counted = session.execute(select(delivery.c.status, func.count()).group_by(delivery.c.status))
    known = {row[0]: row[1] for row in counted}
    for status in DeliveryStatus:
        yield Measure(
            name="pilotway_deliveries",
            help="Messages on their way out, by what became of them.",
            value=known.get(status, 0),
            labels={"status": str(status)},
        )


def _runs(session: Session) -> Iterable[Measure]:
    run = table_of(ScheduledRun)
    counted = select(
        run.c.schedule_id, run.c.status, func.count().label("slots"), func.max(run.c.slot_at).label("last")
    )
    for row in session.execute(counted.group_by(run.c.schedule_id, run.c.status).order_by(run.c.schedule_id)):
        labels = {"schedule": row.schedule_id, "status": str(row.status)}
        yield Measure(
            name="pilotway_slots", help="Slots of a schedule, by what became of them.", value=row.slots, labels=labels
        )
        if row.status == SlotStatus.DONE:
            yield Measure(
                name="pilotway_run_last_done_timestamp_seconds",
                help="The latest slot of a schedule that was done.",
                value=row.last.timestamp(),
                labels={"schedule": row.schedule_id},
            )


def _work(session: Session, today: date) -> Iterable[Measure]:
    project, visit = table_of(Project), table_of(StageRun)
    case, claim = table_of(ExceptionCase), table_of(Claim)
    stages = select(project.c.stage, func.count()).where(project.c.stage.in_(STAGES)).group_by(project.c.stage)
    for stage, count in session.execute(stages):
        yield Measure(
            name="pilotway_projects",
            help="Projects on their way, by stage.",
            value=count,
            labels={"stage": str(stage)},
        )
    late = select(func.count()).where(visit.c.closed_on.is_(None), visit.c.due_on < today)
    yield Measure(
        name="pilotway_visits_overdue", help="Open visits past their day.", value=session.execute(late).scalar_one()
    )
    cases = select(func.count()).where(case.c.closed_at.is_(None))
    yield Measure(
        name="pilotway_exceptions_open", help="Cases for two people.", value=session.execute(cases).scalar_one()
    )
    stale = select(func.count()).where(claim.c.until_at < db_now())
    yield Measure(
        name="pilotway_claims_overdue",
        help="Work whose lease is over and that nobody has taken up again.",
        value=session.execute(stale).scalar_one(),
    )


def _money(session: Session) -> Iterable[Measure]:
    payout, hold = table_of(Payout), table_of(Hold)
    for state, count in session.execute(select(payout.c.state, func.count()).group_by(payout.c.state)):
        yield Measure(name="pilotway_payouts", help="Payouts by state.", value=count, labels={"state": str(state)})
    held = select(func.count()).where(hold.c.object_id == DISBURSEMENT_ID, hold.c.lifted_at.is_(None))
    yield Measure(
        name="pilotway_disbursement_frozen",
        help="1 while all disbursement is stopped.",
        value=min(session.execute(held).scalar_one(), 1),
    )
