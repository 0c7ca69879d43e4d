"""Which invitations there are, what a link is, and whose account an identity is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select
from sqlmodel import Session

from lifecycle.entrance.facts import Reach, reaches
from lifecycle.people.facts import folded
from models.access import Invitation, OutsideIdentity
from models.limits import INVITATION_LASTS
from models.people import Organisation, User
from models.reading import before, beside, table_of
from models.states import InvitationKind, UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A link that somebody has, and what it is good for."""

    invitation_id: UUID
    kind: InvitationKind
    user_id: UUID
    person_id: UUID
    name: str
    email: str
    language: str
    roles: tuple[str, ...]
    organisation: str
    by: str
    expires_at: datetime


def held(session: Session, token_sha256: str, now: datetime) -> Held | None:
    """Return what a link is good for; None for one that was used or taken back, has run out, or never was."""
    invitation = table_of(Invitation)
    open_now = (invitation.c.used_at.is_(None), invitation.c.revoked_at.is_(None), invitation.c.expires_at > now)
    row = session.execute(_with_names().where(invitation.c.token_sha256 == token_sha256, *open_now)).one_or_none()
    if row is None:
        return None
    return Held(
        invitation_id=row.id,
        kind=InvitationKind(row.kind),
        user_id=row.user_id,
        person_id=row.person_id or row.user_id,
        name=row.name,
        email=row.email,
        language=row.language,
        roles=tuple(row.roles),
        organisation=row.organisation or "",
        by=row.by or "",
        expires_at=row.expires_at,
    )


def invitations(
    session: Session,
    *,
    now: datetime,
    by: UUID | None = None,
    id: UUID | None = None,  # noqa: A002 - the column
    after: UUID | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return the invitations that can still be accepted, of one sender or of all, the newest first.

    A page of them begins behind the one with the id `after`. None lasts longer than `INVITATION_LASTS`: those that ran
    out unused are not read.
    """
    invitation = table_of(Invitation)
    told = literal(InvitationKind.INVITATION, invitation.c.kind.type)
    statement = _with_names().where(
        (invitation.c.kind if by is None else beside(invitation.c.kind)) == told,
        invitation.c.used_at.is_(None),
        invitation.c.revoked_at.is_(None),
        invitation.c.expires_at > now,
        invitation.c.created_at > now - INVITATION_LASTS,
    )
    if by is not None:
        statement = statement.where(invitation.c.created_by == by)
    if id is not None:
        statement = statement.where(invitation.c.id == id)
    if after is not None:
        statement = statement.where(before(session, invitation.c.created_at, after))
    order = (invitation.c.created_at.desc(), invitation.c.id.desc())
    return [dict(row) for row in session.execute(statement.order_by(*order).limit(limit)).mappings()]


def _with_names() -> Any:
    invitation, organisation, user = table_of(Invitation), table_of(Organisation), table_of(User)
    account = user.alias("account")
    names = (organisation.c.name.label("organisation"), user.c.name.label("by"), account.c.person_id)
    return (
        select(invitation, *names)
        .outerjoin(account, account.c.id == invitation.c.user_id)
        .outerjoin(organisation, organisation.c.id == invitation.c.organisation_id)
        .outerjoin(user, user.c.id == invitation.c.created_by)
    )


def reach_of(session: Session, user_id: UUID) -> Reach:
    """Return what somebody holds, and the firms that their platform looks after."""
    return reaches(session, [user_id])[user_id]


def firms_named(session: Session, ids: Sequence[UUID]) -> list[tuple[str, str]]:
    """Return (id, name) of these organisations, by name."""
    table = table_of(Organisation)
    rows = session.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids)).order_by(table.c.name))
    return [(str(row.id), row.name) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """The account that an identity provider speaks of."""

    login: str
    user_id: UUID
    person_id: UUID
    name: str
    is_linked: bool


def vouched_for(session: Session, *, issuer: str, subject: str, email: str | None) -> Vouched | None:
    """Return the active account of an identity: the one linked to it, else the one with the address vouched for.

    A linked identity whose account is disabled is nobody, whatever its address.
    """
    user, identity = table_of(User), table_of(OutsideIdentity)
    columns = (user.c.id, user.c.person_id, user.c.login, user.c.name, user.c.status)
    linked = (
        select(*columns)
        .join(identity, identity.c.user_id == user.c.id)
        .where(identity.c.issuer == issuer, identity.c.subject == subject, identity.c.ended_at.is_(None))
    )
    row = session.execute(linked).one_or_none()
    is_linked = row is not None
    if row is None and email:
        row = session.execute(select(*columns).where(user.c.email == folded(email))).one_or_none()
    if row is None or row.status != UserStatus.ACTIVE:
        return None
    return Vouched(login=row.login, user_id=row.id, person_id=row.person_id, name=row.name, is_linked=is_linked)


def identities(session: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Return under which names identity providers know an account."""
    table = table_of(OutsideIdentity)
    statement = select(table).where(table.c.user_id == user_id, table.c.ended_at.is_(None))
    return [dict(row) for row in session.execute(statement.order_by(table.c.created_at)).mappings()]
