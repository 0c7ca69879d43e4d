"""What somebody can expect next while nothing waits for them: the nearest deadline of a project of theirs.

It is a reminder that the clock has planned already, of no payment: who is behind a wall reads nothing of money here.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import False_, select
from sqlmodel import Session

from lifecycle.actor import Rights
from lifecycle.commands import Stamp
from lifecycle.reach import owing, readable_projects
from models.deliveries import PlannedReminder
from models.projects import Project
from models.reading import table_of
from models.states import ENDED, ReminderStatus
from notifications.labels import called, labels_of
from notifications.todo import LOOKED_AT
from notifications.words import Lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A day on which something falls due."""

    on: date
    what: str
    """Name of the deadline, a word of the kind `deadline`."""
    label: str
    """What people call the thing that falls due; empty where it has no name of its own."""
    number: str
    name: str
    """Of the project."""


def next_day(session: Session, rights: Rights, stamp: Stamp, lang: Lang) -> Ahead | None:
    """Return the nearest day among one's living projects, as many as an inbox looks at; None where none is planned."""
    reach = readable_projects(owing(rights), stamp.actor)
    if isinstance(reach, False_):
        return None
    reminder, project = table_of(PlannedReminder), table_of(Project)
    own = select(project.c.id).where(reach, project.c.stage.not_in(ENDED)).order_by(project.c.number.desc())
    statement = (
        select(
            *(reminder.c[name] for name in ("what", "object_id", "project_id", "deadline_on")),
            project.c.number,
            project.c.name,
        )
        .join(project, project.c.id == reminder.c.project_id)
        .where(reminder.c.project_id.in_(own.limit(LOOKED_AT)), reminder.c.fund_id.is_(None))
        .where(reminder.c.status == ReminderStatus.PLANNED, reminder.c.deadline_on >= stamp.today)
        .order_by(reminder.c.deadline_on, project.c.number, reminder.c.what, reminder.c.object_id)
        .limit(1)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    names = called(session, [row], labels_of(session, [row]))
    label = names[row.what, row.object_id]["zh" if lang == "zh-CN" else "en"]
    own_label = "" if label == row.number else label
    return Ahead(on=row.deadline_on, what=row.what, label=own_label, number=row.number, name=row.name)
