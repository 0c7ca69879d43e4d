"""Who is meant by the audience of a reminder: codes of a deadline's ladder -> accounts, each with why it is told.

A fixed number of reads for any number of reminders; disabled accounts are nobody, and being named, or owing something,
tells nothing to who holds no role there any more. Nobody is reminded of money behind the wall of an investor
(`lifecycle/funds/wall.py`). Who stands in for a role today is told beside its holder, as of any
other message (`notifications/recipients.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.funds.wall import Side, walls_of
from lifecycle.permissions import NAMED_ROLES, PARTIES_OF_ROLE
from lifecycle.verdicts.packs import packs_of
from models.evidence import Evidence
from models.funds import Fund
from models.holds import Hold
from models.payouts import Payout
from models.people import Delegation, RoleGrant, User
from models.programmes import Programme
from models.projects import Project, ProjectMember, Requirement
from models.reading import rows_by, table_of
from models.reviews import Condition, PanelMember, Waiver
from models.states import PayoutState, Role, UserStatus


class Asked(NamedTuple):
    """One reminder, as far as it says whom it is for."""

    what: str
    object_id: UUID
    project_id: UUID | None
    fund_id: UUID | None
    audience: Sequence[str]


class Person(NamedTuple):
    """An account that is told."""

    user_id: UUID
    name: str


class Place(NamedTuple):
    """Where a reminder belongs: its project, or its fund."""

    number: str
    name: str


DELEGATE = "delegate"
"""The code for which who stands in is told."""
Told: TypeAlias = Mapping[Person, str]
"""Whom -> the code for which they are told."""
_Owner: TypeAlias = tuple[frozenset[UUID], frozenset[Role]]

_TRANSFER = "transfer_due"
"""The platform that was asked answers, not the one that has the project."""
_FIRM = frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER})
LAST = frozenset({Role.OPERATOR, Role.ADMIN})
"""Who is told where nobody else is there: no reminder falls on deaf ears."""
_PAYOUT_OWNER: Mapping[str, frozenset[Role]] = {
    PayoutState.REQUESTED: frozenset({Role.CERTIFIER, Role.FUND_MANAGER}),
    PayoutState.APPROVED: frozenset({Role.PAYER}),
    PayoutState.INSTRUCTED: frozenset({Role.ACCOUNTANT}),
    PayoutState.RETURNED: frozenset({Role.FINANCE_OFFICER, Role.ACCOUNTANT}),
}


def roles_of(audience: Sequence[str]) -> frozenset[Role] | None:
    """Return the roles that an audience names; None where it depends on the thing who owes it."""
    if "owner" in audience:
        return None
    return frozenset[Role]().union(*(_FIRM if code == "firm" else {Role(code)} for code in audience))


class Directory:
    """Answers whom to tell for one chunk of reminders."""

    def __init__(self, session: Session, asked: Sequence[Asked], *, today: date) -> None:
        """Read what the chunk needs; `today` says who stands in."""
        self._session = session
        self._projects = _projects(session, {one.project_id for one in asked} - {None})
        funds = rows_by(session, Fund, "id", _ids(one.fund_id for one in asked))
        self._funds: dict[UUID | None, Any] = {key: rows[0] for key, rows in funds.items()}
        self._owners = _owners(session, asked)
        self._members = rows_by(session, ProjectMember, "project_id", _ids(self._projects))
        self._grants = self._granted()
        self._held = self._of_each()
        self._stand_ins = self._lent(today)
        users = self._named()
        self._people = {key: Person(key, row.name) for key, row in users.items()}
        self._humans = {key: row.person_id for key, row in users.items()}
        sides = {side for one in asked if (side := self._side(one)) is not None}
        self._walls = walls_of(session, sorted(sides)) if sides else {}

    def told(self, one: Asked) -> Told:
        """Return whom this reminder is for; where nobody is, whoever runs the installation."""
        found: dict[Person, str] = {}
        for code in one.audience:
            people, roles = self._meant(one, code)
            for user_id in (
                *sorted(people),
                *sorted({holder for role in roles for holder in self._holders(one, role)}),
            ):
                if person := self._reached(one, user_id):
                    found.setdefault(person, code)
        for code in one.audience if self._stand_ins else ():
            for role in self._meant(one, code)[1]:
                for user_id in sorted(self._standing_in(one, role)):
                    if person := self._reached(one, user_id):
                        found.setdefault(person, DELEGATE)
        return found or dict.fromkeys(self._everywhere(), "operator")

    def place(self, one: Asked) -> Place:
        """Return number and name of the project; of the fund where there is no project."""
        if one.project_id is not None:
            row = self._projects[one.project_id]
            return Place(row.number, row.name)
        row = self._funds[one.fund_id]
        return Place(row.code, row.name)

    def _side(self, one: Asked) -> Side | None:
        """Return the fund that pays and the firm that is paid, where both are known."""
        project = self._projects.get(one.project_id)
        return (one.fund_id, project.organisation_id) if project is not None and one.fund_id is not None else None

    def _reached(self, one: Asked, user_id: UUID) -> Person | None:
        """Return the account where it is live and its human stands behind no wall."""
        side = self._side(one)
        apart = self._walls.get(side, frozenset()) if side is not None else frozenset()
        return None if self._humans.get(user_id) in apart else self._people.get(user_id)

    def _meant(self, one: Asked, code: str) -> _Owner:
        if code == "firm":
            return frozenset(), _FIRM
        if code != "owner":
            return frozenset(), frozenset({Role(code)})
        named, roles = self._owners.get((one.what, one.object_id), (frozenset(), frozenset()))
        people = frozenset(person for person in named if self._belongs(person, one))
        return people, roles if people or roles else frozenset({Role.COORDINATOR})

    def _belongs(self, user_id: UUID, one: Asked) -> bool:
        """Say whether somebody who owes a thing may still see it: by a role at a party, or as one from outside."""
        parties = set(self._parties(one).values()) - {None}
        held = self._held.get(user_id, ())
        return any(place in parties or role in NAMED_ROLES | LAST for role, place in held)

    def _holders(self, one: Asked, role: Role) -> set[UUID]:
        """Return who was named for a role in the project, else who holds it at the party that plays the part."""
        members = self._members.get(one.project_id, ()) if one.project_id and one.what != _TRANSFER else ()
        named = {row.user_id for row in members if row.role == role and row.until_at is None}
        holders = {user for place in self._places(one, role) for user in self._grants.get((role, place), ())}
        return named & holders & self._people.keys() or holders

    def _places(self, one: Asked, role: Role) -> set[UUID | None]:
        """Return the organisations at which a role counts for this reminder."""
        parties = self._parties(one)
        return {parties.get(party) for party in PARTIES_OF_ROLE.get(role, ())} - {None}

    def _parties(self, one: Asked) -> Mapping[str, UUID | None]:
        project, fund = self._projects.get(one.project_id), self._funds.get(one.fund_id)
        parties: dict[str, UUID | None] = {}
        if project is not None:
            platform = project.transfer_to_id if one.what == _TRANSFER else project.platform_id
            parties = {"sme": project.organisation_id, "platform": platform, "receiver": project.receiver_id}
            parties |= dict.fromkeys(("funder", "programme"), project.programme_organisation_id)
        if fund is not None:
            parties |= dict.fromkeys(("funder", "programme"), fund.organisation_id)
        return parties

    def _standing_in(self, one: Asked, role: Role) -> set[UUID]:
        """Return who stands in today for a holder, where the holder's own grant reaches this."""
        holders = self._holders(one, role)
        lent = [(place, self._stand_ins.get((role, place), ())) for place in self._places(one, role)]
        held = {place: self._grants.get((role, place), set()) for place, _ in lent}
        return {row.delegate_id for place, rows in lent for row in rows if row.delegator_id in holders & held[place]}

    def _lent(self, today: date) -> dict[tuple[Role, UUID | None], list[Any]]:
        table = table_of(Delegation)
        holders = {user for users in self._grants.values() for user in users}
        statement = select(table).where(
            table.c.delegator_id.in_(holders),
            table.c.revoked_at.is_(None),
            table.c.from_on <= today,
            table.c.until_on >= today,
        )
        found: dict[tuple[Role, UUID | None], list[Any]] = {}
        for row in self._session.execute(statement):
            found.setdefault((Role(row.role), row.organisation_id), []).append(row)
        return found

    def _everywhere(self) -> list[Person]:
        held = {user for role in LAST for user in self._grants.get((role, None), ())}
        return [self._people[user] for user in sorted(held) if user in self._people]

    def _granted(self) -> dict[tuple[Role, UUID | None], set[UUID]]:
        grant = table_of(RoleGrant)
        parties = {
            getattr(row, name)
            for row in self._projects.values()
            for name in ("organisation_id", "platform_id", "receiver_id", "transfer_to_id", "programme_organisation_id")
        }
        parties |= {row.organisation_id for row in self._funds.values()}
        at_party = grant.c.organisation_id.in_(parties - {None})
        owing = {user for people, _ in self._owners.values() for user in people}
        rows = self._session.execute(
            select(grant.c.user_id, grant.c.role, grant.c.organisation_id).where(
                grant.c.revoked_at.is_(None),
                at_party | (grant.c.organisation_id.is_(None) & grant.c.role.in_(LAST)) | grant.c.user_id.in_(owing),
            )
        )
        found: dict[tuple[Role, UUID | None], set[UUID]] = {}
        for row in rows:
            found.setdefault((Role(row.role), row.organisation_id), set()).add(row.user_id)
        return found

    def _of_each(self) -> dict[UUID, list[tuple[Role, UUID | None]]]:
        found: dict[UUID, list[tuple[Role, UUID | None]]] = {}
        for place, users in self._grants.items():
            for user in users:
                found.setdefault(user, []).append(place)
        return found

    def _named(self) -> dict[UUID, Any]:
        """Return the live accounts of all who may be meant."""
        wanted = {user for people in self._grants.values() for user in people}
        wanted |= {row.user_id for rows in self._members.values() for row in rows}
        wanted |= {user for people, _ in self._owners.values() for user in people}
        wanted |= {row.delegate_id for rows in self._stand_ins.values() for row in rows}
        rows = rows_by(self._session, User, "id", sorted(wanted))
        return {key: row for key, (row,) in rows.items() if row.status == UserStatus.ACTIVE}


