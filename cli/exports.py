"""Taking the history out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import reads

app = typer.Typer(help="Take the history out, for other tools.", no_args_is_help=True, rich_markup_mode=None)


class LogFormat(StrEnum):
    """What the history is written as."""

    JSONL = "jsonl"
    XES = "xes"
    OCEL = "ocel"


@app.command("events")
@reads
def events(
    door: Any,
    log_format: Annotated[
        LogFormat, typer.Option("--format", help="One event a line, XES 1.0 (a case a project), or OCEL 2.0 in JSON.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; it must not exist yet. [default: stdout]")
    ] = None,
    projects: Annotated[
        list[str], typer.Option("--project", metavar="REF", help="Only this project; may be given several times.")
    ] = [],  # noqa: B006 - Typer reads it, nobody changes it
) -> None:
    """Write what happened, as an event log for process mining."""
    from cli.behind.event_log import write_event_log

    write_event_log(door, str(log_format), out, tuple(projects))
