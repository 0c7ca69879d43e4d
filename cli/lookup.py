"""From what people type (`PT-2026-0042`, a login, a credit code) to the ids that commands carry."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.errors import Invalid, NotFound, Unmet, unmet
from models.evidence import Evidence
from models.people import Organisation, User
from models.programmes import Programme, StandardPack
from models.projects import Project
from models.reviews import Review
from models.states import EvidenceStatus


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds rows by human words in one session. Each method raises `NotFound`, or `Invalid` where several fit."""

    session: Session
    today: date

    def project(self, ref: str) -> Any:
        """Find a project by number or id."""
        return self._by(Project, "number", ref, ref.upper(), "not_found")

    def user(self, ref: str) -> Any:
        """Find a user by login or id."""
        return self._by(User, "login", ref, ref, "user_not_found")

    def person(self, ref: str) -> Any:
        """Find the human behind an account, by login or id of the account."""
        user = _table(User)
        return self._first(select(user.c.person_id).where(user.c.id == self.user(ref)), ref, "user_not_found")

    def programme(self, ref: str) -> Any:
        """Find a programme by code or id."""
        return self._by(Programme, "code", ref, ref, "programme_not_found")

    def standard(self, ref: str) -> Any:
        """Find the SHA-256 of a published standard by `code@version`; the hash itself is taken too."""
        pack = _table(StandardPack)
        named = pack.c.code + "@" + pack.c.pack_version == ref
        return self._first(select(pack.c.sha256).where((pack.c.sha256 == ref) | named), ref, "pack_not_found")

    def organisation(self, ref: str) -> Any:
        """Find an organisation by credit code, name or id; a name that two bear is refused."""
        table = _table(Organisation)
        known = _uuid(ref)
        matches = table.c.id == known if known else (table.c.credit_code == ref.upper()) | (table.c.name == ref)
        found = self.session.execute(select(table.c.id).where(matches)).scalars().all()
        if len(found) > 1:
            raise Invalid(unmet("ambiguous", ref=ref, count=len(found)))
        return self._first(select(table.c.id).where(matches), ref, "organisation_not_found")

    def review(self, ref: str) -> Any:
        """Find a review by id, `PT-2026-0042` (its latest call) or `PT-2026-0042/G3` (the latest of that gate)."""
        review = _table(Review)
        if known := _uuid(ref):
            return self._first(select(review.c.id).where(review.c.id == known), ref, "not_found")
        project, _, gate = ref.partition("/")
        calls = select(review.c.id).where(review.c.project_id == self.project(project))
        if gate:
            calls = calls.where(func.upper(review.c.gate) == gate.upper())
        return self._first(calls.order_by(review.c.id.desc()).limit(1), ref, "not_found")

    def evidence(self, ref: str) -> Any:
        """Find a document by id, or as `PT-2026-0042/licence`: the newest of its type that counts."""
        evidence = _table(Evidence)
        if known := _uuid(ref):
            return self._first(select(evidence.c.id).where(evidence.c.id == known), ref, "evidence_not_found")
        project, _, kind = ref.partition("/")
        counts = (evidence.c.type == kind) & (evidence.c.status == EvidenceStatus.CURRENT)
        of_project = select(evidence.c.id).where(evidence.c.project_id == self.project(project), counts)
        return self._first(of_project.order_by(evidence.c.id.desc()).limit(1), ref, "evidence_not_found")

    def _by(self, model: Any, column: str, ref: str, value: str, absent: str) -> UUID:
        table = _table(model)
        known = _uuid(ref)
        matches = table.c.id == known if known else table.c[column] == value
        found: UUID = self._first(select(table.c.id).where(matches), ref, absent)
        return found

    def _first(self, statement: Any, ref: str, absent: str) -> Any:
        found = self.session.execute(statement).scalars().first()
        if found is None:
            raise NotFound(Unmet(code=absent, values={"ref": ref}))
        return found


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def _table(model: Any) -> Any:
    return model.__table__
