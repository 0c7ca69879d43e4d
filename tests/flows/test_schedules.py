"""Slots against a calculator that goes through time minute by minute and knows nothing but the clock on the wall."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.bodies import BODIES
from flows.clock import Clockwork
from flows.schedules import SCHEDULES, Schedule, When, cron_of, in_zone, is_slot, latest_slot, slots
from lifecycle.calendar import Calendar, china
from models.settings import Settings
from tests.factories import House

MINUTE = timedelta(minutes=1)
ALL = {one.id: one for one in SCHEDULES}


def brute(schedule: Schedule, after: datetime, until: datetime, calendar: Calendar) -> Iterator[datetime]:
    """Yield each minute at which the wall clock, in this day for the first time, shows a wanted time or a later one."""
    zone, when = ZoneInfo(schedule.timezone), schedule.when
    at = after.replace(second=0, microsecond=0) - timedelta(days=1)
    shown: dict[date, time] = {}
    while at <= until:
        wall = at.astimezone(zone)
        day, now = wall.date(), wall.time()
        if when.every_minutes:
            is_now = (at.hour * 60 + at.minute) % when.every_minutes == 0
        else:
            before = shown.get(day)
            is_now = any((before is None or before < one) and one <= now for one in when.at)
        shown[day] = max(shown.get(day, time.min), now)
        if is_now and after < at <= until and counts(schedule, day, calendar):
            yield at
        at += MINUTE


def counts(schedule: Schedule, day: date, calendar: Calendar) -> bool:
    """Say whether a day has slots, asking each day of its month."""
    works = calendar.is_working_day if schedule.is_for_working_days else lambda _day: True
    if schedule.when.weekday not in (None, day.weekday()):
        return False
    if schedule.when.months:
        days = [day.replace(day=number) for number in range(1, day.day + 1)]
        return day.month in schedule.when.months and [one for one in days if works(one)] == [day]
    return works(day)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SPANS = {
    "the two working Sundays around the Spring Festival of 2025": ("2025-01-25", "2025-02-10", "Asia/Shanghai"),
    "the national week of 2025 with its working weekend days": ("2025-09-27", "2025-10-13", "Asia/Shanghai"),
    "a change of year": ("2025-12-28", "2026-01-08", "Asia/Shanghai"),
    "a leap day": ("2028-02-26", "2028-03-02", "Asia/Shanghai"),
    "the night in which Berlin leaps from two to three": ("2026-03-27", "2026-03-31", "Europe/Berlin"),
    "the night in which Berlin has two o'clock twice": ("2026-10-23", "2026-10-27", "Europe/Berlin"),
    "the midnight over which Santiago leaps": ("2026-09-04", "2026-09-08", "America/Santiago"),
    "a zone at a quarter of an hour": ("2026-05-01", "2026-05-04", "Asia/Kathmandu"),
}


class TestSlots:
    @pytest.mark.parametrize("span", SPANS)
    def test_are_those_of_the_wall_clock_minute_by_minute(self, span: str) -> None:
        begin, end, zone = SPANS[span]
        after, until = utc(begin) + timedelta(minutes=7, seconds=3), utc(end)
        for schedule in (in_zone(one, zone) for one in SCHEDULES if one.when.every_minutes != 1):
            found = list(slots(schedule, after=after, until=until, calendar=china()))
            assert found == list(brute(schedule, after, until, china())), schedule.id

    def test_of_times_within_one_leap_are_one(self) -> None:
        nightly = Schedule(id="x", when=When(at=(time(2, 30), time(3, 30))), reason="", timezone="Europe/Berlin")
        night = slots(nightly, after=utc("2026-03-28T12:00"), until=utc("2026-03-29T12:00"), calendar=china())
        assert list(night) == [utc("2026-03-29T01:00"), utc("2026-03-29T01:30")]

        twice = replace(nightly, when=When(at=(time(2, 0),)))
        night = slots(twice, after=utc("2026-10-24T12:00"), until=utc("2026-10-25T12:00"), calendar=china())
        assert list(night) == [utc("2026-10-25T00:00")]

    def test_follow_each_other_without_gap_wherever_time_is_cut(self) -> None:
        begin, end = utc("2026-03-25"), utc("2026-04-04")
        for schedule in (in_zone(one, "Europe/Berlin") for one in SCHEDULES):
            whole = list(slots(schedule, after=begin, until=end, calendar=china()))
            middle = begin + (end - begin) / 3
            parts = [*slots(schedule, after=begin, until=middle, calendar=china())]
            parts += slots(schedule, after=middle, until=end, calendar=china())
            assert parts == whole

    def test_of_a_make_up_saturday_are_there_and_of_a_day_off_not(self) -> None:
        day = {"2025-10-11": True, "2025-10-06": False, "2025-10-12": False}
        for text, works in day.items():
            nine = utc(f"{text}T01:00")
            assert is_slot(ALL["reminders"], nine, china()) is works
            assert not is_slot(ALL["reminders"], nine + timedelta(microseconds=1), china())

    @pytest.mark.parametrize(
        ("now", "latest"),
        [("2026-01-04T00:00", "2026-01-03T23:00"), ("2026-01-03T22:59", "2025-10-08T23:00")],
    )
    def test_of_the_report_are_on_the_first_working_day_of_a_quarter(self, now: str, latest: str) -> None:
        """The first working day of 2026 is Sunday 4 January; of October 2025 it is the ninth."""
        assert latest_slot(ALL["report"], until=utc(now), calendar=china()) == utc(latest)

    def test_of_a_schedule_that_never_comes_are_none(self) -> None:
        nobody_works = Calendar(exceptions={date(2026, 1, 1) + timedelta(days=n): False for n in range(-800, 1)})
        assert latest_slot(ALL["reminders"], until=utc("2026-01-01"), calendar=nobody_works) is None


class TestTheList:
    def test_has_each_id_once_and_a_reason_for_each(self) -> None:
        assert len(ALL) == len(SCHEDULES)
        assert all(one.reason for one in SCHEDULES)
        assert {one.id for one in SCHEDULES if one.catch_up_days != 7} == {"report"}  # it can be frozen late

    def test_on_duty_are_those_with_a_body_by_the_installations_clock(self, house: House) -> None:
        settings = Settings(db="x.db", timezone="Europe/Berlin")
        work = Clockwork(engine=house.engine, settings=settings, stamp=house.stamp(), bodies=BODIES)
        assert {one.id for one in work.on_duty()} == set(BODIES)
        assert {one.timezone for one in work.on_duty()} == {"Europe/Berlin"}

    def test_tells_what_happened_last(self) -> None:
        assert SCHEDULES[-1].id == "outbox"

    @pytest.mark.parametrize(
        ("name", "cron"),
        [
            ("outbox", ("* * * * *", "UTC")),
            ("stage-deadlines", ("0 * * * *", "UTC")),
            ("invariants", ("*/15 * * * *", "UTC")),
            ("disbursement", ("0 10,15 * * *", "Asia/Shanghai")),
            ("backup", ("30 2 * * *", "Asia/Shanghai")),
            ("weekly-digest", ("30 8 * * 1", "Asia/Shanghai")),
            ("report", ("0 7 * 1,4,7,10 *", "Asia/Shanghai")),
        ],
    )
    def test_wakes_plain_schedulers_at_each_slot(self, name: str, cron: tuple[str, str]) -> None:
        assert cron_of(ALL[name]) == cron

    @pytest.mark.parametrize("wrong", [{}, {"every_minutes": 7}, {"every_minutes": 5, "at": (time(1),)}])
    def test_takes_no_rule_that_nobody_can_follow(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="either minutes"):
            When(**wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="share their minute"):
            When(at=(time(1, 0), time(2, 30)))
