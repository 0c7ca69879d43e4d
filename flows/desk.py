"""The bank as it is set: the drop folders, who stands behind them, and how this process hands files over."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from flows.bank_channel import DropFolders
from flows.claims import worker_name
from flows.disbursement import Teller
from flows.sandbox import SandboxBank, incoming_money
from flows.workbooks import templates_in
from lifecycle.commands import Stamp
from models.db import reading
from models.ports import BankChannel
from models.settings import Settings


def folders_of(settings: Settings) -> DropFolders:
    """Return the folders that are set."""
    return DropFolders(settings.bank_out, settings.bank_in)


def channel_of(engine: Engine, settings: Settings, stamp: Stamp) -> BankChannel:
    """Return the bank that is set: the folders, or in a rehearsal somebody behind them."""
    if settings.bank == "folders":
        return folders_of(settings)
    with reading(engine) as session:
        incoming = incoming_money(session, ZoneInfo(settings.timezone))
    return SandboxBank(folders_of(settings), today=stamp.today, incoming=incoming)


def teller_of(engine: Engine, settings: Settings, stamp: Stamp) -> Teller:
    """Return how this process hands payment files over."""
    return Teller(
        bank=channel_of(engine, settings, stamp),
        holder=settings.worker or worker_name(),
        takes=settings.bank_take if settings.bank == "folders" else "keep",
        answer_hours=settings.bank_answer_hours,
        lease=timedelta(seconds=settings.lease_seconds),
        templates=templates_in(settings.bank_templates),
    )
