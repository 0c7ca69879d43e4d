"""Frozen reports in words."""

from typing import Any

import typer
from sqlmodel import Session

from cli.door import Door
from cli.errors import BROKEN
from cli.output import Column, json_text
from lifecycle.errors import NotFound, Unmet
from lifecycle.reports.quarter import reports

_LISTED = tuple(Column(key=key) for key in ("programme", "period", "sha256", "at"))
_PROVED = tuple(Column(key=key) for key in ("programme", "period", "is_sound", "sha256"))


def list_reports(door: Door, programme: str) -> None:
    """Print the reports without their bodies."""

    def work(session: Session) -> list[dict[str, Any]]:
        programme_id = door.lookup(session).programme(programme) if programme else None
        return reports(session, programme_id=programme_id)

    door.output.table(_LISTED, [_short(row) for row in door.read(work)])


def show_report(door: Door, ref: str) -> None:
    """Print one report: its body, canonical, with its hash."""
    code, _, period = ref.partition("/")

    def work(session: Session) -> list[dict[str, Any]]:
        return reports(session, programme_id=door.lookup(session).programme(code), period=period.upper())

    found = door.read(work)
    if not found:
        raise NotFound(Unmet(code=NotFound.code, values={"ref": ref}))
    (row,) = found
    if door.output.as_json:
        door.output.document({**_short(row), "body": row["body"]})
        return
    door.output.record(_LISTED, _short(row))
    door.output.line(json_text(row["body"], indent=2))


def verify_reports(door: Door) -> None:
    """Print for each report whether its body is the one that was frozen; exit 7 where one is not."""
    rows = [{**_short(row), "is_sound": row["is_sound"]} for row in door.read(reports)]
    door.output.table(_PROVED, rows)
    if not all(row["is_sound"] for row in rows):
        raise typer.Exit(BROKEN)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "programme", "period", "sha256", "at")}
