"""Every rung of a deadline is told once, or a row says why not: whatever sleeps, moves, ends or runs twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from flows.reminders import remind
from lifecycle.actor import Actor
from lifecycle.calendar import Override, china
from lifecycle.commands import Stamp
from lifecycle.payouts.terms import reminders as promise_days
from lifecycle.people.commands import Delegate
from lifecycle.projects.commands import Resume
from models.db import reading, transaction
from models.ids import new_id
from models.states import Role
from notifications.deadlines import BY_NAME
from notifications.outlook import explain, preview
from notifications.reminders import Outcome, plan
from tests import factories as make
from tests.factories import House, key
from tests.payments import payouts

SHANGHAI = ZoneInfo("Asia/Shanghai")
DUE = date(2025, 7, 22)
"""A Tuesday; three working days before is Thursday the 17th, three after Friday the 25th, ten after 5 August."""


def only_stage_due(house: House, count: int = 1, due_on: date = DUE) -> list[UUID]:
    """Return projects in intake whose visit is due on a day, and nothing else."""
    ids = make.projects(house, count)
    change(house, "UPDATE stage_run SET due_on = :on, maximum_on = NULL", on=due_on)
    change(house, "UPDATE requirement SET due_on = NULL")
    return ids


def change(house: House, sql: str, **values: Any) -> None:
    """Change rows past every verb: a day of a test."""
    known = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    if house.engine.dialect.name == "postgresql":
        sql = sql.replace(":on", "CAST(:on AS date)")
    with transaction(house.engine) as session:
        session.execute(text(sql), known)


def morning(day: date, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.combine(day, time(9), zone).astimezone(UTC)


def stamp_at(now: datetime, zone: ZoneInfo = SHANGHAI) -> Stamp:
    return Stamp(now=now, today=now.astimezone(zone).date(), actor=Actor.clock(), calendar=china(), new_id=new_id)


def awake(house: House, *days: date) -> list[Outcome]:
    return [remind(house.engine, stamp_at(morning(day)), SHANGHAI) for day in days]


def became(house: House, what: str = "stage_due") -> list[tuple[int, str, str]]:
    sql = "SELECT rung, status, reason FROM planned_reminder WHERE what = :what ORDER BY deadline_on, rung"
    return [tuple(row) for row in house.rows(sql, what=what)]


def messages(house: House) -> list[Any]:
    return house.rows("SELECT * FROM outbox_message WHERE kind = 'reminder.due' ORDER BY created_at, dedupe_key")


def july(*days: int) -> list[date]:
    return [date(2025, 7, day) for day in days]


class TestALadder:
    def test_tells_each_rung_on_its_day_and_once(self, each_house: House) -> None:
        only_stage_due(each_house)
        done = awake(each_house, *july(16, 17, 17, 18, 21, 22, 22, 23, 25, 28), date(2025, 8, 5), date(2025, 8, 6))
        assert [one.sent for one in done] == [0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0]
        assert became(each_house) == [(-3, "sent", ""), (0, "sent", ""), (3, "sent", ""), (10, "sent", "")]

    def test_climbs_from_the_coordinator_to_fund_manager_and_sponsor(self, house: House) -> None:
        only_stage_due(house)
        awake(house, *july(17), date(2025, 8, 5))
        people = {row.object_id: row for row in messages(house)}
        named = {str(house.people[role].user_id): role for role in house.people}
        early = {named[one] for one, row in people.items() if "2025-07-17" in row.created_at}
        late = {named[one] for one, row in people.items() if "2025-08-05" in row.created_at}
        assert early == {Role.COORDINATOR, "second"}
        assert late == {Role.FUND_MANAGER, Role.SPONSOR}

    def test_tells_whoever_stands_in_on_that_day_and_no_other(self, each_house: House) -> None:
        only_stage_due(each_house)
        last = date(2025, 8, 5)
        lend: dict[str, Any] = {"role": Role.FUND_MANAGER, "organisation_id": each_house.parties["funder"]}
        for name, until_on in (("nobody", last), ("expert finance", last - timedelta(days=1))):
            days: dict[str, Any] = {"from_on": each_house.today, "until_on": until_on, "reason": "on leave"}
            command = Delegate(command_id=key(), user_id=each_house.people[name].user_id, **lend, **days)
            each_house.do(command, by=Role.FUND_MANAGER)
        awake(each_house, last)
        told = {UUID(str(row.object_id)) for row in messages(each_house)}
        assert each_house.people["nobody"].user_id in told
        assert each_house.people["expert finance"].user_id not in told

    def test_gives_one_person_one_message_for_all_that_is_due(self, house: House) -> None:
        only_stage_due(house, 30)
        (outcome,) = awake(house, *july(17))
        assert (outcome.sent, outcome.people) == (30, 2)
        assert [len(row.facts) > 0 for row in messages(house)] == [True, True]

    def test_tells_a_promise_of_payment_on_the_days_of_the_rule(self) -> None:
        due, until = date(2025, 9, 30), date(2025, 10, 20)
        said = [one.on for one in promise_days(due, after=date(2025, 8, 1), until=until, calendar=china())]
        rungs = BY_NAME["payout_promise"].ladder.days(due, until, china())
        assert [day for _, day, _ in rungs] == said


class TestAScheduler:
    def test_asleep_for_three_days_tells_each_rung_once_when_it_wakes(self, each_house: House) -> None:
        only_stage_due(each_house)
        awake(each_house, *july(16))
        (outcome,) = awake(each_house, date(2025, 7, 20))
        assert (outcome.sent, outcome.people) == (1, 2)
        assert sum(one.sent for one in awake(each_house, *july(21, 22, 25))) == 2
        assert became(each_house)[0] == (-3, "sent", "")

    def test_asleep_for_ten_days_marks_what_is_too_old_as_missed(self, each_house: House) -> None:
        only_stage_due(each_house)
        awake(each_house, *july(16))
        (outcome,) = awake(each_house, date(2025, 7, 26))
        assert became(each_house) == [
            (-3, "missed", "too_late"),
            (0, "sent", ""),
            (3, "sent", ""),
            (10, "planned", ""),
        ]
        assert (outcome.people, outcome.reasons) == (2, {"too_late": 1})

    def test_that_never_ran_before_leaves_a_row_for_each_rung_it_missed(self, house: House) -> None:
        only_stage_due(house)
        awake(house, date(2025, 10, 20))
        assert became(house) == [(rung, "missed", "too_late") for rung in (-3, 0, 3, 10)]
        assert messages(house) == []

    def test_lists_a_thing_once_whose_two_rungs_are_due_together(self, house: House) -> None:
        only_stage_due(house)
        (outcome,) = awake(house, date(2025, 7, 23))
        assert (outcome.sent, outcome.people) == (2, 2)
        with reading(house.engine) as session:
            facts = (
                session.execute(text("SELECT facts FROM outbox_message WHERE kind = 'reminder.due'")).scalars().all()
            )
        assert all('"count":1' in one and '"working_days_left":-1' in one for one in facts)


class TestACalendar:
    def test_that_changes_late_moves_the_rungs_that_are_still_to_come(self, each_house: House) -> None:
        """Monday the 21st becomes a day off: three working days before the 22nd is Wednesday, no longer Thursday."""
        only_stage_due(each_house)
        awake(each_house, *july(14))
        off = Override(day=date(2025, 7, 21), is_working_day=False, name="x", notice="x")
        changed = replace(stamp_at(morning(date(2025, 7, 16))), calendar=china().with_overrides([off]))
        assert remind(each_house.engine, changed, SHANGHAI).sent == 1
        assert became(each_house)[0] == (-3, "sent", "")

    def test_of_one_programme_moves_its_own_rungs_alone(self, each_house: House) -> None:
        make.projects(each_house, 1, pack="bare")
        make.projects(each_house, 1, pack="lean")
        change(each_house, "UPDATE stage_run SET due_on = :on, maximum_on = NULL", on=DUE)
        change(each_house, "UPDATE requirement SET due_on = NULL")
        awake(each_house, *july(14))
        off = Override(day=date(2025, 7, 21), is_working_day=False, name="x", notice="x")
        calendar = replace(china(), programmes={each_house.programmes["lean"]: china().with_overrides([off])})
        changed = replace(stamp_at(morning(date(2025, 7, 16))), calendar=calendar)
        assert remind(each_house.engine, changed, SHANGHAI).sent == 1
        changed = replace(stamp_at(morning(date(2025, 7, 17))), calendar=calendar)
        assert remind(each_house.engine, changed, SHANGHAI).sent == 1

    def test_with_nine_days_off_in_a_row_loses_no_day_of_a_late_payment(self, house: House) -> None:
        """Spring festival of 2026: off from 15 to 23 February."""
        payouts(house)
        change(house, "UPDATE payout SET pay_by_on = :on", on=date(2026, 2, 12))
        awake(house, date(2026, 2, 13), date(2026, 2, 14))
        (outcome,) = awake(house, date(2026, 2, 24))
        assert outcome.reasons == {}
        assert {status for rung, status, _ in became(house, "payout_promise") if 1 <= rung <= 12} == {"sent"}


class TestAClockThatRanAhead:
    def test_has_given_up_nothing_whose_time_is_still_to_come(self, each_house: House) -> None:
        only_stage_due(each_house)
        awake(each_house, *july(16))
        (ahead,) = awake(each_house, date(2026, 7, 16))
        assert (ahead.sent, ahead.reasons) == (0, {"too_late": 4})
        done = awake(each_house, *july(17, 18, 22, 25), date(2025, 8, 5))
        assert [one.sent for one in done] == [1, 0, 1, 1, 1]
        assert {status for _, status, _ in became(each_house)} == {"sent"}


class TestADeadline:
    def test_that_is_met_is_told_no_more(self, house: House) -> None:
        (project,) = only_stage_due(house)
        awake(house, *july(17))
        change(house, "UPDATE stage_run SET closed_on = :on", on=date(2025, 7, 18))
        awake(house, *july(22))
        assert became(house)[:2] == [(-3, "sent", ""), (0, "suppressed", "done_already")]
        assert project

    def test_of_a_project_that_has_ended_says_so(self, house: House) -> None:
        only_stage_due(house)
        awake(house, *july(17))
        change(house, "UPDATE project SET stage = 'withdrawn', stage_run_id = NULL")
        awake(house, *july(22))
        assert became(house)[1] == (0, "suppressed", "project_ended")

    def test_that_moved_gets_rungs_of_its_own_and_the_old_ones_say_so(self, each_house: House) -> None:
        only_stage_due(each_house)
        awake(each_house, *july(17))
        change(each_house, "UPDATE stage_run SET due_on = :on", on=date(2025, 8, 12))
        awake(each_house, *july(18, 22, 25), date(2025, 8, 7), date(2025, 8, 12))
        assert became(each_house) == [
            (-3, "sent", ""),
            (0, "suppressed", "day_moved"),
            (3, "suppressed", "day_moved"),
            (10, "suppressed", "day_moved"),
            (-3, "sent", ""),
            (0, "sent", ""),
            (3, "planned", ""),
            (10, "planned", ""),
        ]

    def test_stays_where_it_is_through_any_number_of_runs_and_edits(self, house: House) -> None:
        (project,) = only_stage_due(house)
        before = house.one("SELECT due_on FROM stage_run")
        for day in range(1, 29):
            awake(house, date(2025, 7, day))
            make.hand_in(house, project, type="report", title="a report")
        assert house.one("SELECT due_on FROM stage_run") == before
        assert house.rows("SELECT DISTINCT deadline_on FROM planned_reminder WHERE what = 'stage_due'") == [(before,)]


class TestAHold:
    def test_silences_a_service_clock_but_not_a_term_of_law(self, house: House) -> None:
        (project,) = only_stage_due(house)
        paper = make.hand_in(house, project, type="report", title="a report")[0]
        change(house, "UPDATE evidence SET valid_until_on = :on WHERE id = :id", on=DUE, id=str(paper))
        awake(house, *july(16))
        make.put_on_hold(house, project, days=30)
        awake(house, *july(17))
        assert became(house)[0] == (-3, "suppressed", "on_hold")
        assert became(house, "evidence_expiry")[0] == (-3, "sent", "")

    def test_that_ends_moves_the_day_and_its_rungs_are_told_again(self, house: House) -> None:
        (project,) = only_stage_due(house)
        awake(house, *july(16))
        house.now = morning(date(2025, 7, 16))
        make.put_on_hold(house, project, days=30)
        awake(house, *july(17, 22))
        house.now = morning(date(2025, 7, 23))
        house.do(Resume(command_id=key(), project_id=project, reason="partner is back"), by=Role.COORDINATOR)
        moved = date.fromisoformat(house.one("SELECT due_on FROM stage_run"))
        assert moved == china().add_working_days(DUE, 5)
        awake(house, *july(24), moved)
        assert [status for _, status, _ in became(house)][-4:] == ["sent", "sent", "planned", "planned"]


class TestTheOutlook:
    def test_shows_what_the_passes_will_tell(self, each_house: House) -> None:
        only_stage_due(each_house, 3)
        with reading(each_house.engine) as session:
            seen = preview(session, stamp_at(morning(date(2025, 7, 10))), zone=SHANGHAI, days=20)
        foretold = {(one["rung"], one["due_at"]) for one in seen if one["what"] == "stage_due"}
        awake(each_house, *(date(2025, 7, day) for day in range(10, 31)))
        sql = "SELECT object_id FROM planned_reminder WHERE status = 'sent' AND what = 'stage_due'"
        assert foretold == {(-3, morning(july(17)[0])), (0, morning(DUE)), (3, morning(july(25)[0]))}
        assert len(each_house.rows(sql)) == len([one for one in seen if one["what"] == "stage_due"]) == 9

    def test_names_the_people_and_marks_what_is_on_hold_or_provisional(self, house: House) -> None:
        (project,) = only_stage_due(house, due_on=date(2031, 3, 4))
        make.put_on_hold(house, project, days=30)
        with reading(house.engine) as session:
            seen = preview(session, stamp_at(morning(date(2031, 2, 20))), zone=SHANGHAI, days=30, project_id=project)
        first = next(one for one in seen if one["what"] == "stage_due")
        assert first["people"] == ["coordinator", "second"]
        assert (first["is_provisional"], first["reason"]) == (True, "")
        with reading(house.engine) as session:
            now = stamp_at(morning(house.today))
            change_day = preview(session, now, zone=SHANGHAI, days=30, project_id=project)
        assert {one["what"] for one in change_day} == {"hold_ends"}

    def test_says_of_each_past_row_what_became_of_it(self, house: House) -> None:
        (project,) = only_stage_due(house)
        awake(house, *july(17))
        change(house, "UPDATE stage_run SET closed_on = :on", on=date(2025, 7, 18))
        with reading(house.engine) as session:
            told = explain(session, stamp_at(morning(date(2025, 7, 19))), about=project)
            (one,) = explain(session, stamp_at(morning(date(2025, 7, 19))), reminder_id=told[0]["id"])
        assert [(row["rung"], row["status"], row["reason"]) for row in told] == [
            (-3, "sent", ""),
            (0, "planned", "done_already"),
            (3, "planned", "done_already"),
            (10, "planned", "done_already"),
        ]
        assert one["decided_at"] == morning(date(2025, 7, 17))


class TestTheCost:
    @pytest.mark.parametrize("count", [2, 60])
    def test_is_the_same_number_of_statements_for_any_number_of_rows(self, house: House, count: int) -> None:
        only_stage_due(house, count)
        assert len(sent(house, morning(date(2025, 7, 17)))) == 33

    def test_of_what_is_due_is_a_walk_along_its_index(self, house: House) -> None:
        only_stage_due(house, 3)
        awake(house, *july(10))
        seen = sent(house, morning(date(2025, 7, 17)))
        (taken,) = [(sql, given) for sql, given in seen if sql.startswith("UPDATE") and "LIMIT" in sql][:1]
        with house.engine.connect() as connection:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {taken[0]}", taken[1]).all()
        assert any("USING COVERING INDEX ix_planned_reminder_status_due_at" in step.detail for step in steps) or any(
            "USING INDEX ix_planned_reminder_status_due_at" in step.detail for step in steps
        )

    def test_of_a_row_that_is_there_already_is_nothing(self, each_house: House) -> None:
        only_stage_due(each_house, 5)
        with transaction(each_house.engine) as session:
            first = plan(session, stamp_at(morning(date(2025, 7, 10))), SHANGHAI)
            assert (first, plan(session, stamp_at(morning(date(2025, 7, 10))), SHANGHAI)) == (20, 0)


def sent(house: House, now: datetime) -> list[tuple[str, Any]]:
    """Return the statements of a pass, its two BEGIN among them."""
    seen: list[tuple[str, Any]] = []
    event.listen(house.engine, "before_cursor_execute", lambda *given: seen.append((given[2], given[3])))
    remind(house.engine, stamp_at(now), SHANGHAI)
    return seen
