"""Working days against the official schedules, and the rules W1 to W6."""

import csv
import json
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from holidays.countries.china import China
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.calendar import Calendar, Override, add_months, china, parse_days

DAYS = st.dates(min_value=date(2008, 1, 1), max_value=date(2029, 12, 31))


class TestOfficialSchedules:
    def test_agree_day_by_day_with_7305_days_from_2007_to_2026(self, reference_data: Path) -> None:
        with (reference_data / "cn_calendar" / "cn_days_2007_2026.csv").open(encoding="utf-8-sig") as lines:
            official = {date.fromisoformat(row["date"]): row["is_workday"] == "1" for row in csv.DictReader(lines)}

        differing = [day for day, works in official.items() if china().is_working_day(day) != works]

        assert len(official) == 7305
        assert differing == []

    def test_meet_the_ten_known_deadlines(self, reference_data: Path) -> None:
        cases = json.loads((reference_data / "cn_calendar" / "deadline_cases.json").read_text(encoding="utf-8"))

        counted = [
            china().add_working_days(date.fromisoformat(case["start"]), case["add_workdays"]).isoformat()
            for case in cases
        ]

        assert len(cases) == 10
        assert counted == [case["expected"] for case in cases]

    @pytest.mark.parametrize("year", range(2007, 2031))
    def test_stand_in_the_table_as_the_library_knows_them(self, year: int) -> None:
        """When a library update brings next year's notice, this fails and prints the line to write."""
        library = China(years=year)  # type: ignore[no-untyped-call]
        days = [(day, "-") for day in library if day.weekday() < 5 and day.year == year]
        days += [(day, "+") for day in library.weekend_workdays if day.year == year]
        line = " ".join(f"{sign}{day:%m-%d}" for day, sign in sorted(days))
        table = files("lifecycle").joinpath("china_days.txt").read_text(encoding="utf-8").splitlines()

        written = [entry.partition(" ")[2] for entry in table if entry[:4] == str(year)]

        assert written == [line]


class TestIsWorkingDay:
    def test_says_yes_on_a_make_up_saturday(self) -> None:
        assert china().is_working_day(date(2026, 2, 14))

    def test_says_no_on_a_weekday_of_the_emergency_extension_of_2020(self) -> None:
        assert not china().is_working_day(date(2020, 1, 31))

    def test_follows_our_own_table_before_the_library(self) -> None:
        closed = Override(day=date(2026, 3, 3), is_working_day=False, name="typhoon", notice="test")

        assert china().is_working_day(date(2026, 3, 3))
        assert not china().with_overrides([closed]).is_working_day(date(2026, 3, 3))

    def test_follows_the_later_version_of_two_entries_for_a_day(self) -> None:
        def entry(version: int, *, works: bool) -> Override:
            return Override(day=date(2026, 3, 3), is_working_day=works, name="typhoon", notice="test", version=version)

        corrected = china().with_overrides([entry(2, works=True), entry(1, works=False)])

        assert corrected.is_working_day(date(2026, 3, 3))


class TestIsProvisional:
    @pytest.mark.parametrize(("day", "provisional"), [(date(2026, 12, 31), False), (date(2027, 1, 1), True)])
    def test_begins_with_the_first_year_without_a_notice(self, day: date, *, provisional: bool) -> None:
        assert china().is_provisional(day) is provisional

    def test_holds_for_a_year_beyond_the_table_which_counts_monday_to_friday(self) -> None:
        assert china().is_provisional(date(2040, 1, 2))
        assert china().is_working_day(date(2040, 1, 2))


class TestAddWorkingDays:
    def test_counts_from_the_day_after_the_event(self) -> None:
        assert china().add_working_days(date(2025, 8, 12), 5) == date(2025, 8, 19)

    def test_counts_backwards_for_the_freeze_before_a_panel(self) -> None:
        assert china().add_working_days(date(2026, 2, 26), -5) == date(2026, 2, 12)

    def test_leaves_the_day_alone_when_nothing_is_added(self) -> None:
        assert china().add_working_days(date(2026, 10, 1), 0) == date(2026, 10, 1)

    @given(day=DAYS, count=st.integers(1, 60))
    def test_is_what_working_days_between_counts(self, day: date, count: int) -> None:
        end = china().add_working_days(day, count)

        assert china().is_working_day(end)
        assert china().working_days_between(day, end) == count
        assert china().working_days_between(end, day) == -count


class TestCalendarDayTerm:
    def test_of_a_firm_that_ends_in_the_national_holiday_moves_behind_it(self) -> None:
        assert china().next_working_day(date(2026, 10, 1)) == date(2026, 10, 8)

    def test_of_ours_that_ends_in_the_national_holiday_moves_before_it(self) -> None:
        assert china().previous_working_day(date(2026, 10, 1)) == date(2026, 9, 30)

    @given(day=DAYS)
    def test_stays_where_it_is_on_a_working_day(self, day: date) -> None:
        later, earlier = china().next_working_day(day), china().previous_working_day(day)

        assert earlier <= day <= later
        assert (earlier == later) is china().is_working_day(day)


class TestAddMonths:
    @pytest.mark.parametrize(
        ("day", "count", "expected"),
        [
            (date(2024, 1, 31), 1, date(2024, 2, 29)),
            (date(2025, 1, 31), 1, date(2025, 2, 28)),
            (date(2024, 2, 29), 12, date(2025, 2, 28)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
            (date(2026, 3, 31), -1, date(2026, 2, 28)),
            (date(2026, 1, 1), -1, date(2025, 12, 1)),
        ],
    )
    def test_stays_in_the_month_it_counts_to(self, day: date, count: int, expected: date) -> None:
        assert add_months(day, count) == expected

    @given(day=DAYS, count=st.integers(-60, 60))
    def test_never_runs_past_the_month(self, day: date, count: int) -> None:
        moved = add_months(day, count)

        assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == count
        assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


class TestParseDays:
    def test_reads_off_days_make_up_days_and_guessed_years(self) -> None:
        parsed = parse_days("# heading\n2026 -01-01 +01-04\n2027? -01-01\n")

        assert parsed == Calendar(
            exceptions={date(2026, 1, 1): False, date(2026, 1, 4): True, date(2027, 1, 1): False},
            announced=frozenset({2026}),
        )
