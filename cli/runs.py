"""Scheduled work at once."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.options import reads


class Run(StrEnum):
    """What can be run; more comes with the parts that have it."""

    STAGE_DEADLINES = "stage-deadlines"
    DISBURSEMENT = "disbursement"
    RECONCILIATION = "reconciliation"


@reads
def run(
    door: Any,
    name: Annotated[Run, typer.Argument(help="Which scheduled work.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due and write nothing.")] = False,
) -> None:
    """Do what is due now: what ends or is overdue by the clock, payment files, or the bank's answers.

    Exit 3 when disbursement is stopped, 6 when something could not be done.
    """
    from cli.behind.runs import run_now

    run_now(door, str(name), look_only=dry_run)
