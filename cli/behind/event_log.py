"""Writes the event log: to a file that did not exist, or to stdout."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from cli.door import Door
from lifecycle.errors import Invalid, unmet
from lifecycle.reports.logs import WRITERS
from models.db import reading


def write_event_log(door: Door, log_format: str, out: Path | None, refs: tuple[str, ...]) -> None:
    """Write the acts on all projects, or on those named, in one snapshot; `Invalid` when the file exists already."""
    with reading(door.engine) as session:
        lookup = door.lookup(session)
        only = frozenset(lookup.project(ref) for ref in refs)
        if out is None:
            WRITERS[log_format](session, sys.stdout, only)
            return
        if out.exists():
            raise Invalid(unmet("file_exists", file=str(out)))
        part = out.with_name(f".{out.name}.part")
        try:
            with part.open("w", encoding="utf-8") as stream:
                count = WRITERS[log_format](session, stream, only)
                stream.flush()
                os.fsync(stream.fileno())
            part.rename(out)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    door.output.document({"file": str(out), "format": log_format, "events": count})
