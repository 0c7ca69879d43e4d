"""Which accounts a fund has: read for many funds at once, made with the fund."""

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from models.funds import Fund
from models.ledger import Account
from models.look import once_a_look
from models.reading import one_of, table_of
from models.states import AccountKind

OF_A_FUND = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.PAID, AccountKind.FEE)
SHARED = (AccountKind.EXTERNAL, AccountKind.SUSPENSE)


@once_a_look
def accounts_of(session: Session, fund_ids: Collection[UUID]) -> Mapping[UUID, dict[AccountKind, Any]]:
    """Return fund -> kind -> account: the fund's own four, and the two shared ones of its currency. One statement."""
    if not fund_ids:
        return {}
    found: dict[UUID, dict[AccountKind, Any]] = {}
    for row in session.connection().execute(_own_and_shared(), {"wanted": list(fund_ids)}):
        found.setdefault(row.of_fund, {})[row.kind] = row
    return found


@functools.cache
def _own_and_shared() -> Any:
    account, fund = table_of(Account), table_of(Fund)
    own_or_shared = or_(
        account.c.fund_id == fund.c.id, account.c.fund_id.is_(None) & (account.c.currency == fund.c.currency)
    )
    chosen = select(fund.c.id.label("of_fund"), account).join_from(fund, account, own_or_shared)
    return chosen.where(one_of(fund.c.id))


def new_accounts(
    fund_id: UUID, code: str, currency: str, known: Collection[AccountKind], new_id: Callable[[], UUID]
) -> tuple[tuple[type[Account], Mapping[str, Any]], ...]:
    """Return the rows of a new fund's accounts; the shared ones of its currency only where they are not `known`."""
    own = [(f"{code}:{kind}", kind, fund_id, 0) for kind in OF_A_FUND]
    shared = [(f"{kind}:{currency}", kind, None, None) for kind in SHARED if kind not in known]
    return tuple(
        (
            Account,
            {
                "id": new_id(),
                "code": name,
                "kind": kind,
                "fund_id": owner,
                "currency": currency,
                "floor_minor": floor,
            },
        )
        for name, kind, owner, floor in (*own, *shared)
    )
