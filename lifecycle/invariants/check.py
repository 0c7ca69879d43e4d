"""Every invariant asked in one snapshot, and what it found."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, text
from sqlmodel import Session

from lifecycle.audit.verify import NO_KEYS
from lifecycle.canonical import instant
from lifecycle.invariants import computed
from lifecycle.invariants.money import MONEY
from lifecycle.invariants.statements import STATEMENTS, Moment, Statements
from models.db import db_now, is_sqlite
from models.ports import FileStore

EVIDENCE_FILES = "I22"
"""The one invariant that reads files, not rows."""

SAMPLE = 20
"""How many broken rows of one invariant are shown."""


class UnknownCheckError(LookupError):
    """Nobody knows an invariant of this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One invariant: what it yields is broken."""

    id: str
    name: str
    broken: Callable[[Session, Moment], Iterable[Mapping[str, Any]]]
    is_of_money: bool = False
    """Broken, it stops all disbursement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one invariant found."""

    id: str
    name: str
    rows_count: int
    sample: Sequence[Mapping[str, Any]]
    milliseconds: int
    is_of_money: bool = False

    @property
    def is_ok(self) -> bool:
        """Say whether the invariant holds."""
        return self.rows_count == 0

    def document(self) -> dict[str, Any]:
        """Return its part of `pilotway-check/1`."""
        return {
            "id": self.id,
            "name": self.name,
            "ok": self.is_ok,
            "rows_count": self.rows_count,
            "sample": [dict(row) for row in self.sample],
            "ms": self.milliseconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What all invariants found, at one instant."""

    at: datetime
    database: str
    schema_revision: str | None
    results: tuple[Result, ...]
    frozen: Mapping[str, Any]
    referenced_files: Mapping[str, str]

    @property
    def is_ok(self) -> bool:
        """Say whether all of them hold."""
        return all(result.is_ok for result in self.results)

    @property
    def broken_money(self) -> tuple[str, ...]:
        """Return the ids of the broken invariants that stop disbursement."""
        return tuple(sorted(result.id for result in self.results if result.is_of_money and not result.is_ok))

    def document(self) -> dict[str, Any]:
        """Return `pilotway-check/1`, the contract's invariants first."""
        ordered = sorted(self.results, key=lambda result: (result.id[0] != "I", result.id))
        return {
            "format": "pilotway-check/1",
            "at": instant(self.at),
            "database": self.database,
            "schema_revision": self.schema_revision,
            "ok": self.is_ok,
            "checks": [result.document() for result in ordered],
            "frozen": dict(self.frozen),
        }


def all_checks(keys: Mapping[str, Ed25519PublicKey] = NO_KEYS) -> tuple[Check, ...]:
    """Return every invariant that the database alone shows.

    Add what a higher room contributes (the verdict cache, judged afresh) before handing them to `check`.
    """
    return (
        *(
            Check(id=one.id, name=one.name, broken=_in_sql(one), is_of_money=one.is_of_money)
            for one in (*STATEMENTS, *MONEY)
        ),
        Check(id="I15", name="audit-verifies", broken=lambda session, _: computed.audit_verifies(session, keys)),
        Check(
            id="H02",
            name="requirements-of-the-pack",
            broken=lambda session, _: computed.requirements_of_the_pack(session),
        ),
        Check(
            id="H08",
            name="roles-as-decided",
            broken=lambda session, _: computed.roles_as_decided(session),
            is_of_money=True,
        ),
    )


def chosen(checks: Sequence[Check], ids: Collection[str]) -> tuple[Check, ...]:
    """Return the checks with these ids (`--only`); `UnknownCheckError` names one that does not exist."""
    unknown = set(ids) - {one.id for one in checks} - {EVIDENCE_FILES}
    if unknown:
        raise UnknownCheckError(min(unknown))
    return tuple(one for one in checks if one.id in ids)


def check(session: Session, checks: Sequence[Check], *, now: datetime, bank_answer_hours: int = 24) -> Report:
    """Ask every invariant. Use it inside `reading()`: all must be seen at one instant."""
    database_now = session.execute(select(db_now())).scalar_one()
    moment = Moment(now=now, database_now=database_now, bank_answer_hours=bank_answer_hours)
    return Report(
        at=now,
        database="sqlite" if is_sqlite(session) else "postgresql",
        schema_revision=session.execute(text("SELECT version_num FROM alembic_version")).scalar(),
        results=tuple(_ask(one, partial(one.broken, session, moment)) for one in checks),
        frozen=frozen(session),
        referenced_files=computed.referenced_files(session),
    )


def with_evidence_files(report: Report, files: FileStore) -> Report:
    """Add I22: every file that evidence refers to is read. Use it after the reading: no file inside a transaction."""
    one = Check(id=EVIDENCE_FILES, name="evidence-files", broken=lambda _session, _moment: ())
    result = _ask(one, lambda: computed.wrong_files(report.referenced_files, files))
    return replace(report, results=(*report.results, result))


def _ask(one: Check, broken: Callable[[], Iterable[Mapping[str, Any]]]) -> Result:
    started = time.perf_counter()
    rows = iter(broken())
    sample = list(islice(rows, SAMPLE))
    rows_count = len(sample) + sum(1 for _ in rows)
    milliseconds = round((time.perf_counter() - started) * 1000)
    return Result(
        id=one.id,
        name=one.name,
        rows_count=rows_count,
        sample=sample,
        milliseconds=milliseconds,
        is_of_money=one.is_of_money,
    )


def _in_sql(one: Statements) -> Callable[[Session, Moment], Iterator[Mapping[str, Any]]]:
    def broken(session: Session, moment: Moment) -> Iterator[Mapping[str, Any]]:
        for statement in one.sql:
            for row in session.execute(text(statement), moment.parameters()).mappings():
                yield dict(row)

    return broken


def frozen(session: Session) -> dict[str, Any]:
    """Say whether disbursement is on hold: the oldest hold, and since when."""
    held = session.execute(
        text("SELECT id, from_at FROM v_hold WHERE object_type = 'disbursement' AND lifted_at IS NULL ORDER BY from_at")
    ).first()
    return {"on": held is not None, "hold_id": held.id if held else None, "since": held.from_at if held else None}
