"""Evidence: documents with the values of their forms."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.binder import bind
from cli.options import acts, reads
from cli.output import Column

app = typer.Typer(
    help="Evidence: documents with the values of their forms.", no_args_is_help=True, rich_markup_mode=None
)

_REF = Annotated[str, typer.Argument(metavar="REF", help="Project: PT-2026-0042, or its id.")]


@app.command("add")
@acts
def add(
    door: Any,
    ref: _REF,
    type_or_clause: Annotated[
        str, typer.Argument(metavar="TYPE", help="Type of evidence, or a clause that asks for one type only.")
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The document.")
    ],
    values: Annotated[
        list[str], typer.Option("--value", metavar="NAME=VALUE", help="Value of the form; may be given several times.")
    ] = [],  # noqa: B006 - Typer reads it, nobody changes it
    form: Annotated[
        Path | None,
        typer.Option("--form", exists=True, dir_okay=False, help="YAML or JSON file with the values of the form."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="TEXT", help="Design revision it belongs to.")
    ] = None,
) -> None:
    """Hand in a document with the values of its form (`evidence form` shows it); a newer version supersedes."""
    from cli.behind.documents import add_document

    add_document(door, ref, type_or_clause, file, values=values, form=form, revision=revision)


@app.command("form")
@reads
def form(
    door: Any,
    ref: _REF,
    type_or_clause: Annotated[str, typer.Argument(metavar="TYPE", help="Type of evidence, or a clause.")],
) -> None:
    """Show the form of a type of evidence: fields, kinds, units, what must be given."""
    from cli.behind.documents import form_rows

    columns = (
        Column(key="type"),
        Column(key="field"),
        Column(key="title", is_wide=True),
        Column(key="kind"),
        Column(key="unit"),
        Column(key="required"),
        Column(key="choices", is_wide=True),
    )
    door.output.table(columns, form_rows(door, ref, type_or_clause))


bind(
    app,
    "withdraw",
    "lifecycle.requirements.commands:WithdrawEvidence",
    "Take a document back; its row and file stay.",
    arguments=("project_id", "evidence_id"),
)


@app.command("list")
@reads
def list_evidence(
    door: Any,
    ref: _REF,
    is_every: Annotated[bool, typer.Option("--every-version", help="Superseded and withdrawn ones too.")] = False,
) -> None:
    """List the documents of a project."""
    from cli.behind.documents import document_rows

    columns = (
        Column(key="type"),
        Column(key="title", is_wide=True),
        Column(key="key"),
        Column(key="version_no"),
        Column(key="file_name", is_wide=True),
        Column(key="revision"),
        Column(key="submitted_on"),
        Column(key="valid_until_on"),
        Column(key="status", kind="state"),
        Column(key="author"),
        Column(key="sha256"),
        Column(key="id"),
    )
    door.output.table(columns, document_rows(door, ref, is_every=is_every))


@app.command("show")
@reads
def show(
    door: Any,
    evidence_id: Annotated[str, typer.Argument(metavar="ID", help="Document: PT-2026-0042/licence, or its id.")],
) -> None:
    """Show one document: its facts and the values of its form."""
    from cli.behind.documents import show_document

    show_document(door, evidence_id)
