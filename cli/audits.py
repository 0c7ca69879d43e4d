"""The audit trail."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import reads

app = typer.Typer(help="The audit trail: re-compute it, sign its heads.", no_args_is_help=True, rich_markup_mode=None)


@app.command("verify")
@reads
def verify(
    door: Any,
    checkpoint: Annotated[
        list[Path],
        typer.Option(
            "--checkpoint",
            exists=True,
            dir_okay=False,
            help="Compare with this checkpoint; may be given several times.",
        ),
    ] = [],  # noqa: B006 - Typer reads it, nobody changes it
) -> None:
    """Re-compute every chain. Exit 7 when something contradicts it."""
    from cli.behind.soundness import verify_trail

    verify_trail(door, checkpoint)


@app.command("checkpoint")
@reads
def checkpoint(
    door: Any,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write; it must not exist yet. [default: in PILOTWAY_CHECKPOINT_DIR]"),
    ] = None,
) -> None:
    """Write a signed checkpoint of all chain heads."""
    from cli.behind.soundness import write_checkpoint_file

    write_checkpoint_file(door, out)
