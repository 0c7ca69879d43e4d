"""Years of the clock, pass by pass: every rung of a deadline told once to whom it concerns, or a row says why not.

`tick` runs with the bodies of the product and a mail server on loopback, on a day that people, holds and the clock
itself change; passes come late, twice, or not for weeks. What must come of it is counted here anew, from the days that
stood when each pass was made: by the `holidays` library day by day, without a line of the product.
"""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays
import pytest
from sqlalchemy import text

from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot, tick
from flows.schedules import SCHEDULES
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Stamp
from models.db import reading, transaction
from models.ids import new_id
from models.journal import OutboxMessage
from models.reading import table_of
from models.settings import Settings
from models.states import Door, Role
from tests import factories as make
from tests import payments as pay
from tests.factories import House
from tests.witness.mail import MailSink, mail_sink

DAY, WEEK = timedelta(days=1), timedelta(days=7)
AHEAD = timedelta(days=45)
LADDER = {"stage_due": (-3, 0, 3, 10), "evidence_expiry": (-3, 0, 3, 10), "payout_promise": (-10, -5, -1, 0)}
OPEN = {
    "stage_due": "SELECT id, due_on FROM stage_run WHERE due_on IS NOT NULL AND closed_on IS NULL AND project_id IN"
    " (SELECT id FROM project WHERE stage = 'intake')",
    "evidence_expiry": "SELECT id, valid_until_on FROM evidence"
    " WHERE valid_until_on IS NOT NULL AND status = 'current'",
    "payout_promise": "SELECT id, pay_by_on FROM payout WHERE state = 'requested'",
}
ON_HOLD = """SELECT stage_run.id FROM stage_run JOIN hold ON hold.object_id = stage_run.project_id
             WHERE hold.lifted_at IS NULL AND hold.until_on >= :today"""
_ESCALATED = 10
"""Days behind the deadline from which the fund's manager and sponsor are told."""
WAKES = ("stage-deadlines", "reminders")
"""What is woken by its own slots here: the rest has nothing to do with reminders, and five years of minutes are 2.6
million rows for each time zone. The outbox is emptied at the end of each pass, as always."""
Thing: TypeAlias = tuple[str, str]
"""Kind of deadline and object."""
Rung: TypeAlias = tuple[str, str, date, int]


@dataclass(frozen=True, kw_only=True)
class Span:
    """How long, how many, how often nobody is awake."""

    begins: date
    ends: date
    projects: int
    payouts: int
    pauses: Sequence[int]
    """Days from one pass to the next, one of which is drawn each time."""


FIVE_YEARS = Span(
    begins=date(2022, 1, 1),
    ends=date(2026, 12, 31),
    projects=61,
    payouts=6,
    pauses=[1] * 40 + [2, 3, 4] * 8 + [9, 11, 26],
)
"""67 projects for each of three time zones; all these years are published, with their make-up days."""
A_WINTER = Span(
    begins=date(2024, 2, 1),
    ends=date(2024, 4, 12),
    projects=10,
    payouts=2,
    pauses=[1] * 20 + [2, 3] * 3 + [9, 11],
)
"""Spring festival with two make-up Sundays, a 29 February, and the day on which summer time begins."""


