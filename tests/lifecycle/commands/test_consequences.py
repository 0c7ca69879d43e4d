"""What one verb means for the next: rights, holds, panels, conditions."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.actor import Actor
from lifecycle.commands import Command
from lifecycle.people.commands import AddUser, GrantRole, RevokeRole
from lifecycle.projects.commands import Assign, NameParty, Recycle, Resume, Stop, Unassign
from lifecycle.requirements.commands import JudgeRequirement, ReopenRequirement, WaiveRequirement
from lifecycle.reviews import commands as review
from lifecycle.reviews.panel import Seat
from lifecycle.trials.commands import AddIssue
from lifecycle.verdicts.records import records_of
from models.db import reading
from models.projects import Project
from models.reading import rows_by
from models.states import Door, FindingKind, GateOutcome, ProjectState, Role
from tests.factories import (
    VOTERS,
    House,
    a_project,
    filled,
    hand_in,
    ids_of,
    key,
    name_members,
    panel,
    put_on_hold,
    reviews,
    submitted,
)
from tests.lifecycle.commands.refusals import on
from tests.lifecycle.commands.review_cases import debt

CHAIR = VOTERS[0]


def codes(house: House, command: Command, by: str) -> tuple[str, ...]:
    (answer,) = house.ask(command, by=by)
    return answer.error.codes if answer.error else ()


def revoke(house: House, user: UUID) -> None:
    (grant,) = house.rows("SELECT id FROM v_grant WHERE user_id = :user", user=str(user))
    house.do(RevokeRole(command_id=key(), user_id=user, grant_id=UUID(grant.id)), by=Role.ADMIN)


class TestBeingNamed:
    def test_gives_no_right_that_comes_with_a_grant(self, house: House) -> None:
        """Otherwise a coordinator names anybody, himself too, a sponsor."""
        one = a_project(house)
        coordinator = house.people[Role.COORDINATOR].user_id
        house.do(on(Assign, one, user_id=coordinator, role=Role.SPONSOR), by=Role.COORDINATOR)

        assert codes(house, on(Stop, one, code="other", reason="why"), Role.COORDINATOR) == ("role",)

    def test_gives_a_chair_what_a_chair_may(self, house: House) -> None:
        one = a_project(house)
        put_on_hold(house, one, code="ehs")
        house.do(on(Resume, one, reason="checked"), by=Role.EHS_OFFICER)
        assert codes(house, on(Resume, one, reason="checked"), CHAIR) == ("not_found",)

        house.do(on(Assign, one, user_id=house.people[CHAIR].user_id, role=Role.PANEL_CHAIR), by=Role.COORDINATOR)

        assert codes(house, on(Resume, one, reason="checked"), CHAIR) == ()

    @pytest.mark.parametrize("end", ["grant", "part"])
    def test_ends_with_the_grant_of_the_role_or_with_the_part(self, house: House, end: str) -> None:
        one = a_project(house, pack="lean")
        name_members(house, one)
        waive = on(WaiveRequirement, one, clause="G1.1", reason="x", until_on=house.today + timedelta(days=20))
        chair = house.people[CHAIR].user_id
        if end == "grant":
            revoke(house, chair)
        else:
            house.do(on(Unassign, one, user_id=chair, role=Role.PANEL_CHAIR, reason="moved away"), by=Role.COORDINATOR)

        assert codes(house, waive, CHAIR) == ("not_found",)
        assert codes(house, waive, Role.EXPERT) == ()

    def test_can_begin_again_after_it_ended(self, house: House) -> None:
        one = a_project(house, pack="lean")
        part = {"user_id": house.people[CHAIR].user_id, "role": Role.PANEL_CHAIR}
        house.do(on(Assign, one, **part), by=Role.COORDINATOR)
        house.do(on(Unassign, one, **part, reason="away"), by=Role.COORDINATOR)

        house.do(on(Assign, one, **part), by=Role.COORDINATOR)

        waive = on(WaiveRequirement, one, clause="G1.1", reason="x", until_on=house.today + timedelta(days=20))
        assert codes(house, waive, CHAIR) == ()

    def test_counts_no_more_once_the_person_belongs_to_a_party(self, house: House) -> None:
        """An expert who becomes the platform's coordinator does not restart what it put on hold."""
        one = a_project(house)
        put_on_hold(house, one, code="ehs")
        name_members(house, one)
        house.do(on(Resume, one, reason="checked"), by=Role.EHS_OFFICER)
        chair, platform = house.people[CHAIR].user_id, house.parties["platform"]
        house.do(GrantRole(command_id=key(), user_id=chair, role=Role.COORDINATOR, organisation_id=platform))

        assert codes(house, on(Resume, one, reason="checked"), CHAIR) == ("role",)

    def test_in_a_panel_ends_with_the_grant_of_the_role(self, house: House) -> None:
        _, (called,) = reviews(house, state="scoring")
        revoke(house, house.people["expert market"].user_id)
        vote = on(review.GiveScore, called, points=(("merit", 8),), vote=GateOutcome.GO)

        assert codes(house, vote, "expert market") == ("not_found",)

    def test_in_a_panel_counts_no_more_once_the_person_belongs_to_a_party(self, house: House) -> None:
        """The vote given before is left out as well; to step aside is still possible."""
        _, (called,) = reviews(house, state="voted")
        user, platform = house.people["expert market"].user_id, house.parties["platform"]
        house.do(GrantRole(command_id=key(), user_id=user, role=Role.LAB_LEAD, organisation_id=platform))
        vote = on(review.GiveScore, called, points=(("merit", 8),), vote=GateOutcome.STOP)

        assert codes(house, vote, "expert market") == ("conflict_of_interest",)
        house.do(on(review.Propose, called, outcome=GateOutcome.GO, reason="as voted"), by=CHAIR)
        house.later(days=10)
        house.do(on(review.Decide, called), by=CHAIR)
        record = json.loads(house.one("SELECT record FROM review"))
        assert set(record["votes"]) == {str(house.people[voter].user_id) for voter in VOTERS[:2]}
        assert codes(house, on(review.Recuse, called, reason="new job"), "expert market") == (
            "recuse_not_possible_when_decided",
        )

    def test_a_decision_waits_when_too_few_unbiased_votes_are_left(self, house: House) -> None:
        _, (called,) = reviews(house, state="proposed")
        for voter in VOTERS[1:]:
            user, firm = house.people[voter].user_id, house.parties["sme"]
            house.do(GrantRole(command_id=key(), user_id=user, role=Role.PROJECT_LEAD, organisation_id=firm))
        house.later(days=10)

        assert "quorum_missing" in codes(house, on(review.Decide, called), CHAIR)

    def test_in_a_panel_reaches_the_review_and_not_the_project(self, house: House) -> None:
        """A quality engineer of another platform is heard there; records of the trial are none of theirs."""
        (one,) = submitted(house)
        (user,) = ids_of(house.do(AddUser(command_id=key(), login="qe", email="qe@example.org", name="QE")))
        grant = GrantRole(
            command_id=key(),
            user_id=user,
            role=Role.QUALITY_ENGINEER,
            organisation_id=house.parties["other platform"],
        )
        house.do(grant)
        house.people["outside engineer"] = Actor(user_id=user, person_id=user, name="QE", door=Door.CLI)
        guest = Seat(user_id=user, role=Role.QUALITY_ENGINEER, has_vote=False)
        call = on(review.CallReview, one, planned_on=house.today, panel=(*panel(house), guest))
        (called,) = ids_of(house.do(call, by=Role.COORDINATOR))
        house.do(on(review.OpenReview, called), by=CHAIR)

        score = on(review.GiveScore, called, points=(("merit", 7),), vote=GateOutcome.GO)
        issue = on(AddIssue, one, kind=FindingKind.ISSUE, severity=2, title="seen from outside")

        assert codes(house, score, "outside engineer") == ("no_vote",)
        assert codes(house, issue, "outside engineer") == ("not_found",)


