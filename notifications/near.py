"""Which open deadlines somebody may be told of at all, found by what makes them theirs and not among everybody's.

It only narrows a search: whom a deadline is told is asked of `notifications.asked`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, select, union_all
from sqlmodel import Session

from lifecycle.permissions import NAMED_ROLES
from lifecycle.reach import Way, in_one_way
from models.evidence import Evidence
from models.funds import Fund
from models.holds import Hold
from models.people import Delegation, RoleGrant
from models.programmes import Programme
from models.projects import Project
from models.reading import table_of
from models.reviews import Condition, PanelMember, Waiver
from models.states import Role
from notifications.asked import LAST, roles_of
from notifications.deadlines import Deadline

_PARTIES = ("organisation_id", "platform_id", "receiver_id", "transfer_to_id")
_OWNER: Mapping[str, tuple[Any, str, str]] = {
    "condition_due": (Condition, "id", "owner_id"),
    "evidence_expiry": (Evidence, "id", "author_id"),
    "hold_ends": (Hold, "id", "put_by"),
    "waiver_ends": (Waiver, "id", "granted_by"),
    "review_planned": (PanelMember, "review_id", "user_id"),
}
"""Deadline that somebody may owe in person -> where it says who does."""


_MOST = 10_000
"""Of who has to do with more projects all is looked at that their roles are told: little could be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Which projects and funds somebody has to do with, by a role or standing in; what they are told of besides."""

    user_id: UUID
    roles: frozenset[Role]
    """Held or lent."""
    projects: Sequence[UUID]
    funds: Sequence[UUID]
    is_from_outside: bool
    """They hold a role by which what they owe may lie anywhere."""
    is_everywhere: bool
    """They are told what there is nobody else for: everything has to be looked at."""

    def among(self, deadline: Deadline) -> Any | None:
        """Return the statement of the open ones that may be told to them on the day, some twice; None where none may.

        Projects and funds are named in it: of a condition PostgreSQL would not know that it leaves few.
        """
        rows = deadline.open()
        if self.is_everywhere:
            return rows
        columns = {one.name: one.element for one in rows.selected_columns}
        told = roles_of(deadline.ladder.rungs[0])
        ways = []
        if told is None or told & self.roles:
            if len(self.projects) > _MOST:
                return rows
            for name, ids in (("project_id", self.projects), ("fund_id", self.funds)):
                if ids and isinstance(columns[name], Column):
                    ways.append(rows.where(columns[name].in_(ids)))
        if deadline.name in _OWNER and (self.is_from_outside or deadline.name == "review_planned"):
            model, key, owner = _OWNER[deadline.name]
            owed = table_of(model).alias("owed")
            ways.append(rows.where(columns["object_id"].in_(select(owed.c[key]).where(owed.c[owner] == self.user_id))))
        return union_all(*ways) if ways else None


def near_to(session: Session, user_id: UUID, *, today: date) -> Near:
    """Return what somebody may be told of. Four statements."""
    grant, lent, fund = table_of(RoleGrant), table_of(Delegation), table_of(Fund)
    held = select(grant.c.role, grant.c.organisation_id).where(grant.c.user_id == user_id, grant.c.revoked_at.is_(None))
    own = [(Role(row.role), row.organisation_id) for row in session.execute(held)]
    in_force = (lent.c.revoked_at.is_(None), lent.c.from_on <= today, lent.c.until_on >= today)
    stands_in = select(lent.c.role, lent.c.organisation_id).where(lent.c.delegate_id == user_id, *in_force)
    grants = [*own, *((Role(row.role), row.organisation_id) for row in session.execute(stands_in))]
    places = sorted({at for _, at in grants if at is not None}, key=str)
    projects = list(session.execute(_projects(places).limit(_MOST + 1)).scalars()) if places else []
    funds = select(fund.c.id).where(fund.c.organisation_id.in_(places))
    return Near(
        user_id=user_id,
        roles=frozenset(role for role, _ in grants),
        projects=projects,
        funds=list(session.execute(funds).scalars()) if places else [],
        is_from_outside=any(role in NAMED_ROLES | LAST for role, _ in own),
        is_everywhere=any(role in LAST and at is None for role, at in own),
    )


def _projects(places: Sequence[UUID]) -> Any:
    """Return the statement of the projects of which one of these organisations is a party, or is to become one."""
    project, programme = table_of(Project), table_of(Programme)
    named = [_at(name, places) for name in _PARTIES]
    own = select(programme.c.id).where(programme.c.organisation_id.in_(places))
    return select(project.c.id).where(in_one_way(project, [*named, lambda table: table.c.programme_id.in_(own)]))


def _at(name: str, places: Sequence[UUID]) -> Way:
    return lambda table: table.c[name].in_(places)
