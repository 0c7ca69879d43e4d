"""Whose projects and money somebody has a part in: conditions on rows, for lists and for what waits for them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true, union

from lifecycle.actor import Actor, Rights
from lifecycle.permissions import NAMED_ROLES, PARTIES_OF_ROLE
from models.agreements import Agreement
from models.funds import Fund
from models.payouts import PayeeAccount
from models.programmes import Programme
from models.projects import Project, ProjectMember
from models.reading import table_of
from models.reviews import PanelMember, Review
from models.states import INSTALLATION, ReviewState, Role

Way: TypeAlias = Callable[[Any], ColumnElement[bool]]
"""How rows belong to somebody: the condition on their table."""


def readable_projects(rights: Rights, actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `project` that leaves those in which somebody has any part."""
    if not rights.is_active:
        return false()
    if any(role in INSTALLATION and organisation is None for role, organisation in rights.grants):
        return true()
    programme = table_of(Programme)
    parts: dict[str, set[UUID]] = {}
    for role, organisation in rights.grants:
        parties = ("sme", "platform", "receiver", "funder") if role in INSTALLATION else PARTIES_OF_ROLE.get(role, ())
        for party in parties:
            if organisation is not None:
                parts.setdefault(party, set()).add(organisation)
    columns = {"sme": "organisation_id", "platform": "platform_id", "receiver": "receiver_id"}
    ways = [_at(column, parts[party]) for party, column in columns.items() if party in parts]
    if funders := parts.get("funder", set()) | parts.get("programme", set()):
        own = select(programme.c.id).where(programme.c.organisation_id.in_(sorted(funders, key=str)))
        ways.append(lambda project: project.c.programme_id.in_(own))
    named = [_of(ids) for ids in _by_name(actor, frozenset(role for role, _ in rights.grants))]
    return in_one_way(table_of(Project), [*ways, *named])


def in_one_way(table: Any, ways: Sequence[Way]) -> ColumnElement[bool]:
    """Return the condition that a row belongs to somebody in one of these ways, each asked by itself.

    Each finds its rows by an index of its own. For an `or` with a list of others in it PostgreSQL reads all rows.
    """
    if not ways:
        return false()
    if len(ways) == 1:
        return ways[0](table)
    other = table.alias()
    found: ColumnElement[bool] = table.c.id.in_(union(*(select(other.c.id).where(way(other)) for way in ways)))
    return found


def _at(column: str, places: Collection[UUID]) -> Way:
    ids = sorted(places, key=str)
    return lambda table: table.c[column].in_(ids)


def _of(ids: Any) -> Way:
    return lambda table: table.c.id.in_(ids)


def owing(rights: Rights) -> Rights:
    """Return the rights without those that reach everything: who runs or audits an installation owes nothing for it."""
    grants = frozenset((role, at) for role, at in rights.grants if at is not None or role not in INSTALLATION)
    return replace(rights, grants=grants)


def _by_name(actor: Actor, held: frozenset[Role]) -> list[Any]:
    """Return the projects that somebody was named for, as a member or in a panel, in a role still held.

    Only roles that are named for projects count, as in `lifecycle.actor`: who is named a coordinator of a project reads
    it by the grant at its platform, and no longer than it is there.
    """
    roles = sorted(held & NAMED_ROLES)
    if not roles:
        return []
    member, panel, review = table_of(ProjectMember), table_of(PanelMember), table_of(Review)
    named = select(member.c.project_id).where(
        member.c.user_id == actor.user_id, member.c.until_at.is_(None), member.c.role.in_(roles)
    )
    seated = (
        select(review.c.project_id)
        .join(panel, panel.c.review_id == review.c.id)
        .where(panel.c.user_id == actor.user_id, panel.c.recused_on.is_(None), panel.c.role.in_(roles))
        .where(review.c.state != ReviewState.CANCELLED)
    )
    return [named, seated]


def reachable(table: Any, rights: Rights, actor: Actor) -> ColumnElement[bool]:
    """Return the condition on a table of subjects that leaves those of one's projects and of one's funds.

    It only narrows a search: what somebody may do with a row is asked of the engine.
    """
    if not rights.is_active:
        return false()
    project, fund = table_of(Project), table_of(Fund)
    own = sorted({at for _, at in rights.grants if at is not None}, key=str)
    if table is project:
        return in_one_way(project, [_readable(rights, actor), _at("transfer_to_id", own)])
    ways: list[Way] = []
    if "project_id" in table.c:
        readable = select(project.c.id).where(readable_projects(rights, actor))
        ways.append(lambda of: of.c.project_id.in_(readable))
    if table is fund:
        return in_one_way(fund, [_at("organisation_id", own)])
    if table is table_of(PayeeAccount):
        return or_(of_firms_paid_by(own), ~is_paid())
    if "fund_id" in table.c:
        funds = select(fund.c.id).where(fund.c.organisation_id.in_(own))
        ways.append(lambda of: of.c.fund_id.in_(funds))
        if table.c.fund_id.nullable:
            ways.append(lambda of: of.c.fund_id.is_(None))
    return in_one_way(table, ways) if ways else true()


def of_firms_paid_by(funders: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition on `payee_account` that a fund of one of these organisations has an agreement with it."""
    account, project, agreement, fund = map(table_of, (PayeeAccount, Project, Agreement, Fund))
    firms = select(project.c.organisation_id).join_from(project, agreement, agreement.c.project_id == project.c.id)
    ours = firms.join(fund, fund.c.id == agreement.c.fund_id).where(fund.c.organisation_id.in_(funders))
    found: ColumnElement[bool] = account.c.organisation_id.in_(ours)
    return found


def is_paid() -> ColumnElement[bool]:
    """Return the condition on `payee_account` that any fund has an agreement with its firm."""
    account, project, agreement = map(table_of, (PayeeAccount, Project, Agreement))
    any_of_it = select(agreement.c.id).join_from(project, agreement, agreement.c.project_id == project.c.id)
    found: ColumnElement[bool] = any_of_it.where(project.c.organisation_id == account.c.organisation_id).exists()
    return found


def _readable(rights: Rights, actor: Actor) -> Way:
    project = table_of(Project)
    ids = select(project.c.id).where(readable_projects(rights, actor))
    return _of(ids)
