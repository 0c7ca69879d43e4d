"""What the verbs of coming in look at: what somebody may give, who is known already, which links hold."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.actor import Grants
from lifecycle.commands import Stamp, Task
from lifecycle.people.facts import folded
from models.access import Invitation, OutsideIdentity
from models.people import Organisation, RoleGrant, User
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import InvitationKind, Role, UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What somebody holds, and the firms that their platform looks after."""

    is_active: bool = False
    grants: Grants = frozenset()
    firms: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFacts:
    """One command about an invitation or a link, with those whom it concerns."""

    command: Any
    row: Any
    """The invitation; the account, where a link is asked for; None before there is one."""
    stamp: Stamp
    roles: frozenset[Role] = frozenset()
    email: str = ""
    """As it is compared."""
    new: dict[str, str] = field(default_factory=dict)
    taken: frozenset[tuple[str, str]] = frozenset()
    inviter: Reach = field(default_factory=Reach)
    reader: Reach = field(default_factory=Reach)
    """Whose page a link opens."""
    absent: tuple[str, ...] = ()
    is_taken: bool = False
    is_invited: bool = False
    open_links: int = 0

    @property
    def is_open(self) -> bool:
        """Say whether the link can still be used."""
        row = self.row
        return row.used_at is None and row.revoked_at is None and row.expires_at > self.stamp.now


def sent(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[InvitationFacts]:
    """Read what the inviter may give, who has an account already, and who is invited."""
    emails = {folded(task.command.email) for task in tasks}
    user, invitation = table_of(User), table_of(Invitation)
    taken = _found(session, user.c.email, emails) | _found(session, user.c.login, emails)
    invited = _found(session, invitation.c.email, emails, *_open(stamp), invitation.c.kind == InvitationKind.INVITATION)
    places = {task.command.organisation_id for task in tasks} - {None}
    known = _found(session, table_of(Organisation).c.id, places)
    tokens = {task.command.token_sha256 for task in tasks}
    used = frozenset(("token_sha256", one) for one in _found(session, invitation.c.token_sha256, tokens))
    inviter = reaches(session, [stamp.actor.user_id])[stamp.actor.user_id]
    if stamp.actor.is_clock:
        inviter = Reach(is_active=True, grants=frozenset({(Role.ADMIN, None)}))
    return [
        InvitationFacts(
            command=task.command,
            row=None,
            stamp=stamp,
            email=folded(task.command.email),
            new={"token_sha256": task.command.token_sha256},
            taken=used,
            inviter=inviter,
            is_taken=folded(task.command.email) in taken,
            is_invited=folded(task.command.email) in invited,
            absent=() if task.command.organisation_id in known | {None} else ("organisation_id",),
        )
        for task in tasks
    ]


def of_an_invitation(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[InvitationFacts]:
    """Read what who sent an invitation, or whose link it is, holds now, and whether the address is taken meanwhile."""
    people = reaches(session, {one for task in tasks for one in (task.row.created_by, task.row.user_id)})
    taken = _found(session, table_of(User).c.email, {task.row.email for task in tasks})
    return [
        InvitationFacts(
            command=task.command,
            row=task.row,
            stamp=stamp,
            roles=task.roles,
            email=task.row.email,
            inviter=people[task.row.created_by],
            reader=people[task.row.user_id],
            is_taken=task.row.email in taken,
        )
        for task in tasks
    ]


def asked(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[InvitationFacts]:
    """Read for which firms these accounts act, and how many of their links hold."""
    accounts = [task.row.id for task in tasks]
    people = reaches(session, accounts)
    invitation = table_of(Invitation)
    counted = (
        select(invitation.c.user_id, func.count().label("links"))
        .where(invitation.c.user_id.in_(accounts), invitation.c.kind == InvitationKind.OWN_PAGE, *_open(stamp))
        .group_by(invitation.c.user_id)
    )
    links = {row.user_id: row.links for row in session.execute(counted)}
    return [
        InvitationFacts(
            command=task.command,
            row=task.row,
            stamp=stamp,
            email=task.row.email,
            reader=people[task.row.id],
            open_links=links.get(task.row.id, 0),
        )
        for task in tasks
    ]


def reaches(session: Session, user_ids: Collection[UUID]) -> dict[UUID, Reach]:
    """Return what these accounts hold, by account; of one that is not there, nothing."""
    user, grant, project = table_of(User), table_of(RoleGrant), table_of(Project)
    wanted = set(user_ids)
    active = select(user.c.id).where(user.c.id.in_(wanted), user.c.status == UserStatus.ACTIVE)
    known = set(session.execute(active).scalars())
    held = select(grant).where(grant.c.user_id.in_(wanted), grant.c.revoked_at.is_(None))
    grants: dict[UUID, set[tuple[Role, UUID | None]]] = {}
    for row in session.execute(held):
        grants.setdefault(row.user_id, set()).add((Role(row.role), row.organisation_id))
    platforms = {at for own in grants.values() for role, at in own if role is Role.COORDINATOR and at is not None}
    pairs = select(project.c.platform_id, project.c.organisation_id).where(project.c.platform_id.in_(platforms))
    firms: dict[UUID, set[UUID]] = {}
    for row in session.execute(pairs.distinct()):
        if row.organisation_id is not None:
            firms.setdefault(row.platform_id, set()).add(row.organisation_id)

    def reach(user_id: UUID) -> Reach:
        own = frozenset(grants.get(user_id, ()))
        places = {at for role, at in own if role is Role.COORDINATOR and at is not None}
        looked_after = frozenset(firm for place in places for firm in firms.get(place, ()))
        return Reach(is_active=user_id in known, grants=own, firms=looked_after)

    return {user_id: reach(user_id) for user_id in wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityFacts:
    """An account, and what a provider calls it."""

    command: Any
    row: Any
    stamp: Stamp
    identity: Any = None
    """The live one that the command names."""
    is_taken: bool = False
    has_another: bool = False


def identities(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[IdentityFacts]:
    """Read whose these identities are, and which ones these accounts have."""
    accounts = [task.row.id for task in tasks]
    table = table_of(OutsideIdentity)
    own = rows_by(session, OutsideIdentity, "user_id", accounts)
    subjects = {one for task in tasks if (one := getattr(task.command, "subject", None)) is not None}
    issuers = {one for task in tasks if (one := getattr(task.command, "issuer", None)) is not None}
    named = (table.c.issuer.in_(issuers), table.c.subject.in_(subjects), table.c.ended_at.is_(None))
    held = session.execute(select(table.c.issuer, table.c.subject).where(*named))
    taken = {(row.issuer, row.subject) for row in held}

    def facts(task: Task[Any]) -> IdentityFacts:
        live = [one for one in own.get(task.row.id, ()) if one.ended_at is None]
        issuer, subject = getattr(task.command, "issuer", None), getattr(task.command, "subject", None)
        named = getattr(task.command, "identity_id", None)
        return IdentityFacts(
            command=task.command,
            row=task.row,
            stamp=stamp,
            identity=next((one for one in live if one.id == named), None),
            is_taken=(issuer, subject) in taken,
            has_another=any(one.issuer == issuer for one in live),
        )

    return [facts(task) for task in tasks]


def _open(stamp: Stamp) -> tuple[Any, ...]:
    table = table_of(Invitation)
    return table.c.used_at.is_(None), table.c.revoked_at.is_(None), table.c.expires_at > stamp.now


def _found(session: Session, column: Any, values: Collection[Any], *also: Any) -> set[Any]:
    return set(session.execute(select(column).where(column.in_(values), *also)).scalars())
