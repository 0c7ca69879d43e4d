"""The board reads the first rows of an index where there are many, and shows the same as where there are few."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, true, update

from lifecycle.projects.board import Counts, columns, counts, due
from lifecycle.projects.commands import Withdraw
from lifecycle.projects.queries import Card, Wanted
from models.db import reading, transaction
from models.projects import Project, StageRun
from models.reading import table_of
from models.states import ProjectState, Role
from tests.factories import House, key, projects
from tests.models.test_plans import Sent, sent

INTAKE, FEASIBILITY = ProjectState.INTAKE, ProjectState.FEASIBILITY
BY_DAY = "ix_stage_run_stage_due_on_project_id"


@pytest.fixture
def standing(each_house: House) -> list[UUID]:
    """Give four projects in intake: of yesterday, of tomorrow, without a day, of yesterday too."""
    made = projects(each_house, 4)
    run = table_of(StageRun)
    with transaction(each_house.engine) as session:
        for project_id, days in zip(made, (-1, 1, None, -1), strict=True):
            due = None if days is None else each_house.today + timedelta(days=days)
            session.execute(update(run).where(run.c.project_id == project_id).values(due_on=due))
    return made


def everything(_house: House | None = None) -> Wanted:
    return Wanted(reach=true())


def own(house: House) -> Wanted:
    return Wanted(reach=table_of(Project).c.platform_id == house.parties["platform"])


def shown(house: House, wanted: Wanted, limit: int = 20, **more: Any) -> tuple[Counts, dict[str, list[UUID]]]:
    with reading(house.engine) as session:
        found = counts(session, wanted, today=house.today, **more)
        cards = columns(session, wanted, found, today=house.today, limit=limit)
    return found, {str(stage): [card.id for card in column] for stage, column in cards.items() if column}


class TestTheColumns:
    def test_show_what_is_due_soonest_first_and_what_has_no_day_last(
        self, each_house: House, standing: list[UUID]
    ) -> None:
        first, second, third, fourth = standing

        assert shown(each_house, own(each_house))[1] == {"intake": [first, fourth, second, third]}

    @pytest.mark.parametrize(
        "asked",
        [
            *({}, {"is_overdue": True}, {"text": "ROBOT"}, {"text": "nothing like it"}),
            *({"owed_by": "sme"}, {"ever": FEASIBILITY}, {"is_decided": True}, {"standard": "bare", "ever": INTAKE}),
            *({"standard": "none"}, {"received_since": date(2025, 7, 1), "received_before": date(2025, 8, 1)}),
        ],
    )
    def test_are_the_same_for_who_sees_few_and_for_who_sees_many(
        self, each_house: House, standing: list[UUID], asked: dict[str, Any]
    ) -> None:
        projects(each_house, 2, stage=FEASIBILITY)
        each_house.do(Withdraw(command_id=key(), project_id=standing[0], reason="no money"), by=Role.PROJECT_LEAD)
        of_few = Wanted(reach=own(each_house).reach, **asked)

        few, many = shown(each_house, of_few), shown(each_house, Wanted(reach=true(), **asked))

        assert (few[0].is_of_many, many[0].is_of_many) == (False, True)
        assert few[1] == many[1]
        assert _told(few[0]) == _told(many[0])

    def test_are_the_same_for_whose_own_turn_out_to_be_many(self, each_house: House, standing: list[UUID]) -> None:
        found, cards = shown(each_house, own(each_house), most=3)

        assert (found.is_of_many, found.by_stage[INTAKE]) == (True, 3)
        assert cards == shown(each_house, own(each_house))[1]

    def test_are_read_from_the_first_rows_of_an_index(self, each_house: House, standing: list[UUID]) -> None:
        with sent(each_house.engine) as seen:
            _, cards = shown(each_house, everything(), limit=3)

        assert len(cards["intake"]) == 3
        (plan,) = plans(each_house.engine, {sql: said for sql, said in seen.items() if "nulls last" in sql.lower()})
        assert BY_DAY in plan
        assert not [line for line in plan.lower().splitlines() if "sort" in line or "temp b-tree" in line]


class TestTheCalendarOfDueDays:
    def test_goes_on_behind_each_of_them_for_who_sees_few_and_for_who_sees_many(
        self, each_house: House, standing: list[UUID]
    ) -> None:
        first, second, _, fourth = standing

        walks = {reach.is_of_many: found for reach, found in (walked(each_house, one) for one in (own, everything))}

        assert walks == {False: [first, fourth, second], True: [first, fourth, second]}

    def test_has_only_the_days_that_are_asked_for(self, each_house: House, standing: list[UUID]) -> None:
        today, tomorrow = each_house.today, each_house.today + timedelta(days=1)

        for wanted in (everything(), own(each_house)):
            assert listed(each_house, replace(wanted, due_since=today, due_before=tomorrow))[1] == []
            later = replace(wanted, due_since=each_house.today)
            counted, found = listed(each_house, later)
            assert [card.id for card in found] == [standing[1]]
            assert counted.by_stage[INTAKE] == 1

    def test_is_read_from_the_first_rows_of_an_index(self, each_house: House, standing: list[UUID]) -> None:
        with sent(each_house.engine) as seen:
            listed(each_house, replace(everything(), due_since=each_house.today - timedelta(days=9)), limit=3)

        (plan,) = plans(each_house.engine, {sql: said for sql, said in seen.items() if "nulls last" in sql.lower()})
        assert BY_DAY in plan
        assert not [line for line in plan.lower().splitlines() if "sort" in line or "temp b-tree" in line]


def listed(house: House, wanted: Wanted, limit: int = 20, after: str = "") -> tuple[Counts, list[Card]]:
    with reading(house.engine) as session:
        found = counts(session, wanted, today=house.today)
        return found, due(session, wanted, found, today=house.today, limit=limit, after=after)


def walked(house: House, reach: Callable[[House], Wanted]) -> tuple[Counts, list[UUID]]:
    """Return the projects with a day, read one by one, each behind the last."""
    found: list[UUID] = []
    after = ""
    while True:
        counted, cards = listed(house, reach(house), limit=1, after=after)
        if not cards:
            return counted, found
        found.append(cards[0].id)
        after = cards[0].number


class TestTheCounts:
    def test_go_no_further_than_is_asked(self, each_house: House, standing: list[UUID]) -> None:
        found, _ = shown(each_house, everything(), most=3)

        assert (found.by_stage[INTAKE], found.all_late) == (3, 2)

    def test_of_the_ended_are_among_them(self, each_house: House, standing: list[UUID]) -> None:
        each_house.do(Withdraw(command_id=key(), project_id=standing[0], reason="no money"), by=Role.PROJECT_LEAD)

        for wanted in (everything(), own(each_house)):
            found, _ = shown(each_house, wanted)
            assert (found.by_stage[ProjectState.WITHDRAWN], found.by_stage[INTAKE], found.all_late) == (1, 3, 1)


def _told(found: Counts) -> tuple[dict[ProjectState, int], int]:
    return {state: count for state, count in found.by_stage.items() if count}, found.all_late


def plans(engine: Engine, seen: Sent) -> list[str]:
    """Return the plan of each statement in words, as it would be if there were many rows."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            explained = "EXPLAIN QUERY PLAN"
        else:
            explained = "EXPLAIN"
            for whole in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                connection.exec_driver_sql(f"SET LOCAL enable_{whole} = off")
        found = [connection.exec_driver_sql(f"{explained} {sql}", said).all() for sql, said in seen.items()]
    return ["\n".join(str(row[-1]) for row in rows) for rows in found]
