"""What time does by itself: holds end, conditions hold, evidence expires, limits are used up, tranches are reached."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session

from flows.runtime import CHUNK, Sweep, ids_of
from lifecycle.commands import Command, Stamp
from lifecycle.engine import rehearse
from lifecycle.milestones.commands import AcceptMilestone
from lifecycle.projects.commands import PutOnHold, Resume
from lifecycle.projects.queries import project_rows
from lifecycle.requirements.commands import RefreshVerdicts
from lifecycle.trials.commands import ReachStopLoss
from lifecycle.trials.spending import spending_of
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone
from models.holds import Hold
from models.programmes import StandardPack
from models.projects import Project
from models.reading import table_of
from models.reviews import Condition
from models.states import ENDED, FundStatus, MilestoneState

_SPACE = UUID("0f6c1a52-6f5e-5d0c-9a9e-6d0d7a0c5f11")
"""Name space of command ids that are derived from what is due and when."""


def _key(what: str, subject: UUID, stamp: Stamp) -> str:
    return str(uuid5(_SPACE, f"{what}:{subject}:{stamp.today.isoformat()}"))


def ended_holds(session: Session, stamp: Stamp) -> Sequence[Command]:
    """Lift the holds whose last day has passed, unless their reason asks for a decision."""
    hold = table_of(Hold)
    past = (hold.c.lifted_at.is_(None), hold.c.until_on < stamp.today, hold.c.needs_decision.is_(False))
    found = session.execute(select(hold.c.id, hold.c.object_id).where(*past, hold.c.object_type == "project"))
    return [
        Resume(command_id=_key("hold-ended", row.id, stamp), project_id=row.object_id, reason="its last day has passed")
        for row in found
    ]


def overdue_conditions(session: Session, stamp: Stamp) -> Sequence[Command]:
    """Put a project on hold whose condition is overdue by more working days than its standard allows (default 10)."""
    condition, project, hold = table_of(Condition), table_of(Project), table_of(Hold)
    held = select(hold.c.id).where(hold.c.object_id == project.c.id, hold.c.lifted_at.is_(None)).exists()
    statement = (
        select(condition.c.project_id, condition.c.clause, condition.c.due_on, project.c.pack_sha256)
        .join(project, project.c.id == condition.c.project_id)
        .where(
            condition.c.cleared_on.is_(None),
            condition.c.due_on < stamp.today,
            project.c.stage.not_in(ENDED),
            ~held,
        )
        .order_by(condition.c.due_on)
    )
    rows = session.execute(statement).all()
    packs = packs_of(session, {row.pack_sha256 for row in rows})
    commands: dict[UUID, Command] = {}
    for row in rows:
        limits = packs[row.pack_sha256].limits
        last = stamp.calendar.add_working_days(row.due_on, limits.condition_overdue_hold_days)
        if last < stamp.today:
            commands.setdefault(
                row.project_id,
                PutOnHold(
                    command_id=_key("condition-overdue", row.project_id, stamp),
                    project_id=row.project_id,
                    code="overdue_condition",
                    reason=f"{row.clause}: {row.due_on.isoformat()}",
                    until_on=stamp.today + timedelta(days=limits.hold_calendar_days),
                ),
            )
    return list(commands.values())


def due_verdicts(session: Session, stamp: Stamp) -> Sequence[Command]:
    """Judge again where evidence, a waiver or a notice has ended since; the rest is not read."""
    project = table_of(Project)
    past = project.c.next_due_on <= stamp.today
    found = session.execute(select(project.c.id).where(past, project.c.stage.not_in(ENDED)))
    return [
        RefreshVerdicts(command_id=_key("verdicts", project_id, stamp), project_id=project_id)
        for project_id in ids_of(found)
    ]


def used_up_limits(session: Session, stamp: Stamp) -> Sequence[Command]:
    """Tell which agreed limits of a trial are used up by now and were not told in this visit: days, above all."""
    project, pack = table_of(Project), table_of(StandardPack)
    packs = packs_of(session, session.execute(select(pack.c.sha256)).scalars()).values()
    stages = {stage.id for one in packs for stage in one.stages if stage.run_limits is not None}
    running = ids_of(session.execute(select(project.c.id).where(project.c.stage.in_(stages))))
    commands: list[Command] = []
    for start in range(0, len(running), CHUNK):
        found = spending_of(session, project_rows(session, running[start : start + CHUNK]), stamp.today)
        commands += [
            ReachStopLoss(command_id=_key("stop-loss", project_id, stamp), project_id=project_id)
            for project_id, spending in found.items()
            if spending.new_hits()
        ]
    return commands


def reached_tranches(session: Session, stamp: Stamp) -> Sequence[Command]:
    """Accept the tranches that were handed in and hang on a gate, once it is passed and nothing stands in their way.

    A person may do it too; what hangs on named criteria waits for one (rule book 1.4, 5.3). No day releases (F20).
    """
    milestone, agreement = table_of(Milestone), table_of(Agreement)
    statement = (
        select(milestone.c.id)
        .join(agreement, agreement.c.id == milestone.c.agreement_id)
        .where(
            milestone.c.state == MilestoneState.SUBMITTED,
            milestone.c.gate.is_not(None),
            agreement.c.status == FundStatus.ACTIVE,
        )
        .order_by(milestone.c.id)
    )
    asked = [
        AcceptMilestone(command_id=_key("tranche", one, stamp), milestone_id=one, reason="its gate is passed")
        for one in ids_of(session.execute(statement))
    ]
    commands: list[Command] = []
    for start in range(0, len(asked), CHUNK):
        answers = rehearse(session, asked[start : start + CHUNK], stamp=stamp)
        commands += [answer.command for answer in answers if answer.is_done]
    return commands


STAGE_DEADLINES = (
    Sweep(name="ended-holds", due=ended_holds),
    Sweep(name="overdue-conditions", due=overdue_conditions),
    Sweep(name="due-verdicts", due=due_verdicts),
    Sweep(name="used-up-limits", due=used_up_limits),
    Sweep(name="reached-tranches", due=reached_tranches),
)
"""What `pilotway run stage-deadlines` does, in this order."""
