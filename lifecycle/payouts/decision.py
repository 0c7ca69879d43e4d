"""Everything that somebody who decides about a payout must see, beside the payout itself. Plain values."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.disbursement.commands import standing_holds
from lifecycle.funds.queries import positions
from lifecycle.payouts.payee_names import name_match
from lifecycle.payouts.queries import payout
from models.agreements import Milestone
from models.evidence import Evidence
from models.funds import ApprovalTier, Fund
from models.holds import Hold
from models.payouts import PayeeAccount, Payout
from models.people import Organisation, User
from models.projects import Project, Requirement, StageRun
from models.reading import rows_by, table_of
from models.reviews import Review
from models.states import EvidenceStatus, PayoutState, ReviewState, VerdictState

SAME_WITHIN = timedelta(days=90)
"""Two payouts of one amount to one account within this time may be one that was asked for twice."""
ADDED_UP_WITHIN = timedelta(days=30)
"""What one account gets within this time counts together for the tier (rule book 5.4)."""
_GIVEN_UP = (PayoutState.REJECTED, PayoutState.CANCELLED)
_PASSING = (VerdictState.MET, VerdictState.WAIVED)


def decision(session: Session, payout_id: UUID, stamp: Stamp) -> dict[str, Any]:
    """Return one payout as it is decided on: with its plan, payee, files, clauses, doubles, fund, tiers and holds."""
    shown = payout(session, payout_id, today=stamp.today, calendar=stamp.calendar)
    row = rows_by(session, Payout, "id", [payout_id])[payout_id][0]
    account = rows_by(session, PayeeAccount, "id", [row.payee_account_id])[row.payee_account_id][0]
    firm = rows_by(session, Organisation, "id", [account.organisation_id])[account.organisation_id][0]
    others = _to_the_same(session, row, account)
    tiers, review = _tiers(session, row, others), _gate_review(session, row)
    return {
        **shown,
        "project_id": row.project_id,
        "payout_row": row,
        "match": str(name_match(account.holder_name, firm.name)),
        "account_status": str(account.status),
        "usable_on": account.usable_on,
        "tranche_of": _tranche(session, row),
        "documents": _documents(session, row),
        "clauses": _clauses(session, row, review),
        "gate_review": None if review is None else {"id": review.id, "decided_on": review.decided_on},
        "doubles": [one for one in others if one["amount_minor"] == row.amount_minor and _near(one, row, SAME_WITHIN)],
        "to_payee_minor": sum(one["amount_minor"] for one in others if _near(one, row, ADDED_UP_WITHIN)),
        "tiers": tiers,
        "holds": _holds(session, row),
        **_fund(session, row),
    }


def _near(one: Mapping[str, Any], row: Any, span: timedelta) -> bool:
    return bool(abs(one["created_at"] - row.created_at) <= span)


def _to_the_same(session: Session, row: Any, account: Any) -> list[dict[str, Any]]:
    """Return the other payouts to the same account, under whatever row of it, that were not given up."""
    table, of = table_of(Payout), table_of(PayeeAccount)
    statement = (
        select(table.c.number, table.c.amount_minor, table.c.state, table.c.created_at, table.c.milestone_id)
        .join(of, of.c.id == table.c.payee_account_id)
        .where(of.c.payee_hash == account.payee_hash, table.c.id != row.id, table.c.state.not_in(_GIVEN_UP))
        .where(table.c.created_at >= row.created_at - SAME_WITHIN, table.c.created_at <= row.created_at + SAME_WITHIN)
        .order_by(table.c.number)
    )
    return [dict(one._mapping) for one in session.execute(statement)]  # noqa: SLF001 - the documented name


def _tranche(session: Session, row: Any) -> dict[str, Any] | None:
    if row.milestone_id is None:
        return None
    (found,) = rows_by(session, Milestone, "id", [row.milestone_id])[row.milestone_id]
    names = ("id", "tranche", "amount_minor", "state", "gate", "criteria", "due_on")
    kept = {name: getattr(found, name) for name in names}
    return {**kept, "differs_minor": row.amount_minor - found.amount_minor}


def _documents(session: Session, row: Any) -> list[dict[str, Any]]:
    """Return the files that it rests on, by their hash: what they are, who handed them in, whether they still count."""
    if not row.evidence:
        return []
    table, user = table_of(Evidence), table_of(User)
    statement = (
        select(table.c.id, table.c.type, table.c.file_name, table.c.status, table.c.sha256, user.c.name.label("by"))
        .outerjoin(user, user.c.id == table.c.author_id)
        .where(table.c.project_id == row.project_id, table.c.sha256.in_(row.evidence))
        .order_by(table.c.type, table.c.at)
    )
    found = {one.sha256: dict(one._mapping) for one in session.execute(statement)}  # noqa: SLF001
    return [
        {
            **found.get(sha256, {"id": None, "type": "", "file_name": "", "by": None, "status": "withdrawn"}),
            "sha256": sha256,
            "is_current": sha256 in found and found[sha256]["status"] == EvidenceStatus.CURRENT,
        }
        for sha256 in row.evidence
    ]


def _gate_review(session: Session, row: Any) -> Any:
    """Return the latest review that decided the gate of the tranche; None where it hangs on criteria, or none sat."""
    tranche = _tranche(session, row)
    if tranche is None or tranche["criteria"] or not tranche["gate"]:
        return None
    table = table_of(Review)
    statement = select(table.c.id, table.c.record, table.c.decided_on).where(
        table.c.project_id == row.project_id, table.c.gate == tranche["gate"], table.c.state == ReviewState.DECIDED
    )
    return session.execute(statement.order_by(table.c.decided_on.desc(), table.c.id.desc()).limit(1)).first()


def _clauses(session: Session, row: Any, review: Any) -> list[dict[str, Any]]:
    """Return the clauses that the tranche hangs on: as the gate was decided, else with their latest verdict."""
    tranche = _tranche(session, row)
    if tranche is None:
        return []
    if review is not None:
        found = dict((review.record or {}).get("verdicts", {}))
    else:
        found = _latest_verdicts(session, row, tranche)
    return [
        {"clause": clause, "verdict": found[clause], "is_passed": found[clause] in _PASSING}
        for clause in sorted(found, key=_in_order)
    ]


def _latest_verdicts(session: Session, row: Any, tranche: Mapping[str, Any]) -> dict[str, str]:
    table, run = table_of(Requirement), table_of(StageRun)
    statement = (
        select(table.c.clause, table.c.verdict)
        .join(run, run.c.id == table.c.stage_run_id)
        .where(run.c.project_id == row.project_id)
        .order_by(run.c.opened_on, run.c.id)
    )
    wanted, gate = set(tranche["criteria"]), tranche["gate"] if not tranche["criteria"] else None
    return {
        one.clause: str(one.verdict)
        for one in session.execute(statement)
        if one.clause in wanted or (gate and one.clause.startswith(f"{gate}."))
    }


def _in_order(clause: str) -> tuple[str, int]:
    gate, _, number = clause.partition(".")
    return gate, int(number) if number.isdecimal() else 0


def _tiers(session: Session, row: Any, others: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of the fund's authority matrix; one of them is that of this amount with the earlier ones."""
    table = table_of(ApprovalTier)
    statement = select(table).where(table.c.fund_id == row.fund_id, table.c.until_at.is_(None))
    lines = list(session.execute(statement.order_by(table.c.up_to_minor)))
    total = row.amount_minor + sum(one["amount_minor"] for one in others if _near(one, row, ADDED_UP_WITHIN))
    own = next((one for one in lines if total <= one.up_to_minor), lines[-1] if lines else None)
    names = ("up_to_minor", "approvers_needed", "is_director_needed", "is_minute_needed")
    below = [0, *(one.up_to_minor for one in lines)]
    return [
        {**{name: getattr(one, name) for name in names}, "above_minor": above, "is_this": one is own}
        for one, above in zip(lines, below, strict=False)
    ]


