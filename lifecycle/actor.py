"""Who acts, through which door, and in which roles (rule book 1.4)."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import CompoundSelect, bindparam, cast, null, select
from sqlmodel import Session

from lifecycle.permissions import NAMED_ROLES, OF_THE_FIRM, PARTIES_OF_ROLE
from models.people import Delegation, RoleGrant, User
from models.projects import ProjectMember
from models.reading import one_of, wanted
from models.reviews import PanelMember, Review
from models.states import INSTALLATION, Door, ReviewState, Role, UserStatus

CLOCK_ID = UUID(int=0)
"""The actor of scheduled runs and of what nobody in person did."""

Parties: TypeAlias = Mapping[str, UUID | None]
"""Which organisation plays which part: sme, platform, receiver, funder, programme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One human (or the clock) at one door. Rights are read afresh in the transaction of each command."""

    user_id: UUID
    person_id: UUID
    name: str
    door: Door
    is_on_own_page: bool = False
    """Came by a link from a mail: acts for the firm only, and only in `ON_OWN_PAGE`."""
    is_program: bool = False
    """Only a token says who acts: nobody is there who could decide about money."""

    @classmethod
    def clock(cls, door: Door = Door.FLOW) -> "Actor":
        """Return the actor of scheduled work."""
        return cls(user_id=CLOCK_ID, person_id=CLOCK_ID, name="clock", door=door)

    @property
    def is_clock(self) -> bool:
        """Say whether nobody in person acts."""
        return self.user_id == CLOCK_ID


Grants: TypeAlias = frozenset[tuple[Role, UUID | None]]
"""Roles with the organisation at which each is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What an actor holds at this moment: grants as (role, organisation), and parts in named projects and reviews."""

    is_active: bool
    grants: Grants = frozenset()
    person_grants: Grants = frozenset()
    """What the human holds under this and every other account: segregation of duties counts people."""
    named: Mapping[UUID, frozenset[Role]] = field(default_factory=dict)
    """Project -> roles the actor was named for there."""
    seats: Mapping[UUID, frozenset[Role]] = field(default_factory=dict)
    """Review -> roles in which the actor sits in it."""
    lent: frozenset[tuple[UUID, Role, UUID | None]] = frozenset()
    """(account of who is absent, role, organisation): counts only for what is done on behalf of them."""

    def roles_of(self, absent: UUID, parties: Parties) -> frozenset[Role]:
        """Return the roles in which the actor stands in for somebody, as far as they reach; none of the actor's own."""
        reached = {
            role
            for delegator, role, organisation in self.lent
            if delegator == absent and self._reaches(role, organisation, parties)
        }
        return frozenset(reached) if self.is_active else frozenset()

    def roles_for(self, parties: Parties, project: UUID | None = None, review: UUID | None = None) -> frozenset[Role]:
        """Return the roles that reach an object with these parties, or that the actor was named for.

        A part counts only while its role is held by a live grant, and in a project only for who belongs to no party
        of it. A seat stays with who came into conflict: to step aside is theirs, and the rules of a review ask.
        """
        if not self.is_active:
            return frozenset()
        reached = {role for role, organisation in self.grants if self._reaches(role, organisation, parties)}
        held = {role for role, _ in self.grants}
        named = self.named.get(project, frozenset()) if project is not None else frozenset()
        seats = self.seats.get(review, frozenset()) if review is not None else frozenset()
        independent = {role for role in named if conflict_of(role, self.person_grants, parties) is None}
        return frozenset(reached | (held & (independent | seats)))

    def person_roles_for(self, parties: Parties) -> frozenset[Role]:
        """Return the roles that reach these parties under any account of the human."""
        return frozenset(role for role, at in self.person_grants if at is not None and self._reaches(role, at, parties))

    @staticmethod
    def _reaches(role: Role, organisation: UUID | None, parties: Parties) -> bool:
        if organisation is None:
            return role in INSTALLATION
        if not parties:  # accounts, the calendar, schedules: whoever runs one organisation does not run these
            return role not in INSTALLATION
        if role in INSTALLATION:
            return organisation in parties.values()
        return any(parties.get(party) == organisation for party in PARTIES_OF_ROLE.get(role, ()))


def conflict_of(role: Role, held: Iterable[tuple[Role, UUID | None]], parties: Parties) -> str | None:
    """Return the party of the project that what a human holds makes them part of, so that they cannot take this part.

    A party is the firm and the platform; the receiver is one for all but its own seat, and the customer's. Who only
    reads decides nothing.
    """
    if role is Role.AUDITOR:
        return None
    is_guest = role in (Role.CUSTOMER_REP, Role.RECEIVER_LEAD)
    for own, organisation in held:
        for party in ("sme", "platform", "receiver"):
            is_own_seat = party == "receiver" and (is_guest or role is own)
            if organisation is not None and organisation == parties.get(party) and not is_own_seat:
                return party
    return None


