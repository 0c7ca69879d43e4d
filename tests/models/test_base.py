"""The columns that nouns share work for several tables, and their version is a second net."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, MetaData, inspect
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Field

from models.base import NO_AUDIT, Identified, Row, Subject, Timestamped, metadata
from models.db import make_engine, transaction
from models.ids import SeededIds, using_ids
from models.types import Id


class _Apart(Row):
    """Keeps the tables of this file out of the product's metadata."""

    metadata = MetaData(naming_convention=metadata.naming_convention)


class PilotPlant(Subject, Timestamped, _Apart, table=True):
    name: str = Field(unique=True)


class PilotLine(Identified, Timestamped, _Apart, table=True):
    plant_id: UUID = Field(foreign_key="pilot_plant.id", sa_type=Id, index=True)


@pytest.fixture
def plants(empty_url: str) -> Iterator[Engine]:
    engine = make_engine(empty_url)
    _Apart.metadata.create_all(engine)
    yield engine
    engine.dispose()


def a_plant(clock_time: datetime = datetime(2025, 7, 8, tzinfo=UTC)) -> PilotPlant:
    return PilotPlant(name="智能硬件中试基地", created_at=clock_time)


class TestSubject:
    def test_starts_at_version_one_with_an_empty_chain(self, plants: Engine) -> None:
        with using_ids(SeededIds(1)), transaction(plants) as session:
            session.add(a_plant())

        with transaction(plants) as session:
            plant = session.get_one(PilotPlant, SeededIds(1).new())
        assert (plant.version, plant.audit_seq, plant.audit_head) == (1, 0, NO_AUDIT)

    def test_refuses_to_overwrite_what_somebody_else_changed(self, plants: Engine) -> None:
        plant = a_plant()
        with transaction(plants) as session:
            session.add(plant)
        with transaction(plants) as session:
            theirs = session.get_one(PilotPlant, plant.id)
            theirs.name, theirs.version = "theirs", 2

        with pytest.raises(StaleDataError), transaction(plants) as session:
            session.add(plant)
            plant.name, plant.version = "mine", 2


class TestTables:
    def test_are_named_after_their_class_in_snake_case(self) -> None:
        assert set(_Apart.metadata.tables) == {"pilot_plant", "pilot_line"}

    def test_name_every_constraint(self, plants: Engine) -> None:
        inspector = inspect(plants)
        assert inspector.get_pk_constraint("pilot_line")["name"] == "pk_pilot_line"
        assert [key["name"] for key in inspector.get_foreign_keys("pilot_line")] == [
            "fk_pilot_line_plant_id_pilot_plant"
        ]
        assert {index["name"] for index in inspector.get_indexes("pilot_line")} == {"ix_pilot_line_plant_id"}
        assert [one["name"] for one in inspector.get_unique_constraints("pilot_plant")] == ["uq_pilot_plant_name"]
