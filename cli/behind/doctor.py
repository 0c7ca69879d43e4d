"""What stands behind `doctor`: one look for each thing that must be in order, what is wrong about it, what to do.

Reads only, and sends nothing: a mail server is greeted, a Prefect server is asked for its health.
"""

import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session

from cli.behind.first_steps import address, installed
from cli.behind.ways import Way, ways
from cli.errors import problem_of
from cli.output import Output
from flows.clock import Clockwork
from flows.outbox import TRIES
from flows.soundness import public_keys
from flows.workbooks import templates_in
from flows.workplace import opened
from lifecycle.audit.keys import key_id, read_private_key
from lifecycle.errors import Invalid, unmet
from lifecycle.schedules.queries import PATIENCE, is_late, newest_slots
from models.clock import SystemClock
from models.db import db_now, is_sqlite, reading
from models.deliveries import Delivery, DeliveryAttempt
from models.evidence import Evidence
from models.file_store import EvidenceFiles
from models.installation import Installation
from models.journal import AuditRecord, OutboxMessage
from models.readiness import head_revision
from models.reading import table_of
from models.runs import ScheduledRun
from models.settings import Settings, load_settings
from models.states import DeliveryStatus, SlotStatus
from notifications.channels import EmailChannel
from notifications.words import sentence, title

PINS: Mapping[str, tuple[str, str]] = {
    "prefect": ("3.8.8", "3.8.9"),
    "fastapi": ("0.139", "0.151"),
    "sqlalchemy": ("2.0.58", "2.1"),
}
"""Package -> the first version that works and the first that does not (docs/decisions/0003-pinned-versions.md)."""
MOST_DRIFT = timedelta(seconds=5)
"""Between the machine and the database: leases last a minute."""
LEAST_FREE = 1 << 30
"""Bytes: a disk with less is soon full."""
MOST_TRIES = 4
"""A message that was tried so often has not been taken for more than half an hour."""
SETTLING_IN = timedelta(days=1)
"""A new installation may do without a clock for so long."""
NEXT_YEAR_FROM = (12, 15)
"""Month and day from which the next year's working days should be announced; they are published in November."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What a look is given."""

    settings: Settings
    output: Output
    work: Clockwork
    session: Session

    def says(self, code: str, **values: Any) -> str:
        """Return a healthy line in the person's language."""
        return sentence(code, values, self.output.lang)

    @property
    def is_played(self) -> bool:
        """Say whether time is played here: then nobody waits for a clock."""
        return self.work.is_played


class Pending(str):
    """A line about what is neither in order nor wrong: `unset`, or `unchecked` so far."""

    __slots__ = ("why",)
    why: str

    def __new__(cls, why: str, said: str) -> Self:
        """Return a line with why it is pending."""
        line = super().__new__(cls, said)
        line.why = why
        return line


def look_around(output: Output) -> Iterator[dict[str, Any]]:
    """Yield one line for each thing that must be in order, with what is wrong about it and what to do.

    `pending` says `unset` or `unchecked` where nothing is wrong and nothing in order either, else nothing.
    What only the database can say is left out where the database cannot be asked: that has a line of its own.
    """
    for name, look in _ALONE.items():
        yield _line(name, partial(look, output), output)
    with ExitStack() as stack:
        try:
            work = stack.enter_context(opened(load_settings()))
            session = stack.enter_context(reading(work.engine))
        except Exception:  # noqa: BLE001 - the line of the database says why
            return
        patient = Patient(settings=work.settings, output=output, work=work, session=session)
        for name, asked in _IN_THE_DATABASE.items():
            yield _line(name, partial(asked, patient), output)


def _line(name: str, look: Callable[[], str], output: Output) -> dict[str, Any]:
    try:
        said = look()
        pending = said.why if isinstance(said, Pending) else ""
        return {"name": name, "ok": True, "pending": pending, "detail": str(said), "remedy": ""}
    except Exception as error:  # noqa: BLE001 - a doctor names every illness
        problem = problem_of(error, output)
        remedy = title("remedy", problem.code, output.lang)
        said_of_it = "" if remedy == problem.code else remedy
        return {"name": name, "ok": False, "pending": "", "detail": problem.detail, "remedy": said_of_it}


