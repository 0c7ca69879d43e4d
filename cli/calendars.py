"""The working calendar: its days, what was set against it, and which years are announced."""

from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import reads

app = typer.Typer(
    help="The working calendar: days off and worked, our own days, announced years.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_COMMANDS = "lifecycle.calendars.commands"
_ONLY_ONE = Own(is_asked=False)
_NOTICE = Own(help="Number of the notice, or the decision, that says so.")

bind(
    app,
    "override",
    f"{_COMMANDS}:OverrideDay",
    "Set a day against the calendar; open deadlines move with it, passed ones never.",
    arguments=("day",),
    own={
        "calendar_id": _ONLY_ONE,
        "day": Own(help="The day: 2026-02-14."),
        "is_working_day": Own(option="--work/--off", help="Whether people work on it."),
        "name": Own(help="What day it is."),
        "notice": _NOTICE,
    },
)
bind(
    app,
    "announce",
    f"{_COMMANDS}:AnnounceYear",
    "Enter the published schedule of a year; without days those that were guessed are right.",
    arguments=("year",),
    own={
        "calendar_id": _ONLY_ONE,
        "year": Own(help="The year."),
        "notice": _NOTICE,
        "off": Own(help="A day off; may be given several times."),
        "works": Own(option="--work", help="A Saturday or Sunday on which people work; may be given several times."),
    },
)


@app.command("list")
@reads
def list_days(door: Any) -> None:
    """List the days set against the calendar, and the years announced since this program was made."""
    from cli.behind.calendars import show_overrides

    show_overrides(door)


@app.command("show")
@reads
def show(
    door: Any,
    year: Annotated[int, typer.Argument(metavar="YEAR", min=2000, max=2099, help="The year.")],
    programme: Annotated[str, typer.Option("--programme", metavar="CODE", help="As this programme counts.")] = "",
) -> None:
    """Show the days of a year that differ from Monday to Friday, and whether its schedule is announced."""
    from cli.behind.calendars import show_year

    show_year(door, year, programme)
