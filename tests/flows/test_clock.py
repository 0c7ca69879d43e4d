"""Each slot once, whoever wakes us: merged, missed, skipped and taken over as the contract says."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from flows import slots as book
from flows.clock import Clockwork, Pass, UnknownScheduleError, run_slot, tick
from flows.schedules import SCHEDULES, Schedule, When
from flows.turns import Body, Effect, Outcome, Turn
from models.db import reading, transaction
from models.journal import Claim
from models.reading import table_of
from models.runs import Pause, RunRequest
from models.settings import Settings
from tests.factories import House

QUARTERLY = Schedule(id="quarters", when=When(every_minutes=15), reason="")
DAILY = Schedule(id="days", when=When(at=(time(9, 0),)), is_for_working_days=True, reason="")


@dataclass
class Watch:
    """A clock with two schedules whose bodies note when they ran."""

    house: House
    ran: list[tuple[str, datetime]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    inside: Callable[[Turn], None] = lambda _turn: None
    schedules: Sequence[Schedule] = (QUARTERLY, DAILY)
    lease_seconds: int = 60

    def body(self, name: str) -> Body:
        def run(turn: Turn) -> Outcome:
            self.ran.append((name, turn.slot_at))
            self.inside(turn)
            return self.outcome

        return Body(run=run)

    def work(self, worker: str = "one") -> Clockwork:
        return Clockwork(
            engine=self.house.engine,
            settings=Settings(db="unused.db", worker=worker, lease_seconds=self.lease_seconds),
            stamp=self.house.stamp(),
            bodies={one.id: self.body(one.id) for one in self.schedules},
            schedules=self.schedules,
        )

    def tick(self) -> Pass:
        return tick(self.work())

    def rows(self, name: str) -> list[tuple[datetime, str, str]]:
        found = self.house.rows(
            "SELECT slot_at, status, why FROM scheduled_run WHERE schedule_id = :name ORDER BY slot_at", name=name
        )
        return [(_instant(at), status, why) for at, status, why in found]

    def statuses(self, name: str) -> dict[str, int]:
        found = self.house.rows(
            "SELECT status, count(*) FROM scheduled_run WHERE schedule_id = :name GROUP BY status", name=name
        )
        return dict(found)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        with reading(self.house.engine) as session:
            found = session.execute(
                book._OUTBOX.select().where(book._OUTBOX.c.object_type == "schedule").order_by(book._OUTBOX.c.kind)
            )
            return [(row.kind, row.facts) for row in found]


def _instant(value: Any) -> datetime:
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


@pytest.fixture
def watch(each_house: House) -> Watch:
    return Watch(each_house)


class TestOneTick:
    def test_of_a_new_installation_runs_the_latest_slot_of_each_schedule(self, watch: Watch) -> None:
        watch.house.later(minutes=7)
        nine = datetime(2025, 7, 8, 1, 0, tzinfo=UTC)
        found = watch.tick()
        assert watch.ran == [("quarters", nine), ("days", nine)]
        assert [(slot.schedule_id, slot.status) for slot in found.slots] == [("quarters", "done"), ("days", "done")]

    def test_at_the_same_instant_again_does_nothing(self, watch: Watch) -> None:
        watch.tick()
        assert watch.tick().slots == []
        assert len(watch.ran) == 2

    def test_keeps_counts_and_effects_of_a_run_and_lets_it_go(self, watch: Watch) -> None:
        effects = [Effect(effect="refused", object_type="payout", ref=f"PO-{n}") for n in range(300)]
        watch.outcome = Outcome(found=301, done=1, refused=300, effects=effects)
        (slot, _) = watch.tick().slots
        assert (slot.done_count, slot.refused_count, slot.failed_count) == (1, 300, 0)
        assert len(slot.effects) == 200
        assert slot.effects[0]["ref"] == "PO-0"
        assert watch.house.one("SELECT count(*) FROM claim") == 0

    def test_goes_on_behind_a_body_that_fails_and_tells_it_once(self, watch: Watch) -> None:
        def fall(turn: Turn) -> None:
            if turn.slot_at.minute == 15:
                raise RuntimeError("the disk is full")

        watch.tick()
        watch.inside = fall
        watch.house.later(minutes=15)
        found = watch.tick()
        assert [(slot.status, slot.why) for slot in found.slots] == [("failed", "RuntimeError: the disk is full")]
        assert not found.is_well
        watch.house.later(minutes=15)
        assert [slot.status for slot in watch.tick().slots] == ["done"]
        ((kind, facts),) = watch.told()
        assert (kind, facts["schedule"], facts["why"]) == ("run.failed", "quarters", "RuntimeError: the disk is full")

    def test_says_no_value_of_a_row_that_the_database_refused(self, watch: Watch) -> None:
        def fall(turn: Turn) -> None:
            wrong = {"schedule_id": "quarters", "slot_at": "whsec_TOPSECRET", "status": "asleep"}
            with transaction(turn.engine) as session:
                session.execute(
                    text(
                        "INSERT INTO app_user (id, person_id, login, name, email, language, status, version)"
                        " VALUES (:slot_at, :slot_at, :slot_at, :slot_at, :slot_at, 'en', :status, 1)"
                    ),
                    wrong,
                )

        watch.schedules, watch.inside = (QUARTERLY,), fall
        (slot,) = watch.tick().slots
        assert slot.status == "failed"
        assert "Error" in slot.why
        assert "TOPSECRET" not in str(watch.rows("quarters")) + str(watch.told())

    def test_tells_what_fails_again_and_again_once_a_day_until_it_has_worked(self, watch: Watch) -> None:
        """A weekend of failures is no flood of mails on Monday."""
        failing = True

        def fall(turn: Turn) -> None:
            if failing:
                raise RuntimeError(f"full since {turn.slot_at}")

        def pass_(times: int) -> int:
            for _ in range(times):
                watch.house.later(minutes=15)
                watch.tick()
            return len(watch.told())

        watch.schedules, watch.inside = (QUARTERLY,), fall
        assert pass_(3) == 1
        failing = False
        pass_(1)
        failing = True
        assert pass_(3) == 2
        watch.house.later(days=1)
        assert pass_(2) == 3

    def test_ends_a_body_whose_minutes_are_used_up_as_failed(self, watch: Watch) -> None:
        watch.schedules = (replace(QUARTERLY, limit_minutes=0),)
        watch.inside = lambda turn: None if turn.is_over() else pytest.fail("it has no time at all")
        watch.outcome = Outcome(done=3, is_cut=True)
        (slot,) = watch.tick().slots
        assert (slot.status, slot.done_count, slot.why) == ("failed", 3, "time_limit: 0")


class TestASleepOfTenDays:
    def test_runs_the_latest_slot_merges_a_week_and_misses_the_rest(self, watch: Watch) -> None:
        watch.tick()
        begun = watch.house.now
        watch.ran.clear()
        watch.house.later(days=10, minutes=5)

        watch.tick()

        slots = [begun + timedelta(minutes=15) * number for number in range(1, 10 * 96 + 1)]
        week_ago = watch.house.now - timedelta(days=7)
        expected = [
            (slot, "done" if slot == slots[-1] else "missed" if slot < week_ago else "merged") for slot in slots
        ]
        assert [(at, status) for at, status, _ in watch.rows("quarters")[1:]] == expected
        assert [(name, at) for name, at in watch.ran if name == "quarters"] == [("quarters", slots[-1])]
        assert watch.tick().slots == []

    def test_counts_working_days_alone(self, watch: Watch) -> None:
        """From Tuesday to Friday of the next week: Wednesday to Thursday were too long ago, one runs for six."""
        watch.tick()
        watch.house.later(days=10)
        watch.tick()
        assert watch.statuses("days") == {"done": 2, "missed": 2, "merged": 5}

    def test_is_told_once_for_all_slots_that_were_missed(self, watch: Watch) -> None:
        watch.tick()
        watch.house.later(days=10)
        watch.tick()
        watch.tick()
        told = {facts["schedule"]: facts["count"] for kind, facts in watch.told() if kind == "run.missed"}
        assert told == {"quarters": 3 * 96 - 1, "days": 2}

    def test_is_none_before_the_installation_was_made(self, watch: Watch) -> None:
        watch.schedules = (Schedule(id="rare", when=When(at=(time(7, 0),), months=(1,)), reason=""),)
        assert watch.tick().slots == []
        assert watch.rows("rare") == []


class TestTheQuarterlyReport:
    def test_is_made_good_also_when_nobody_was_awake_for_weeks(self, watch: Watch) -> None:
        """Its next slot is a quarter away, and would freeze another quarter."""
        watch.schedules = tuple(one for one in SCHEDULES if one.id == "report")
        watch.house.now = datetime(2025, 7, 1, 0, 0, tzinfo=UTC)
        watch.tick()
        watch.house.later(days=110)
        watch.tick()
        assert [(at.date().isoformat(), status) for at, status, _ in watch.rows("report")] == [
            ("2025-06-30", "done"),
            ("2025-10-08", "done"),
        ]


class TestAClockThatJumps:
    def test_back_runs_what_it_had_given_up_and_nothing_twice(self, watch: Watch) -> None:
        """A machine believed for one pass that it was two months later; that stops nothing for two months."""
        watch.tick()
        watch.house.later(days=60)
        watch.tick()
        done = set(watch.ran)
        watch.house.later(days=-59)
        watch.ran.clear()
        watch.tick()
        today = watch.house.now
        assert watch.ran == [("quarters", today), ("days", today)]
        watch.house.later(minutes=15)
        run_slot(watch.work(), "quarters", watch.house.now)
        assert watch.ran[2:] == [("quarters", watch.house.now)]
        assert watch.tick().slots == []
        assert not done & set(watch.ran)

    def test_back_runs_nothing_that_is_paused_now(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        watch.house.later(days=60)
        watch.tick()
        watch.house.later(days=-59)
        user_id = watch.house.people["operator"].user_id
        days: dict[str, Any] = {"from_at": watch.house.now, "until_on": watch.house.today}
        with transaction(watch.house.engine) as session:
            session.add(Pause(schedule_id="quarters", reason="x", put_by=user_id, **days))
        watch.ran.clear()
        watch.tick()
        assert watch.ran == []

    def test_back_by_hours_runs_no_slot_twice(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        for _ in range(8):
            watch.tick()
            watch.house.later(minutes=15)
        ran = len(watch.ran)
        watch.house.later(hours=-2)
        for _ in range(8):
            watch.tick()
            watch.house.later(minutes=15)
        assert len(watch.ran) == ran
        watch.tick()
        assert len(watch.ran) == ran + 1

    def test_on_by_hours_runs_one_slot_for_all(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        watch.house.later(hours=5)
        watch.tick()
        assert watch.statuses("quarters") == {"done": 2, "merged": 19}

    def test_between_two_machines_by_seconds_changes_nothing(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        watch.house.later(minutes=30, seconds=2)
        watch.tick()
        watch.house.later(seconds=-20)
        assert watch.tick().slots == []
        assert len(watch.ran) == 2


class TestTwoTicksAtOnce:
    def test_do_each_slot_once(self, watch: Watch) -> None:
        started = threading.Barrier(4)

        def one(number: int) -> None:
            work = watch.work(f"worker {number}")
            started.wait()
            tick(work)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(name for name, _ in watch.ran) == ["days", "quarters"]
        assert watch.statuses("days") == watch.statuses("quarters") == {"done": 1}
        assert watch.house.one("SELECT count(*) FROM claim") == 0

    def test_skip_a_slot_whose_schedule_still_runs(self, watch: Watch) -> None:
        """While one runs the slot of nine o'clock, another comes a quarter of an hour later."""
        watch.schedules = (QUARTERLY,)
        found: list[Pass] = []

        def meanwhile(turn: Turn) -> None:
            if not found:
                watch.house.later(minutes=15)
                found.append(tick(watch.work("two")))

        watch.inside = meanwhile
        watch.tick()
        assert [(slot.status, slot.why) for slot in found[0].slots] == [("skipped", "still_running")]
        assert watch.statuses("quarters") == {"done": 1, "skipped": 1}


