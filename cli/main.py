"""The command line: `pilotway`."""

from importlib.metadata import version as installed_version

import typer

app = typer.Typer(no_args_is_help=True, help="Moves pilot-test (中试) projects from intake to handoff.")


@app.callback()
def pilotway() -> None:
    """Keep `version` a command of its own while it is the only one."""


@app.command()
def version() -> None:
    """Say which version is installed."""
    typer.echo(installed_version("pilotway"))


def main() -> None:
    """Start the command line."""
    app()
