"""Every kind of deadline is found while it is open, told to who owes it, and gone once it is met."""

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import true

from lifecycle.calendar import add_months, china
from lifecycle.requirements.commands import AnswerNotice, IssueNotice
from models.db import reading, transaction
from models.states import Role
from notifications.asked import Asked, Directory
from notifications.deadlines import BY_NAME, DEADLINES, Deadline
from notifications.feed import days_of
from notifications.labels import called, labels_of
from notifications.outlook import explain
from notifications.reminders import Rung, _insert, _suppressed, plan
from tests import factories as make
from tests.factories import House
from tests.flows.test_reminders import SHANGHAI, change, stamp_at
from tests.lifecycle.commands.payout_cases import stand_behind_the_wall
from tests.lifecycle.ending_recipes import stop
from tests.lifecycle.recipes import RECIPES
from tests.payments import payouts

KINDS = [one.name for one in DEADLINES]


def open_ones(house: House, what: str) -> list[Any]:
    with reading(house.engine) as session:
        return list(session.execute(BY_NAME[what].open()))


def told(house: House, what: str, rung: int = 0) -> set[str]:
    """Return the names of those who are told at a rung of the first open one."""
    row = open_ones(house, what)[0]
    asked = Asked(what, row.object_id, row.project_id, row.fund_id, BY_NAME[what].ladder.rungs[rung])
    with reading(house.engine) as session:
        return {person.name for person in Directory(session, [asked], today=house.today).told(asked)}


def done(house: House, verb: str) -> UUID:
    """Carry out the recipe of a verb once; return what it was about."""
    recipe = RECIPES[verb]
    return make.ids_of(house.do(*recipe.make(house, 1), by=recipe.by))[0]


def requirement(house: House) -> None:
    make.a_project(house, pack="lean")


def document(house: House) -> None:
    project = make.a_project(house, pack="lean")
    (paper,) = make.hand_in(house, project)
    change(house, "UPDATE evidence SET valid_until_on = :on WHERE id = :id", on=date(2025, 9, 1), id=str(paper))


def condition(house: House) -> None:
    (project,), (review,) = make.reviews(house, state="scoring")
    change(
        house,
        "INSERT INTO condition (id, project_id, review_id, gate, clause, owner_id, due_on, note)"
        " VALUES (:id, :project, :review, 'G2', 'G2.2', :owner, :on, '')",
        id=make.key(),
        project=str(project),
        review=str(review),
        owner=str(house.people[Role.PROCESS_ENGINEER].user_id),
        on=date(2025, 9, 1),
    )


def tranche(house: House) -> None:
    make.agreements(house)
    change(house, "UPDATE milestone SET due_on = :on WHERE number = 1", on=date(2025, 9, 1))


def stopped(house: House) -> None:
    (agreement,) = make.agreements(house)
    stop(house, agreement)


def retention(house: House) -> None:
    make.agreements(house)
    gone = "UPDATE stage_run SET state = 'passed', closed_on = :on, stage = 'handoff' WHERE stage = 'small_batch_trial'"
    change(house, gone, on=date(2025, 9, 1))
    change(house, "UPDATE milestone SET months_after = 12 WHERE is_retention")


OPENED: dict[str, Callable[[House], Any]] = {
    "stage_due": make.a_project,
    "stage_maximum": make.a_project,
    "requirement_due": requirement,
    "condition_due": condition,
    "notice_due": lambda house: done(house, "notice.issue"),
    "evidence_expiry": document,
    "hold_ends": lambda house: make.put_on_hold(house, make.a_project(house)),
    "waiver_ends": lambda house: done(house, "requirement.confirm_waiver"),
    "transfer_due": lambda house: done(house, "project.transfer"),
    "review_planned": lambda house: make.reviews(house, state="called"),
    "payout_promise": payouts,
    "recovery_due": lambda house: done(house, "recovery.order"),
    "retention_due": retention,
    "call_due": lambda house: done(house, "fund.call"),
    "cost_statement_due": stopped,
    "milestone_due": tranche,
}

TOLD: dict[str, set[str]] = {
    "stage_due": {"coordinator", "second"},
    "stage_maximum": {"coordinator", "second", "technical_manager"},
    "condition_due": {"process_engineer", "coordinator", "second"},
    "notice_due": {"project_lead", "finance_officer", "coordinator", "second"},
    "evidence_expiry": {"project_lead", "coordinator", "second"},
    "hold_ends": {"coordinator", "second"},
    "transfer_due": {"other coordinator"},
    "payout_promise": {"certifier", "fund_manager"},
    "recovery_due": {"project_lead", "finance_officer", "accountant"},
    "call_due": {"accountant", "fund_director"},
    "milestone_due": {"project_lead", "finance_officer", "coordinator", "second"},
}


