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
    programme: Annotated[str, typer.Option("--programme", metavar="CODE", help="Programme they come into.")],
    mapping: Annotated[
        str | None,
        typer.Option("--mapping", metavar="NAME|FILE", help="A mapping that says all; `import mappings` lists names."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="HEADING=FIELD,…",
            help="What columns are where their headings do not say it, nothing to leave one out; see `import fields`.",
        ),
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="STAGE", help="Stage of all projects, where no column says it.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Of the amounts, where no column says it: CNY.")
    ] = None,
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
        Path | None,
        typer.Option(
            "--errors",
            metavar="OUT.xlsx|OUT.csv",
            dir_okay=False,
            help="Write every wrong row and why, XLSX with notes.",
        ),
    ] = None,
) -> None:
    """Bring projects in, each in the stage it is really in; a repeat changes nothing.

    Without a mapping the headings say what columns are, else what was chosen for the last table with these headings.

    All rows or none, unless --partial. Exit 3 when rows are wrong and nothing came in, 6 when some did.
    """
    from cli.behind.bringing import Wish, bring_projects
    from cli.behind.import_table import Said

    said = Said(mapping=mapping, columns=columns, stage=stage, currency=currency)
    wish = Wish(said, programme, platform, errors, is_dry_run=is_dry_run, is_partial=is_partial)
    bring_projects(door, file, wish)


@app.command("mappings")
@speaks
def mappings(output: Output) -> None:
    """List the mappings that come with Pilotway."""
    from cli.behind.bringing import mapping_rows

    columns = (Column(key="name"), Column(key="source"), Column(key="format"), Column(key="about", is_wide=True))
    output.table(columns, mapping_rows(output))


@app.command("fields")
@speaks
def fields(output: Output) -> None:
    """List what a column may be, and by which headings it is known."""
    from cli.behind.import_table import field_rows

    output.table((Column(key="field"), Column(key="headings", is_wide=True)), field_rows(output))


@app.command("template")
@speaks
def template(
    output: Output,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT.xlsx", dir_okay=False, help="Where it is written.")],
) -> None:
    """Write the workbook to fill in: headings in both languages, drop-downs."""
    from cli.behind.import_table import write_template

    write_template(output, out)
