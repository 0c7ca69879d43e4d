"""Batches of one project from a workbook: the template, what would become of each row, then all of them or the good."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Forbidden, Invalid, KeyReused, LifecycleError, Refused, unmet
from lifecycle.imports.accepted import BATCH_LAYOUT, before, is_of, key_of_table, of_batches, write_down
from lifecycle.imports.arrivals import Fate
from lifecycle.imports.batch_rows import BatchRow, BatchTable, read_batches
from lifecycle.imports.batches import SUMMED, Became, Note, answer_of, bring_in
from lifecycle.imports.portfolio import How
from lifecycle.imports.problems import Unreadable, shown
from lifecycle.imports.taking_in import keep
from lifecycle.trials.commands import ADD_BATCH
from lifecycle.trials.queries import batches
from web.acts import Action, actions
from web.batch_book import XLSX, Sheet, column_said, heading, noted, row_of, said_of, spoken, with_columns, written
from web.errors import by_field, reasons_of, status_of
from web.nouns import PROJECTS
from web.papers import bringer, file_of, files_of, looked_at
from web.render import Words, page
from web.sent_files import as_invalid, key_of, need_own, on_disk
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()


@router.get("/projects/{ref}/batch-table.xlsx")
def template(visit: Somebody, ref: str) -> Response:
    """Give the workbook of a project: its number, its batches as they stand, room for more."""

    def work(session: Session) -> Sheet:
        row = PROJECTS.find(session, visit, ref)
        return Sheet(number=row.number, name=row.name, rows=[row_of(one) for one in batches(session, row.id)])

    sheet = visit.read(work)
    return _workbook(visit, sheet, f"{sheet.number}-batches.xlsx")


@router.get("/projects/{ref}/batch-table")
def ask(visit: Somebody, ref: str) -> Response:
    """Ask for the filled-in workbook."""
    return _ask(visit, ref)


@router.post("/projects/{ref}/batch-table")
def send(visit: Somebody, form: Typed, ref: str) -> Response:
    """Keep the file for a day and lead to what would become of it."""
    row, action = visit.read(lambda session: _found(session, visit, ref))
    if not action.is_allowed:
        is_right = any(reason.code == "role" for reason in action.reasons)
        error: type[LifecycleError] = Forbidden if is_right else Refused
        return _ask(visit, ref, error(*action.reasons))
    try:
        with looked_at(file_of(form)) as (path, name):
            read_batches(path, spoken(), row.number)
            kept = keep(bringer(visit), files_of(visit.house), path)
    except (Invalid, Unreadable) as problem:
        return _ask(visit, ref, _refusal(visit, problem))
    sent = _Sent(row=row, sha256=kept.sha256, name=name, key=key_of(visit, kept.sha256))
    return RedirectResponse(f"{sent.path}?{sent.query}", status_code=303)


@router.get("/projects/{ref}/batch-table/{sha256}")
def check(visit: Somebody, ref: str, sha256: str, name: str = "", key: str = "") -> Response:
    """Say what would become of each row; nothing is written."""
    sent = _sent(visit, ref, sha256, name, key)
    return _report(visit, sent, *_brought(visit, sent, How.CHECK), said="check")


@router.post("/projects/{ref}/batch-table/{sha256}")
def bring(visit: Somebody, form: Typed, ref: str, sha256: str) -> Response:
    """Bring the rows in, all of them in one transaction or the good ones where that was chosen; lead to the receipt."""
    how = How.PARTIAL if text_of(form, "how") == How.PARTIAL else How.WHOLE
    sent = _sent(visit, ref, sha256, text_of(form, "name"), text_of(form, "key"))
    command_id, own = text_of(form, "command_id"), visit.actor.user_id
    if not is_of(command_id, BATCH_LAYOUT):
        return _ask(visit, ref, Invalid(unmet("field_missing", field="command_id")))
    sending = of_batches(command_id, shown(sent.name), sha256, sent.row.id)

    def note(session: Session, found: Sequence[Became]) -> None:
        write_down(session, sending, answer_of(found), visit.stamp)

    try:
        if not visit.read(lambda session: before(session, own, sending)):
            table, found = _brought(visit, sent, how, note)
            if not any(one.command_ids for one in found) or (how is How.WHOLE and _wrong(found)):
                return _report(visit, sent, table, found, said="whole", status=409 if _wrong(found) else 200)
    except KeyReused as error:
        return _ask(visit, ref, error)
    return RedirectResponse(f"/receipts/{command_id}", status_code=303)


@router.get("/projects/{ref}/batch-table/{sha256}/marked.xlsx")
def marked(visit: Somebody, ref: str, sha256: str, key: str = "") -> Response:
    """Give the workbook back with a note in each cell that is wrong, to be mended and sent again."""
    sent = _sent(visit, ref, sha256, "", key)
    _, found = _brought(visit, sent, How.CHECK)
    row, notes = sent.row, noted([one.errors for one in found], visit.lang)
    sheet = Sheet(number=row.number, name=row.name, rows=[one.row.cells for one in found], notes=notes)
    return _workbook(visit, sheet, f"{row.number}-batches-marked.xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A table of a project that this session has sent; `key` says so."""

    row: Any
    sha256: str
    name: str
    key: str

    @property
    def path(self) -> str:
        return f"/projects/{self.row.number}/batch-table/{self.sha256}"

    @property
    def query(self) -> str:
        return urlencode({"name": self.name, "key": self.key})


