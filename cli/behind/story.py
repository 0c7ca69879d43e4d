"""What stands behind `demo`: makes a rehearsal database, plays the story through the engine, moves its clock."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlmodel import Session

from cli.output import Column, Output
from flows.bank_channel import BankInMemory, DropFolders
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_inbox
from flows.sandbox import Desk, SandboxBank, incoming_money
from lifecycle import engine as melody
from lifecycle import verbs
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.demo.portfolio import CHAPTERS, PAPER_REGISTER
from lifecycle.demo.story import BETWEEN_ACTS, HOME, Chapter, Perform, Story, StoryBroken, tell
from lifecycle.errors import Invalid, unmet
from lifecycle.installation import initialise, write_edges
from lifecycle.people.queries import personas
from models.db import is_sqlite, make_engine, reading, run_in_transaction, transaction
from models.file_store import EvidenceFiles
from models.ids import SeededIds, using_ids
from models.installation import Installation, NumberSeries
from models.journal import OutboxMessage
from models.migrate import upgrade
from models.payouts import PaymentBatch
from models.people import User
from models.projects import Project
from models.settings import Settings, load_settings
from models.statements import BankStatement, StatementLine
from models.states import DeliveryStatus, LineStatus
from models.states import Door as DoorName

SEED = 14
"""The same story has the same ids everywhere: pictures and manuals match."""
EPOCH = "DEMX"
"""So have its payments: no file of a demonstration ever reaches a bank."""
_TEN = time(10, 0)

_SHOWN = {"login": None, "name": None, "roles": "role", "competences": "competence"}
"""What is said of them, and what kind of word it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a play has left behind."""

    acts: int
    now: datetime


def tell_story(output: Output, at: str, *, is_anew: bool) -> dict[str, Any]:
    """Play the story up to a day, where the database does not hold it yet; return what is there then."""
    day = _day(at)
    settings = load_settings()
    engine = make_engine(settings.db)
    try:
        if is_anew:
            _delete(engine, settings)
            engine = make_engine(settings.db)
        upgrade(engine)
        if _is_told(engine):
            output.say("demo_told_before")
        else:
            files, desk = EvidenceFiles(settings.evidence_place()), BankInMemory()
            _refuse_strange_files(settings)
            with output.progress("demo_playing", (day - CHAPTERS_BEGIN).days) as step:
                play(engine, at=day, keep=lambda content: files.put(BytesIO(content)).sha256, say=step, desk=desk)
            if settings.bank == "sandbox":
                _lay_out(desk, DropFolders(settings.bank_out, settings.bank_in))
        return _what_is_there(engine, settings)
    finally:
        engine.dispose()


def play(
    engine: Engine,
    *,
    at: date,
    keep: Callable[[bytes], str],
    say: Callable[[int], None] = lambda _days: None,
    chapters: Sequence[Chapter] = CHAPTERS,
    desk: Desk | None = None,
) -> Summary:
    """Play chapters up to a day into an empty database at head, one transaction a step; `say` hears the days passed.

    Payments go through the sandbox bank; what it and the payment run hand each other lies at the desk.

    The database becomes a rehearsal whose clock stands at ten in the morning of that day, Shanghai time.
    """
    ids = SeededIds(SEED)
    story = Story(calendar=china(), new_id=ids.new, keep=keep)

    @contextmanager
    def scene() -> Iterator[Perform]:
        with transaction(engine) as session:
            later = melody.Later()

            def perform(commands: Sequence[Command], stamp: Stamp) -> Sequence[Answer]:
                return melody.execute(session, commands, stamp=stamp, later=later)

            yield perform
            later.run(session)

    bank = SandboxBank(desk or BankInMemory(), today=CHAPTERS_BEGIN)
    with using_ids(ids):
        run_in_transaction(engine, lambda session: _prepare(session, story))
        reached = CHAPTERS_BEGIN
        for day in tell(story, chapters, until=at, scene=scene):
            if story.is_bank_due:
                _visit_bank(engine, story, bank)
            say((day - reached).days)
            reached = max(reached, day)
        now = max(story.now + timedelta(minutes=1), datetime.combine(at, _TEN, HOME).astimezone(UTC))
        run_in_transaction(engine, lambda session: _end(session, now))
    return Summary(acts=story.acts, now=now)


def _visit_bank(engine: Engine, story: Story, bank: SandboxBank) -> None:
    """Read what the bank has answered, and hand over what was released: as the scheduled runs do, by the clock."""
    story.is_bank_due, story.now = False, story.now + BETWEEN_ACTS
    with reading(engine) as session:
        bank.turn_to(story.today, incoming_money(session, HOME, story.incoming))
    actor = Actor.clock(DoorName.FLOW)
    stamp = Stamp(now=story.now, today=story.today, actor=actor, calendar=story.calendar, new_id=story.new_id)
    wrong = [one.name for one in take_inbox(engine, bank, stamp) if one.status == "quarantined"]
    run = disburse(engine, Teller(bank=bank, holder="demo", takes="keep"), stamp)
    refused = [one for one in run.refused if one[1] != ("not_released",)]  # the payer lets it go another day
    if wrong or refused or run.failed or run.unknown:
        raise StoryBroken(f"{story.today} at the bank: {wrong} {refused} {run.failed} {run.unknown}")
    line = _table(StatementLine)
    unexplained = select(line.c.bank_ref, line.c.id).where(line.c.status == LineStatus.EXCEPTION)
    with reading(engine) as session:
        story.set_aside = dict(session.execute(unexplained).tuples().all())


CHAPTERS_BEGIN = date(2024, 7, 1)


def move_clock(by: str) -> dict[str, Any]:
    """Move the clock of a demonstration forward; what time does is done by `pilotway run stage-deadlines`."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})d", by)
    if found is None:
        raise Invalid(unmet("forward_wrong", value=by))
    settings = load_settings()
    engine = make_engine(settings.db)
    try:
        installation = _installation(engine)
        if installation is None or installation.mode != "rehearsal" or installation.clock_at is None:
            raise Invalid(unmet("only_in_rehearsal", option="demo --forward"))
        now = installation.clock_at + timedelta(days=int(found[1]))
        run_in_transaction(engine, lambda session: _set_clock(session, now))
        return _what_is_there(engine, settings)
    finally:
        engine.dispose()