def _ids(found: Iterable[UUID | None]) -> list[UUID]:
    return sorted({one for one in found if one is not None})


def _projects(session: Session, ids: set[UUID | None]) -> dict[UUID | None, Any]:
    project, programme = table_of(Project), table_of(Programme)
    names = ("id", "number", "name", "organisation_id", "platform_id", "receiver_id", "transfer_to_id")
    statement = (
        select(*(project.c[name] for name in names), programme.c.organisation_id.label("programme_organisation_id"))
        .join(programme, programme.c.id == project.c.programme_id)
        .where(project.c.id.in_(ids))
    )
    return {row.id: row for row in session.execute(statement)}


def _owners(session: Session, asked: Sequence[Asked]) -> dict[tuple[str, UUID], _Owner]:
    """Return (deadline, object) -> who owes it, in person or by role."""
    found: dict[tuple[str, UUID], _Owner] = {}
    for what, read in _OWNER.items():
        ids = [one.object_id for one in asked if one.what == what and "owner" in one.audience]
        if ids:
            found |= {(what, key): owner for key, owner in read(session, ids)}
    return found


def _in_person(model: Any, column: str) -> Callable[[Session, Sequence[UUID]], Iterable[tuple[UUID, _Owner]]]:
    def read(session: Session, ids: Sequence[UUID]) -> Iterable[tuple[UUID, _Owner]]:
        for key, (row,) in rows_by(session, model, "id", ids).items():
            owner = getattr(row, column)
            yield key, (frozenset({owner} - {None}), frozenset())

    return read


