"""The database itself: make it, bring it to head, look whether all is well."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import BROKEN
from cli.options import reads, speaks
from cli.output import Column, Output, padded, width_of

CONTRACT = 1
"""Number of the contract that names, columns, exit codes and JSON keys follow (`docs/contract.md`)."""


def add_to(app: typer.Typer) -> None:
    """Add the commands that have no noun."""
    for function in (init, migrate, version, doctor, check, recover, backup, restore):
        app.command(function.__name__)(function)


@reads
def init(
    door: Any,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="MODE", help="production or rehearsal. [default: production]")
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option("--admin", metavar="LOGIN", help="Make this account an administrator and show a token for it."),
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="MAIL", help="Mail address of the administrator.")
    ] = None,
) -> None:
    """Make the database, with the default standard; safe to repeat. With --admin, the first administrator too."""
    from cli.behind.first_steps import make_administrator, make_database

    made = make_database(door, mode)
    if admin is None:
        door.output.record(_ABOUT, made)
        door.output.say("init_next" if not made["has_people"] else "init_done")
        return
    make_administrator(door, admin, email or f"{admin}@localhost")


@speaks
def migrate(output: Output) -> None:
    """Bring the database to the newest form of its tables; safe to repeat."""
    from cli.behind.first_steps import bring_to_head

    output.record((Column(key="schema_revision"),), {"schema_revision": bring_to_head()})


@speaks
def version(output: Output) -> None:
    """Say which program and which database this is."""
    from cli.behind.first_steps import versions

    found = {**versions(), "contract": CONTRACT}
    columns = [Column(key=key) for key in found if key != "packages"]
    output.record(columns, found)


@speaks
def doctor(output: Output) -> None:
    """Look whether this installation can work, and say what to do where it cannot. Exit 7 when something is wrong."""
    from cli.behind.doctor import look_around
    from notifications.words import title

    rows = list(look_around(output))
    is_well = all(row["ok"] for row in rows)
    if output.as_json:
        output.document({"ok": is_well, "checks": rows})
    else:
        names = [title("look", row["name"], output.lang) for row in rows]
        wide = max(map(width_of, names))
        for name, row in zip(names, rows, strict=True):
            mark, colour = ("sound", "") if row["ok"] else ("broken", "red")
            output.line(f"{output.mark(row['pending'] or mark)} {padded(name, wide)}  {row['detail']}", colour)
            if row["remedy"]:
                output.line(f"{' ' * (width_of(output.mark(mark)) + wide + 3)}→ {row['remedy']}")
    if not is_well:
        raise typer.Exit(BROKEN)


@reads
def check(
    door: Any,
    only: Annotated[str, typer.Option("--only", metavar="I05,I07", help="Only these invariants.")] = "",
    is_without_freeze: Annotated[bool, typer.Option("--no-freeze", help="Find only; freeze nothing.")] = False,
) -> None:
    """Ask every invariant in one snapshot. Exit 7 when one is broken; one about money stops all disbursement."""
    from cli.behind.soundness import check_all, find_all

    (find_all if is_without_freeze else check_all)(door, tuple(filter(None, only.split(","))))


@reads
def recover(door: Any) -> None:
    """One pass over everything left unfinished; safe to repeat and to kill. Exit 6 when something could not be done."""
    from cli.behind.soundness import recover_all

    recover_all(door)


@reads
def backup(
    door: Any,
    out: Annotated[Path, typer.Option("--out", help="File to write; it must not exist yet.")],
) -> None:
    """Copy the whole database while others work, with a signed checkpoint. Evidence files lie outside."""
    from cli.behind.keeping import back_up

    back_up(door, out)


@speaks
def restore(
    output: Output,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A backup.")],
) -> None:
    """Restore a backup into an empty database: new epoch, payment files in doubt, disbursement stopped."""
    from cli.behind.keeping import restore_from

    restore_from(output, file)


_ABOUT = (Column(key="database"), Column(key="mode"), Column(key="schema_revision"))
