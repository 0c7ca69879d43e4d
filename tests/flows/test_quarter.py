"""The report of a quarter is counted once and stays as it was."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from flows.quarter import freeze_quarter
from lifecycle.reports.quarter import last_quarter, quarter_of, reports
from models.db import reading
from models.states import ProjectState
from tests import factories as make
from tests.factories import House
from tests.paid import paid

SHANGHAI = ZoneInfo("Asia/Shanghai")
OCTOBER = datetime(2025, 10, 9, 1, 0, tzinfo=UTC)


def frozen(house: House) -> dict[str, Any]:
    with reading(house.engine) as session:
        return {row["programme"]: row["body"] for row in reports(session)}


class TestAQuarter:
    @pytest.mark.parametrize(
        ("today", "name"),
        [(date(2025, 10, 9), "2025-Q3"), (date(2026, 1, 1), "2025-Q4"), (date(2026, 3, 31), "2025-Q4")],
    )
    def test_that_ended_last_is_the_one_before_this_day(self, today: date, name: str) -> None:
        assert last_quarter(today).name == name

    def test_ends_where_the_next_one_begins(self) -> None:
        assert quarter_of(date(2025, 12, 31)).ends_on == date(2026, 1, 1)


class TestTheReport:
    def test_counts_where_projects_stood(self, each_house: House) -> None:
        make.projects(each_house, 2)
        make.projects(each_house, 1, stage=ProjectState.FEASIBILITY)
        each_house.now = OCTOBER
        freeze_quarter(each_house.engine, each_house.stamp(), SHANGHAI)
        found = frozen(each_house)
        assert found["bare"]["projects_by_state"] == {"feasibility": 1, "intake": 2}
        assert found["bare"]["moves"] == {"advance": 1, "register": 3}

    def test_counts_what_was_awarded_and_paid(self, house: House) -> None:
        paid(house, *make.agreements(house))
        house.now = OCTOBER
        freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        found = frozen(house)
        assert [one["amount_minor"] for one in found["funded"]["awarded"].values()] == [100_000_000]
        (payment,) = found["funded"]["payments"].values()
        assert payment == {"count": 1, "amount_minor": 40_000_000, "currency": "CNY", "in_time": 1}

    def test_is_frozen_once_and_says_how_the_quarter_ended(self, house: House) -> None:
        made = make.projects(house, 2)
        house.now = OCTOBER
        first = freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        before = frozen(house)
        make.put_on_hold(house, made[0])
        make.projects(house, 3)
        assert (len(first), freeze_quarter(house.engine, house.stamp(), SHANGHAI)) == (len(before), [])
        assert frozen(house) == before

    def test_frozen_late_does_not_count_what_came_after(self, house: House) -> None:
        make.projects(house, 2)
        house.now = OCTOBER
        make.projects(house, 5)
        freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        assert frozen(house)["bare"]["projects_by_state"] == {"intake": 2}

    def test_is_told_to_whoever_answers_for_the_programme(self, house: House) -> None:
        house.now = OCTOBER
        codes = freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        assert house.one("SELECT count(*) FROM outbox_message WHERE kind = 'report.frozen'") == len(codes)

    def test_costs_the_same_for_any_number_of_projects(self, house: House) -> None:
        make.projects(house, 40)
        house.now = OCTOBER
        seen: list[str] = []
        event.listen(house.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        assert len(seen) == 8
