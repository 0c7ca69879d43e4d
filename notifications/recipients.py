"""From audiences to people: who holds the role where the message belongs, who sits in the panel, who stands in today.

Seven statements for any number of messages. Nobody is told who may not see it: a role counts by its live grant alone,
a disabled account is nobody, and who acted is not told of their own act (`lifecycle.actor` says the same of verbs).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import Session

from lifecycle.permissions import PARTIES_OF_ROLE
from models.deliveries import ChatAddress, ContactSetting, Preference
from models.people import Delegation, RoleGrant, User
from models.projects import ProjectMember
from models.reading import rows_by, table_of
from models.reviews import PanelMember
from models.states import Channel, Frequency, Role, UserStatus
from notifications.messages import Audience, kind_of, topic_of
from notifications.render import language_of
from notifications.subjects import About, Parties
from notifications.words import Lang

CASE_PARTS = frozenset({"person", "requester", "owner"})
PANEL_PARTS = frozenset({"panel", "voters", "chair"})
ALL_TOPICS = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one person is reached and how often they want to be."""

    user_id: UUID
    person_id: UUID
    name: str
    email: str
    language: Lang
    timezone: str | None = None
    quiet_from: str | None = None
    quiet_until: str | None = None
    wishes: Mapping[tuple[Channel, str], Frequency] = field(default_factory=dict)
    chats: Mapping[Channel, UUID] = field(default_factory=dict)

    def wants(self, channel: Channel, kind: str, default: Frequency) -> Frequency:
        """Return how often this person wants to hear of a kind: of its topic, else of all others, else the default."""
        others = self.wishes.get((channel, ALL_TOPICS), default)
        return self.wishes.get((channel, topic_of(kind)), others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person who is told one message, and why."""

    contact: Contact
    why: str
    """The role that brings it, or the part in this very case; `delegate` for who stands in."""
    is_task: bool
    mail: Frequency
    """How soon by mail where the person does not say otherwise."""


class _Grant(NamedTuple):
    user_id: UUID
    role: Role
    organisation_id: UUID | None


class _Found(NamedTuple):
    """Somebody for an audience, with the grant by which they are; none where they are by their part in the case."""

    user_id: UUID
    why: str
    audience: Audience
    grant: _Grant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """All that a chunk of messages needs to know of people."""

    by_role: Mapping[Role, Mapping[UUID | None, Sequence[_Grant]]]
    """Role -> organisation -> who holds it there."""
    by_user: Mapping[UUID, Sequence[_Grant]]
    members: Mapping[tuple[UUID, Role], frozenset[UUID]]
    seats: Mapping[UUID, Sequence[Any]]

    def holders(self, role: Role, places: Collection[UUID] | None) -> list[_Grant]:
        """Return the live grants of a role at these organisations; at None anywhere."""
        known = self.by_role.get(role, {})
        return [one for place in (known if places is None else places) for one in known.get(place, ())]

    def has_place(self, user_id: UUID, parties: Parties) -> bool:
        """Say whether somebody holds any role at a party: without one they may not see it."""
        places = {one for group in parties.values() for one in group}
        return any(one.organisation_id in places for one in self.by_user.get(user_id, ()))

    def holds(self, user_id: UUID, role: Role) -> bool:
        """Say whether somebody holds a role by any live grant."""
        return any(one.role == role for one in self.by_user.get(user_id, ()))


def recipients(
    session: Session, rows: Sequence[Any], abouts: Mapping[UUID, About], *, today: date
) -> dict[UUID, list[Recipient]]:
    """Return whom each outbox row is told to, a person once for each: a task before what is only to be known."""
    people = _people(session, rows, abouts)
    found = {row.id: list(_resolved(row.kind, abouts[row.id], people)) for row in rows}
    lent = _lent(session, {one.grant for group in found.values() for one in group if one.grant}, today)
    everybody = {row: [*group, *_delegates(group, lent)] for row, group in found.items()}
    contacts = contacts_of(session, {one.user_id for group in everybody.values() for one in group})
    return {row: _once(group, contacts, abouts[row]) for row, group in everybody.items()}


def _people(session: Session, rows: Sequence[Any], abouts: Mapping[UUID, About]) -> _People:
    audiences = [one for row in rows for one in kind_of(row.kind).audiences]
    seats = rows_by(session, PanelMember, "review_id", [one.review_id for one in abouts.values() if one.review_id])
    named = {user_id for one in abouts.values() for user_id in one.people.values()}
    named |= {seat.user_id for group in seats.values() for seat in group}
    places = {place for one in abouts.values() for group in one.parties.values() for place in group}
    roles = {Role(one.role) for one in audiences if one.role in set(Role)}
    anywhere = {Role(one.role) for one in audiences if one.is_everywhere}
    if any(not one.parties for one in abouts.values()):
        anywhere |= roles
    members = rows_by(
        session, ProjectMember, "project_id", [one.project_id for one in abouts.values() if one.project_id]
    )
    parts: dict[tuple[UUID, Role], set[UUID]] = {}
    for group in members.values():
        for one in group:
            if one.until_at is None:
                parts.setdefault((one.project_id, Role(one.role)), set()).add(one.user_id)
    by_role: dict[Role, dict[UUID | None, list[_Grant]]] = {}
    by_user: dict[UUID, list[_Grant]] = {}
    for grant in _grants(session, roles, places, anywhere, named):
        by_role.setdefault(grant.role, {}).setdefault(grant.organisation_id, []).append(grant)
        by_user.setdefault(grant.user_id, []).append(grant)
    return _People(
        by_role=by_role,
        by_user=by_user,
        members={key: frozenset(users) for key, users in parts.items()},
        seats=seats,
    )


def _grants(
    session: Session,
    roles: Collection[Role],
    places: Collection[UUID],
    anywhere: Collection[Role],
    named: Collection[UUID],
) -> list[_Grant]:
    """Return the live grants of active accounts that any of the messages may reach."""
    grant, user = table_of(RoleGrant), table_of(User)
    reached = or_(
        and_(grant.c.role.in_(roles), grant.c.organisation_id.in_(places)),
        grant.c.role.in_(anywhere),
        grant.c.user_id.in_(named),
    )
    statement = (
        select(grant.c.user_id, grant.c.role, grant.c.organisation_id)
        .join(user, user.c.id == grant.c.user_id)
        .where(grant.c.revoked_at.is_(None), user.c.status == UserStatus.ACTIVE, reached)
        .order_by(grant.c.granted_at, grant.c.id)
    )
    return [_Grant(row.user_id, Role(row.role), row.organisation_id) for row in session.execute(statement)]


def _resolved(kind: str, about: About, people: _People) -> Iterator[_Found]:
    for audience in kind_of(kind).audiences:
        if audience.role in CASE_PARTS:
            yield from _in_the_case(audience, about, people)
        elif audience.role in PANEL_PARTS:
            yield from _in_the_panel(audience, about, people)
        else:
            yield from _in_the_role(audience, about, people)


def _in_the_case(audience: Audience, about: About, people: _People) -> Iterator[_Found]:
    """Yield who has a part in the case itself; who asked for something is told while they may still see it."""
    user_id = about.people.get(audience.role)
    if user_id is None:
        return
    if audience.role != "requester" or people.has_place(user_id, about.parties):
        yield _Found(user_id, audience.role, audience)


def _in_the_panel(audience: Audience, about: About, people: _People) -> Iterator[_Found]:
    """Yield who sits in the panel and has not stepped aside: all, those with a vote, or the chair."""
    for seat in people.seats.get(about.review_id, ()) if about.review_id else ():
        is_meant = {"panel": True, "voters": seat.has_vote, "chair": seat.is_chair}[audience.role]
        if is_meant and seat.recused_on is None and people.holds(seat.user_id, Role(seat.role)):
            yield _Found(seat.user_id, "panel", audience)


def _in_the_role(audience: Audience, about: About, people: _People) -> Iterator[_Found]:
    """Yield who holds a role where the message belongs: those named for the project, else all of them."""
    role = Role(audience.role)
    if audience.is_everywhere or not about.parties:
        places = None
    else:
        parts = (audience.party,) if audience.party else PARTIES_OF_ROLE.get(role, ())
        places = {place for part in parts for place in about.parties.get(part, ())}
    holders = people.holders(role, places)
    named = people.members.get((about.project_id, role), frozenset()) if about.project_id else frozenset()
    asked = [one for one in holders if one.user_id in named] or holders
    yield from (_Found(one.user_id, str(role), audience, one) for one in asked)


def _lent(session: Session, grants: Collection[_Grant], today: date) -> dict[_Grant, list[UUID]]:
    """Return grant -> who stands in for it today."""
    table = table_of(Delegation)
    statement = select(table).where(
        table.c.delegator_id.in_({one.user_id for one in grants}),
        table.c.revoked_at.is_(None),
        table.c.from_on <= today,
        table.c.until_on >= today,
    )
    found: dict[_Grant, list[UUID]] = {}
    for row in session.execute(statement):
        found.setdefault(_Grant(row.delegator_id, Role(row.role), row.organisation_id), []).append(row.delegate_id)
    return found


def _delegates(found: Iterable[_Found], lent: Mapping[_Grant, Sequence[UUID]]) -> Iterator[_Found]:
    for one in found:
        for user_id in lent.get(one.grant, ()) if one.grant else ():
            yield _Found(user_id, "delegate", one.audience)


def _once(found: Iterable[_Found], contacts: Mapping[UUID, Contact], about: About) -> list[Recipient]:
    """Return each person once, by the audience that asks most of them; nobody who acted or may not act."""
    best: dict[UUID, Recipient] = {}
    for one in found:
        contact = contacts.get(one.user_id)
        if contact is None or not _is_told(one.audience, contact, about):
            continue
        told = Recipient(contact=contact, why=one.why, is_task=_is_task(one.audience, about), mail=one.audience.mail)
        known = best.get(one.user_id)
        if known is None or _weight(told) > _weight(known):
            best[one.user_id] = told
    return list(best.values())


def _is_task(audience: Audience, about: About) -> bool:
    return audience.is_task and not about.facts.get("is_over", False)


def _is_told(audience: Audience, contact: Contact, about: About) -> bool:
    if audience.is_task:
        return contact.person_id not in about.barred
    return contact.person_id != about.actor_person


_SOON = (Frequency.NEVER, Frequency.WEEKLY, Frequency.DAILY, Frequency.IMMEDIATE)


def _weight(one: Recipient) -> tuple[bool, int, bool]:
    return one.is_task, _SOON.index(one.mail), one.why != "delegate"


def contacts_of(session: Session, user_ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Return how these people are reached, in three reads; disabled accounts are left out."""
    user, setting = table_of(User), table_of(ContactSetting)
    statement = (
        select(user, setting.c.timezone, setting.c.quiet_from, setting.c.quiet_until)
        .outerjoin(setting, setting.c.user_id == user.c.id)
        .where(user.c.id.in_(user_ids), user.c.status == UserStatus.ACTIVE)
    )
    wishes, chats = (
        rows_by(session, Preference, "user_id", user_ids),
        rows_by(session, ChatAddress, "user_id", user_ids),
    )
    return {
        row.id: Contact(
            user_id=row.id,
            person_id=row.person_id,
            name=row.name,
            email=row.email,
            language=language_of(row.language),
            timezone=row.timezone,
            quiet_from=row.quiet_from,
            quiet_until=row.quiet_until,
            wishes={(Channel(one.channel), one.topic): Frequency(one.frequency) for one in wishes.get(row.id, ())},
            chats={Channel(one.channel): one.id for one in chats.get(row.id, ())},
        )
        for row in session.execute(statement)
    }