def show(output: Output, told: dict[str, Any]) -> None:
    """Say what is there and who can sign in."""
    if output.as_json:
        output.document(told)
        return
    output.record([Column(key=key) for key in ("database", "mode", "clock_at", "projects")], told)
    output.table([Column(key=key, kind=kind, is_wide=kind is not None) for key, kind in _SHOWN.items()], told["logins"])
    output.say("demo_next")


def _prepare(session: Session, story: Story) -> None:
    """Say which database this is, and which numbers the register on paper has given."""
    begins = datetime.combine(CHAPTERS_BEGIN, time(8, 0), HOME).astimezone(UTC)
    initialise(session, mode="rehearsal", now=begins, new_id=story.new_id).epoch = EPOCH
    write_edges(session, verbs.all_edges())
    for year, last in PAPER_REGISTER.items():
        session.add(NumberSeries(kind="PT", year=year, last=last))


def _set_clock(session: Session, now: datetime) -> None:
    session.execute(update(_table(Installation)).values(clock_at=now))


def _end(session: Session, now: datetime) -> None:
    """Stop the clock there; what was told long before counts as told, so that the first pass tells of the last days."""
    _set_clock(session, now)
    box = _table(OutboxMessage)
    told = (box.c.status == DeliveryStatus.WAITING, box.c.created_at < now - _STILL_NEWS)
    session.execute(update(box).where(*told).values(status=DeliveryStatus.SENT))


_STILL_NEWS = timedelta(days=3)


def _is_told(engine: Engine) -> bool:
    """Say whether the database holds the story; refuse one that holds real work."""
    installation = _installation(engine)
    with reading(engine) as session:
        people = session.execute(select(func.count()).select_from(_table(User))).scalar_one()
    if installation is not None and installation.mode != "rehearsal":
        raise Invalid(unmet("only_in_rehearsal", option="demo"))
    if people and (installation is None or installation.clock_at is None):
        raise Invalid(unmet("demo_needs_an_empty_database"))
    return bool(people)


def _installation(engine: Engine) -> Any:
    with reading(engine) as session:
        return session.execute(select(_table(Installation))).one_or_none()


def _refuse_strange_files(settings: Settings) -> None:
    """Refuse folders in which a bank has something already: the sandbox would take it for its own."""
    if settings.bank != "sandbox":
        return
    for folder in (settings.bank_out, settings.bank_in):
        if any(folder.rglob("*.xml")):
            raise Invalid(unmet("demo_needs_empty_folder", folder=str(folder)))


def _lay_out(desk: BankInMemory, folders: DropFolders) -> None:
    """Lay out what went to the bank and came back, so that the sandbox knows it and goes on from there."""
    for name, data in desk.out.items():
        folders.put(name, data)
    for name, data in desk.answers.items():
        folders.leave(name, data)
        if name in desk.filed:
            folders.file_away(name, desk.filed[name])


def _forget_bank_files(engine: Engine, settings: Settings) -> None:
    """Delete the files of an earlier demonstration at the bank: those that its database names."""
    if settings.bank != "sandbox":
        return
    with reading(engine) as session:
        sent = set(session.execute(select(_table(PaymentBatch).c.file_name)).scalars())
        heard = set(session.execute(select(_table(BankStatement).c.file_name)).scalars())
    for folder, names in ((settings.bank_out, sent), (settings.bank_in, heard)):
        for path in [path for path in folder.rglob("*.xml") if path.name in names]:
            path.unlink()


def _delete(engine: Engine, settings: Settings) -> None:
    """Delete an earlier demonstration: a file of ours in rehearsal, what it had at the sandbox bank, nothing else."""
    if not is_sqlite(engine):
        raise Invalid(unmet("demo_reset_needs_a_file"))
    file = Path(str(engine.url.database))
    if not file.exists():
        return
    upgrade(engine)
    _is_told(engine)
    _forget_bank_files(engine, settings)
    engine.dispose()
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        path.unlink(missing_ok=True)


def _what_is_there(engine: Engine, settings: Settings) -> dict[str, Any]:
    with reading(engine) as session:
        people = personas(session)
        projects = session.execute(select(func.count()).select_from(_table(Project))).scalar_one()
    installation = _installation(engine)
    return {
        "database": engine.url.render_as_string(hide_password=True),
        "evidence": settings.evidence_place(),
        "mode": installation.mode,
        "clock_at": installation.clock_at,
        "projects": projects,
        "logins": [{key: one[key] for key in _SHOWN} for one in people],
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(unmet("day_wrong", value=text)) from error


def _table(model: Any) -> Any:
    return model.__table__
