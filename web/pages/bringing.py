"""A portfolio from a file: upload, what would become of each row, then all or nothing; the wrong rows as a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Forbidden, Invalid, LifecycleError, unmet
from lifecycle.imports.arrivals import Destination, Fate
from lifecycle.imports.errors_file import ErrorsFile
from lifecycle.imports.mapping import Mapping, load_mapping, shipped_mappings
from lifecycle.imports.portfolio import Door as Access
from lifecycle.imports.portfolio import How, Report, Step, bring_in
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.reader import open_table
from lifecycle.imports.taking_in import keep
from models.people import Organisation
from models.programmes import Programme
from models.reading import table_of
from models.states import OrganisationKind, Role
from notifications.words import sentence
from web.errors import by_field, reasons_of, status_of
from web.forms import Options
from web.papers import bringer, file_of, files_of, looked_at
from web.reading_rights import as_id
from web.render import page
from web.sent_files import as_invalid, key_of, need_own, on_disk
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
ROLES = frozenset({Role.COORDINATOR, Role.SPONSOR, Role.ADMIN, Role.OPERATOR})
"""To whom the page is shown; whether they may is asked by the engine, row by row."""
SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A file that was sent, and what is to be made of it; all of it stands in the address."""

    sha256: str
    name: str
    mapping: str
    programme: str
    platform: str

    @property
    def query(self) -> dict[str, str]:
        """Return the parts that stand behind the question mark."""
        return {"name": self.name, "mapping": self.mapping, "programme": self.programme, "platform": self.platform}


@router.get("/import")
def ask(visit: Somebody) -> Response:
    """Ask for the file, the mapping and where the projects go."""
    return _ask(visit)


@router.post("/import")
def send(visit: Somebody, form: Typed) -> Response:
    """Keep the file for a day and lead to what would become of it."""
    _need(visit)
    typed = {name: text_of(form, name) for name in ("mapping", "programme", "platform")}
    wrong = [unmet("field_missing", field=name) for name in ("mapping", "programme") if not typed[name]]
    if wrong:
        return _ask(visit, typed=typed, error=Invalid(*wrong))
    try:
        upload = file_of(form)
        with looked_at(upload) as (path, name):
            _look(path, _mapping(typed["mapping"]))
            kept = keep(bringer(visit), files_of(visit.house), path)
    except Invalid as error:
        return _ask(visit, typed=typed, error=error)
    wish = Wish(sha256=kept.sha256, name=name, **typed)
    return RedirectResponse(_address(visit, wish), status_code=303)


@router.get("/import/{sha256}")
def check(visit: Somebody, sha256: str) -> Response:
    """Say what would become of each row; nothing is written."""
    _need(visit)
    wish = _wish(visit, sha256, dict(visit.request.query_params))
    try:
        report, errors = _brought(visit, wish, How.CHECK)
    except (Invalid, Unreadable) as error:
        return _ask(visit, typed=wish.query, error=error if isinstance(error, Invalid) else as_invalid(error))
    return _report(visit, wish, report, errors)


@router.get("/import/{sha256}/errors.csv")
def errors_file(visit: Somebody, sha256: str) -> Response:
    """Give every wrong row with the reason, as a table that a spreadsheet opens without computing anything."""
    _need(visit)
    wish = _wish(visit, sha256, dict(visit.request.query_params))
    with TemporaryDirectory(prefix="pilotway-import-") as folder:
        out = Path(folder) / "errors.csv"
        with ErrorsFile(out, sentence=lambda code, params: sentence(code, params, visit.lang)) as found:
            _brought(visit, wish, How.CHECK, tell=lambda step: found.add(step.errors))
        content = out.read_bytes()
    return Response(
        content, media_type="text/csv", headers={"content-disposition": 'attachment; filename="import-errors.csv"'}
    )


@router.post("/import/{sha256}")
def bring(visit: Somebody, form: Typed, sha256: str) -> Response:
    """Bring the file in: all rows in one transaction, or the good ones where that was chosen."""
    _need(visit)
    said = {name: text_of(form, name) for name in ("name", "mapping", "programme", "platform", "key")}
    wish = _wish(visit, sha256, said)
    how = How.PARTIAL if text_of(form, "how") == How.PARTIAL else How.WHOLE
    try:
        report, errors = _brought(visit, wish, how)
    except (Invalid, Unreadable) as error:
        return _ask(visit, typed=wish.query, error=error if isinstance(error, Invalid) else as_invalid(error))
    return _report(visit, wish, report, errors, how=how)