def _holds(session: Session, row: Any) -> list[dict[str, Any]]:
    """Return what keeps money from moving: on the fund, on the project, on all disbursement."""
    table = table_of(Hold)
    statement = select(table).where(table.c.object_id.in_([row.fund_id, row.project_id]), table.c.lifted_at.is_(None))
    found = [*session.execute(statement.order_by(table.c.from_at)), *standing_holds(session)]
    names = ("object_type", "reason", "note", "from_on", "until_on", "needs_decision")
    return [{name: getattr(one, name) for name in names} for one in found]


_MOVES = {
    PayoutState.REQUESTED: ("committed", "reserved"),
    PayoutState.RETURNED: ("committed", "reserved"),
    PayoutState.APPROVED: ("reserved", "paid"),
    PayoutState.INSTRUCTED: ("reserved", "paid"),
}
"""State -> from where to where its amount goes next, in the position of its fund."""
PLACES = ("free", "committed", "reserved", "paid")


def _fund(session: Session, row: Any) -> dict[str, Any]:
    """Return the fund's position now and after the next step, and what then leaves its account in all."""
    (fund,) = rows_by(session, Fund, "id", [row.fund_id])[row.fund_id]
    place = positions(session, [fund.id])[fund.id]
    now = {name: int(getattr(place, f"{name}_minor")) for name in PLACES}
    source, target = _MOVES.get(row.state, ("", ""))
    after = {name: now[name] + row.amount_minor * ((name == target and 1) - (name == source and 1)) for name in PLACES}
    table = table_of(Payout)
    waiting = select(func.coalesce(func.sum(table.c.amount_minor), 0)).where(
        table.c.fund_id == fund.id, table.c.state == PayoutState.APPROVED, table.c.id != row.id
    )
    leaving = int(session.execute(waiting).scalar_one())
    return {
        "fund_name": fund.name,
        "moves": [{"place": name, "now_minor": now[name], "after_minor": after[name]} for name in PLACES]
        if source
        else [],
        "debtor_last": fund.debtor_account[-4:],
        "leaving_minor": leaving + (row.amount_minor if source and row.state != PayoutState.INSTRUCTED else 0),
        "project_of": rows_by(session, Project, "id", [row.project_id])[row.project_id][0],
    }
