"""What the verbs of a trial look at: the project, and the stored rows beside it that each verb touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.projects.facts import ProjectFacts, project_facts
from lifecycle.trials.spending import Spending, spending_of
from models.people import Organisation
from models.reading import rows_by
from models.trials import (
    BatchFigure,
    Characteristic,
    Issue,
    Measurement,
    Order,
    ScenarioTrial,
    TrialBatch,
    VerificationTrack,
)


@dataclass(frozen=True, kw_only=True)
class TrialFacts(ProjectFacts):
    """A project's gate, with the stored rows that these verbs touch."""

    batches: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[UUID, tuple[Any, ...]] = field(default_factory=dict)
    values: Mapping[tuple[UUID, str], tuple[Any, ...]] = field(default_factory=dict)
    """(batch, characteristic) -> measurements that were not corrected."""
    issues: Mapping[int, Any] = field(default_factory=dict)
    tracks: Mapping[str, Any] = field(default_factory=dict)
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    orders: Mapping[str, Any] = field(default_factory=dict)
    characteristics: frozenset[str] = frozenset()
    customers: frozenset[UUID] = frozenset()
    spending: Spending | None = None
    """What is used of the agreed limits; None where none was agreed, or the verb cannot use any up."""

    @property
    def batch(self) -> Any:
        """The batch that the command names, or None."""
        return self.batches.get(getattr(self.command, "number", None) or "")


def reading(*models: Any, base: FactsOf[Any, ProjectFacts] = project_facts) -> FactsOf[Any, TrialFacts]:
    """Return the fact query of a verb that looks at these tables, beside the project or, where asked, its gate."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[TrialFacts]:
        ids = [task.project.id for task in tasks]
        rows = {model: rows_by(session, model, "project_id", ids, "id") for model in _PER_PROJECT if model in models}
        batch_ids = [row.id for group in rows.get(TrialBatch, {}).values() for row in group]
        figures = rows_by(session, BatchFigure, "batch_id", batch_ids, "entry_no") if BatchFigure in models else {}
        measured = rows_by(session, Measurement, "batch_id", batch_ids, "at") if Measurement in models else {}
        named = (getattr(task.command, "customer_id", None) for task in tasks)
        customers = rows_by(session, Organisation, "id", {customer for customer in named if customer is not None})

        def of(model: Any, one: ProjectFacts) -> Sequence[Any]:
            return rows.get(model, {}).get(one.project.id, ())

        return [
            TrialFacts(
                **one.as_read(),
                batches={row.number: row for row in of(TrialBatch, one)},
                figures={key: tuple(group) for key, group in figures.items()},
                values=_standing(measured),
                issues={row.number: row for row in of(Issue, one)},
                tracks={str(row.verification): row for row in of(VerificationTrack, one)},
                scenarios={row.site: row for row in of(ScenarioTrial, one)},
                orders={row.reference: row for row in of(Order, one)},
                characteristics=frozenset(row.name for row in of(Characteristic, one)),
                customers=frozenset(customers),
            )
            for one in base(session, tasks, stamp)
        ]

    return facts


def with_spending(facts: FactsOf[Any, TrialFacts]) -> FactsOf[Any, TrialFacts]:
    """Return the fact query of a verb that may use an agreed limit up."""

    def read(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[TrialFacts]:
        spending = spending_of(session, [task.project for task in tasks], stamp.today)
        return [replace(one, spending=spending.get(one.project.id)) for one in facts(session, tasks, stamp)]

    return read


_PER_PROJECT = (TrialBatch, Issue, VerificationTrack, ScenarioTrial, Order, Characteristic)


def _standing(measured: Mapping[UUID, list[Any]]) -> dict[tuple[UUID, str], tuple[Any, ...]]:
    found: dict[tuple[UUID, str], list[Any]] = {}
    for batch_id, rows in measured.items():
        corrected = {row.corrects_id for row in rows if row.corrects_id is not None}
        for row in rows:
            if row.id not in corrected:
                found.setdefault((batch_id, row.characteristic), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}
