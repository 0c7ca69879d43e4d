"""Payouts and accounts of payees; payment batches and the bank's answers; what waits for two people."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.binder import Own, Reference, bind
from cli.options import acts, asks, reads
from cli.typing_in import account_typed


def _noun(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


payout = _noun("Payouts: asked for, certified, approved, released, paid.")
payee = _noun("Accounts of payees: entered by the firm, confirmed by a call back.")
bank = _noun("Payment batches, their files, and the bank's answers.")
statement = _noun("What the bank sent: files and their bookings.")
exception = _noun("Cases that wait for two people.")

_PAYOUTS, _PAYEES = "lifecycle.payouts.commands", "lifecycle.payouts.payees"
_BATCHES = "lifecycle.payouts.batches"
_PAYOUT, _ACCOUNT = ("payout_id",), ("payee_account_id",)
_REF = Annotated[str, typer.Argument(metavar="REF", help="Payout: PO-2026-0001, or its id.")]
_BATCH = Annotated[str, typer.Argument(metavar="BATCH", help="Payment batch: PB-2026-0001, or its id.")]
_CASE_ID = Annotated[str, typer.Argument(metavar="ID", help="Case: its id.")]


@payout.command("list")
@reads
def list_payouts(
    door: Any,
    state: Annotated[str, typer.Option("--state", metavar="STATE", help="Only those in this state.")] = "",
    fund: Annotated[str, typer.Option("--fund", metavar="FUND", help="Only those of this fund.")] = "",
    project: Annotated[str, typer.Option("--project", metavar="REF", help="Only those of this project.")] = "",
    due_within: Annotated[
        int | None,
        typer.Option("--due-within", metavar="DAYS", min=0, help="Only those promised within so many days, or before."),
    ] = None,
    is_overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose promised day has passed.")] = False,
) -> None:
    """List payouts: what, for whom, how far, by which day it is promised."""
    from cli.behind.payments import list_payouts as show_all

    ahead = -1 if is_overdue else due_within
    show_all(door, state, fund, project, None if ahead is None else door.today + timedelta(days=ahead))


@payout.command("terms")
@reads
def show_terms(
    door: Any,
    fund: Annotated[str, typer.Option("--fund", metavar="FUND", help="Only those of this fund.")] = "",
    by: Annotated[str, typer.Option("--by", metavar="month|quarter", help="What is added up.")] = "month",
) -> None:
    """Report how the promise of payment is kept: paid in time, late, open, overdue, and in how many days."""
    from cli.behind.payments import show_terms as show_all

    show_all(door, fund, by)


@payout.command("show")
@reads
def show_payout(door: Any, ref: _REF) -> None:
    """Show one payout: who asked, who said what of it, every attempt at the bank."""
    from cli.behind.payments import show_payout as show_one

    show_one(door, ref)


@payout.command("slip")
@reads
def slip(
    door: Any, ref: _REF, html: Annotated[bool, typer.Option("--html", help="As a page to be printed.")] = False
) -> None:
    """Print the approval slip: amount in figures and capitals, payee, who decided, the fund before and after."""
    from cli.behind.slip import print_page, print_text

    (print_page if html else print_text)(door, ref)


@payee.command("list")
@reads
def list_accounts(
    door: Any,
    organisation: Annotated[str, typer.Option("--organisation", metavar="NAME", help="Only those of this firm.")] = "",
) -> None:
    """List accounts of payees: of whom, how far, from which day they can be paid."""
    from cli.behind.payments import list_accounts as show_all

    show_all(door, organisation)


@bank.command("batches")
@reads
def list_batches(
    door: Any, state: Annotated[str, typer.Option("--state", metavar="STATE", help="Only those in this state.")] = ""
) -> None:
    """List payment batches and how far they are."""
    from cli.behind.payments import list_batches as show_all

    show_all(door, state)


@bank.command("show")
@reads
def show_batch(door: Any, ref: _BATCH) -> None:
    """Show one payment batch with its payments."""
    from cli.behind.payments import show_batch as show_one

    show_one(door, ref)


@bank.command("render")
@reads
def render(
    door: Any, ref: _BATCH, out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")]
) -> None:
    """Make the payment file again. Exit 7, and nothing is written, when its bytes are not those that were prepared."""
    from cli.behind.banking import render_batch

    render_batch(door, ref, out)


@bank.command("import")
@asks
def import_files(
    door: Any,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", exists=True, dir_okay=False, readable=True, help="Files of the bank."),
    ],
) -> None:
    """Take files of the bank, each once and whole: by who is named, else by the clock. Exit 6: one was quarantined."""
    from cli.behind.banking import import_all

    import_all(door, files)


@statement.command("list")
@reads
def list_statements(door: Any) -> None:
    """List what the bank sent, with how many bookings are matched, known already or open."""
    from cli.behind.payments import list_statements as show_all

    show_all(door)


@statement.command("show")
@reads
def show_statement(
    door: Any, ref: Annotated[str, typer.Argument(metavar="ID", help="Statement: its id, or the bank's reference.")]
) -> None:
    """Show one statement with its bookings."""
    from cli.behind.payments import show_statement as show_one

    show_one(door, ref)


@statement.command("unmatched")
@reads
def unmatched(door: Any) -> None:
    """List bookings that nothing has explained yet."""
    from cli.behind.payments import list_unmatched

    list_unmatched(door)


@exception.command("list")
@reads
def list_cases(
    door: Any, is_all: Annotated[bool, typer.Option("--all", help="Those that are closed, too.")] = False
) -> None:
    """List what waits for two people."""
    from cli.behind.payments import list_cases as show_all

    show_all(door, None if is_all else "open")


@exception.command("show")
@reads
def show_case(door: Any, ref: _CASE_ID) -> None:
    """Show one case: what does not fit, what can be done, what is proposed."""
    from cli.behind.payments import show_case as show_one

    show_one(door, ref)


@exception.command("propose")
@acts
def propose(
    door: Any,
    ref: _CASE_ID,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The way out; `exception show` lists them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded and shown.")],
    evidence: Annotated[
        Path,
        typer.Option(
            "--evidence",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The bank's written word, or what else it rests on; the file is kept.",
        ),
    ],
    end_to_end_id: Annotated[
        str, typer.Option("--end-to-end-id", metavar="ID", help="The payment that a booking belongs to, for match.")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="settle, return or fee; for match.")] = "",
    recovery: Annotated[
        str, typer.Option("--recovery", metavar="REF", help="The recovery order that a credit repays.")
    ] = "",
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="Refuse unless this is still the version.")
    ] = None,
) -> None:
    """Propose a way out; a second person confirms it."""
    from cli.behind.payments import propose_way_out

    named = {"end_to_end_id": end_to_end_id, "kind": kind, "recovery": recovery}
    propose_way_out(door, ref, action, evidence, reason=reason, named=named, version=version)


@exception.command("confirm")
@acts
def confirm(
    door: Any,
    ref: _CASE_ID,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The way out that you have seen.")],
    proposal_hash: Annotated[
        str,
        typer.Option("--proposal-hash", metavar="SHA256", help="Hash of the proposal, as `exception show` shows it."),
    ],
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="Refuse unless this is still the version.")
    ] = None,
) -> None:
    """Agree to what is proposed, as the second person; it is done at once."""
    from cli.behind.payments import confirm_way_out

    confirm_way_out(door, ref, action, proposal_hash, version)


_ACCOUNT_OF = Own(
    reference=Reference(option="payee", find="payee", metavar="NAME/1234", help="Account: firm/last digits, or its id.")
)
_FILES = Own(option="--evidence", metavar="SHA256", help="SHA-256 of a file it rests on; once for each.")
_MINUTE = Own(
    option="--minute", metavar="SHA256", help="SHA-256 of the committee's minute; it is evidence of the project."
)
_AMOUNT = Own(option="--amount", help="The amount, typed again.")
_SEEN = Own(option="--payload-hash", metavar="SHA256", help="Hash of what was seen. [default: as it is now]")
_FOR = {
    "on_behalf_of": Own(reference=Reference(option="for", find="user", metavar="LOGIN", help="Whom you stand in for."))
}
_DECISION = {"amount_minor": _AMOUNT, "payload_hash": _SEEN, **_FOR}
_APPROVAL = {
    **_DECISION,
    "callback_by": Own(help="Who called the payee back."),
    "callback_at": Own(help="When the payee was called back.", metavar="ISO"),
    "minute_sha256": _MINUTE,
}

bind(
    payout,
    "request",
    f"{_PAYOUTS}:RequestPayout",
    "Ask for the money of an accepted tranche.",
    arguments=("milestone_id",),
    own={
        "payee_account_id": _ACCOUNT_OF,
        "new_amount_minor": Own(option="--amount", help="Amount with at most two decimals."),
        "new_evidence": _FILES,
        "minute_sha256": _MINUTE,
    },
)
bind(
    payout,
    "settle",
    f"{_PAYOUTS}:RequestSettlement",
    "Ask for what the settlement of an agreement pays besides its tranches.",
    arguments=("agreement_id",),
    own={
        "payee_account_id": _ACCOUNT_OF,
        "new_amount_minor": Own(option="--amount", help="Amount with at most two decimals."),
        "new_evidence": _FILES,
        "minute_sha256": _MINUTE,
    },
)
bind(payout, "certify", f"{_PAYOUTS}:Certify", "Say that it is correct.", arguments=_PAYOUT, own=_DECISION)
bind(payout, "approve", f"{_PAYOUTS}:Approve", "Pass it for payment.", arguments=_PAYOUT, own=_APPROVAL)
bind(
    payout, "reapprove", f"{_PAYOUTS}:Reapprove", "Approve what came back once more.", arguments=_PAYOUT, own=_APPROVAL
)
bind(payout, "release", f"{_PAYOUTS}:Release", "Let the next payment run take it.", arguments=_PAYOUT, own=_FOR)
bind(payout, "reject", f"{_PAYOUTS}:Reject", "Refuse it for good.", arguments=_PAYOUT, own=_FOR)
bind(payout, "send-back", f"{_PAYOUTS}:SendBack", "Ask the maker for more.", arguments=_PAYOUT, own=_FOR)
bind(
    payout,
    "amend",
    f"{_PAYOUTS}:Amend",
    "Change amount, account or files; it is certified and approved anew.",
    arguments=_PAYOUT,
    own={
        "payee_account_id": _ACCOUNT_OF,
        "new_amount_minor": Own(option="--amount", help="New amount."),
        "new_evidence": _FILES,
    },
)
bind(payout, "cancel", f"{_PAYOUTS}:Cancel", "Give it up before the bank has it.", arguments=_PAYOUT)
bind(
    bank,
    "find",
    f"{_BATCHES}:Find",
    "Say that an unknown batch did reach the bank; its word is awaited again.",
    arguments=("batch_id",),
    own={
        "batch_id": Own(
            reference=Reference(
                option="batch", find="batch", metavar="BATCH", help="Payment batch: PB-2026-0001, or its id."
            )
        ),
        "why": Own(help="Where it was found."),
        "answer_hours": Own(help="Hours until it is called unknown again."),
    },
)
bind(
    payee,
    "propose",
    f"{_PAYEES}:ProposeAccount",
    "Enter a bank account of the firm.",
    arguments=("organisation_id",),
    own={
        "holder_name": Own(option="--holder", help="Name of the account."),
        "account_number": Own(option="--account", help="Number of the account."),
        "bank_code": Own(option="--bank", help="BIC or CNAPS number of its bank."),
        "bank_name": Own(help="Name of its bank."),
    },
    check=account_typed,
)
bind(
    payee,
    "confirm",
    f"{_PAYEES}:ConfirmAccount",
    "Confirm it after calling back on a number known before.",
    arguments=_ACCOUNT,
    own={"called": Own(help="Whom you called, on which number."), "payee_account_id": _ACCOUNT_OF},
)
bind(
    payee,
    "retire",
    f"{_PAYEES}:RetireAccount",
    "Pay nobody there any more.",
    arguments=_ACCOUNT,
    own={"payee_account_id": _ACCOUNT_OF},
)