@dataclass
class Years:
    """An installation in one time zone, what happens in it, and what stood there whenever a pass was made."""

    house: House
    zone: ZoneInfo
    dice: random.Random
    settings: Settings
    sink: MailSink
    passes: list[datetime] = field(default_factory=list)
    """Instants at which the clock was woken."""
    seen: dict[Thing, list[tuple[int, date]]] = field(default_factory=lambda: defaultdict(list))
    """Thing -> (pass, its open day), for each pass that told reminders."""
    held: set[tuple[int, str]] = field(default_factory=set)
    """(pass, visit) whose project stood still."""
    told_at: list[datetime] = field(default_factory=list)
    """The passes that told reminders."""

    def change(self, sql: str, **values: Any) -> None:
        """Change rows past every verb: somebody's day."""
        known = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
        with transaction(self.house.engine) as session:
            session.execute(text(sql), known)

    def settle_in(self, span: Span) -> None:
        """Make projects with a document each, and payouts, without any deadline so far."""
        self.house.now = datetime.combine(span.begins - DAY, time(9), self.zone).astimezone(UTC)
        self.ids = make.projects(self.house, span.projects)
        self.papers = make.hand_in(self.house, *self.ids, type="report", title="a report")
        self.payouts = pay.payouts(self.house, span.payouts)
        for table in ("stage_run", "requirement", "milestone"):
            self.change(f"UPDATE {table} SET due_on = NULL")
        self.change("UPDATE payout SET state = 'cancelled'")

    def live(self, span: Span) -> None:
        """Let the days pass: things happen on each, whether or not somebody is awake."""
        self.settle_in(span)
        day, awake = span.begins, span.begins
        while day <= span.ends:
            for _ in range(self.dice.choice((1, 1, 2))):
                self.happen(day)
            if day == awake:
                self.wake(day)
                awake += self.dice.choice(span.pauses) * DAY
            day += DAY

    def happen(self, day: date) -> None:
        """Something is set, moved, met or stopped."""
        what = self.dice.choice(("visit", "visit", "close", "hold", "paper", "paper", "withdraw", "promise", "pay"))
        project, paper = str(self.dice.choice(self.ids)), str(self.dice.choice(self.papers))
        payout, soon = str(self.dice.choice(self.payouts)), day + self.dice.randrange(1, 70) * DAY
        match what:
            case "visit":
                self.change(
                    "UPDATE stage_run SET due_on = :on, closed_on = NULL WHERE project_id = :id", on=soon, id=project
                )
            case "close":
                self.change("UPDATE stage_run SET closed_on = :on WHERE project_id = :id", on=day, id=project)
            case "hold":
                self.hold(day, UUID(project))
            case "paper":
                sql = "UPDATE evidence SET valid_until_on = :on, status = 'current' WHERE id = :id"
                self.change(sql, on=soon, id=paper)
            case "withdraw":
                self.change("UPDATE evidence SET status = 'withdrawn' WHERE id = :id", id=paper)
            case "promise":
                sql = "UPDATE payout SET pay_by_on = :on, state = 'requested' WHERE id = :id"
                self.change(sql, on=day + self.dice.randrange(0, 30) * DAY, id=payout)
            case "pay":
                self.change("UPDATE payout SET state = 'cancelled' WHERE id = :id", id=payout)

    def hold(self, day: date, project: UUID) -> None:
        """Put a project on hold; the clock itself ends that later, and gives the visit its days back."""
        held = self.house.rows("SELECT 1 FROM hold WHERE object_id = :id AND lifted_at IS NULL", id=str(project))
        if not held:
            self.house.now = datetime.combine(day, time(7), self.zone).astimezone(UTC)
            make.put_on_hold(self.house, project, days=self.dice.randrange(3, 30))

    def wake(self, day: date) -> None:
        """Make a pass at some time of a day; sometimes the same once more, from another process, or one woken late."""
        at = datetime.combine(day, self.dice.choice((time(9), time(9), time(9, 7), time(8, 59), time(18))), self.zone)
        for later in self.dice.choice(((0,), (0,), (0,), (0,), (0,), (0,), (0, 0), (0, 1), (0, 3600))):
            now = at.astimezone(UTC) + timedelta(seconds=later)
            found = tick(self.work(now, f"host {later}"))
            assert found.is_well, [slot for slot in found.slots if not slot.is_well]
            self.passes.append(now)
            told = [slot for slot in found.slots if (slot.schedule_id, slot.status) == ("reminders", "done")]
            if told:
                self.look(now)
                if not len(self.told_at) % 5:
                    again = run_slot(self.work(now, "prefect"), "reminders", told[0].slot_at)
                    assert again == told, "a slot is worked once, whoever wakes us"

    def work(self, now: datetime, worker: str) -> Clockwork:
        """Return a clock of the product at an instant."""
        today = now.astimezone(self.zone).date()
        return Clockwork(
            engine=self.house.engine,
            settings=self.settings.model_copy(update={"worker": worker}),
            stamp=Stamp(now=now, today=today, actor=Actor.clock(Door.FLOW), calendar=china(), new_id=new_id),
            bodies={name: BODIES[name] for name in (*WAKES, "outbox")},
            schedules=[one for one in SCHEDULES if one.id in WAKES],
        )

    def look(self, now: datetime) -> None:
        """Keep what stands at a pass that told reminders."""
        number = len(self.told_at)
        self.told_at.append(now)
        for what, sql in OPEN.items():
            for key, on in self.house.rows(sql):
                self.seen[what, key].append((number, date.fromisoformat(on)))
        today = now.astimezone(self.zone).date().isoformat()
        self.held |= {(number, key) for (key,) in self.house.rows(ON_HOLD, today=today)}