def _python(_: Output) -> str:
    return f"{sys.version.split()[0]} · {Path(sys.prefix).name}"


def _versions(_: Output) -> str:
    return fitting({name: installed(name) for name in PINS})


def fitting(found: Mapping[str, str | None]) -> str:
    """Return the versions that are installed; `Invalid` names those that do not work together."""
    wrong = [f"{name} {found[name]}" for name, (first, end) in PINS.items() if not _is_within(found[name], first, end)]
    if wrong:
        raise Invalid(
            unmet("versions_wrong", found=wrong, wanted=[f"{name} >={a},<{b}" for name, (a, b) in PINS.items()])
        )
    return " · ".join(f"{name} {version}" for name, version in found.items())


def _is_within(version: str | None, first: str, end: str) -> bool:
    return version is not None and _numbers(first) <= _numbers(version) < _numbers(end)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _settings(output: Output) -> str:
    settings = load_settings()
    clock, ids = (title("setting", one, output.lang) for one in (settings.clock, settings.ids))
    return sentence("settings_read", {"zone": settings.timezone, "clock": clock, "ids": ids}, output.lang)


def _database(output: Output) -> str:
    with opened(load_settings()) as work, reading(work.engine) as session:
        mode = session.execute(select(table_of(Installation).c.mode)).scalar_one()
        return f"{address(work.engine)} · {title('setting', mode, output.lang)} · {head_revision()}"


def _keys(output: Output) -> str:
    """Return which keys are there: each can be read, by nobody else, and those of checkpoints belong together."""
    settings = load_settings()
    named = (settings.checkpoint_key, settings.secret_file, settings.tls_key)
    secrets = [path for path in named if path is not None]
    for path in secrets:
        if path.stat().st_mode & (S_IRWXG | S_IRWXO):
            raise Invalid(unmet("key_open_to_others", file=str(path)))
    if settings.checkpoint_key is None:
        return Pending("unset", sentence("no_checkpoint_key", {}, output.lang))
    ours = key_id(read_private_key(settings.checkpoint_key.read_bytes()).public_key())
    if settings.checkpoint_public_key is not None and ours not in public_keys(settings):
        raise Invalid(unmet("keys_differ", file=str(settings.checkpoint_public_key), key=ours))
    return " · ".join(map(str, secrets))


def _bank_templates(_: Output) -> str:
    return ", ".join(templates_in(load_settings().bank_templates)) or "-"


def _mail(output: Output) -> str:
    url = load_settings().smtp_url
    if url is None:
        return Pending("unset", sentence("mail_to_stderr", {}, output.lang))
    try:
        return EmailChannel(url=url).greeted()
    except Exception as error:
        raise Invalid(unmet("mail_unreachable", detail=str(error))) from error


def _disk(output: Output) -> str:
    settings = load_settings()
    database = make_path(settings.db)
    places = {
        "database": database and database.parent,
        "evidence": Path(settings.evidence_place()) if "://" not in settings.evidence_place() else None,
        "checkpoints": settings.checkpoint_place(),
        "backups": settings.backup_dir,
    }
    named = {title("place", name, output.lang): place for name, place in places.items() if place is not None}
    return room(named, least=LEAST_FREE)


def make_path(database: str) -> Path | None:
    """Return the file of an SQLite database; None where a server keeps it."""
    scheme, _, rest = database.rpartition("://")
    return Path(rest.removeprefix("/") if scheme else rest).absolute() if scheme in ("", "sqlite") else None


def room(places: Mapping[str, Path], *, least: int) -> str:
    """Return the free space of each folder, or of the one that it will be made in; `Invalid` for less than `least`."""
    free = {name: shutil.disk_usage(_standing(place)).free for name, place in places.items()}
    said = {name: f"{name} {count / 2**30:,.1f} GiB" for name, count in free.items()}
    tight = [f"{said[name]} ({places[name]})" for name, count in free.items() if count < least]
    if tight:
        raise Invalid(unmet("disk_tight", places=tight))
    return " · ".join(said.values())


