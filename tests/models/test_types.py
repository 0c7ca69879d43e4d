"""Columns hold what they promise on both databases."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, MetaData, Numeric, Table, create_engine, insert, select, text  # noqa: TID251
from sqlalchemy.exc import CompileError, DBAPIError, StatementError

from models.db import make_engine, transaction
from models.money import MAX_MINOR
from models.types import Day, Id, JSONText, UTCDateTime, canonical_json, minor_column, state_column, utc_text


class Colour(StrEnum):
    RED = "red"
    DEEP_BLUE = "deep_blue"


def a_table() -> Table:
    return Table(
        "thing",
        MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"}),
        Column("id", Id, primary_key=True),
        Column("at", UTCDateTime),
        Column("on", Day),
        Column("facts", JSONText),
        state_column(Colour, name="colour", nullable=True),
        state_column(Colour, name="was", nullable=True),
        minor_column(name="amount_minor", nullable=True),
    )


@pytest.fixture
def things(empty_url: str) -> Iterator[tuple[Engine, Table]]:
    engine, table = make_engine(empty_url), a_table()
    table.metadata.create_all(engine)
    yield engine, table
    engine.dispose()


def stored(things: tuple[Engine, Table], **values: Any) -> dict[str, Any]:
    engine, table = things
    key = uuid.UUID("01912c68-1111-7222-8333-444455556666")
    with transaction(engine) as session:
        session.execute(insert(table).values(id=key, **values))
        return dict(session.execute(select(table)).mappings().one())


def raw(things: tuple[Engine, Table], column: str) -> Any:
    with transaction(things[0]) as session:
        return session.execute(text(f'SELECT "{column}" FROM thing')).scalar_one()


class TestUTCDateTime:
    def test_returns_the_same_instant_in_utc(self, things: tuple[Engine, Table]) -> None:
        in_shanghai = datetime(2025, 7, 8, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))

        found = stored(things, at=in_shanghai)["at"]

        assert found == in_shanghai
        assert found.tzinfo is UTC

    def test_refuses_a_naive_datetime(self, things: tuple[Engine, Table]) -> None:
        with pytest.raises(StatementError, match="no place in time"):
            stored(things, at=datetime(2025, 7, 8))  # noqa: DTZ001 - naive on purpose

    def test_refuses_text_and_plain_days(self, things: tuple[Engine, Table]) -> None:
        for wrong in ("2025-07-08T01:00:00Z", date(2025, 7, 8)):
            with pytest.raises(StatementError, match="expected an aware datetime"):
                stored(things, at=wrong)

    @given(st.datetimes(timezones=st.timezones()))
    def test_its_text_is_27_characters_and_sorts_as_time_does(self, instant: datetime) -> None:
        try:
            later = instant.astimezone(UTC) + timedelta(microseconds=1)
        except OverflowError:
            return  # the last microsecond that Python knows

        assert len(utc_text(instant)) == 27
        assert utc_text(instant) < utc_text(later)
        assert datetime.fromisoformat(utc_text(instant)) == instant.astimezone(UTC)


class TestDay:
    def test_returns_the_day(self, things: tuple[Engine, Table]) -> None:
        assert stored(things, on=date(2026, 2, 28))["on"] == date(2026, 2, 28)

    def test_refuses_an_instant_because_its_day_depends_on_the_place(self, things: tuple[Engine, Table]) -> None:
        with pytest.raises(StatementError, match="expected a date"):
            stored(things, on=datetime(2026, 2, 28, tzinfo=UTC))


class TestId:
    def test_returns_a_uuid(self, things: tuple[Engine, Table]) -> None:
        assert stored(things)["id"] == uuid.UUID("01912c68-1111-7222-8333-444455556666")
        assert str(raw(things, "id")) == "01912c68-1111-7222-8333-444455556666"

    def test_refuses_text(self, things: tuple[Engine, Table]) -> None:
        engine, table = things
        with pytest.raises(StatementError, match="expected a UUID"), transaction(engine) as session:
            session.execute(select(table).where(table.c.id == "01912C68-1111-7222-8333-444455556666"))


class TestJSONText:
    def test_returns_what_was_stored(self, things: tuple[Engine, Table]) -> None:
        facts = {"yield": {"good": 49, "made": 50}, "说明": ["过热", None, True]}

        assert stored(things, facts=facts)["facts"] == facts

    def test_keeps_none_as_null_of_the_database(self, things: tuple[Engine, Table]) -> None:
        assert stored(things, facts=None)["facts"] is None
        assert raw(things, "facts") is None

    def test_refuses_what_is_no_number_in_json(self, things: tuple[Engine, Table]) -> None:
        with pytest.raises(StatementError, match="JSON compliant"):
            stored(things, facts={"ppk": float("nan")})

    def test_its_text_does_not_depend_on_the_order_of_keys(self) -> None:
        assert canonical_json({"b": 1, "a": "中"}) == canonical_json({"a": "中", "b": 1}) == '{"a":"中","b":1}'


class TestStateColumn:
    def test_returns_the_member_and_stores_its_value(self, things: tuple[Engine, Table]) -> None:
        assert stored(things, colour=Colour.DEEP_BLUE)["colour"] is Colour.DEEP_BLUE
        assert raw(things, "colour") == "deep_blue"

    def test_refuses_an_unknown_word_in_python(self, things: tuple[Engine, Table]) -> None:
        with pytest.raises(StatementError, match="not a valid Colour"):
            stored(things, colour="green")

    @pytest.mark.parametrize("column", ["colour", "was"])
    def test_the_database_refuses_an_unknown_word_in_each_column(
        self, things: tuple[Engine, Table], column: str
    ) -> None:
        stored(things)

        with pytest.raises(DBAPIError, match=f"ck_thing_{column}_known"), transaction(things[0]) as session:
            session.execute(text(f"UPDATE thing SET {column} = 'green'"))


class TestMinorColumn:
    @pytest.mark.parametrize("amount", [1, MAX_MINOR])
    def test_takes_its_bounds(self, things: tuple[Engine, Table], amount: int) -> None:
        assert stored(things, amount_minor=amount)["amount_minor"] == amount

    @pytest.mark.parametrize("amount", [0, -1, MAX_MINOR + 1])
    def test_the_database_refuses_one_beyond(self, things: tuple[Engine, Table], amount: int) -> None:
        with pytest.raises(DBAPIError, match="ck_thing_amount_minor_bounds"):
            stored(things, amount_minor=amount)

    def test_the_database_refuses_text(self, things: tuple[Engine, Table]) -> None:
        stored(things)

        with pytest.raises(DBAPIError), transaction(things[0]) as session:
            session.execute(text("UPDATE thing SET amount_minor = 'a lot'"))


class TestStrictSQLite:
    @pytest.fixture
    def file(self, sqlite_engine: Engine) -> Engine:
        a_table().metadata.create_all(sqlite_engine)
        return sqlite_engine

    def test_every_table_is_strict_those_of_migrations_too(self, file: Engine) -> None:
        with transaction(file) as session:
            tables = session.execute(
                text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
            ).all()

        mine = {name: strict for name, strict in tables if not name.startswith("sqlite_")}
        assert {"thing", "alembic_version"} <= set(mine)
        assert set(mine.values()) == {1}

    def test_refuses_decimal_columns_because_sqlite_keeps_them_as_floats(self, file: Engine) -> None:
        with pytest.raises(CompileError, match="no exact form"):
            Table("money", MetaData(), Column("amount", Numeric(18, 2))).create(file)

    def test_leaves_other_databases_of_the_process_as_they_are(self) -> None:
        other = create_engine("sqlite://")
        a_plain_table = Table("plain", MetaData(), Column("amount", Numeric(18, 2)))

        a_plain_table.create(other)

        with other.connect() as connection:
            sql = connection.execute(text("SELECT sql FROM sqlite_master")).scalar_one()
        other.dispose()
        assert "NUMERIC(18, 2)" in sql
        assert "STRICT" not in sql

    def test_text_of_an_id_is_36_lower_case_characters(self, file: Engine) -> None:
        with transaction(file) as session:
            session.execute(insert(a_table()).values(id=UUID("01912C68-1111-7222-8333-44445555ABCD")))
            assert session.execute(text("SELECT id FROM thing")).scalar_one() == "01912c68-1111-7222-8333-44445555abcd"

    def test_text_of_an_instant_is_that_of_the_contract(self, file: Engine) -> None:
        with transaction(file) as session:
            session.execute(insert(a_table()).values(id=uuid.UUID(int=1), at=datetime(2025, 7, 8, 1, tzinfo=UTC)))
            assert session.execute(text("SELECT at FROM thing")).scalar_one() == "2025-07-08T01:00:00.000000Z"
