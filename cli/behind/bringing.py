"""Projects from a file: the mapping, a bar while it comes in, the table of counts, the wrong rows and why."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import typer
from sqlmodel import Session

from cli.behind.import_table import Said, matched
from cli.door import Door
from cli.errors import PARTLY, REFUSED
from cli.output import Column, Output
from lifecycle.canonical import plain
from lifecycle.errors import Invalid, unmet
from lifecycle.imports.accepted import TableFile, answer_of, destination, key_of_table, of_projects, write_down
from lifecycle.imports.arrivals import Destination, Fate
from lifecycle.imports.columns import layout_of
from lifecycle.imports.errors_book import MOST_ROWS, ErrorsBook
from lifecycle.imports.errors_file import ErrorsFile
from lifecycle.imports.mapping import Mapping as ProjectMapping
from lifecycle.imports.mapping import MappingProblem, load_mapping, shipped_mappings
from lifecycle.imports.outcome import RowError
from lifecycle.imports.portfolio import Door as Access
from lifecycle.imports.portfolio import How, Phase, Step, bring_in
from lifecycle.imports.report import Report
from models.db import run_in_transaction
from notifications.words import LANGUAGES, sentence
from web.project_book import said

SHOWN = 20
"""Wrong rows that a person sees at once; the error file holds all."""
_FATES = (Column(key="fate", kind="fate"), Column(key="rows"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for besides the file."""

    said: Said
    programme: str
    platform: str | None
    errors: Path | None
    is_dry_run: bool
    is_partial: bool

    @property
    def how(self) -> How:
        """What is done with the file."""
        return How.CHECK if self.is_dry_run else How.PARTIAL if self.is_partial else How.WHOLE