class TestASafetyHold:
    def test_comes_on_top_of_another_and_is_lifted_first(self, house: House) -> None:
        one = a_project(house)
        put_on_hold(house, one, code="partner")
        put_on_hold(house, one, code="ehs")

        assert codes(house, on(Resume, one, reason="they answered"), Role.COORDINATOR) == ("role",)
        house.do(on(Resume, one, reason="checked"), by=Role.EHS_OFFICER)
        house.do(on(Assign, one, user_id=house.people[CHAIR].user_id, role=Role.PANEL_CHAIR), by=Role.COORDINATOR)
        house.do(on(Resume, one, reason="checked"), by=CHAIR)

        assert house.one("SELECT last_restart_on FROM project") is not None
        assert [row.reason for row in house.rows("SELECT reason FROM v_hold WHERE lifted_at IS NULL")] == ["partner"]
        assert codes(house, on(Resume, one, reason="they answered"), Role.COORDINATOR) == ()

    def test_follows_a_major_incident_also_while_another_hold_stands(self, house: House) -> None:
        one = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL)
        put_on_hold(house, one, code="partner")
        incident = on(AddIssue, one, kind=FindingKind.INCIDENT, severity=1, title="fire")

        house.do(incident, by=Role.EHS_OFFICER)

        standing = [row.reason for row in house.rows("SELECT reason FROM v_hold ORDER BY reason")]
        assert standing == ["ehs", "partner"]


