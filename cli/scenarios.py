"""A scenario file: organisations, people, money and projects for a rehearsal, made in one go."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import reads


def add_to(app: typer.Typer) -> None:
    """Add the command beside those of the customers and sites of a project."""
    app.command("load")(load)


@reads
def load(
    door: Any,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="pilotway-scenario/1.")
    ],
) -> None:
    """Make what a scenario file names, through the ordinary verbs and all or nothing (rehearsal only).

    What is there already is taken as it is. Exit 3 when a rule refuses something, exit 2 when the file is wrong.
    """
    from cli.behind.scenarios import load_file

    load_file(door, file)