class TestAWorkerThatDied:
    def began(self, watch: Watch) -> UUID:
        """Leave a slot as a killed worker leaves it, with a lease that runs."""
        watch.schedules = (QUARTERLY,)
        by = book.Runner(holder="dead", lease=timedelta(minutes=5))
        with transaction(watch.house.engine) as session:
            now = watch.house.now
            return book.begin(session, "quarters", now, now=now, by=by, why="").id

    def lapse(self, watch: Watch) -> None:
        claim = table_of(Claim)
        with transaction(watch.house.engine) as session:
            session.execute(update(claim).values(until_at=datetime(2020, 1, 1, tzinfo=UTC)))

    def test_keeps_its_slot_while_its_lease_runs(self, watch: Watch) -> None:
        self.began(watch)
        assert watch.tick().slots == []
        (slot,) = run_slot(watch.work(), "quarters", watch.house.now)
        assert slot.status == "running"
        assert watch.ran == []

    def test_loses_it_to_the_next_one_when_the_lease_is_over(self, watch: Watch) -> None:
        run_id = self.began(watch)
        self.lapse(watch)
        (slot,) = watch.tick().slots
        assert (slot.run_id, slot.status) == (run_id, "done")
        assert watch.house.one("SELECT holder FROM scheduled_run") == "one"
        assert watch.house.one("SELECT fence FROM scheduled_run") == 2
        assert len(watch.ran) == 1

    def test_writes_nothing_when_it_wakes_up_again(self, watch: Watch) -> None:
        run_id = self.began(watch)
        self.lapse(watch)
        watch.tick()
        late = book.Held(id=run_id, fence=1, slot_at=watch.house.now)
        with transaction(watch.house.engine) as session:
            said = Outcome(done=99)
            assert not book.end(session, "quarters", late, said, now=watch.house.now, failure="I was asleep")
        assert watch.house.rows("SELECT status, done_count FROM scheduled_run") == [("done", 0)]
        assert watch.told() == []

    def test_has_its_slot_closed_by_a_later_one(self, watch: Watch) -> None:
        self.began(watch)
        self.lapse(watch)
        watch.house.later(minutes=15)
        watch.tick()
        assert [(status, why) for _, status, why in watch.rows("quarters")] == [("merged", "died: dead"), ("done", "")]
        assert watch.house.one("SELECT count(*) FROM claim") == 0

    def test_renews_its_lease_while_it_lives(self, watch: Watch) -> None:
        """A body that works three times as long as a lease is not taken over."""
        watch.schedules, watch.lease_seconds = (QUARTERLY,), 1
        ends: set[Any] = set()

        def long(_turn: Turn) -> None:
            renewed = threading.Event()
            while len(ends) < 4:
                ends.add(watch.house.one("SELECT until_at FROM claim"))
                renewed.wait(0.05)
            assert run_slot(watch.work("two"), "quarters", watch.house.now)[0].status == "running"

        watch.inside = long
        assert [slot.status for slot in watch.tick().slots] == ["done"]


