"""What a row of a file turns out to be: a project, a skip or an error."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lifecycle.imports.dates import PartialDate
from lifecycle.imports.problems import Params
from lifecycle.imports.texts import Notice
from lifecycle.imports.values import MoneyFact
from models.states import OrganisationKind, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """One project as the source tells it. What the source does not tell is None and named in `missing`."""

    key: str
    """`<source>:<row key>`: the same project has the same key in every file of the source."""
    file: str
    row: int
    stage: ProjectState
    stage_why: dict[str, str]
    """Why this stage, by language (`zh`, `en`)."""
    name: str | None
    organisation: str | None
    organisation_id: str | None
    """Outside id of the organisation, `<source>:<id>`."""
    organisation_country: str | None
    organisation_kind: OrganisationKind | None
    credit_code: str | None
    received_on: PartialDate | None
    """Day on which the source took the project in (its award, signature or registration)."""
    started_on: PartialDate | None
    ended_on: PartialDate | None
    trl_start: int | None
    trl_current: int | None
    trl_goal: int | None
    mrl: int | None
    parent_key: str | None
    money: tuple[MoneyFact, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """Standard fields the source leaves empty, in their order."""
    notices: tuple[Notice, ...] = ()
    first_row: int | None = None
    """With `duplicates: merge`, the row in which this key came first."""
    cells: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The whole row as it was read, by column: for the error file."""

    def content_sha256(self) -> str:
        """Return the hash of what the source says, without where it stood: equal means unchanged."""
        return hashlib.sha256(json.dumps(_content(self), ensure_ascii=True, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One thing wrong in one row, or (with `row` None) with the file. A row may have several."""

    file: str
    row: int | None
    column: str | None
    value: str
    """The cell, shortened, with everything invisible escaped: fit to be shown."""
    rule: str
    """What was asked for, the same in every language (`M1`, `text <= 200`)."""
    code: str
    params: Params = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict, repr=False)
    """The whole row as it was read, by column: for the error file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSkipped:
    """A row that the mapping leaves out on purpose (`row_filtered`, `duplicate_skipped`)."""

    file: str
    row: int
    code: str
    params: Params = field(default_factory=dict)


Outcome: TypeAlias = ProjectRow | RowSkipped | RowError


def _content(row: ProjectRow) -> dict[str, Any]:
    days = {"received_on": row.received_on, "started_on": row.started_on, "ended_on": row.ended_on}
    names = ("key", "stage", "name", "organisation", "organisation_id", "organisation_country", "organisation_kind",
             "credit_code", "trl_start", "trl_current", "trl_goal", "mrl", "parent_key", "facts")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        **{name: None if day is None else [day.on.isoformat(), day.precision] for name, day in days.items()},
        "money": [[fact.label, fact.amount_minor, fact.currency] for fact in row.money],
    }