def _sent(visit: Visit, ref: str, sha256: str, name: str, key: str) -> _Sent:
    row, _ = visit.read(lambda session: _found(session, visit, ref))
    need_own(visit, sha256, key)
    return _Sent(row=row, sha256=sha256, name=name, key=key)


def _report(
    visit: Visit, sent: _Sent, table: BatchTable, found: Sequence[Became], *, said: str, status: int = 200
) -> Response:
    fates = Counter(one.fate for one in found)
    moved = [one for one in found if one.command_ids]
    return page(
        visit,
        "batch_table_report.html",
        status=status,
        row=sent.row,
        name=sent.name,
        how=said,
        rows=[_line(visit, one) for one in found],
        wrong=fates[Fate.WRONG],
        fates=[(str(fate), fates[fate]) for fate in Fate if fate is not Fate.SKIPPED],
        moved=len(moved),
        totals=[(column, sum(one.row.values.get(column, 0) for one in moved)) for column in SUMMED],
        unread=table.unread,
        key=sent.key,
        command_id=key_of_table(BATCH_LAYOUT, visit.house.new_id()),
        action=sent.path,
        marked=f"{sent.path}/marked.xlsx?{urlencode({'key': sent.key})}",
    )


def _wrong(found: Sequence[Became]) -> bool:
    return any(one.fate is Fate.WRONG for one in found)


def _brought(visit: Visit, sent: _Sent, how: How, note: Note | None = None) -> tuple[BatchTable, list[Became]]:
    with on_disk(visit, sent.sha256) as path:
        try:
            table = read_batches(path, spoken(), sent.row.number)
        except Unreadable as problem:
            raise _refusal(visit, problem) from problem
    noted = {} if note is None else {"note": note}
    return table, bring_in(table.rows, sent.row.id, stamp=visit.stamp, how=how, write=visit.write, **noted)


def _found(session: Session, visit: Visit, ref: str) -> tuple[Any, Action]:
    row = PROJECTS.find(session, visit, ref)
    (action,) = actions(session, visit, PROJECTS, row, [ADD_BATCH])
    return row, action


def _ask(visit: Visit, ref: str, error: LifecycleError | None = None) -> Response:
    row, action = visit.read(lambda session: _found(session, visit, ref))
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "batch_table.html",
        status=status_of(error) if error else 200,
        row=row,
        add=action,
        reasons=reasons if action.is_allowed else (),
        wrong=by_field(reasons, {"file"}),
    )


def _line(visit: Visit, one: Became) -> Mapping[str, Any]:
    """Return a row of the report: what it says, what it changes, and what is wrong."""
    words = Words(visit.lang, visit.house.zone)
    number = str(one.row.values.get("number") or one.row.cells.get("number", ""))
    return {
        "row": one.row.row,
        "number": number,
        "is_there": one.fate in (Fate.CHANGED, Fate.UNCHANGED),
        "fate": str(one.fate),
        "started": one.row.cells.get("started", ""),
        "passed_first_time": one.row.cells.get("passed_first_time", ""),
        "changes": [
            (heading(column, visit.lang), _shown(words, column, was, one.row), _shown(words, column, new, one.row))
            for column, was, new in one.changes
        ],
        "errors": [(column_said(error, visit.lang), said_of(error, visit.lang)) for error in one.errors],
    }


def _shown(words: Words, column: str, value: Any, row: BatchRow) -> str:
    if value is None or value == {}:
        return "–"
    if column == "cost":
        return words.money(value, str(row.values.get("currency", "CNY")))
    if column == "kind":
        return words.word("kind", value)
    if isinstance(value, bool):
        return words.yes(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refusal(visit: Visit, problem: LifecycleError | Unreadable) -> LifecycleError:
    """Return what is wrong with the file, with the names of the columns that it lacks."""
    if not isinstance(problem, Unreadable):
        return problem
    problem.params = with_columns(problem.params, visit.lang)
    return as_invalid(problem)


def _workbook(visit: Visit, sheet: Sheet, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-language": visit.lang}
    return Response(written(sheet), media_type=XLSX, headers=headers)
