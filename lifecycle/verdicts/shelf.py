"""All stored rows about a set of projects, in a number of reads that does not depend on how many projects they are."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from lifecycle.stages.records import PartyRecord
from models.evidence import DesignRevision, Evidence, Judgement, MaturityClaim
from models.limits import TIED_FROM
from models.people import Organisation, OrganisationTie
from models.projects import Project, Requirement, StageRun
from models.reading import Groups, grouped, rows_by, table_of
from models.reviews import Condition, Objection, Review, Waiver
from models.states import EvidenceStatus, ProjectState
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

KNOWN = (StageRun, Review, Condition, Waiver)
"""Tables that the verbs of a project read anyway; their rows are handed over, not read twice."""
_SINCE: Mapping[str, str] = {
    "waivers": "granted_at",
    "reopened": "reopened_at",
    "documents": "submitted_on",
    "judgements": "on",
    "revisions": "frozen_on",
    "claims": "at",
    "batches": "made_on",
    "issues": "opened_on",
    "neighbours": "created_at",
}
"""Rows that are only added to, and since when each was there."""
_CURRENT = EvidenceStatus.CURRENT


class Shelf:
    """The rows of these projects, as far as one of the named registers needs them."""

    def __init__(
        self,
        session: Session,
        projects: Sequence[Any],
        registers: Collection[str],
        known: Mapping[Any, Groups] | None = None,
    ) -> None:
        self.session, self.projects, self.registers = session, projects, registers
        self.ids = [project.id for project in projects]
        held = known or {}
        self.runs = held[StageRun] if held else self._of(StageRun, "opened_on", "visit")
        self.reviews = held[Review] if held else self._of(Review, "call_no")
        self.conditions = held[Condition] if held else self._of(Condition, "due_on")
        self.waivers = held[Waiver] if held else self._of(Waiver, "granted_at")
        self.reopened = self._reopened()
        self.documents = self._if("evidence", Evidence, "at")
        self.papers = {key: [row for row in rows if row.status == _CURRENT] for key, rows in self.documents.items()}
        self.judgements = self._if("evidence", Judgement, "at")
        self.revisions = self._if("evidence", DesignRevision, "frozen_on", "at")
        self.claims = self._if("claims", MaturityClaim, "at")
        self.characteristics = self._if("characteristics", Characteristic, "name")
        self.batches = self._if("batches", TrialBatch, "made_on", "number")
        self.issues = self._if("findings", Issue, "number")
        self.tracks = self._if("tracks", VerificationTrack)
        self.scenarios = self._if("scenarios", ScenarioTrial, "site")
        self.orders = self._if("orders", Order, "reference")
        batch_ids = [batch.id for rows in self.batches.values() for batch in rows]
        figures = rows_by(session, BatchFigure, "batch_id", batch_ids, "entry_no")
        self.figures = {batch_id: rows[-1] for batch_id, rows in figures.items()}
        self.measured = self._standing(batch_ids)
        noticed = [review.id for rows in self.reviews.values() for review in rows if review.notice_ends_on]
        self.objections = rows_by(session, Objection, "review_id", noticed)
        self.organisations = self._organisations()
        self.ties = self._ties()
        self.neighbours = self._neighbours()

    def _of(self, model: Any, *order: str) -> Groups:
        return rows_by(self.session, model, "project_id", self.ids, *order)

    def _if(self, register: str, model: Any, *order: str) -> Groups:
        return self._of(model, *order) if register in self.registers else {}

    def _reopened(self) -> Groups:
        """Return when which clauses were reopened; most requirements never are."""
        if "evidence" not in self.registers:
            return {}
        table = table_of(Requirement)
        columns = (table.c.project_id, table.c.clause, table.c.reopened_at)
        asked = select(*columns).where(table.c.project_id.in_(self.ids), table.c.reopened_at.is_not(None))
        return grouped(self.session.connection().execute(asked), "project_id")

    def evidence_of(self, project_id: UUID) -> list[Any]:
        """Return the current documents of one project."""
        return self.papers.get(project_id, [])

    def then(self, project: Any, end: datetime) -> "Shelf":
        """Return what was there of one project when a day ended, as far as its rows say since when they are there.

        A document is there in the version that was the newest; of one that was withdrawn nothing says when. What is
        corrected where it stands (figures of a batch, tracks, scenarios, orders) is as it is now.
        """
        shelf = copy(self)
        for name, since in _SINCE.items():
            rows, key = getattr(self, name), project.organisation_id if name == "neighbours" else project.id
            setattr(shelf, name, {key: [row for row in rows.get(key, ()) if _is_before(getattr(row, since), end)]})
        newest = {(row.type, row.key): row for row in shelf.documents[project.id]}
        shelf.papers = {project.id: [row for row in newest.values() if row.status != EvidenceStatus.WITHDRAWN]}
        return shelf

    def _standing(self, batch_ids: Sequence[UUID]) -> Groups:
        """Return the measurements per batch that were not corrected, in the order of production."""
        order = ("batch_id", "characteristic", "subgroup", "place", "at")
        rows = rows_by(self.session, Measurement, "batch_id", batch_ids, *order)
        corrected = {row.corrects_id for group in rows.values() for row in group if row.corrects_id is not None}
        return {batch: [row for row in group if row.id not in corrected] for batch, group in rows.items()}

    def _organisations(self) -> dict[UUID, PartyRecord]:
        if not self.registers:
            return {}
        parts = ("organisation_id", "platform_id", "receiver_id")
        wanted = {getattr(project, part) for project in self.projects for part in parts} - {None}
        found = rows_by(self.session, Organisation, "id", wanted)
        return {
            key: PartyRecord(id=key, name=rows[0].name, credit_code=rows[0].credit_code) for key, rows in found.items()
        }

    def _ties(self) -> set[frozenset[UUID]]:
        """Return pairs tied by a quarter of ownership or more, or by common control: not independent (G4.2)."""
        if not self.scenarios and not self.orders:
            return set()
        applicants = {project.organisation_id for project in self.projects} - {None}
        tie = table_of(OrganisationTie)
        close = or_(tie.c.share_basis_points >= TIED_FROM, tie.c.is_common_control.is_(True))
        touching = or_(tie.c.organisation_id.in_(applicants), tie.c.other_id.in_(applicants))
        rows = self.session.execute(select(tie.c.organisation_id, tie.c.other_id).where(close, touching))
        return {frozenset((row.organisation_id, row.other_id)) for row in rows}

    def _neighbours(self) -> Groups:
        """Return other projects of the applicants at intake, once there is evidence to compare them with (G1.6)."""
        if "similar" not in self.registers:
            return {}
        applicants = {
            project.organisation_id
            for project in self.projects
            if project.stage == ProjectState.INTAKE and project.organisation_id and self.documents.get(project.id)
        }
        if not applicants:
            return {}
        project = table_of(Project)
        columns = (
            project.c.id, project.c.number, project.c.title_key, project.c.organisation_id, project.c.created_at,
        )  # fmt: skip
        found = self.session.execute(select(*columns).where(project.c.organisation_id.in_(applicants)))
        return grouped(found, "organisation_id")


def _is_before(since: date | datetime, end: datetime) -> bool:
    return since < end if isinstance(since, datetime) else since < end.date()
