"""Programmes: calls, each with the standard it asks for."""

from typing import Any

import typer

from cli.binder import Own, Reference, bind
from cli.options import reads
from cli.output import Column

app = typer.Typer(
    help="Programmes: calls, each with the standard it asks for.", no_args_is_help=True, rich_markup_mode=None
)

_STANDARD = Reference(
    option="standard", find="standard", metavar="CODE@VERSION", help="Published standard, such as default@2026.1."
)

bind(
    app,
    "add",
    "lifecycle.people.commands:AddProgramme",
    "Open a programme.",
    arguments=("code",),
    own={
        "code": Own(help="Short code, unique."),
        "pack_sha256": Own(option="--standard", reference=_STANDARD),
        "organisation_id": Own(help="Programme office or fund: credit code, name, or id."),
        "profiles": Own(option="--profile", help="Choice that the standard leaves open; may be given several times."),
        "has_fund": Own(option="--with-fund", help="It pays grants; what an entry asks about money is asked."),
    },
)


@app.command("list")
@reads
def list_programmes(door: Any) -> None:
    """List the programmes."""
    from lifecycle.people.queries import programmes

    columns = (
        Column(key="code"),
        Column(key="name", is_wide=True),
        Column(key="standard"),
        Column(key="organisation", is_wide=True),
    )
    door.output.table(columns, door.read(programmes))
