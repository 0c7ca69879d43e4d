"""Whose money a file of the bank speaks of, and whether who brings it acts for that fund."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.actor import read_rights
from lifecycle.banking.answers import Statement, StatementLine
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.commands import Stamp
from lifecycle.errors import Forbidden, unmet
from lifecycle.permissions import PERMISSIONS
from models.funds import Fund
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import table_of
from models.states import FundStatus

_TAKERS = PERMISSIONS["statement.take"]
_RULE = "account of a fund"


def refuse_who_takes_no_files(session: Session, stamp: Stamp) -> None:
    """Raise `Forbidden` for a person who takes files of the bank for no fund at all; the clock takes them for all."""
    if stamp.actor.is_clock:
        return
    rights = read_rights(session, stamp.actor, [], today=stamp.today)
    if not rights.roles_for({}) & _TAKERS:
        raise Forbidden(unmet("role", needs=sorted(_TAKERS), verb="take"))


def fund_of(session: Session, head: Statement, lines: Sequence[StatementLine], stamp: Stamp) -> UUID:
    """Return the fund whose account a statement speaks of; a table without account by the payments that it names.

    Money moves on the account of a closed fund too, and is a fact like any other; active funds come first. Raises
    `BankFileRefused` where it is no fund that the actor takes files for.
    """
    fund = table_of(Fund)
    in_order = (fund.c.status != FundStatus.ACTIVE, fund.c.created_at.desc(), fund.c.id)
    known = _reached(session, list(session.execute(select(fund).order_by(*in_order))), stamp)
    if head.account_number is not None:
        own = [row for row in known if row.debtor_account == head.account_number]
        if not own:
            raise _foreign(stamp, f"{head.element}/Acct", head.account_number[-4:])
        return UUID(str(next((row for row in own if row.currency == head.currency), own[0]).id))
    named = _fund_named(session, lines)
    active = [row for row in known if row.status == FundStatus.ACTIVE]
    own = [row for row in known if row.id == named] if named else active if len(active) == 1 else []
    if not own:
        raise _foreign(stamp, head.element, "–")
    return UUID(str(own[0].id))


def refuse_file_of_others(session: Session, fund: Any, element: str, stamp: Stamp) -> None:
    """Raise `BankFileRefused` where the actor takes no files for this fund."""
    if not _reached(session, [fund], stamp):
        raise _foreign(stamp, element, fund.debtor_account[-4:])


def _fund_named(session: Session, lines: Sequence[StatementLine]) -> UUID | None:
    ends = [one.end_to_end_id for line in lines for one in line.details if one.end_to_end_id]
    batch, instruction = table_of(PaymentBatch), table_of(PaymentInstruction)
    named = (
        select(batch.c.fund_id)
        .join(instruction, instruction.c.batch_id == batch.c.id)
        .where(instruction.c.end_to_end_id.in_(ends))
        .order_by(batch.c.number)
        .limit(1)
    )
    found: UUID | None = session.execute(named).scalar_one_or_none()
    return found


def _reached(session: Session, funds: Sequence[Any], stamp: Stamp) -> list[Any]:
    """Return those of the funds whose files the actor takes: the clock all, a person those of their organisation."""
    if stamp.actor.is_clock:
        return list(funds)
    rights = read_rights(session, stamp.actor, [], today=stamp.today)
    return [row for row in funds if rights.roles_for({"funder": row.organisation_id}) & _TAKERS]


def _foreign(stamp: Stamp, element: str, found: str) -> BankFileRefused:
    """A person is told the same of a fund of others and of none: whose accounts there are is nobody else's."""
    code = "bank_account_foreign" if stamp.actor.is_clock else "bank_file_of_others"
    return BankFileRefused(code, element=element, rule=_RULE, found=found)