def _standing(place: Path) -> Path:
    return next(one for one in (place.absolute(), *place.absolute().parents) if one.exists())


def _prefect(output: Output) -> str:
    """Return who wakes the schedules; a server that is named answers, and is of the version that our runner speaks."""
    api, ours = os.environ.get("PREFECT_API_URL", ""), installed("prefect")
    if not api:
        code = "prefect_off" if load_settings().prefect == "off" else "prefect_with_serve"
        return sentence(code, {"version": ours or "-"}, output.lang)
    try:
        _answer(f"{api}/health")
        theirs = _answer(f"{api}/admin/version")
    except (OSError, ValueError) as error:
        raise Invalid(unmet("prefect_silent", address=api, detail=str(error))) from error
    if theirs != ours:
        raise Invalid(unmet("prefect_other_version", theirs=str(theirs), ours=ours or "-"))
    return f"{api} · {theirs}"


def _answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - as it is set
        return json.loads(answer.read(10_000))


def _evidence(patient: Patient) -> str:
    """Return where evidence lies; a folder that nobody has made yet is missed only where documents were handed in."""
    place = patient.settings.evidence_place()
    if not EvidenceFiles(place).is_there():
        documents = patient.session.execute(select(func.count()).select_from(table_of(Evidence))).scalar_one()
        if documents:
            raise Invalid(unmet("evidence_folder_missing", place=place, documents=documents))
    return place


def _clocks(patient: Patient) -> str:
    """Return how the clocks of machine and database agree; what was done already lies in no future."""
    theirs = patient.session.execute(select(db_now())).scalar_one()
    drift = abs(theirs - SystemClock().now())
    if drift > MOST_DRIFT and not is_sqlite(patient.session):
        raise Invalid(unmet("clocks_differ", seconds=round(drift.total_seconds())))
    newest = patient.session.execute(select(func.max(table_of(AuditRecord).c.at))).scalar()
    now = patient.work.stamp.now
    if newest is not None and newest > now + MOST_DRIFT:
        raise Invalid(unmet("clock_behind_audit", now=_wall(now, patient), newest=_wall(newest, patient)))
    return f"{_wall(now, patient)} · {drift.total_seconds():.1f} s"


def _wall(at: datetime, patient: Patient) -> str:
    return f"{at.astimezone(ZoneInfo(patient.settings.timezone)):%Y-%m-%d %H:%M}"


def _schedules(patient: Patient) -> str:
    """Return how many schedules are on time; `Invalid` names those that are late, else those that failed last."""
    newest = newest_slots(patient.session, patient.work.stamp.now)
    if not newest:
        made = patient.session.execute(select(table_of(Installation).c.created_at)).scalar_one()
        is_waited_for = _mode(patient) == "production"
        if patient.work.stamp.now - made > SETTLING_IN and is_waited_for:
            raise Invalid(unmet("no_clock_runs", since=_wall(made, patient)))
        return Pending("unchecked", patient.says("nothing_ran_yet"))
    on_duty = patient.work.on_duty()
    now, calendar = patient.work.stamp.now, patient.work.stamp.calendar
    late = [one.id for one in on_duty if is_late(one, newest.get(one.id), now=now, calendar=calendar)]
    if late and not patient.is_played:
        raise Invalid(unmet("schedules_late", schedules=late))
    failed = [one.id for one in on_duty if one.id in newest and newest[one.id].status == SlotStatus.FAILED]
    if failed:
        raise Invalid(unmet("schedules_failed", schedules=failed))
    return patient.says("schedules_on_time", count=len(on_duty) - len(late), all=len(on_duty))


def _mode(patient: Patient) -> Any:
    return patient.session.execute(select(table_of(Installation).c.mode)).scalar_one()


