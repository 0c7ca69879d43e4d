"""What a MAPPING.yaml says: which column of somebody's table is which field of a project, and how to read it.

Nothing in a mapping computes or guesses: a column is read by one converter, a stage follows from what the row says,
and every choice carries its reason in both languages.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lifecycle.imports.csv_file import Encoding
from lifecycle.imports.dates import DateFormat
from lifecycle.imports.reader import TableFormat
from lifecycle.imports.texts import Invisible, LineBreaks
from models.money import CURRENCY_DECIMALS, SCALES, THOUSANDS
from models.states import OrganisationKind, ProjectState

M = TypeVar("M")

SHIPPED = Path(__file__).parent / "mappings"
MAX_BYTES = 256 * 1024

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Level: TypeAlias = Literal["trl_start", "trl_current", "trl_goal", "mrl"]
Day: TypeAlias = Literal["received_on", "started_on", "ended_on"]
Line: TypeAlias = Literal["name", "organisation", "organisation_id", "credit_code", "parent"]
Standard: TypeAlias = Literal[
    "name", "organisation", "organisation_country", "organisation_kind", "credit_code",
    "received_on", "started_on", "ended_on", "trl_start", "trl_current", "trl_goal", "mrl", "money",
]  # fmt: skip
"""Fields every project has a place for; each that a row leaves empty is listed in its `missing`."""
Country: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class MappingProblem(ValueError):
    """The mapping itself is wrong; `where` names the place in it, `why` what pydantic or YAML says."""

    def __init__(self, file: str, where: str, why: str) -> None:
        super().__init__(f"{file}: {where}: {why}")
        self.code = "mapping_invalid"
        self.params = {"file": file, "where": where, "why": why}


class Part(BaseModel):
    """Base of all parts: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Because(Part):
    """The reason of a choice, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class ColumnRule(Part):
    """What holds for every column that is read: words that stand for nothing, words that stand for others."""

    column: Name
    empty: tuple[str, ...] = ()
    """Words by which the source says "nothing" (`N/A`); an empty cell is always nothing."""
    replace: dict[str, str] = {}
    """Whole values to read as another (`EL: GR`)."""
    suffix: str = ""
    """An ending to drop (`.0` of a year that was stored as a decimal)."""
    first: int | None = Field(default=None, ge=1, le=200)
    """Read only so many characters from the left (the year in `2016YFB0700100`)."""


class LineRule(ColumnRule):
    """A one-line text."""

    to: Line
    line_breaks: LineBreaks = "refuse"
    too_long: Literal["refuse", "shorten"] = "refuse"
    """`shorten` cuts with an ellipsis, keeps the full text as a fact named after the column, and gives a notice."""


class CountryRule(ColumnRule):
    """A country as two capital letters (ISO 3166-1)."""

    to: Literal["organisation_country"]


class KindRule(ColumnRule):
    """Foreign words for kinds of organisation; a word that means none of ours maps to null."""

    to: Literal["organisation_kind"]
    choices: dict[str, OrganisationKind | None]


class DayRule(ColumnRule):
    """A date to the day, month or year: the first of the formats that fits."""

    to: Day
    formats: tuple[DateFormat, ...] = Field(min_length=1)


class LevelRule(ColumnRule):
    """A readiness level as a whole number: TRL 1-9, MRL 1-10."""

    to: Level


class MoneyRule(ColumnRule):
    """A money figure, kept as a fact: exact, in the currency named here or in another column."""

    to: Literal["money"]
    label: Name
    currency: str | None = None
    currency_column: Name | None = None
    thousands: str = ""
    scale: int = 1

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.currency is None) == (self.currency_column is None):
            raise ValueError("name either currency or currency_column")
        if self.currency is not None and self.currency not in CURRENCY_DECIMALS:
            raise ValueError(f"currency {self.currency!r} is not one of {', '.join(CURRENCY_DECIMALS)}")
        if self.scale not in SCALES:
            raise ValueError(f"scale is one of {SCALES}")
        if self.thousands not in ("", *THOUSANDS):
            raise ValueError("thousands is one of " + " ".join(map(repr, THOUSANDS)))
        return self


class FactRule(ColumnRule):
    """Anything else worth keeping, as text under its label."""

    to: Literal["fact"]
    label: Name
    kind: Literal["line", "text", "int", "list", "choice"] = Field(default="line", alias="as")
    line_breaks: LineBreaks = "refuse"
    invisible: Invisible = "refuse"
    separator: str = Field(default=" ", min_length=1, max_length=3)
    strip: str = ""
    """Characters to drop around the list and around each of its items (`[]'`)."""
    choices: dict[str, str] = {}


Rule: TypeAlias = Annotated[
    LineRule | CountryRule | KindRule | DayRule | LevelRule | MoneyRule | FactRule, Field(discriminator="to")
]


class ColumnIs(Part):
    """True when the cell holds one of these values; `""` is the empty cell."""

    column: Name
    is_: tuple[str, ...] = Field(alias="is", min_length=1)


class LevelIs(Part):
    """True when the level lies in this range, or is missing."""

    level: Level
    at_least: int = 1
    at_most: int = 10
    missing: bool = False


class DayIs(Part):
    """True when the first possible day lies after, or on or before, a day that the mapping names."""

    day: Day
    after: date | None = None
    until: date | None = None


Condition: TypeAlias = ColumnIs | LevelIs | DayIs


class StageRule(Part):
    """The stage of the rows for which all conditions hold; the first rule that fits decides."""

    when: tuple[Condition, ...] = ()
    stage: ProjectState
    why: Because


class Constants(Part):
    """What holds for every row, by what the source is."""

    organisation_kind: OrganisationKind | None = None
    organisation_country: Country | None = None
    why: Because | None = None

    @model_validator(mode="after")
    def _has_a_reason(self) -> Self:
        if (self.organisation_kind or self.organisation_country) and self.why is None:
            raise ValueError("a constant needs its `why`")
        return self


class Mapping(Part):
    """A whole MAPPING.yaml."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """Whose numbers the row keys are: the same source gives the same project the same key in every file."""
    about: Because
    format: Literal["csv", "xlsx"] | None = None
    encoding: Encoding | None = None
    delimiter: Literal[",", ";", "\t", "|"] = ","
    sheet: Name | None = None
    header_row: int = Field(default=1, ge=1, le=20)
    row_key: tuple[Name, ...] = Field(min_length=1)
    placeholders: tuple[str, ...] = ()
    """Words in a key column or a parent column that are no number (`其他`): the row is wrong."""
    duplicates: Literal["error", "first", "merge"] = "error"
    filters: tuple[ColumnIs, ...] = ()
    constants: Constants = Constants()
    columns: tuple[Rule, ...] = Field(min_length=1)
    stages: tuple[StageRule, ...] = Field(min_length=1)
    required: tuple[Standard, ...] = ("name",)
    ignore: tuple[Name, ...] | Literal["rest"] = ()

    @property
    def table(self) -> TableFormat:
        """How to open the file."""
        return TableFormat(
            kind=self.format,
            encoding=self.encoding,
            delimiter=self.delimiter,
            sheet=self.sheet,
            header_row=self.header_row,
        )

    @property
    def used(self) -> frozenset[str]:
        """Names of all columns that are read."""
        money = {rule.currency_column for rule in self.columns if isinstance(rule, MoneyRule) and rule.currency_column}
        tests = {test.column for rule in self.stages for test in rule.when if isinstance(test, ColumnIs)}
        filters = {test.column for test in self.filters}
        return frozenset({*self.row_key, *(rule.column for rule in self.columns), *money, *tests, *filters})

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        targets: list[str] = [rule.to for rule in self.columns if rule.to not in ("money", "fact")]
        labels = [rule.label for rule in self.columns if isinstance(rule, MoneyRule | FactRule)]
        for names, what in ((targets, "field"), (labels, "label")):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} filled twice: {', '.join(twice)}")
        both = set(targets) & {name for name in ("organisation_kind", "organisation_country")
                               if getattr(self.constants, name) is not None}  # fmt: skip
        if both:
            raise ValueError(f"both a column and a constant: {', '.join(sorted(both))}")
        if self.ignore != "rest" and self.used & set(self.ignore):
            raise ValueError(f"both used and ignored: {', '.join(sorted(self.used & set(self.ignore)))}")
        return self


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in this file; `MappingProblem` names the place that is wrong."""
    return loaded(path, Mapping.model_validate)


def loaded(path: Path, validate: Callable[[Any], M]) -> M:
    """Return what this file holds, read by the strict reader and made sound by `validate`; `MappingProblem` else."""
    name = path.name
    if path.stat().st_size > MAX_BYTES:
        raise MappingProblem(name, "file", f"larger than {MAX_BYTES} bytes")
    try:
        data = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError:
        raise MappingProblem(name, "file", "not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "file"
        raise MappingProblem(name, where, str(getattr(error, "problem", None) or "not YAML")) from None
    try:
        return validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise MappingProblem(name, where, first["msg"]) from None


def shipped_mappings() -> Iterator[Path]:
    """Yield the mapping files that come with the product, by name."""
    yield from sorted(SHIPPED.glob("*.yaml"))


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases (they can blow up) and a key written twice (the second would win unseen)."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as in yaml
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
