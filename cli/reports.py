"""Frozen reports: the quarters of programmes."""

from typing import Annotated, Any

import typer

from cli.options import reads

app = typer.Typer(
    help="Quarterly reports of programmes: frozen, and known by their SHA-256.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_REF = Annotated[str, typer.Argument(metavar="CODE/PERIOD", help="Programme and quarter: C1/2026-Q3.")]


@app.command("list")
@reads
def list_reports(
    door: Any,
    programme: Annotated[str, typer.Option("--programme", metavar="CODE", help="Only those of this programme.")] = "",
) -> None:
    """List the reports that were frozen."""
    from cli.behind.reports import list_reports as show_all

    show_all(door, programme)


@app.command("show")
@reads
def show(door: Any, ref: _REF) -> None:
    """Show one report as it was frozen."""
    from cli.behind.reports import show_report

    show_report(door, ref)


@app.command("verify")
@reads
def verify(door: Any) -> None:
    """Compare every report with its SHA-256. Exit 7 when one was changed since."""
    from cli.behind.reports import verify_reports

    verify_reports(door)
