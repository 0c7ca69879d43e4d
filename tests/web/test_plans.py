"""The pages that are opened most find their rows by narrow indexes, however many projects there are elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from models.db import reading
from models.states import PayoutState, Role
from notifications.feed import days_of
from tests.factories import House, projects
from tests.models.test_plans import read_whole_by, sent
from tests.paying import a_paying_fund
from tests.web.browser import Browser

BROAD = (
    *("ix_project_stage_received_on", "ix_payout_state_pay_by_on", "ix_payout_state_fund_id"),
    *("ix_milestone_state_due_on", "ix_milestone_is_retention_state", "ix_recovery_order_state_due_on"),
)
"""Indexes by stage or state: what begins with one of them reads a fifth of everything."""


PAGES = (
    ("/board", Role.COORDINATOR, 16),
    ("/projects", Role.COORDINATOR, 6),
    ("/projects/calendar", Role.COORDINATOR, 8),
    ("/projects/{project}", Role.COORDINATOR, 60),
    ("/inbox", Role.COORDINATOR, 42),
    ("/inbox", Role.FUND_MANAGER, 70),
    ("/inbox", Role.PROJECT_LEAD, 70),
    ("/inbox", Role.CERTIFIER, 63),
    ("/inbox", Role.ACCOUNTANT, 33),
    ("/inbox", Role.AUDITOR, 14),
    ("/payouts", Role.FUND_MANAGER, 46),
    ("/payouts/{payout}", Role.FUND_MANAGER, 74),
    ("/funds/{fund}", Role.FUND_MANAGER, 65),
)
"""Page, who opens it, and how many statements it may send."""
TWICE = 2
"""The rights of who looks are read before the page is, and again with it."""


@pytest.fixture
def refs(house: House) -> dict[str, str]:
    """Give how a project, a payout and a fund are named that are there with others."""
    a_paying_fund(house).requested()
    projects(house, pack="default")
    return {name: house.rows(f"SELECT {column} FROM {name}")[0][0] for name, column in _REFS.items()}


@pytest.mark.parametrize(("path", "login", "most"), PAGES)
def test_a_page_reads_what_it_shows_and_not_everything(
    house: House, signed_in: Callable[..., Browser], refs: dict[str, str], path: str, login: str, most: int
) -> None:
    visitor = signed_in(login)

    with sent(house.engine) as seen:
        assert visitor.open(path.format(**refs)).status == 200

    scans = [scan for found in read_whole_by(house.engine, seen).values() for scan in found]
    assert scans == []
    with house.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", said).all() for sql, said in seen.items()]
    assert [row.detail for plan in plans for row in plan if any(name in row.detail for name in BROAD)] == []


@pytest.mark.parametrize(("path", "login", "most"), PAGES)
def test_a_page_asks_once_what_many_verbs_need(
    house: House, signed_in: Callable[..., Browser], refs: dict[str, str], path: str, login: str, most: int
) -> None:
    visitor = signed_in(login)

    with asked_of(house) as asked:
        assert visitor.open(path.format(**refs)).status == 200

    assert len(asked) <= most
    assert max(Counter(asked).values()) <= TWICE


@contextmanager
def asked_of(house: House) -> Iterator[list[tuple[str, str]]]:
    """Give (statement, values) of each reading inside the block, as often as it is sent."""
    kept: list[tuple[str, str]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            kept.append((statement, repr(parameters)))

    event.listen(house.engine, "before_cursor_execute", note)
    yield kept
    event.remove(house.engine, "before_cursor_execute", note)


_REFS = {"project": "number", "payout": "number", "fund": "code"}


LISTS = (
    ("/projects", Role.AUDITOR),
    ("/projects/calendar", Role.AUDITOR),
    ("/projects?owed_by=sme", Role.AUDITOR),
    ("/projects?owed_by=sme", Role.COORDINATOR),
    ("/projects/calendar?owed_by=sme", Role.AUDITOR),
    ("/projects?ever=intake&standard=bare&since=2025-01", Role.AUDITOR),
    ("/projects?decided=true&ever=intake", Role.AUDITOR),
    ("/platforms", Role.AUDITOR),
    ("/payees", Role.AUDITOR),
    ("/batches", Role.AUDITOR),
    ("/batches", Role.COORDINATOR),
    ("/audit", Role.AUDITOR),
    ("/audit?by=coordinator", Role.AUDITOR),
    ("/audit?act=project.register", Role.AUDITOR),
    ("/audit?by=coordinator&act=project.register", Role.AUDITOR),
    ("/audit?since=2025-07-01&until=2025-07-08", Role.AUDITOR),
    ("/agreements", Role.AUDITOR),
    ("/recoveries", Role.AUDITOR),
    ("/payouts", Role.AUDITOR),
    ("/payouts?tab=others", Role.AUDITOR),
    ("/payouts?tab=paid", Role.AUDITOR),
    ("/payouts?tab=ended", Role.COORDINATOR),
    ("/agreements", Role.COORDINATOR),
    ("/agreements", Role.FUND_MANAGER),
    ("/delegations", Role.COORDINATOR),
    ("/delegations", Role.ADMIN),
    ("/admin/invitations", Role.COORDINATOR),
    ("/admin/invitations", Role.ADMIN),
    ("/payment-batches", Role.PAYER),
    ("/statements", Role.ACCOUNTANT),
    ("/exceptions", Role.ACCOUNTANT),
    ("/standards/bare/2026.1", Role.AUDITOR),
    ("/admin/people", Role.ADMIN),
    ("/admin/organisations", Role.ADMIN),
    ("/ops/runs", Role.OPERATOR),
    ("/ops/webhooks", Role.OPERATOR),
)


@pytest.mark.parametrize(("path", "login"), LISTS)
@pytest.mark.usefixtures("refs")
def test_a_list_reads_one_page_in_the_order_of_an_index(
    house: House, signed_in: Callable[..., Browser], path: str, login: str
) -> None:
    visitor = signed_in(login)

    with sent(house.engine) as seen:
        assert visitor.open(path).status == 200

    for sql in read_whole_by(house.engine, seen):
        with house.engine.connect() as connection:
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", seen[sql])]
        assert "LIMIT" in sql, plan
        assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_money_of_listed_projects_is_found_by_them(
    house: House, signed_in: Callable[..., Browser], refs: dict[str, str]
) -> None:
    visitor = signed_in(Role.COORDINATOR)

    with sent(house.engine) as seen:
        answer = visitor.ask("GET", "/api/v1/projects?include=money", headers={"sec-fetch-site": "none"})

    assert [one["money"][0]["waiting_minor"] > 0 for one in answer.json()["data"] if one["money"]] == [True]
    of_money = [sql for sql in seen if "sum(" in sql]
    plans = [plan for sql in of_money for plan in steps_of(house, sql, seen[sql])]
    assert len(of_money) == len(("awarded", "accepted", "waiting", "paid"))
    assert not [step for step in plans if "ix_project_platform_id" in step or step.startswith("SCAN project")]


def test_the_projects_of_a_platform_are_found_in_the_order_of_their_numbers(
    house: House, signed_in: Callable[..., Browser], refs: dict[str, str]
) -> None:
    visitor = signed_in(Role.COORDINATOR)

    with sent(house.engine) as seen:
        visitor.ask("GET", "/projects", headers={"sec-fetch-site": "none"})

    (listed,) = (sql for sql in seen if "ORDER BY project.number" in sql)
    steps = steps_of(house, listed, seen[listed])
    assert [step for step in steps if "ix_project_platform_id_number" in step]
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_payouts_are_counted_from_an_index_alone(house: House, signed_in: Callable[..., Browser], refs: Any) -> None:
    visitor = signed_in(Role.AUDITOR)

    with sent(house.engine) as seen:
        assert visitor.open("/payouts?tab=paid").status == 200

    (counting,) = (sql for sql in seen if "sum(" in sql)
    plan = [step for step in steps_of(house, counting, seen[counting]) if " payout " in step]
    assert len(plan) == len(PayoutState)
    assert [step for step in plan if "COVERING INDEX ix_payout_state" not in step] == []


def test_a_calendar_finds_deadlines_by_the_projects_of_its_owner(house: House, refs: dict[str, str]) -> None:
    owner = house.people[Role.COORDINATOR].user_id

    with sent(house.engine) as seen, reading(house.engine) as session:
        assert days_of(session, owner, house.stamp(), "en")

    assert read_whole_by(house.engine, seen) == {}
    found = {step.split(" (")[0] for sql in seen for step in steps_of(house, sql, seen[sql]) if "_on" in step}
    assert [step for step in found if "due_on" in step or "until_on" in step or "planned_on" in step] == []


def steps_of(house: House, sql: str, values: Any) -> list[str]:
    """Return what SQLite would do for a statement, step by step."""
    with house.engine.connect() as connection:
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
