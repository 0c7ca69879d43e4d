"""Who is who: organisations and their ties, users, grants, tokens, programmes and the standards they ask for."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.stages import credit_code
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.lint import lint
from lifecycle.standards.pack import Pack
from models.limits import SHORT_TEXT, WHOLE_SHARE
from models.people import ApiToken, Organisation, OrganisationTie, RoleGrant, User
from models.programmes import Programme, StandardPack
from models.states import OrganisationKind, Role, UserStatus

_SHA256_LENGTH = 64


def _table(model: Any) -> Any:
    return model.__table__


def folded(text: str) -> str:
    """Return a name or address as it is compared: NFKC and case-folded."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrganisation(Command):
    """Enter an organisation; its credit code, where it has one, is checked (GB 32100) and given once."""

    name: str
    kind: OrganisationKind
    credit_code: str | None = None
    country: str | None = None
    outside_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOrganisations(Command):
    """Record ownership or common control between two organisations (independence of customers, G4.2)."""

    organisation_id: UUID
    other_id: UUID
    share_basis_points: int = 0
    is_common_control: bool = False
    since_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser(Command):
    """Enter a person's account. A second account of the same human names the first one's `person_id`."""

    login: str
    email: str
    name: str
    language: str = "zh-CN"
    competences: tuple[str, ...] = ()
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Command):
    """Give a user a role at one organisation; only operator, admin and auditor may be without one."""

    user_id: UUID
    role: Role
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole(Command):
    """Take a grant back; it ends with the next request."""

    user_id: UUID
    grant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableUser(Command):
    """Disable an account; the row and its history stay."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToken(Command):
    """Give a user an API token; only its SHA-256 is handed over and stored."""

    user_id: UUID
    token_sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStandard(Command):
    """Publish a pack that passes `standard lint`; it is kept under its SHA-256 and never changed."""

    sha256: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProgramme(Command):
    """Open a programme: whose it is and which published pack it asks for."""

    code: str
    name: str
    pack_sha256: str
    organisation_id: UUID | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)
    has_fund: bool = False


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
    actor_id: UUID | None = None
    has_live_grant: bool = False


News: TypeAlias = Mapping[str, Callable[[Any], str | None]]
"""Column -> the command's value for it, as it is stored."""
References: TypeAlias = Mapping[str, tuple[Any, str]]
"""Field of the command -> (model, column) where its value must be found."""
_NOTHING: Mapping[str, Any] = {}


def _brings(command: Any, news: News) -> dict[str, str]:
    found = {column: value(command) for column, value in news.items()}
    return {column: value for column, value in found.items() if value is not None}


def _once(news: News) -> Callable[[Any], tuple[tuple[str, str], ...]]:
    return lambda command: tuple(_brings(command, news).items())


def _entries(model: Any = None, news: News = _NOTHING, references: References = _NOTHING) -> Any:
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
                actor_id=stamp.actor.user_id,
            )
            for task, new in zip(tasks, brought, strict=True)
        ]

    return facts


def _found(session: Session, model: Any, column: str, values: set[Any]) -> set[Any]:
    stored = _table(model).c[column]
    return set(session.execute(select(stored).where(stored.in_(values))).scalars()) if values else set()


