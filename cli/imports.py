"""Import: what another register knows comes in."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import asks, speaks
from cli.output import Column, Output

app = typer.Typer(help="Import: what another register knows comes in.", no_args_is_help=True, rich_markup_mode=None)


@app.command("projects")
@asks
def projects(
    door: Any,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV, CSV.GZ or XLSX.")
    ],
    mapping: Annotated[
        str, typer.Option("--mapping", metavar="NAME|FILE", help="Which column is what; `import mappings` lists names.")
    ],
    programme: Annotated[str, typer.Option("--programme", metavar="CODE", help="Programme they come into.")],
    platform: Annotated[
        str | None, typer.Option("--platform", metavar="CODE|NAME", help="Platform that looks after them.")
    ] = None,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row, and write nothing.")
    ] = False,
    is_partial: Annotated[
        bool, typer.Option("--partial", help="Bring the good rows in although others are wrong.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option("--errors", metavar="OUT.csv", dir_okay=False, help="Write every wrong row and why.")
    ] = None,
) -> None:
    """Bring projects in, each in the stage it is really in; a repeat changes nothing.

    All rows or none, unless --partial. Exit 3 when rows are wrong and nothing came in, 6 when some did.
    """
    from cli.behind.bringing import Wish, bring_projects

    wish = Wish(mapping, programme, platform, errors, is_dry_run=is_dry_run, is_partial=is_partial)
    bring_projects(door, file, wish)


@app.command("mappings")
@speaks
def mappings(output: Output) -> None:
    """List the mappings that come with Pilotway."""
    from cli.behind.bringing import mapping_rows

    columns = (Column(key="name"), Column(key="source"), Column(key="format"), Column(key="about", is_wide=True))
    output.table(columns, mapping_rows(output))
