"""One look asks nothing twice, and forgets everything when it is over."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import bindparam, event, select, text, update
from sqlmodel import Session

from models.db import looking, reading, transaction
from models.look import once_a_look
from models.people import Organisation
from models.reading import rows_by, table_of
from tests.factories import House

PLACE = table_of(Organisation)


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """Give the statements that reach the driver inside the block."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    event.listen(house.engine, "before_cursor_execute", note)
    yield sent
    event.remove(house.engine, "before_cursor_execute", note)


class TestALook:
    def test_sends_a_statement_once_and_gives_its_rows_each_time(self, each_house: House) -> None:
        own = each_house.parties["sme"]
        with counted(each_house) as sent, looking(each_house.engine) as session:
            found = [session.execute(select(PLACE.c.name).where(PLACE.c.id == own)).scalar_one() for _ in range(3)]
            groups = [rows_by(session, Organisation, "id", [own]) for _ in range(3)]

        assert len(sent) == 2
        assert found == [found[0]] * 3
        assert groups == [groups[0]] * 3
        assert groups[0][own][0].name == found[0]

    def test_tells_values_apart_wherever_they_stand(self, each_house: House) -> None:
        sme, platform = each_house.parties["sme"], each_house.parties["platform"]
        named = select(PLACE.c.id).where(PLACE.c.id == bindparam("one"))
        listed = select(PLACE.c.id).where(PLACE.c.id.in_(bindparam("some", expanding=True)))
        with looking(each_house.engine) as session:
            for one in (sme, platform):
                assert session.execute(select(PLACE.c.id).where(PLACE.c.id == one)).scalars().all() == [one]
                assert session.execute(named, {"one": one}).scalars().all() == [one]
                assert session.connection().execute(listed, {"some": [one]}).scalars().all() == [one]
            assert len(session.execute(listed, {"some": [sme, platform]}).all()) == 2
            assert len(session.execute(select(PLACE.c.id).limit(1)).all()) == 1
            assert len(session.execute(select(PLACE.c.id).limit(2)).all()) == 2

    def test_tells_the_values_of_written_sql_apart(self, each_house: House) -> None:
        with looking(each_house.engine) as session:
            said = text("SELECT :it AS it")
            found = [session.execute(said.bindparams(it=one)).scalar_one() for one in ("1", "2", "1")]

        assert found == ["1", "2", "1"]

    def test_forgets_what_it_saw(self, each_house: House) -> None:
        own = each_house.parties["sme"]
        named = select(PLACE.c.name).where(PLACE.c.id == own)
        with looking(each_house.engine) as session:
            before = session.execute(named).scalar_one()
        with transaction(each_house.engine) as session:
            session.execute(update(PLACE).where(PLACE.c.id == own).values(name="renamed"))
        with looking(each_house.engine) as session:
            after = session.execute(named).scalar_one()

        assert before != "renamed"
        assert after == "renamed"

    def test_keeps_nothing_of_what_is_streamed(self, each_house: House) -> None:
        with counted(each_house) as sent, looking(each_house.engine) as session:
            for _ in range(2):
                rows = session.execute(select(PLACE.c.id), execution_options={"yield_per": 1})
                assert next(iter(rows))
                rows.close()

        assert len(sent) == 2

    def test_answers_a_query_of_the_same_values_once(self, each_house: House) -> None:
        own = each_house.parties["sme"]
        asked: list[UUID] = []

        @once_a_look
        def names(session: Session, ids: Collection[UUID]) -> Mapping[UUID, str]:
            asked.extend(ids)
            return {row.id: row.name for row in session.execute(select(PLACE).where(PLACE.c.id.in_(ids)))}

        with looking(each_house.engine) as session:
            first, second = names(session, [own]), names(session, [own])
            assert names(session, []) == {}
            with pytest.raises(TypeError):
                first[own] = "renamed"  # type: ignore[index]
        assert first is second
        assert asked == [own]

        with transaction(each_house.engine) as session:
            session.execute(update(PLACE).where(PLACE.c.id == own).values(name="renamed"))
            assert names(session, [own]) == {own: "renamed"}
            session.execute(update(PLACE).where(PLACE.c.id == own).values(name="again"))
            assert names(session, [own]) == {own: "again"}

    @pytest.mark.parametrize("opened", [looking, reading])
    def test_writes_as_little_as_any_reading(self, each_house: House, opened: object) -> None:
        with pytest.raises(Exception, match=r"readonly|read-only"), opened(each_house.engine) as session:  # type: ignore[operator]
            session.execute(update(PLACE).values(name="renamed"))
