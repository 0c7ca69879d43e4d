"""Whatever a verb, a gate check or a sweep looks up is found by an index, on both databases.

PostgreSQL reads a small table whole, as it should; here it is told not to, so that the plan says what it could do.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from cli.lookup import Lookup
from flows import deadlines
from lifecycle.payouts.register import register_of
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.queries import gates, overview, project_rows
from lifecycle.requirements.queries import document, documents
from lifecycle.reviews.queries import review_in_full, reviews
from lifecycle.standards import library
from lifecycle.trials.queries import batches, issues, stop_reviews_due
from lifecycle.verdicts.simulation import simulated
from models.db import reading
from models.funds import Fund
from models.ids import new_id
from models.reading import table_of
from models.tables import metadata
from notifications.deadlines import DEADLINES
from tests import factories as make
from tests import payments as pay
from tests.factories import House
from tests.lifecycle.recipes import RECIPES

Sent = dict[str, Any]
"""Statement -> parameters of one execution."""

FEW = frozenset(
    {
        *("installation", "disbursement", "edge", "number_series", "programme", "standard_pack", "checkpoint"),
        *("announced_year", "calendar_override", "working_calendar", "webhook_endpoint"),
    }
)
"""Tables that do not grow with the projects."""
GROWING = frozenset(metadata.tables) - FEW
READ_IN_ORDER = frozenset({"app_user"})
"""PostgreSQL reads the few people of a test in the order of an index, however they are asked for; SQLite tells."""
PARTIAL = {
    index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}
"""Indexes of the few rows that are still open: these may be read from end to end."""


@contextmanager
def sent(engine: Engine) -> Iterator[Sent]:
    """Collect what is read and changed inside the block."""
    seen: Sent = {}

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "WITH")):
            seen.setdefault(statement, parameters[0] if many else parameters)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def read_whole(engine: Engine, statement: str, parameters: Any) -> list[str]:
    """Return what the plan of a statement reads from end to end, of the tables that grow."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans = [row.detail for row in rows if row.detail.startswith("SCAN ")]
            return [scan for scan in scans if scan.split()[1] in GROWING]
        for whole in ("seqscan", "mergejoin", "hashjoin"):  # these joins read a side from end to end
            connection.exec_driver_sql(f"SET LOCAL enable_{whole} = off")
        # among two rows whole and part of an index cost the same, unless a page that is not the next one is dear
        connection.exec_driver_sql("SET LOCAL random_page_cost = 4")
        plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        return list(_scans((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name")
    is_whole = kind == "Seq Scan" or (
        kind.startswith("Index") and "Index Cond" not in node and node["Index Name"] not in PARTIAL
    )
    if table in GROWING - READ_IN_ORDER and is_whole:
        yield f"{kind} on {table}: {node.get('Filter', '')}"
    for inner in node.get("Plans", ()):
        yield from _scans(inner)


def read_whole_by(engine: Engine, seen: Sent) -> dict[str, list[str]]:
    found = {statement: read_whole(engine, statement, parameters) for statement, parameters in seen.items()}
    return {statement: scans for statement, scans in found.items() if scans}


def test_an_unindexed_column_is_seen(each_house: House) -> None:
    make.a_project(each_house)

    assert read_whole(each_house.engine, "SELECT id FROM project WHERE name = 'x'", ())


OF_EVERYTHING = frozenset({"calendar.announce", "calendar.override", "webhook.replay"})
"""Rare acts of an administrator that look at all that is open, or at all that was told in a span of time."""


@pytest.mark.long
@pytest.mark.parametrize("verb", sorted(set(RECIPES) - OF_EVERYTHING))
def test_every_verb_finds_its_rows_by_index(each_house: House, verb: str) -> None:
    recipe = RECIPES[verb]
    commands = recipe.make(each_house, 3)

    with sent(each_house.engine) as seen:
        each_house.ask(commands[0], by=recipe.by)
        each_house.ask(*commands[1:], by=recipe.by)

    assert read_whole_by(each_house.engine, seen) == {}


Read: TypeAlias = Callable[[Session, House, list[UUID], UUID], Any]
"""Reads about these projects and one of their reviews."""


def _planned(days_to_plan: Any) -> Read:
    """Return the read of the days that reminders are planned for."""
    return lambda session, house, _ids, _: session.execute(days_to_plan, {"last": house.today}).all()


READS: dict[str, Read] = {
    "gate check": lambda session, house, ids, _: [facts.verdicts for facts in gates(session, ids, house.stamp())],
    "people who owe": lambda session, _house, ids, _: people_who_owe(session, ids),
    "project show": lambda session, house, ids, _: overview(session, ids[0], today=house.today),
    "evidence list": lambda session, _house, ids, _: documents(session, ids[0]),
    "evidence show": lambda session, _house, ids, _: document(session, documents(session, ids[0])[0]["id"]),
    "review list of a project": lambda session, _house, ids, _: reviews(session, ids[0]),
    "review show": lambda session, _house, _ids, review: review_in_full(session, review),
    "batch list": lambda session, _house, ids, _: batches(session, ids[0]),
    "issue list": lambda session, _house, ids, _: issues(session, ids[0]),
    "project by number": lambda session, house, _ids, _: Lookup(session, house.today).project("PT-2025-0001"),
    "organisation by name": lambda session, house, _ids, _: Lookup(session, house.today).organisation("sme"),
    "user by login": lambda session, house, _ids, _: Lookup(session, house.today).user("coordinator"),
    "review by project": lambda session, house, _ids, _: Lookup(session, house.today).review("PT-2025-0001"),
    "sweep: verdicts": lambda session, house, _ids, _: deadlines.due_verdicts(session, house.stamp()),
    "sweep: holds": lambda session, house, _ids, _: deadlines.ended_holds(session, house.stamp()),
    "sweep: limits": lambda session, house, _ids, _: deadlines.used_up_limits(session, house.stamp()),
    "stop reviews": lambda session, house, ids, _: stop_reviews_due(session, project_rows(session, ids), house.stamp()),
    **{f"reminders: {one.name}": _planned(one.days_to_plan) for one in DEADLINES},
    "what a standard would change": lambda session, house, _ids, _: simulated(
        session, make.lean(), library.bare(), house.stamp(), UTC
    ),
    "sweep: conditions": lambda session, house, _ids, _: deadlines.overdue_conditions(session, house.stamp()),
}


@pytest.mark.long
@pytest.mark.parametrize("name", READS)
def test_every_lookup_is_by_index(each_house: House, name: str) -> None:
    ids, called = make.reviews(each_house, 2)

    with sent(each_house.engine) as seen, reading(each_house.engine) as session:
        READS[name](session, each_house, ids, called[0])

    assert seen
    assert read_whole_by(each_house.engine, seen) == {}


def test_what_a_statement_may_repeat_is_not_looked_for_among_all_lines_of_its_fund(house: House) -> None:
    """SQLite has no counts of rows and would begin with the fund, if it were asked for the fund's lines alone."""
    fund_id = pay.fund_of(house, pay.accepted(house)[0])

    with sent(house.engine) as seen, reading(house.engine) as session:
        fund = session.execute(table_of(Fund).select().where(table_of(Fund).c.id == fund_id)).one()
        register_of(session, fund, [pay.booked(-1_200, bank_ref="B1")], new_id())
    with house.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", said).all() for sql, said in seen.items()]

    of_lines = {row.detail for plan in plans for row in plan if "statement_line" in row.detail}
    assert any("ix_statement_line_content_hash" in one for one in of_lines)
    assert not [one for one in of_lines if "ix_statement_line_statement_id" in one]
