"""The working calendar on the command line."""

from tests import factories as make
from tests.cli.conftest import Line
from tests.factories import House

STORM = ("calendar", "override", "2025-07-10", "--off", "--name", "storm", "--notice", "order 3", "--as", "admin")


class TestCalendarOverride:
    def test_counts_from_then_on_for_everybody(self, at_home: Line, house: House) -> None:
        make.a_project(house)
        said = at_home(*STORM, "--json").document
        assert {one["what"] for one in said["moved"]} == {"stage_due", "stage_maximum"}
        (row,) = at_home("calendar", "list").rows
        assert row[:4] == ["2025-07-10", "no", "storm", "order 3"]
        days = at_home("calendar", "show", "2025").rows
        assert ["2025-07-10", "Thu", "no"] in days

    def test_is_refused_to_others(self, at_home: Line) -> None:
        assert at_home(*STORM[:-1], "coordinator").code == 3


class TestCalendarAnnounce:
    def test_ends_what_was_provisional(self, at_home: Line) -> None:
        assert "guessed" in at_home("calendar", "show", "2027").err
        done = at_home("calendar", "announce", "2027", "--notice", "7号", "--off", "2027-01-01", "--as", "admin")
        assert done.code == 0
        shown = at_home("calendar", "show", "2027")
        assert "announced" in shown.err
        assert shown.rows == [["2027-01-01", "Fri", "no"]]
        assert "7号" in at_home("calendar", "list").err