class TestTheDaysOfAHold:
    """Service clocks stop: what the stage loses is given back, no day more or less."""

    def resumed(self, house: House, one: UUID, *lifters: str) -> None:
        for lifter in lifters:
            house.do(on(Resume, one, reason="they answered"), by=lifter)

    def moved(self, house: House, due: str) -> int:
        """Return by how many working days the open visit is due later than it was."""
        now = house.one("SELECT due_on FROM stage_run ORDER BY opened_on DESC, visit DESC LIMIT 1")
        return house.stamp().calendar.working_days_between(date.fromisoformat(due), date.fromisoformat(now))

    def test_are_given_back(self, house: House) -> None:
        one = a_project(house)
        due = house.one("SELECT due_on FROM stage_run")
        put_on_hold(house, one, days=20)
        house.later(days=7)

        self.resumed(house, one, Role.COORDINATOR)

        assert self.moved(house, due) == 5

    def test_are_given_back_once_where_two_holds_overlap(self, house: House) -> None:
        one = a_project(house)
        due = house.one("SELECT due_on FROM stage_run")
        put_on_hold(house, one, days=60)
        house.later(days=7)
        put_on_hold(house, one, code="ehs", days=60)
        name_members(house, one)
        house.later(days=7)
        self.resumed(house, one, Role.EHS_OFFICER, CHAIR)
        house.later(days=7)

        self.resumed(house, one, Role.COORDINATOR)

        assert self.moved(house, due) == 15

    def test_are_given_back_after_the_day_of_one_that_waited_for_people(self, house: House) -> None:
        one = a_project(house)
        due = house.one("SELECT due_on FROM stage_run")
        put_on_hold(house, one, code="ehs", days=7)
        name_members(house, one)
        house.later(days=28)

        self.resumed(house, one, Role.EHS_OFFICER, CHAIR)

        assert self.moved(house, due) == 20

    def test_are_not_given_back_after_the_day_on_which_it_ended_by_itself(self, house: House) -> None:
        one = a_project(house)
        due = house.one("SELECT due_on FROM stage_run")
        put_on_hold(house, one, days=7)
        house.later(days=28)

        self.resumed(house, one, Role.COORDINATOR)

        assert self.moved(house, due) == 5

    @pytest.mark.parametrize("stage", [ProjectState.INTAKE, ProjectState.FEASIBILITY])
    def test_are_not_used_up_for_the_next_visit(self, house: House, stage: ProjectState) -> None:
        """Intake is counted in working days, feasibility in months."""
        one = a_project(house, stage=stage)
        put_on_hold(house, one, days=60)
        house.later(days=56)
        self.resumed(house, one, Role.COORDINATOR)
        run = "SELECT due_on, maximum_on FROM stage_run WHERE state = 'open'"
        before = house.rows(run)

        house.do(on(Recycle, one, code="completion", reason="papers"), by=Role.COORDINATOR)

        assert house.rows(run) == before


class TestAnotherReceiver:
    def test_signs_and_consents_anew(self, house: House) -> None:
        one = a_project(house, stage=ProjectState.HANDOFF, pack="default")
        name = on(NameParty, one, party="receiver", organisation_id=house.parties["receiver"])
        house.do(name, by=Role.COORDINATOR)
        hand_in(house, one, type="technology_transfer_record", by="second", **filled("technology_transfer_record"))
        hand_in(house, one, type="receiver_consent", by=Role.RECEIVER_LEAD, **filled("receiver_consent", run_units=1))
        for signer in (Role.PROJECT_LEAD, Role.RECEIVER_LEAD):
            house.do(on(JudgeRequirement, one, clause="G5.8", yes=True, reason="signed"), by=signer)
        assert house.one("SELECT verdict FROM requirement WHERE clause = 'G5.8'") == "met"
        house.later(minutes=1)

        swap = replace(name, command_id=key(), organisation_id=house.parties["other firm"])
        house.do(swap, by=Role.COORDINATOR)

        assert house.one("SELECT verdict FROM requirement WHERE clause = 'G5.8'") == "waiting"
        assert [paper.type for paper in papers(house, one)] == ["technology_transfer_record"]


def papers(house: House, project: UUID) -> tuple[Any, ...]:
    with reading(house.engine) as session:
        rows = rows_by(session, Project, "id", [project])[project]
        return records_of(session, rows, today=house.today)[project].evidence