def bring_projects(door: Door, file: Path, wish: Wish) -> None:
    """Bring the file in and say what became of it; leaves with exit 3 or 6 when rows are wrong."""
    if wish.errors is not None and wish.errors.resolve() == file.resolve():
        raise Invalid(unmet("file_exists", file=str(wish.errors)))
    actor = door.read(door.actor)
    stamp = door.stamp(actor)
    reading = _reading(door, file, wish)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    table = TableFile(name=file.name, sha256=sha256, layout=reading.layout, how=reading.how)
    sending = of_projects(key_of_table(reading.layout, stamp.new_id()), table, reading.into)
    with _Ear(door.output) as ear, _errors_file(wish.errors, door.output) as errors:

        def tell(step: Step) -> None:
            ear.hear(step)
            if errors is not None:
                errors.add(step.errors)

        access = Access(
            read=door.read,
            write=lambda work: run_in_transaction(door.engine, work),
            tell=tell,
            note=lambda session, report: write_down(session, sending, answer_of(report), stamp),
        )
        report = bring_in(file, reading.mapping, into=reading.into, stamp=stamp, how=wish.how, door=access)
    if reading.columns and not door.output.as_json:
        door.output.say("import_columns", columns=reading.columns)
    _show(door.output, report, file, wish, reading, sending.command_id if report.is_written else None)
    code = _exit_code(report, wish)
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How the file is read, and where its projects go."""

    mapping: ProjectMapping
    into: Destination
    layout: str
    how: Mapping[str, Any]
    columns: str = ""


def _reading(door: Door, file: Path, wish: Wish) -> _Reading:
    into = door.read(lambda session: _destination(door, session, wish))
    name = wish.said.mapping
    if name is not None:
        mapping = _mapping(name)
        layout = layout_of("mapping", Path(name).stem)
        return _Reading(
            mapping=mapping, into=replace(into, source=mapping.source), layout=layout, how={"mapping": Path(name).stem}
        )
    table = matched(door, file, wish.said)
    return _Reading(
        mapping=table.mapping(into.source), into=into, layout=table.layout.known_as, how=table.how, columns=table.told
    )


def mapping_rows(output: Output) -> list[dict[str, Any]]:
    """Return the mappings that come with the product."""
    rows = []
    for path in shipped_mappings():
        mapping = load_mapping(path)
        about = mapping.about.zh if output.lang == "zh-CN" else mapping.about.en
        rows.append({"name": path.stem, "source": mapping.source, "format": mapping.format, "about": about})
    return rows


def _mapping(name: str) -> ProjectMapping:
    known = {path.stem: path for path in shipped_mappings()}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise Invalid(unmet("mapping_not_found", name=name, known=sorted(known)))
    try:
        return load_mapping(path)
    except MappingProblem as problem:
        raise Invalid(unmet(problem.code, **problem.params)) from problem


def _destination(door: Door, session: Session, wish: Wish) -> Destination:
    lookup = door.lookup(session)
    platform: UUID | None = None if wish.platform is None else lookup.organisation(wish.platform)
    found = destination(session, lookup.programme(wish.programme), platform)
    assert found is not None  # the programme was looked up a moment ago  # noqa: S101
    return found


def _errors_file(path: Path | None, output: Output) -> AbstractContextManager[ErrorsFile | ErrorsBook | None]:
    if path is None:
        return nullcontext()
    kind = ErrorsBook if _is_book(path) else ErrorsFile
    return kind(path, sentence=lambda code, params: said(code, params, output.lang))


def _is_book(path: Path) -> bool:
    return path.suffix.lower() == ".xlsx"


class _Ear:
    """Turns steps into a bar, one for each way through the file."""

    def __init__(self, output: Output) -> None:
        self._output, self._bars, self._rows = output, ExitStack(), 0
        self._phase: Phase | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.close()

    def hear(self, step: Step) -> None:
        """Move the bar; a way that begins again (a lost race) begins a new one."""
        if step.phase is not self._phase or step.rows < self._rows:
            self._bars.close()
            self._advance = self._bars.enter_context(self._output.progress(f"import_{step.phase}", step.total))
            self._phase, self._rows = step.phase, 0
        self._advance(step.rows - self._rows)
        self._rows = step.rows


def _exit_code(report: Report, wish: Wish) -> int:
    """Return 0 when every row is good, 6 when some come in although others are wrong, else 3."""
    if not report.wrong:
        return 0
    good = report.rows - report.wrong - report.fates[Fate.SKIPPED]
    return PARTLY if wish.is_partial and good else REFUSED


def _show(output: Output, report: Report, file: Path, wish: Wish, reading: _Reading, receipt: str | None) -> None:
    if output.as_json:
        document = {**_document(report, file, wish), "receipt": receipt, **_columns(reading)}
        if _exit_code(report, wish) == REFUSED:
            codes = list(dict.fromkeys(error.code for error in report.errors))
            detail = sentence(_headline(report, wish), {"wrong": report.wrong, "rows": report.rows}, output.lang)
            output.document(
                {"error": {"code": "import_wrong_rows", "unmet": codes, "detail": detail, "report": document}}
            )
        else:
            output.document(document)
        return
    output.table(_FATES, [{"fate": str(fate), "rows": report.fates[fate]} for fate in Fate])
    for code, count in sorted(report.notices.items()):
        output.say("import_notice", count=count, notice=sentence(code, {}, output.lang))
    for error in report.errors[:SHOWN]:
        output.warn(_line(error, output), "red")
    if len(report.errors) > SHOWN and wish.errors is None:
        output.say("import_more_errors")
    if wish.errors is not None:
        output.say("import_errors_file", file=str(wish.errors))
        if _is_book(wish.errors) and report.wrong > MOST_ROWS:
            output.say("import_errors_cut", most=MOST_ROWS)
    output.say(_headline(report, wish), wrong=report.wrong, rows=report.rows, organisations=report.organisations)
    if receipt is not None:
        output.say("import_receipt", command_id=receipt)


def _columns(reading: _Reading) -> dict[str, Any]:
    """Return how the columns were read, where no mapping says it."""
    return {} if "mapping" in reading.how else {"how": plain(reading.how)}


def _headline(report: Report, wish: Wish) -> str:
    if wish.is_dry_run:
        return "import_dry_run"
    if report.wrong and not wish.is_partial:
        return "import_nothing_written"
    return "import_partly_written" if report.wrong else "import_written"


def _line(error: RowError, output: Output) -> str:
    """Return one wrong row as people read it: where, what was asked for, what is there, why not."""
    values = {
        "row": "–" if error.row is None else error.row,
        "column": error.column or "–",
        "rule": error.rule,
        "why": said(error.code, error.params, output.lang),
    }
    return sentence("import_wrong_row", values, output.lang)


def _document(report: Report, file: Path, wish: Wish) -> dict[str, Any]:
    return {
        "format": "pilotway-import-projects/1",
        "file": file.name,
        "mapping": wish.said.mapping,
        "programme": wish.programme,
        "dry_run": wish.is_dry_run,
        "partial": wish.is_partial,
        "written": report.is_written,
        "rows": {str(fate): report.fates[fate] for fate in Fate},
        "organisations": report.organisations,
        "stages": _counts(report.stages.items()),
        "notices": _counts(report.notices.items()),
        "skipped": _counts(report.skipped.items()),
        "errors": [_error(error) for error in report.errors],
    }


def _counts(items: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    return dict(sorted(items))


def _error(error: RowError) -> dict[str, Any]:
    return {
        "row": error.row,
        "column": error.column,
        "value": error.value,
        "rule": error.rule,
        "code": error.code,
        "reason": {lang: said(error.code, error.params, lang) for lang in LANGUAGES},
    }
