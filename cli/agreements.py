"""Agreements with their tranches and cost statements: what was awarded, reported, released and spent."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import reads

app = typer.Typer(
    help="Agreements: awards of a fund to a project, signed by both.", no_args_is_help=True, rich_markup_mode=None
)
milestone = typer.Typer(
    help="Tranches of agreements: reported, accepted, waived.", no_args_is_help=True, rich_markup_mode=None
)
cost = typer.Typer(help="Cost statements: stated by the firm, verified.", no_args_is_help=True, rich_markup_mode=None)

_COMMANDS = "lifecycle.agreements.commands"
_TRANCHES = "lifecycle.milestones.commands"
_AGREEMENT, _MILESTONE, _COST = ("agreement_id",), ("milestone_id",), ("cost_id",)
_REF = Annotated[str, typer.Argument(metavar="REF", help="Agreement: AG-2026-0001, or its id.")]
_ONLY = Annotated[str, typer.Option("--agreement", metavar="REF", help="Only those of this agreement.")]


@app.command("list")
@reads
def list_agreements(
    door: Any,
    fund: Annotated[str, typer.Option("--fund", metavar="FUND", help="Only those of this fund.")] = "",
    project: Annotated[str, typer.Option("--project", metavar="REF", help="Only those of this project.")] = "",
) -> None:
    """List agreements with what is paid and reserved."""
    from cli.behind.money import list_agreements as show_all

    show_all(door, fund, project)


@app.command("show")
@reads
def show(door: Any, ref: _REF) -> None:
    """Show one agreement: terms, signatures, tranches, supplements, cost."""
    from cli.behind.money import show_agreement

    show_agreement(door, ref)


@app.command("statement")
@reads
def statement(door: Any, ref: _REF) -> None:
    """Show the settlement statement: award, cost, what was paid and came back, what is still due or owed."""
    from cli.behind.endings import show_statement

    show_statement(door, ref)


@milestone.command("list")
@reads
def list_milestones(
    door: Any,
    agreement: _ONLY = "",
    state: Annotated[str, typer.Option("--state", metavar="STATE", help="Only those in this state.")] = "",
) -> None:
    """List tranches: what each is, what it waits for, what was paid."""
    from cli.behind.money import list_milestones as show_all

    show_all(door, agreement, state)


@milestone.command("show")
@reads
def show_milestone(
    door: Any, ref: Annotated[str, typer.Argument(metavar="REF", help="Tranche: AG-2026-0001/T2, or its id.")]
) -> None:
    """Show one tranche: amount, gate, report, who decided."""
    from cli.behind.money import show_milestone as show_one

    show_one(door, ref)


@cost.command("list")
@reads
def list_costs(door: Any, agreement: _ONLY = "") -> None:
    """List cost statements: what was stated and what was accepted."""
    from cli.behind.money import list_costs as show_all

    show_all(door, agreement)


@cost.command("show")
@reads
def show_cost(
    door: Any, ref: Annotated[str, typer.Argument(metavar="REF", help="Statement: AG-2026-0001/1, or its id.")]
) -> None:
    """Show one cost statement."""
    from cli.behind.money import show_cost as show_one

    show_one(door, ref)


def _named(text: str) -> tuple[str, str]:
    """Read `NAME=AMOUNT`; the amount stays text until its currency is known."""
    name, sign, amount = text.partition("=")
    if not name or not sign:
        raise ValueError(f"expected NAME=AMOUNT, got {text!r}")
    return name, amount


def _by_name(given: Mapping[str, str], read: Callable[[str], int]) -> dict[str, int]:
    return {name: read(amount) for name, amount in given.items()}


def _plan(_lookup: Any, given: Any) -> Any:
    from cli.behind.money import planned_tranches

    return planned_tranches(given)


def _changes(given: Any, read: Callable[[str], int]) -> Any:
    from cli.behind.money import changed_tranches

    return changed_tranches(given, read)


_CATEGORIES = Own(
    option="--category",
    parse=_named,
    finish=_by_name,
    metavar="NAME=AMOUNT",
    help="Category of cost with its amount; once for each.",
)

bind(
    app,
    "draft",
    f"{_COMMANDS}:DraftAgreement",
    "Award money of a fund to a project; it counts once both have signed.",
    arguments=("fund_id", "project_id"),
    own={
        "tranches": Own(
            option="--tranche",
            parse=str,
            build=_plan,
            metavar="CODE:SHARE:GATE[:DAY]",
            help="T1:4000:G2, or T1:4000:G3.1+G3.2; the share in basis points. [default: plan of the standard]",
        ),
        "cost_categories": _CATEGORIES,
        "payment_days": Own(help="Days from a complete request to its booking. [default: those of the standard]"),
    },
)
bind(app, "sign", f"{_COMMANDS}:SignAgreement", "Sign for the firm, or for the funder.", arguments=_AGREEMENT)
bind(
    app,
    "supplement",
    f"{_COMMANDS}:SupplementAgreement",
    "Change the agreement under the same number; both sign again.",
    arguments=_AGREEMENT,
    own={
        "tranches": Own(
            option="--tranche",
            parse=str,
            finish=_changes,
            metavar="CODE:[AMOUNT][:GATE][:DAY]",
            help="What becomes different in a tranche of which nothing was asked for yet; once for each.",
        ),
        "cost_categories": _CATEGORIES,
    },
)
bind(
    app,
    "accept-audit",
    f"{_COMMANDS}:AcceptAudit",
    "Accept the audit of the project's money.",
    arguments=_AGREEMENT,
    own={"evidence_sha256": Own(option="--report", help="SHA-256 of the report; it is evidence of the project.")},
)
bind(
    app,
    "settle",
    "lifecycle.endings.commands:SettleAgreement",
    "Settle the agreement on its accepted cost.",
    arguments=_AGREEMENT,
)
bind(app, "close", f"{_COMMANDS}:CloseAgreement", "Close the agreement.", arguments=_AGREEMENT)
bind(
    milestone,
    "submit",
    f"{_TRANCHES}:SubmitMilestone",
    "Hand in what was reached.",
    arguments=_MILESTONE,
    own={
        "evidence": Own(option="--evidence", help="SHA-256 of a file that shows it; once for each.", metavar="SHA256"),
        "figures": Own(option="--figure", help="A figure of the report; once for each."),
    },
)
bind(milestone, "accept", f"{_TRANCHES}:AcceptMilestone", "Release the tranche.", arguments=_MILESTONE)
bind(milestone, "reject", f"{_TRANCHES}:RejectMilestone", "Give the report back.", arguments=_MILESTONE)
bind(
    milestone,
    "announce",
    f"{_TRANCHES}:AnnounceRelease",
    "Begin the public notice of a retention's release.",
    arguments=_MILESTONE,
    own={"where": Own(option="--where", help="Where the notice can be read.")},
)
bind(milestone, "waive", f"{_TRANCHES}:WaiveMilestone", "Take the tranche out of the award.", arguments=_MILESTONE)
bind(
    cost,
    "submit",
    f"{_COMMANDS}:SubmitCost",
    "State the eligible cost of a period.",
    arguments=_AGREEMENT,
    own={
        "by_category": _CATEGORIES,
        "until_on": Own(option="--until", help="Last day of the period."),
        "evidence_sha256": Own(option="--evidence", help="SHA-256 of the file that proves it."),
    },
)
bind(cost, "verify", f"{_COMMANDS}:VerifyCost", "Accept stated cost, wholly or in part.", arguments=_COST)
