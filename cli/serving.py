"""The process tree, and Prefect's side of the schedules."""

from typing import Annotated, Any

import typer

from cli.options import reads, speaks
from cli.output import Output


@speaks
def serve(
    _output: Output,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Of the pages; 0 takes any free one.")
    ] = 8700,
    every: Annotated[
        int,
        typer.Option("--every", metavar="SECONDS", min=1, max=3600, help="Pause of our own clock, without Prefect."),
    ] = 60,
    console_port: Annotated[
        int | None,
        typer.Option(
            "--console-port",
            metavar="N",
            min=0,
            max=65535,
            help="Of the console; 0 takes any free one. [default: that of PILOTWAY_CONSOLE; with --port 0 any]",
        ),
    ] = None,
) -> None:
    """Run the console, the clock and all it wakes as one process tree; figures and health on the loopback address.

    With PILOTWAY_PREFECT=on an embedded Prefect server wakes the schedules, without it our own worker.
    """
    from cli.behind.serving import serve_tree

    serve_tree(port=port, every=every, console_port=console_port)


@speaks
def console(
    _output: Output,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Address to answer at. [default: of PILOTWAY_CONSOLE]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=0, max=65535, help="Port. [default: of PILOTWAY_CONSOLE]"),
    ] = None,
) -> None:
    """Answer pages and the API, and nothing else: `serve` starts it beside the clock."""
    from cli.behind.serving import serve_console

    serve_console(host=host, port=port)


def add_to(app: typer.Typer) -> None:
    """Add what of the noun `flow` speaks to Prefect."""
    app.command("deploy")(deploy)
    app.command("status")(status)


@speaks
def deploy(
    output: Output,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a Prefect server that is still starting.")] = False,
) -> None:
    """Write work pool, schedules and the automation for lost runs to the Prefect server that PREFECT_API_URL names."""
    from cli.behind.serving import deploy_all

    deploy_all(output, is_patient=wait)


@reads
def status(door: Any) -> None:
    """Show what runs by itself: when it ran last and runs next, and what the Prefect server knows, if one is named."""
    from cli.behind.serving import show_status

    show_status(door)
