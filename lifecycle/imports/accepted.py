"""What came in from which table: a sending is recorded like a command, and its answer says what became of the file.

A file that is written in parts has one record per part, each in the transaction of what it tells; together they are the
receipt. The key names the headings of the table, so that the choice of columns is found again for the next like it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.canonical import canonical, plain, sha256
from lifecycle.commands import Stamp
from lifecycle.errors import KeyReused, Stale, unmet
from lifecycle.imports.arrivals import Destination, Fate
from lifecycle.imports.columns import layout_of, source_of
from lifecycle.imports.report import SHOWN, Report
from lifecycle.imports.taking_in import with_colleagues
from lifecycle.journal import recorded
from lifecycle.writing import insert_rows
from models.journal import CommandRecord
from models.people import User
from models.programmes import Programme
from models.reading import table_of

PROJECTS, BATCHES = "project.import_table", "trial_batch.import_table"
"""What is recorded as the verb of a whole table; no client can send either."""
_FIRST = "project.import"
"""Verb of the earliest tables of projects: one record each, of a programme as theirs are, that does not say by whom."""
BATCH_LAYOUT = layout_of("batches")
"""In keys of tables of batches: their columns are known by their headings alone."""
_PREFIX = "import:table:"
_KEY = re.compile(f"{_PREFIX}(?P<layout>[0-9a-f]{{32}}):[0-9a-f]{{32}}")
_LOOKED_AT = 20
"""So many of the latest tables with the same headings are looked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file that somebody brings in, and how it is read."""

    name: str
    sha256: str
    layout: str
    """Hash of its headings, or of the mapping that reads it."""
    how: Mapping[str, Any]
    """The mapping by name, or the columns with what was said beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A table that comes in under a key of its own."""

    command_id: str
    verb: str
    object_type: str
    object_id: UUID
    says: Mapping[str, Any]
    """What tells a repeat from another sending under the same key."""

    @property
    def body_sha256(self) -> str:
        """The same for a repeat alone."""
        return sha256(canonical({"verb": self.verb, **self.says}))


def of_projects(command_id: str, file: TableFile, into: Destination) -> Sending:
    """Return the sending of a table of projects."""
    return Sending(
        command_id=command_id,
        verb=PROJECTS,
        object_type="programme",
        object_id=into.programme_id,
        says={"file": file.name, "sha256": file.sha256, "how": file.how, "into": into},
    )


def of_batches(command_id: str, name: str, file_sha256: str, project_id: UUID) -> Sending:
    """Return the sending of a table of trial batches."""
    return Sending(
        command_id=command_id,
        verb=BATCHES,
        object_type="project",
        object_id=project_id,
        says={"file": name, "sha256": file_sha256, "project_id": project_id},
    )


def key_of_table(layout: str, fresh: UUID) -> str:
    """Return a new key for the import of a table with these headings."""
    return f"{_PREFIX}{layout}:{fresh.hex}"


def destination(session: Session, programme_id: UUID, platform_id: UUID | None) -> Destination | None:
    """Return where the projects of a table without a mapping go; None where there is no such programme."""
    programme = table_of(Programme)
    code = session.execute(select(programme.c.code).where(programme.c.id == programme_id)).scalar()
    if code is None:
        return None
    source = source_of(str(code), programme_id, platform_id)
    return Destination(source=source, programme_id=programme_id, platform_id=platform_id)


def is_of(command_id: str, layout: str) -> bool:
    """Say whether a key is one for a table with these headings."""
    found = _KEY.fullmatch(command_id)
    return found is not None and found["layout"] == layout


def before(session: Session, actor_id: UUID, sending: Sending) -> Sequence[str]:
    """Return the keys of what this very sending brought before; `KeyReused` where its key belongs to something else."""
    found = _parts(session, actor_id, sending.command_id, "body_sha256")
    if any(row.body_sha256 != sending.body_sha256 for row in found):
        raise KeyReused(KeyReused.code)
    return [row.command_id for row in found]


def told(session: Session, actor_id: UUID, sending: Sending) -> int:
    """Return the row of the file up to which this sending came in before, 0 where it is new."""
    return _through(session, actor_id, before(session, actor_id, sending))


def _through(session: Session, actor_id: UUID, keys: Sequence[str]) -> int:
    return int(recorded(session, actor_id, keys[-1:])[keys[-1]][1]["through"]) if keys else 0


def whole(session: Session, command_id: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what became of a file of projects, from the answers of its parts; the first of them is given."""
    if "by" not in answer:
        return _summed([answer])
    found = _parts(session, UUID(answer["by"]), command_id, "body_sha256", "answer")
    return _summed([row.answer for row in found if row.body_sha256 == found[0].body_sha256])


