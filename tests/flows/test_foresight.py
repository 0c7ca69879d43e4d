"""What is said of a run before it runs: what it then does, and nothing is written by looking."""

from pathlib import Path
from typing import Any

import pytest

from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot
from flows.foresight import FORESIGHT, foreseen
from lifecycle.disbursement.commands import Freeze
from models.settings import Settings
from models.states import Role
from tests import factories as make
from tests import payments as pay
from tests.factories import House, key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(db="unused.db", bank_out=tmp_path / "out", bank_in=tmp_path / "in")


def work(house: House, settings: Settings) -> Clockwork:
    return Clockwork(engine=house.engine, settings=settings, stamp=house.stamp(), bodies=BODIES)


def told(house: House, settings: Settings, name: str) -> list[tuple[str, str, str]] | None:
    found = foreseen(name, work(house, settings).turn(house.now))
    return None if found is None else [(one.effect, one.ref, one.detail) for one in found]


def number(house: House, table: str, row_id: Any) -> str:
    return str(house.one(f"SELECT number FROM {table} WHERE id = :id", id=str(row_id)))


class TestARun:
    def test_of_deadlines_does_what_was_foreseen_of_it(self, house: House, settings: Settings) -> None:
        project = make.a_project(house)
        make.put_on_hold(house, project, days=3)
        house.later(days=4)

        before = told(house, settings, "stage-deadlines")
        is_held = house.one("SELECT lifted_at IS NULL FROM hold")
        (slot,) = run_slot(work(house, settings), "stage-deadlines", house.now, asked="now")

        assert before == [("project.resume", number(house, "project", project), "intake")]
        assert is_held
        assert [(one["effect"], one["object_id"]) for one in slot.effects] == [("project.resume", str(project))]

    def test_of_payments_names_each_payout_that_would_leave(self, house: House, settings: Settings) -> None:
        (payout,) = pay.payouts(house, state="approved")

        found = told(house, settings, "disbursement")

        assert found == [("payout.instruct", number(house, "payout", payout), "")]
        assert house.one("SELECT count(*) FROM payment_batch") == 0

    def test_of_payments_says_that_all_is_frozen(self, house: House, settings: Settings) -> None:
        pay.payouts(house, state="approved")
        house.do(Freeze(command_id=key(), reason="we look first"), by=Role.FUND_DIRECTOR)

        assert told(house, settings, "disbursement") == [("refused", "", "frozen")]

    def test_of_answers_names_the_files_that_lie_there(self, house: House, settings: Settings) -> None:
        settings.bank_in.mkdir()
        (settings.bank_in / "answer.xml").write_bytes(b"<Document/>")

        assert told(house, settings, "reconciliation") == [("file.waiting", "answer.xml", "")]

    def test_of_messages_counts_them_by_what_they_are_about(self, house: House, settings: Settings) -> None:
        make.projects(house, 2)

        found = told(house, settings, "outbox")

        assert ("outbox.waiting", "project", "2") in (found or [])

    @pytest.mark.parametrize("name", ["recovery", "invariants", "reminders"])
    def test_finds_nothing_in_a_house_at_rest(self, house: House, settings: Settings, name: str) -> None:
        assert told(house, settings, name) == []

    def test_of_which_nobody_can_tell_is_none(self, house: House, settings: Settings) -> None:
        assert told(house, settings, "backup") is None

    def test_that_can_be_counted_can_be_foreseen(self) -> None:
        assert {name for name, body in BODIES.items() if body.look} <= set(FORESIGHT)
