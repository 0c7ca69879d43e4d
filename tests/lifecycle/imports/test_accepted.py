"""A table that comes in is recorded part by part under its key, and told from another under the same."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from lifecycle.errors import KeyReused, Stale
from lifecycle.imports.accepted import (
    PROJECTS,
    Sending,
    TableFile,
    answer_of,
    before,
    key_of_table,
    of_batches,
    of_projects,
    remembered,
    told,
    whole,
    write_down,
)
from lifecycle.imports.arrivals import Destination, Fate
from lifecycle.imports.report import SHOWN, Line, Report
from models.db import reading, transaction
from tests.factories import House

LAYOUT, FRESH = "0" * 32, UUID(int=7)
KEY = key_of_table(LAYOUT, FRESH)


def sending(house: House, name: str = "a.csv", key: str = KEY, **how: Any) -> Sending:
    """Return a sending of a table of projects."""
    into = Destination(source="p", programme_id=house.programmes["bare"], platform_id=None)
    return of_projects(key, TableFile(name=name, sha256="5" * 64, layout=LAYOUT, how={"mapping": "m", **how}), into)


def written(house: House, one: Sending, through: int = 0, by: str = "coordinator", since: int = 0) -> None:
    """Write a part down."""
    with transaction(house.engine) as session:
        write_down(session, one, {"since": since, "through": through}, house.stamp(by))


def kept(house: House, one: Sending, by: str = "coordinator") -> tuple[list[str], int]:
    """Return the ends of the keys of its parts, in their order, and the row up to which they tell."""
    own = house.people[by].user_id
    with reading(house.engine) as session:
        return [name.removeprefix(KEY) for name in before(session, own, one)], told(session, own, one)


class TestParts:
    def test_are_those_of_one_key_and_account_in_their_order(self, each_house: House) -> None:
        house, one = each_house, sending(each_house)
        for since, through in pairwise((0, 401, 801, 850)):
            written(house, one, through, since=since)
        written(house, one, 9, by="second")
        written(house, replace(one, command_id=f"{KEY}0", verb="project.register"))

        assert kept(house, one) == (["", ":000001", ":000002"], 850)
        assert kept(house, one, "second") == ([""], 9)
        assert kept(house, one, "operator") == ([], 0)

    def test_are_added_up_without_what_a_client_put_beside_them(self, each_house: House) -> None:
        house, own = each_house, each_house.people["coordinator"].user_id
        for lines in (range(150), range(150, 150 + SHOWN)):
            report = Report(fates=Counter({Fate.NEW: len(lines), Fate.WRONG: 1}))
            report.totals["经费", "CNY"] = 100
            report.lines[Fate.NEW] = [Line(row=one, fate=Fate.NEW, key=f"A-{one}", name="n") for one in lines]
            with transaction(house.engine) as session:
                write_down(session, sending(house), answer_of(report), house.stamp("coordinator"))
        written(house, replace(sending(house), command_id=f"{KEY}:000007", verb="project.register"))

        with reading(house.engine) as session:
            found = whole(session, KEY, {"by": str(own)})

        assert {name: found["rows"][name] for name in ("new", "wrong", "skipped")} == {
            "new": 150 + SHOWN, "wrong": 2, "skipped": 0,
        }  # fmt: skip
        assert found["totals"] == [("经费", "CNY", 200)]
        assert [key for _, key, *_ in found["projects"]] == [f"A-{one}" for one in range(SHOWN)]

    @pytest.mark.parametrize("since", [0, 400])
    def test_begin_behind_what_was_told_of(self, each_house: House, since: int) -> None:
        house, one = each_house, sending(each_house)
        written(house, one, 401)

        with pytest.raises(Stale):
            written(house, one, 801, since=since)
        assert kept(house, one) == ([""], 401)

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
        assert kept(house, sending(house)) == ([""], 401)


class TestRemembered:
    def test_is_how_the_last_table_was_read_and_what_no_client_can_send(self, each_house: House) -> None:
        house, own = each_house, each_house.people["coordinator"].user_id
        written(house, sending(house, note="first"), 401)
        written(house, sending(house, note="first"), 801, since=401)
        later = key_of_table(LAYOUT, UUID(int=8))
        written(house, replace(sending(house, note="no table", key=later), verb="project.register"))

        with reading(house.engine) as session:
            assert remembered(session, own, LAYOUT) == {"mapping": "m", "note": "first"}
            assert remembered(session, house.people["second"].user_id, LAYOUT) == {"mapping": "m", "note": "first"}
            assert remembered(session, own, "1" * 32) is None
        assert house.one("SELECT count(*) FROM command_record WHERE verb = :verb", verb=PROJECTS) == 2