class Reckoning:
    """What must have become of every rung: from what stood at each pass, and from days counted one by one."""

    def __init__(self, years: Years) -> None:
        """Reckon with what was seen."""
        self.years, self.passes, self.zone = years, years.told_at, years.zone
        found = holidays.country_holidays("CN", years=range(2021, 2029))
        first = date(2021, 1, 1)
        self.working = [day for n in range(2900) if found.is_working_day(day := first + n * DAY)]
        self.is_working = set(self.working)

    def rungs(self, what: str, on: date) -> Iterator[tuple[int, datetime]]:
        place = bisect_left(self.working, on)  # of the first working day that is not before
        for rung in LADDER[what]:
            before_or_on = place if on in self.is_working else place - 1
            found = before_or_on if not rung else place + rung if rung < 0 else before_or_on + rung
            yield rung, self.nine(self.working[found])
        if what == "payout_promise":
            late = 1
            while (due := self.nine(on + late * DAY)) <= self.passes[-1] + AHEAD:
                yield late, due
                late += 1

    def nine(self, day: date) -> datetime:
        """Return nine in the morning of a day, where the installation is."""
        return datetime.combine(day, time(9), self.zone).astimezone(UTC)

    def fates(self) -> Iterator[tuple[Rung, str, str, datetime | None]]:
        """Yield rung, status, reason and the pass that decided."""
        for thing, stood in self.years.seen.items():
            at = dict(stood)
            for on in dict.fromkeys(at.values()):
                numbers = [number for number, day in stood if day == on]
                for rung, due in self.rungs(thing[0], on):
                    known = next((one for one in numbers if due <= self.passes[one] + AHEAD), None)
                    if known is not None:
                        yield (*thing, on, rung), *self.fate(thing, on, due, known, at)

    def fate(
        self, thing: Thing, on: date, due: datetime, known: int, at: dict[int, date]
    ) -> tuple[str, str, datetime | None]:
        """Return what becomes of a rung that is known since a pass."""
        if due < self.oldest(self.passes[known]):
            return "missed", "too_late", self.passes[known]
        number = max(known, bisect_left(self.passes, due))
        if number == len(self.passes):
            return "planned", "", None
        now = self.passes[number]
        if number not in at:
            return "suppressed", "done_already", now
        if at[number] != on:
            return "suppressed", "day_moved", now
        if thing[0] == "stage_due" and (number, thing[1]) in self.years.held:
            return "suppressed", "on_hold", now
        if due < self.oldest(now):
            return "missed", "too_late", now
        return "sent", "", now

    def oldest(self, now: datetime) -> datetime:
        """Return since when a rung is still told: a week, or all days off before this one where they are more."""
        today = now.astimezone(self.zone).date()
        return now - max(WEEK, today - self.working[bisect_left(self.working, today) - 1])

    def slots(self) -> dict[datetime, str]:
        """Return what must have become of each slot of the reminders: nine o'clock of each working day."""
        found: dict[datetime, str] = {}
        all_slots = [self.nine(day) for day in self.working]
        last: datetime | None = None
        for now in self.years.passes:
            due = [slot for slot in all_slots if slot <= now and (last is None or slot > last)]
            if last is None:
                due = [slot for slot in due[-1:] if slot >= now - WEEK]
            for slot in due:
                found[slot] = "merged" if slot >= now - WEEK else "missed"
            if due:
                last = due[-1]
                found[last] = "done" if last >= now - WEEK else "missed"
        return found


