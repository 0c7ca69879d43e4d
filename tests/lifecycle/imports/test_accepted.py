"""A table that comes in is recorded part by part under its key, and told from another under the same."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from lifecycle.errors import KeyReused
from lifecycle.imports.accepted import (
    PROJECTS,
    Sending,
    TableFile,
    key_of_table,
    of_batches,
    of_projects,
    parts,
    remembered,
    told,
    write_down,
)
from lifecycle.imports.arrivals import Destination
from models.db import reading, transaction
from tests.factories import House

LAYOUT, FRESH = "0" * 32, UUID(int=7)
KEY = key_of_table(LAYOUT, FRESH)


def sending(house: House, name: str = "a.csv", key: str = KEY, **how: Any) -> Sending:
    """Return a sending of a table of projects."""
    into = Destination(source="p", programme_id=house.programmes["bare"], platform_id=None)
    return of_projects(key, TableFile(name=name, sha256="5" * 64, layout=LAYOUT, how={"mapping": "m", **how}), into)


def written(house: House, one: Sending, through: int = 0, by: str = "coordinator") -> None:
    """Write a part down."""
    with transaction(house.engine) as session:
        write_down(session, one, {"through": through}, house.stamp(by))


def kept(house: House, by: str = "coordinator", key: str = KEY) -> list[tuple[str, Mapping[str, Any]]]:
    """Return key and answer of each part, in their order."""
    with reading(house.engine) as session:
        return [(row.command_id, row.answer) for row in parts(session, house.people[by].user_id, key)]


class TestParts:
    def test_are_those_of_one_key_and_account_in_their_order(self, each_house: House) -> None:
        house, one = each_house, sending(each_house)
        for through in (401, 801, 850):
            written(house, one, through)
        written(house, one, 9, by="second")
        beside = replace(one, command_id=f"{KEY}0", verb="project.register")
        written(house, beside)

        assert [name.removeprefix(KEY) for name, _ in kept(house)] == ["", ":000001", ":000002"]
        assert [answer["through"] for _, answer in kept(house)] == [401, 801, 850]
        assert {answer["by"] for _, answer in kept(house)} == {str(house.people["coordinator"].user_id)}
        assert [answer["through"] for _, answer in kept(house, "second")] == [9]
        with reading(house.engine) as session:
            assert told(session, house.people["coordinator"].user_id, one) == 850
            assert told(session, house.people["operator"].user_id, one) == 0

    @pytest.mark.parametrize("other", ["name", "how", "verb", "place"])
    def test_under_one_key_are_of_one_sending(self, each_house: House, other: str) -> None:
        house = each_house
        others = {
            "name": sending(house, "b.csv"),
            "how": sending(house, mapping="n"),
            "verb": replace(sending(house), verb="project.register"),
            "place": of_batches(KEY, "a.csv", "5" * 64, UUID(int=1)),
        }
        written(house, sending(house), 401)

        with pytest.raises(KeyReused):
            written(house, others[other], 801)
        with reading(house.engine) as session, pytest.raises(KeyReused):
            told(session, house.people["coordinator"].user_id, others[other])
        assert len(kept(house)) == 1


class TestRemembered:
    def test_is_how_the_last_table_was_read_and_what_no_client_can_send(self, each_house: House) -> None:
        house, own = each_house, each_house.people["coordinator"].user_id
        written(house, sending(house, note="first"), 401)
        written(house, sending(house, note="first"), 801)
        later = key_of_table(LAYOUT, UUID(int=8))
        written(house, replace(sending(house, note="no table", key=later), verb="project.register"))

        with reading(house.engine) as session:
            assert remembered(session, own, LAYOUT) == {"mapping": "m", "note": "first"}
            assert remembered(session, house.people["second"].user_id, LAYOUT) == {"mapping": "m", "note": "first"}
            assert remembered(session, own, "1" * 32) is None
        assert house.one("SELECT count(*) FROM command_record WHERE verb = :verb", verb=PROJECTS) == 2
