"""Funds: whose money it is, what is promised and paid, who paid in, and who may approve how much."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.binder import Own, Reference, bind
from cli.options import reads
from cli.typing_in import account_typed

app = typer.Typer(
    help="Funds: what is promised, paid and free, and who may approve how much.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_COMMANDS = "lifecycle.funds.commands"
_CORRECTIONS = "lifecycle.funds.corrections"
_FUND = ("fund_id",)
_REF = Annotated[str, typer.Argument(metavar="FUND", help="Fund: its code, or its id.")]


@app.command("list")
@reads
def list_funds(door: Any) -> None:
    """List funds with their position: promised, reserved, paid, free."""
    from cli.behind.money import list_funds as show_all

    show_all(door)


@app.command("show")
@reads
def show(door: Any, ref: _REF) -> None:
    """Show one fund: its position and its investors."""
    from cli.behind.money import show_fund

    show_fund(door, ref)


@app.command("investors")
@reads
def investors(door: Any, ref: _REF) -> None:
    """Show what each investor committed, was asked for and paid in."""
    from cli.behind.money import show_investors

    show_investors(door, ref)


@app.command("ledger")
@reads
def ledger(
    door: Any,
    ref: _REF,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", help="Only lines behind this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Lines of the page, 200 at most.")] = 200,
) -> None:
    """Show the lines of the ledger, page by page."""
    from cli.behind.money import show_ledger

    show_ledger(door, ref, after, limit)


@app.command("burn")
@reads
def burn(door: Any, ref: _REF) -> None:
    """Show what was planned, came in and was paid, month by month."""
    from cli.behind.money import show_burn

    show_burn(door, ref)


def _signed(text: str, read: Callable[[str], int]) -> int:
    return -read(text[1:]) if text.startswith("-") else read(text)


def _or_nothing(text: str, read: Callable[[str], int]) -> int:
    return 0 if text.strip() == "0" else read(text)


def _tiers(given: Any, read: Callable[[str], int]) -> Any:
    from cli.behind.money import tiers

    return tiers(given, read)


bind(
    app,
    "add",
    f"{_COMMANDS}:AddFund",
    "Open a fund with its accounts and the default approval tiers.",
    arguments=("code", "name"),
    own={"code": Own(help="Short code, such as F1."), "organisation_id": Own(help="The funder.")},
    check=account_typed,
)
bind(
    app,
    "correct",
    f"{_CORRECTIONS}:CorrectFund",
    "Put a typing error right: the name, or the account while no money has moved.",
    arguments=_FUND,
    check=account_typed,
)
bind(
    app,
    "resize",
    f"{_COMMANDS}:ResizeFund",
    "Raise or lower what the fund may promise in all.",
    arguments=_FUND,
    own={"commitment_minor": Own(option="--commitment", help="What it may promise from now on.")},
)
bind(
    app,
    "commit",
    f"{_COMMANDS}:Commit",
    "Enter what an investor commits; a second commitment raises the first.",
    arguments=_FUND,
    own={
        "organisation_id": Own(
            reference=Reference(
                option="investor", find="organisation", metavar="NAME", help="Investor: credit code, name, or id."
            )
        ),
        "kind": Own(help="Where the money comes from."),
    },
)
bind(
    app,
    "amend-commitment",
    f"{_CORRECTIONS}:AmendCommitment",
    "Put right what an investor committed in all; what stood there stays in the history.",
    arguments=_FUND,
    own={"amount_minor": Own(finish=_or_nothing, help="What it committed in all; 0 where it committed nothing.")},
)
bind(app, "call", f"{_COMMANDS}:CallCapital", "Ask the investors to pay in, in proportion.", arguments=_FUND)
bind(
    app,
    "cancel-call",
    f"{_CORRECTIONS}:CancelCall",
    "Take a capital call back before any money came on it.",
    arguments=(*_FUND, "call_no"),
    own={"call_no": Own(help="Number of the call, as `call` gave it and `investors` shows it.")},
)
bind(
    app,
    "contribute",
    f"{_COMMANDS}:Contribute",
    "Book money that came in from an investor, or, negative, went back.",
    arguments=_FUND,
    own={"amount_minor": Own(finish=_signed, help="Amount; -100.00 for money that went back.")},
)
bind(
    app,
    "hold",
    f"{_COMMANDS}:HoldFund",
    "Let no money of the fund be approved or released.",
    arguments=_FUND,
    own={"code": Own(help="mismatch, audit, misuse, bank or other.")},
)
bind(app, "resume", f"{_COMMANDS}:ResumeFund", "End the hold; two different people do.", arguments=_FUND)
bind(
    app,
    "set-tiers",
    f"{_COMMANDS}:SetTiers",
    "Set how many people approve which amount.",
    arguments=_FUND,
    own={
        "tiers": Own(
            option="--tier",
            parse=str,
            finish=_tiers,
            metavar="AMOUNT:N[:director][:minute]",
            help="Up to which amount how many approve; the last one is max:N. Once for each tier.",
        )
    },
)
bind(
    app,
    "set-limit",
    f"{_COMMANDS}:SetLimit",
    "Set how much a role or one person may approve.",
    arguments=_FUND,
    own={"role": Own(help="fund_manager or fund_director.")},
)
bind(app, "close", f"{_COMMANDS}:CloseFund", "Close the fund for good.", arguments=_FUND)
