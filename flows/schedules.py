"""What runs by itself and when: the list, and which instants (slots) a schedule has. Pure; no database, no Prefect."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count, takewhile
from zoneinfo import ZoneInfo

from lifecycle.calendar import Calendar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)
_LOOK_BACK = tuple(timedelta(hours=hours) for hours in (1, 24, 8 * 24, 120 * 24, 400 * 24))
"""How far back the latest slot is looked for, step by step: the rarest schedule has one in each quarter."""
RUNS_PER_SCHEDULE = 3
"""Runs of one schedule that Prefect has at once; a wake besides is cancelled, so nothing piles up without workers.

Our own slots let one of them work. It is not one: for 90 s Prefect counts a run as there whose worker was killed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Every so many minutes, or at times of a day: of each day, of one weekday, or of the first day of some months."""

    every_minutes: int = 0
    """Counted from midnight UTC, whatever summer time does; 0 where `at` says it."""
    at: tuple[time, ...] = ()
    """Times on the wall, all at the same minute of their hour."""
    weekday: int | None = None
    """Monday is 0."""
    months: tuple[int, ...] = ()
    """Only the first day of these months; the first working day where only working days count."""

    def __post_init__(self) -> None:
        """Refuse what no slot calculator and no cron can follow."""
        if bool(self.every_minutes) == bool(self.at) or (self.every_minutes and 60 % self.every_minutes):
            raise ValueError("either minutes that divide an hour, or times of a day")
        if len({one.minute for one in self.at}) > 1 or any(one.second or one.microsecond for one in self.at):
            raise ValueError("times of a day share their minute and are whole minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One kind of scheduled work: when, where, how long at most, and why it exists."""

    id: str
    when: When
    reason: str
    timezone: str = "Asia/Shanghai"
    """Whose wall clock and whose days; an installation sets its own (`in_zone`)."""
    is_for_working_days: bool = False
    limit_minutes: int = 10
    """A run that takes longer ends as failed; the next slot goes on (`docs/contract.md`, limits)."""
    catch_up_days: int = 7
    """A slot that nobody ran is made good for so long; later it is `missed`."""


_NIGHT, _MORNING = time(2, 0), time(9, 0)
SCHEDULES = (
    Schedule(
        id="recovery",
        when=When(every_minutes=15),
        reason="what a killed process left is brought to its end",
    ),
    Schedule(
        id="stage-deadlines",
        when=When(every_minutes=60),
        reason="holds end, conditions fall due, evidence expires, limits are used up, tranches are reached",
    ),
    Schedule(
        id="reconciliation",
        when=When(every_minutes=15),
        reason="the bank's answers are taken in, and its silence is noticed",
    ),
    Schedule(
        id="disbursement",
        when=When(at=(time(10, 0), time(15, 0))),
        is_for_working_days=True,
        reason="approved payouts go to the bank, early enough for its cut-offs",
    ),
    Schedule(
        id="invariants",
        when=When(every_minutes=15),
        reason="a broken invariant about money stops all disbursement",
    ),
    Schedule(
        id="checkpoint",
        when=When(at=(_NIGHT,)),
        reason="the heads of the audit trail are signed and leave the database",
    ),
    Schedule(
        id="backup",
        when=When(at=(time(2, 30),)),
        limit_minutes=60,
        reason="a copy of the database that can be restored",
    ),
    Schedule(
        id="housekeeping",
        when=When(at=(time(3, 0),)),
        reason="what nobody needs any more is removed",
    ),
    Schedule(
        id="reminders",
        when=When(at=(_MORNING,)),
        is_for_working_days=True,
        reason="people hear of their deadlines when they come to work",
    ),
    Schedule(
        id="digest",
        when=When(at=(time(8, 30),)),
        reason="one mail of the day for who wants no single ones",
    ),
    Schedule(
        id="weekly-digest",
        when=When(at=(time(8, 30),), weekday=0),
        reason="one mail of the week, and the week in figures for coordinators and fund managers",
    ),
    Schedule(
        id="report",
        when=When(at=(time(7, 0),), months=(1, 4, 7, 10)),
        is_for_working_days=True,
        limit_minutes=30,
        catch_up_days=80,  # a report that is frozen late still says how its quarter ended
        reason="each programme's quarter is frozen as it was when it ended",
    ),
    Schedule(
        id="outbox",
        when=When(every_minutes=1),
        reason="what happened is told; last, so that what this pass brought about is told at once",
    ),
)
"""All that runs by itself, in the order in which one pass does it."""


