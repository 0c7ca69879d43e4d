"""Trial batches: what was made, how many were good, what was measured."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.binder import Own, Within, bind
from cli.options import asks, reads
from cli.output import Column
from cli.typing_in import TODAY

app = typer.Typer(
    help="Trial batches: what was made, how many were good, what was measured.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_COMMANDS = "lifecycle.trials.commands"
_BATCH = Within(
    name="number", option="--batch", metavar="B-03", help="Number of the batch, unless REF is PT-2026-0042/B-03."
)
_FIGURES = {
    "started": Own(option="--made", help="Units begun."),
    "passed_first_time": Own(option="--good", help="Units that passed every check without rework."),
    "is_conforming": Own(option="--conforming/--not-conforming", help="Whether the batch as a whole conforms."),
    "defects": Own(option="--defect", metavar="NAME=N", help="Defects by name; may be given several times."),
}
_MEASURED = {
    "characteristic": Own(help="Name of the characteristic."),
    "subgroup": Own(help="Number of the subgroup, from 1."),
    "place": Own(help="Place in the subgroup, from 1."),
    "value": Own(help="The right value."),
}


def _subgroup(text: str) -> tuple[float, ...]:
    return tuple(float(value) for value in text.split(","))


def _subgroups(_lookup: Any, given: Any) -> Any:
    """Values given one by one are subgroups of one."""
    return tuple(given)


bind(
    app,
    "add",
    f"{_COMMANDS}:AddBatch",
    "Record a batch with its first figures.",
    within=_BATCH,
    own={
        **_FIGURES,
        "made_on": Own(option="--on", default=TODAY, help="Day on which it was made."),
        "kind": Own(help="What it was made for."),
        "revision": Own(help="Design revision it was made to."),
        "size": Own(help="Batch size in the project's own unit."),
        "hours": Own(help="How long it ran."),
        "recipe": Own(help="Recipe."),
        "equipment": Own(help="Equipment."),
        "worker": Own(help="Who ran it."),
        "is_closed": Own(option="--closed", help="Nothing follows: judge it from now on."),
    },
)
bind(
    app,
    "correct",
    f"{_COMMANDS}:CorrectBatch",
    "Append corrected figures, with the reason; the earlier ones stay.",
    within=_BATCH,
    own=_FIGURES,
)
bind(app, "close", f"{_COMMANDS}:CloseBatch", "Close a batch: from now on it is judged.", within=_BATCH, own=_FIGURES)
bind(
    app,
    "measure",
    f"{_COMMANDS}:AddMeasurements",
    "Append measured values of one characteristic, subgroup by subgroup in the order of production.",
    arguments=("project_id", "characteristic"),
    within=_BATCH,
    own={
        **_MEASURED,
        "subgroups": Own(
            option="--values", metavar="X,X,…", parse=_subgroup, build=_subgroups, help="One subgroup; once for each."
        ),
    },
)
bind(
    app,
    "correct-measurement",
    f"{_COMMANDS}:CorrectMeasurement",
    "Append a value that replaces a wrong one, with the reason.",
    arguments=("project_id", "characteristic"),
    within=_BATCH,
    own=_MEASURED,
)


@app.command("list")
@reads
def list_batches(
    door: Any, ref: Annotated[str, typer.Argument(metavar="REF", help="Project: PT-2026-0042, or its id.")]
) -> None:
    """List the batches of a project with their figures as they stand."""
    from cli.behind.records import batch_rows

    columns = (
        Column(key="number"),
        Column(key="kind", kind="kind"),
        Column(key="made_on"),
        Column(key="revision"),
        Column(key="started"),
        Column(key="passed_first_time"),
        Column(key="yield"),
        Column(key="bound"),
        Column(key="is_conforming"),
        Column(key="is_closed"),
    )
    door.output.table(columns, batch_rows(door, ref))


@app.command("yield")
@reads
def first_pass_yield(
    door: Any,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Project, or PT-2026-0042/B-03.")],
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.5, max=0.999, help="Of the one-sided lower bound.")
    ] = 0.95,
) -> None:
    """Compute the first-pass yield of each batch with its one-sided lower bound (Clopper-Pearson)."""
    from cli.behind.records import yield_rows

    columns = (
        Column(key="number"),
        Column(key="started"),
        Column(key="passed_first_time"),
        Column(key="yield"),
        Column(key="bound"),
    )
    door.output.table(columns, yield_rows(door, ref, confidence))


_PROJECT = typer.Option("--project", metavar="REF", help="Project: PT-2026-0042, or its id.")


@app.command("import")
@asks
def import_table(
    door: Any,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="XLSX, CSV or CSV.GZ.")
    ],
    project: Annotated[str, _PROJECT],
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row, and write nothing.")
    ] = False,
    is_partial: Annotated[
        bool, typer.Option("--partial", help="Bring the good rows in although others are wrong.")
    ] = False,
    marked: Annotated[
        Path | None,
        typer.Option("--marked", metavar="OUT.xlsx", dir_okay=False, help="Write it again with a note at each error."),
    ] = None,
) -> None:
    """Bring the batches of a project in from a table, by batch number; a repeat changes nothing.

    All rows or none, unless --partial. Exit 3 when cells are wrong and nothing came in, 6 when some rows did.
    """
    from cli.behind.batch_tables import Wish, bring_batches

    bring_batches(door, file, Wish(project, marked, is_dry_run=is_dry_run, is_partial=is_partial))


@app.command("template")
@reads
def template(
    door: Any,
    project: Annotated[str, _PROJECT],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", dir_okay=False, help="Where to; left out, PT-2026-0042-batches.xlsx."),
    ] = None,
) -> None:
    """Write the workbook to fill in: the project's batches as they stand, and room for more."""
    from cli.behind.batch_tables import write_template

    write_template(door, project, out)
