"""Standards: what the stages ask for, in published versions."""

from typing import Annotated, Any

import typer

from cli.options import acts, reads, speaks
from cli.output import Column, Output

app = typer.Typer(
    help="Standards: what the stages ask for, in published versions.", no_args_is_help=True, rich_markup_mode=None
)

_PACK = Annotated[
    str, typer.Argument(metavar="STANDARD", help="Folder of a pack, or code@version of one that comes with Pilotway.")
]
_PROBLEMS = (Column(key="line"), Column(key="path"), Column(key="problem", is_wide=True))


@app.command("list")
@reads
def list_standards(door: Any) -> None:
    """List the published standards."""
    from lifecycle.people.queries import standards

    columns = (Column(key="code"), Column(key="version"), Column(key="sha256"), Column(key="published_at"))
    door.output.table(columns, door.read(standards))


@app.command("show")
@reads
def show(
    door: Any,
    standard: Annotated[
        str, typer.Argument(metavar="STANDARD", help="Folder of a pack, or code@version: shipped or published.")
    ] = "default@2026.1",
    stage: Annotated[str, typer.Option("--stage", metavar="STAGE", help="Only this stage.")] = "",
    is_full: Annotated[bool, typer.Option("--full", help="With the sentence and the limits of each.")] = False,
) -> None:
    """Show what a standard asks, stage by stage."""
    from cli.behind.packs import show_pack

    show_pack(door, standard, stage, is_full=is_full)


@app.command("lint")
@speaks
def lint(output: Output, standard: _PACK) -> None:
    """Look whether a pack may be published: complete, in both languages, loosening nothing. Exit 3 when it may not."""
    from cli.behind.packs import lint_pack

    lint_pack(output, standard, _PROBLEMS)


@app.command("diff")
@speaks
def diff(
    output: Output,
    base: Annotated[str, typer.Argument(metavar="BASE", help="The standard that is built on.")],
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="The standard that tightens it.")],
) -> None:
    """Name every place where LAYER asks for less than BASE. Exit 3 when there is one."""
    from cli.behind.packs import compare_packs

    compare_packs(output, base, layer, _PROBLEMS)


@app.command("simulate")
@reads
def simulate(
    door: Any,
    standard: Annotated[
        str, typer.Argument(metavar="STANDARD", help="Folder of a pack, or code@version: shipped or published.")
    ],
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="BASE",
            help="Published code@version that projects have frozen; by default the one that STANDARD replaces.",
        ),
    ] = "",
) -> None:
    """Judge projects that have frozen BASE by STANDARD: their present gates, and the gates that they passed.

    Nothing is written. A row for each clause that would say something else; with --json for every clause judged.
    """
    from cli.behind.ahead import simulate_pack

    simulate_pack(door, standard, base)


@app.command("propose")
@acts
def propose(
    door: Any,
    standard: _PACK,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the standard changes.")],
) -> None:
    """Hand a pack that passes `lint` to a second editor, who publishes it."""
    from cli.behind.packs import propose_pack

    propose_pack(door, standard, reason)


@app.command("publish")
@acts
def publish(door: Any, standard: _PACK) -> None:
    """Publish a pack that passes `lint`; for real work, one that another editor has handed over."""
    from cli.behind.packs import publish_pack

    publish_pack(door, standard)
