"""Lists of people, organisations and platforms go on where the page before ended, whoever has the same name."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlmodel import Session

from lifecycle.people.commands import AddOrganisation
from lifecycle.people.queries import organisations, users
from lifecycle.reports.platforms import platforms
from models.db import looking
from models.states import OrganisationKind
from tests.factories import House, key, projects

NAMES = ("乙平台", "甲平台", "甲平台", "甲平台", "丙平台")


def pages(house: House, read: Callable[[Session, Any], list[Any]], last: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """Yield one page after the other, as a reader opens them."""
    after = None
    while True:
        with looking(house.engine) as session:
            found = read(session, after)
        if not found:
            return
        yield found
        after = last(found[-1])


def named(house: House) -> None:
    house.do(
        *(AddOrganisation(command_id=key(), name=name, kind=OrganisationKind.PLATFORM) for name in NAMES),
        by="clock",
    )


def whole(house: House, read: Callable[[Session], list[Any]]) -> list[Any]:
    with looking(house.engine) as session:
        return read(session)


def test_organisations_are_all_listed_once(each_house: House) -> None:
    named(each_house)

    told = list(pages(each_house, lambda s, after: organisations(s, after=after, limit=2), lambda row: row["id"]))

    assert [row for page in told for row in page] == whole(each_house, organisations)
    assert {len(page) for page in told[:-1]} == {2}


def test_organisations_are_found_by_part_of_a_name_taken_as_it_is(each_house: House) -> None:
    named(each_house)

    assert len(whole(each_house, lambda s: organisations(s, text="甲平"))) == 3
    assert whole(each_house, lambda s: organisations(s, text="%甲")) == []


def test_platforms_are_all_listed_once_with_what_they_carry(each_house: House) -> None:
    named(each_house)
    projects(each_house, 2)

    told = list(pages(each_house, lambda s, after: platforms(s, after=after, limit=2), lambda one: one.id))
    every = whole(each_house, platforms)

    assert [one for page in told for one in page] == every
    assert sum(one.living for one in every) == 2
    (one,) = (one for one in every if one.living)
    assert whole(each_house, lambda s: platforms(s, only=one.id)) == [one]


def test_accounts_are_all_listed_once_with_their_roles(each_house: House) -> None:
    told = list(pages(each_house, lambda s, after: users(s, after=after or "", limit=7), lambda row: row["login"]))

    assert [row for page in told for row in page] == whole(each_house, users)
    assert any(row["roles"] for page in told for row in page)


def test_accounts_are_found_by_a_role_that_they_hold_and_by_part_of_a_name(each_house: House) -> None:
    every = whole(each_house, users)

    assert whole(each_house, lambda s: users(s, role="payer")) == [one for one in every if "payer" in one["roles"]]
    assert whole(each_house, lambda s: users(s, role="no such role")) == []
    assert "coordinator" in {one["login"] for one in whole(each_house, lambda s: users(s, text="COORD"))}