class TestAHoldDecidedByThePanel:
    def test_stands_until_its_day_and_then_a_panel_is_called_again(self, house: House) -> None:
        (one,), (called,) = reviews(house, state="voted", outcome=GateOutcome.HOLD)
        until = house.today + timedelta(days=30)
        said = on(review.Propose, called, outcome=GateOutcome.HOLD, reason="no partner yet", until_on=until)
        house.do(said, by=CHAIR)
        call = on(review.CallReview, one, planned_on=until + timedelta(days=10), panel=panel(house))

        assert house.one("SELECT reason FROM v_hold WHERE lifted_at IS NULL") == "decision"
        assert "project_on_hold" in codes(house, call, Role.COORDINATOR)
        house.later(days=31)
        assert codes(house, call, Role.COORDINATOR) == ()


class TestConditions:
    def called(self, house: House) -> tuple[UUID, UUID]:
        (one,) = submitted(house)
        house.do(on(ReopenRequirement, one, clause="G2.2", reason="doubt"), by=Role.COORDINATOR)
        call = on(review.CallReview, one, planned_on=house.today, panel=panel(house))
        (called,) = ids_of(house.do(call, by=Role.COORDINATOR))
        house.do(on(review.OpenReview, called), by=CHAIR)
        return one, called

    def vote(self, house: House, called: UUID, outcome: GateOutcome) -> None:
        for voter in VOTERS:
            house.do(on(review.GiveScore, called, points=(("merit", 8),), vote=outcome), by=voter)

    def propose(self, house: House, called: UUID) -> Any:
        outcome = GateOutcome.CONDITIONAL_GO
        return on(review.Propose, called, outcome=outcome, reason="as voted", conditions=(debt(house),))

    def test_fall_with_their_proposal_and_can_be_asked_again(self, house: House) -> None:
        _, called = self.called(house)
        self.vote(house, called, GateOutcome.CONDITIONAL_GO)
        house.do(self.propose(house, called), by=CHAIR)
        house.later(days=1)
        (raised,) = house.do(on(review.Object, called, raised_by="x", text="y"), by=Role.PROJECT_LEAD)
        upheld = {"objection_id": UUID(raised["objection_id"]), "upheld": True, "answer": "indeed"}
        house.do(on(review.AnswerObjection, called, **upheld), by=CHAIR)

        house.do(on(review.ReopenReview, called, reason="upheld"), by=CHAIR)
        assert house.one("SELECT COUNT(*) FROM condition WHERE cleared_on IS NULL") == 0

        self.vote(house, called, GateOutcome.CONDITIONAL_GO)
        house.do(self.propose(house, called), by=CHAIR)
        assert house.one("SELECT COUNT(*) FROM condition") == 1
        assert house.one("SELECT COUNT(*) FROM condition WHERE cleared_on IS NULL") == 1

    def test_are_cleared_by_their_criterion_and_by_nobodys_tick(self, house: House) -> None:
        one, called = self.called(house)
        self.vote(house, called, GateOutcome.CONDITIONAL_GO)
        house.do(self.propose(house, called), by=CHAIR)
        house.later(days=8)
        house.do(on(review.Decide, called), by=CHAIR)

        house.do(on(JudgeRequirement, one, clause="G2.2", yes=True, reason="seen"), by=Role.COORDINATOR)

        assert house.one("SELECT cleared_on FROM condition") == house.today.isoformat()


class TestManyAtOnce:
    def test_panels_of_different_people_are_called_in_one_batch(self, house: House) -> None:
        """Whose grants make a party is asked of each panel's own people."""
        one, other = submitted(house, 2)
        finance = house.people["expert finance"].user_id
        receiver = Seat(user_id=house.people[Role.RECEIVER_LEAD].user_id, role=Role.RECEIVER_LEAD, has_vote=False)
        extra = (*panel(house), receiver, Seat(user_id=finance, role=Role.EXPERT, has_vote=False))

        answers = house.ask(
            on(review.CallReview, one, planned_on=house.today, panel=panel(house)),
            on(review.CallReview, other, planned_on=house.today, panel=extra),
            by=Role.COORDINATOR,
        )

        assert [answer.unmet for answer in answers] == [(), ()]

    def test_a_stopped_project_keeps_its_review_where_it_was_and_lets_it_be_cancelled(self, house: House) -> None:
        ((one,), (called,)) = reviews(house, state="voted")
        house.do(on(Stop, one, code="other", reason="no money"), by=Role.FUND_MANAGER)

        assert codes(house, on(review.CancelReview, called, reason="stopped"), Role.COORDINATOR) == ()
