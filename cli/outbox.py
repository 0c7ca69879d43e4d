"""The outbox: what waits, what was refused, what was given up."""

from typing import Annotated, Any

import typer

from cli.options import acts, reads
from cli.output import Column
from models.states import DeliveryStatus

app = typer.Typer(
    help="The outbox: what waits to be told, what was refused, what was given up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_IDS = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, as `outbox list` shows them.")]
_REASON = Annotated[str, typer.Option("--reason", help="Why; it is recorded and shown.")]


@app.command("list")
@reads
def list_outbox(
    door: Any,
    status: Annotated[
        DeliveryStatus | None, typer.Option("--status", help="Only these. [default: all but sent]")
    ] = None,
) -> None:
    """List what has not arrived, the oldest first, with what the other side said last."""
    from lifecycle.deliveries.queries import on_the_way

    columns = (
        Column(key="created_at"),
        Column(key="kind", is_wide=True),
        Column(key="channel", kind="channel"),
        Column(key="recipient", is_wide=True),
        Column(key="status", kind="delivery_status"),
        Column(key="attempts"),
        Column(key="not_before_at"),
        Column(key="said", is_wide=True),
        Column(key="id"),
    )
    door.output.table(columns, door.read(lambda session: on_the_way(session, status)))


@app.command("retry")
@acts
def retry(
    door: Any,
    reason: _REASON,
    ids: _IDS = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was refused or given up, at most 1,000.")] = False,
) -> None:
    """Try again to deliver what was refused or given up: ten times more."""
    from cli.behind.webhooks import retry_messages

    retry_messages(door, tuple(ids or ()), reason, everything=everything)


@app.command("drop")
@acts
def drop(door: Any, reason: _REASON, ids: _IDS = None) -> None:
    """Give up what waits or was refused; the rows stay."""
    from cli.behind.webhooks import drop_messages

    drop_messages(door, tuple(ids or ()), reason)
