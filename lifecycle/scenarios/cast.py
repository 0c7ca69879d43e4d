"""Who does what in a load: whom the file names, else its first user who holds the role, else one made for it.

An act that would keep somebody from approving is never done by an approver: who may approve a payout is asked for
nothing but what the file names them for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.acting import Acting, ActRefused
from lifecycle.actor import Actor
from lifecycle.commands import Command
from lifecycle.errors import Refused
from lifecycle.people.commands import AddUser, GrantRole
from lifecycle.scenarios import known
from models.states import Door, OrganisationKind, Role

Wish: TypeAlias = tuple[str, str, Mapping[str, Any]]
"""Who asks for it (a login), for which place of the file, and the fields of the command."""

ADMIN = "scenario-admin"
_APPROVING = frozenset({Role.FUND_MANAGER, Role.FUND_DIRECTOR})


class ScenarioRefused(Exception):
    """A rule refused what a place of the file asks for: nothing of the file is kept."""

    def __init__(self, place: str, command: Command, error: Refused) -> None:
        self.place, self.command, self.error = place, command, error
        super().__init__(f"{place}: {error}")


@dataclass(slots=True, kw_only=True)
class Cast:
    """The play with who is in it; what was made or found lies in `ids` under its ref."""

    play: Acting
    ids: dict[str, UUID] = field(default_factory=dict)
    held: list[tuple[str, Role, UUID | None]] = field(default_factory=list)
    """(login, role, organisation), in the order in which somebody is looked for."""
    home: dict[OrganisationKind, UUID] = field(default_factory=dict)
    """The first organisation of each kind: funder and platform of what names none."""
    owners: dict[str, UUID] = field(default_factory=dict)
    """Ref of a fund or programme -> whose it is."""

    def id_of(self, ref: str | None) -> UUID | None:
        """Return the id of what a ref names; nothing for none."""
        return None if ref is None else self.ids[ref]

    def all(self, verb: type[Command], wishes: Sequence[Wish]) -> list[Mapping[str, Any]]:
        """Do the same for many places, each by its own person; answers in the order of the wishes."""
        by_person: dict[str, list[int]] = {}
        for number, (who, _, _) in enumerate(wishes):
            by_person.setdefault(who, []).append(number)
        answers: dict[int, Mapping[str, Any]] = {}
        for who, numbers in by_person.items():
            try:
                documents = self.play.do(who, verb, [wishes[number][2] for number in numbers])
            except ActRefused as refused:
                place = wishes[numbers[refused.place]][1]
                raise ScenarioRefused(place, refused.command, Refused(*refused.error.unmet)) from refused
            answers |= zip(numbers, documents, strict=True)
        return [answers[number] for number in range(len(wishes))]

    def make(self, verb: type[Command], wishes: Sequence[Wish]) -> list[UUID]:
        """Do the same and return the ids of what was made or changed."""
        return [UUID(document["object_id"]) for document in self.all(verb, wishes)]

    def hand(self, role: Role, organisation: UUID, *, besides: UUID | None = None) -> str:
        """Return the login of who does an act in this role, with another account than `besides`; made if need be."""
        approvers = {login for login, held, _ in self.held if held in _APPROVING}
        for login, held, at in self.held:
            is_free = login not in approvers and self.play.people[login].user_id != besides
            if (held, at) == (role, organisation) and is_free:
                return login
        login = f"scenario-{role}"
        if login not in self.play.people:
            self.enter([(login, "/", {"login": login, "email": f"{login}@example.org", "name": login})])
        self.grant([(login, "/", role, organisation)])
        return login

    def enter(self, people: Sequence[Wish]) -> list[UUID]:
        """Enter accounts of people, or find them by their login, which is the first element of each."""
        logins = [login for login, _, _ in people]
        there = known.users(self.play.session, logins)
        self.make(AddUser, [(ADMIN, place, fields) for login, place, fields in people if login not in there])
        there = known.users(self.play.session, logins)
        for login, row in there.items():
            self.play.people[login] = Actor(user_id=row.id, person_id=row.person_id, name=row.name, door=Door.CLI)
        return [there[login].id for login in logins]

    def grant(self, wanted: Sequence[tuple[str, str, Role, UUID | None]]) -> None:
        """Give people roles that they do not hold yet: (login, place, role, organisation)."""
        user_of = {login: self.play.people[login].user_id for login, _, _, _ in wanted}
        live = known.grants(self.play.session, list(user_of.values()))
        new = {
            (login, role, at): (ADMIN, place, {"user_id": user_of[login], "role": role, "organisation_id": at})
            for login, place, role, at in wanted
            if (user_of[login], role, at) not in live
        }
        self.all(GrantRole, list(new.values()))
        self.held += [(login, role, at) for login, _, role, at in wanted]
