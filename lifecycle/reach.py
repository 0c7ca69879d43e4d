"""Whose projects and money somebody has a part in: conditions on rows, for lists and for what waits for them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true

from lifecycle.actor import NAMED_ROLES, PARTIES_OF_ROLE, Actor, Rights
from models.funds import Fund
from models.programmes import Programme
from models.projects import Project, ProjectMember
from models.reading import table_of
from models.reviews import PanelMember, Review
from models.states import INSTALLATION, ReviewState, Role


def readable_projects(rights: Rights, actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `project` that leaves those in which somebody has any part."""
    if not rights.is_active:
        return false()
    if any(role in INSTALLATION and organisation is None for role, organisation in rights.grants):
        return true()
    project, programme = table_of(Project), table_of(Programme)
    parts: dict[str, set[UUID]] = {}
    for role, organisation in rights.grants:
        parties = ("sme", "platform", "receiver", "funder") if role in INSTALLATION else PARTIES_OF_ROLE.get(role, ())
        for party in parties:
            if organisation is not None:
                parts.setdefault(party, set()).add(organisation)
    columns = {"sme": project.c.organisation_id, "platform": project.c.platform_id, "receiver": project.c.receiver_id}
    found: list[ColumnElement[bool]] = [
        column.in_(sorted(parts[party], key=str)) for party, column in columns.items() if party in parts
    ]
    if funders := parts.get("funder", set()) | parts.get("programme", set()):
        own = select(programme.c.id).where(programme.c.organisation_id.in_(sorted(funders, key=str)))
        found.append(project.c.programme_id.in_(own))
    return or_(*found, *_by_name(actor, frozenset(role for role, _ in rights.grants)))


def owing(rights: Rights) -> Rights:
    """Return the rights without those that reach everything: who runs or audits an installation owes nothing for it."""
    grants = frozenset((role, at) for role, at in rights.grants if at is not None or role not in INSTALLATION)
    return replace(rights, grants=grants)


def _by_name(actor: Actor, held: frozenset[Role]) -> list[ColumnElement[bool]]:
    """Return the conditions for those that somebody was named for, as a member or in a panel, in a role still held.

    Only roles that are named for projects count, as in `lifecycle.actor`: who is named a coordinator of a project reads
    it by the grant at its platform, and no longer than it is there.
    """
    project, member = table_of(Project), table_of(ProjectMember)
    panel, review = table_of(PanelMember), table_of(Review)
    roles = sorted(held & NAMED_ROLES)
    named = select(member.c.project_id).where(
        member.c.user_id == actor.user_id, member.c.until_at.is_(None), member.c.role.in_(roles)
    )
    seated = (
        select(review.c.project_id)
        .join(panel, panel.c.review_id == review.c.id)
        .where(panel.c.user_id == actor.user_id, panel.c.recused_on.is_(None), panel.c.role.in_(roles))
        .where(review.c.state != ReviewState.CANCELLED)
    )
    return [project.c.id.in_(named), project.c.id.in_(seated)]


def reachable(table: Any, rights: Rights, actor: Actor) -> ColumnElement[bool]:
    """Return the condition on a table of subjects that leaves those of one's projects and of one's funds.

    It only narrows a search: what somebody may do with a row is asked of the engine.
    """
    if not rights.is_active:
        return false()
    project, fund = table_of(Project), table_of(Fund)
    own = sorted({at for _, at in rights.grants if at is not None}, key=str)
    if table is project:
        return or_(readable_projects(rights, actor), project.c.transfer_to_id.in_(own))
    found: list[ColumnElement[bool]] = []
    if "project_id" in table.c:
        found.append(table.c.project_id.in_(select(project.c.id).where(readable_projects(rights, actor))))
    if "fund_id" in table.c or table is fund:
        column = fund.c.id if table is fund else table.c.fund_id
        found.append(column.in_(select(fund.c.id).where(fund.c.organisation_id.in_(own))))
        if column.nullable:  # asking whether what is never empty is empty keeps SQLite from the index of the others
            found.append(column.is_(None))
    return or_(*found) if found else true()
