"""Reminders: plan what is to come, then tell what is due. Asleep or run twice, nothing is lost and nothing doubled."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from lifecycle.commands import Stamp
from models.db import run_in_transaction
from notifications.reminders import Outcome, decide, plan


def remind(engine: Engine, stamp: Stamp, zone: ZoneInfo) -> Outcome:
    """Plan and decide; return how many rungs are new, how many were told to how many people, and why others were not.

    `zone` is the installation's: a rung falls due at nine in the morning there.
    """
    planned = run_in_transaction(engine, lambda session: plan(session, stamp, zone))
    decided = run_in_transaction(engine, lambda session: decide(session, stamp))
    return replace(decided, planned=planned)
