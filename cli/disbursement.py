"""Disbursement as a whole: stopped by anybody who answers for money, let go by two of them."""

from typing import Any

import typer

from cli.binder import Own, bind
from cli.options import reads
from cli.output import Column

app = typer.Typer(help="All disbursement: stop it, let it go on.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.disbursement.commands"
_ONLY_ONE = Own(is_asked=False)

bind(
    app,
    "freeze",
    f"{_COMMANDS}:Freeze",
    "Stop all disbursement until two people lift it.",
    arguments=(),
    own={"disbursement_id": _ONLY_ONE, "checks": Own(is_asked=False)},
)
bind(
    app,
    "lift",
    f"{_COMMANDS}:Lift",
    "Let disbursement go on: the first of two people signs, the second lifts the oldest hold.",
    arguments=(),
    own={"disbursement_id": _ONLY_ONE},
)


@app.command("show")
@reads
def show(door: Any) -> None:
    """Show what disbursement waits for; nothing when money may leave."""
    from lifecycle.disbursement.commands import standing_holds

    columns = (Column(key="reason"), Column(key="note", is_wide=True), Column(key="from_at"), Column(key="id"))
    door.output.table(columns, [row._asdict() for row in door.read(standing_holds)])