class TestAPause:
    def put(self, watch: Watch, **more: Any) -> Pause:
        watch.schedules = (QUARTERLY,)
        user_id = watch.house.people["operator"].user_id
        pause = Pause(
            schedule_id="quarters",
            reason="the bank moves house",
            put_by=user_id,
            from_at=watch.house.now,
            until_on=watch.house.today + timedelta(days=1),
            **more,
        )
        with transaction(watch.house.engine) as session:
            session.add(pause)
        return pause

    def test_skips_each_slot_with_its_reason_until_its_last_day_is_over(self, watch: Watch) -> None:
        self.put(watch)
        watch.house.later(minutes=15)
        assert [(slot.status, slot.why) for slot in watch.tick().slots] == [("skipped", "paused: the bank moves house")]
        watch.house.later(hours=38, minutes=30)
        watch.tick()
        watch.house.later(minutes=15)
        watch.tick()
        assert watch.statuses("quarters") == {"skipped": 155, "done": 1}
        assert [(name, at.astimezone(UTC).hour) for name, at in watch.ran] == [("quarters", 16)]

    def test_that_was_ended_meanwhile_skips_its_own_slots_alone(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        watch.house.later(minutes=16)
        self.put(watch, ended_at=watch.house.now + timedelta(minutes=20))
        watch.house.later(minutes=60)
        watch.tick()
        assert [status for _, status, _ in watch.rows("quarters")] == [
            "done",
            "merged",
            "skipped",
            "merged",
            "merged",
            "done",
        ]

    def test_holds_no_run_that_somebody_asks_for(self, watch: Watch) -> None:
        self.put(watch)
        watch.house.later(minutes=1)
        (slot,) = run_slot(watch.work(), "quarters", watch.house.now, asked="it cannot wait")
        assert (slot.status, slot.why) == ("done", "it cannot wait")


class TestARunThatIsAskedFor:
    def test_has_a_slot_of_its_own_and_puts_off_none_of_the_schedule(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        watch.house.later(minutes=20, microseconds=123)
        run_slot(watch.work(), "quarters", watch.house.now, asked="now")
        again = run_slot(watch.work(), "quarters", watch.house.now, asked="now")
        assert [slot.status for slot in again] == ["done"]
        assert len(watch.ran) == 2
        assert [slot.slot_at.minute for slot in watch.tick().slots] == [15]

    def test_is_taken_up_by_the_next_pass_once(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        asked_by = watch.house.people["operator"].user_id
        watch.house.later(minutes=1)
        with transaction(watch.house.engine) as session:
            asked: dict[str, Any] = {"asked_by": asked_by, "reason": "the bank called", "asked_at": watch.house.now}
            session.add(RunRequest(schedule_id="quarters", **asked))
        watch.house.later(minutes=1)
        assert [(slot.status, slot.why) for slot in watch.tick().slots] == [("done", "the bank called")]
        assert watch.tick().slots == []

    def test_of_an_unknown_name_is_refused(self, watch: Watch) -> None:
        with pytest.raises(UnknownScheduleError):
            run_slot(watch.work(), "outbox", watch.house.now)


class TestAPlainCron:
    def test_that_wakes_us_on_a_holiday_finds_nothing(self, watch: Watch) -> None:
        watch.schedules = (DAILY,)
        watch.tick()
        watch.house.later(days=4)
        saturday = watch.house.now
        watch.tick()
        watch.ran.clear()
        assert run_slot(watch.work(), "days", saturday) == []
        assert watch.ran == []

    def test_whose_wakes_pile_up_runs_the_latest_slot_for_all(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.tick()
        begun = watch.house.now
        watch.house.later(hours=1)
        for number in (1, 2, 3, 4):
            run_slot(watch.work(), "quarters", begun + timedelta(minutes=15 * number))
        assert watch.ran[1:] == [("quarters", begun + timedelta(hours=1))]
        assert watch.statuses("quarters") == {"done": 2, "merged": 3}


class TestAWorkerThatIsToldToEnd:
    def test_leaves_the_rest_of_its_slot_to_the_next_one_at_once(self, watch: Watch) -> None:
        watch.schedules = (QUARTERLY,)
        watch.outcome = Outcome(done=1, is_cut=True)
        assert [slot.status for slot in tick(replace(watch.work(), is_stopped=lambda: bool(watch.ran))).slots] == [
            "running"
        ]
        assert watch.house.one("SELECT count(*) FROM claim") == 0
        watch.outcome = Outcome(done=2)
        assert [(slot.status, slot.done_count) for slot in watch.tick().slots] == [("done", 2)]


class TestTheBook:
    def test_has_a_row_once_for_each_slot_by_the_database_alone(self, watch: Watch) -> None:
        watch.tick()
        with pytest.raises(Exception, match=r"(?i)unique"), transaction(watch.house.engine) as session:
            session.execute(
                text("UPDATE scheduled_run SET slot_at = '2025-07-08T01:00:00.000000Z', schedule_id = 'days'")
            )
