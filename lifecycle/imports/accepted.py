"""What came in from which table: a whole import is a command too, and its answer says what became of the file.

Its key names the headings of the table, so that the choice of columns is found again for the next file like it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, union
from sqlmodel import Session

from lifecycle.canonical import plain, sha256
from lifecycle.commands import Stamp
from lifecycle.imports.arrivals import Destination, Fate
from lifecycle.imports.columns import source_of
from lifecycle.imports.report import Report
from lifecycle.journal import recorded
from lifecycle.projects.registration import IMPORT
from lifecycle.writing import insert_rows
from models.journal import CommandRecord
from models.people import RoleGrant, User
from models.programmes import Programme
from models.reading import table_of

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


def is_table(command_id: str) -> bool:
    """Say whether a key is that of a whole table."""
    return _KEY.fullmatch(command_id) is not None


def is_of(command_id: str, layout: str) -> bool:
    """Say whether a key is one for a table with these headings."""
    found = _KEY.fullmatch(command_id)
    return found is not None and found["layout"] == layout


def is_accepted(session: Session, actor_id: UUID, command_id: str) -> bool:
    """Say whether this import was carried out already: the same form is sent once."""
    return command_id in recorded(session, actor_id, [command_id])


def write_down(
    session: Session, command_id: str, file: TableFile, into: Destination, report: Report, stamp: Stamp
) -> None:
    """Keep what became of a file, in the transaction that brought the last of it in."""
    said = {"file": file.name, "sha256": file.sha256, "how": file.how, "into": into}
    answer = {
        **said,
        "object_type": "programme",
        "object_id": str(into.programme_id),
        "rows": {str(fate): report.fates[fate] for fate in Fate},
        "organisations": report.organisations,
        "stages": dict(report.stages),
        "totals": [[label, currency, minor] for (label, currency), minor in report.totals.items()],
        "projects": [[one.number, one.key, one.name, str(one.fate)] for one in report.moved()],
    }
    row = {
        "actor_id": stamp.actor.user_id,
        "command_id": command_id,
        "verb": IMPORT.permission,
        "object_type": "programme",
        "object_id": into.programme_id,
        "body_sha256": sha256(str(plain(said))),
        "answer": plain(answer),
        "at": stamp.now,
    }
    insert_rows(session, CommandRecord, [row])


def remembered(session: Session, user_id: UUID, layout: str) -> Mapping[str, Any] | None:
    """Return how a table with these headings was read last, by this person, else by somebody of their organisations."""
    found = sorted(_last(session, user_id, layout), key=lambda row: (row.actor_id == user_id, row.at))
    return found[-1].answer["how"] if found else None


def brought_before(session: Session, user_id: UUID, layout: str, file_sha256: str) -> Any:
    """Return the latest (key, instant) at which this person brought the very same file in, if it is one of the last."""
    own = (row for row in _last(session, user_id, layout) if row.actor_id == user_id)
    return next(((row.command_id, row.at) for row in own if row.answer["sha256"] == file_sha256), None)


def _last(session: Session, user_id: UUID, layout: str) -> Sequence[Any]:
    """Return the latest imports of tables with these headings, the newest first.

    The key ends in hexadecimal digits, which lie between `0` and `g` in every order of letters.
    """
    record, grant, user = table_of(CommandRecord), table_of(RoleGrant), table_of(User)
    houses = select(grant.c.organisation_id).where(
        grant.c.user_id == user_id, grant.c.revoked_at.is_(None), grant.c.organisation_id.is_not(None)
    )
    colleagues = select(grant.c.user_id).where(grant.c.organisation_id.in_(houses), grant.c.revoked_at.is_(None))
    those = union(select(user.c.id).where(user.c.id == user_id), colleagues)
    start = f"{_PREFIX}{layout}:"
    statement = (
        select(record.c.actor_id, record.c.command_id, record.c.at, record.c.answer)
        .where(record.c.actor_id.in_(those))
        .where(record.c.command_id >= f"{start}0", record.c.command_id < f"{start}g")
        .order_by(record.c.at.desc())
        .limit(_LOOKED_AT)
    )
    return session.execute(statement).all()
