"""What the verbs of people and organisations look at: new values that may be taken, things that must be there."""

import functools
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.installation import is_for_real_work
from lifecycle.permissions import DELEGABLE
from lifecycle.stages import credit_code
from models.access import WebSession
from models.people import ApiToken, Delegation, Organisation, RoleGrant, User
from models.programmes import StandardDraft, StandardPack
from models.projects import Project
from models.reading import grouped, one_of, rows_by, table_of
from models.states import STAGES, Role, UserStatus


def folded(text: str) -> str:
    """Return a name or address as it is compared: NFKC and case-folded."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command and what the database already holds of its new values and of what it refers to."""

    command: Any
    new: Mapping[str, str] = field(default_factory=dict)
    """Column -> the value that must be new."""
    taken: frozenset[tuple[str, str]] = frozenset()
    absent: tuple[str, ...] = ()
    """Fields that refer to something that is not there."""
    row: Any = None
    actor_person_id: UUID | None = None
    has_live_grant: bool = False
    has_live_token: bool = False
    now: datetime | None = None
    holders: Mapping[str, str] = field(default_factory=dict)
    """Credit code of the batch -> name of the organisation that holds it."""
    applications: tuple[UUID, ...] = ()
    """Open projects whose applicant is concerned."""
    sessions: tuple[Any, ...] = ()
    """In which the account is signed in."""
    is_production: bool = False
    """Read where a standard is published."""
    is_known_version: bool = False
    """The same version of the standard is published already."""
    draft: Any = None
    """Its open draft, with the human who handed it over (`person_id`)."""

    @property
    def changes(self) -> dict[str, str]:
        """Column -> the right value, of those given that differ from what is stored."""
        return {column: value for column, value in self.new.items() if getattr(self.row, column) != value}


News: TypeAlias = Mapping[str, Callable[[Any], str | None]]
"""Column -> the command's value for it, as it is stored."""
References: TypeAlias = Mapping[str, tuple[Any, str]]
"""Field of the command -> (model, column) where its value must be found."""
_NOTHING: Mapping[str, Any] = {}


def _brings(command: Any, news: News) -> dict[str, str]:
    found = {column: value(command) for column, value in news.items()}
    return {column: value for column, value in found.items() if value is not None}


def once(news: News) -> Callable[[Any], tuple[tuple[str, str], ...]]:
    """Return what names the new values of a command, so that one batch does not bring the same twice."""
    return lambda command: tuple(_brings(command, news).items())


def entries(model: Any = None, news: News = _NOTHING, references: References = _NOTHING) -> Any:
    """Return the facts of a verb that enters something under new values or refers to something that must be there."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
        brought = [_brings(task.command, news) for task in tasks]
        taken = frozenset(
            (column, value)
            for column in news
            for value in _found(session, model, column, {new[column] for new in brought if column in new})
        )
        known = {
            name: _found(session, other, column, {getattr(task.command, name) for task in tasks} - {None})
            for name, (other, column) in references.items()
        }
        return [
            Entry(
                command=task.command,
                new=new,
                taken=taken,
                absent=tuple(name for name in known if getattr(task.command, name) not in known[name] | {None}),
                row=task.row,
                actor_person_id=stamp.actor.person_id,
                now=stamp.now,
            )
            for task, new in zip(tasks, brought, strict=True)
        ]

    return facts


def standards(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read whether a pack is known, who handed it over, and whether this database is for real work."""
    is_production = is_for_real_work(session)
    found: list[Entry] = entries(StandardPack, NEW_STANDARD)(session, tasks, stamp)
    drafts = _drafts(session, tasks)
    return [replace(one, is_production=is_production, draft=drafts.get(one.command.sha256)) for one in found]


