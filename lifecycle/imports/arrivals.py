"""One chunk of rows meets the database: who is known already, which commands are owed, and what becomes of each row.

The same code carries out and rehearses: it is given the engine's `execute` or its `rehearse`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle import engine
from lifecycle.canonical import sha256
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.errors import KeyReused, LifecycleError, Refused
from lifecycle.imports.outcome import ProjectRow, RowError
from lifecycle.imports.problems import ValueProblem, shown
from lifecycle.imports.seen import SeenKeys
from lifecycle.people.commands import AddOrganisation, folded
from lifecycle.projects.registration import ImportProject, UpdateImported
from models.limits import OUTSIDE_KEY
from models.people import Organisation
from models.projects import Project
from models.states import OrganisationKind

K = TypeVar("K")
Play: TypeAlias = Callable[..., list[Answer]]


class Fate(StrEnum):
    """What becomes of a row of the file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the projects come in, and whose numbers their keys are."""

    source: str
    programme_id: UUID
    platform_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A good row with its fate; with its error where a rule of ours or the database refused it."""

    row: ProjectRow
    fate: Fate
    error: RowError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What became of a chunk, and how many organisations it brought."""

    settled: tuple[Settled, ...] = ()
    organisations: int = 0


@dataclass(frozen=True, slots=True)
class _Applicant:
    """An organisation as rows name it: found by its credit code where it has one, else by its key in the source."""

    row: ProjectRow
    credit_code: str | None
    outside_key: str | None

    @property
    def identity(self) -> str:
        return self.credit_code or self.outside_key or ""


@dataclass(slots=True)
class _Family:
    """The rows of one key in this chunk; several only where the mapping merges them."""

    head: ProjectRow | None
    """The row that makes or changes the project; None when it came in an earlier chunk."""
    stored: Any
    also: list[dict[str, Any]] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)


class _Expected:
    """What a rehearsal would have stored by now, by key."""

    def __init__(self) -> None:
        self.projects, self.organisations = SeenKeys(), SeenKeys()


class Reception:
    """Settles chunks of rows, each with a number of reads and writes that does not depend on its length."""

    def __init__(self, into: Destination, stamp: Stamp, play: Play, expected: "_Expected | None") -> None:
        self._into, self._stamp, self._play, self._expected = into, stamp, play, expected

    @classmethod
    def writing(cls, into: Destination, stamp: Stamp) -> "Reception":
        """Return a reception that carries out what rows ask for."""
        return cls(into, stamp, engine.execute, None)

    @classmethod
    def rehearsing(cls, into: Destination, stamp: Stamp) -> "Reception":
        """Return a reception that says what would be done, and remembers what would be there by now."""
        return cls(into, stamp, engine.rehearse, _Expected())

    def settle(self, session: Session, rows: Sequence[ProjectRow]) -> Arrived:
        """Carry out what the rows ask for, or rehearse it.

        Raises `LifecycleError` when it is the actor, not a row, that is refused.
        """
        parties, brought, errors = self._parties(session, rows)
        families = self._families(session, [row for row in rows if row.row not in errors])
        asked = dict(self._commands(families, parties))
        for key, refusal in self._played(session, asked).items():
            family = families[key]
            errors.update({number: _refused(_of(rows, number), refusal) for number in family.fates})
        self._remember(family.head for family in families.values() if family.head and family.head.row not in errors)
        fates = {number: fate for family in families.values() for number, fate in family.fates.items()}
        settled = tuple(
            Settled(row=row, fate=Fate.WRONG if row.row in errors else fates[row.row], error=errors.get(row.row))
            for row in rows
        )
        return Arrived(settled=settled, organisations=brought)

    def _parties(
        self, session: Session, rows: Sequence[ProjectRow]
    ) -> tuple[dict[int, UUID | None], int, dict[int, RowError]]:
        """Return the applicant of each row, how many organisations are new, and the rows whose applicant is refused."""
        named = {row.row: applicant for row in rows if (applicant := _applicant(row, self._into.source)) is not None}
        by_code, by_key = _known_organisations(session, named.values())
        found: dict[int, UUID | None] = {}
        missing: dict[str, _Applicant] = {}
        errors: dict[int, RowError] = {}
        for number, applicant in named.items():
            same = by_code.get(applicant.credit_code) or by_key.get(applicant.outside_key)
            if same is None:
                missing.setdefault(applicant.identity, applicant)
            elif applicant.credit_code and same.credit_code not in (None, applicant.credit_code):
                problem = ValueProblem("credit_code_differs", "one credit code", known=same.credit_code)
                errors[number] = row_error(applicant.row, problem, value=applicant.credit_code)
            else:
                found[number] = same.id
        # A row that names no organisation but its number brings none: a name is not invented.
        asked = {
            identity: _add_organisation(applicant)
            for identity, applicant in missing.items()
            if applicant.row.organisation is not None
        }
        answers = dict(zip(asked, self._play(session, list(asked.values()), stamp=self._stamp), strict=True))
        brought = sum(self._is_first(identity) for identity, answer in answers.items() if answer.is_done)
        for number, applicant in named.items():
            answer = answers.get(applicant.identity)
            if number in found or number in errors or answer is None:
                continue
            if answer.error is None:
                # Rehearsed, the organisation has no id yet.
                found[number] = None if answer.document.get("dry_run") else UUID(answer.document["object_id"])
            else:
                errors[number] = _refused(applicant.row, _of_the_row(answer.error))
        return found, brought, errors

    def _is_first(self, identity: str) -> bool:
        return self._expected is None or self._expected.organisations.first_row(identity, 1) is None

    def _remember(self, rows: Iterable[ProjectRow]) -> None:
        if self._expected is not None:
            for row in rows:
                self._expected.projects.first_row(row.key, row.row)

    def _families(self, session: Session, rows: Sequence[ProjectRow]) -> dict[str, _Family]:
        """Group the rows by key and say the fate of each."""
        stored = _known_projects(session, rows)
        families: dict[str, _Family] = {}
        for row in rows:
            family = families.get(row.key)
            if family is None:
                family = families[row.key] = _Family(head=None, stored=stored.get(row.key))
                if family.stored is not None and family.stored.outside:
                    family.also = list(family.stored.outside.get("also", ()))
                if row.first_row is None or not self._is_expected(row, family.stored):
                    family.head = row
                    family.fates[row.row] = _fate(row, family.stored)
                    continue
            family.fates[row.row] = _joined(row, family)
        return families

    def _is_expected(self, row: ProjectRow, stored: Any) -> bool:
        """Say whether the project of a further row is there, or would be by now if this were no rehearsal."""
        return stored is not None or (self._expected is not None and row.key in self._expected.projects)

    def _commands(
        self, families: Mapping[str, _Family], parties: Mapping[int, UUID | None]
    ) -> Iterable[tuple[str, Command]]:
        """Yield the command that each family needs, those that import first: each kind is one wave of the engine."""
        moved = {key: family for key, family in families.items() if set(family.fates.values()) - {Fate.UNCHANGED}}
        for key, family in moved.items():
            if family.stored is None and family.head is not None:
                yield key, self._import(family.head, family.also, parties.get(family.head.row))
        for key, family in moved.items():
            if family.stored is not None:
                yield key, self._update(family)

    def _import(
        self, row: ProjectRow, also: Sequence[Mapping[str, Any]], organisation_id: UUID | None
    ) -> ImportProject:
        return ImportProject(
            command_id=f"import:{sha256(row.key)}",
            programme_id=self._into.programme_id,
            platform_id=self._into.platform_id,
            organisation_id=organisation_id,
            name=row.name or "",
            stage=row.stage,
            received_on=None if row.received_on is None else row.received_on.on,
            received_precision="none" if row.received_on is None else row.received_on.precision,
            outside_key=row.key,
            outside=_outside(row, also),
            outside_sha256=row.content_sha256(),
            parent_key=row.parent_key,
            trl=row.trl_current,
            mrl=row.mrl,
        )

    def _update(self, family: _Family) -> UpdateImported:
        """Return the command that brings what is new; the version in its key lets a text come back after another."""
        row, stored = family.head, family.stored
        is_changed = row is not None and family.fates[row.row] is Fate.CHANGED
        outside = (
            _outside(row, family.also) if row is not None and is_changed else {**stored.outside, "also": family.also}
        )
        content = row.content_sha256() if row is not None and is_changed else stored.outside_sha256
        told = sha256("\n".join([stored.outside_key, content, *(one["sha256"] for one in family.also)]))
        return UpdateImported(
            command_id=f"import:{told}:{stored.version}",
            project_id=stored.id,
            name=(row.name or "") if row is not None and is_changed else stored.name,
            outside=outside,
            outside_sha256=content,
        )

    def _played(self, session: Session, asked: Mapping[str, Command]) -> dict[str, LifecycleError]:
        """Play the commands and return the refusals by key."""
        answers = self._play(session, list(asked.values()), stamp=self._stamp)
        return {
            key: _of_the_row(answer.error)
            for key, answer in zip(asked, answers, strict=True)
            if answer.error is not None
        }


def row_error(row: ProjectRow, problem: ValueProblem, *, value: str = "") -> RowError:
    """Return what is wrong with a row that could be read, but not be brought in."""
    return RowError(
        file=row.file,
        row=row.row,
        column=None,
        value=shown(value or row.key),
        rule=problem.rule,
        code=problem.code,
        params=problem.params,
        cells=dict(row.cells),
    )


def _refused(row: ProjectRow, error: LifecycleError) -> RowError:
    reason = error.unmet[0]
    values = {name: value if isinstance(value, int) else str(value) for name, value in reason.values.items()}
    return row_error(row, ValueProblem(reason.code, reason.code, **values))


def _of_the_row(error: LifecycleError) -> LifecycleError:
    """Return the refusal of a row; a refused actor ends the import, for no other row would fare better."""
    if isinstance(error, Refused | KeyReused):
        return error
    raise error


def _of(rows: Sequence[ProjectRow], number: int) -> ProjectRow:
    return next(row for row in rows if row.row == number)


def _fate(row: ProjectRow, stored: Any) -> Fate:
    if stored is None:
        return Fate.NEW
    return Fate.UNCHANGED if stored.outside_sha256 == row.content_sha256() else Fate.CHANGED


def _joined(row: ProjectRow, family: _Family) -> Fate:
    """Keep a further row of the same key beside the first one; equal rows once."""
    content = row.content_sha256()
    if any(one["sha256"] == content for one in family.also):
        return Fate.UNCHANGED
    family.also.append({**_told(row), "sha256": content})
    return Fate.CHANGED


def _applicant(row: ProjectRow, source: str) -> _Applicant | None:
    """Return the organisation that a row names; None where it names none."""
    key = row.organisation_id
    if key is None and row.credit_code is None and row.organisation is not None:
        key = f"{source}:{folded(row.organisation)}"
    if key is None and row.credit_code is None:
        return None
    if key is not None and len(key) > OUTSIDE_KEY:
        key = f"{source}:{sha256(key)}"
    return _Applicant(row, row.credit_code, key)


def _add_organisation(applicant: _Applicant) -> AddOrganisation:
    row = applicant.row
    return AddOrganisation(
        command_id=f"import:organisation:{sha256(applicant.identity)}",
        name=row.organisation or "",
        kind=row.organisation_kind or OrganisationKind.SME,
        credit_code=applicant.credit_code,
        country=row.organisation_country,
        outside_key=applicant.outside_key,
    )


def _known_organisations(
    session: Session, applicants: Iterable[_Applicant]
) -> tuple[dict[str | None, Any], dict[str | None, Any]]:
    """Return the organisations that are there, by credit code and by outside key."""
    table: Any = Organisation.__table__  # type: ignore[attr-defined]
    columns = (table.c.id, table.c.credit_code, table.c.outside_key)
    wanted = {
        table.c.credit_code: {one.credit_code for one in applicants} - {None},
        table.c.outside_key: {one.outside_key for one in applicants} - {None},
    }
    found = [
        row
        for column, values in wanted.items()
        if values
        for row in session.execute(select(*columns).where(column.in_(values)))
    ]
    by_code = {row.credit_code: row for row in found if row.credit_code is not None}
    return by_code, {row.outside_key: row for row in found if row.outside_key is not None}


def _known_projects(session: Session, rows: Sequence[ProjectRow]) -> dict[str, Any]:
    """Return the projects that are there, by outside key."""
    table: Any = Project.__table__  # type: ignore[attr-defined]
    columns = [table.c.id, table.c.outside_key, table.c.outside_sha256, table.c.version, table.c.name, table.c.outside]
    found = session.execute(select(*columns).where(table.c.outside_key.in_({row.key for row in rows})))
    return {row.outside_key: row for row in found}


def _outside(row: ProjectRow, also: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a project keeps of its source, beside what Pilotway knows itself; `also`: further rows of its key."""
    return {**_told(row), **({"also": list(also)} if also else {})}


def _told(row: ProjectRow) -> dict[str, Any]:
    days = {"received_on": row.received_on, "started_on": row.started_on, "ended_on": row.ended_on}
    levels = {"trl_start": row.trl_start, "trl_current": row.trl_current, "trl_goal": row.trl_goal, "mrl": row.mrl}
    organisation = {
        "name": row.organisation,
        "key": row.organisation_id,
        "country": row.organisation_country,
        "kind": row.organisation_kind and str(row.organisation_kind),
        "credit_code": row.credit_code,
    }
    return {
        "file": row.file,
        "row": row.row,
        "stage": str(row.stage),
        "stage_why": row.stage_why,
        "organisation": _given(organisation),
        "dates": {name: {"on": day.on.isoformat(), "precision": day.precision} for name, day in days.items() if day},
        "levels": _given(levels),
        "money": [
            {"label": one.label, "amount_minor": one.amount_minor, "currency": one.currency} for one in row.money
        ],
        "facts": row.facts,
        "missing": list(row.missing),
        "notices": [{"column": one.column, "code": one.code} for one in row.notices],
    }


def _given(values: Mapping[K, Any]) -> dict[K, Any]:
    return {key: value for key, value in values.items() if value is not None}
