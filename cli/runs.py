"""Scheduled work: one pass of the clock, one run at once, a clock that goes on, and what the runs did."""

from typing import Annotated, Any

import typer

from cli.options import asks, reads

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="Which scheduled work.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands that have no noun."""
    for function in (tick, run, worker):
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


@reads
def worker(
    door: Any,
    is_once: Annotated[bool, typer.Option("--once", help="Recover, make one pass, and end.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, max=3600, help="How long to wait between passes.")
    ] = 30.0,
) -> None:
    """Recover, then tick, again and again: the clock of an installation. One line of JSON for each pass.

    It ends within 10 s of SIGTERM, behind what it is about to do.
    """
    from cli.behind.working import work_on, work_once

    if is_once:
        work_once(door)
    else:
        work_on(door, every)


app = typer.Typer(help="What scheduled work did.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
@reads
def list_runs(
    door: Any,
    name: Annotated[str, typer.Option("--schedule", metavar="NAME", help="Only of this schedule.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="The newest so many.")] = 50,
) -> None:
    """List the newest runs: which slot, what became of it, how much was done."""
    from cli.behind.runs import list_all

    list_all(door, name, limit)


@app.command("show")
@reads
def show_run(door: Any, run_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a run.")]) -> None:
    """Show one run with everything that it did."""
    from cli.behind.runs import show_one

    show_one(door, run_id)


flow = typer.Typer(help="Scheduled work: what runs when.", no_args_is_help=True, rich_markup_mode=None)
_WHY = Annotated[str, typer.Option("--reason", help="Why; it stands in the rows of the runs.")]


@flow.command("list")
@reads
def list_flows(door: Any) -> None:
    """List what runs by itself: when, why, its next slot, and what holds it."""
    from cli.behind.runs import list_schedules

    list_schedules(door)


@flow.command("pause")
@asks
def pause(
    door: Any,
    name: _NAME,
    reason: _WHY,
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="Last day of the pause.")],
) -> None:
    """Let the slots of a schedule pass, until a day; each leaves a row with the reason."""
    from cli.behind.runs import pause as put

    put(door, name, reason=reason, until=until)


@flow.command("resume")
@asks
def resume(door: Any, name: _NAME, reason: _WHY) -> None:
    """End the pause of a schedule."""
    from cli.behind.runs import resume as end

    end(door, name, reason=reason)


@flow.command("request")
@asks
def request(door: Any, name: _NAME, reason: _WHY) -> None:
    """Ask for a run besides the schedule: the next pass of the clock takes it up."""
    from cli.behind.runs import request as ask

    ask(door, name, reason=reason)