def _parts(session: Session, actor_id: UUID, command_id: str, *columns: str) -> Sequence[Any]:
    """Return the records under a key of this account, the first one first."""
    record = table_of(CommandRecord)
    # Both ends have the same beginning, and digits lie before `g` in every order of letters.
    further = record.c.command_id.between(f"{command_id}:0", f"{command_id}:g")
    statement = select(*(record.c[name] for name in ("command_id", *columns))).where(
        record.c.actor_id == actor_id, (record.c.command_id == command_id) | further
    )
    found = (row for row in session.execute(statement) if f"{row.command_id}:".startswith(f"{command_id}:"))
    return sorted(found, key=lambda row: str(row.command_id))


def write_down(session: Session, sending: Sending, answer: Mapping[str, Any], stamp: Stamp) -> None:
    """Keep what became of a file, or of a part of it, in the transaction that brought that in.

    Raises `Stale` where the same sending told by now of rows behind `since`, with which this part begins: both would
    count them.
    """
    actor_id, user = stamp.actor.user_id, table_of(User)
    # Who sends the same twice at once waits here for the other to be written: it is then a repeat.
    session.execute(select(user.c.id).where(user.c.id == actor_id).with_for_update())
    keys = before(session, actor_id, sending)
    if _through(session, actor_id, keys) > answer.get("since", 0):
        raise Stale(unmet("import_sent_twice"))
    count = len(keys)
    row = {
        "actor_id": actor_id,
        "command_id": f"{sending.command_id}:{count:06d}" if count else sending.command_id,
        "verb": sending.verb,
        "object_type": sending.object_type,
        "object_id": sending.object_id,
        "body_sha256": sending.body_sha256,
        "answer": plain(
            {
                **sending.says,
                "object_type": sending.object_type,
                "object_id": sending.object_id,
                "by": actor_id,
                **answer,
            }
        ),
        "at": stamp.now,
    }
    insert_rows(session, CommandRecord, [row])


def answer_of(report: Report) -> Mapping[str, Any]:
    """Return what is kept of a table of projects, or of a part of it."""
    return {
        "since": report.since,
        "through": report.through,
        "rows": {str(fate): report.fates[fate] for fate in Fate},
        "organisations": report.organisations,
        "stages": dict(report.stages),
        "totals": [[label, currency, minor] for (label, currency), minor in report.totals.items()],
        "projects": [[one.number, one.key, one.name, str(one.fate)] for one in report.moved()],
    }


def _summed(answers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    rows, totals = Counter[str](), Counter[tuple[str, str]]()
    for one in answers:
        rows.update(one["rows"])
        totals.update({(label, currency): minor for label, currency, minor in one["totals"]})
    return {
        "file": answers[0]["file"],
        "rows": rows,
        "totals": [(label, currency, minor) for (label, currency), minor in totals.items()],
        "projects": [row for one in answers for row in one["projects"]][:SHOWN],
    }


def remembered(session: Session, user_id: UUID, layout: str) -> Mapping[str, Any] | None:
    """Return how a table with these headings was read last, by this person, else by somebody of their organisations."""
    found = sorted(_last(session, user_id, layout), key=lambda row: (row.actor_id == user_id, row.at))
    return found[-1].answer["how"] if found else None


def brought_before(session: Session, user_id: UUID, layout: str, file_sha256: str) -> Any:
    """Return the latest (key, instant) at which this person brought the very same file in, if it is one of the last."""
    own = (row for row in _last(session, user_id, layout) if row.actor_id == user_id)
    return next(((row.command_id, row.at) for row in own if row.answer["sha256"] == file_sha256), None)


def _last(session: Session, user_id: UUID, layout: str) -> Sequence[Any]:
    """Return the latest imports of tables with these headings, the newest first, each by its first part."""
    record, start = table_of(CommandRecord), f"{_PREFIX}{layout}:"
    statement = (
        select(record.c.actor_id, record.c.command_id, record.c.at, record.c.answer)
        .where(record.c.actor_id.in_(with_colleagues(user_id)), record.c.verb.in_((PROJECTS, _FIRST)))
        .where(record.c.object_type == "programme")
        .where(record.c.command_id.between(f"{start}0", f"{start}g"))
        .where(func.length(record.c.command_id) == len(key_of_table(layout, user_id)))
        .order_by(record.c.at.desc())
        .limit(_LOOKED_AT)
    )
    return session.execute(statement).all()