def read_rights(session: Session, actor: Actor, project_ids: list[UUID], *, today: date) -> Rights:
    """Return the actor's rights as the database knows them now, in two reads; the clock's are not in the database.

    A delegation in force lends a role while who gave it holds it and is active. Who came by a link from a mail holds
    what they hold for a firm, and nothing else.
    """
    rows = session.connection().execute(_held(), {"actor": actor.user_id, "today": today}).all()
    if not rows or rows[0].status != UserStatus.ACTIVE:
        return Rights(is_active=False)
    own = [row for row in rows if row.role is not None and row.delegator_id is None]
    held = [(row.user_id, (Role(row.role), row.organisation_id)) for row in own]
    if actor.is_on_own_page:
        mine = {grant for user_id, grant in held if user_id == actor.user_id and grant[0] in OF_THE_FIRM}
        return Rights(is_active=True, grants=frozenset(mine), person_grants=frozenset(grant for _, grant in held))
    named, seats = _named(session, actor, project_ids)
    return Rights(
        is_active=True,
        grants=frozenset(grant for user_id, grant in held if user_id == actor.user_id),
        person_grants=frozenset(grant for _, grant in held),
        named=named,
        seats=seats,
        lent=frozenset((row.delegator_id, Role(row.role), row.organisation_id) for row in rows if row.delegator_id),
    )


_Places: TypeAlias = dict[UUID, frozenset[Role]]


def _named(session: Session, actor: Actor, project_ids: list[UUID]) -> tuple[_Places, _Places]:
    """Return what the actor was named for: in projects only roles that nobody holds by a grant, in panels any seat.

    Naming somebody a manager of a project gives no rights there: those come with the grant at a party of it.
    """
    statement = _parts(is_single=len(project_ids) == 1)
    named: dict[UUID, set[Role]] = {}
    seats: dict[UUID, set[Role]] = {}
    for row in session.connection().execute(statement, {"actor": actor.user_id, **wanted(project_ids)}):
        role = Role(row.role)
        if role in NAMED_ROLES:
            named.setdefault(row.project_id, set()).add(role)
        if row.place != row.project_id:
            seats.setdefault(row.place, set()).add(role)
    return _frozen(named), _frozen(seats)


def _frozen(places: dict[UUID, set[Role]]) -> _Places:
    return {place: frozenset(roles) for place, roles in places.items()}


@functools.cache
def _held() -> CompoundSelect[Any]:
    """Return the statement of an account, the live grants of all accounts of its human, and the roles lent to it."""
    user, grant = _table(User), _table(RoleGrant)
    account = user.alias("account")
    own = (grant.c.user_id == account.c.id) & grant.c.revoked_at.is_(None)
    delegation, absent = _table(Delegation), _table(User).alias("absent")
    nobody = cast(null(), delegation.c.delegator_id.type).label("delegator_id")
    columns = (user.c.status, grant.c.user_id, grant.c.role, grant.c.organisation_id, nobody)
    same_human = user.join(account, account.c.person_id == user.c.person_id).outerjoin(grant, own)
    held = select(*columns).select_from(same_human).where(user.c.id == bindparam("actor"))
    today = bindparam("today", type_=delegation.c.from_on.type)
    still_held = (
        (grant.c.user_id == delegation.c.delegator_id)
        & (grant.c.role == delegation.c.role)
        & (grant.c.organisation_id == delegation.c.organisation_id)
        & grant.c.revoked_at.is_(None)
    )
    tables = (
        delegation.join(user, user.c.id == delegation.c.delegate_id)
        .join(absent, absent.c.id == delegation.c.delegator_id)
        .join(grant, still_held)
    )
    lent = (
        select(
            user.c.status,
            delegation.c.delegate_id,
            delegation.c.role,
            delegation.c.organisation_id,
            delegation.c.delegator_id,
        )
        .select_from(tables)
        .where(
            delegation.c.delegate_id == bindparam("actor"),
            delegation.c.revoked_at.is_(None),
            delegation.c.from_on <= today,
            delegation.c.until_on >= today,
            absent.c.status == UserStatus.ACTIVE,
        )
    )
    return held.union_all(lent)


@functools.cache
def _parts(*, is_single: bool) -> CompoundSelect[Any]:
    """Return the statement of the parts that an account has in projects, as a member or in a panel."""
    member, panel, review = _table(ProjectMember), _table(PanelMember), _table(Review)
    from_members = select(member.c.project_id, member.c.project_id.label("place"), member.c.role).where(
        member.c.user_id == bindparam("actor"),
        one_of(member.c.project_id, is_single=is_single),
        member.c.until_at.is_(None),
    )
    from_panels = (
        select(review.c.project_id, review.c.id.label("place"), panel.c.role)
        .select_from(panel.join(review, review.c.id == panel.c.review_id))
        .where(
            panel.c.user_id == bindparam("actor"),
            one_of(review.c.project_id, is_single=is_single),
            panel.c.recused_on.is_(None),
            review.c.state != ReviewState.CANCELLED,
        )
    )
    return from_members.union(from_panels)


def _table(model: Any) -> Any:
    return model.__table__
