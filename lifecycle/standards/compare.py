"""Whether one pack only tightens another: a layer may ask for more than the one it builds on, never for less.

What has no declared direction may not differ at all: a comparison that does not know must refuse.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from lifecycle.standards.funds import FundRules, Tier, Tranche
from lifecycle.standards.pack import Criterion, Due, EvidenceType, FormField, Pack, Panel, Score, Stage
from lifecycle.standards.parties import hands_in
from lifecycle.standards.problem import Problem, located

Direction: TypeAlias = Literal["up", "down", "more", "same"] | tuple[str, ...]
"""Where tighter lies: a higher number, a lower number, a longer list, nowhere, or words from loose to tight."""

_GAUGE: Mapping[str, Direction] = {"grr": "down", "grr_good": "down", "ndc": "up", "months": "down"}
_JUDGED_INDEX: Mapping[str, Direction] = {
    "n": "up",
    "aim": "up",
    "judge_on": ("point", "bound"),
    "confidence": "up",
    "chart_rules": "more",
    "run_length": "down",
    **_GAUGE,
}

DIRECTIONS: Mapping[str, Mapping[str, Direction]] = {
    "application_complete": {},
    "lawful_applicant": {},
    "small_firm": {
        "eu_staff": "down",
        "eu_turnover_minor": "down",
        "eu_balance_minor": "down",
        "cn_staff": "down",
        "cn_revenue_minor": "down",
    },
    "maturity": {"trl": "up", "mrl": "up"},
    "clean_record": {"years": "up"},
    "no_double_funding": {"similarity": "down"},
    "need_meets_platform": {"slot_months": "down"},
    "technical_manager": {"load_cap": "down"},
    "own_money": {"share": "up"},
    "risks_owned": {},
    "scale_up_step": {"ratio": "down", "ratio_fine_chemicals": "down"},
    "unit_cost": {"ratio": "down"},
    "capacity_booked": {},
    "validation_matrix": {},
    "permits_dated": {},
    "budget_balanced": {"grant_share": "down", "ineligible": "more"},
    "public_notice": {},
    "volume": {"batches": "up", "units": "up", "runs": "up"},
    "verifications_passed": {"signed_by": "more"},
    "right_revision": {},
    "first_pass_yield": {"point": "up", "bound": "up", "confidence": "up", "batch": "same"},
    "capability": {"ppk": "up", "ppk_critical": "up", **_JUDGED_INDEX},
    "measurement_system": _GAUGE,
    "reliability": {"reliability": "up", "confidence": "up"},
    "issues_closed": {},
    "ehs_clear": {},
    "control_plan": {},
    "outside_test": {"months": "down"},
    "deviations_disposed": {},
    "units_trace": {},
    "reach": {"sites": "up"},
    "use": {"sites": "up", "days": "up"},
    "paid_orders": {"orders": "up"},
    "demand": {"letters": "up"},
    "field_reliability": {"confidence": "up"},
    "certification": {},
    "safety_complaints": {},
    "production_run": {"hours_at_least": "up", "hours_at_most": "down", "units": "up", "batches": "up"},
    "ppap_elements": {"elements": "more"},
    "production_capability": {"ppk": "up", "ppk_with_consent": "up", "cpk": "up", **_JUDGED_INDEX},
    "rate": {"share": "up", "share_with_condition": "up"},
    "supply_ready": {},
    "debts_cleared": {},
    "money_settled": {},
    "audit_closed": {"threshold_minor": "down"},
    "signed_and_shown": {},
}
"""For each rule: in which direction each of its parameters becomes stricter."""

STAGE_DIRECTIONS: Mapping[str, Direction] = {
    "entry": "more",
    "completion_rounds": "down",
    "completion_days": "down",
    "run_limits": "same",
}

FEWEST_WORKING_DAYS_OF_A_MONTH = 15
"""A February with the whole Spring Festival in it has 16; one is kept in hand."""

LIMIT_DIRECTIONS: Mapping[str, Direction] = {
    "conditions_at_most": "down",
    "condition_days": "down",
    "condition_overdue_hold_days": "down",
    "recycles_per_stage": "down",
    "hold_calendar_days": "down",
    "hold_extensions": "down",
    "transfer_accept_days": "down",
    "waivers_per_gate": "down",
    "waiver_calendar_days": "down",
    "freeze_before_panel_days": "up",
}

FUND_DIRECTIONS: Mapping[str, Direction] = {
    "rate_cap_basis_points": "down",
    "before_last_gate_basis_points": "down",
    "before_audit_basis_points": "down",
    "advance_basis_points": "down",
    "used_basis_points": "up",
    "retention_months": "up",
    "notice_days": "up",
    "cooling_off_working_days": "up",
    "payment_days": "down",
    "payment_days_at_most": "down",
    "statement_days": "same",
    "recovery_days": "same",
    "late_interest_basis_points": "same",
    "adding_up_days": "up",
    "currency": "same",
}
"""Stricter lies where less is paid early and more is asked before; a promise to the firm is stricter when it is sooner.

