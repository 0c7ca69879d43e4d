"""Gates: what a stage still asks, and the judgements, waivers and notices about it."""

from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import reads

app = typer.Typer(
    help="Gates: what a stage still asks, and what is said of it.", no_args_is_help=True, rich_markup_mode=None
)
notice = typer.Typer(
    help="Completion notices: the one list of what the firm owes.", no_args_is_help=True, rich_markup_mode=None
)

_COMMANDS = "lifecycle.requirements.commands"
_CLAUSE = ("project_id", "clause")


@app.command("check")
@reads
def check(
    door: Any,
    ref: Annotated[str | None, typer.Argument(metavar="[REF]", help="Project: PT-2026-0042, or its id.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Every project that has not ended.")] = False,
    is_full: Annotated[bool, typer.Option("--full", help="Name what is met too.")] = False,
) -> None:
    """Judge every requirement of the present stage now. Exit 3 when something is unmet."""
    from cli.behind.gate_check import check_all, check_one

    if is_all == (ref is not None):
        raise typer.BadParameter("give a project, or --all")
    if ref is None:
        check_all(door)
    else:
        check_one(door, ref, is_full=is_full)


@app.command("list")
@reads
def list_gates(
    door: Any,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Project: PT-2026-0042, or its id.")],
    stage: Annotated[str, typer.Option("--stage", metavar="STAGE", help="Another stage than the present one.")] = "",
    is_full: Annotated[bool, typer.Option("--full", help="With the sentence and the limits of each.")] = False,
) -> None:
    """List what the standard of a project asks: clause, title, how it is judged, who owes it, who judges."""
    from cli.behind.gate_check import list_criteria

    list_criteria(door, ref, stage, is_full=is_full)


bind(
    app,
    "judge",
    f"{_COMMANDS}:JudgeRequirement",
    "Say yes or no to a requirement, in the role that the standard names.",
    arguments=_CLAUSE,
    own={
        "yes": Own(option="--accept/--refuse", help="Accept it, or refuse it."),
        "part": Own(help="Which document is meant, where a requirement has several."),
        "competence": Own(help="In which competence, where the standard asks for one."),
    },
)
bind(
    app,
    "waive",
    f"{_COMMANDS}:WaiveRequirement",
    "Give leave to pass without a W requirement, until a day.",
    arguments=_CLAUSE,
)
bind(app, "confirm-waiver", f"{_COMMANDS}:ConfirmWaiver", "Be the second person of a waiver.", arguments=_CLAUSE)
bind(
    app,
    "reopen",
    f"{_COMMANDS}:ReopenRequirement",
    "Let the judgements of a requirement count no longer.",
    arguments=_CLAUSE,
)
bind(notice, "issue", f"{_COMMANDS}:IssueNotice", "Tell the firm once and completely what it still owes.")
bind(notice, "answer", f"{_COMMANDS}:AnswerNotice", "Say that the list was answered.")
app.add_typer(notice, name="notice")
