"""The trial batches of a project from a table, and the workbook to fill in: the way in of the console."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import select
from sqlmodel import Session

from cli.behind.import_table import write_new
from cli.door import Door
from cli.errors import PARTLY, REFUSED
from cli.output import Column, Output
from lifecycle.errors import Invalid, Refused, unmet
from lifecycle.imports.accepted import BATCH_LAYOUT, key_of_table, of_batches, write_down
from lifecycle.imports.arrivals import Fate
from lifecycle.imports.batch_rows import BatchTable, CellError, read_batches
from lifecycle.imports.batches import Became, answer_of, bring_in
from lifecycle.imports.portfolio import How
from lifecycle.imports.problems import Unreadable
from lifecycle.trials.queries import batches
from models.db import run_in_transaction
from models.projects import Project
from models.reading import table_of
from notifications.words import LANGUAGES, Lang
from web.batch_book import Sheet, column_said, heading, noted, row_of, said_of, spoken, with_columns, written

_ROWS = (
    Column(key="row"),
    Column(key="number"),
    Column(key="started"),
    Column(key="passed_first_time"),
    Column(key="fate", kind="fate"),
    Column(key="changes", is_wide=True),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for besides the file."""

    project: str
    marked: Path | None
    is_dry_run: bool
    is_partial: bool

    @property
    def how(self) -> How:
        """What is done with the file."""
        return How.CHECK if self.is_dry_run else How.PARTIAL if self.is_partial else How.WHOLE


def bring_batches(door: Door, file: Path, wish: Wish) -> None:
    """Bring the table in and say what became of each row; leaves with exit 3 or 6 when cells are wrong."""
    if wish.marked is not None and wish.marked.exists():
        raise Invalid(unmet("file_exists", file=str(wish.marked)))
    actor = door.read(door.actor)
    project = door.read(lambda session: _project(door, session, wish.project))
    try:
        table = read_batches(file, spoken(), project.number)
    except Unreadable as problem:
        place = {"row": problem.row} if problem.row is not None else {}
        params = with_columns(problem.params, door.output.lang)
        raise Refused(unmet(problem.code, **{"field": "file", **place, **params})) from None
    stamp = door.stamp(actor)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    sending = of_batches(key_of_table(BATCH_LAYOUT, stamp.new_id()), file.name, sha256, project.id)
    found = bring_in(
        table.rows,
        project.id,
        stamp=stamp,
        how=wish.how,
        write=lambda work: run_in_transaction(door.engine, work),
        note=lambda session, found: write_down(session, sending, answer_of(found), stamp),
    )
    wrong = [one for one in found if one.errors]
    if wish.marked is not None and wrong:
        cells = [one.row.cells for one in found]
        notes = noted([one.errors for one in found], door.output.lang)
        wish.marked.write_bytes(written(Sheet(number=project.number, name=project.name, rows=cells, notes=notes)))
    _show(door.output, table, found, file, project.number, wish, sending.command_id)
    if wrong:
        raise typer.Exit(PARTLY if wish.is_partial and len(wrong) < len(found) else REFUSED)


def write_template(door: Door, ref: str, out: Path | None) -> None:
    """Write the workbook of a project, with its batches as they stand; `Invalid` where the file is there already."""

    def work(session: Session) -> Sheet:
        project = _project(door, session, ref)
        rows = [row_of(one) for one in batches(session, project.id)]
        return Sheet(number=project.number, name=project.name, rows=rows)

    sheet = door.read(work)
    path = out or Path(f"{sheet.number}-batches.xlsx")
    write_new(path, written(sheet))
    if door.output.as_json:
        door.output.document({"file": str(path), "project": sheet.number, "batches": len(sheet.rows)})
    else:
        door.output.line(str(path))
        door.output.say("batch_template", project=sheet.number)


def _project(door: Door, session: Session, ref: str) -> Any:
    project = table_of(Project)
    known: UUID = door.lookup(session).project(ref)
    return session.execute(select(project.c.id, project.c.number, project.c.name).where(project.c.id == known)).one()


def _show(
    output: Output, table: BatchTable, found: Sequence[Became], file: Path, number: str, wish: Wish, key: str
) -> None:
    fates = Counter(one.fate for one in found)
    is_written = not wish.is_dry_run and (wish.is_partial or not fates[Fate.WRONG])
    receipt = key if is_written and fates[Fate.NEW] + fates[Fate.CHANGED] else None
    if output.as_json:
        output.document(_document(table, found, file, number, wish, receipt=receipt, lang=output.lang))
        return
    output.table(_ROWS, [_row(one, output.lang) for one in found])
    for name in table.unread:
        output.say("batch_column_unread", column=name)
    for one in found:
        for place, said in _errors(one, table, output.lang):
            output.warn(f"{place}: {said}", "red")
    if wish.marked is not None and fates[Fate.WRONG]:
        output.say("import_errors_file", file=str(wish.marked))
    counts = {str(fate): fates[fate] for fate in Fate}
    if wish.is_dry_run:
        output.say("import_dry_run", rows=len(found), wrong=fates[Fate.WRONG])
    elif not is_written:
        output.say("import_nothing_written", rows=len(found), wrong=fates[Fate.WRONG])
    else:
        output.say("batches_written", **counts)
    if receipt is not None:
        output.say("import_receipt", command_id=receipt)


def _row(one: Became, lang: Lang) -> dict[str, Any]:
    changes = [f"{heading(column, lang)} {_shown(was)} → {_shown(new)}" for column, was, new in one.changes]
    return {
        "row": one.row.row,
        "number": str(one.row.values.get("number") or one.row.cells.get("number", "")),
        "started": one.row.cells.get("started", ""),
        "passed_first_time": one.row.cells.get("passed_first_time", ""),
        "fate": str(one.fate),
        "changes": "; ".join(changes),
    }


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items())) or "–"
    return "–" if value is None else str(value)


def _errors(one: Became, table: BatchTable, lang: Lang) -> Iterator[tuple[str, str]]:
    """Yield (cell, what is wrong with it): `E5 Started` where the table has the column, else the row."""
    for error in one.errors:
        said = column_said(error, lang)
        yield " ".join(filter(None, (_cell(error, one, table), said))), said_of(error, lang)


def _cell(error: CellError, one: Became, table: BatchTable) -> str:
    letter = table.letters.get(error.column or "", "")
    return f"{letter}{one.row.row}"


def _document(
    table: BatchTable, found: Sequence[Became], file: Path, number: str, wish: Wish, *, receipt: str | None, lang: Lang
) -> dict[str, Any]:
    fates = Counter(one.fate for one in found)
    errors = [
        {
            "row": one.row.row,
            "cell": _cell(error, one, table),
            "column": error.column,
            "code": error.code,
            "reason": {each: said_of(error, each) for each in LANGUAGES},
        }
        for one in found
        for error in one.errors
    ]
    report = {
        "format": "pilotway-import-batches/1",
        "file": file.name,
        "project": number,
        "dry_run": wish.is_dry_run,
        "partial": wish.is_partial,
        "written": receipt is not None,
        "rows": {str(fate): fates[fate] for fate in Fate if fate is not Fate.SKIPPED},
        "unread": list(table.unread),
        "batches": [_row(one, lang) for one in found],
        "errors": errors,
        "receipt": receipt,
    }
    if not errors or (wish.is_partial and fates[Fate.WRONG] < len(found)):
        return report
    codes = list(dict.fromkeys(error["code"] for error in errors))
    detail = f"{fates[Fate.WRONG]}/{len(found)}"
    return {"error": {"code": "import_wrong_rows", "unmet": codes, "detail": detail, "report": report}}
