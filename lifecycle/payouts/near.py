"""Who is near a payment: those who work on its project, and organisations tied to its firm."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from lifecycle.permissions import PARTIES_OF_ROLE
from models.people import OrganisationTie
from models.projects import ProjectMember
from models.reading import Groups, rows_by, table_of

TEAM = frozenset(role for role, parties in PARTIES_OF_ROLE.items() if {"sme", "platform"}.issuperset(parties))
"""The roles of those who work on a project, at its firm or at its platform."""


def teams_of(session: Session, project_ids: Collection[UUID]) -> Groups:
    """Return project -> those named for it now who work on it; who sits in its panel or its fund does not."""
    found = rows_by(session, ProjectMember, "project_id", project_ids)
    return {key: [row for row in rows if row.until_at is None and row.role in TEAM] for key, rows in found.items()}


def tied_to(session: Session, firms: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Return firm -> organisations tied to it by ownership or common control. One statement, none without firms."""
    if not firms:
        return {}
    tie = table_of(OrganisationTie)
    ids = list(firms)
    statement = select(tie.c.organisation_id, tie.c.other_id).where(
        or_(tie.c.organisation_id.in_(ids), tie.c.other_id.in_(ids))
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row.organisation_id, set()).add(row.other_id)
        found.setdefault(row.other_id, set()).add(row.organisation_id)
    return {firm: frozenset(found.get(firm, ())) for firm in firms}
