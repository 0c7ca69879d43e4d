"""A bank's workbooks: which bank takes which, and a result workbook with the batch that it answers.

A workbook is read by the template that its batch was written by. Which batch that is, its own end-to-end ids say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.banking.bank_excel import Result, read_result
from lifecycle.banking.orders import OUR_ID
from lifecycle.banking.own_ids import SentByWhatIsLost, is_own
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.template import Template, template_of
from lifecycle.imports.archive import MAX_FILE, MEBIBYTE
from lifecycle.imports.mapping import MappingProblem, loaded
from lifecycle.imports.problems import Unreadable, shown
from lifecycle.imports.table import CellProblem, RawRow, column_letter
from lifecycle.imports.xlsx_file import xlsx_rows
from lifecycle.payouts.batches import order_of
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import rows_by, table_of
from models.settings import SettingsError

_VARIABLE = "PILOTWAY_BANK_TEMPLATES"
_BANK_CODE = re.compile(r"[A-Z0-9]{8,14}", re.ASCII)
_ROWS_SEARCHED = 50
"""Rows in which the first id of ours must stand; portals put a few lines of their own above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a result workbook says, and the batch that it answers."""

    batch: Any
    instructions: tuple[Any, ...]
    result: Result


def templates_in(folder: Path | None) -> Mapping[str, Template]:
    """Return bank code -> template, from files named by the code; `SettingsError` names the file that is wrong."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise SettingsError(_VARIABLE, f"{folder} is no folder")
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        if not _BANK_CODE.fullmatch(path.stem):
            raise SettingsError(_VARIABLE, f"{path.name} is not named by the code of a bank")
        try:
            found[path.stem] = loaded(path, template_of)
        except MappingProblem as problem:
            raise SettingsError(_VARIABLE, str(problem)) from None
        except BankFileRefused as refused:
            raise SettingsError(_VARIABLE, f"{path.name}: {refused.element}: {refused.rule}") from None
    return found


def read_workbook(session: Session, stream: BinaryIO) -> Answered:
    """Return what a result workbook says; `BankFileRefused` with sheet, row, column and rule for anything doubtful."""
    rows = _rows(stream)
    sheet = shown(rows[0].sheet) if rows else "–"
    batch = _batch_named(session, rows, sheet)
    instructions = tuple(rows_by(session, PaymentInstruction, "batch_id", [batch.id], "end_to_end_id")[batch.id])
    template = template_of(batch.template)
    for row in rows:
        if row.number >= template.answer.heading_row:
            for problem in row.problems:
                raise _refused(row, problem)
    cells = ((row.number, row.cells) for row in rows)
    result = read_result(cells, template, order_of(batch, instructions), sheet=sheet)
    return Answered(batch=batch, instructions=instructions, result=result)


def _rows(stream: BinaryIO) -> list[RawRow]:
    """Return all rows of the only visible sheet; the hardened reader needs a file that it can open anew."""
    with NamedTemporaryFile(suffix=".xlsx") as file:
        while file.tell() <= MAX_FILE and (chunk := stream.read(MEBIBYTE)):
            file.write(chunk)  # the reader refuses what is over the limit, here it only may not fill the disk
        file.flush()
        try:
            return list(xlsx_rows(Path(file.name), None, 1))
        except Unreadable as problem:
            raise BankFileRefused("bank_workbook", element="file", rule=problem.rule, why=problem.code) from None


def _refused(row: RawRow, problem: CellProblem) -> BankFileRefused:
    place = f"row {row.number}" if problem.index is None else f"{column_letter(problem.index)}{row.number}"
    element = f"{shown(row.sheet)}/{place}"
    return BankFileRefused("bank_workbook", element=element, rule=problem.problem.rule, why=problem.problem.code)


def _batch_named(session: Session, rows: list[RawRow], sheet: str) -> Any:
    """Return the batch of the first row that names one of ours; only what went out as a workbook is answered by one."""
    batch, instruction = table_of(PaymentBatch), table_of(PaymentInstruction)
    own: set[Any] = set()
    for row in rows[:_ROWS_SEARCHED]:
        ids = [text for cell in row.cells if OUR_ID.fullmatch(text := cell.strip())]
        named = (
            select(batch)
            .join(instruction, instruction.c.batch_id == batch.c.id)
            .where(instruction.c.end_to_end_id.in_(ids), batch.c.format == "bank_excel")
            .limit(1)
        )
        found = session.execute(named).first() if ids else None
        if found is not None:
            return found
        own |= {one for one in ids if is_own(one)}
    known = rows_by(session, PaymentInstruction, "end_to_end_id", own)
    if lost := sorted(own - set(known)):
        raise SentByWhatIsLost("bank_result_foreign", element=sheet, rule="an id of ours", found=lost[0])
    raise BankFileRefused("bank_result_foreign", element=sheet, rule="an id of ours", found="–")
