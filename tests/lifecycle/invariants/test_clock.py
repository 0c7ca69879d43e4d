"""What must be true of messages and slots: mistakes that no table would let happen, planted past the house."""

import pytest

from tests.factories import House
from tests.lifecycle.invariants.test_money import broken, checked, plant

ID = "01980000-0000-7000-8000-00000000000{}"
NINE = "2025-07-08T01:00:00.000000Z"


def delivery(number: int, *, dedupe_key: str = "one", recipient: str = "a@example.org", message_id: str = "<1>") -> str:
    columns = "id, kind, dedupe_key, channel, recipient, message_id, status, attempts, at"
    values = f"'{ID.format(number)}', 'x', '{dedupe_key}', 'email', '{recipient}', '{message_id}', 'sent', 1, '{NINE}'"
    return f"INSERT INTO free_delivery ({columns}) VALUES ({values})"


def slot(number: int, *, schedule: str = "outbox", at: str = NINE) -> str:
    columns = "id, schedule_id, slot_at, status, done_count, refused_count, failed_count, started_at"
    values = f"'{ID.format(number)}', '{schedule}', '{at}', 'done', 0, 0, 0, '{at}'"
    return f"INSERT INTO free_scheduled_run ({columns}) VALUES ({values})"


def message(at: str, *, status: str = "waiting", attempts: int = 0) -> str:
    columns = "id, kind, dedupe_key, status, attempts, fence, created_at"
    values = f"'{ID.format(9)}', 'x', 'x', '{status}', {attempts}, 0, '{at}'"
    return f"INSERT INTO free_outbox_message ({columns}) VALUES ({values})"


class TestToldOnce:
    def test_is_broken_by_a_second_delivery_to_the_same_person(self, each_house: House) -> None:
        plant(each_house, delivery(1), delivery(2, message_id="<2>"))
        assert broken(checked(each_house)) == "I16"

    def test_is_broken_by_a_message_id_that_two_share(self, each_house: House) -> None:
        plant(each_house, delivery(1), delivery(2, recipient="b@example.org"))
        assert broken(checked(each_house)) == "I16"

    def test_holds_for_two_people(self, each_house: House) -> None:
        plant(each_house, delivery(1), delivery(2, recipient="b@example.org", message_id="<2>"))
        assert broken(checked(each_house)) == ""


class TestSlotOnce:
    def test_is_broken_by_a_second_row(self, each_house: House) -> None:
        plant(each_house, slot(1, schedule="backup"), slot(2, schedule="backup"))
        assert broken(checked(each_house)) == "I17"

    def test_holds_for_two_schedules_and_two_slots(self, each_house: House) -> None:
        later = "2025-07-08T01:00:00.000001Z"
        plant(each_house, slot(1, schedule="backup"), slot(2, schedule="report"), slot(3, schedule="report", at=later))
        assert broken(checked(each_house)) == ""


class TestNothingStuck:
    """It is nine o'clock; what nobody tried to tell for more than a quarter of an hour is stuck."""

    TOO_OLD, YOUNG = "2025-07-08T00:44:59.999999Z", "2025-07-08T00:45:00.000000Z"

    def test_is_broken_by_a_message_that_nobody_tries_to_send(self, each_house: House) -> None:
        plant(each_house, "DELETE FROM free_outbox_message", slot(1), message(self.TOO_OLD))
        assert broken(checked(each_house)) == "I21"

    @pytest.mark.parametrize(
        "well",
        [message(YOUNG), message(TOO_OLD, attempts=1), message(TOO_OLD, status="sent")],
        ids=["young", "tried", "sent"],
    )
    def test_holds_for_others(self, each_house: House, well: str) -> None:
        plant(each_house, "DELETE FROM free_outbox_message", slot(1), well)
        assert broken(checked(each_house)) == ""

    def test_says_nothing_before_the_first_message_was_taken_up(self, each_house: House) -> None:
        plant(each_house, "DELETE FROM free_outbox_message", slot(1, schedule="backup"), message(self.TOO_OLD))
        assert broken(checked(each_house)) == ""
