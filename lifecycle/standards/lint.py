"""Whether a pack may be published: everything in it is named, whole, in both languages and sane.

What a single value may be is checked by the types of `pack.py`; here stands what takes two of them to see.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from lifecycle.calendar import WORKING_DAYS_OF_A_MONTH
from lifecycle.standards.compare import DIRECTIONS
from lifecycle.standards.funds import fund_faults
from lifecycle.standards.pack import Criterion, EvidenceType, FormField, Pack, Panel, Stage
from lifecycle.standards.part import Text
from lifecycle.standards.parties import hands_in
from lifecycle.standards.problem import Problem, located
from models.states import STAGES, GateOutcome

FAMILIES = frozenset(
    {"term", "project", "data", "risk", "ownership", "people", "service"}
    | {"equipment", "material", "platform", "verification", "result"}
)
"""The twelve families of the standard-system guide, 2025 edition [rule S14]."""

DEFAULT_CRITERIA: Mapping[str, int] = {"G1": 9, "G2": 12, "G3": 14, "G4": 10, "G5": 12}
"""How many must-meet criteria the default standard has at each gate: 57 together (section 3 of the rule book)."""

METHODS = ("Clopper-Pearson", "Bissell", "success-run", "success run", "chi-square")
"""Names of methods for a lower confidence bound; both languages use them as they stand here."""

_LONGEST_DUE = 366
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_ABBREVIATION = re.compile(r"[A-Za-z0-9/ .%&×-]{1,16}")
_BOUND = re.compile(r"lower (?:confidence )?bound|置信下限|下限.{0,6}置信|confidence bound", re.IGNORECASE)


def lint(pack: Pack, *, rules: AbstractSet[str], lines: Mapping[str, str] | None = None) -> list[Problem]:
    """Return every reason why this pack may not be published; `rules` are the names of the rules that exist.

    `lines` (see `library.lines`) adds file and line to each.
    """
    return located(list(_problems(pack, rules)), lines or {})


def _problems(pack: Pack, rules: AbstractSet[str]) -> Iterator[Problem]:
    yield from _language(pack.title, "title", needs_han=True)
    if tuple(stage.id for stage in pack.stages) != STAGES:
        yield _problem("stages_wrong", "stages", have=[str(stage.id) for stage in pack.stages])
    for profile, choices in pack.profiles.items():
        if len(set(choices)) < 2 or len(set(choices)) < len(choices):
            yield _problem("profile_without_choice", f"profiles/{profile}", choices=list(choices))
    for number, stage in enumerate(pack.stages, start=1):
        if stage.gate != f"G{number}":
            yield _problem("gate_wrong", f"{stage.id}/gate", have=stage.gate, needed=f"G{number}")
        yield from _stage(stage, pack)
        yield from _criteria(stage, pack, rules)
    yield from _repeated((kind.id for kind in pack.evidence_types), "evidence_types")
    for kind in pack.evidence_types:
        yield from _evidence_type(kind)
        if not hands_in(pack, kind):
            yield _problem("nobody_hands_in", f"evidence_types/{kind.id}/handed_in_by")
    yield from _funds(pack)


def _funds(pack: Pack) -> Iterator[Problem]:
    clauses = {criterion.id for stage in pack.stages for criterion in stage.criteria}
    for fault in fund_faults(pack.funds, clauses=clauses):
        yield _problem(fault.code, f"funds/{fault.place}", **fault.values)
    for tranche in pack.funds.tranches:
        yield from _language(tranche.title, f"funds/tranches/{tranche.code}/title", needs_han=True)


def _stage(stage: Stage, pack: Pack) -> Iterator[Problem]:
    path = str(stage.id)
    yield from _language(stage.title, path, needs_han=True)
    lengths = [
        days * (WORKING_DAYS_OF_A_MONTH if unit == "months" else 1)
        for days, unit in ((stage.default_days, stage.default_unit), (stage.maximum_days, stage.maximum_unit))
    ]
    if not 0 < lengths[0] <= lengths[1]:
        yield _problem("length_over_maximum", f"{path}/default_days", have=stage.default_days, limit=stage.maximum_days)
    if len(set(stage.outcomes)) < len(stage.outcomes):
        yield _problem("repeated", f"{path}/outcomes", items=sorted(stage.outcomes))
    yield from _panel(stage.panel, f"{path}/panel")
    if stage.panel.kind == "none" and not pack.rehearsal_only:
        yield _problem("panel_missing", f"{path}/panel")
    if stage.panel.kind != "none":
        if lost := {GateOutcome.GO, GateOutcome.STOP} - set(stage.outcomes):
            yield _problem("outcome_missing", f"{path}/outcomes", missing=sorted(lost))
        yield from _weights(stage, path)
    if stage.notice is not None and stage.notice.days < 1:
        yield _problem("notice_too_short", f"{path}/notice/days", have=stage.notice.days)


def _weights(stage: Stage, path: str) -> Iterator[Problem]:
    factors = stage.score.factors
    if (total := sum(factor.weight for factor in factors)) != 100:
        yield _problem("weights_not_100", f"{path}/score/factors", total=total)
    yield from _repeated((factor.id for factor in factors), f"{path}/score/factors")
    for factor in factors:
        yield from _language(factor.title, f"{path}/score/factors/{factor.id}", needs_han=True)
    if not (0 <= stage.score.pass_total <= 100 and 0 <= stage.score.floor_per_factor <= 10):
        yield _problem("score_out_of_range", f"{path}/score")


def _panel(panel: Panel, path: str) -> Iterator[Problem]:
    """A panel has 3 to 7 members, an odd number, and a quorum above one half (section 3.0)."""
    if panel.kind != "panel":
        return
    least, most = panel.minimum_members, panel.maximum_members
    if not (3 <= least <= most <= 7 and least % 2 and most % 2):
        yield _problem("panel_size_wrong", path, have=[least, most])
    part, whole = panel.quorum_share
    if not whole < 2 * part <= 2 * whole:
        yield _problem("quorum_wrong", f"{path}/quorum_share", have=[part, whole])
    if not panel.competences:
        yield _problem("competence_missing", f"{path}/competences")


def _criteria(stage: Stage, pack: Pack, rules: AbstractSet[str]) -> Iterator[Problem]:
    path = f"{stage.id}/criteria"
    ids = [criterion.id for criterion in stage.criteria]
    if ids != [f"{stage.gate}.{number}" for number in range(1, len(ids) + 1)]:
        yield _problem("ids_not_contiguous", path, have=ids)
    if pack.code == "default" and len(ids) != DEFAULT_CRITERIA[stage.gate]:
        yield _problem("criteria_count_wrong", path, have=len(ids), needed=DEFAULT_CRITERIA[stage.gate])
    if not ids and not pack.rehearsal_only:
        yield _problem("criteria_missing", path)
    for criterion in stage.criteria:
        yield from _criterion(criterion, stage, pack, rules)


def _criterion(criterion: Criterion, stage: Stage, pack: Pack, rules: AbstractSet[str]) -> Iterator[Problem]:
    path = f"{stage.id}/criteria/{criterion.id}"
    yield from _language(criterion.title, f"{path}/title", needs_han=True)
    yield from _language(criterion.text, f"{path}/text", needs_han=True)
    yield from _bound(criterion, path)
    yield from _rule(criterion, path, rules)
    yield from _judges(criterion, path)
    yield from _due(criterion, stage, path)
    types = {kind.id for kind in pack.evidence_types}
    for name in (*criterion.evidence, *(judge.part for judge in criterion.judges if judge.part)):
        if name not in types:
            yield _problem("evidence_type_unknown", f"{path}/evidence", name=name, known=pack.types_like(name))
    for other in criterion.after:
        if not pack.has(other) or other == criterion.id:
            yield _problem("after_unknown", f"{path}/after", name=other)
    if not criterion.owed_by:
        yield _problem("owner_missing", f"{path}/owed_by")
    if criterion.condition_needs and criterion.strength != "C":
        yield _problem("condition_on_no_condition", f"{path}/condition_needs", strength=criterion.strength)
    if criterion.follow_notice and stage.notice is None:
        yield _problem("notice_missing_in_stage", f"{path}/follow_notice")


def _bound(criterion: Criterion, path: str) -> Iterator[Problem]:
    """A clause that asks for a lower bound names its method: two methods give two verdicts on the same batch."""
    for language, said in (("zh", criterion.text.zh), ("en", criterion.text.en)):
        if _BOUND.search(said) and not any(method.lower() in said.lower() for method in METHODS):
            yield _problem("bound_without_method", f"{path}/text/{language}")


def _rule(criterion: Criterion, path: str, rules: AbstractSet[str]) -> Iterator[Problem]:
    rule = criterion.rule
    if ("computed" in criterion.how) != (rule is not None):
        yield _problem("computed_needs_rule", f"{path}/rule", how=list(criterion.how), rule=rule)
    if rule is None:
        if criterion.parameters:
            yield _problem("parameters_without_rule", f"{path}/parameters")
    elif rule not in rules:
        yield _problem("rule_unknown", f"{path}/rule", rule=rule)
    else:
        for name in sorted(set(criterion.parameters) - set(DIRECTIONS.get(rule, {}))):
            yield _problem("direction_missing", f"{path}/parameters/{name}", rule=rule)


def _judges(criterion: Criterion, path: str) -> Iterator[Problem]:
    kinds: set[str] = {judge.kind for judge in criterion.judges}
    if not criterion.how or len(set(criterion.how)) < len(criterion.how):
        yield _problem("how_wrong", f"{path}/how", how=list(criterion.how))
    for kind in sorted({"accepted", "decided"} & set(criterion.how) - kinds):
        yield _problem("judge_missing", f"{path}/judges", kind=kind)
    for kind in sorted(kinds - set(criterion.how)):
        yield _problem("judge_of_other_kind", f"{path}/judges", kind=kind)


def _due(criterion: Criterion, stage: Stage, path: str) -> Iterator[Problem]:
    """Nothing is due before the day it is counted from, except from the panel, which it has to precede."""
    due = criterion.due
    if due.anchor == "always":
        sane = due.days == 0
    elif due.anchor == "panel":
        sane = abs(due.days) <= _LONGEST_DUE
    else:
        sane = 0 <= due.days <= _LONGEST_DUE and (due.anchor != "application" or stage.gate == "G1")
    if not sane:
        yield _problem("due_not_sane", f"{path}/due", anchor=due.anchor, days=due.days)


def _evidence_type(kind: EvidenceType) -> Iterator[Problem]:
    path = f"evidence_types/{kind.id}"
    yield from _language(kind.title, f"{path}/title", needs_han=False)
    if kind.family not in FAMILIES:
        yield _problem("family_unknown", f"{path}/family", family=kind.family)
    if not kind.fields:
        yield _problem("form_empty", f"{path}/fields")
    yield from _fields(kind.fields, f"{path}/fields")
    kinds = {form_field.name: form_field.kind for form_field in kind.fields}
    if kind.valid_until_field is not None and kinds.get(kind.valid_until_field) != "date":
        yield _problem("expiry_field_wrong", f"{path}/valid_until_field", name=kind.valid_until_field)
    if kind.several != (kind.key_field is not None) or (kind.key_field or "") not in {"", *kinds}:
        yield _problem("key_field_wrong", f"{path}/key_field", name=kind.key_field)
    if kind.valid_months is not None and kind.valid_months < 1:
        yield _problem("validity_wrong", f"{path}/valid_months", have=kind.valid_months)


def _fields(fields: Iterable[FormField], path: str) -> Iterator[Problem]:
    fields = tuple(fields)
    yield from _repeated((form_field.name for form_field in fields), path)
    for form_field in fields:
        place = f"{path}/{form_field.name}"
        yield from _language(form_field.title, place, needs_han=False)
        if (form_field.kind == "choice") != bool(form_field.choices) and form_field.kind != "list":
            yield _problem("choices_wrong", place, kind=form_field.kind)
        if (form_field.kind == "table") != bool(form_field.columns):
            yield _problem("columns_wrong", place, kind=form_field.kind)
        if form_field.kind == "money" and not form_field.unit:
            yield _problem("unit_missing", place)
        yield from _fields(form_field.columns, f"{place}/columns")


def _language(text: Text, path: str, *, needs_han: bool) -> Iterator[Problem]:
    """Both languages must really be there; only an abbreviation in a form may be the same in both."""
    same_word = not needs_han and text.zh == text.en and _ABBREVIATION.fullmatch(text.zh)
    if not _HAN.search(text.zh) and not same_word:
        yield _problem("language_missing", path, language="zh")
    if not _LATIN.search(text.en):
        yield _problem("language_missing", path, language="en")


def _repeated(names: Iterable[str], path: str) -> Iterator[Problem]:
    if items := sorted(name for name, times in Counter(names).items() if times > 1):
        yield _problem("repeated", path, items=items)


def _problem(code: str, path: str, **values: object) -> Problem:
    return Problem(code=code, path=path, values=values)
