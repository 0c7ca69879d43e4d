"""Entries of the ledger, as rows to be sealed with the act that makes them (`safety.md` 2.4). Pure.

A posting's sign is the change of its account; the postings of an entry sum to zero. Cash at the bank of a fund is
available + reserved + its part of suspense.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.commands import THIS_BANK_EVENT
from models.base import Row
from models.ledger import Posting
from models.states import AccountKind, PostingKind

Sealed: TypeAlias = tuple[tuple[type[Row], Mapping[str, Any]], ...]
Accounts: TypeAlias = Mapping[AccountKind, Any]
"""Kind -> row of the account: the four of one fund, and the two shared ones of its currency."""

FROM_TO: Mapping[PostingKind, tuple[AccountKind, AccountKind]] = {
    PostingKind.FUND_IN: (AccountKind.EXTERNAL, AccountKind.AVAILABLE),
    PostingKind.FUND_OUT: (AccountKind.AVAILABLE, AccountKind.EXTERNAL),
    PostingKind.RESERVE: (AccountKind.AVAILABLE, AccountKind.RESERVED),
    PostingKind.VOID: (AccountKind.RESERVED, AccountKind.AVAILABLE),
    PostingKind.POST: (AccountKind.RESERVED, AccountKind.PAID),
    PostingKind.RETURN: (AccountKind.PAID, AccountKind.AVAILABLE),
    PostingKind.FEE: (AccountKind.AVAILABLE, AccountKind.FEE),
    PostingKind.RECOVERY: (AccountKind.EXTERNAL, AccountKind.AVAILABLE),
    PostingKind.SUSPENSE: (AccountKind.EXTERNAL, AccountKind.SUSPENSE),
    PostingKind.CORRECTION: (AccountKind.AVAILABLE, AccountKind.SUSPENSE),
}
"""What each kind of entry takes from and gives to; a negative amount of suspense goes the other way round."""


def entry(
    kind: PostingKind,
    amount_minor: int,
    accounts: Accounts,
    *,
    new_id: Callable[[], UUID],
    payout_id: UUID | None = None,
    is_of_bank_event: bool = False,
) -> Sealed:
    """Return the two postings of an entry of this kind: `amount_minor` leaves the first account for the second.

    `is_of_bank_event`: it follows from the bank event that the same act writes before it.
    """
    source, target = FROM_TO[kind]
    common = {
        "entry_id": new_id(),
        "currency": accounts[target].currency,
        "kind": kind,
        "payout_id": payout_id,
        "bank_event_seq": THIS_BANK_EVENT if is_of_bank_event else None,
    }
    return (
        (Posting, {**common, "account_id": accounts[source].id, "amount_minor": -amount_minor}),
        (Posting, {**common, "account_id": accounts[target].id, "amount_minor": amount_minor}),
    )
