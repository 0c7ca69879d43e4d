"""A change of the working days moves what is open, tells it, keeps the old day, and lets what has passed alone."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lifecycle.audit.verify import verify
from lifecycle.calendars.book import calendar_of
from lifecycle.calendars.commands import AnnounceYear, OverrideDay
from lifecycle.engine import execute
from lifecycle.projects.registration import RegisterProject
from models.db import reading, transaction
from models.states import Role
from tests import factories as make
from tests.factories import House, key
from tests.payments import payouts

STORM = date(2025, 7, 10)
"""A Thursday."""


def off(house: House, *days: date, programme_id: UUID | None = None) -> list[dict[str, Any]]:
    return house.do(
        *(
            OverrideDay(
                command_id=key(),
                day=day,
                is_working_day=False,
                name="storm",
                notice="flood control order 3",
                programme_id=programme_id,
            )
            for day in days
        ),
        by=Role.ADMIN,
    )


def day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def due(house: House, project: UUID) -> tuple[date, date]:
    ((due_on, maximum_on),) = house.rows(
        "SELECT due_on, maximum_on FROM stage_run WHERE project_id = :id", id=str(project)
    )
    return day(due_on), day(maximum_on)


class TestADayOff:
    def test_gives_every_open_visit_one_day_more(self, each_house: House) -> None:
        project = make.a_project(each_house)
        before = due(each_house, project)
        (said,) = off(each_house, STORM)
        calendar = each_house.stamp().calendar
        assert due(each_house, project) == tuple(calendar.add_working_days(one, 1) for one in before)
        assert {one["what"] for one in said["moved"]} == {"stage_due", "stage_maximum"}

    def test_keeps_the_old_day_in_the_history_and_tells_the_new_one(self, each_house: House) -> None:
        project = make.a_project(each_house)
        before, _ = due(each_house, project)
        off(each_house, STORM)
        (body,) = each_house.rows("SELECT body FROM audit_record WHERE action = 'stage_run.move_due_day'")
        moved = json.loads(body.body)["detail"]["moved"]
        assert moved[0]["was_on"] == before.isoformat()
        facts = each_house.one("SELECT facts FROM outbox_message WHERE kind = 'calendar.changed'")
        told = facts if isinstance(facts, dict) else json.loads(facts)
        assert (told["year"], told["moved"], told["notice"]) == (2025, 2, "flood control order 3")
        with reading(each_house.engine) as session:
            assert verify(session).is_ok

    def test_tells_each_project_what_moved_there(self, house: House) -> None:
        projects = {str(make.a_project(house)): 2, str(make.a_project(house)): 2}
        off(house, STORM)
        rows = house.rows("SELECT object_id, facts FROM outbox_message WHERE kind = 'calendar.deadlines_moved'")
        facts = {str(UUID(str(row.object_id))): json.loads(row.facts) for row in rows}
        assert {key: one["moved"] for key, one in facts.items()} == projects
        assert all(one["was_on"] < one["is_on"] for said in facts.values() for one in said["items"])

    def test_never_moves_a_passed_deadline(self, house: House) -> None:
        project = make.a_project(house)
        before = due(house, project)
        house.later(days=100)
        off(house, STORM)
        assert due(house, project) == before

    def test_taken_back_moves_it_back_by_the_later_version(self, house: House) -> None:
        project = make.a_project(house)
        before = due(house, project)
        off(house, STORM)
        back = OverrideDay(command_id=key(), day=STORM, is_working_day=True, name="open again", notice="order 4")
        house.do(back, by=Role.ADMIN)
        assert due(house, project) == before
        assert [row.version for row in house.rows("SELECT version FROM calendar_override ORDER BY version")] == [1, 2]

    def test_moves_the_days_of_requirements_too(self, house: House) -> None:
        make.a_project(house, pack="lean")
        sql = "SELECT due_on FROM requirement WHERE due_on IS NOT NULL ORDER BY clause"
        before = [day(row.due_on) for row in house.rows(sql)]
        off(house, STORM)
        calendar = house.stamp().calendar
        assert [day(row.due_on) for row in house.rows(sql)] == [calendar.add_working_days(one, 1) for one in before]
        assert before

    def test_of_one_programme_moves_only_its_projects(self, house: House) -> None:
        ours, theirs = make.a_project(house), make.a_project(house, pack="lean")
        before = due(house, ours), due(house, theirs)
        off(house, STORM, programme_id=house.programmes["bare"])
        assert due(house, ours) > before[0]
        assert due(house, theirs) == before[1]
        with reading(house.engine) as session:
            calendar = calendar_of(session)
        assert calendar.is_working_day(STORM)
        assert not calendar.of(house.programmes["bare"]).is_working_day(STORM)

    def test_counts_for_the_next_project_of_the_programme(self, house: House) -> None:
        plain, _ = due(house, make.a_project(house))
        off(house, STORM, programme_id=house.programmes["bare"])
        with reading(house.engine) as session:
            stamp = replace(house.stamp(), calendar=calendar_of(session))
        with transaction(house.engine) as session:
            register = RegisterProject(
                command_id=key(),
                programme_id=house.programmes["bare"],
                organisation_id=house.parties["sme"],
                platform_id=house.parties["platform"],
                name="a second robot",
            )
            (answer,) = execute(session, [register], stamp=stamp)
        later, _ = due(house, UUID(answer.document["object_id"]))
        assert later == stamp.calendar.add_working_days(plain, 1)


class TestAnAnnouncedYear:
    def test_is_provisional_no_more_and_sets_its_days(self, house: House) -> None:
        house.do(
            AnnounceYear(
                command_id=key(),
                year=2027,
                notice="国办发明电〔2026〕7号",
                off=(date(2027, 1, 1), date(2027, 2, 5), date(2027, 2, 8)),
                works=(date(2027, 1, 30),),
            ),
            by=Role.ADMIN,
        )
        with reading(house.engine) as session:
            calendar = calendar_of(session)
        assert not calendar.is_provisional(date(2027, 6, 1))
        assert calendar.is_working_day(date(2027, 1, 30))
        assert not calendar.is_working_day(date(2027, 2, 5))
        assert calendar.is_working_day(date(2027, 10, 1))

    def test_without_days_is_as_it_was_guessed(self, house: House) -> None:
        (said,) = house.do(AnnounceYear(command_id=key(), year=2027, notice="as guessed"), by=Role.ADMIN)
        assert (said["days"], said["moved"]) == (0, [])


class TestAPromiseOfPayment:
    def test_falls_back_to_the_working_day_before(self, house: House) -> None:
        (payout,) = payouts(house)
        sql = "SELECT pay_by_on, version FROM payout"
        ((promised, version),) = house.rows(sql)
        off(house, day(promised))
        ((now, after),) = house.rows(sql)
        assert day(now) == house.stamp().calendar.add_working_days(day(promised), -1)
        assert after == version + 1
        assert payout


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.SPONSOR, Role.OPERATOR])
def test_only_an_administrator_changes_the_calendar(house: House, role: Role) -> None:
    command = OverrideDay(command_id=key(), day=STORM, is_working_day=False, name="storm", notice="order 3")
    (answer,) = house.ask(command, by=role)
    assert answer.error is not None
    assert answer.error.codes == ("role",)
