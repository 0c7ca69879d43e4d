"""What the page of a payout shows: everything that must be seen before a word on it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.payouts.awaited import given
from lifecycle.payouts.decision import decision
from models.evidence import Evidence
from models.funds import Fund
from models.people import User
from models.reading import table_of
from models.states import EvidenceStatus
from notifications.gates import standard_names
from notifications.slip import in_capitals
from web.acts import Action, actions
from web.forms import Input
from web.money_nouns import PAYOUTS
from web.money_rights import BANK_ROLES, readable_funds
from web.session import Visit

DECISIONS = ("payout.certify", "payout.approve", "payout.reapprove", "payout.release")
"""Verbs that the page of a payout carries out itself, with `REFUSALS`: each has a button of its own."""
REFUSALS = ("payout.send_back", "payout.reject")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """One payout as it is decided on."""

    row: Any
    """The payout itself, with its version."""
    facts: Mapping[str, Any]
    capitals: str
    can: Sequence[Action]
    """Decisions that this person can make now; each has a button."""
    cannot: Sequence[Action]
    others: Sequence[Action]
    elsewhere: Sequence[Action]
    """What has a page of its own: amend, cancel."""
    inputs: tuple[Input, ...]
    sees_fund: bool
    sees_batches: bool
    given: int
    """Approvals that count."""
    names: Mapping[str, str]
    """Titles of the types of evidence."""

    @property
    def main(self) -> str:
        """The permission of the first decision; empty where there is none."""
        return self.can[0].verb.permission if self.can else ""


def decision_page(session: Session, visit: Visit, ref: str) -> DecisionPage:
    """Read one payout with everything that must be seen before a word on it is given."""
    row = PAYOUTS.find(session, visit, ref)
    facts = decision(session, row.id, visit.stamp)
    acts = [one for one in actions(session, visit, PAYOUTS, row) if one.verb.permission != "payout.request"]
    own = [one for one in acts if one.verb.permission in (*DECISIONS, *REFUSALS)]
    can = [one for one in own if one.is_allowed or _only_typed(one)]
    fund = table_of(Fund)
    seen = select(fund.c.id).where(fund.c.id == row.fund_id, readable_funds(visit.rights))
    return DecisionPage(
        row=row,
        facts=facts,
        capitals=in_capitals(row.amount_minor, row.currency),
        can=can,
        cannot=[one for one in own if one not in can and not one.is_for_others and _is_near(one, row)],
        others=[one for one in own if one.is_for_others and _is_near(one, row)],
        elsewhere=[one for one in acts if one not in own and one.is_allowed],
        inputs=inputs_of(session, visit, facts, {one.verb.permission for one in can}),
        sees_fund=session.execute(seen).first() is not None,
        sees_batches=bool(visit.roles & BANK_ROLES),
        given=given(facts["words"]),
        names=standard_names(session, row.project_id, visit.lang),
    )


def _only_typed(action: Action) -> bool:
    """Say whether nothing is missing but what is added on this page."""
    return {one.code for one in action.reasons} == {"minute_missing"}


def _is_near(action: Action, row: Any) -> bool:
    """Say whether a decision has a place in this state; what has none is not listed as closed."""
    elsewhere = f"{action.verb.name}_not_possible_when_{row.state}"
    codes = {one.code for one in action.reasons}
    return elsewhere not in codes and not (action.is_for_others and "already_decided" in codes)


def inputs_of(session: Session, visit: Visit, facts: Mapping[str, Any], can: set[str]) -> tuple[Input, ...]:
    """Return what is typed besides the remark: the amount again, the call back, the minute, for whom."""
    found: list[Input] = []
    is_approving = bool(can & {"payout.approve", "payout.reapprove"})
    if is_approving and facts["approvals_needed"] > 1:
        found.append(Input(name="amount_minor", kind="amount", currency=facts["currency"]))
    if is_approving and facts["account_changed_on"]:
        found += [Input(name=name, kind="text", is_required=False) for name in ("callback_by", "callback_at")]
    if is_approving and facts["is_minute_needed"]:
        found.append(Input(name="minute_sha256", kind="choice", options=_minutes(session, facts["project_id"])))
    if (lenders := _lenders(session, visit)) and can:
        found.append(Input(name="on_behalf_of", kind="choice", hint=UUID, is_required=False, options=lenders))
    return tuple(found)


def _minutes(session: Session, project_id: UUID) -> list[tuple[str, str]]:
    table = table_of(Evidence)
    statement = select(table.c.sha256, table.c.type, table.c.file_name).where(
        table.c.project_id == project_id, table.c.status == EvidenceStatus.CURRENT
    )
    rows = session.execute(statement.order_by(table.c.at.desc()).limit(200))
    return [(row.sha256, f"{row.type} · {row.file_name}") for row in rows]


def _lenders(session: Session, visit: Visit) -> list[tuple[str, str]]:
    absent = {user for user, _, _ in visit.rights.lent}
    if not absent:
        return []
    table = table_of(User)
    rows = session.execute(select(table.c.id, table.c.name).where(table.c.id.in_(absent)).order_by(table.c.name))
    return [(str(row.id), row.name) for row in rows]