def _outbox(patient: Patient) -> str:
    """Return how many messages wait; `Invalid` when the oldest waits longer than a pass of the clock may take.

    Where no clock ever ran they wait for it, and the line of the schedules says so.
    """
    box = table_of(OutboxMessage)
    waiting = select(func.count(), func.min(box.c.created_at)).where(box.c.status == DeliveryStatus.WAITING)
    count, oldest = patient.session.execute(waiting).one()
    is_late = count and patient.work.stamp.now - oldest > PATIENCE
    if is_late and not patient.is_played and newest_slots(patient.session, patient.work.stamp.now):
        raise Invalid(unmet("outbox_waits", count=count, since=_wall(oldest, patient)))
    _refuse_vain_tries(patient.session)
    return patient.says("outbox_waiting", count=count)


def _refuse_vain_tries(session: Session) -> None:
    """Raise `Invalid` where mails or chats are tried again and again: a server that greets us may take nothing."""
    delivery, attempt = table_of(Delivery), table_of(DeliveryAttempt)
    vain = (
        *(delivery.c.status == DeliveryStatus.WAITING, delivery.c.endpoint_id.is_(None)),
        delivery.c.attempts % TRIES >= MOST_TRIES,
    )
    count = session.execute(select(func.count()).where(*vain)).scalar_one()
    if count:
        last = select(attempt.c.detail).join(delivery, delivery.c.id == attempt.c.delivery_id).where(*vain)
        said = session.execute(last.order_by(attempt.c.at.desc()).limit(1)).scalar() or "-"
        raise Invalid(unmet("deliveries_in_vain", count=count, said=said))


def _ways(patient: Patient) -> str:
    """Return the ways to other machines and to the console; `Invalid` names those that are open, where work is real."""
    found = list(ways(patient.settings))
    open_ones = [one for one in found if not one.is_safe]
    if open_ones and _mode(patient) == "production":
        named = [f"{_called(one, patient)} ({one.variable})" for one in open_ones]
        raise Invalid(unmet("way_open", ways=named))
    return " · ".join(_called(one, patient) + ("" if one.is_safe else " (!)") for one in found)


def _called(way: Way, patient: Patient) -> str:
    return f"{title('place', way.name, patient.output.lang)} {way.host}"


def _backups(patient: Patient) -> str:
    """Return when the nightly backup was last made, and where; `Invalid` where real work is kept in one place only."""
    folder = patient.settings.backup_dir
    if folder is None:
        if _mode(patient) == "production":
            raise Invalid(unmet("no_backups"))
        return Pending("unset", patient.says("backup_dir_missing"))
    run = table_of(ScheduledRun)
    made = select(func.max(run.c.slot_at)).where(
        run.c.schedule_id == "backup", run.c.status == SlotStatus.DONE, run.c.done_count > 0
    )
    newest = patient.session.execute(made).scalar()
    if newest is None:
        return Pending("unchecked", patient.says("no_backup_yet", folder=str(folder)))
    return f"{folder} · {_wall(newest, patient)}"


def _calendar(patient: Patient) -> str:
    return announced(patient.work.stamp.today, patient.work.stamp.calendar.announced)


def announced(today: date, years: Iterable[int]) -> str:
    """Return the years whose working days are known; `Invalid` for this year, and late in December for the next."""
    known = sorted(years)
    needed = today.year + ((today.month, today.day) >= NEXT_YEAR_FROM)
    lacking = [year for year in (today.year, needed) if year not in known]
    if lacking:
        raise Invalid(unmet("year_not_announced", year=lacking[0]))
    return f"{known[0]}-{known[-1]}"


_ALONE: Mapping[str, Callable[[Output], str]] = {
    "python": _python,
    "versions": _versions,
    "settings": _settings,
    "database": _database,
    "keys": _keys,
    "bank templates": _bank_templates,
    "mail": _mail,
    "disk": _disk,
    "prefect": _prefect,
}
_IN_THE_DATABASE: Mapping[str, Callable[[Patient], str]] = {
    "evidence files": _evidence,
    "clocks": _clocks,
    "schedules": _schedules,
    "outbox": _outbox,
    "backups": _backups,
    "calendar": _calendar,
    "ways": _ways,
}
