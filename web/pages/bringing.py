"""Projects from a table: upload, its columns, what would become of each row, then all or nothing, and the receipt."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Forbidden, Invalid, KeyReused, LifecycleError, Stale, unmet
from lifecycle.imports.accepted import (
    TableFile,
    answer_of,
    brought_before,
    is_of,
    key_of_table,
    of_projects,
    remembered,
    told,
    write_down,
)
from lifecycle.imports.arrivals import Fate
from lifecycle.imports.columns import FIELDS, Layout, chosen_before, suggested, unclear
from lifecycle.imports.differences import heading_of
from lifecycle.imports.errors_book import MOST_ROWS, ErrorsBook
from lifecycle.imports.errors_file import ErrorsFile
from lifecycle.imports.mapping import load_mapping, shipped_mappings
from lifecycle.imports.portfolio import CHUNK, How, Step, bring_in
from lifecycle.imports.portfolio import Door as Access
from lifecycle.imports.problems import Unreadable, shown
from lifecycle.imports.reader import open_table
from lifecycle.imports.report import MOVED, SHOWN, Line, Report
from lifecycle.imports.taking_in import keep
from lifecycle.projects.registration import IMPORT
from models.money import CURRENCY_DECIMALS
from models.people import Organisation
from models.programmes import Programme
from models.reading import table_of
from models.states import OrganisationKind, ProjectState, Role
from notifications.words import sentence
from web.batch_book import XLSX
from web.errors import TooMany, by_field, reasons_of, status_of
from web.forms import Options
from web.import_wish import SAID, Wish, address, header_of, mapping_named, read_as, wish_of
from web.papers import bringer, file_of, files_of, looked_at
from web.project_book import heading, said, spoken, template
from web.reading_rights import own_platforms
from web.render import Words, page
from web.sent_files import as_invalid, key_of, on_disk
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
_LOG = logging.getLogger("pilotway.web")
ROLES = frozenset({Role.COORDINATOR, Role.SPONSOR, Role.ADMIN, Role.OPERATOR})
"""To whom the page is shown; whether they may is asked by the engine, row by row."""
DESK = threading.Lock()
"""Reading a table keeps a processor busy and the others need theirs; who waited for it here would keep a thread."""


@router.get("/import")
def ask(visit: Somebody) -> Response:
    """Ask for the file, the mapping and where the projects go."""
    return _ask(visit)


@router.get("/import/template.xlsx")
def give_template(visit: Somebody) -> Response:
    """Give the workbook to fill in."""
    _need(visit)
    return _workbook(template(), "projects.xlsx")


@router.post("/import")
def send(visit: Somebody, form: Typed) -> Response:
    """Keep the file for a day and lead to its columns, or to what would become of it where a mapping reads it."""
    _need(visit)
    typed = {name: text_of(form, name) for name in SAID if name != "name"}
    if not typed["programme"]:
        return _ask(visit, typed=typed, error=Invalid(unmet("field_missing", field="programme")))
    try:
        upload = file_of(form)
        with looked_at(upload) as (path, name):
            _look(path, typed["mapping"])
            kept = keep(bringer(visit), files_of(visit.house), path)
    except Invalid as error:
        return _ask(visit, typed=typed, error=error)
    wish = Wish(
        sha256=kept.sha256,
        name=name,
        mapping=typed["mapping"],
        programme=typed["programme"],
        platform=typed["platform"],
    )
    return RedirectResponse(address(visit, wish, "" if wish.mapping else "/columns"), status_code=303)


@router.get("/import/{sha256}/columns")
def columns(visit: Somebody, sha256: str) -> Response:
    """Ask what each column is: as it was chosen before, as it is in the address, or as its heading says."""
    _need(visit)
    wish = wish_of(visit, sha256, visit.request.query_params)
    try:
        with on_disk(visit, wish.sha256) as path:
            header = header_of(path, wish.row)
    except Invalid as error:
        return _ask(visit, typed=dict(wish.query), error=error)
    return _columns(visit, wish, header)


@router.get("/import/{sha256}")
def check(visit: Somebody, sha256: str, fate: str = "") -> Response:
    """Say what would become of each row; nothing is written."""
    _need(visit)
    wish = wish_of(visit, sha256, visit.request.query_params)
    return _looked_through(visit, wish, How.CHECK, fate=fate)


@router.get("/import/{sha256}/marked.xlsx")
def marked(visit: Somebody, sha256: str) -> Response:
    """Give the wrong rows back as a workbook, with a note in each cell that is wrong."""
    _need(visit)
    return _workbook(_wrong_rows(visit, sha256, ErrorsBook), "import-marked.xlsx")


@router.get("/import/{sha256}/errors.csv")
def errors(visit: Somebody, sha256: str) -> Response:
    """Give the wrong rows with their reasons as text: for a mapping, whose source mends them."""
    _need(visit)
    headers = {"content-disposition": 'attachment; filename="import-errors.csv"'}
    return Response(_wrong_rows(visit, sha256, ErrorsFile), media_type="text/csv; charset=utf-8", headers=headers)


def _wrong_rows(visit: Visit, sha256: str, kind: type[ErrorsBook | ErrorsFile]) -> bytes:
    wish = wish_of(visit, sha256, visit.request.query_params)
    with TemporaryDirectory(prefix="pilotway-import-") as folder:
        out = Path(folder) / "wrong"
        with kind(out, sentence=lambda code, params: said(code, params, visit.lang)) as found:
            _brought(visit, wish, How.CHECK, tell=lambda step: found.add(step.errors))
        return out.read_bytes()


@router.post("/import/{sha256}")
def bring(visit: Somebody, form: Typed, sha256: str) -> Response:
    """Bring the file in, all of it or the good rows where that was chosen, and lead to the receipt."""
    _need(visit)
    wish = wish_of(visit, sha256, form)
    command_id = text_of(form, "command_id")
    how = How.PARTIAL if text_of(form, "how") == How.PARTIAL else How.PARTS
    return _looked_through(visit, wish, how, command_id=command_id)


def _looked_through(visit: Visit, wish: Wish, how: How, *, command_id: str = "", fate: str = "") -> Response:
    try:
        report, layout = _brought(visit, wish, how, command_id=command_id)
    except (Invalid, Unreadable, Forbidden, KeyReused, Stale) as error:
        return _mend(visit, wish, as_invalid(error) if isinstance(error, Unreadable) else error)
    except _BrokenOff as error:
        _LOG.warning("an import broke off: %s", command_id, exc_info=error)
        return RedirectResponse(address(visit, wish, broken="yes"), status_code=303)
    if report.is_written:
        return RedirectResponse(f"/receipts/{command_id}", status_code=303)
    return _report(visit, wish, report, layout, how=how, fate=fate)


def _mend(visit: Visit, wish: Wish, error: LifecycleError) -> Response:
    """Ask for the columns again where they are to blame, else for the file."""
    if not wish.mapping and any(one.values.get("field") in ("column", "stage", "currency") for one in error.unmet):
        with on_disk(visit, wish.sha256) as path:
            return _columns(visit, wish, header_of(path, wish.row), error)
    return _ask(visit, typed=dict(wish.query), error=error)


def _brought(
    visit: Visit, wish: Wish, how: How, *, tell: Callable[[Step], None] | None = None, command_id: str = ""
) -> tuple[Report, str]:
    """Return what became of the file and the hash of its layout; the same form sent again brings only what is left."""
    with _desk(), on_disk(visit, wish.sha256) as path:
        read = read_as(visit, path, wish)
        if how is not How.CHECK and not is_of(command_id, read.layout):
            raise Invalid(unmet("field_missing", field="command_id"))
        file = TableFile(name=shown(wish.name), sha256=wish.sha256, layout=read.layout, how=wish.how)
        sending = of_projects(command_id, file, read.into)
        own = visit.actor.user_id

        def came() -> int:
            return visit.read(lambda session: told(session, own, sending)) if command_id else 0

        def note(session: Session, report: Report) -> None:
            write_down(session, sending, answer_of(report), visit.stamp)

        access = Access(
            read=visit.read,
            write=visit.write,
            tell=tell or (lambda _step: None),
            note=note,
            told=came(),
        )
        try:
            report = bring_in(path, read.mapping, into=read.into, stamp=visit.stamp, how=how, door=access)
        except (DBAPIError, PoolTimeout) as error:
            if came() == access.told:
                raise
            raise _BrokenOff from error
        is_left = how is How.PARTS and report.wrong
        report.is_written = report.is_written or bool(access.told and not is_left)
    return report, read.layout


class _BrokenOff(Exception):
    """The database gave way when a part of the file was in."""


@contextmanager
def _desk() -> Iterator[None]:
    """Let one table be read at a time; `TooMany` while another is."""
    if not DESK.acquire(blocking=False):
        raise TooMany(unmet("import_busy", seconds=60))
    try:
        yield
    finally:
        DESK.release()


def _report(visit: Visit, wish: Wish, report: Report, layout: str, *, how: How, fate: str) -> Response:
    chosen = Fate(fate) if fate in set(Fate) else None
    moved = sum(report.fates[one] for one in MOVED)
    own = visit.actor.user_id
    before = visit.read(lambda session: brought_before(session, own, layout, wish.sha256))
    return page(
        visit,
        "import_report.html",
        status=409 if report.wrong and how is How.PARTS else 200,
        wish=wish,
        key=key_of(visit, wish.sha256),
        command_id=key_of_table(layout, visit.house.new_id()),
        report=report,
        how=str(how),
        fates=[(str(one), report.fates[one], address(visit, wish, fate=str(one))) for one in Fate],
        chosen=fate if chosen else "",
        everything=address(visit, wish),
        rows=[_shown(visit, line) for line in report.shown(chosen)],
        most=SHOWN,
        is_cut=(report.rows if chosen is None else report.fates[chosen]) > SHOWN,
        of_file=[said(one.code, one.params, visit.lang) for one in report.errors if one.row is None],
        notices=[(sentence(code, {}, visit.lang), count) for code, count in sorted(report.notices.items())],
        moved=moved,
        at_once=CHUNK if report.rows > CHUNK else 0,
        before=before,
        is_broken=bool(visit.request.query_params.get("broken")),
        marked=address(visit, wish, "/errors.csv" if wish.mapping else "/marked.xlsx"),
        marked_most=MOST_ROWS if report.wrong > MOST_ROWS and not wish.mapping else 0,
        match=address(visit, wish, "/columns"),
    )


def _shown(visit: Visit, line: Line) -> dict[str, Any]:
    """Return a row as the page shows it: what it changes, or what is wrong with it."""
    words = Words(visit.lang, visit.house.zone)
    return {
        "line": line,
        "changes": [
            (_changed(visit, field), _value(words, field, was), _value(words, field, new))
            for field, was, new in line.changes
        ],
        "errors": [(one.column or "", one.value, said(one.code, one.params, visit.lang)) for one in line.errors],
    }


def _changed(visit: Visit, field: str) -> str:
    """Return the words for what changes; an import moves no project from stage to stage."""
    if field == "stage":
        return sentence("page.import.stage_in_table", {}, visit.lang)
    return heading_of(field) or heading(field, visit.lang)


def _value(words: Words, field: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return words.money(*value)
    kinds = {"stage": "state", "organisation_kind": "organisation"}
    return words.word(kinds[field], value) if field in kinds else str(value)


def _columns(visit: Visit, wish: Wish, header: Layout, error: LifecycleError | None = None) -> Response:
    own = visit.actor.user_id
    kept = None if wish.columns else visit.read(lambda session: remembered(session, own, header.known_as))
    before = chosen_before(kept, header)
    chosen = wish.columns or (before.columns if before else suggested(header, spoken()))
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "import_columns.html",
        status=status_of(error) if error else 200,
        wish=wish,
        key=key_of(visit, wish.sha256),
        header=header,
        columns=[
            (name, chosen[at] if at < len(chosen) else "", [one[at] for one in header.samples if at < len(one)])
            for at, name in enumerate(header.names)
        ],
        fields=[(one, _offer(visit, one)) for one in FIELDS],
        stages=list(ProjectState),
        stage=before.stage if before else wish.stage,
        currencies=list(CURRENCY_DECIMALS),
        currency=before.currency if before else wish.currency,
        is_remembered=before is not None,
        unclear=unclear(header, spoken()),
        reasons=reasons,
        wrong=by_field(reasons, {"stage", "column"}),
    )


def _offer(visit: Visit, field: str) -> str:
    return sentence("page.import.as.fact", {}, visit.lang) if field == "fact" else heading(field, visit.lang)


def _ask(visit: Visit, *, typed: dict[str, str] | None = None, error: LifecycleError | None = None) -> Response:
    _need(visit)
    reasons = reasons_of(error) if error else ()
    own = own_platforms(visit.rights, IMPORT.permission)
    programmes, platforms = visit.read(lambda session: _offered(session, own))
    filled = {"mapping": "", "programme": "", "platform": "", **(typed or {})}
    return page(
        visit,
        "import.html",
        status=status_of(error) if error else 200,
        typed=filled,
        mappings=[(path.stem, load_mapping(path).about) for path in shipped_mappings()],
        programmes=programmes,
        platforms=platforms,
        is_bound=own is not None,
        reasons=reasons,
        wrong=by_field(reasons),
    )


def _need(visit: Visit) -> None:
    if not visit.roles & ROLES:
        raise Forbidden(unmet("role", needs=sorted(str(role) for role in ROLES), verb="import"))


def _offered(session: Session, own: frozenset[UUID] | None) -> tuple[Options, Options]:
    programme, organisation = table_of(Programme), table_of(Organisation)
    programmes = session.execute(select(programme.c.id, programme.c.name, programme.c.code).order_by(programme.c.code))
    platforms = session.execute(
        select(organisation.c.id, organisation.c.name)
        .where(organisation.c.kind == OrganisationKind.PLATFORM if own is None else organisation.c.id.in_(own))
        .order_by(organisation.c.name)
    )
    return (
        [(str(row.id), f"{row.name} ({row.code})") for row in programmes],
        [(str(row.id), row.name) for row in platforms],
    )


def _look(path: Path, mapping: str) -> None:
    """Refuse at once what is no table, or one beyond the limits."""
    if not mapping:
        header_of(path)
        return
    try:
        next(iter(open_table(path, mapping_named(mapping).table).rows), None)
    except Unreadable as problem:
        raise as_invalid(problem) from problem


def _workbook(content: bytes, name: str) -> Response:
    return Response(content, media_type=XLSX, headers={"content-disposition": f'attachment; filename="{name}"'})
