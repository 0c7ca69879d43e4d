"""Whether a gauge may be believed: the measurement system study behind every capability index [practice]."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from lifecycle.stages.forms import day, limit, months_after, number, text, whole
from lifecycle.stages.records import EvidenceRecord, Records
from lifecycle.standards.pack import Criterion

GaugeFinding: TypeAlias = Literal["good", "conditional", "unfit", "expired", "not_studied", "not_named"]

FIT: tuple[GaugeFinding, ...] = ("good", "conditional")
NOT_STUDIED: tuple[GaugeFinding, ...] = ("not_studied", "not_named")


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeDemand:
    """What a study has to show: GRR as a share of the tolerance or total variation, distinct categories, its age."""

    grr: float
    grr_good: float
    ndc: float
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeStudy:
    """What is known of one gauge."""

    gauge: str | None
    finding: GaugeFinding
    grr: float | None = None
    ndc: int | None = None
    studied_on: date | None = None


def gauge_demand(criterion: Criterion) -> GaugeDemand:
    """Read the demand from the parameters `grr`, `grr_good`, `ndc` and `months`; `KeyError` when one is absent."""
    return GaugeDemand(
        grr=limit(criterion, "grr"),
        grr_good=limit(criterion, "grr_good"),
        ndc=limit(criterion, "ndc"),
        months=int(limit(criterion, "months")),
    )


def gauge_study(records: Records, gauge: str | None, demand: GaugeDemand) -> GaugeStudy:
    """Return the newest study of this gauge and whether it is fit.

    GRR at most 10 % is good, at most 30 % conditional, with at least 5 distinct categories and a study of the last 12
    months (numbers from the pack) [practice]. A study that is dated in the future or lacks a figure is none.
    """
    if gauge is None:
        return GaugeStudy(gauge=None, finding="not_named")
    studies = [
        found
        for item in records.of_type("msa_study")
        if text(item.values, "gauge") == gauge
        and (found := _study(item, gauge, demand, records.today)).studied_on is not None
    ]
    return max(studies, key=lambda study: study.studied_on or date.min, default=_unstudied(gauge))


def _study(item: EvidenceRecord, gauge: str, demand: GaugeDemand, today: date) -> GaugeStudy:
    grr, ndc, on = number(item.values, "grr"), whole(item.values, "ndc"), day(item.values, "studied_on")
    if grr is None or ndc is None or on is None or on > today or grr < 0:
        return _unstudied(gauge)
    finding: GaugeFinding = "good" if grr <= demand.grr_good else "conditional"
    if not (grr <= demand.grr and ndc >= demand.ndc):
        finding = "unfit"
    elif months_after(on, demand.months) < today:
        finding = "expired"
    return GaugeStudy(gauge=gauge, finding=finding, grr=grr, ndc=ndc, studied_on=on)


def _unstudied(gauge: str) -> GaugeStudy:
    return GaugeStudy(gauge=gauge, finding="not_studied")
