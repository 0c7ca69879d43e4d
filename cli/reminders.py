"""Reminders: what goes out in the days to come, and what became of those that were planned."""

from typing import Annotated, Any

import typer

from cli.options import reads

app = typer.Typer(
    help="Reminders: what goes out, to whom and why, and what became of each.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_LONGEST = 366


@app.command("preview")
@reads
def preview(
    door: Any,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=_LONGEST, help="How far ahead.")] = 30,
    project: Annotated[str, typer.Option("--project", metavar="REF", help="Only those of this project.")] = "",
) -> None:
    """List what will be told as things stand now: when, of which deadline, to whom, and what keeps it back."""
    from cli.behind.reminders import show_preview

    show_preview(door, days, project)


@app.command("explain")
@reads
def explain(
    door: Any,
    ref: Annotated[
        str,
        typer.Argument(metavar="ID|REF", help="A reminder or thing by its id, PT-…, PO-…, AG-…, RC-…, or a fund."),
    ],
) -> None:
    """Say of each reminder, past or planned, what became of it and why."""
    from cli.behind.reminders import show_explained

    show_explained(door, ref)