def proposals(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read besides whether another pack was published as the same version of the same standard."""
    pack = table_of(StandardPack)
    codes = {str(task.command.body.get("code")) for task in tasks}
    rows = session.execute(select(pack.c.code, pack.c.pack_version).where(pack.c.code.in_(codes)))
    known = {(row.code, row.pack_version) for row in rows}
    return [
        replace(one, is_known_version=(one.command.body.get("code"), one.command.body.get("version")) in known)
        for one in standards(session, tasks, stamp)
    ]


def _drafts(session: Session, tasks: Sequence[Task[Any]]) -> dict[str, Any]:
    """Return the open draft of each pack, locked when something is to be written."""
    draft, user = table_of(StandardDraft), table_of(User)
    statement = (
        select(draft, user.c.person_id)
        .join(user, user.c.id == draft.c.proposed_by)
        .where(draft.c.sha256.in_({task.command.sha256 for task in tasks}), draft.c.closed_at.is_(None))
    )
    if all(task.is_locked for task in tasks):
        statement = statement.with_for_update(of=draft)
    return {row.sha256: row for row in session.execute(statement)}


def with_sessions(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read also where these accounts are signed in."""
    found: list[Entry] = entries()(session, tasks, stamp)
    rows = rows_by(session, WebSession, "user_id", [task.row.id for task in tasks])
    return [
        replace(one, sessions=tuple(row for row in rows.get(one.row.id, ()) if row.ended_at is None)) for one in found
    ]


def _found(session: Session, model: Any, column: str, values: set[Any]) -> set[Any]:
    stored = table_of(model).c[column]
    return set(session.execute(select(stored).where(stored.in_(values))).scalars()) if values else set()


def grants_of(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read which of the grants named are live and the user's own."""
    live = _live(session, RoleGrant, {task.command.grant_id for task in tasks})
    return [
        Entry(
            command=task.command,
            has_live_grant=(task.command.grant_id, task.command.user_id) in live,
            row=task.row,
            actor_person_id=stamp.actor.person_id,
        )
        for task in tasks
    ]


def tokens_of(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read which of the tokens named were not taken back yet and are the user's own."""
    live = _live(session, ApiToken, {task.command.token_id for task in tasks})
    return [
        Entry(
            command=task.command,
            has_live_token=(task.command.token_id, task.command.user_id) in live,
            row=task.row,
            actor_person_id=stamp.actor.person_id,
        )
        for task in tasks
    ]


def _live(session: Session, model: Any, ids: set[UUID]) -> set[tuple[UUID, UUID]]:
    """Return (id, whose) of those that nobody took back."""
    table = table_of(model)
    statement = select(table.c.id, table.c.user_id).where(table.c.id.in_(ids), table.c.revoked_at.is_(None))
    return {(row.id, row.user_id) for row in session.execute(statement)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationEntry:
    """A role that shall be lent, or taken back: what both people hold by themselves."""

    command: Any
    row: Any
    """The account of who stands in."""
    stamp: Stamp
    roles: frozenset[Role]
    own: frozenset[tuple[Role, UUID | None]] = frozenset()
    """(role, organisation) of who acts; what was lent to them does not count."""
    held: frozenset[tuple[Role, UUID | None]] = frozenset()
    """The same of who stands in."""
    delegation: Any = None
    delegable: frozenset[Role] = DELEGABLE


def delegations(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[DelegationEntry]:
    """Read the grants of both, and the delegation that shall end."""
    actor = stamp.actor.user_id
    grants = rows_by(session, RoleGrant, "user_id", [actor, *(task.row.id for task in tasks)])
    named = [getattr(task.command, "delegation_id", None) for task in tasks]
    live = rows_by(session, Delegation, "id", [one for one in named if one is not None])

    def held(user_id: UUID) -> frozenset[tuple[Role, UUID | None]]:
        rows = [row for row in grants.get(user_id, ()) if row.revoked_at is None]
        return frozenset((Role(row.role), row.organisation_id) for row in rows)

    return [
        DelegationEntry(
            command=task.command,
            row=task.row,
            stamp=stamp,
            roles=task.roles,
            own=held(actor),
            held=held(task.row.id),
            delegation=next(iter(live.get(name, ())), None) if name is not None else None,
        )
        for task, name in zip(tasks, named, strict=True)
    ]


def corrections(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read who holds the credit codes given, and the open applications whose verdicts hang on the organisation."""
    brought = [_brings(task.command, RIGHT_ORGANISATION) for task in tasks]
    table = table_of(Organisation)
    codes = {new["credit_code"] for new in brought if "credit_code" in new}
    held = session.execute(select(table.c.credit_code, table.c.name).where(table.c.credit_code.in_(codes)))
    holders = {row.credit_code: row.name for row in held}
    applications = _applications(session, tasks, {task.row.id for task in tasks})
    return [
        Entry(
            command=task.command,
            new=new,
            row=task.row,
            actor_person_id=stamp.actor.person_id,
            holders=holders,
            applications=applications.get(task.row.id, ()),
        )
        for task, new in zip(tasks, brought, strict=True)
    ]


def ties(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    """Read whether the other organisation is there, and the open applications of both: who is independent changes."""
    found = entries(references={"other_id": (Organisation, "id")})(session, tasks, stamp)
    pairs = [(task.row.id, task.command.other_id) for task in tasks]
    applications = _applications(session, tasks, {one for pair in pairs for one in pair})
    return [
        replace(entry, applications=tuple(project for one in pair for project in applications.get(one, ())))
        for entry, pair in zip(found, pairs, strict=True)
    ]


def _applications(session: Session, tasks: Sequence[Task[Any]], firms: set[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Return the open projects in which each of these applies.

    They are locked when something is to be written: nobody judges them meanwhile by what is being changed.
    """
    project = table_of(Project)
    statement = (
        select(project.c.id, project.c.organisation_id)
        .where(project.c.organisation_id.in_(firms), project.c.stage.in_(STAGES))
        .order_by(project.c.id)
    )
    if all(task.is_locked for task in tasks):
        statement = statement.with_for_update()
    rows = grouped(session.execute(statement), "organisation_id")
    return {firm: tuple(row.id for row in found) for firm, found in rows.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An account, the human behind it, and what both hold now."""

    name: str
    person_id: UUID
    is_active: bool
    competences: frozenset[str]
    roles: frozenset[Role]
    """Held by the account itself: it takes part in nothing else."""
    person_grants: frozenset[tuple[Role, UUID | None]]
    """Held under any account: conflicts are those of a human."""


def holders(session: Session, user_ids: Iterable[UUID]) -> dict[UUID, Holder]:
    """Return those of these accounts that are there, in one read."""
    rows = session.connection().execute(_accounts_and_grants(), {"wanted": list(set(user_ids))})
    return {user_id: _holder(own) for user_id, own in grouped(rows, "id").items()}


@functools.cache
def _accounts_and_grants() -> Any:
    user, grant = table_of(User), table_of(RoleGrant)
    account = user.alias("account")
    live = (grant.c.user_id == account.c.id) & grant.c.revoked_at.is_(None)
    columns = (user.c.id, user.c.name, user.c.person_id, user.c.status, user.c.competences)
    return (
        select(*columns, grant.c.user_id, grant.c.role, grant.c.organisation_id)
        .select_from(user.join(account, account.c.person_id == user.c.person_id).outerjoin(grant, live))
        .where(one_of(user.c.id))
    )


def _holder(rows: Sequence[Any]) -> Holder:
    first, held = rows[0], [row for row in rows if row.role is not None]
    return Holder(
        name=first.name,
        person_id=first.person_id,
        is_active=first.status == UserStatus.ACTIVE,
        competences=frozenset(first.competences),
        roles=frozenset(Role(row.role) for row in held if row.user_id == first.id),
        person_grants=frozenset((Role(row.role), row.organisation_id) for row in held),
    )


NEW_ORGANISATION: News = {
    "credit_code": lambda command: credit_code.normalise(command.credit_code) if command.credit_code else None,
    "outside_key": lambda command: command.outside_key,
}
RIGHT_ORGANISATION: News = {
    "name": lambda command: None if command.name is None else command.name.strip(),
    "credit_code": lambda command: None if command.credit_code is None else credit_code.normalise(command.credit_code),
}
NEW_USER: News = {"login": lambda command: command.login, "email": lambda command: folded(command.email)}
NEW_TOKEN: News = {"token_sha256": lambda command: command.token_sha256}
NEW_STANDARD: News = {"sha256": lambda command: command.sha256}
NEW_PROGRAMME: News = {"code": lambda command: command.code}
