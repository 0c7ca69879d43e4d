"""Gate reviews: panel, scores, proposal, decision."""

from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import reads
from cli.output import Column

app = typer.Typer(help="Gate reviews: panel, scores, proposal, decision.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.reviews.commands"
_REVIEW = ("review_id",)


def _seat(lookup: Any, given: Any) -> Any:
    """Read `LOGIN:ROLE[:competence+competence][:chair|guest]`, once for each person."""
    from cli.behind.panels import seats

    return seats(lookup, given)


def _conditions(lookup: Any, given: Any) -> Any:
    from cli.behind.panels import conditions

    return conditions(lookup, given)


def _points(text: str) -> tuple[str, int]:
    factor, sign, points = text.partition("=")
    if not sign or not points.isdecimal():
        raise ValueError(f"expected FACTOR=0…10, got {text!r}")
    return factor, int(points)


bind(
    app,
    "call",
    f"{_COMMANDS}:CallReview",
    "Call a panel for the present stage; the evidence is frozen from then on.",
    own={
        "planned_on": Own(option="--on", help="Day on which the panel meets."),
        "panel": Own(
            option="--member",
            metavar="LOGIN:ROLE[:COMPETENCE+…][:chair|guest]",
            parse=str,
            build=_seat,
            help="A person of the panel; once for each.",
        ),
    },
)
bind(app, "open", f"{_COMMANDS}:OpenReview", "Open the documents to the panel.", arguments=_REVIEW)
bind(app, "recuse", f"{_COMMANDS}:Recuse", "Step aside because of a conflict of interest.", arguments=_REVIEW)
bind(
    app,
    "score",
    f"{_COMMANDS}:GiveScore",
    "Give points (0 to 10) to every factor, and a vote.",
    arguments=_REVIEW,
    own={
        "points": Own(
            option="--points", metavar="FACTOR=N", parse=_points, help="Points of one factor; once for each."
        ),
        "vote": Own(help="What the project should become."),
    },
)
bind(
    app,
    "propose",
    f"{_COMMANDS}:Propose",
    "Record what the panel decided; final when the notice ends, or at once without one.",
    arguments=_REVIEW,
    own={
        "outcome": Own(help="What the panel decided."),
        "target": Own(option="--to", help="For recycle: stage to go back to."),
        "until_on": Own(help="For hold: its last day."),
        "conditions": Own(
            option="--condition",
            metavar="CLAUSE:LOGIN:DAY[:NOTE]",
            parse=str,
            build=_conditions,
            help="For conditional_go: what stays open, who owes it, until when; once for each.",
        ),
    },
)
bind(app, "decide", f"{_COMMANDS}:Decide", "Make the proposal final after its notice.", arguments=_REVIEW)
bind(app, "reopen", f"{_COMMANDS}:ReopenReview", "Score again after an upheld objection.", arguments=_REVIEW)
bind(app, "cancel", f"{_COMMANDS}:CancelReview", "Call the panel off.", arguments=_REVIEW)
bind(
    app,
    "object",
    f"{_COMMANDS}:Object",
    "Record an objection made during the notice.",
    arguments=_REVIEW,
    own={"raised_by": Own(option="--by", help="Who objects."), "text": Own(help="What is objected.")},
)
bind(
    app,
    "answer-objection",
    f"{_COMMANDS}:AnswerObjection",
    "Uphold or refuse an objection.",
    arguments=("review_id", "objection_id"),
    own={
        "objection_id": Own(help="Id of the objection, as `review show` lists it."),
        "upheld": Own(option="--uphold/--refuse", help="Uphold it, or refuse it."),
        "answer": Own(help="The answer, with its reasons."),
    },
)


@app.command("list")
@reads
def list_reviews(
    door: Any, ref: Annotated[str | None, typer.Argument(metavar="[REF]", help="Only this project's.")] = None
) -> None:
    """List gate reviews, the newest first."""
    from cli.behind.panels import review_list

    columns = (
        Column(key="number"),
        Column(key="gate"),
        Column(key="call_no"),
        Column(key="state", kind="state"),
        Column(key="planned_on"),
        Column(key="outcome", kind="outcome"),
        Column(key="decided_on"),
        Column(key="id"),
    )
    door.output.table(columns, review_list(door, ref))


@app.command("show")
@reads
def show(
    door: Any,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Review: PT-2026-0042, PT-2026-0042/G3, or its id.")],
) -> None:
    """Show one review: panel, votes, scores, conditions, objections."""
    from cli.behind.panels import show_review

    show_review(door, ref)