def _by_clause(session: Session, ids: Sequence[UUID]) -> Iterable[tuple[UUID, _Owner]]:
    row, project = table_of(Requirement), table_of(Project)
    statement = select(row.c.id, row.c.clause, project.c.pack_sha256).join(project, project.c.id == row.c.project_id)
    rows = session.execute(statement.where(row.c.id.in_(ids))).all()
    packs = packs_of(session, {one.pack_sha256 for one in rows})
    for one in rows:
        owed_by = packs[one.pack_sha256].criterion(one.clause).owed_by
        yield one.id, (frozenset(), frozenset(owes.role for owes in owed_by))


def _by_state(session: Session, ids: Sequence[UUID]) -> Iterable[tuple[UUID, _Owner]]:
    for key, (row,) in rows_by(session, Payout, "id", ids).items():
        yield key, (frozenset(), _PAYOUT_OWNER.get(row.state, frozenset({Role.FUND_MANAGER})))


def _by_panel(session: Session, ids: Sequence[UUID]) -> Iterable[tuple[UUID, _Owner]]:
    for key, rows in rows_by(session, PanelMember, "review_id", ids).items():
        sitting = [row for row in rows if row.recused_on is None]
        chairs = [row.user_id for row in sitting if row.is_chair] or [row.user_id for row in sitting]
        yield key, (frozenset(chairs), frozenset())


_OWNER: Mapping[str, Callable[[Session, Sequence[UUID]], Iterable[tuple[UUID, _Owner]]]] = {
    "requirement_due": _by_clause,
    "condition_due": _in_person(Condition, "owner_id"),
    "evidence_expiry": _in_person(Evidence, "author_id"),
    "hold_ends": _in_person(Hold, "put_by"),
    "waiver_ends": _in_person(Waiver, "granted_by"),
    "review_planned": _by_panel,
    "payout_promise": _by_state,
}
"""Deadline -> who owes it; of the others the coordinator does."""
