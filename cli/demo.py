"""The demonstration: a whole story in one database."""

from typing import Annotated, Any

import typer

from cli.options import speaks
from cli.output import Output

TODAY_OF_THE_STORY = "2025-11-21"


@speaks
def demo(
    output: Output,
    at: Annotated[
        str, typer.Option("--at", metavar="DAY", help="Day up to which the story is played.")
    ] = TODAY_OF_THE_STORY,
    forward: Annotated[
        str | None,
        typer.Option("--forward", metavar="30d", help="Play nothing; move the clock of the demonstration by days."),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin anew: an earlier demonstration is deleted.")] = False,
    no_serve: Annotated[  # noqa: ARG001 - nothing is served yet; scripts may say so already
        bool, typer.Option("--no-serve", help="Only play; nothing is served in this release anyway.")
    ] = False,
) -> None:
    """Play 24 projects over 17 months into the database, a rehearsal, and say who can sign in."""
    from cli.behind import story

    told: dict[str, Any] = story.move_clock(forward) if forward else story.tell_story(output, at, is_anew=reset)
    story.show(output, told)
