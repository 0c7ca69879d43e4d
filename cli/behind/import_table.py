"""A table without a mapping at the command line: its columns as an option says, as remembered, as headings say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.door import Door
from cli.output import Output
from lifecycle.errors import Invalid, unmet
from lifecycle.imports.accepted import remembered
from lifecycle.imports.columns import FIELDS, Choice, Layout, chosen_before, look_at, mapping_of, suggested, unclear
from lifecycle.imports.mapping import Mapping as ProjectMapping
from lifecycle.imports.problems import Unreadable, shown
from models.states import ProjectState
from notifications.words import LANGUAGES
from web.project_book import heading, spoken, template


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How the file is to be read: a mapping, or what columns are and what holds for all rows."""

    mapping: str | None
    columns: str | None
    stage: str | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A table whose columns have their fields."""

    layout: Layout
    choice: Choice

    def mapping(self, source: str) -> ProjectMapping:
        """Return the mapping that follows; `Invalid` names what is missing."""
        return mapping_of(self.layout, self.choice, spoken(), source)

    @property
    def how(self) -> Mapping[str, Any]:
        """Return how the table is read, as it is remembered."""
        return {"columns": self.choice.columns, "stage": self.choice.stage, "currency": self.choice.currency}

    @property
    def told(self) -> str:
        """Return heading=field of each column."""
        return ", ".join(f"{name}={field}" for name, field in zip(self.layout.names, self.choice.columns, strict=True))


def matched(door: Door, file: Path, said: Said) -> Matched:
    """Return the table with its fields: as said, else as in the last table like it, else as headings say."""
    try:
        layout = look_at(file, spoken())
    except Unreadable as problem:
        place = {"row": problem.row} if problem.row is not None else {}
        raise Invalid(unmet(problem.code, **{"file": file.name, **place, **problem.params})) from problem
    actor = door.read(door.actor)
    known = door.read(lambda session: remembered(session, actor.user_id, layout.known_as))
    own = _pairs(layout, said.columns or "")
    choice = chosen_before(known, layout)
    if choice is None:
        for name in unclear(layout, spoken()):
            if name not in own:
                raise Invalid(unmet("column_unit_unknown", name=shown(name)))
        choice = Choice(columns=suggested(layout, spoken()))
    fields = tuple(own.get(name, field) for name, field in zip(layout.names, choice.columns, strict=True))
    stage = choice.stage if said.stage is None else said.stage
    if stage not in ("", *ProjectState):
        raise Invalid(unmet("table_word_unknown", field="stage", choices=list(ProjectState)))
    currency = choice.currency if said.currency is None else said.currency.upper()
    return Matched(layout=layout, choice=replace(choice, columns=fields, stage=stage, currency=currency))


def field_rows(output: Output) -> list[dict[str, Any]]:
    """Return what a column may be, with the headings that the template gives it."""
    order = sorted(LANGUAGES, key=lambda lang: lang != output.lang)
    return [{"field": field, "headings": " / ".join(heading(field, lang) for lang in order)} for field in FIELDS]


def write_template(output: Output, out: Path) -> None:
    """Write the workbook to fill in."""
    write_new(out, template())
    output.say("import_template", file=str(out))


def write_new(path: Path, content: bytes) -> None:
    """Write a file; `Invalid` where there is one already: nothing is written over."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Invalid(unmet("file_exists", file=str(path))) from error


def _pairs(layout: Layout, text: str) -> Mapping[str, str]:
    """Return heading -> field of `HEADING=FIELD,…`; `Invalid` names what is no such pair or not there."""
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, sign, field = (one.strip() for one in part.rpartition("="))
        if not sign:
            raise Invalid(unmet("columns_malformed", part=shown(part)))
        if name not in layout.names:
            raise Invalid(unmet("column_heading_unknown", name=shown(name), known=list(map(shown, layout.names))))
        found[name] = field
    return found
