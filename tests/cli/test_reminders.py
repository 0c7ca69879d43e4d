"""What goes out and what became of it, as the command line says it."""

import pytest

from flows.reminders import remind
from tests import factories as make
from tests.cli.conftest import Line
from tests.factories import House
from tests.flows.test_reminders import SHANGHAI, july, morning, only_stage_due, stamp_at


class TestRemindersPreview:
    def test_says_when_of_what_and_to_whom(self, at_home: Line, house: House) -> None:
        only_stage_due(house)
        rows = at_home("reminders", "preview", "--days", "20").rows
        assert [row[0] for row in rows] == ["2025-07-17 09:00", "2025-07-22 09:00", "2025-07-25 09:00"]
        assert rows[0][1] == "stage due"
        assert rows[0][4:9] == ["2025-07-22", "-3", "no", "coordinator, second", "coordinator"]

    def test_speaks_chinese_and_keeps_to_one_project(self, at_home: Line, house: House) -> None:
        only_stage_due(house, 2)
        number = house.rows("SELECT number FROM project ORDER BY number")[0].number
        rows = at_home("reminders", "preview", "--days", "10", "--project", number, "--lang", "zh-CN").rows
        assert [(row[1], row[2]) for row in rows] == [("阶段期限", number)]

    def test_says_what_a_hold_keeps_back(self, at_home: Line, house: House) -> None:
        (project,) = only_stage_due(house)
        make.put_on_hold(house, project, days=60)
        (row,) = at_home("reminders", "preview", "--days", "10").rows
        assert row[-1] == "on hold, its service clock stands still"


class TestRemindersExplain:
    def test_answers_for_each_row_by_number_and_by_id(self, at_home: Line, house: House) -> None:
        only_stage_due(house)
        remind(house.engine, stamp_at(morning(july(17)[0])), SHANGHAI)
        number = house.one("SELECT number FROM project")
        said = at_home("reminders", "explain", number, "--json").document["data"]
        assert [(one["rung"], one["status"]) for one in said] == [
            (-3, "sent"),
            (0, "planned"),
            (3, "planned"),
            (10, "planned"),
        ]
        (alone,) = at_home("reminders", "explain", said[0]["id"]).rows
        assert alone[7] == "told"

    @pytest.mark.parametrize("ref", ["PT-2099-0001", "00000000-0000-0000-0000-000000000001"])
    def test_of_nothing_is_refused(self, at_home: Line, ref: str) -> None:
        assert at_home("reminders", "explain", ref).code == 3
