"""The records of one or of thousands of projects, in a number of reads that does not depend on how many they are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.stages.records import (
    BatchRecord,
    CharacteristicRecord,
    ClaimRecord,
    ConditionRecord,
    EvidenceRecord,
    FindingRecord,
    JudgementRecord,
    NoticeRecord,
    OrderRecord,
    PartyRecord,
    Records,
    RevisionRecord,
    ScenarioRecord,
    SimilarProject,
    TrackRecord,
    WaiverRecord,
)
from lifecycle.standards.pack import Pack
from lifecycle.standards.parties import ROLE_PARTY
from lifecycle.verdicts.packs import packs_of, registers_of
from lifecycle.verdicts.shelf import Shelf
from models.reading import Groups
from models.states import ENDED, ProjectState, ReviewState, Role

UNKNOWN = PartyRecord(id=UUID(int=0), name="")
"""The applicant of an imported project whose source names none."""

SIMILAR_FROM = 0.85
"""Titles less alike than this are not even listed as possible double funding; the pack's own limit judges (G1.6)."""


def records_of(
    session: Session,
    projects: Sequence[Any],
    *,
    today: date,
    known: Mapping[Any, Groups] | None = None,
    also: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> dict[UUID, Records]:
    """Return what the rules may look at, for each of these project rows; ended projects are left out.

    `known` hands over rows that were read already (`shelf.KNOWN`); `also` names registers that are wanted besides
    those that the projects' packs look at, `only` those instead of them, where nothing is judged.
    """
    living = list({project.id: project for project in projects if project.stage not in ENDED}.values())
    if not living:
        return {}
    packs = packs_of(session, {project.pack_sha256 for project in living})
    desk = Desk(Shelf(session, living, only or _asked(packs, living, also), known), packs)
    return {project.id: desk.records(project, today) for project in living}


def _asked(packs: Mapping[str, Pack], projects: Sequence[Any], also: frozenset[str]) -> frozenset[str]:
    stages = {(project.pack_sha256, ProjectState(project.stage)) for project in projects}
    return also.union(*(registers_of(sha256, packs[sha256], stage) for sha256, stage in stages))


class Desk:
    """Turns the rows on a shelf into the records of one project after the other; `packs` by the hash it has frozen."""

    def __init__(self, shelf: Shelf, packs: Mapping[str, Pack]) -> None:
        self.shelf, self.packs = shelf, packs

    def records(self, project: Any, today: date) -> Records:
        """Return the records of one of the projects."""
        runs = self.shelf.runs.get(project.id, [])
        run = next((row for row in runs if row.id == project.stage_run_id), None)
        reviews = self.shelf.reviews.get(project.id, [])
        in_force = [row for row in reviews if row.stage_run_id == project.stage_run_id and row.state != "cancelled"]
        review = in_force[-1] if in_force else None
        return Records(
            project_id=project.id,
            stage=ProjectState(project.stage),
            today=today,
            stage_started_on=run.opened_on if run else today,
            stage_due_on=run.due_on if run else None,
            received_on=project.received_on,
            planned_panel_on=review.planned_on if review else (run.planned_panel_on if run else None),
            proposed_on=review.proposed_on if review else None,
            panel_sits=review is not None and review.state != ReviewState.DECIDED,
            applicant=self.shelf.organisations.get(project.organisation_id, UNKNOWN),
            platform=self.shelf.organisations.get(project.platform_id),
            receiver=self.shelf.organisations.get(project.receiver_id),
            profiles=project.profiles,
            last_restart_on=project.last_restart_on,
            evidence=tuple(
                _evidence(row) for row in self.shelf.evidence_of(project.id) if not self._is_of_former(project, row)
            ),
            judgements=self._judgements(project),
            waivers=tuple(
                WaiverRecord(
                    clause=row.clause, until=row.until_on, confirmed=row.confirmed_by is not None, gate=row.gate
                )
                for row in self.shelf.waivers.get(project.id, ())
                if not self._is_waived_by_former(project, row)
            ),
            conditions=tuple(
                ConditionRecord(clause=row.clause, due_on=row.due_on, cleared=row.cleared_on is not None, gate=row.gate)
                for row in self.shelf.conditions.get(project.id, ())
            ),
            claims=_claims(self.shelf.claims.get(project.id, ())),
            revisions=tuple(
                RevisionRecord(label=row.label, frozen_on=row.frozen_on)
                for row in self.shelf.revisions.get(project.id, ())
            ),
            characteristics=tuple(_characteristic(row) for row in self.shelf.characteristics.get(project.id, ())),
            batches=tuple(
                self._batch(row) for row in self.shelf.batches.get(project.id, ()) if row.id in self.shelf.figures
            ),
            findings=tuple(_finding(row) for row in self.shelf.issues.get(project.id, ())),
            tracks=tuple(
                TrackRecord(
                    verification=row.verification,
                    started_on=row.started_on,
                    finished_on=row.finished_on,
                    passed=row.is_passed,
                )
                for row in self.shelf.tracks.get(project.id, ())
            ),
            scenarios=tuple(self._scenario(project, row) for row in self.shelf.scenarios.get(project.id, ())),
            orders=tuple(self._order(project, row) for row in self.shelf.orders.get(project.id, ())),
            notices=tuple(self._notice(row) for row in reviews if row.notice_starts_on and row.state != "cancelled"),
            similar=self._similar(project),
        )

    def _is_of_former(self, project: Any, document: Any) -> bool:
        """Say whether only the receiver hands this in, and the one before did."""
        since, pack = project.receiver_since_at, self.packs[project.pack_sha256]
        if since is None or document.at > since or not pack.has_evidence_type(document.type):
            return False
        return pack.evidence_type(document.type).handed_in_by == (Role.RECEIVER_LEAD,)

    def _is_waived_by_former(self, project: Any, waiver: Any) -> bool:
        """Say whether what the receiver judges was waived while another one was named."""
        since, pack = project.receiver_since_at, self.packs[project.pack_sha256]
        if since is None or waiver.granted_at > since or not pack.has(waiver.clause):
            return False
        return any(judge.role is Role.RECEIVER_LEAD for judge in pack.criterion(waiver.clause).judges)

    def _judgements(self, project: Any) -> tuple[JudgementRecord, ...]:
        """Judgements that still stand: not reopened, not touched by a later design revision, not of a left party."""
        reopened = {row.clause: row.reopened_at for row in self.shelf.reopened.get(project.id, ())}
        touched: dict[str, Any] = {}
        for revision in self.shelf.revisions.get(project.id, ()):
            for clause in revision.touched_clauses:
                touched[clause] = max(revision.at, touched.get(clause, revision.at))
        standing = []
        for row in self.shelf.judgements.get(project.id, ()):
            ends = [moment for moment in (reopened.get(row.clause), touched.get(row.clause)) if moment is not None]
            since = {"platform": project.platform_since_at, "receiver": project.receiver_since_at}
            if (moment := since.get(ROLE_PARTY[row.role])) is not None:
                ends.append(moment)
            if all(row.at > moment for moment in ends):
                standing.append(_judgement(row))
        return tuple(standing)

    def _batch(self, row: Any) -> BatchRecord:
        figure = self.shelf.figures[row.id]
        return BatchRecord(
            number=row.number,
            kind=row.kind,
            made_on=row.made_on,
            revision=row.revision,
            is_closed=row.is_closed,
            started=figure.started,
            passed_first_time=figure.passed_first_time,
            conforming=figure.is_conforming,
            size=row.size,
            hours=row.hours,
            measurements=_subgroups(self.shelf.measured.get(row.id, ())),
        )

    def _independent(self, project: Any, customer: UUID | None) -> bool:
        if customer is None or customer in (project.organisation_id, project.platform_id):
            return False
        return frozenset((project.organisation_id, customer)) not in self.shelf.ties

    def _scenario(self, project: Any, row: Any) -> ScenarioRecord:
        return ScenarioRecord(
            site=row.site,
            customer=row.customer_id,
            is_independent=self._independent(project, row.customer_id),
            agreement_signed_on=row.agreement_signed_on,
            started_on=row.started_on,
            ended_on=row.ended_on,
            report_signed_on=row.report_signed_on,
            units=row.units,
            unit_batches=tuple(row.unit_batches),
            failures=row.failures,
            valid_until=row.valid_until_on,
            is_within_limits=_within(row.limits, row.measured),
        )

    def _order(self, project: Any, row: Any) -> OrderRecord:
        return OrderRecord(
            kind=row.kind,
            customer=row.customer_id,
            is_independent=self._independent(project, row.customer_id),
            quantity=row.quantity,
            signed_on=row.signed_on,
            is_binding=row.is_binding,
            paid_on=row.paid_on,
            cancelled_on=row.cancelled_on,
        )

    def _notice(self, review: Any) -> NoticeRecord:
        said = self.shelf.objections.get(review.id, ())
        return NoticeRecord(
            gate=review.gate,
            starts_on=review.notice_starts_on,
            ends_on=review.notice_ends_on,
            open_objections=sum(1 for row in said if row.is_upheld is None),
            upheld_objections=sum(1 for row in said if row.is_upheld),
        )

    def _similar(self, project: Any) -> tuple[SimilarProject, ...]:
        """Other projects of the same applicant whose titles are alike (G1.6)."""
        if project.stage != ProjectState.INTAKE:
            return ()
        resolved = {
            hit.get("number")
            for row in self.shelf.evidence_of(project.id)
            if row.type == "funding_declaration"
            for hit in row.form.get("resolved_hits") or ()
        }
        found = []
        for other in self.shelf.neighbours.get(project.organisation_id, ()) if project.organisation_id else ():
            if other.id == project.id:
                continue
            alike = _alikeness(project.title_key, other.title_key)
            if alike >= SIMILAR_FROM:
                found.append(SimilarProject(number=other.number, similarity=alike, resolved=other.number in resolved))
        return tuple(sorted(found, key=lambda hit: (-hit.similarity, hit.number)))


def title_key(title: str) -> str:
    """Return a title as it is compared for double funding: folded, without punctuation and doubled spaces."""
    kept = "".join(char if char.isalnum() else " " for char in title.casefold())
    return " ".join(kept.split())[:500]


def _alikeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < SIMILAR_FROM or matcher.quick_ratio() < SIMILAR_FROM:
        return 0.0
    return matcher.ratio()


def _evidence(row: Any) -> EvidenceRecord:
    return EvidenceRecord(
        id=row.id,
        type=row.type,
        sha256=row.sha256,
        values=row.form,
        submitted_on=row.submitted_on,
        author=row.author_person_id,
        revision=row.revision,
        valid_until=row.valid_until_on,
    )


def _judgement(row: Any) -> JudgementRecord:
    return JudgementRecord(
        clause=row.clause,
        role=row.role,
        yes=row.is_yes,
        person=row.person_id,
        on=row.on,
        kind=row.kind,
        party=row.party,
        competence=row.competence,
        part=row.part,
        evidence_sha256s=tuple(row.evidence_sha256s),
    )


def _claims(rows: Iterable[Any]) -> tuple[ClaimRecord, ...]:
    """The newest claim per technology or thread counts."""
    newest = {(row.scale, row.item): row for row in rows}
    return tuple(
        ClaimRecord(scale=row.scale, item=row.item, level=row.level, evidence=row.evidence_id)
        for row in newest.values()
    )


def _characteristic(row: Any) -> CharacteristicRecord:
    return CharacteristicRecord(
        name=row.name,
        unit=row.unit,
        lower=row.lower_limit,
        upper=row.upper_limit,
        is_critical=row.is_critical,
        gauge=row.gauge,
    )


def _finding(row: Any) -> FindingRecord:
    return FindingRecord(
        kind=row.kind,
        severity=row.severity,
        opened_on=row.opened_on,
        closed_on=row.closed_on,
        owner=row.owner,
        due_on=row.due_on,
        disposition=row.disposition,
    )


def _subgroups(rows: Iterable[Any]) -> dict[str, tuple[tuple[float, ...], ...]]:
    groups: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        groups.setdefault(row.characteristic, {}).setdefault(row.subgroup, []).append(row.value)
    return {name: tuple(tuple(values) for values in subgroups.values()) for name, subgroups in groups.items()}


def _within(limits: Mapping[str, Any], measured: Mapping[str, float]) -> bool | None:
    """Say whether every limited quantity was measured and lies inside; None while one of them was not measured."""
    if not limits or any(name not in measured for name in limits):
        return None
    for name, limit in limits.items():
        lower, upper = limit.get("lower"), limit.get("upper")
        if (lower is not None and measured[name] < lower) or (upper is not None and measured[name] > upper):
            return False
    return True
