"""Replay: what a past year would have looked like under these rules, in a database made for it and thrown away."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import speaks
from cli.output import Output


@speaks
def replay(
    output: Output,
    *,
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG", exists=True, dir_okay=False, readable=True, help="XES or CSV, also packed (.gz)."
        ),
    ],
    mapping: Annotated[
        str, typer.Option("--mapping", metavar="NAME|FILE", help="Which event is which act: a shipped name, or a file.")
    ],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.json", dir_okay=False, help="Write the whole report.")
    ] = None,
    first: Annotated[
        int | None, typer.Option("--first", metavar="N", min=1, help="Play only the first N cases or entries.")
    ] = None,
    days: Annotated[
        int,
        typer.Option("--days", metavar="N", min=1, max=31, help="Days that share a clock: fewer is truer and slower."),
    ] = 7,
) -> None:
    """Play a log of requests, approvals and payments through the very commands, and say what would be refused and why.

    Nothing of any other database is read or written. Exit 6 when some of the log could not be read.
    """
    from cli.behind.replaying import Wish, replay_log

    replay_log(output, log, Wish(mapping=mapping, report=report, first=first, days=days))
