"""The batches of one project come in from a table: what became of each row, or would, by the verbs of every other door.

The batch number is the key of a row. A number that is not there yet is recorded; one that is there is corrected or
closed where the row says something else. What a row leaves empty stays as it is, and a repeat changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.engine import Later, execute
from lifecycle.errors import Forbidden, LifecycleError, NotFound
from lifecycle.imports.arrivals import Fate
from lifecycle.imports.batch_rows import BatchRow, CellError
from lifecycle.imports.portfolio import How, Run
from lifecycle.trials.commands import AddBatch, CloseBatch, CorrectBatch
from models.reading import table_of
from models.trials import BatchFigure, TrialBatch

SUMMED = ("started", "passed_first_time")
_FIXED = ("made_on", "kind", "revision", "size", "hours", "recipe", "equipment", "worker")
"""What was said of a batch when it was recorded: no verb changes it."""
_FIGURES = ("started", "passed_first_time", "defects", "is_conforming", "cost", "currency")
_FIELDS = {"cost": "cost_minor"}
_COLUMNS = {"cost_minor": "cost", "batch": "number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of a row, or would."""

    row: BatchRow
    fate: Fate
    changes: tuple[tuple[str, Any, Any], ...] = ()
    """(column, before, after) of a batch that was there."""
    errors: tuple[CellError, ...] = ()
    command_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What one row asks for."""

    row: BatchRow
    commands: tuple[Command, ...] = ()
    changes: tuple[tuple[str, Any, Any], ...] = ()
    errors: tuple[CellError, ...] = ()


class _Undo(Exception):
    """Ends a transaction that was only tried, or in which a row turned out wrong."""


Note: TypeAlias = Callable[[Session, Sequence[Became]], None]


def _nothing(_session: Session, _found: Sequence[Became]) -> None:
    """Note nothing."""


def bring_in(
    rows: Sequence[BatchRow], project_id: UUID, *, stamp: Stamp, how: How, write: Run, note: Note = _nothing
) -> list[Became]:
    """Bring batches in and say what became of each row: nothing but a look, all or none, or the good ones.

    Each row is judged after those before it, as if they were written: what a smaller batch unlocks is open to the next
    one of the same table. `note` is called with all of them in the transaction that brings some in. Raises
    `LifecycleError` when the actor may not.
    """
    wrong: dict[int, Became] = {}

    def whole(found: Sequence[Became]) -> list[Became]:
        return sorted([*found, *wrong.values()], key=lambda one: one.row.row)

    while True:  # fewer rows each time
        left = [row for row in rows if row.row not in wrong]
        found = _tried(left, project_id, stamp, how, write, lambda session, found: note(session, whole(found)))
        bad = {one.row.row: one for one in found if one.fate is Fate.WRONG}
        if not bad or how is not How.PARTIAL:
            return whole(found)
        wrong |= bad


def answer_of(found: Sequence[Became]) -> Mapping[str, Any]:
    """Return what is kept of a table: what became of each row, with the keys of its commands."""
    fates = Counter(one.fate for one in found)
    moved = [one for one in found if one.command_ids]
    return {
        "through": max(one.row.row for one in found),
        "rows": {str(fate): fates[fate] for fate in Fate if fate is not Fate.SKIPPED},
        "totals": [[name, sum(one.row.values.get(name, 0) for one in moved)] for name in SUMMED],
        "batches": [
            {
                "row": one.row.row,
                "number": str(one.row.values.get("number") or one.row.cells.get("number", "")),
                "fate": str(one.fate),
                "figures": [one.row.cells.get(name, "") for name in SUMMED],
                "errors": [[error.column, error.code, error.params] for error in one.errors],
                "receipts": one.command_ids,
            }
            for one in found
        ],
    }


def _tried(rows: Sequence[BatchRow], project_id: UUID, stamp: Stamp, how: How, write: Run, note: Note) -> list[Became]:
    """Carry the rows out in one transaction, and take it back where one is wrong or it was but a look."""
    found: list[Became] = []
    refused: list[LifecycleError] = []

    def work(session: Session) -> None:
        later = Later()
        known = _stored(session, project_id)
        plans = [_planned(row, known.get(row.values.get("number")), project_id) for row in rows]
        commands = [one for plan in plans for one in plan.commands]
        answers = {one.command.command_id: one for one in execute(session, commands, stamp=stamp, later=later)}
        refused[:] = [one.error for one in answers.values() if isinstance(one.error, Forbidden | NotFound)]
        found[:] = [_became(plan, answers) for plan in plans]
        if refused and how is not How.CHECK:
            return  # nothing but the mark that somebody tried
        if how is How.CHECK or any(one.fate is Fate.WRONG for one in found):
            raise _Undo
        later.run(session)
        if any(one.command_ids for one in found):
            note(session, found)

    with suppress(_Undo):
        write(work)
    if refused:
        raise refused[0]
    return found


def _stored(session: Session, project_id: UUID) -> Mapping[Any, Any]:
    """Return the batches of a project by number, each with its latest figures."""
    batch, figure = table_of(TrialBatch), table_of(BatchFigure)
    entries = figure.alias()
    latest = select(func.max(entries.c.entry_no)).where(entries.c.batch_id == batch.c.id).scalar_subquery()
    kept = ("entry_no", "started", "passed_first_time", "defects", "is_conforming", "cost_minor", "currency")
    statement = (
        select(*(batch.c[name] for name in ("number", "is_closed", *_FIXED)), *(figure.c[name] for name in kept))
        .select_from(batch.join(figure, (figure.c.batch_id == batch.c.id) & (figure.c.entry_no == latest)))
        .where(batch.c.project_id == project_id)
    )
    return {row.number: row for row in session.execute(statement)}


def _planned(row: BatchRow, stored: Any, project_id: UUID) -> _Plan:
    if row.errors:
        return _Plan(row=row, errors=row.errors)
    return _new(row, project_id) if stored is None else _changed(row, stored, project_id)


def _new(row: BatchRow, project_id: UUID) -> _Plan:
    said = {_FIELDS.get(name, name): value for name, value in row.values.items() if name != "reason"}
    command = AddBatch(command_id=_key(project_id, row, 0, "add"), project_id=project_id, **said)
    return _Plan(row=row, commands=(command,))


def _changed(row: BatchRow, stored: Any, project_id: UUID) -> _Plan:
    """Return the correction, the closing, or both, that a row asks of a batch that is there."""
    changes = tuple(_differences(row, stored))
    named = {name for name, _, _ in changes}
    errors = [
        CellError(column=name, code="batch_fixed", params={"value": str(was)})
        for name, was, _ in changes
        if name in _FIXED
    ]
    closes = "is_closed" in named
    if closes and not row.values["is_closed"]:
        errors.append(CellError(column="is_closed", code="batch_closed_already", params={"number": stored.number}))
    conforms = row.values.get("is_conforming", stored.is_conforming)
    if closes and conforms is None:
        errors.append(CellError(column="is_conforming", code="value_required", params={"field": "is_conforming"}))
    figures = named & set(_FIGURES) - ({"is_conforming"} if closes else set())
    if figures and "reason" not in row.values:
        errors.append(CellError(column="reason", code="batch_reason_missing"))
    if errors:
        return _Plan(row=row, errors=tuple(errors))
    commands: list[Command] = []
    if figures:
        after = {name: _after(row, stored, name) for name in _FIGURES}
        commands.append(
            CorrectBatch(
                command_id=_key(project_id, row, stored.entry_no, "correct"),
                project_id=project_id,
                number=stored.number,
                reason=row.values["reason"],
                **{_FIELDS.get(name, name): value for name, value in after.items()},
            )
        )
    if closes:
        key = _key(project_id, row, stored.entry_no, "close")
        commands.append(
            CloseBatch(command_id=key, project_id=project_id, number=stored.number, is_conforming=bool(conforms))
        )
    return _Plan(row=row, commands=tuple(commands), changes=changes)


def _differences(row: BatchRow, stored: Any) -> Iterator[tuple[str, Any, Any]]:
    for name in (*_FIXED, *_FIGURES, "is_closed"):
        if name in row.values:
            was = getattr(stored, _FIELDS.get(name, name))
            if was != row.values[name]:
                yield name, was, row.values[name]


def _after(row: BatchRow, stored: Any, name: str) -> Any:
    """Return a figure as it will stand: what the row says, else what stood."""
    return row.values.get(name, getattr(stored, _FIELDS.get(name, name)))


def _key(project_id: UUID, row: BatchRow, entry_no: int, verb: str) -> str:
    """Return the key of a command: the same row on the same figures is one command, however often it is sent."""
    said = ";".join(f"{name}={row.values[name]}" for name in sorted(row.values))
    return f"import:{sha256(f'{project_id}:{entry_no}:{verb}:{said}')}"


def _became(plan: _Plan, answers: Mapping[str, Answer]) -> Became:
    given = [answers[one.command_id] for one in plan.commands]
    errors = [*plan.errors, *(_cell_error(reason) for one in given if one.error for reason in one.error.unmet)]
    if errors:
        return Became(row=plan.row, fate=Fate.WRONG, errors=tuple(errors))
    fate = Fate.UNCHANGED if not given else Fate.CHANGED if plan.changes else Fate.NEW
    keys = tuple(one.command_id for one in plan.commands)
    return Became(row=plan.row, fate=fate, changes=plan.changes, command_ids=keys)


def _cell_error(reason: Any) -> CellError:
    """Return a refusal of the verbs at the cell that it is about, where it names one."""
    name = str(reason.values.get("field", ""))
    column = _COLUMNS.get(name, name) if name else _BLAMED.get(reason.code)
    return CellError(column=column or None, code=reason.code, params=dict(reason.values))


_BLAMED = {
    "batch_figures": "passed_first_time",
    "batch_defects": "defects",
    "batch_number_wrong": "number",
    "batch_size_wrong": "size",
    "cost_needs_currency": "currency",
    "day_in_future": "made_on",
}
