"""The report of the quarter that has ended, frozen once for each programme."""

from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from lifecycle.commands import Stamp
from lifecycle.reports.quarter import freeze, last_quarter
from models.db import run_in_transaction


def freeze_quarter(engine: Engine, stamp: Stamp, zone: ZoneInfo) -> list[str]:
    """Freeze the last quarter for every programme that has no report of it; return the codes of these programmes."""
    quarter = last_quarter(stamp.today)
    return run_in_transaction(engine, lambda session: freeze(session, stamp, quarter, zone))
