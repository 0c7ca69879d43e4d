"""Cases that wait for two people, for lists and pages."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session

from lifecycle.exceptions.proposal import POSSIBLE, proposal_hash
from models.funds import Fund
from models.holds import ExceptionCase
from models.payouts import PayeeAccount, PaymentBatch, PaymentInstruction, Payout
from models.people import User
from models.reading import rows_by, table_of

_LISTED = (
    *("id", "kind", "object_type", "object_id", "facts", "opened_at", "closed_at"),
    *("action", "proposal", "reason", "evidence_sha256", "proposed_at", "version"),
)


def cases(
    session: Session,
    *,
    state: Literal["open", "closed"] | None = None,
    case_id: UUID | None = None,
    reach: Any = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return cases by the instant they were opened: those still open, those closed, or all.

    `reach` is a condition on `exception_case`: what the reader may see. A page of them has the newest first and begins
    behind `after`.
    """
    case, fund = table_of(ExceptionCase), table_of(Fund)
    statement = (
        select(case, fund.c.code.label("fund"), fund.c.currency)
        .outerjoin(fund, fund.c.id == case.c.fund_id)
        .order_by(case.c.opened_at, case.c.id)
    )
    if state is not None:
        statement = statement.where(case.c.closed_at.is_(None) if state == "open" else case.c.closed_at.is_not(None))
    if case_id is not None:
        statement = statement.where(case.c.id == case_id)
    if reach is not None:
        statement = statement.where(reach)
    if limit is not None:
        statement = statement.order_by(None).order_by(case.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(case.c.id < after)
    rows = list(session.execute(statement))
    users = {one for row in rows for one in (row.proposed_by, row.confirmed_by)} - {None}
    names = {key: found[0].name for key, found in rows_by(session, User, "id", users).items()}
    return [
        {
            "fund": row.fund,
            "currency": row.currency,
            **{name: getattr(row, name) for name in _LISTED},
            "proposed_by": names.get(row.proposed_by),
            "confirmed_by": names.get(row.confirmed_by),
            "proposal_hash": proposal_hash(row),
            "possible": sorted(POSSIBLE.get(row.object_type, ())),
        }
        for row in rows
    ]


def about_batch(batch_id: UUID) -> ColumnElement[bool]:
    """Return the condition on `exception_case` that it is about a payment file, or about one of its payments."""
    case, instruction = table_of(ExceptionCase), table_of(PaymentInstruction)
    paid = select(instruction.c.id).where(instruction.c.batch_id == batch_id)
    return or_(case.c.object_id == batch_id, case.c.object_id.in_(paid))


def about(session: Session, case: Any) -> dict[str, Any]:
    """Return which money a case is about: batch and payments with number, amount and payee; nothing for a booking."""
    batch, instruction, payout, account = map(table_of, (PaymentBatch, PaymentInstruction, Payout, PayeeAccount))
    column = {"batch": batch.c.id, "instruction": instruction.c.id}.get(case.object_type)
    if column is None:
        return {}
    statement = (
        select(
            batch.c.number.label("batch"),
            batch.c.currency,
            batch.c.execution_on,
            payout.c.number.label("payout"),
            instruction.c.amount_minor,
            account.c.holder_name.label("payee"),
        )
        .join_from(instruction, batch, batch.c.id == instruction.c.batch_id)
        .join(payout, payout.c.id == instruction.c.payout_id)
        .join(account, account.c.id == payout.c.payee_account_id)
        .where(column == case.object_id)
        .order_by(payout.c.number)
    )
    rows = session.execute(statement).all()
    if not rows:
        return {}
    first = rows[0]
    return {
        "batch": first.batch,
        "currency": first.currency,
        "execution_on": first.execution_on,
        "total_minor": sum(row.amount_minor for row in rows),
        "payments": [{"payout": row.payout, "payee": row.payee, "amount_minor": row.amount_minor} for row in rows],
    }
