"""The one door for files that people bring: content looked at, the day's share counted, then kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, func, select, union, update
from sqlmodel import Session

from lifecycle.banking.reading import detect
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.errors import Invalid, QuotaUsed, Unmet, unmet
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.uploads import check_upload
from lifecycle.writing import insert_rows
from models.db import run_in_transaction
from models.evidence import Upload
from models.file_store import DEFAULT_LIMIT_BYTES, EvidenceFiles, TooLarge
from models.limits import HOUSE_BRINGS, UPLOAD_DAY
from models.people import RoleGrant, User
from models.ports import Stored
from models.reading import table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one person may bring within 24 hours; everybody of one organisation together five times as much."""

    files: int
    mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringer:
    """Who brings a file, and when."""

    engine: Engine
    user_id: UUID
    now: datetime
    share: Share
    new_id: Callable[[], UUID]


def look_at_document(path: Path, name: str, field: str = "file") -> None:
    """Refuse what may not be handed in as a document; `Invalid` says why."""
    try:
        check_upload(path, name)
    except Unreadable as problem:
        raise Invalid(unmet(problem.code, **{"field": field, "file": name, **problem.params})) from problem


def look_at_bank_word(path: Path, name: str, field: str = "file") -> None:
    """Refuse what is neither a document nor a message as banks send them, under the name of one."""
    if not name.lower().endswith(".xml"):
        look_at_document(path, name, field)
        return
    with path.open("rb") as stream:
        try:
            detect(name, stream)
        except BankFileRefused as refused:
            raise Invalid(*refused.unmet) from refused


def keep(by: Bringer, files: EvidenceFiles, path: Path, field: str = "file") -> Stored:
    """Put a file that was looked at into the store of evidence; `QuotaUsed` where the day's share is used up.

    What no command refers to is swept by `recover` after a day. `Invalid` for a file that is too large.
    """
    upload_id = count(by, path.stat().st_size, field)
    try:
        with path.open("rb") as stream:
            stored = files.put(stream)
    except BaseException as error:
        run_in_transaction(by.engine, lambda session: _forget(session, upload_id))
        if isinstance(error, TooLarge):
            raise Invalid(unmet("file_too_large", field=field, limit=error.limit_bytes >> 20)) from error
        raise
    run_in_transaction(by.engine, lambda session: _named(session, upload_id, stored.sha256))
    return stored


def count(by: Bringer, size_bytes: int, field: str = "file") -> UUID:
    """Write down that a file comes, before anything of it is kept; `QuotaUsed` says what is used up.

    Who brings several at once waits for the row of their account, so that no two take the last place.
    """
    if size_bytes > DEFAULT_LIMIT_BYTES:
        raise Invalid(unmet("file_too_large", field=field, limit=DEFAULT_LIMIT_BYTES >> 20))
    upload_id = by.new_id()
    row = {"id": upload_id, "user_id": by.user_id, "at": by.now, "size_bytes": size_bytes}

    def work(session: Session) -> None:
        user = table_of(User)
        session.execute(select(user.c.id).where(user.c.id == by.user_id).with_for_update())
        _refuse_too_much(session, by, size_bytes)
        insert_rows(session, Upload, [row])

    run_in_transaction(by.engine, work)
    return upload_id


def _refuse_too_much(session: Session, by: Bringer, size_bytes: int) -> None:
    grant, upload = table_of(RoleGrant), table_of(Upload)
    houses = session.execute(_houses(by.user_id)).scalars()
    colleagues = [_people(grant.c.organisation_id == one) for one in houses]
    _refuse_beyond(session, by, size_bytes, by.share, upload.c.user_id == by.user_id, _person)
    whole = Share(files=HOUSE_BRINGS * by.share.files, mib=HOUSE_BRINGS * by.share.mib)
    for those in colleagues:
        _refuse_beyond(session, by, size_bytes, whole, upload.c.user_id.in_(those), _organisation)


def with_colleagues(user_id: UUID) -> Any:
    """Return the statement for the accounts of somebody and of everybody at their organisations."""
    user, grant = table_of(User), table_of(RoleGrant)
    own = select(user.c.id).where(user.c.id == user_id)
    return union(own, _people(grant.c.organisation_id.in_(_houses(user_id))))


def _houses(user_id: UUID) -> Any:
    """Return the statement for the organisations at which somebody has a role."""
    grant = table_of(RoleGrant)
    own = (grant.c.user_id == user_id, grant.c.revoked_at.is_(None), grant.c.organisation_id.is_not(None))
    return select(grant.c.organisation_id).distinct().where(*own)


def _people(there: Any) -> Any:
    grant = table_of(RoleGrant)
    return select(grant.c.user_id).where(there, grant.c.revoked_at.is_(None))


def _person(**values: Any) -> Unmet:
    return unmet("upload_quota_person", **values)


def _organisation(**values: Any) -> Unmet:
    return unmet("upload_quota_organisation", **values)


def _refuse_beyond(
    session: Session, by: Bringer, size_bytes: int, share: Share, theirs: Any, said: Callable[..., Unmet]
) -> None:
    upload = table_of(Upload)
    files, size, first = session.execute(
        select(func.count(), func.coalesce(func.sum(upload.c.size_bytes), 0), func.min(upload.c.at)).where(
            theirs, upload.c.at > by.now - UPLOAD_DAY
        )
    ).one()
    if files >= share.files or size + size_bytes > share.mib << 20:
        wait = UPLOAD_DAY - (by.now - (first or by.now))
        minutes = -(-int(wait.total_seconds()) // 60)
        raise QuotaUsed(said(field="file", files=share.files, mib=share.mib, minutes=minutes))


def has_brought(session: Session, user_id: UUID, sha256: str) -> bool:
    """Say whether somebody has brought a file with this content of late."""
    upload = table_of(Upload)
    found = select(upload.c.id).where(upload.c.user_id == user_id, upload.c.sha256 == sha256).limit(1)
    return session.execute(found).first() is not None


def _named(session: Session, upload_id: UUID, sha256: str) -> None:
    upload = table_of(Upload)
    session.execute(update(upload).where(upload.c.id == upload_id).values(sha256=sha256))


def _forget(session: Session, upload_id: UUID) -> None:
    upload = table_of(Upload)
    session.execute(delete(upload).where(upload.c.id == upload_id))
