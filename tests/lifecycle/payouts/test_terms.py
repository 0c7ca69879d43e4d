from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.calendar import china
from lifecycle.payouts.terms import Keeping, Promise, Reminder, hand_in_by, pay_by, promise_of, reminders
from models.states import PayoutState

CHINA = china()
days = st.dates(min_value=date(2018, 1, 1), max_value=date(2026, 10, 31))


class TestPromise:
    @pytest.mark.parametrize(
        ("state", "paid_on", "today", "found"),
        [
            ("requested", None, 7, Promise(keeping=Keeping.RUNNING, days_left=0, days_taken=6)),
            ("approved", None, 8, Promise(keeping=Keeping.OVERDUE, days_left=-1, days_taken=7, days_late=1)),
            ("returned", None, 9, Promise(keeping=Keeping.OVERDUE, days_left=-2, days_taken=8, days_late=2)),
            ("paid", 7, 20, Promise(keeping=Keeping.KEPT, days_taken=6)),
            ("paid", 10, 20, Promise(keeping=Keeping.BROKEN, days_taken=9, days_late=3)),
            ("rejected", None, 20, Promise(keeping=Keeping.VOID)),
        ],
    )
    def test_is_kept_by_a_booking_on_its_last_day(
        self, state: str, paid_on: int | None, today: int, found: Promise
    ) -> None:
        booked = None if paid_on is None else date(2025, 8, paid_on)
        asked = {"complete_on": date(2025, 8, 1), "pay_by_on": date(2025, 8, 7), "today": date(2025, 8, today)}

        assert promise_of(PayoutState(state), paid_on=booked, **asked) == found


class TestPayBy:
    @pytest.mark.parametrize(
        ("complete_on", "promised", "due_on"),
        [
            (date(2025, 7, 8), 30, date(2025, 8, 7)),  # a Thursday
            (date(2025, 7, 10), 30, date(2025, 8, 8)),  # Saturday: the Friday before
            (date(2025, 9, 5), 30, date(2025, 9, 30)),  # in the Golden Week: the last day before it
            (date(2025, 8, 29), 30, date(2025, 9, 28)),  # a Sunday on which people work
            (date(2025, 7, 8), 60, date(2025, 9, 5)),  # Saturday: the Friday before
        ],
    )
    def test_ends_on_a_working_day_never_after_the_promise(
        self, complete_on: date, promised: int, due_on: date
    ) -> None:
        assert pay_by(complete_on, promised, CHINA).due_on == due_on

    @given(days, st.sampled_from([30, 60]))
    def test_never_breaks_the_promise(self, complete_on: date, promised: int) -> None:
        due_on = pay_by(complete_on, promised, CHINA).due_on

        assert CHINA.is_working_day(due_on)
        assert complete_on < due_on <= complete_on + timedelta(days=promised)

    def test_is_provisional_in_a_year_that_is_not_announced(self) -> None:
        assert not pay_by(date(2025, 7, 8), 30, CHINA).is_provisional
        assert pay_by(date(max(CHINA.announced), 12, 31), 30, CHINA).is_provisional


class TestHandInBy:
    def test_moves_to_the_next_working_day(self) -> None:
        assert hand_in_by(date(2025, 7, 10), 30, CHINA).due_on == date(2025, 8, 11)
        assert hand_in_by(date(2025, 9, 5), 30, CHINA).due_on == date(2025, 10, 9)


class TestReminders:
    def test_come_10_5_and_1_working_days_before_and_then_daily(self) -> None:
        due_on = date(2025, 8, 8)  # a Friday

        said = list(reminders(due_on, after=date(2025, 7, 8), until=date(2025, 8, 11), calendar=CHINA))

        assert said == [
            Reminder(on=date(2025, 7, 25), urgency="approaching", working_days_left=10),
            Reminder(on=date(2025, 8, 1), urgency="approaching", working_days_left=5),
            Reminder(on=date(2025, 8, 7), urgency="approaching", working_days_left=1),
            Reminder(on=date(2025, 8, 8), urgency="due", working_days_left=0),
            Reminder(on=date(2025, 8, 9), urgency="overdue", working_days_left=0),
            Reminder(on=date(2025, 8, 10), urgency="overdue", working_days_left=0),
            Reminder(on=date(2025, 8, 11), urgency="overdue", working_days_left=-1),
        ]

    def test_count_over_a_holiday(self) -> None:
        (said,) = reminders(date(2025, 10, 9), after=date(2025, 9, 29), until=date(2025, 10, 8), calendar=CHINA)

        assert (said.on, said.working_days_left) == (date(2025, 9, 30), 1)

    @given(days, st.lists(st.integers(min_value=0, max_value=20), min_size=1, max_size=6))
    def test_lose_and_repeat_nothing_when_the_clock_stood_still_for_a_while(
        self, due_on: date, pauses: list[int]
    ) -> None:
        start = due_on - timedelta(days=25)
        whole = list(reminders(due_on, after=start, until=start + timedelta(days=sum(pauses)), calendar=CHINA))

        pieces: list[Reminder] = []
        for pause in pauses:
            pieces += reminders(due_on, after=start, until=start + timedelta(days=pause), calendar=CHINA)
            start += timedelta(days=pause)

        assert pieces == whole
