"""The report on the promise of payment, on payments of the whole chain."""

from datetime import date

from lifecycle.calendar import china
from lifecycle.payouts.promises import Period, period_of, terms
from lifecycle.payouts.queries import Which, payouts
from models.db import reading
from tests import payments as pay
from tests.factories import House


class TestTerms:
    def test_count_each_request_once(self, house: House) -> None:
        kept, late, came_back, _running = pay.payouts(house, 4, state="approved")
        pay.payouts(house, state="cancelled")
        pay.instruct(house, kept, late, came_back)
        pay.tell(house, kept, came_back, kind="settle", booked_on=date(2025, 8, 7))
        pay.tell(house, came_back, kind="return")
        house.later(days=40)
        pay.tell(house, late, kind="settle")

        with reading(house.engine) as session:
            rows = terms(session, period=Period.QUARTER, today=house.today, calendar=china())

        names = ("asked", "paid_in_time", "paid_late", "still_open", "open_overdue", "ended_unpaid", "amount_minor")
        total = {name: sum(row[name] for row in rows) for name in (*names, "late_minor")}
        assert {row["period"] for row in rows} == {period_of(date(2025, 7, 8), Period.QUARTER)} == {"2025-Q3"}
        assert total["asked"] == 5
        assert (total["paid_in_time"], total["paid_late"], total["open_overdue"]) == (1, 1, 2)
        assert (total["still_open"], total["ended_unpaid"]) == (0, 1)
        assert (total["amount_minor"], total["late_minor"]) == (5 * pay.AMOUNT, 3 * pay.AMOUNT)
        assert max(row["longest_days"] or 0 for row in rows) == 40
        assert max(row["most_days_late"] for row in rows) == 10
        assert sorted(row["median_days"] for row in rows if row["median_days"] is not None) == [30.0, 40.0]

    def test_are_told_by_the_day_of_the_banks_booking(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="instructed")
        house.later(days=33)
        pay.tell(house, payout, kind="settle", booked_on=date(2025, 8, 7))

        with reading(house.engine) as session:
            (row,) = payouts(session, today=house.today, calendar=china())

        assert (row["paid_on"], row["promise"], row["days_late"]) == (date(2025, 8, 7), "kept", 0)

    def test_lists_what_is_due_up_to_a_day(self, house: House) -> None:
        waiting, _paid = pay.payouts(house, state="requested"), pay.payouts(house, state="paid")

        with reading(house.engine) as session:
            (row,) = payouts(session, today=house.today, calendar=china(), which=Which(due_until=date(2025, 8, 7)))
            none = payouts(session, today=house.today, calendar=china(), which=Which(due_until=date(2025, 8, 6)))

        assert [row["id"]] == waiting
        assert (row["days_left"], none) == (30, [])

    def test_are_those_of_the_agreement(self, house: House) -> None:
        (milestone,) = pay.accepted(house, payment_days=60)
        house.do(pay.request(house, milestone), by="finance_officer")

        with reading(house.engine) as session:
            (row,) = payouts(session, today=house.today, calendar=china())

        assert row["pay_by_on"] == date(2025, 9, 5)  # the Friday before a Saturday
