"""Scheduled work: one pass of the clock, one run at once, a clock that goes on, and what the runs did."""

from typing import Annotated, Any

import typer

from cli.options import reads

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="Which scheduled work.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands that have no noun."""
    for function in (tick, run):
        app.command(function.__name__)(function)


@reads
def tick(door: Any) -> None:
    """Run every schedule that is due at this instant, once, then tell what is to be told. Exit 6 when one failed."""
    from cli.behind.runs import tick_once

    tick_once(door)


@reads
def run(
    door: Any,
    name: _NAME,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much is due and write nothing.")] = False,
) -> None:
    """Do scheduled work at once. Exit 3 when it is refused, 6 when something could not be done."""
    from cli.behind.runs import look_at, run_now

    (look_at if dry_run else run_now)(door, name)
