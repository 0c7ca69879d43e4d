"""The account without the rights of the owner: all work is done with it, and it changes no table."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models.db import make_engine
from tests.cli.conftest import Line
from tests.conftest import ROOT
from tests.factories import House
from tests.paying import a_paying_fund

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(postgres_only: House) -> Iterator[House]:
    """Give a world whose doors open with the account of `deploy/postgres-rights.sql`."""
    rights = (ROOT / "deploy/postgres-rights.sql").read_text(encoding="utf-8")
    with postgres_only.engine.begin() as owner:
        owner.exec_driver_sql(rights)
    working = make_engine(postgres_only.engine.url.set(username="pilotway_work"))
    yield replace(postgres_only, engine=working)
    working.dispose()


@pytest.fixture
def database_kind() -> str:
    """Run on PostgreSQL alone: the other database knows no accounts."""
    return "postgres"


@pytest.fixture
def postgres_only(each_house: House) -> House:
    """Give a world that the owner of the tables made."""
    return each_house


def test_pays_checks_and_lets_the_clock_work(house: House, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    a_paying_fund(house, tranches=2).approved(2)
    monkeypatch.setenv("PILOTWAY_DB", house.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PILOTWAY_CLOCK", house.now.isoformat().replace("+00:00", "Z"))
    ticked = line("tick", "--json")
    assert ticked.code == 0, ticked.err
    assert house.one("SELECT count(*) FROM payment_batch") >= 1
    assert house.one("SELECT count(*) FROM scheduled_run WHERE status = 'failed'") == 0
    checked = line("check", "--json")
    assert checked.code == 0, checked.out


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE payout",
        "TRUNCATE posting",
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_record_no_change ON audit_record",
        "CREATE TABLE beside (id integer)",
        "CREATE OR REPLACE FUNCTION public.beside() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE pilotway_work SUPERUSER",
        "SET session_replication_role = replica",
    ],
)
def test_changes_no_table_no_trigger_and_no_account(house: House, statement: str) -> None:
    with house.engine.connect() as connection, pytest.raises(ProgrammingError, match=r"must be|permission denied"):
        connection.execute(text(statement))
