"""Who may read what, asked in one place: lists by a condition, single things by the same rights as the engine's.

What somebody may not read does not exist for them (404, and in no list).
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlmodel import Session

from lifecycle.actor import Actor, Rights
from lifecycle.engine import may_see
from lifecycle.errors import NotFound
from lifecycle.permissions import DELEGABLE, PARTIES_OF_ROLE, PERMISSIONS
from lifecycle.reach import readable_projects
from models.deliveries import WebhookEndpoint
from models.evidence import Evidence
from models.people import Organisation, User
from models.programmes import Programme, StandardDraft
from models.projects import Project
from models.reading import table_of
from models.reviews import Review
from models.runs import CALENDAR_ID, WorkingCalendar
from models.states import INSTALLATION, Role
from web.session import Visit

__all__ = [
    "WORKING_DAYS", "as_id", "calendar_of", "evidence_of", "organisation_of", "own_platforms", "project_of",
    "readable_programmes", "readable_projects", "readable_projects_among", "review_of", "user_of", "webhook_of",
    "wide_roles",
]  # fmt: skip


def own_platforms(rights: Rights, permission: str) -> frozenset[UUID] | None:
    """Return the platforms that a coordinator alone may name in giving this command; None where any may be named."""
    held = {(role, at) for role, at in rights.grants if role in PERMISSIONS[permission]}
    is_bound = all(role == Role.COORDINATOR and at is not None for role, at in held)
    return frozenset(at for _, at in held if at is not None) if held and is_bound else None


def project_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of a project by number or id; `NotFound` for none, and for who has no part in it."""
    project = table_of(Project)
    known = as_id(ref)
    matches = project.c.id == known if known else project.c.number == ref.upper()
    row = session.execute(select(project).where(matches)).one_or_none()
    if row is None or not may_see(session, row.id, visit.actor, today=visit.today):
        raise NotFound(NotFound.code)
    return row


_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_KEEPERS = frozenset({Role.ADMIN, Role.AUDITOR}) | DELEGABLE
"""Who keeps accounts, audits them, or asks somebody to stand in."""
_PAYING = frozenset(role for role, parties in PARTIES_OF_ROLE.items() if "funder" in parties)
_REGISTRARS = _PAYING | {Role.SPONSOR, Role.ADMIN, Role.COORDINATOR, Role.OPERATOR, Role.AUDITOR}
"""Who keeps organisations, brings them in, or pays them."""
WORKING_DAYS = "working-days"
"""How the one calendar is named in addresses."""


def for_operators(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on anything that belongs to running the installation: all of it, or nothing."""
    return true() if wide_roles(visit) & _OPERATORS else false()


_EDITORS = frozenset({Role.STANDARD_EDITOR, Role.ADMIN, Role.AUDITOR})


def draft_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of a draft of a standard; `NotFound` for who neither edits standards nor audits them."""
    return _one(session, StandardDraft, as_id(ref), true() if wide_roles(visit) & _EDITORS else false())


def webhook_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of an endpoint; `NotFound` for who runs nothing here."""
    return _one(session, WebhookEndpoint, as_id(ref), for_operators(visit))


def readable_users(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `app_user`: one's own account, and everybody's for who keeps or audits them."""
    own: ColumnElement[bool] = table_of(User).c.id == visit.actor.user_id
    return true() if wide_roles(visit) & _KEEPERS else own


def user_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of an account by login or id; `NotFound` for none, and for who may not read it."""
    user, known = table_of(User), as_id(ref)
    matches = user.c.id == known if known else user.c.login == ref
    row = session.execute(select(user).where(matches, readable_users(visit))).one_or_none()
    if row is None:
        raise NotFound(NotFound.code)
    return row


def readable_organisations(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `organisation`: one's own, and every one for who keeps them or works for all."""
    own = sorted({organisation for _, organisation in visit.rights.grants if organisation is not None}, key=str)
    mine: ColumnElement[bool] = table_of(Organisation).c.id.in_(own)
    return true() if wide_roles(visit) & _REGISTRARS else mine


def organisation_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of an organisation; `NotFound` for none, and for who may not read it."""
    return _one(session, Organisation, as_id(ref), readable_organisations(visit))


def wide_roles(visit: Visit) -> frozenset[Role]:
    """Return the roles that somebody holds; those that reach everything only where they are held for all of it."""
    return frozenset(role for role, at in visit.rights.grants if at is None or role not in INSTALLATION)


def calendar_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row that the working calendar is; everybody who is signed in may read it."""
    is_it = ref in (WORKING_DAYS, str(CALENDAR_ID))
    return _one(session, WorkingCalendar, CALENDAR_ID if is_it else None, for_everybody(visit))


def for_everybody(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on what all who work here may read."""
    return true() if visit.rights.is_active else false()


def _one(session: Session, model: Any, row_id: UUID | None, reach: ColumnElement[bool]) -> Any:
    table = table_of(model)
    row = session.execute(select(table).where(table.c.id == row_id, reach)).one_or_none() if row_id else None
    if row is None:
        raise NotFound(NotFound.code)
    return row


def review_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of a review by id; `NotFound` for none, and for who has no part in its project."""
    review, known = table_of(Review), as_id(ref)
    row = session.execute(select(review).where(review.c.id == known)).one_or_none() if known else None
    if row is None:
        raise NotFound(NotFound.code)
    project_of(session, visit, str(row.project_id))
    return row


def evidence_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row of a document by id; `NotFound` for none, and for who has no part in its project."""
    evidence, known = table_of(Evidence), as_id(ref)
    row = session.execute(select(evidence).where(evidence.c.id == known)).one_or_none() if known else None
    if row is None:
        raise NotFound(NotFound.code)
    project_of(session, visit, str(row.project_id))
    return row


def of_readable_projects(model: Any) -> Callable[[Visit], ColumnElement[bool]]:
    """Return what gives the condition on a table with projects: those of projects that one has a part in."""
    table, project = table_of(model), table_of(Project)

    def reach(visit: Visit) -> ColumnElement[bool]:
        readable = readable_projects(visit.rights, visit.actor)
        found: ColumnElement[bool] = table.c.project_id.in_(select(project.c.id).where(readable))
        return found

    return reach


def as_id(text: str) -> UUID | None:
    """Return the id that a text is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def readable_projects_among(session: Session, visit: Visit, rows: Sequence[Any]) -> list[Any]:
    """Return those of these rows of projects that the reader has a part in."""
    project = table_of(Project)
    reach = readable_projects(visit.rights, visit.actor)
    ids = [row.id for row in rows]
    mine = set(session.execute(select(project.c.id).where(project.c.id.in_(ids), reach)).scalars()) if ids else set()
    return [row for row in rows if row.id in mine]


def readable_programmes(rights: Rights, actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `programme` that leaves one's own, and those of projects that one may see."""
    project, programme = table_of(Project), table_of(Programme)
    own = sorted({at for _, at in rights.grants if at is not None}, key=str)
    seen = select(project.c.programme_id).where(readable_projects(rights, actor))
    if any(role in INSTALLATION and at is None for role, at in rights.grants) and rights.is_active:
        return true()
    return or_(programme.c.organisation_id.in_(own), programme.c.id.in_(seen))
