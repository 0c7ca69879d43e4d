"""People: accounts, roles, tokens."""

from typing import Annotated, Any

import typer

from cli.binder import LOGIN, Own, Reference, bind
from cli.options import acts, reads
from cli.output import Column

app = typer.Typer(help="People: accounts, roles, tokens.", no_args_is_help=True, rich_markup_mode=None)
role = typer.Typer(help="Roles of a user.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.people.commands"
DAYS_OF_A_TOKEN = 90
_SAME_PERSON = Reference(
    option="same-person-as", find="person", metavar="LOGIN", help="Another account of the same human."
)

bind(
    app,
    "add",
    f"{_COMMANDS}:AddUser",
    "Enter a person's account.",
    arguments=("login",),
    own={"login": Own(help="Name to sign in with."), "person_id": Own(reference=_SAME_PERSON)},
)
bind(app, "disable", f"{_COMMANDS}:DisableUser", "Disable an account; its history stays.", arguments=("user_id",))
bind(app, "enable", f"{_COMMANDS}:EnableUser", "Let a disabled account in again.", arguments=("user_id",))
bind(
    app,
    "reset-access",
    "lifecycle.access.commands:ResetAccess",
    "Take password and second factors from an account and end its sessions; set a password afterwards.",
    arguments=("user_id",),
)
bind(
    role,
    "add",
    f"{_COMMANDS}:GrantRole",
    "Give a user a role at one organisation; who works for all or is named for projects may be without one.",
    arguments=("user_id", "role"),
    own={"user_id": Own(reference=LOGIN), "organisation_id": Own(option="--at")},
)
bind(
    role,
    "remove",
    f"{_COMMANDS}:RevokeRole",
    "Take a role back; it ends with the next request.",
    arguments=("user_id", "grant_id"),
    own={"grant_id": Own(help="Id of the grant, as `user role list` shows it.")},
)
app.add_typer(role, name="role")
delegation = typer.Typer(
    help="Delegations: who stands in for whom, from when to when.", no_args_is_help=True, rich_markup_mode=None
)
bind(
    delegation,
    "add",
    f"{_COMMANDS}:Delegate",
    "Let somebody stand in for you in one role.",
    arguments=("user_id", "role"),
    own={
        "user_id": Own(reference=LOGIN),
        "organisation_id": Own(option="--at"),
        "from_on": Own(option="--from", help="First day."),
        "until_on": Own(option="--until", help="Last day."),
    },
)
bind(
    delegation,
    "end",
    f"{_COMMANDS}:EndDelegation",
    "End a delegation before its last day.",
    arguments=("user_id", "delegation_id"),
    own={"delegation_id": Own(help="Id of the delegation, as `user delegation list` shows it.")},
)
app.add_typer(delegation, name="delegation")


@app.command("token")
@acts
def token(
    door: Any,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="User: login, or id.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Days until it ends.")] = DAYS_OF_A_TOKEN,
) -> None:
    """Give a user an API token. It is shown once: only its SHA-256 is stored."""
    from cli.behind.tokens import give_token

    give_token(door, login, days=days, actor=None)


@app.command("password")
@acts
def password(door: Any, login: Annotated[str, typer.Argument(metavar="LOGIN", help="User: login, or id.")]) -> None:
    """Set the password that a user signs in with in the browser: asked for, or one line on stdin."""
    from cli.behind.passwords import set_password

    set_password(door, login)


@app.command("list")
@reads
def list_users(door: Any) -> None:
    """List the accounts: who may be named as an expert has competences."""
    from lifecycle.people.queries import users

    columns = (
        Column(key="login"),
        Column(key="name", is_wide=True),
        Column(key="roles", kind="role", is_wide=True),
        Column(key="competences", kind="competence", is_wide=True),
        Column(key="email"),
        Column(key="status", kind="state"),
    )
    door.output.table(columns, door.read(users))


@delegation.command("list")
@reads
def list_delegations(door: Any) -> None:
    """List who stands in for whom."""
    from lifecycle.people.queries import delegations

    columns = (
        Column(key="absent"),
        Column(key="stands_in"),
        Column(key="role", kind="role"),
        Column(key="organisation", is_wide=True),
        Column(key="from_on"),
        Column(key="until_on"),
        Column(key="delegation_id"),
    )
    door.output.table(columns, door.read(delegations))


@role.command("list")
@reads
def list_roles(
    door: Any, login: Annotated[str | None, typer.Argument(metavar="[LOGIN]", help="Only this user's.")] = None
) -> None:
    """List who holds which role where."""
    from lifecycle.people.queries import grants

    columns = (
        Column(key="login"),
        Column(key="role", kind="role"),
        Column(key="organisation", is_wide=True),
        Column(key="grant_id"),
    )
    rows = door.read(lambda session: grants(session, door.lookup(session).user(login) if login else None))
    door.output.table(columns, rows)
