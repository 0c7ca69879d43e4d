"""Recovery orders: money that a firm owes back, repaid, set off or written off."""

from typing import Annotated, Any

import typer

from cli.binder import Own, Reference, bind
from cli.options import reads

app = typer.Typer(help="Recovery orders: money that a firm owes back.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.endings.commands"
_ORDER = ("recovery_id",)
_TRANCHE = Reference(option="milestone", find="milestone", metavar="REF", help="Tranche: AG-2026-0001/T2, or its id.")


@app.command("list")
@reads
def list_recoveries(
    door: Any,
    agreement: Annotated[str, typer.Option("--agreement", metavar="REF", help="Only those of this agreement.")] = "",
) -> None:
    """List recovery orders with what is still owed."""
    from cli.behind.endings import list_recoveries as show_all

    show_all(door, agreement)


@app.command("show")
@reads
def show(
    door: Any, ref: Annotated[str, typer.Argument(metavar="REF", help="Recovery order: RC-2026-0001, or its id.")]
) -> None:
    """Show one recovery order: why, by whom, and how each part of it was met."""
    from cli.behind.endings import show_recovery

    show_recovery(door, ref)


bind(app, "order", f"{_COMMANDS}:OrderRecovery", "Ask the firm to pay money back.", arguments=("agreement_id",))
bind(
    app,
    "repay",
    f"{_COMMANDS}:RepayRecovery",
    "Book money that the firm paid back.",
    arguments=_ORDER,
    own={
        "exception_id": Own(help="Case in which two people agreed on it; then they need not be the accountant."),
        "statement_line_id": Own(help="The booking of the bank that waits in suspense; all of it is this repayment."),
    },
)
bind(
    app,
    "set-off",
    f"{_COMMANDS}:SetOffRecovery",
    "Set the debt off against a released tranche of the same firm and fund.",
    arguments=_ORDER,
    own={
        "milestone_id": Own(reference=_TRANCHE),
        "notified_on": Own(option="--notified", help="Day on which the firm was told."),
    },
)
bind(
    app,
    "write-off",
    f"{_COMMANDS}:WriteOffRecovery",
    "Give up what is still owed: one person proposes, a second confirms.",
    arguments=_ORDER,
)
