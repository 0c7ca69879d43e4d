"""The digests of the day and of the week, in one transaction each; run twice they are there once."""

from sqlalchemy import Engine

from lifecycle.commands import Stamp
from models.db import run_in_transaction
from models.states import Frequency
from notifications.digests import Gathered, gather
from notifications.render import Frame


def daily(engine: Engine, stamp: Stamp, frame: Frame) -> Gathered:
    """Write one mail for everybody who wants to hear once a day and has something to hear."""
    return run_in_transaction(engine, lambda session: gather(session, stamp, frame, Frequency.DAILY))


def weekly(engine: Engine, stamp: Stamp, frame: Frame) -> Gathered:
    """Write one mail for everybody who wants to hear once a week; coordinators and fund managers get their figures."""
    return run_in_transaction(engine, lambda session: gather(session, stamp, frame, Frequency.WEEKLY))
