"""What another act changes of a verdict is judged again with that act, and not by the next sweep."""

from typing import Any
from uuid import UUID

from lifecycle.invariants.check import check
from lifecycle.projects.commands import NameParty, Recycle, Resume
from lifecycle.projects.registration import ImportProject, RegisterProject, UpdateImported
from lifecycle.requirements.commands import ClaimLevels, WithdrawEvidence
from lifecycle.stages.maturity import THREADS
from lifecycle.trials.commands import AddIssue, CloseIssue
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import reading
from models.states import FindingKind, MaturityScale, ProjectState, Role
from tests.factories import House, a_project, hand_in, ids_of, key, name_members, projects
from tests.lifecycle.commands.refusals import on

DECLARED: dict[str, Any] = {
    "other_funding": [],
    "resolved_hits": [],
    "signed_by": "Li Wei",
    "signed_on": "2025-07-01",
}


def stale(house: House) -> list[Any]:
    """Return what the stored verdicts say differently from a fresh judgement (H05)."""
    with reading(house.engine) as session:
        (result,) = check(session, [fresh_verdicts(house.stamp())], now=house.now).results
    return list(result.sample)


def code(house: House, one: UUID, clause: str) -> str:
    """Return what is stored of a clause in one project's open visit."""
    sql = (
        "SELECT verdict_code FROM requirement JOIN project ON project.stage_run_id = requirement.stage_run_id"
        " WHERE project.id = :one AND clause = :clause"
    )
    return str(house.one(sql, one=str(one), clause=clause))


class TestSafety:
    def test_is_clear_from_the_restart_on(self, house: House) -> None:
        one = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        log = {"covers_from": "2025-01-01", "covers_until": "2025-07-08", "events": 0}
        hand_in(house, one, type="ehs_log", by=Role.EHS_OFFICER, **log)
        house.do(on(AddIssue, one, kind=FindingKind.INCIDENT, severity=1, title="fire"), by=Role.EHS_OFFICER)
        house.do(on(CloseIssue, one, number=1, disposition="rewired"), by=Role.EHS_OFFICER)
        assert code(house, one, "G3.10") == "major_ehs_event"
        house.later(days=3)
        name_members(house, one)

        for lifter in (Role.EHS_OFFICER, Role.PANEL_CHAIR):
            house.do(on(Resume, one, reason="checked"), by=lifter)

        assert code(house, one, "G3.10") == "judgement_waiting"
        assert stale(house) == []


class TestDoubleFunding:
    """G1.6 compares an application with every other project of its firm."""

    def registered(self, house: House, name: str = "cooking robot", **more: Any) -> UUID:
        parties = {"organisation_id": house.parties["sme"], "platform_id": house.parties["platform"], **more}
        command = RegisterProject(command_id=key(), programme_id=house.programmes["default"], name=name, **parties)
        return ids_of(house.do(command, by=Role.PROJECT_LEAD))[0]

    def brought_in(self, house: House, name: str, **more: Any) -> UUID:
        command = ImportProject(
            command_id=key(),
            programme_id=house.programmes["default"],
            platform_id=house.parties["platform"],
            name=name,
            outside_key=key(),
            outside={"title": name},
            outside_sha256="0" * 64,
            **{"organisation_id": house.parties["sme"], "stage": ProjectState.FEASIBILITY, **more},
        )
        return ids_of(house.do(command, by=Role.COORDINATOR))[0]

    def declared(self, house: House) -> UUID:
        one = self.registered(house)
        hand_in(house, one, type="funding_declaration", **DECLARED)
        assert code(house, one, "G1.6") == "judgement_waiting"
        return one

    def is_suspected(self, house: House, one: UUID) -> bool:
        assert stale(house) == []
        return code(house, one, "G1.6") == "double_funding_suspected"

    def test_is_suspected_once_a_twin_is_registered(self, each_house: House) -> None:
        one = self.declared(each_house)
        self.registered(each_house)

        assert self.is_suspected(each_house, one)

    def test_is_suspected_once_a_twin_is_imported(self, house: House) -> None:
        one = self.declared(house)
        self.brought_in(house, "Cooking Robot")

        assert self.is_suspected(house, one)

    def test_is_suspected_once_another_project_is_renamed_at_its_source(self, house: House) -> None:
        one = self.declared(house)
        other = self.brought_in(house, "something else")
        assert not self.is_suspected(house, one)

        renamed = on(UpdateImported, other, name="cooking robot", outside={}, outside_sha256="1" * 64)
        house.do(renamed, by=Role.COORDINATOR)

        assert self.is_suspected(house, one)

    def test_is_suspected_once_the_firm_of_a_twin_is_named(self, house: House) -> None:
        one = self.declared(house)
        other = self.brought_in(house, "cooking robot", organisation_id=None)
        assert not self.is_suspected(house, one)

        house.do(on(NameParty, other, party="sme", organisation_id=house.parties["sme"]), by=Role.COORDINATOR)

        assert self.is_suspected(house, one)

    def test_is_asked_when_a_project_comes_back_to_intake(self, house: House) -> None:
        self.registered(house)
        one = self.brought_in(house, "cooking robot")
        hand_in(house, one, type="funding_declaration", **DECLARED)
        back = on(Recycle, one, code="design", reason="another board", target=ProjectState.INTAKE)
        house.do(back, by=Role.COORDINATOR)

        assert self.is_suspected(house, one)

    def test_is_not_asked_of_the_projects_of_others(self, house: House) -> None:
        one = self.declared(house)
        self.brought_in(house, "cooking robot", organisation_id=house.parties["other firm"])

        assert not self.is_suspected(house, one)


class TestALevel:
    """A claim counts with the document that it names."""

    def test_is_without_evidence_once_its_document_is_withdrawn_or_superseded(self, house: House) -> None:
        (one, other) = projects(house, 2, pack="default")
        papers = hand_in(house, one, other, type="maturity_claim", levels=[], assessed_on="2025-07-01")
        levels = ((MaturityScale.TRL, "heating", 5), *((MaturityScale.MRL, thread, 4) for thread in THREADS))
        claims = zip((one, other), papers, strict=True)
        said = (on(ClaimLevels, project, levels=levels, evidence_id=paper) for project, paper in claims)
        house.do(*said, by=Role.PROJECT_LEAD)
        assert {code(house, project, "G1.4") for project in (one, other)} == {"judgement_waiting"}

        taken_back = on(WithdrawEvidence, one, evidence_id=papers[0], reason="wrong")
        house.do(taken_back, by=Role.PROJECT_LEAD)
        hand_in(house, one, other, type="maturity_claim", levels=[], assessed_on="2025-07-02")

        assert {code(house, project, "G1.4") for project in (one, other)} == {"levels_without_evidence"}
        assert stale(house) == []
