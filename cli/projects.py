"""Projects on their way from intake to production."""

from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import asks, reads
from cli.output import Column

app = typer.Typer(help="Projects on their way from intake to production.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.projects.commands"
_REF = Annotated[str, typer.Argument(metavar="REF", help="Project: PT-2026-0042, or its id.")]
_LIST = (
    Column(key="number"),
    Column(key="name", is_wide=True),
    Column(key="organisation", is_wide=True),
    Column(key="stage", kind="state"),
    Column(key="is_on_hold"),
    Column(key="due_on"),
    Column(key="unmet"),
)


@app.command("list")
@reads
def list_projects(
    door: Any,
    stage: Annotated[str, typer.Option("--stage", metavar="STAGE", help="Only those in this stage or end.")] = "",
    is_overdue: Annotated[bool, typer.Option("--overdue", help="Only those past the due day of their stage.")] = False,
    is_on_hold: Annotated[bool, typer.Option("--on-hold", help="Only those on hold.")] = False,
) -> None:
    """List projects: where they stand, until when, and how many requirements are open."""
    from cli.behind.portfolio import project_list

    door.output.table(_LIST, project_list(door, stage=stage, is_overdue=is_overdue, is_on_hold=is_on_hold))


@app.command("show")
@reads
def show(door: Any, ref: _REF) -> None:
    """Show one project: parties, stage, visits, people, what happened."""
    from cli.behind.portfolio import show_project

    show_project(door, ref)


@app.command("todo")
@asks
def todo(door: Any) -> None:
    """List what the acting person owes in all projects: requirements, votes, conditions; soonest due first."""
    from cli.behind.todo import print_todo

    print_todo(door)


@app.command("history")
@asks
def history(
    door: Any,
    ref: _REF,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many acts.")] = 200,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", help="Go on behind this one.")] = 0,
) -> None:
    """Tell every act on a project, the oldest first: when, who, what, from where to where, why; refusals too."""
    from cli.behind.history import tell_history

    tell_history(door, ref, limit=limit, after=after)


@app.command("explain")
@asks
def explain(door: Any, ref: _REF) -> None:
    """Say of every verb whether it is possible now and, if not, every reason with who owes it."""
    from cli.behind.explaining import explain_all

    explain_all(door, ref)


@app.command("why")
@asks
def why(
    door: Any,
    ref: _REF,
    verb: Annotated[list[str], typer.Argument(metavar="VERB", help="advance, evidence add … as `explain` names them.")],
) -> None:
    """Say of one verb whether it is possible now and, if not, every reason. Exit 3 when it is not."""
    from cli.behind.explaining import explain_one

    explain_one(door, ref, " ".join(verb))


bind(
    app,
    "new",
    "lifecycle.projects.registration:RegisterProject",
    "Take an application in; the standard is frozen now.",
    arguments=("name",),
    own={
        "name": Own(help="What is to be brought into production."),
        "organisation_id": Own(option="--firm", help="The applying firm: credit code, name, or id."),
        "received_on": Own(help="Day the application arrived. [default: today]"),
        "profiles": Own(option="--profile", help="Choice that the standard leaves open; may be given several times."),
    },
)
bind(app, "submit", f"{_COMMANDS}:Submit", "Hand the stage in for review.")
bind(app, "advance", f"{_COMMANDS}:Advance", "Move to the next stage, or from handoff into production.")
bind(
    app,
    "recycle",
    f"{_COMMANDS}:Recycle",
    "Send back: this stage again, or an earlier one.",
    own={
        "code": Own(help="completion, design, process, evidence, budget, failure_mode, new_segment or other."),
        "target": Own(option="--to"),
    },
)
bind(
    app,
    "hold",
    f"{_COMMANDS}:PutOnHold",
    "Let nothing move until a day, at most 90 calendar days ahead.",
    own={"code": Own(help="partner, evidence, facility, ehs, overdue_condition, escalation or other.")},
)
bind(app, "extend-hold", f"{_COMMANDS}:ExtendHold", "Move the last day of the hold, once.")
bind(app, "resume", f"{_COMMANDS}:Resume", "End the hold; after an EHS hold two people do.")
bind(app, "transfer", f"{_COMMANDS}:Transfer", "Ask another platform to take the project over.")
bind(app, "accept-transfer", f"{_COMMANDS}:AcceptTransfer", "Take over a project that was offered.")
bind(app, "withdraw", f"{_COMMANDS}:Withdraw", "End the project from the applicant's side.")
bind(
    app,
    "stop",
    f"{_COMMANDS}:Stop",
    "End the project from the fund's side.",
    own={"code": Own(help="rejected, not_feasible, not_economic, stop_loss, misuse, ehs or other.")},
)
bind(
    app,
    "assign",
    f"{_COMMANDS}:Assign",
    "Name a person for a part in the project.",
    arguments=("project_id", "user_id", "role"),
)
bind(
    app,
    "unassign",
    f"{_COMMANDS}:Unassign",
    "End a person's part in the project.",
    arguments=("project_id", "user_id", "role"),
)
bind(
    app,
    "plan-panel",
    f"{_COMMANDS}:PlanPanel",
    "Say when the panel of the present stage shall meet.",
    own={"planned_on": Own(option="--on", help="Day on which it shall meet; what the gate asks is due by then.")},
)
bind(
    app,
    "correct",
    f"{_COMMANDS}:CorrectProject",
    "Record the day of receipt of an imported project, where its source gave none or a wrong one.",
    own={"received_on": Own(help="Day the application arrived.")},
)
bind(
    app,
    "name-party",
    f"{_COMMANDS}:NameParty",
    "Say which plant takes over production, or which party an import left open.",
    arguments=("project_id", "party", "organisation_id"),
    own={"party": Own(help="sme, platform or receiver.")},
)
