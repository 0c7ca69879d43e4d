"""One chunk of rows meets the database: who is known already, which commands are owed, and what becomes of each row.

The same code carries out and rehearses: it is given the engine's `execute` or its `rehearse`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle import engine
from lifecycle.canonical import sha256
from lifecycle.commands import Command, Stamp
from lifecycle.errors import Forbidden, LifecycleError, NotFound, Refused, unmet
from lifecycle.imports.applicants import Applicants, Play, of_the_row, refused
from lifecycle.imports.differences import Change, changes_of
from lifecycle.imports.outcome import ProjectRow, RowError
from lifecycle.imports.seen import SeenKeys
from lifecycle.projects.registration import ImportProject, UpdateImported
from models.projects import Project

K = TypeVar("K")


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
    number: str = ""
    """Number of its project, where that is there."""
    changes: tuple[Change, ...] = ()
    """What it changes of a project that was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What became of a chunk, and how many organisations it brought."""

    settled: tuple[Settled, ...] = ()
    organisations: int = 0


@dataclass(slots=True)
class _Family:
    """The rows of one key in this chunk; several only where the mapping merges them."""

    head: ProjectRow | None
    """The row that makes or changes the project; None when it came in an earlier chunk."""
    stored: Any
    content: str = ""
    """Hash of what the first row says."""
    also: list[dict[str, Any]] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)
    number: str = ""
    """Of its project, once that is there."""

    def settled(self, row: ProjectRow) -> Settled:
        """Return the row with what became of it."""
        fate = self.fates[row.row]
        is_first = self.head is row and fate is Fate.CHANGED
        changes = tuple(changes_of(self.stored.name, self.stored.outside, _told(row), row.name)) if is_first else ()
        return Settled(row=row, fate=fate, number=self.number, changes=changes)


class _Expected:
    """What a rehearsal would have stored by now, by key."""

    def __init__(self) -> None:
        self.projects, self.contents, self.organisations = SeenKeys(), SeenKeys(), SeenKeys()


class Reception:
    """Settles chunks of rows, each with a number of reads and writes that does not depend on its length."""

    def __init__(self, into: Destination, stamp: Stamp, play: Play | None, expected: "_Expected | None") -> None:
        self._into, self._stamp, self._play, self._expected = into, stamp, play, expected
        self._applicants = Applicants(into.source, stamp, play, expected.organisations if expected else None)

    @classmethod
    def writing(cls, into: Destination, stamp: Stamp) -> "Reception":
        """Return a reception that carries out what rows ask for."""
        return cls(into, stamp, engine.execute, None)

    @classmethod
    def rehearsing(cls, into: Destination, stamp: Stamp) -> "Reception":
        """Return a reception that says what would be done, and remembers what would be there by now."""
        return cls(into, stamp, engine.rehearse, _Expected())

    @classmethod
    def promising(cls, into: Destination, stamp: Stamp) -> "Reception":
        """Return a reception that gives no command: for a look through what is judged when it is written."""
        return cls(into, stamp, None, _Expected())

    def settle(self, session: Session, rows: Sequence[ProjectRow]) -> Arrived:
        """Carry out what the rows ask for, or rehearse it.

        Raises `LifecycleError` when it is the actor, not a row, that is refused.
        """
        applicants = self._applicants.settle(session, rows)
        errors = applicants.errors
        families = self._families(session, [row for row in rows if row.row not in errors])
        for key, refusal in self._played(session, families, applicants.ids):
            family = families[key]
            errors.update({number: refused(_of(rows, number), refusal) for number in family.fates})
        self._remember({key: family for key, family in families.items() if not errors.keys() & family.fates.keys()})
        settled = tuple(
            Settled(row=row, fate=Fate.WRONG, error=errors[row.row])
            if row.row in errors
            else families[row.key].settled(row)
            for row in rows
        )
        return Arrived(settled=settled, organisations=applicants.brought)

    def _remember(self, families: Mapping[str, _Family]) -> None:
        if self._expected is None:
            return
        for key, family in families.items():
            self._expected.projects.first_row(key, 1)
            for content in (family.content, *(one["sha256"] for one in family.also)):
                self._expected.contents.first_row(f"{key}\n{content}", 1)

    def _families(self, session: Session, rows: Sequence[ProjectRow]) -> dict[str, _Family]:
        """Group the rows by key and say the fate of each."""
        stored = _known_projects(session, rows)
        families: dict[str, _Family] = {}
        for row in rows:
            content = row.content_sha256()
            family = families.get(row.key)
            if family is None:
                family = families[row.key] = self._family(row.key, stored.get(row.key))
                if row.first_row is None or not self._is_there(row.key, family.stored):
                    family.head, family.fates[row.row] = row, _fate(content, family.stored)
                    family.content = content
                    continue
            family.fates[row.row] = self._joined(row, content, family)
        return families

    def _family(self, key: str, stored: Any) -> _Family:
        """Return the family as it is stored; what this rehearsal would have stored since is asked by its hash."""
        if stored is None:
            return _Family(head=None, stored=None)
        is_newer = self._expected is not None and key in self._expected.projects
        content = "" if is_newer else stored.outside_sha256
        also = list((stored.outside or {}).get("also", ()))
        return _Family(head=None, stored=stored, content=content, also=also, number=stored.number)

    def _is_there(self, key: str, stored: Any) -> bool:
        """Say whether the project of a further row is there, or would be by now if this were no rehearsal."""
        return stored is not None or (self._expected is not None and key in self._expected.projects)

    def _joined(self, row: ProjectRow, content: str, family: _Family) -> Fate:
        """Keep a further row of the same key beside the first one; equal rows once."""
        is_remembered = self._expected is not None and f"{row.key}\n{content}" in self._expected.contents
        if is_remembered or content == family.content or any(one["sha256"] == content for one in family.also):
            return Fate.UNCHANGED
        family.also.append({**_told(row), "sha256": content})
        return Fate.CHANGED

    def _commands(
        self, families: Mapping[str, _Family], parties: Mapping[int, UUID | None]
    ) -> Iterable[tuple[str, Command]]:
        """Yield the command that each family needs, those that import first: each kind is one wave of the engine."""
        moved = {key: family for key, family in families.items() if set(family.fates.values()) - {Fate.UNCHANGED}}
        for key, family in moved.items():
            if family.stored is None and family.head is not None:
                yield key, self._import(family.head, family, parties.get(family.head.row))
        for key, family in moved.items():
            if family.stored is not None:
                yield key, _updated(family)

    def _import(self, row: ProjectRow, family: _Family, organisation_id: UUID | None) -> ImportProject:
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
            outside=_outside(row, family.also),
            outside_sha256=family.content,
            parent_key=row.parent_key,
            trl=row.trl_current,
            mrl=row.mrl,
        )

    def _played(
        self, session: Session, families: Mapping[str, _Family], parties: Mapping[int, UUID | None]
    ) -> Iterator[tuple[str, LifecycleError]]:
        """Play the commands that the families need and yield the refusals by key."""
        if self._play is None:
            return
        asked = dict(self._commands(families, parties))
        answers = self._play(session, list(asked.values()), stamp=self._stamp)
        for key, answer in zip(asked, answers, strict=True):
            if answer.error is not None:
                yield key, of_the_row(answer.error) if families[key].stored is None else _of_a_known(answer.error)
            elif not answer.document.get("dry_run"):
                families[key].number = families[key].number or str(answer.document["number"])


def _of_a_known(error: LifecycleError) -> LifecycleError:
    """Return the refusal of a row whose project is there: who may not change that one may still bring others."""
    return Refused(unmet("project_of_another")) if isinstance(error, Forbidden | NotFound) else error


def _updated(family: _Family) -> UpdateImported:
    """Return the command that brings what is new; the version in its key lets a text come back after another."""
    row, stored = family.head, family.stored
    if row is not None and family.fates[row.row] is Fate.CHANGED:
        name, outside, content = row.name or "", _outside(row, family.also), family.content
    else:
        name, outside, content = stored.name, {**stored.outside, "also": family.also}, stored.outside_sha256
    told = sha256("\n".join([stored.outside_key, content, *(one["sha256"] for one in family.also)]))
    return UpdateImported(
        command_id=f"import:{told}:{stored.version}",
        project_id=stored.id,
        name=name,
        outside=outside,
        outside_sha256=content,
    )


def _of(rows: Sequence[ProjectRow], number: int) -> ProjectRow:
    return next(row for row in rows if row.row == number)


def _fate(content: str, stored: Any) -> Fate:
    if stored is None:
        return Fate.NEW
    return Fate.UNCHANGED if stored.outside_sha256 == content else Fate.CHANGED


def _known_projects(session: Session, rows: Sequence[ProjectRow]) -> dict[str, Any]:
    """Return the projects that are there, by outside key."""
    table: Any = Project.__table__  # type: ignore[attr-defined]
    names = ("id", "number", "outside_key", "outside_sha256", "version", "name", "outside")
    found = session.execute(
        select(*(table.c[name] for name in names)).where(table.c.outside_key.in_({row.key for row in rows}))
    )
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