The days a firm has after a stop or for a recovery bind it as much as they protect it: a layer leaves them alone.
"""

PANEL_DIRECTIONS: Mapping[str, Direction] = {
    "kind": ("none", "single_expert", "panel"),
    "minimum_members": "up",
    "competences": "more",
    "extra_roles": "more",
    "guests": "more",
}

CRITERION_DIRECTIONS: Mapping[str, Direction] = {
    "how": "more",
    "strength": ("W", "C", "H"),
    "condition_needs": "more",
    "evidence": "more",
    "supporting": "more",
    "after": "more",
    "rule": "same",
    "follow_notice": "same",
}

_FORM_DIRECTIONS: Mapping[str, Direction] = {
    "family": "same",
    "gate": "same",
    "valid_until_field": "same",
    "several": "same",
    "key_field": "same",
}


def compare(base: Pack, tighter: Pack, *, lines: Mapping[str, str] | None = None) -> list[Problem]:
    """Return every place where `tighter` asks for less than `base`, or for something that cannot be compared.

    `lines` (see `library.lines`) adds file and line of the looser place. An empty answer means: it may be published
    as a layer on top of `base` (section 7, row 16 of the rule book: a loosening pack is refused with the line).
    """
    return located(list(_differences(base, tighter)), lines or {})


def _differences(base: Pack, tighter: Pack) -> Iterator[Problem]:
    name = f"{base.code}@{base.version}"
    if tighter.based_on != name:
        yield _problem("based_on_another", "based_on", name, tighter.based_on)
    yield from _each(base.limits, tighter.limits, LIMIT_DIRECTIONS, "limits")
    if lost := [kind for kind in base.verifications if kind not in tighter.verifications]:
        yield _problem("verification_dropped", "verifications", lost, None)
    for profile, choices in base.profiles.items():
        if not set(tighter.profiles.get(profile, ())) <= set(choices) or profile not in tighter.profiles:
            yield _problem("profile_changed", f"profiles/{profile}", choices, tighter.profiles.get(profile))
    yield from _funds(base.funds, tighter.funds)
    for kind in base.evidence_types:
        other = {other.id: other for other in tighter.evidence_types}.get(kind.id)
        yield from _evidence_type(kind, other)
        if other is not None and not (new := hands_in(tighter, other)) <= (old := hands_in(base, kind)):
            yield _loosened(f"evidence_types/{kind.id}/handed_in_by", sorted(old), sorted(new))
    for stage in base.stages:
        found = [other for other in tighter.stages if other.id is stage.id]
        yield from _stage(stage, found[0]) if found else [_problem("stage_dropped", stage.id, stage.id, None)]


def _funds(base: FundRules, tighter: FundRules) -> Iterator[Problem]:
    yield from _each(base, tighter, FUND_DIRECTIONS, "funds")
    for name in ("asks_certifier", "asks_release"):
        if getattr(base, name) and not getattr(tighter, name):
            yield _loosened(f"funds/{name}", old=True, new=False)
    for limit in sorted({one.up_to_minor for one in (*base.tiers, *tighter.tiers) if one.up_to_minor}):
        for amount in (limit, limit + 1):
            old, new = _tier(base.tiers, amount), _tier(tighter.tiers, amount)
            if old and new and (new.needed < old.needed or new.needs_minute < old.needs_minute):
                yield _loosened(f"funds/tiers/{amount}", old.needed, new.needed)
    yield from _plan(base.tranches, tighter.tranches)


def _tier(tiers: tuple[Tier, ...], amount: int) -> Tier | None:
    """Return the tier of an amount; none refuses every payout, and nothing is stricter."""
    return next((one for one in tiers if one.up_to_minor is None or amount <= one.up_to_minor), None)


def _plan(base: tuple[Tranche, ...], tighter: tuple[Tranche, ...]) -> Iterator[Problem]:
    """The same tranches in their order; each may come later and ask for more, and no sum up to it may be larger."""
    path = "funds/tranches"
    old, new = ([one.code for one in plan] for plan in (base, tighter))
    if old != new:
        yield _problem("not_comparable", path, old, new)
        return
    sums = [0, 0]
    for one, other in zip(base, tighter, strict=True):
        place = f"{path}/{one.code}"
        sums = [sums[0] + one.share_basis_points, sums[1] + other.share_basis_points]
        if sums[1] > sums[0]:
            yield _loosened(f"{place}/share_basis_points", *sums)
        if (one.gate, one.criteria) != (other.gate, other.criteria) and not (
            other.reached_at > one.reached_at or (one.criteria and set(one.criteria) < set(other.criteria))
        ):
            yield _loosened(f"{place}/gate", one.gate or one.criteria, other.gate or other.criteria)
        yield from _one(one.needs, other.needs, "more", f"{place}/needs")
        yield from _one(one.is_retention, other.is_retention, "same", f"{place}/is_retention")


def _stage(base: Stage, tighter: Stage) -> Iterator[Problem]:
    yield from _each(base, tighter, STAGE_DIRECTIONS, base.id)
    yield from _length(base, tighter, "default")
    yield from _length(base, tighter, "maximum")
    if any(new < old for old, new in zip(base.entry_maturity, tighter.entry_maturity, strict=True)):
        yield _loosened(f"{base.id}/entry_maturity", base.entry_maturity, tighter.entry_maturity)
    if more := [outcome for outcome in tighter.outcomes if outcome not in base.outcomes]:
        yield _problem("outcome_added", f"{base.id}/outcomes", list(base.outcomes), more)
    yield from _panel(base.panel, tighter.panel, f"{base.id}/panel")
    yield from _score(base.score, tighter.score, f"{base.id}/score")
    yield from _notice(base, tighter)
    have = {criterion.id: criterion for criterion in tighter.criteria}
    for criterion in base.criteria:
        path = f"{base.id}/criteria/{criterion.id}"
        if criterion.id in have:
            yield from _criterion(criterion, have[criterion.id], path)
        else:
            yield _problem("criterion_dropped", path, criterion.id, None)


def _criterion(base: Criterion, tighter: Criterion, path: str) -> Iterator[Problem]:
    yield from _each(base, tighter, CRITERION_DIRECTIONS, path)
    yield from _kept("owner_dropped", base.owed_by, tighter.owed_by, f"{path}/owed_by")
    yield from _kept("judge_dropped", base.judges, tighter.judges, f"{path}/judges")
    yield from _due(base.due, tighter.due, f"{path}/due")
    directions = DIRECTIONS.get(base.rule or "", {})
    for name in sorted({*base.parameters, *tighter.parameters}):
        old, new = base.parameters.get(name), tighter.parameters.get(name)
        yield from _one(old, new, directions.get(name, "same"), f"{path}/parameters/{name}")


def _due(base: Due, tighter: Due, path: str) -> Iterator[Problem]:
    """A day may come earlier; another anchor or unit cannot be compared."""
    if (base.anchor, base.unit) != (tighter.anchor, tighter.unit):
        yield _problem("not_comparable", path, f"{base.anchor} {base.unit}", f"{tighter.anchor} {tighter.unit}")
    else:
        yield from _one(base.days, tighter.days, "down", f"{path}/days")


def _length(base: Stage, tighter: Stage, name: str) -> Iterator[Problem]:
    """A length may become shorter; one in working days is surely shorter than months when every month has room for it.

    The other way round nothing is sure: how many working days a month has depends on its holidays.
    """
    days, unit = f"{name}_days", f"{name}_unit"
    old, new = getattr(base, days), getattr(tighter, days)
    if getattr(base, unit) == getattr(tighter, unit):
        yield from _one(old, new, "down", f"{base.id}/{days}")
    elif getattr(tighter, unit) != "working_days":
        yield _problem("not_comparable", f"{base.id}/{unit}", getattr(base, unit), getattr(tighter, unit))
    elif new > old * FEWEST_WORKING_DAYS_OF_A_MONTH:
        yield _loosened(f"{base.id}/{days}", f"{old} {getattr(base, unit)}", f"{new} working_days")


def _panel(base: Panel, tighter: Panel, path: str) -> Iterator[Problem]:
    yield from _each(base, tighter, PANEL_DIRECTIONS, path)
    (part, whole), (new_part, new_whole) = base.quorum_share, tighter.quorum_share
    if new_part * whole < part * new_whole:
        yield _loosened(f"{path}/quorum_share", base.quorum_share, tighter.quorum_share)


def _score(base: Score, tighter: Score, path: str) -> Iterator[Problem]:
    """The limits may rise. Other factors or weights can turn a failed score into a passed one: they stay."""
    yield from _each(base, tighter, {"pass_total": "up", "floor_per_factor": "up"}, path)
    old, new = ([(factor.id, factor.weight) for factor in score.factors] for score in (base, tighter))
    if sorted(old) != sorted(new):
        yield _problem("not_comparable", f"{path}/factors", dict(old), dict(new))


def _notice(base: Stage, tighter: Stage) -> Iterator[Problem]:
    old, new, path = base.notice, tighter.notice, f"{base.id}/notice"
    if old is None:
        return
    if new is None:
        yield _problem("notice_dropped", path, old.days, None)
    elif old.unit != new.unit:
        yield _problem("not_comparable", path, old.unit, new.unit)
    else:
        yield from _one(old.days, new.days, "up", f"{path}/days")


def _evidence_type(base: EvidenceType, tighter: EvidenceType | None) -> Iterator[Problem]:
    path = f"evidence_types/{base.id}"
    if tighter is None:
        yield _problem("evidence_type_dropped", path, base.id, None)
        return
    yield from _each(base, tighter, _FORM_DIRECTIONS, path)
    if base.only_for_revision and not tighter.only_for_revision:
        yield _loosened(f"{path}/only_for_revision", old=True, new=False)
    if base.valid_months is not None and (tighter.valid_months is None or tighter.valid_months > base.valid_months):
        yield _loosened(f"{path}/valid_months", base.valid_months, tighter.valid_months)
    yield from _fields(base.fields, tighter.fields, f"{path}/fields")


def _fields(base: tuple[FormField, ...], tighter: tuple[FormField, ...], path: str) -> Iterator[Problem]:
    have = {form_field.name: form_field for form_field in tighter}
    for old in base:
        new, place = have.get(old.name), f"{path}/{old.name}"
        if new is None or (old.required and not new.required):
            yield _problem("field_dropped", place, old.name, None)
        elif (old.kind, old.unit) != (new.kind, new.unit) or not set(new.choices) <= set(old.choices):
            yield _problem("not_comparable", place, old.kind, new.kind)
        else:
            yield from _fields(old.columns, new.columns, f"{place}/columns")


def _kept(code: str, base: Iterable[object], tighter: Iterable[object], path: str) -> Iterator[Problem]:
    left = list(tighter)
    for item in base:
        if item in left:
            left.remove(item)
        else:
            yield _problem(code, path, _said(item), None)


def _each(base: object, tighter: object, directions: Mapping[str, Direction], path: str) -> Iterator[Problem]:
    for name, direction in directions.items():
        yield from _one(getattr(base, name), getattr(tighter, name), direction, f"{path}/{name}")


def _one(old: Any, new: Any, direction: Direction, path: str) -> Iterator[Problem]:
    if old == new:
        return
    if not _comparable(old, new, direction):
        yield _problem("not_comparable", path, old, new)
    elif not _tighter(old, new, direction):
        yield _loosened(path, old, new)


def _comparable(old: Any, new: Any, direction: Direction) -> bool:
    if isinstance(direction, tuple):
        return old in direction and new in direction
    kinds: dict[str, Callable[[Any], bool]] = {"up": _is_number, "down": _is_number, "more": _is_list}
    return direction in kinds and kinds[direction](old) and kinds[direction](new)


def _tighter(old: Any, new: Any, direction: Direction) -> bool:
    if isinstance(direction, tuple):
        return direction.index(new) > direction.index(old)
    if direction == "more":
        return set(old) <= set(new)
    return bool(new > old if direction == "up" else new < old)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _loosened(path: str, old: object, new: object) -> Problem:
    return _problem("loosened", path, old, new)


def _problem(code: str, path: str, old: object, new: object) -> Problem:
    return Problem(code=code, path=path, values={"old": _said(old), "new": _said(new)})


def _said(value: Any) -> Any:
    """Return the value as plain data."""
    if hasattr(value, "model_dump"):
        return " ".join(str(part) for part in value.model_dump(mode="json").values() if part is not None)
    return [str(item) for item in value] if isinstance(value, list | tuple) else value
