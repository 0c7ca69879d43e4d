"""From one cell to one value of a field: a rule of the mapping is compiled once and then called for every row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from lifecycle.imports.amounts import reported_minor
from lifecycle.imports.dates import PartialDate, parse_date
from lifecycle.imports.mapping import (
    ColumnRule,
    CountryRule,
    DayRule,
    FactRule,
    KindRule,
    LevelRule,
    LineRule,
    MoneyRule,
    Rule,
)
from lifecycle.imports.problems import ValueProblem, shown
from lifecycle.imports.texts import SHORT, SPACES, Notice, many_lines, one_line
from lifecycle.stages import credit_code
from models.states import OrganisationKind

MAX_LEVEL = {"trl_start": 9, "trl_current": 9, "trl_goal": 9, "mrl": 10}
_WHOLE = re.compile("0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class MoneyFact:
    """A money figure that the source reports: whole minor units, never a balance of ours."""

    label: str
    amount_minor: int
    currency: str


@dataclass(slots=True)
class Draft:
    """The values of one row while they are being read."""

    lines: dict[str, str] = field(default_factory=dict)
    days: dict[str, PartialDate] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    kind: OrganisationKind | None = None
    money: list[MoneyFact] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def has(self, target: str) -> bool:
        """Say whether the row fills this field."""
        if target == "organisation_kind":
            return self.kind is not None
        if target == "money":
            return bool(self.money)
        return target in self.lines or target in self.days or target in self.levels


Cells: TypeAlias = list[str]
Reading: TypeAlias = Callable[[Cells, Draft], None]


def compiled(rule: Rule, index_of: dict[str, int]) -> Reading:
    """Return the function that reads this rule's cell of a row into the draft; it raises `ValueProblem`."""
    if isinstance(rule, MoneyRule):
        return _money(rule, index_of)
    index, read = index_of[rule.column], _READERS[type(rule)]
    is_plain = not (rule.empty or rule.replace or rule.suffix or rule.first)

    def reading(cells: Cells, draft: Draft) -> None:
        text = cells[index].strip(SPACES)
        if text and not is_plain:
            text = _prepared(text, rule)
        if text:
            read(text, rule, draft)

    return reading


def _prepared(text: str, rule: ColumnRule) -> str:
    """Return the text that the rule means: words for nothing empty, others replaced, the rest cut as it says."""
    if text in rule.empty:
        return ""
    text = rule.replace.get(text, text)
    if rule.suffix:
        text = text.removesuffix(rule.suffix)
    return text if rule.first is None else text[: rule.first]


def _line(text: str, rule: LineRule, draft: Draft) -> None:
    if rule.to == "credit_code":
        _credit_code(text, rule, draft)
        return
    if rule.too_long == "refuse":
        draft.lines[rule.to] = _noticed(one_line(text, line_breaks=rule.line_breaks), rule, draft)
        return
    # Room for the longest text: the full wording is kept as a fact when the line has to be cut.
    full = _noticed(one_line(text, line_breaks=rule.line_breaks, limit=10_000), rule, draft)
    if len(full) > SHORT:
        draft.facts[rule.column] = full
        draft.notices.append(Notice(rule.column, "text_shortened"))
        full = full[: SHORT - 1].rstrip() + "…"
    draft.lines[rule.to] = full


def _credit_code(text: str, rule: LineRule, draft: Draft) -> None:
    wrong = credit_code.problem(text)
    if wrong is not None:
        raise ValueProblem(wrong, "GB 32100")
    draft.lines[rule.to] = credit_code.normalise(text)
    if draft.lines[rule.to] != text:
        draft.notices.append(Notice(rule.column, "credit_code_normalised"))


def _country(text: str, rule: CountryRule, draft: Draft) -> None:
    if not re.fullmatch("[A-Z]{2}", text):
        raise ValueProblem("country_malformed", "ISO 3166-1 alpha-2")
    draft.lines[rule.to] = text


def _kind(text: str, rule: KindRule, draft: Draft) -> None:
    if text not in rule.choices:
        raise ValueProblem("choice_unknown", "choices of the mapping", choices=shown(", ".join(rule.choices)))
    draft.kind = rule.choices[text]


def _day(text: str, rule: DayRule, draft: Draft) -> None:
    draft.days[rule.to] = parse_date(text, rule.formats)


def _level(text: str, rule: LevelRule, draft: Draft) -> None:
    most, scale = MAX_LEVEL[rule.to], "MRL" if rule.to == "mrl" else "TRL"
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= most:
        raise ValueProblem("level_range", f"{scale} 1-{most}", scale=scale, most=most)
    draft.levels[rule.to] = int(text)


def _money(rule: MoneyRule, index_of: dict[str, int]) -> Reading:
    """Read an amount as it stands: around an amount even a space is refused, as in every other door."""
    index = index_of[rule.column]
    currency_index = None if rule.currency_column is None else index_of[rule.currency_column]

    def reading(cells: Cells, draft: Draft) -> None:
        text = cells[index]
        if not text or text in rule.empty:
            return
        text = rule.replace.get(text, text).removesuffix(rule.suffix)
        currency = rule.currency if currency_index is None else cells[currency_index].strip(SPACES)
        minor = reported_minor(text, currency or "", thousands=rule.thousands, scale=rule.scale)
        draft.money.append(MoneyFact(rule.label, minor, currency or ""))

    return reading


def _fact(text: str, rule: FactRule, draft: Draft) -> None:
    draft.facts[rule.label] = _FACTS[rule.kind](text, rule, draft)


def _fact_line(text: str, rule: FactRule, draft: Draft) -> str:
    return _noticed(one_line(text, line_breaks=rule.line_breaks), rule, draft)


def _fact_text(text: str, rule: FactRule, draft: Draft) -> str:
    return _noticed(many_lines(text, invisible=rule.invisible), rule, draft)


def _fact_int(text: str, _rule: FactRule, _draft: Draft) -> str:
    if not _WHOLE.fullmatch(text):
        raise ValueProblem("int_malformed", "whole number")
    return text


def _fact_list(text: str, rule: FactRule, draft: Draft) -> str:
    """Return the items joined by `; `, without those that stand for nothing."""
    whole = _noticed(one_line(text, line_breaks=rule.line_breaks, limit=10_000), rule, draft)
    items = (item.strip(SPACES + rule.strip) for item in whole.strip(SPACES + rule.strip).split(rule.separator))
    return "; ".join(item for item in items if item and item not in rule.empty)


def _fact_choice(text: str, rule: FactRule, _draft: Draft) -> str:
    if text not in rule.choices:
        raise ValueProblem("choice_unknown", "choices of the mapping", choices=shown(", ".join(rule.choices)))
    return rule.choices[text]


def _noticed(cleaned: tuple[str, tuple[str, ...]], rule: ColumnRule, draft: Draft) -> str:
    text, codes = cleaned
    if codes:
        draft.notices.extend(Notice(rule.column, code) for code in codes)
    return text


_FACTS: dict[str, Callable[[str, FactRule, Draft], str]] = {
    "line": _fact_line,
    "text": _fact_text,
    "int": _fact_int,
    "list": _fact_list,
    "choice": _fact_choice,
}
_READERS: dict[type[ColumnRule], Callable[..., None]] = {
    LineRule: _line,
    CountryRule: _country,
    KindRule: _kind,
    DayRule: _day,
    LevelRule: _level,
    FactRule: _fact,
}
