"""Yields of batches: the share that was good at once, its lower bound, and what both say against the standard. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from lifecycle.stages.statistics import clopper_pearson_lower, smallest_flawless_lot
from lifecycle.standards.pack import Criterion, Pack
from models.states import BatchKind
from web.charts.intervals import Dot, Limit, intervals
from web.render import Words

RULE = "first_pass_yield"
CONFIDENCE = 0.95
"""Of the bound of a batch of whose kind the standard asks nothing."""
DRAWN = 12
"""Batches that a drawing has, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch with its yield and the one-sided lower bound."""

    facts: Mapping[str, Any]
    point: float
    lower: float
    verdict: str
    """`met`, `not_enough_evidence` or `not_met` against the threshold of its kind; empty without a threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What the standard asks of the yield of one kind of batch."""

    clause: str
    point: float
    bound: float
    confidence: float

    @property
    def flawless(self) -> int:
        """Return the fewest units that, all good, suffice."""
        return smallest_flawless_lot(bound=self.bound, confidence=self.confidence)


def thresholds(pack: Pack) -> dict[str, Threshold]:
    """Return kind of batch -> what the standard asks of its first-pass yield."""
    criteria = [one for stage in pack.stages for one in stage.criteria if one.rule == RULE]
    return {str(BatchKind(str(one.parameters["batch"]))): _threshold(one) for one in criteria}


def _threshold(one: Criterion) -> Threshold:
    point, bound, confidence = (float(str(one.parameters[name])) for name in ("point", "bound", "confidence"))
    return Threshold(clause=one.id, point=point, bound=bound, confidence=confidence)


def judged(facts: Mapping[str, Any], asked: Threshold | None) -> Batch:
    """Return a batch with its yield, and what that says against the threshold of its kind."""
    confidence = asked.confidence if asked else CONFIDENCE
    found = clopper_pearson_lower(facts["passed_first_time"], facts["started"], confidence=confidence)
    verdict = ""
    if asked is not None:
        verdict = (
            "not_met" if found.point < asked.point else "met" if found.lower >= asked.bound else "not_enough_evidence"
        )
    return Batch(facts=facts, point=found.point, lower=found.lower, verdict=verdict)


def _said(batch: Batch, words: Words) -> str:
    """Return the figures of a batch, and that they may change while it is made."""
    figures = words.t(
        "batches.dot",
        good=batch.facts["passed_first_time"],
        made=batch.facts["started"],
        point=f"{batch.point:.1%}",
        lower=f"{batch.lower:.1%}",
    )
    return figures if batch.facts["is_closed"] else f"{figures} · {words.t('batches.open')}"


def yield_chart(found: Sequence[Batch], asked: Mapping[str, Threshold], words: Words) -> Markup:
    """Return the drawing of the latest batches: the interval of each against what the standard asks of its kind."""
    dots = [
        Dot(
            name=batch.facts["number"],
            lower=batch.lower,
            point=batch.point,
            said=_said(batch, words),
            is_enough=batch.verdict == "met",
        )
        for batch in found[-DRAWN:]
    ]
    kinds = {str(batch.facts["kind"]) for batch in found}
    limits = [
        Limit(at=one.bound, said=words.t("batches.limit", clause=one.clause, bound=f"{one.bound:.0%}"))
        for kind, one in asked.items()
        if kind in kinds
    ]
    said = "; ".join(f"{dot.name} {dot.said}" for dot in dots)
    return intervals(dots, limits, label=words.t("batches.chart", said=said))
