"""The clock of a demonstration: it stands, and walks while somebody serves it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flows import walking as walk_module
from flows.walking import Walk, next_quarter, walking
from flows.workplace import opened
from models.db import transaction
from models.installation import Installation
from models.reading import table_of
from models.settings import Settings
from tests.factories import House
from tests.trees import until

TEN = datetime(2025, 11, 21, 2, 1, 7, tzinfo=UTC)


def put(house: House, at: datetime | None) -> None:
    with transaction(house.engine) as session:
        session.execute(update(table_of(Installation)).values(clock_at=at))


def stands(house: House) -> Any:
    with house.engine.connect() as connection:
        return connection.execute(table_of(Installation).select()).one().clock_at


def settings_of(house: House, **values: Any) -> Settings:
    address = house.engine.url.render_as_string(hide_password=False)
    return Settings(db=address, **values)


@pytest.fixture
def played(each_house: House) -> House:
    put(each_house, TEN)
    return each_house


class TestAQuarter:
    @pytest.mark.parametrize(
        ("at", "then"), [("02:00:00", "02:15"), ("02:14:59", "02:15"), ("02:45:00", "03:00"), ("23:59:59", "00:00")]
    )
    def test_is_the_next_one_on_any_clock(self, at: str, then: str) -> None:
        found = next_quarter(datetime.fromisoformat(f"2028-02-28T{at}+00:00"))
        assert f"{found:%d %H:%M}" == f"{'29' if then == '00:00' else '28'} {then}"


class TestWalking:
    def test_begins_with_the_next_quarter_and_stands_where_it_ends(
        self, played: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walk_module, "STEP_SECONDS", 0.01)
        quarter = datetime(2025, 11, 21, 2, 15, tzinfo=UTC)
        with walking(settings_of(played)):
            until(lambda: stands(played) > quarter, seconds=30)
        last = stands(played)
        assert quarter < last < quarter + timedelta(minutes=1)
        with opened(settings_of(played)) as work:
            assert (work.stamp.now, work.is_played) == (last, True)

    def test_moves_by_what_passed_and_goes_on_from_where_somebody_moved_it(self, played: House) -> None:
        walk = Walk(engine=played.engine, at=TEN, moment=100.0)
        walk.step(107.5)
        assert stands(played) == TEN + timedelta(seconds=7.5)
        put(played, TEN + timedelta(days=30))
        walk.step(112.5)
        assert stands(played) == TEN + timedelta(days=30)
        walk.step(113.5)
        assert stands(played) == TEN + timedelta(days=30, seconds=1)

    def test_is_not_doubled_by_a_second_one(self, played: House) -> None:
        one, other = (Walk(engine=played.engine, at=TEN, moment=0.0) for _ in range(2))
        for moment in range(1, 61):
            one.step(float(moment))
            other.step(moment + 0.5)
        assert stands(played) == TEN + timedelta(seconds=60)

    def test_leaves_a_clock_alone_that_is_not_the_database_s_own(self, house: House, tmp_path: Path) -> None:
        with walking(settings_of(house)):
            assert stands(house) is None
        put(house, TEN)
        with walking(settings_of(house, clock="2026-03-02T01:00:00Z")):
            assert stands(house) == TEN