class TestEachKind:
    @pytest.mark.parametrize("what", sorted(KINDS))
    def test_is_found_while_it_is_open(self, house: House, what: str) -> None:
        assert open_ones(house, what) == []
        OPENED[what](house)
        assert len(open_ones(house, what)) >= 1

    @pytest.mark.parametrize("what", sorted(TOLD))
    def test_is_told_to_who_owes_it(self, house: House, what: str) -> None:
        OPENED[what](house)
        assert told(house, what) == TOLD[what]

    @pytest.mark.parametrize("deadline", DEADLINES, ids=KINDS)
    def test_is_planned_and_decided_by_both_databases(self, each_house: House, deadline: Deadline) -> None:
        stamp = each_house.stamp()
        on = stamp.today
        rung = Rung(anchor_on=on, months=0, deadline_on=on, rung=0, due_at=stamp.now, audience=("coordinator",))
        with transaction(each_house.engine) as session:
            assert _insert(session, deadline, [rung], true(), stamp) == 0
            assert not _suppressed(session, deadline, stamp)
            assert labels_of(session, []) == {}

    def test_has_a_rung_before_on_and_after_its_day(self) -> None:
        for deadline in DEADLINES:
            days = deadline.ladder.days(date(2025, 9, 30), date(2025, 10, 31), china())
            assert min(day for _, day, _ in days) < date(2025, 9, 30) < max(day for _, day, _ in days)


class TestWhatItIsCalled:
    @pytest.mark.parametrize("what", ["stage_due", "requirement_due"])
    def test_is_a_title_and_no_code(self, house: House, what: str) -> None:
        OPENED[what](house)
        row = SimpleNamespace(what=what, **open_ones(house, what)[0]._asdict())

        with transaction(house.engine) as session:
            labels = labels_of(session, [row])
            (name,) = called(session, [row], labels).values()

        assert name["zh"] != name["en"]
        assert set(labels.values()).isdisjoint(name.values())


class TestACompletionNotice:
    def test_has_the_one_day_that_the_firm_is_told_of_until_it_is_answered(self, each_house: House) -> None:
        """What another party owes besides keeps its own day."""
        project = make.a_project(each_house, pack="lean")
        own = {row.label for row in open_ones(each_house, "requirement_due")}
        with transaction(each_house.engine) as session:
            plan(session, stamp_at(each_house.now), SHANGHAI)
        each_house.do(IssueNotice(command_id=make.key(), project_id=project), by=Role.COORDINATOR)
        rows = each_house.rows("SELECT id, clause FROM requirement WHERE owed_by = 'sme' AND verdict <> 'met'")
        alone = {row.clause for row in rows}

        left = {row.label for row in open_ones(each_house, "requirement_due")}
        with reading(each_house.engine) as session:
            stamp = stamp_at(each_house.now)
            told = [said for row in rows for said in explain(session, stamp, about=UUID(str(row.id)))]

        assert own & alone
        assert left == own - alone
        assert len(open_ones(each_house, "notice_due")) == 1
        assert {row["reason"] for row in told} == {"day_moved"}
        each_house.do(AnswerNotice(command_id=make.key(), project_id=project), by=Role.PROJECT_LEAD)
        assert {row.label for row in open_ones(each_house, "requirement_due")} == own


class TestARetention:
    def test_falls_due_twelve_months_after_the_last_gate(self, house: House) -> None:
        retention(house)
        with transaction(house.engine) as session:
            plan(session, stamp_at(house.now + timedelta(days=400)), SHANGHAI)
        found = house.rows("SELECT DISTINCT deadline_on FROM planned_reminder WHERE what = 'retention_due'")
        assert [row.deadline_on for row in found] == [add_months(date(2025, 9, 1), 12).isoformat()]


class TestWhoHasLeft:
    """A revoked role ends neither the place in a project's team nor what somebody owes there."""

    def test_is_reminded_of_nothing_that_they_were_named_for(self, each_house: House) -> None:
        project = make.a_project(each_house)
        make.name_members(each_house, project, roles=(Role.COORDINATOR,))
        assert told(each_house, "stage_due") == {"coordinator"}
        leave(each_house, "coordinator")
        assert told(each_house, "stage_due") == {"second"}

    def test_is_reminded_of_nothing_that_they_owe(self, house: House) -> None:
        OPENED["condition_due"](house)
        leave(house, "process_engineer")
        assert told(house, "condition_due") == {"coordinator", "second"}

    def test_finds_no_panel_day_in_their_calendar(self, house: House) -> None:
        make.reviews(house, state="called")
        expert = house.people[Role.EXPERT].user_id
        with reading(house.engine) as session:
            assert days_of(session, expert, house.stamp(), "en")
        leave(house, "expert")
        with reading(house.engine) as session:
            assert days_of(session, expert, house.stamp(), "en") == []


def leave(house: House, name: str) -> None:
    change(
        house,
        "UPDATE role_grant SET revoked_at = granted_at WHERE user_id = (SELECT id FROM app_user WHERE name = :name)",
        name=name,
    )


class TestTheWall:
    def test_lets_nobody_be_reminded_of_money_of_a_firm_that_their_own_house_owns(self, each_house: House) -> None:
        payouts(each_house)
        fund = UUID(str(each_house.one("SELECT fund_id FROM v_payout")))
        stand_behind_the_wall(each_house, fund, Role.CERTIFIER)
        assert told(each_house, "payout_promise") == {"fund_manager"}


class TestNobodyThere:
    def test_is_told_to_whoever_runs_the_installation(self, house: House) -> None:
        make.a_project(house)
        change(house, "UPDATE role_grant SET revoked_at = granted_at WHERE role = 'coordinator'")
        assert told(house, "stage_due") == {"operator", "admin"}
