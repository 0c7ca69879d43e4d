"""The wall between an investor and the firms it owns a part of: its people never decide on their money.

An investor stands with the organisations tied to it. Where one of these holds a share of the project's firm, or is
controlled by the same owner, nobody who belongs to any of them decides on the firm's payouts and milestones.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from models.funds import FundSource
from models.look import once_a_look
from models.people import OrganisationTie, RoleGrant, User
from models.reading import one_of, table_of

Side: TypeAlias = tuple[UUID, UUID]
"""(fund, firm)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """Ownership or common control between two organisations, whichever way round."""

    one: UUID
    other: UUID


def walled_off(investors: Collection[UUID], firm: UUID, ties: Collection[Tie]) -> frozenset[UUID]:
    """Return the organisations whose people do not decide on this firm, given who invests in the fund that pays it."""
    near: dict[UUID, set[UUID]] = {}
    for tie in ties:
        near.setdefault(tie.one, set()).add(tie.other)
        near.setdefault(tie.other, set()).add(tie.one)
    owners = near.get(firm, set()) | {firm}
    groups = ({investor} | near.get(investor, set()) for investor in investors)
    return frozenset(member for group in groups if group & owners for member in group) - {firm}


def walls_of(session: Session, sides: Sequence[Side]) -> dict[Side, frozenset[UUID]]:
    """Return for each (fund, firm) the person ids that do not decide on it. Four statements at most."""
    wanted = set(sides)
    investors = investors_of(session, {fund for fund, _ in wanted})
    ties = ties_near(session, {one for group in investors.values() for one in group})
    apart = {(fund, firm): walled_off(investors.get(fund, ()), firm, ties) for fund, firm in wanted}
    people = people_of(session, {one for group in apart.values() for one in group})
    return {side: frozenset(person for one in group for person in people.get(one, ())) for side, group in apart.items()}


@once_a_look
def investors_of(session: Session, fund_ids: Collection[UUID]) -> Mapping[UUID, set[UUID]]:
    """Return fund -> organisations that invest in it. One statement."""
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(_investors(), {"wanted": list(fund_ids)}):
        found.setdefault(row.fund_id, set()).add(row.organisation_id)
    return found


@functools.cache
def _investors() -> Any:
    source = table_of(FundSource)
    return select(source.c.fund_id, source.c.organisation_id).where(one_of(source.c.fund_id))


@once_a_look
def ties_near(session: Session, investors: Collection[UUID]) -> list[Tie]:
    """Return the ties of investors, and of who is tied to them: those of a firm that make a wall are among them.

    Firms are not asked for, of which a fund may pay any number. One statement, two where an investor is tied to others.
    """
    own = _ties_of(session, investors)
    near = {one for tie in own for one in (tie.one, tie.other)} - set(investors)
    return [*own, *(_ties_of(session, near) if near else ())]


@once_a_look
def _ties_of(session: Session, organisation_ids: Collection[UUID]) -> list[Tie]:
    """Return what ties any of these organisations to another one by ownership or common control."""
    rows = session.connection().execute(_near(), {"wanted": list(organisation_ids)})
    return [Tie(one=row.organisation_id, other=row.other_id) for row in rows]


@functools.cache
def _near() -> Any:
    tie = table_of(OrganisationTie)
    return select(tie.c.organisation_id, tie.c.other_id).where(
        or_(one_of(tie.c.organisation_id), one_of(tie.c.other_id)),
        or_(tie.c.share_basis_points > 0, tie.c.is_common_control.is_(True)),
    )


@once_a_look
def people_of(session: Session, organisation_ids: Collection[UUID]) -> Mapping[UUID, set[UUID]]:
    """Return organisation -> person ids of those who hold a role there now. One statement."""
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(_people(), {"wanted": list(organisation_ids)}):
        found.setdefault(row.organisation_id, set()).add(row.person_id)
    return found


@functools.cache
def _people() -> Any:
    grant, user = table_of(RoleGrant), table_of(User)
    chosen = select(grant.c.organisation_id, user.c.person_id).join(user, user.c.id == grant.c.user_id)
    return chosen.where(one_of(grant.c.organisation_id), grant.c.revoked_at.is_(None))