def in_zone(schedule: Schedule, timezone: str) -> Schedule:
    """Return the schedule by another clock on the wall."""
    return replace(schedule, timezone=timezone)


def slots(schedule: Schedule, *, after: datetime, until: datetime, calendar: Calendar) -> Iterator[datetime]:
    """Yield the slots behind `after` up to and including `until`, in UTC, ascending.

    A time that a day passes twice counts at its first, one that a day leaps over at the instant of the leap; so each
    day has each of its times once (`safety.md` 4.5, T2).
    """
    zone = ZoneInfo(schedule.timezone)
    if schedule.when.every_minutes:
        for slot in _steps(schedule.when.every_minutes, after, until):
            if not schedule.is_for_working_days or calendar.is_working_day(slot.astimezone(zone).date()):
                yield slot
        return
    last = after
    day = after.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        if _is_on(schedule, day, calendar):
            for at in sorted(schedule.when.at):
                found = _instant(day, at, zone)
                if found is not None and last < found <= until:
                    yield found
                    last = found
        day += _ONE_DAY


def latest_slot(schedule: Schedule, *, until: datetime, calendar: Calendar) -> datetime | None:
    """Return the newest slot up to and including an instant; None where more than a year has none."""
    for back in _LOOK_BACK:
        found = list(slots(schedule, after=until - back, until=until, calendar=calendar))
        if found:
            return found[-1]
    return None


def is_slot(schedule: Schedule, at: datetime, calendar: Calendar) -> bool:
    """Say whether the schedule has a slot at this very instant."""
    before = at - timedelta(microseconds=1)
    return not (at.second or at.microsecond) and any(slots(schedule, after=before, until=at, calendar=calendar))


def cron_of(schedule: Schedule) -> tuple[str, str]:
    """Return a cron line and its time zone that wake at each slot, for schedulers that know no working days.

    They wake on days without a slot too; the clock then finds nothing due.
    """
    when = schedule.when
    if when.every_minutes:
        return {1: "* * * * *", 60: "0 * * * *"}.get(when.every_minutes, f"*/{when.every_minutes} * * * *"), "UTC"
    hours = ",".join(str(at.hour) for at in sorted(when.at))
    day = "1" if when.months and not schedule.is_for_working_days else "*"
    months = ",".join(map(str, when.months)) or "*"
    weekday = "*" if when.weekday is None else str((when.weekday + 1) % 7)
    return f"{when.at[0].minute} {hours} {day} {months} {weekday}", schedule.timezone


def _steps(minutes: int, after: datetime, until: datetime) -> Iterator[datetime]:
    step = timedelta(minutes=minutes)
    first = (after - _EPOCH) // step + 1
    return takewhile(lambda slot: slot <= until, (_EPOCH + number * step for number in count(first)))


def _is_on(schedule: Schedule, day: date, calendar: Calendar) -> bool:
    when = schedule.when
    if when.weekday is not None and day.weekday() != when.weekday:
        return False
    if when.months and (day.month not in when.months or day != _first_of_month(schedule, day, calendar)):
        return False
    return not schedule.is_for_working_days or calendar.is_working_day(day)


def _first_of_month(schedule: Schedule, day: date, calendar: Calendar) -> date:
    first = day.replace(day=1)
    return calendar.next_working_day(first) if schedule.is_for_working_days else first


def _instant(day: date, at: time, zone: tzinfo) -> datetime | None:
    """Return the first instant at which the wall shows this time or a later one of the day; None: it never does."""
    wanted = datetime.combine(day, at)
    instant = wanted.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != wanted:  # the wall leaps over it
        instant = _leap(wanted.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)
    return instant if instant.astimezone(zone).date() == day else None


def _leap(before: datetime, behind: datetime, zone: tzinfo) -> datetime:
    """Return the instant between two at which the wall leaps, to the second."""
    new_offset = behind.astimezone(zone).utcoffset()
    while behind - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(behind - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == new_offset:
            behind = middle
        else:
            before = middle
    return behind