def audience(what: str, rung: int, house: House) -> set[str]:
    """Return the accounts that a rung is for, as the manual's table names them (`docs/clock.md`)."""
    if what == "payout_promise":
        people = {Role.CERTIFIER, Role.FUND_MANAGER}
        people |= {Role.FUND_DIRECTOR} if rung >= 1 else set()
        people |= {Role.SPONSOR} if rung >= _ESCALATED else set()
    elif rung == _ESCALATED:
        people = {Role.FUND_MANAGER, Role.SPONSOR}
    else:
        people = {Role.COORDINATOR} | ({Role.PROJECT_LEAD} if what == "evidence_expiry" else set())
    names = {str(one) for one in people} | ({"second"} if Role.COORDINATOR in people else set())
    return {str(house.people[name].user_id) for name in names}


def lived(house: House, zone: str, span: Span) -> tuple[Years, list[tuple[Rung, str, str, datetime | None]]]:
    """Live through a span, and reckon."""
    with mail_sink() as sink:
        settings = Settings(db="unused.db", timezone=zone, smtp_url=f"smtp://127.0.0.1:{sink.port}")
        years = Years(house, ZoneInfo(zone), random.Random(zone), settings, sink)  # noqa: S311 - repeatable
        years.live(span)
    return years, list(Reckoning(years).fates())


def assert_true(years: Years, fates: list[tuple[Rung, str, str, datetime | None]]) -> None:
    """Hold what was reckoned against the rows of the product, its messages and the mails that arrived."""
    house = years.house
    rows = house.rows("SELECT what, object_id, deadline_on, rung, status, reason, decided_at FROM planned_reminder")
    ours = {
        (row.what, row.object_id, date.fromisoformat(row.deadline_on), row.rung): (
            row.status,
            row.reason,
            row.decided_at,
        )
        for row in rows
        if row.what in LADDER
    }
    assert ours == {rung: (status, reason, at and written(at)) for rung, status, reason, at in fates}
    told: dict[tuple[str, str], set[Thing]] = defaultdict(set)
    for (what, key, _, rung), status, _, at in fates:
        if status == "sent" and at is not None:
            for user in audience(what, rung, house):
                told[user, written(at)].add((what, key))
    assert in_messages(house) == told
    slots = house.rows("SELECT slot_at, status FROM scheduled_run WHERE schedule_id = 'reminders'")
    assert {row.slot_at: row.status for row in slots} == {
        written(at): status for at, status in Reckoning(years).slots().items()
    }
    kept = Counter((to, str(mail["X-Pilotway-Dedupe-Key"]).strip()) for to, mail in years.sink.mails)
    assert set(kept.values()) == {1}
    sent = house.rows(
        "SELECT app_user.email, dedupe_key FROM outbox_message JOIN app_user ON app_user.id = outbox_message.object_id"
        " WHERE kind = 'reminder.due'"
    )
    assert {key for key in kept if key[1].startswith("reminder.due:")} == {tuple(row) for row in sent}


def in_messages(house: House) -> dict[tuple[str, str], set[Thing]]:
    """Return (person, instant) -> what the message of that pass lists; a person has one for each pass."""
    box = table_of(OutboxMessage)
    found: dict[tuple[str, str], set[Thing]] = {}
    with reading(house.engine) as session:
        for row in session.execute(box.select().where(box.c.kind == "reminder.due")):
            items = [(one["what"], one["object_id"]) for one in row.facts["items"]]
            assert len(items) == len(set(items)) == row.facts["count"]
            key = str(row.object_id), written(row.created_at)
            assert key not in found
            found[key] = {one for one in items if one[0] in LADDER}
    return {key: things for key, things in found.items() if things}


def written(at: datetime) -> str:
    """Return an instant as the database writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
EVERYTHING = {
    ("sent", ""),
    ("missed", "too_late"),
    ("suppressed", "done_already"),
    ("suppressed", "day_moved"),
    ("suppressed", "on_hold"),
    ("planned", ""),
}


def test_a_winter_loses_nothing_and_doubles_nothing(house: House) -> None:
    years, fates = lived(house, "Europe/Berlin", A_WINTER)
    assert_true(years, fates)
    assert Counter(status for _, status, _, _ in fates)["sent"] > 20


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_five_years_lose_nothing_and_double_nothing(house: House, zone: str) -> None:
    years, fates = lived(house, zone, FIVE_YEARS)
    assert_true(years, fates)
    assert {(status, reason) for _, status, reason, _ in fates} == EVERYTHING
    assert len(years.ids) + len(years.payouts) == 67
