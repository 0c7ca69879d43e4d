"""The organisations that rows name: found by credit code or by their key in the source, entered where they are new."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Answer, Stamp
from lifecycle.errors import Forbidden, LifecycleError, NotFound, NotSignedIn
from lifecycle.imports.outcome import ProjectRow, RowError
from lifecycle.imports.problems import ValueProblem, shown
from lifecycle.imports.seen import SeenKeys
from lifecycle.people.commands import AddOrganisation
from lifecycle.people.facts import folded
from models.limits import OUTSIDE_KEY
from models.people import Organisation
from models.states import OrganisationKind

Play: TypeAlias = Callable[..., list[Answer]]
"""The engine's `execute` or `rehearse`."""
_CODELESS, _OTHER = "-", "–"


@dataclass(slots=True)
class _Party:
    """An organisation that is there, or will be once its command is carried out."""

    id: UUID | None = None
    credit_code: str | None = None
    command: AddOrganisation | None = None
    error: LifecycleError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The applicant of each row, how many are new, and the rows that name one that cannot be."""

    ids: dict[int, UUID | None]
    brought: int
    errors: dict[int, RowError]


class Applicants:
    """Finds and enters the applicants of a chunk of rows; rehearsing, it remembers those that would be there by now."""

    def __init__(self, source: str, stamp: Stamp, play: Play | None, expected: SeenKeys | None) -> None:
        self._source, self._stamp, self._play, self._expected = source, stamp, play, expected

    def settle(self, session: Session, rows: Sequence[ProjectRow]) -> Known:
        """Return who applies in each row; raises `LifecycleError` when it is the actor who is refused."""
        named = [(row, row.credit_code, key) for row in rows for key in (_outside_key(row, self._source),)]
        known = _stored(session, named)
        parties: dict[int, _Party] = {}
        errors: dict[int, RowError] = {}
        for row, code, key in named:
            party = known.get(code) or known.get(key) or self._remembered(code, key)
            if party is None:
                # A row that names no organisation but its number brings none: a name is not invented.
                if row.organisation is None or (code is None and key is None):
                    continue
                party = _Party(credit_code=code, command=_added(row, code, key))
                known.update({name: party for name in (code, key) if name is not None})
            if code is not None and party.credit_code not in (None, code):
                problem = ValueProblem("credit_code_differs", "one credit code", known=party.credit_code or "")
                errors[row.row] = row_error(row, problem, value=code)
            else:
                parties[row.row] = party
        brought = self._enter(session, [party for party in known.values() if party.command is not None])
        errors.update(
            {row.row: refused(row, party.error) for row in rows if (party := parties.get(row.row)) and party.error}
        )
        return Known(ids={number: party.id for number, party in parties.items()}, brought=brought, errors=errors)

    def _enter(self, session: Session, named: Sequence[_Party]) -> int:
        """Carry the new ones' commands out and return how many were new."""
        commands = {party.command: party for party in named if party.command is not None}
        if self._play is None:
            for command in commands:
                self._remember(command)
            return len(commands)
        for command, answer in zip(commands, self._play(session, list(commands), stamp=self._stamp), strict=True):
            party = commands[command]
            if answer.error is not None:
                party.error = of_the_row(answer.error)
            elif answer.document.get("dry_run"):
                self._remember(command)
            else:
                party.id = UUID(answer.document["object_id"])
        return sum(party.error is None for party in commands.values())

    def _remember(self, command: AddOrganisation) -> None:
        if self._expected is None:
            return
        if command.credit_code is not None:
            self._expected.first_row(command.credit_code, 1)
        if command.outside_key is not None:
            self._expected.first_row(command.outside_key, 1)
            self._expected.first_row(f"{command.outside_key}\n{command.credit_code or _CODELESS}", 1)

    def _remembered(self, code: str | None, key: str | None) -> _Party | None:
        """Return an organisation that this rehearsal would have entered; it has no id yet."""
        if self._expected is None:
            return None
        if code is not None and code in self._expected:
            return _Party(credit_code=code)
        if key is None or key not in self._expected:
            return None
        is_codeless = f"{key}\n{_CODELESS}" in self._expected
        # Its code is none of those entered so far, or it would have been found by it: any other says so.
        return _Party(credit_code=None if is_codeless else _OTHER)


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


def refused(row: ProjectRow, error: LifecycleError) -> RowError:
    """Return the first reason why a rule of ours refuses the row."""
    reason = error.unmet[0]
    values = {name: _said(value) for name, value in reason.values.items()}
    return row_error(row, ValueProblem(reason.code, reason.code, **values))


def _said(value: Any) -> str | int:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, int) else str(value)


def of_the_row(error: LifecycleError) -> LifecycleError:
    """Return the refusal of a row; a refused actor ends the import, for no other row would fare better."""
    if isinstance(error, Forbidden | NotFound | NotSignedIn):
        raise error
    return error


def _outside_key(row: ProjectRow, source: str) -> str | None:
    """Return the key of the applicant in its source: its number, or its folded name where nothing else names it."""
    key = row.organisation_id
    if key is None and row.credit_code is None and row.organisation is not None:
        key = f"{source}:{folded(row.organisation)}"
    return f"{source}:{sha256(key)}" if key is not None and len(key) > OUTSIDE_KEY else key


def _added(row: ProjectRow, code: str | None, key: str | None) -> AddOrganisation:
    return AddOrganisation(
        command_id=f"import:organisation:{sha256(code or key or '')}",
        name=row.organisation or "",
        kind=row.organisation_kind or OrganisationKind.SME,
        credit_code=code,
        country=row.organisation_country,
        outside_key=key,
    )


def _stored(session: Session, named: Iterable[tuple[ProjectRow, str | None, str | None]]) -> dict[str | None, _Party]:
    """Return the organisations that are there, by credit code and by outside key: a key has a colon, a code none."""
    table: Any = Organisation.__table__  # type: ignore[attr-defined]
    codes = {code for _, code, _ in named if code is not None}
    keys = {key for _, _, key in named if key is not None}
    found: dict[str | None, _Party] = {}
    for column, wanted in ((table.c.credit_code, codes), (table.c.outside_key, keys)):
        if wanted:
            statement = select(table.c.id, table.c.credit_code, column.label("name")).where(column.in_(wanted))
            found.update(
                {row.name: _Party(id=row.id, credit_code=row.credit_code) for row in session.execute(statement)}
            )
    return found
