"""What trials have used of the limits agreed in their contracts, in a few reads for any number of projects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.stages.stop_loss import LimitHit, StopLoss, Used, agreed_stop_loss, days_used, limits_hit
from lifecycle.standards.pack import Pack, RunLimits
from lifecycle.verdicts.packs import packs_of
from models.evidence import Evidence
from models.projects import StageRun
from models.reading import rows_by
from models.states import STAGES, BatchKind, EvidenceStatus
from models.trials import BatchFigure, TrialBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The limits of one trial, what it has used by today, and which limits its present visit has already told."""

    agreed: StopLoss
    used: Used
    currency: str
    told: Mapping[str, Any] = field(default_factory=dict)

    def with_batch(self, cost_minor: int | None, currency: str | None) -> "Spending":
        """Return the same trial with one more batch."""
        used = replace(self.used, batches=self.used.batches + 1)
        return replace(self, used=used).with_cost(cost_minor, currency)

    def with_cost(self, minor: int | None, currency: str | None) -> "Spending":
        """Return the same trial with so much more spent; another currency than the contract's is not counted."""
        more = (minor or 0) if currency == self.currency else 0
        return replace(self, used=replace(self.used, money_minor=self.used.money_minor + more))

    def hits(self) -> tuple[LimitHit, ...]:
        """Return every limit that is used up."""
        return limits_hit(self.agreed, self.used)

    def new_hits(self) -> tuple[LimitHit, ...]:
        """Return the used-up limits that this visit has not told; one agreed anew is another limit."""
        return tuple(hit for hit in self.hits() if self.told.get(hit.code, {}).get("limit") != hit.limit)


def spending_of(session: Session, projects: Sequence[Any], today: date) -> dict[UUID, Spending]:
    """Return the spending of those of these projects in whose present stage a limit is agreed."""
    packs = packs_of(session, {project.pack_sha256 for project in projects})
    limits = {project.id: _limits(packs[project.pack_sha256], project) for project in projects}
    limited = [project for project in projects if limits[project.id] is not None]
    documents = rows_by(session, Evidence, "project_id", [project.id for project in limited], "at")
    agreed = {
        project.id: _agreed(limits[project.id], documents.get(project.id, ()))  # type: ignore[arg-type]
        for project in limited
    }
    ids = [key for key, limit in agreed.items() if limit != StopLoss()]
    runs = rows_by(session, StageRun, "project_id", ids, "opened_on", "visit")
    batches = rows_by(session, TrialBatch, "project_id", ids, "id")
    batch_ids = [row.id for rows in batches.values() for row in rows if row.kind == BatchKind.TRIAL]
    figures = {key: rows[-1] for key, rows in rows_by(session, BatchFigure, "batch_id", batch_ids, "entry_no").items()}
    found = {}
    for project in limited:
        if project.id in ids:
            visits = runs.get(project.id, ())
            counted = [figures[row.id] for row in batches.get(project.id, ()) if row.id in figures]
            currency = _currency(packs[project.pack_sha256], limits[project.id])  # type: ignore[arg-type]
            found[project.id] = Spending(
                agreed=agreed[project.id],
                used=Used(
                    money_minor=sum(row.cost_minor or 0 for row in counted if row.currency == currency),
                    batches=len(counted),
                    days=days_used(visits, project.stage, today),
                ),
                currency=currency,
                told=next((run.stop_loss for run in visits if run.id == project.stage_run_id), {}),
            )
    return found


def _limits(pack: Pack, project: Any) -> RunLimits | None:
    return pack.stage(project.stage).run_limits if project.stage in STAGES else None


def _agreed(limits: RunLimits, documents: Sequence[Any]) -> StopLoss:
    """Return the limits of the newest contract; without one nothing was agreed."""
    contracts = [row for row in documents if row.type == limits.form and row.status == EvidenceStatus.CURRENT]
    return agreed_stop_loss(limits, contracts[-1].form) if contracts else StopLoss()


def _currency(pack: Pack, limits: RunLimits) -> str:
    """Return the currency in which the contract's form asks for money (unit `CNY fen`)."""
    form = next(kind for kind in pack.evidence_types if kind.id == limits.form)
    unit = next((item.unit for item in form.fields if item.name == limits.money_field), None)
    return (unit or "").partition(" ")[0]
