"""The page of figures: right numbers, a form that a reader of the format takes, and a fixed number of statements."""

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from flows.metrics import Measure, exposition, measures
from models.db import reading, transaction
from models.runs import ScheduledRun
from models.states import SlotStatus
from tests.factories import House
from tests.money import money_in_every_state


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the page as its reader would, by a parser that shares no code with it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figures(house: House) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    with reading(house.engine) as session:
        return read(exposition(measures(session, house.now, house.now.date())))


class TestThePage:
    def test_is_whole_on_an_empty_database(self, each_house: House) -> None:
        found = figures(each_house)
        assert found[("pilotway_disbursement_frozen", ())] == 0
        assert found[("pilotway_deliveries", (("status", "given_up"),))] == 0

    def test_counts_payouts_by_state_and_cases(self, each_house: House) -> None:
        money_in_every_state(each_house)
        found = figures(each_house)
        states = {labels[0][1]: value for (name, labels), value in found.items() if name == "pilotway_payouts"}
        assert states["paid"] >= 1
        assert set(states) >= {"requested", "approved", "instructed", "returned"}

    def test_says_when_a_schedule_was_done_last(self, each_house: House) -> None:
        house = each_house
        with transaction(house.engine) as session:
            for ago, status in ((3, SlotStatus.DONE), (2, SlotStatus.DONE), (1, SlotStatus.MISSED)):
                slot = house.now - timedelta(hours=ago)
                session.add(
                    ScheduledRun(schedule_id="outbox", slot_at=slot, status=status, holder="w", started_at=slot)
                )
        found = figures(house)
        last = house.now - timedelta(hours=2)
        schedule = (("schedule", "outbox"),)
        assert found[("pilotway_run_last_done_timestamp_seconds", schedule)] == last.timestamp()
        assert found[("pilotway_slots", (*schedule, ("status", "done")))] == 2

    def test_asks_as_much_of_a_full_database_as_of_an_empty_one(self, each_house: House) -> None:
        asked = []
        event.listen(each_house.engine, "before_cursor_execute", lambda *_: asked.append(1))
        figures(each_house)
        empty = len(asked)
        money_in_every_state(each_house)
        asked.clear()
        figures(each_house)
        assert len(asked) == empty


class TestALabel:
    def test_may_hold_what_would_end_it(self) -> None:
        measure = Measure(name="m", help="A figure.", value=1, labels={"what": 'a "quoted"\\ two\nlines'})
        assert read(exposition([measure])) == {("m", (("what", 'a "quoted"\\ two\nlines'),)): 1}
