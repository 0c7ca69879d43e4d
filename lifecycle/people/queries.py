"""Who is who, for lists and for the question whom to ask: accounts, grants, organisations, programmes."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import Text, case, cast, literal, or_, select
from sqlmodel import Session

from lifecycle.permissions import PARTIES_OF_ROLE
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.look import once_a_look
from models.people import ApiToken, Delegation, Organisation, OrganisationTie, RoleGrant, User
from models.programmes import Programme, StandardDraft, StandardPack
from models.projects import Project, ProjectMember
from models.reading import behind, one_of
from models.reviews import PanelMember, Review
from models.states import ReviewState, Role, UserStatus


def users(
    session: Session, *, text: str = "", role: str = "", after: str = "", limit: int | None = None
) -> list[dict[str, Any]]:
    """Return accounts with their roles and with what they may be named for, by login.

    `text` is part of a login, name or address, `role` one that is held; a page of them begins behind the login `after`.
    """
    user, grant = _table(User), _table(RoleGrant)
    columns = (user.c.id, user.c.login, user.c.name, user.c.email, user.c.language, user.c.status, user.c.competences)
    statement = select(*columns).where(user.c.login > after)
    if text:
        statement = statement.where(_part_of(text, user.c.login, user.c.name, user.c.email))
    if role:
        held = select(grant.c.id).where(grant.c.user_id == user.c.id, grant.c.revoked_at.is_(None))
        statement = statement.where(held.where(cast(grant.c.role, Text) == role).exists())
    found = _plain(session.execute(statement.order_by(user.c.login).limit(limit)))
    asked = select(grant.c.user_id, grant.c.role).where(grant.c.revoked_at.is_(None))
    if limit is not None:
        asked = asked.where(grant.c.user_id.in_([row["id"] for row in found]))
    roles: dict[UUID, set[str]] = {}
    for row in session.execute(asked):
        roles.setdefault(row.user_id, set()).add(str(row.role))
    return [{**row, "roles": sorted(roles.get(row["id"], ()))} for row in found]


def _part_of(text: str, *columns: Any) -> Any:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


PERSONAS = (
    *("coordinator", "sun", "wang", "gao"),
    *("chen", "han", "zhou", "wu", "qian", "tian"),
    *("sme", "lin"),
    *("fang", "tang", "luo", "xu", "jiang"),
    *("operator", "qin", "admin"),
)
"""People of the demonstration who are named first: enough for every act that needs two, and a whole panel."""


def personas(session: Session) -> list[dict[str, Any]]:
    """Return the accounts of those who are named first, in their order, with their roles."""
    known = {row["login"]: row for row in users(session)}
    return [known[login] for login in PERSONAS if login in known]


def grants(session: Session, user_id: UUID | None = None) -> list[dict[str, Any]]:
    """Return the grants in force, of one user or of all."""
    user, grant, organisation = _table(User), _table(RoleGrant), _table(Organisation)
    statement = (
        select(
            user.c.login,
            user.c.name,
            grant.c.role,
            grant.c.organisation_id,
            organisation.c.name.label("organisation"),
            grant.c.id.label("grant_id"),
            grant.c.granted_at,
        )
        .select_from(grant.join(user, user.c.id == grant.c.user_id).outerjoin(organisation))
        .where(grant.c.revoked_at.is_(None))
        .order_by(user.c.login, grant.c.role)
    )
    return _plain(session.execute(statement if user_id is None else statement.where(user.c.id == user_id)))


def tokens(session: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Return the API tokens of an account, the newest first; of none is more known than its hash."""
    token = _table(ApiToken)
    names = ("id", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    columns = [token.c[name] for name in names]
    return _plain(
        session.execute(select(*columns).where(token.c.user_id == user_id).order_by(token.c.created_at.desc()))
    )


def ties(session: Session, organisation_id: UUID) -> list[dict[str, Any]]:
    """Return what ties an organisation to others, whichever of the two it was entered for."""
    tie, other = _table(OrganisationTie), _table(Organisation)
    mine, theirs = tie.c.organisation_id == organisation_id, tie.c.other_id == organisation_id
    partner = case((mine, tie.c.other_id), else_=tie.c.organisation_id)
    columns = (tie.c.share_basis_points, tie.c.is_common_control, tie.c.since_on, mine.label("is_owner"))
    statement = select(other.c.id, other.c.name, *columns).join(other, other.c.id == partner).where(mine | theirs)
    return _plain(session.execute(statement.order_by(other.c.name)))


def delegations(session: Session) -> list[dict[str, Any]]:
    """Return the delegations that nobody has ended, with both names, the latest first."""
    table, organisation = _table(Delegation), _table(Organisation)
    absent, present = _table(User).alias("absent"), _table(User).alias("present")
    statement = (
        select(
            table.c.id.label("delegation_id"),
            absent.c.login.label("absent"),
            present.c.login.label("stands_in"),
            table.c.role,
            organisation.c.name.label("organisation"),
            table.c.from_on,
            table.c.until_on,
            table.c.reason,
        )
        .join(absent, absent.c.id == table.c.delegator_id)
        .join(present, present.c.id == table.c.delegate_id)
        .outerjoin(organisation, organisation.c.id == table.c.organisation_id)
        .where(table.c.revoked_at.is_(None))
        .order_by(table.c.until_on.desc(), absent.c.login)
    )
    return _plain(session.execute(statement))


def organisations(
    session: Session, *, text: str = "", after: UUID | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return organisations, by name; `text` is part of a name or code, a page of them begins behind the one `after`."""
    table = _table(Organisation)
    statement = select(*(table.c[name] for name in ("id", "name", "kind", "credit_code", "country")))
    if text:
        statement = statement.where(_part_of(text, table.c.name, table.c.credit_code))
    if after is not None:
        statement = statement.where(behind(session, table.c.name, after))
    return _plain(session.execute(statement.order_by(table.c.name, table.c.id).limit(limit)))


def organisation_names(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of these organisations, by id, in their order."""
    table = _table(Organisation)
    statement = select(table.c.id, table.c.name).where(table.c.id.in_(ids)).order_by(table.c.name)
    return {row.id: row.name for row in session.execute(statement)}


def programmes(session: Session) -> list[dict[str, Any]]:
    """Return every programme with the standard it asks for, by code."""
    programme, pack, organisation = _table(Programme), _table(StandardPack), _table(Organisation)
    statement = (
        select(
            programme.c.id,
            programme.c.code,
            programme.c.name,
            programme.c.has_fund,
            (pack.c.code + "@" + pack.c.pack_version).label("standard"),
            organisation.c.name.label("organisation"),
        )
        .select_from(
            programme.join(pack, pack.c.sha256 == programme.c.pack_sha256).outerjoin(
                organisation, organisation.c.id == programme.c.organisation_id
            )
        )
        .order_by(programme.c.code)
    )
    return _plain(session.execute(statement))


def standards(session: Session) -> list[dict[str, Any]]:
    """Return every published standard."""
    pack = _table(StandardPack)
    columns = (pack.c.code, pack.c.pack_version.label("version"), pack.c.sha256, pack.c.published_at)
    return _plain(session.execute(select(*columns).order_by(pack.c.code, pack.c.pack_version)))


def replaced_by(session: Session, pack: Pack) -> Pack | None:
    """Return what a version takes the place of: the newest other one of its code, else the one that it is based on."""
    rows = [one for one in standards(session) if (one["code"], one["version"]) != (pack.code, pack.version)]
    same = [one for one in rows if one["code"] == pack.code]
    based = [one for one in rows if f"{one['code']}@{one['version']}" == pack.based_on]
    chosen = max(same, key=lambda one: one["published_at"]) if same else next(iter(based), None)
    return packs_of(session, [chosen["sha256"]])[chosen["sha256"]] if chosen else None


def drafts(session: Session) -> list[dict[str, Any]]:
    """Return the drafts of standards that wait for a second editor, with who handed them over, the oldest first."""
    draft, user = _table(StandardDraft), _table(User)
    columns = (draft.c.id, draft.c.code, draft.c.pack_version.label("version"), draft.c.proposed_at, draft.c.reason)
    statement = select(*columns, user.c.name.label("proposed_by")).join(user, user.c.id == draft.c.proposed_by)
    return _plain(session.execute(statement.where(draft.c.closed_at.is_(None)).order_by(draft.c.proposed_at)))


class Holder(NamedTuple):
    """Somebody who holds a role, with the human behind the account."""

    name: str
    person_id: UUID


WhoOwes: TypeAlias = Mapping[tuple[UUID, Role], tuple[Holder, ...]]
"""(project, role) -> those to ask."""


@once_a_look
def people_who_owe(session: Session, project_ids: Sequence[UUID]) -> WhoOwes:
    """Return (project, role) -> those to ask: who was named there, else who holds the role at its party.

    Who was named for a role of a party is asked while they hold it there: a project that moved has left them behind. In
    a project with a panel, its chair is who was named for that. Three reads for any number of projects; disabled
    accounts are nobody.
    """
    named = {**_named(session, project_ids), **_chairs(session, project_ids)}
    granted = _granted(session, project_ids)
    found: dict[tuple[UUID, Role], tuple[Holder, ...]] = {}
    for key in {*named, *granted}:
        holders, asked = granted.get(key, set()), named.get(key, set())
        those = (asked & holders or holders) if key[1] in PARTIES_OF_ROLE else asked
        if those:
            found[key] = tuple(sorted(those))
    return found


def _named(session: Session, project_ids: Sequence[UUID]) -> dict[tuple[UUID, Role], set[Holder]]:
    return _gathered(session.execute(_members(), {"wanted": list(project_ids)}))


@functools.cache
def _members() -> Any:
    member, user = _table(ProjectMember), _table(User)
    return (
        select(member.c.project_id, member.c.role, user.c.name, user.c.person_id)
        .join(user, user.c.id == member.c.user_id)
        .where(one_of(member.c.project_id), member.c.until_at.is_(None), user.c.status == UserStatus.ACTIVE)
    )


def _chairs(session: Session, project_ids: Sequence[UUID]) -> dict[tuple[UUID, Role], set[Holder]]:
    """Return the chairs of the reviews that are not decided yet."""
    return _gathered(session.execute(_chairing(), {"wanted": list(project_ids)}))


@functools.cache
def _chairing() -> Any:
    review, seat, user = _table(Review), _table(PanelMember), _table(User)
    open_states = (ReviewState.CALLED, ReviewState.SCORING, ReviewState.PROPOSED)
    return (
        select(review.c.project_id, literal(str(Role.PANEL_CHAIR)).label("role"), user.c.name, user.c.person_id)
        .join(seat, seat.c.review_id == review.c.id)
        .join(user, user.c.id == seat.c.user_id)
        .where(one_of(review.c.project_id), review.c.state.in_(open_states))
        .where(seat.c.is_chair, seat.c.recused_on.is_(None), user.c.status == UserStatus.ACTIVE)
    )


def _granted(session: Session, project_ids: Sequence[UUID]) -> dict[tuple[UUID, Role], set[Holder]]:
    parts, grants_at = _parts_and_grants()
    projects = session.execute(parts, {"wanted": list(project_ids)}).all()
    holders: dict[UUID, dict[Role, set[Holder]]] = {}
    places = {part for row in projects for part in row[1:] if part is not None}
    for row in session.execute(grants_at, {"wanted": list(places)}):
        there = holders.setdefault(row.organisation_id, {})
        there.setdefault(Role(row.role), set()).add(Holder(row.name, row.person_id))
    found: dict[tuple[UUID, Role], set[Holder]] = {}
    for row in projects:
        for party, place in zip(_PARTS, row[1:], strict=True):
            for role, known in holders.get(place, {}).items():
                if party in PARTIES_OF_ROLE.get(role, ()):
                    found.setdefault((row.id, role), set()).update(known)
    return found


@functools.cache
def _parts_and_grants() -> tuple[Any, Any]:
    project, programme, grant, user = _table(Project), _table(Programme), _table(RoleGrant), _table(User)
    parts = (
        select(
            project.c.id,
            project.c.organisation_id.label("sme"),
            project.c.platform_id.label("platform"),
            project.c.receiver_id.label("receiver"),
            programme.c.organisation_id.label("programme"),
            programme.c.organisation_id.label("funder"),
        )
        .join(programme, programme.c.id == project.c.programme_id)
        .where(one_of(project.c.id))
    )
    granted = (
        select(grant.c.role, grant.c.organisation_id, user.c.name, user.c.person_id)
        .join(user, user.c.id == grant.c.user_id)
        .where(one_of(grant.c.organisation_id), grant.c.revoked_at.is_(None), user.c.status == UserStatus.ACTIVE)
    )
    return parts, granted


_PARTS = ("sme", "platform", "receiver", "programme", "funder")
"""Parties of a project, in the order in which `_granted` reads them."""


def _gathered(rows: Any) -> dict[tuple[UUID, Role], set[Holder]]:
    found: dict[tuple[UUID, Role], set[Holder]] = {}
    for row in rows:
        found.setdefault((row.project_id, Role(row.role)), set()).add(Holder(row.name, row.person_id))
    return found


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping


def _table(model: Any) -> Any:
    return model.__table__