def _grants_of(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[Entry]:
    grant = _table(RoleGrant)
    ids = [task.command.grant_id for task in tasks]
    statement = select(grant.c.id, grant.c.user_id).where(grant.c.id.in_(ids), grant.c.revoked_at.is_(None))
    live = {(row.id, row.user_id) for row in session.execute(statement)}
    return [
        Entry(
            command=task.command,
            has_live_grant=(task.command.grant_id, task.command.user_id) in live,
            row=task.row,
            actor_id=stamp.actor.user_id,
        )
        for task in tasks
    ]


@about_input
def not_taken(entry: Entry) -> tuple[Unmet, ...]:
    """A unique value is not used twice."""
    taken = [(column, value) for column, value in entry.new.items() if (column, value) in entry.taken]
    return tuple(unmet("already_exists", field=column, value=value) for column, value in taken)


_ABSENT = {"pack_sha256": "pack_not_found", "person_id": "user_not_found"}


@about_input
def all_there(entry: Entry) -> tuple[Unmet, ...]:
    """What the command refers to exists."""
    codes = (_ABSENT.get(name, "organisation_not_found") for name in entry.absent)
    return tuple(unmet(code) for code in codes)


@about_input
def sound_account(entry: Entry) -> tuple[Unmet, ...]:
    """An account has a login without blanks, and a mail address."""
    command = entry.command
    sound = command.login and not any(char.isspace() for char in command.login) and "@" in command.email
    return () if sound else (unmet("account_wrong", login=command.login, email=command.email),)


@about_input
def sound_token(entry: Entry) -> tuple[Unmet, ...]:
    """Only the SHA-256 of a token is handed over."""
    digest = entry.command.token_sha256
    wrong = len(digest) != _SHA256_LENGTH or set(digest) - set("0123456789abcdef")
    return (unmet("token_hash_wrong"),) if wrong else ()


@about_input
def sound_credit_code(entry: Entry) -> tuple[Unmet, ...]:
    """Refuse a credit code that is not one (GB 32100)."""
    code = entry.command.credit_code
    problem = credit_code.problem(code) if code is not None else None
    return (unmet("credit_code_wrong", value=code, problem=problem),) if problem else ()


@about_input
def named(entry: Entry) -> tuple[Unmet, ...]:
    """Refuse an empty or overlong name."""
    name = entry.command.name.strip()
    return () if 0 < len(name) <= SHORT_TEXT else (unmet("name_length", limit=SHORT_TEXT, length=len(name)),)


@about_input
def grant_reaches(entry: Entry) -> tuple[Unmet, ...]:
    """Only operator, admin and auditor reach the whole installation."""
    wide = entry.command.role in (Role.OPERATOR, Role.ADMIN, Role.AUDITOR, Role.EXPERT, Role.PANEL_CHAIR)
    return () if wide or entry.command.organisation_id else (unmet("role_needs_organisation", role=entry.command.role),)


def not_oneself(entry: Entry) -> tuple[Unmet, ...]:
    """Nobody changes their own rights, administrators included."""
    return (unmet("four_eyes"),) if entry.row is not None and entry.row.id == entry.actor_id else ()


@about_input
def grant_is_live(entry: Entry) -> tuple[Unmet, ...]:
    """Refuse to revoke what is no grant of this user, or no longer one."""
    return () if entry.has_live_grant else (unmet("grant_not_found"),)


def user_is_active(entry: Entry) -> tuple[Unmet, ...]:
    """Refuse an act on a disabled account."""
    return () if entry.row.status == UserStatus.ACTIVE else (unmet("user_disabled"),)


@about_input
def sound_share(entry: Entry) -> tuple[Unmet, ...]:
    """A share lies between 0 and 10,000 basis points; nobody is tied to itself."""
    command = entry.command
    wrong = not 0 <= command.share_basis_points <= WHOLE_SHARE or command.organisation_id == command.other_id
    return (unmet("tie_wrong", share=command.share_basis_points),) if wrong else ()


def _born(model: Any, object_type: str, verb: str, row_id: UUID, values: Mapping[str, Any], kind: str) -> Effects:
    detail = {key: value for key, value in values.items() if key not in ("created_at", "body")}
    act = Act(
        table=model, object_type=object_type, id=row_id, action=f"{object_type}.{verb}", values=values, detail=detail
    )
    return Effects(acts=(act,), messages=(Message(kind=kind, object_type=object_type, object_id=row_id),))


def _on(entry: Entry, model: Any, object_type: str, verb: str, **rest: Any) -> Effects:
    values = rest.pop("values", {})
    act = Act(
        table=model,
        object_type=object_type,
        id=entry.row.id,
        action=f"{object_type}.{verb}",
        row=entry.row,
        values=values,
        detail=rest.pop("detail", {}),
    )
    return Effects(acts=(act,), **rest)


def _organisation_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: AddOrganisation = entry.command
    values = {
        "name": command.name.strip(),
        "kind": command.kind,
        "credit_code": credit_code.normalise(command.credit_code) if command.credit_code else None,
        "country": command.country,
        "outside_key": command.outside_key,
        "created_at": stamp.now,
    }
    return _born(Organisation, "organisation", "add", stamp.new_id(), values, "organisation.added")


def _organisations_tied(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: TieOrganisations = entry.command
    row = {"id": stamp.new_id(), **command.asks()}
    return _on(entry, Organisation, "organisation", "tie", rows=((OrganisationTie, row),), detail=command.asks())


def _user_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: AddUser = entry.command
    user_id = stamp.new_id()
    values = {
        "person_id": command.person_id or user_id,
        "login": command.login,
        "email": folded(command.email),
        "name": command.name.strip(),
        "language": command.language,
        "status": UserStatus.ACTIVE,
        "competences": list(command.competences),
        "created_at": stamp.now,
    }
    return _born(User, "user", "add", user_id, values, "user.added")


def _role_granted(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: GrantRole = entry.command
    row = {
        "id": stamp.new_id(),
        "user_id": command.user_id,
        "role": command.role,
        "organisation_id": command.organisation_id,
        "granted_at": stamp.now,
        "granted_by": stamp.actor.user_id,
    }
    detail = {"grant_id": row["id"], "role": command.role, "organisation_id": command.organisation_id}
    return _on(entry, User, "user", "grant", rows=((RoleGrant, row),), detail=detail, says={"grant_id": str(row["id"])})


def _role_revoked(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    change = (RoleGrant, entry.command.grant_id, {"revoked_at": stamp.now})
    return _on(entry, User, "user", "revoke", updates=(change,), detail={"grant_id": entry.command.grant_id})


def _user_disabled(entry: Entry, _target: str, _stamp: Stamp) -> Effects:
    return _on(entry, User, "user", "disable", values={"status": UserStatus.DISABLED})


def _token_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: AddToken = entry.command
    row = {
        "id": stamp.new_id(),
        "user_id": command.user_id,
        "token_sha256": command.token_sha256,
        "created_at": stamp.now,
        "expires_at": command.expires_at,
    }
    detail = {"token_id": row["id"], "expires_at": command.expires_at}
    return _on(entry, User, "user", "add_token", rows=((ApiToken, row),), detail=detail)


@about_input
def sound_pack(entry: Entry) -> tuple[Unmet, ...]:
    """Refuse a pack that is none, that lint finds fault with, or whose hash is another."""
    try:
        pack = Pack.model_validate(entry.command.body)
    except ValidationError as error:
        return (unmet("pack_unreadable", problem=str(error.errors()[0]["msg"])),)
    if library.sha256(pack) != entry.command.sha256:
        return (unmet("pack_hash_differs"),)
    problems = lint(pack, rules=frozenset(RULES))
    return (unmet("pack_problems", problems=[str(problem) for problem in problems]),) if problems else ()


def _standard_published(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    command: PublishStandard = entry.command
    row = {
        "sha256": command.sha256,
        "code": command.body["code"],
        "pack_version": command.body["version"],
        "body": dict(command.body),
        "published_at": stamp.now,
    }
    born = _born(StandardPack, "standard", "publish", stamp.new_id(), row, "standard.published")
    return replace(born, says={"sha256": command.sha256})


def _programme_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    values = {**entry.command.asks(), "profiles": dict(entry.command.profiles), "created_at": stamp.now}
    return _born(Programme, "programme", "add", stamp.new_id(), values, "programme.added")


_NEW_ORGANISATION: News = {
    "credit_code": lambda command: credit_code.normalise(command.credit_code) if command.credit_code else None,
    "outside_key": lambda command: command.outside_key,
}
_NEW_USER: News = {"login": lambda command: command.login, "email": lambda command: folded(command.email)}
_NEW_TOKEN: News = {"token_sha256": lambda command: command.token_sha256}
_NEW_STANDARD: News = {"sha256": lambda command: command.sha256}
_NEW_PROGRAMME: News = {"code": lambda command: command.code}

ADD_ORGANISATION = Verb(
    object_type="organisation",
    name="add",
    command=AddOrganisation,
    once=_once(_NEW_ORGANISATION),
    facts=_entries(Organisation, _NEW_ORGANISATION),
    rules=(named, sound_credit_code, not_taken),
    effects=_organisation_added,
)
TIE_ORGANISATIONS = Verb(
    object_type="organisation",
    name="tie",
    command=TieOrganisations,
    subject=Organisation,
    subject_id=lambda command: command.organisation_id,
    facts=_entries(references={"other_id": (Organisation, "id")}),
    rules=(all_there, sound_share),
    effects=_organisations_tied,
)
ADD_USER = Verb(
    object_type="user",
    name="add",
    command=AddUser,
    once=_once(_NEW_USER),
    facts=_entries(User, _NEW_USER, {"person_id": (User, "person_id")}),
    rules=(named, sound_account, all_there, not_taken),
    effects=_user_added,
)
GRANT_ROLE = Verb(
    object_type="user",
    name="grant",
    command=GrantRole,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=_entries(references={"organisation_id": (Organisation, "id")}),
    rules=(all_there, grant_reaches, not_oneself, user_is_active),
    effects=_role_granted,
)
REVOKE_ROLE = Verb(
    object_type="user",
    name="revoke",
    command=RevokeRole,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=_grants_of,
    rules=(not_oneself, grant_is_live),
    effects=_role_revoked,
)
DISABLE_USER = Verb(
    object_type="user",
    name="disable",
    command=DisableUser,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=_entries(),
    rules=(not_oneself, user_is_active),
    effects=_user_disabled,
)
ADD_TOKEN = Verb(
    object_type="user",
    name="add_token",
    command=AddToken,
    subject=User,
    subject_id=lambda command: command.user_id,
    once=_once(_NEW_TOKEN),
    facts=_entries(ApiToken, _NEW_TOKEN),
    rules=(user_is_active, sound_token, not_taken),
    effects=_token_added,
)
PUBLISH_STANDARD = Verb(
    object_type="standard",
    name="publish",
    command=PublishStandard,
    once=_once(_NEW_STANDARD),
    facts=_entries(StandardPack, _NEW_STANDARD),
    rules=(sound_pack, not_taken),
    effects=_standard_published,
)
ADD_PROGRAMME = Verb(
    object_type="programme",
    name="add",
    command=AddProgramme,
    once=_once(_NEW_PROGRAMME),
    facts=_entries(
        Programme,
        _NEW_PROGRAMME,
        {"pack_sha256": (StandardPack, "sha256"), "organisation_id": (Organisation, "id")},
    ),
    rules=(named, all_there, not_taken),
    effects=_programme_added,
)
