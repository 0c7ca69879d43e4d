"""The pages that are opened most find their rows by narrow indexes, however many projects there are elsewhere."""

from collections.abc import Callable

import pytest

from models.states import Role
from tests.factories import House, projects
from tests.models.test_plans import PARTIAL, read_whole_by, sent
from tests.paying import a_paying_fund
from tests.web.browser import Browser

BROAD = ("ix_project_stage_received_on", "ix_payout_state_pay_by_on", "ix_payout_state_fund_id")
"""Indexes by stage or state: what begins with one of them reads a fifth of everything."""


@pytest.mark.parametrize(
    ("path", "login"),
    [
        ("/board", Role.COORDINATOR),
        ("/projects", Role.COORDINATOR),
        ("/projects/{project}", Role.COORDINATOR),
        ("/inbox", Role.COORDINATOR),
        ("/payouts", Role.FUND_MANAGER),
        ("/payouts/{payout}", Role.FUND_MANAGER),
        ("/funds/{fund}", Role.FUND_MANAGER),
    ],
)
def test_a_page_reads_what_it_shows_and_not_everything(
    house: House, signed_in: Callable[..., Browser], path: str, login: str
) -> None:
    a_paying_fund(house).requested()
    projects(house, pack="default")
    refs = {name: house.rows(f"SELECT {column} FROM {name}")[0][0] for name, column in _REFS.items()}
    visitor = signed_in(login)

    with sent(house.engine) as seen:
        assert visitor.open(path.format(**refs)).status == 200

    scans = [scan for found in read_whole_by(house.engine, seen).values() for scan in found]
    assert [scan for scan in scans if not PARTIAL & set(scan.split())] == []
    with house.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", said).all() for sql, said in seen.items()]
    assert [row.detail for plan in plans for row in plan if any(name in row.detail for name in BROAD)] == []


_REFS = {"project": "number", "payout": "number", "fund": "code"}
