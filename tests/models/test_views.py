"""The views of the contract say the same on both databases, down to the text."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, inspect, text

from lifecycle.audit.keys import new_key
from lifecycle.projects.commands import PutOnHold
from models.db import reading, transaction
from models.deliveries import Delivery
from models.evidence import Evidence
from models.ids import new_id
from models.journal import Claim
from models.migrate import upgrade
from models.runs import ScheduledRun
from models.states import Channel, DeliveryStatus, EvidenceStatus, SlotStatus
from models.views import COLUMNS
from tests.factories import House
from tests.lifecycle.audit.conftest import signed
from tests.lifecycle.world import a_world, some_projects
from tests.money import money_in_every_state

_NUMBER = re.compile(
    r"seq$|_(seq|minor|count|bytes|needed)$|^(version|definition_version|revision|attempts?|fence)$|^is_"
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Give a database with rows in every view that this release fills."""
    world, programme, firm = a_world(engine)
    projects = some_projects(world, programme, firm, 3)
    until_on = world.stamp().today.replace(day=28)
    world.done(PutOnHold(command_id=world.key(), project_id=projects[1], code="partner", reason="x", until_on=until_on))
    signed(world, new_key())
    with transaction(engine) as session:
        author = UUID(session.execute(text("SELECT id FROM v_user")).scalar_one())
        session.add(a_document(projects[0], author, world.now))
    return engine


def a_document(project: UUID, author: UUID, at: datetime) -> Evidence:
    return Evidence(
        project_id=project,
        type="contract",
        file_name="合同.pdf",
        sha256="a" * 64,
        size_bytes=12,
        status=EvidenceStatus.CURRENT,
        submitted_on=at.date(),
        author_id=author,
        author_person_id=author,
        at=at,
    )


def form_of(column: str) -> re.Pattern[str] | None:
    if column.endswith("_at") or column == "at":
        return _INSTANT
    if column.endswith("_on"):
        return _DAY
    if column in {"key_id", "hash"} or column.endswith(("_hash", "sha256")):
        return _HASH
    if column == "id" or (column.endswith("_id") and column not in OF_OTHERS):
        return _ID
    return None


OF_OTHERS = {"command_id", "end_to_end_id", "msg_id", "message_id", "schedule_id"}
"""Keys as given, and what the bank knows things by."""
OF_MONEY = {
    *("v_payee_account", "v_fund", "v_agreement", "v_milestone", "v_account", "v_posting", "v_payout", "v_approval"),
    *("v_batch", "v_instruction", "v_bank_event", "v_statement", "v_statement_line", "v_exception", "v_claim"),
}
OF_THE_CLOCK = {"v_delivery", "v_schedule_slot"}


class TestViews:
    def test_have_their_columns_in_order(self, engine: Engine) -> None:
        asked = inspect(engine)
        found = {view: [column["name"] for column in asked.get_columns(view)] for view in COLUMNS}
        assert found == {view: list(columns) for view, columns in COLUMNS.items()}

    def test_give_numbers_as_numbers_and_all_else_as_text_in_its_form(self, filled: Engine) -> None:
        assert self.seen(filled) >= set(COLUMNS) - OF_MONEY - OF_THE_CLOCK - {"v_requirement", "v_review"}

    def test_give_money_in_the_same_form(self, each_house: House) -> None:
        money_in_every_state(each_house)
        with transaction(each_house.engine) as session:
            session.add(Claim(object_type="batch", object_id=new_id(), holder="w", fence=1, until_at=each_house.now))
        assert self.seen(each_house.engine) >= OF_MONEY

    def test_give_the_clock_in_the_same_form(self, each_house: House) -> None:
        now = each_house.now
        slot: dict[str, Any] = {"schedule_id": "reminders", "slot_at": now, "status": SlotStatus.RUNNING, "holder": "w"}
        with transaction(each_house.engine) as session:
            session.add(ScheduledRun(**slot, started_at=now))
            session.add(
                Delivery(
                    kind="digest.daily",
                    dedupe_key="digest:1",
                    channel=Channel.EMAIL,
                    recipient="a@example.org",
                    language="en",
                    message_id="<1@example.org>",
                    status=DeliveryStatus.WAITING,
                    not_before_at=now,
                    at=now,
                    created_at=now,
                )
            )
        assert self.seen(each_house.engine) >= OF_THE_CLOCK

    def seen(self, filled: Engine) -> set[str]:
        """Look at every row of every view; return the views that have any."""
        seen: set[str] = set()
        for view, columns in COLUMNS.items():
            with reading(filled) as session:
                rows = session.execute(text(f"SELECT * FROM {view}")).mappings().all()
            for row in rows:
                seen.add(view)
                for column in columns:
                    self.check(view, column, row[column])
        return seen

    @staticmethod
    def check(view: str, column: str, value: object) -> None:
        where = f"{view}.{column} = {value!r}"
        if value is None:
            assert column not in ("from_state", "to_state"), where
            return
        if _NUMBER.search(column):
            assert type(value) is int, where
            return
        assert type(value) is str, where
        form = form_of(column)
        assert form is None or form.fullmatch(value), where

    @pytest.mark.postgres
    @pytest.mark.parametrize("database_kind", ["postgres"])
    def test_are_64_bit_and_text_on_the_other_database(self, engine: Engine) -> None:
        for view in COLUMNS:
            for column in inspect(engine).get_columns(view):
                expected = "BIGINT" if _NUMBER.search(column["name"]) else "TEXT"
                assert str(column["type"]) == expected, f"{view}.{column['name']}"

    def test_say_that_a_project_is_on_hold_while_a_hold_is_not_lifted(self, filled: Engine) -> None:
        with reading(filled) as session:
            held = session.execute(text("SELECT id FROM v_project WHERE is_on_hold = 1")).scalars().all()
            rows = session.execute(text("SELECT object_id, lifted_at FROM v_hold")).all()
        assert held == [row.object_id for row in rows if row.lifted_at is None]
        assert len(rows) == 2

    def test_name_the_last_day_of_a_hold_by_its_first_instant(self, filled: Engine) -> None:
        with reading(filled) as session:
            until = session.execute(text("SELECT until_at FROM v_hold WHERE lifted_at IS NULL")).scalar_one()
        assert until == "2025-07-28T00:00:00.000000Z"

    @pytest.mark.postgres
    @pytest.mark.parametrize("database_kind", ["postgres"])
    def test_keep_the_rights_of_a_reader_when_they_are_made_anew(self, engine: Engine) -> None:
        with transaction(engine) as session:
            session.execute(text("CREATE ROLE pilotway_reader_of_test"))
            session.execute(text("GRANT SELECT ON v_project TO pilotway_reader_of_test"))
        upgrade(engine)
        with transaction(engine) as session:
            may = "SELECT has_table_privilege('pilotway_reader_of_test', 'v_project', 'SELECT')"
            assert session.execute(text(may)).scalar_one()
            session.execute(text("DROP OWNED BY pilotway_reader_of_test"))
            session.execute(text("DROP ROLE pilotway_reader_of_test"))
