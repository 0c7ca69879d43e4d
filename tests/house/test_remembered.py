"""A world that was built before is copied, and never over something that was written to or is in use."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from models.db import make_engine
from tests.conftest import copied_into
from tests.factories import House, a_project, projects
from tests.remembered import remembered

BUILT: list[int] = []


@remembered
def built(house: House, count: int) -> list[UUID]:
    BUILT.append(count)
    return projects(house, count)


@pytest.fixture
def two(sqlite_house_template: tuple[Path, House], tmp_path: Path) -> Iterator[tuple[House, House]]:
    """Give two worlds with the same beginning, of which the first has built."""
    BUILT.clear()
    first, second = (copied_into(sqlite_house_template, tmp_path / f"{name}.db") for name in "ab")
    built(first, 2)
    yield first, second
    for house in (first, second):
        house.engine.dispose()


def numbers(house: House) -> list[str]:
    return [str(row.number) for row in house.rows("SELECT number FROM v_project ORDER BY number")]


def test_a_world_is_built_once_and_goes_on_by_itself(two: tuple[House, House]) -> None:
    first, second = two
    BUILT.clear()

    ids = built(second, 2)

    assert BUILT == []
    assert {str(one) for one in ids} == {str(row.id) for row in second.rows("SELECT id FROM v_project")}
    a_project(second)
    assert (len(numbers(first)), len(numbers(second))) == (2, 3)


def test_a_world_that_was_written_to_keeps_what_was_written(two: tuple[House, House]) -> None:
    _, second = two
    a_project(second)
    with second.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE project SET name = 'mine'")
    second.engine.dispose()
    BUILT.clear()

    built(second, 2)

    assert BUILT == [2]
    assert len(numbers(second)) == 3


def test_no_world_is_copied_over_a_file_that_somebody_holds_open(two: tuple[House, House]) -> None:
    _, second = two
    BUILT.clear()
    other = make_engine(second.engine.url)
    with other.connect() as open_elsewhere:
        open_elsewhere.exec_driver_sql("SELECT 1 FROM project")
        open_elsewhere.rollback()

        built(second, 2)

        assert BUILT == [2]
    other.dispose()
    assert len(numbers(second)) == 2
