"""What was entered wrongly or not at all is put right later, and what was judged by it is judged again."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.engine import execute
from lifecycle.invariants.check import check
from lifecycle.people.commands import AddOrganisation, CorrectOrganisation
from lifecycle.projects.commands import CorrectProject
from lifecycle.requirements.commands import JudgeRequirement
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import is_sqlite, reading, transaction
from models.states import OrganisationKind, ProjectState, Role
from notifications.words import explain_unmet
from tests.factories import House, evidence, hand_in, ids_of, key, projects
from tests.lifecycle.commands.refusals import done, made, on

CODE, OTHER = "914403001922038216", "9144030071526726XG"

WAITING = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def verdicts(house: House, clause: str) -> set[tuple[str, str]]:
    """Return (verdict, code) as stored for a clause in all projects."""
    sql = "SELECT verdict, verdict_code FROM v_requirement WHERE clause = :clause"
    return {(row.verdict, row.verdict_code) for row in house.rows(sql, clause=clause)}


def stale(house: House) -> list[Any]:
    """Return what the stored verdicts say differently from a fresh judgement (H05)."""
    with reading(house.engine) as session:
        (result,) = check(session, [fresh_verdicts(house.stamp())], now=house.now).results
    return list(result.sample)


def correct(firm: UUID, **values: Any) -> CorrectOrganisation:
    """Return a correction."""
    return CorrectOrganisation(command_id=key(), organisation_id=firm, reason="as on the licence", **values)


class TestAnOrganisation:
    def test_with_its_code_put_right_meets_the_lawful_applicant_in_every_open_application(
        self, each_house: House
    ) -> None:
        house = each_house
        both = projects(house, 2, pack="default")
        hand_in(house, *both, type="licence", legal_name="sme", credit_code=CODE, is_long_term=True)
        accepted = (on(JudgeRequirement, one, clause="G1.2", yes=True, reason="seen") for one in both)
        house.do(*accepted, by=Role.COORDINATOR)
        assert verdicts(house, "G1.2") == {("missing", "credit_code_missing")}

        house.do(correct(house.parties["sme"], credit_code=CODE), by=Role.COORDINATOR)

        assert {state for state, _ in verdicts(house, "G1.2")} == {"met"}
        assert stale(house) == []

    def test_keeps_what_is_not_named_and_tells_the_auditor_what_stood_there(self, house: House) -> None:
        firm = house.parties["sme"]
        house.do(correct(firm, credit_code=OTHER), by=Role.COORDINATOR)

        house.do(correct(firm, credit_code=f" {CODE.lower()} "), by=Role.COORDINATOR)

        assert house.rows("SELECT name, credit_code FROM organisation WHERE id = :id", id=str(firm)) == [("sme", CODE)]
        body = house.rows("SELECT body FROM v_audit WHERE action = 'organisation.correct' ORDER BY seq")[-1].body
        said = {"reason": "as on the licence", "was": {"credit_code": OTHER}, "is": {"credit_code": CODE}}
        assert json.loads(body)["detail"] == said

    def test_is_refused_a_code_that_another_holds_by_that_ones_name(self, house: House) -> None:
        house.do(AddOrganisation(command_id=key(), name="味道智能", kind=OrganisationKind.SME, credit_code=CODE))

        (answer,) = house.ask(correct(house.parties["sme"], credit_code=CODE), by=Role.COORDINATOR)

        assert explain_unmet(answer.unmet[0], "zh-CN").what == f"统一社会信用代码“{CODE}”已属于“味道智能”。"

    def test_may_not_take_a_code_that_another_one_takes_in_the_same_batch(self, each_house: House) -> None:
        firms = (each_house.parties["sme"], each_house.parties["customer"])

        answers = each_house.ask(*(correct(firm, credit_code=CODE) for firm in firms), by=Role.COORDINATOR)

        assert [[reason.code for reason in answer.unmet] for answer in answers] == [[], ["credit_code_held"]]

    def test_that_is_being_put_right_lets_its_applications_wait(self, each_house: House) -> None:
        """Otherwise a document that comes in meanwhile is judged by what holds no longer when it is in."""
        house = each_house
        (one,) = projects(house, pack="default")
        command = evidence(one, type="licence", legal_name="sme", credit_code=CODE, is_long_term=True)
        with ThreadPoolExecutor(1) as beside, transaction(house.engine) as session:
            execute(session, [correct(house.parties["sme"], credit_code=CODE)], stamp=house.stamp())
            handed_in = beside.submit(house.do, command, by=Role.PROJECT_LEAD)
            while not is_sqlite(house.engine) and not handed_in.done() and not house.one(WAITING):
                pass

        assert handed_in.result()
        assert verdicts(house, "G1.2") == {("waiting", "judgement_waiting")}
        assert stale(house) == []

    def test_is_no_matter_of_the_firm_itself(self, house: House) -> None:
        (answer,) = house.ask(correct(house.parties["sme"], name="Better"), by=Role.PROJECT_LEAD)

        assert [reason.code for reason in answer.unmet] == ["role"]


class TestAnImportedProject:
    def imported(self, house: House, **known: Any) -> UUID:
        command = made(house, "project.import", programme_id=house.programmes["default"], trl=None)
        at_intake = replace(command, stage=ProjectState.INTAKE, **known)
        return ids_of(house.do(at_intake, by=Role.COORDINATOR))[0]

    def received(self, one: UUID, day: date) -> CorrectProject:
        return on(CorrectProject, one, received_on=day, reason="its letter")  # type: ignore[no-any-return]

    def test_with_its_day_of_receipt_can_meet_what_is_counted_from_it(self, house: House) -> None:
        one = self.imported(house)
        for party, by in (("applicant", Role.PROJECT_LEAD), ("platform", Role.EHS_OFFICER)):
            said = {"party": party, "covers_from": "2020-01-01", "covers_until": "2025-07-01", "major_incidents": 0}
            said |= {"signed_by": "Li Wei", "signed_on": "2025-07-02"}
            hand_in(house, one, type="incident_declaration", by=by, **said)
        assert verdicts(house, "G1.5") == {("missing", "application_day_missing")}
        assert self.due(house, "G1.7") is None

        house.do(self.received(one, date(2025, 7, 1)), by=Role.COORDINATOR)

        assert verdicts(house, "G1.5") == {("waiting", "judgement_waiting")}
        assert self.due(house, "G1.7") == "2025-07-11", "eight working days later"
        assert stale(house) == []

    def due(self, house: House, clause: str) -> str | None:
        return house.one("SELECT due_on FROM v_requirement WHERE clause = :clause", clause=clause)  # type: ignore[no-any-return]

    def test_may_have_been_received_after_the_import_while_it_is_at_intake(self, house: House) -> None:
        one = self.imported(house)
        house.later(days=10)

        house.do(self.received(one, house.today), by=Role.COORDINATOR)

        assert house.one("SELECT received_on FROM project") == house.today.isoformat()

    def test_whose_day_was_known_to_the_month_gets_it_exact(self, house: House) -> None:
        one = self.imported(house, received_on=date(2025, 6, 1), received_precision="month")

        house.do(self.received(one, date(2025, 6, 1)), by=Role.COORDINATOR)

        assert house.one("SELECT received_precision FROM project") == "day"
        body = house.one("SELECT body FROM v_audit WHERE action = 'project.correct'")
        assert json.loads(body)["detail"] == {
            "reason": "its letter",
            "was": {"received_on": "2025-06-01", "received_precision": "month"},
            "is": {"received_on": "2025-06-01", "received_precision": "day"},
        }


class TestATie:
    def test_found_later_takes_a_paid_order_its_weight(self, house: House) -> None:
        (one,) = projects(house, stage=ProjectState.MARKET_VALIDATION, pack="default")
        done(house, "order.record", project_id=one, signed_on=house.today, is_binding=True)
        assert {state for state, _ in verdicts(house, "G4.4")} == {"met"}
        tie = made(house, "organisation.tie", organisation_id=house.parties["customer"])

        house.do(replace(tie, other_id=house.parties["sme"]), by=Role.COORDINATOR)

        assert {state for state, _ in verdicts(house, "G4.4")} == {"not_met"}
        assert stale(house) == []
