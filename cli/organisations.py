"""Organisations: firms, platforms, funds, plants."""

from typing import Any

import typer

from cli.binder import Own, bind
from cli.options import reads
from cli.output import Column

app = typer.Typer(help="Organisations: firms, platforms, funds, plants.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.people.commands"

bind(
    app,
    "add",
    f"{_COMMANDS}:AddOrganisation",
    "Enter an organisation; its credit code is checked.",
    arguments=("name",),
    own={"kind": Own(help="What it mainly is.")},
)
bind(
    app,
    "correct",
    f"{_COMMANDS}:CorrectOrganisation",
    "Put a wrong name or credit code right; its open applications are judged again.",
    arguments=("organisation_id",),
    own={"name": Own(help="The right name."), "credit_code": Own(help="The right unified social credit code.")},
)
bind(
    app,
    "tie",
    f"{_COMMANDS}:TieOrganisations",
    "Record ownership or common control between two organisations.",
    arguments=("organisation_id", "other_id"),
    own={"since_on": Own(help="Since when.")},
)


@app.command("list")
@reads
def list_organisations(door: Any) -> None:
    """List the organisations."""
    from lifecycle.people.queries import organisations

    columns = (
        Column(key="name", is_wide=True),
        Column(key="kind", kind="organisation"),
        Column(key="credit_code"),
        Column(key="id"),
    )
    door.output.table(columns, door.read(organisations))
