"""A backup made, a backup restored."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.door import Door
from cli.errors import CannotWork
from cli.output import Column, Output
from flows.backups import ProgramMissingError, make_backup
from flows.restoring import NoBackupError, NotEmptyError, restore
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Stamp
from lifecycle.errors import Invalid, Refused, unmet
from models.clock import FixedClock, SystemClock
from models.db import make_engine
from models.settings import Settings, load_settings
from models.states import Door as DoorName

_MADE = tuple(Column(key=key) for key in ("file", "sha256", "seq", "heads_sha256", "at"))
_RESTORED = tuple(Column(key=key) for key in ("file", "epoch", "made_unknown", "heads_sha256"))


def back_up(door: Door, out: Path) -> None:
    """Write a backup with its checkpoint and say what it holds."""
    try:
        made = make_backup(door.engine, door.settings, out, now=door.now)
    except FileExistsError as error:
        raise Invalid(unmet("file_exists", file=str(error))) from error
    except ProgramMissingError as error:
        raise _missing(error) from error
    if made.checkpoint["seq"] is None:
        door.output.say("backup_unsigned")
    door.output.record(_MADE, made.document())


def restore_from(output: Output, file: Path) -> None:
    """Restore a backup into the database that is set; it must be empty."""
    settings = load_settings()
    engine = make_engine(settings.db)
    try:
        made = restore(engine, file, lambda row: _stamp(settings, row))
    except NotEmptyError as error:
        raise Refused(unmet("database_not_empty", database=str(error))) from error
    except NoBackupError as error:
        raise Invalid(unmet("no_backup", why=str(error))) from error
    except ProgramMissingError as error:
        raise _missing(error) from error
    except OSError as error:
        raise CannotWork("outside", f"{file}: {error.strerror}") from error
    finally:
        engine.dispose()
    output.record(_RESTORED, made.document())
    output.say("restored_next")


def _missing(error: ProgramMissingError) -> Refused:
    return Refused(unmet("program_missing", program=str(error)))


def _stamp(settings: Settings, row: Any) -> Stamp:
    settings.checked_mode(row.mode)
    clock = settings.make_clock()
    if isinstance(clock, SystemClock) and row.clock_at is not None:
        clock = FixedClock(row.clock_at)
    now = clock.now()
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    actor = Actor.clock(DoorName.CLI)
    return Stamp(now=now, today=today, actor=actor, calendar=china(), new_id=settings.make_ids().new)