def _report(visit: Visit, wish: Wish, report: Report, errors: list[Any], how: How = How.CHECK) -> Response:
    return page(
        visit,
        "import_report.html",
        status=409 if report.wrong and how is How.WHOLE else 200,
        wish=wish,
        key=key_of(visit, wish.sha256),
        report=report,
        how=str(how),
        fates=[(str(fate), report.fates[fate]) for fate in Fate],
        wrong=[(one, sentence(one.code, one.params, visit.lang)) for one in errors[:SHOWN]],
        notices=[(sentence(code, {}, visit.lang), count) for code, count in sorted(report.notices.items())],
        good=report.rows - report.wrong - report.fates[Fate.SKIPPED],
        address=_address(visit, wish),
        errors_address=_address(visit, wish, "/errors.csv"),
    )


def _ask(visit: Visit, *, typed: dict[str, str] | None = None, error: LifecycleError | None = None) -> Response:
    _need(visit)
    reasons = reasons_of(error) if error else ()
    offered = visit.read(_offered)
    shown = {"mapping": "", "programme": "", "platform": "", **(typed or {})}
    return page(
        visit,
        "import.html",
        status=status_of(error) if error else 200,
        typed=shown,
        mappings=[(path.stem, load_mapping(path).about) for path in shipped_mappings()],
        programmes=offered[0],
        platforms=offered[1],
        reasons=reasons,
        wrong=by_field(reasons),
    )


def _need(visit: Visit) -> None:
    if not visit.roles & ROLES:
        raise Forbidden(unmet("role", needs=sorted(str(role) for role in ROLES), verb="import"))


def _offered(session: Session) -> tuple[Options, Options]:
    programme, organisation = table_of(Programme), table_of(Organisation)
    programmes = session.execute(select(programme.c.id, programme.c.name, programme.c.code).order_by(programme.c.code))
    platforms = session.execute(
        select(organisation.c.id, organisation.c.name)
        .where(organisation.c.kind == OrganisationKind.PLATFORM)
        .order_by(organisation.c.name)
    )
    return (
        [(str(row.id), f"{row.name} ({row.code})") for row in programmes],
        [(str(row.id), row.name) for row in platforms],
    )


def _look(path: Path, mapping: Mapping) -> None:
    """Refuse at once what is no table, or one beyond the limits."""
    try:
        next(iter(open_table(path, mapping.table).rows), None)
    except Unreadable as problem:
        raise as_invalid(problem) from problem


def _mapping(name: str) -> Mapping:
    known = {path.stem: path for path in shipped_mappings()}
    if name not in known:
        raise Invalid(unmet("mapping_not_found", field="mapping", name=name, known=sorted(known)))
    return load_mapping(known[name])


def _wish(visit: Visit, sha256: str, said: dict[str, str]) -> Wish:
    """Return the wish of an address; `NotFound` where this session did not send the file itself."""
    need_own(visit, sha256, said.get("key", ""))
    rest = {name: said.get(name, "") for name in ("name", "mapping", "programme", "platform")}
    return Wish(sha256=sha256, **rest)


def _address(visit: Visit, wish: Wish, more: str = "") -> str:
    return f"/import/{wish.sha256}{more}?{urlencode({**wish.query, 'key': key_of(visit, wish.sha256)})}"


def _brought(
    visit: Visit, wish: Wish, how: How, tell: Callable[[Step], None] | None = None
) -> tuple[Report, list[Any]]:
    mapping = _mapping(wish.mapping)
    programme = as_id(wish.programme)
    if programme is None:
        raise Invalid(unmet("field_missing", field="programme"))
    into = Destination(source=mapping.source, programme_id=programme, platform_id=as_id(wish.platform))
    access = Access(read=visit.read, write=visit.write, tell=tell or (lambda _step: None))
    with on_disk(visit, wish.sha256) as path:
        report = bring_in(path, mapping, into=into, stamp=visit.stamp, how=how, door=access)
    return report, list(report.errors)
