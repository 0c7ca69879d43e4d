"""From what people type (`PT-2026-0042`, a login, a credit code, `B-03`) to the ids that commands carry."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.errors import Invalid, NotFound, unmet
from models.people import Organisation, User
from models.programmes import Programme, StandardPack
from models.projects import Project
from models.reviews import Review


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds rows by human words in one session. Each method raises `NotFound`, or `Invalid` where several fit."""

    session: Session
    today: date

    def project(self, ref: str) -> UUID:
        """Find a project by number or id."""
        return self._by(Project, "number", ref.upper(), ref)

    def user(self, ref: str) -> UUID:
        """Find a user by login or id."""
        return self._by(User, "login", ref, ref)

    def person(self, ref: str) -> UUID:
        """Find the human behind an account, by login or id of the account."""
        user = _table(User)
        return _one(list(self.session.execute(select(user.c.person_id).where(user.c.id == self.user(ref))).scalars()), ref)

    def standard(self, ref: str) -> str:
        """Find the SHA-256 of a published standard by `code@version`; the hash itself is taken too."""
        pack = _table(StandardPack)
        found = self.session.execute(
            select(pack.c.sha256).where((pack.c.sha256 == ref) | (pack.c.code + "@" + pack.c.pack_version == ref))
        ).scalars()
        sha256: str = _one(list(found), ref)
        return sha256

    def programme(self, ref: str) -> UUID:
        """Find a programme by code or id."""
        return self._by(Programme, "code", ref, ref)

    def organisation(self, ref: str) -> UUID:
        """Find an organisation by credit code, name or id; a name that two bear is refused."""
        table = _table(Organisation)
        known = _uuid(ref)
        matches = table.c.id == known if known else (table.c.credit_code == ref.upper()) | (table.c.name == ref)
        found = list(self.session.execute(select(table.c.id).where(matches)).scalars())
        if len(found) > 1:
            raise Invalid(unmet("ambiguous", ref=ref, count=len(found)))
        return _one(found, ref)

    def review(self, ref: str) -> UUID:
        """Find a review by id, `PT-2026-0042` (its latest call) or `PT-2026-0042/G3` (the latest of that gate)."""
        if known := _uuid(ref):
            return _one(list(self.session.execute(select(_table(Review).c.id).where(_table(Review).c.id == known)).scalars()), ref)
        project, _, gate = ref.partition("/")
        table = _table(Review)
        calls = select(table.c.id).where(table.c.project_id == self.project(project))
        if gate:
            calls = calls.where(func.upper(table.c.gate) == gate.upper())
        return _one(list(self.session.execute(calls.order_by(table.c.id.desc()).limit(1)).scalars()), ref)

    def _by(self, model: Any, column: str, value: str, ref: str) -> UUID:
        table = _table(model)
        known = _uuid(ref)
        matches = table.c.id == known if known else table.c[column] == value
        return _one(list(self.session.execute(select(table.c.id).where(matches)).scalars()), ref)


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def _one(found: list[Any], ref: str) -> Any:
    if not found:
        raise NotFound(unmet("not_found", ref=ref))
    return found[0]


def _table(model: Any) -> Any:
    return model.__table__
