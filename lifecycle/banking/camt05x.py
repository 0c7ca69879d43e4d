"""Statements (camt.053.001.02 to .08) and notices of bookings (camt.054, the same versions), with flat memory.

A `Statement` is yielded first, then its lines, then the next one. What is read here is not yet checked: see `balance`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeAlias

from lifecycle.banking.answers import Source, Statement, StatementLine, Totals
from lifecycle.banking.entries import ENTRY_SHAPES, part, read_line, sign
from lifecycle.banking.message import Below, Kind, Message, Record, sections
from lifecycle.banking.pain001 import account
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.shapes import Shapes, shapes
from lifecycle.banking.values import count, day_of_moment, minor_or_zero

Item: TypeAlias = Statement | StatementLine
"""A statement's head, or one of the lines that follow it."""

SOURCES: Mapping[Kind, Source] = {Kind.CAMT_053: Source.CAMT_053, Kind.CAMT_054: Source.CAMT_054}

_HEAD = (
    "ElctrncSeqNb? RptgSeq? LglSeqNb? CreDtTm? FrToDt? CpyDplctInd? RptgSrc? Acct RltdAcct? Intrst* {} TxsSummry? Ntry*"
)
_SHAPES: Mapping[Kind, Shapes] = {
    Kind.CAMT_053: ENTRY_SHAPES
    | shapes(
        Document="BkToCstmrStmt",
        BkToCstmrStmt="GrpHdr Stmt+ SplmtryData*",
        Stmt=f"Id StmtPgntn? {_HEAD.format('Bal+')} AddtlStmtInf?",
    ),
    Kind.CAMT_054: ENTRY_SHAPES
    | shapes(
        Document="BkToCstmrDbtCdtNtfctn",
        BkToCstmrDbtCdtNtfctn="GrpHdr Ntfctn+ SplmtryData*",
        Ntfctn=f"Id NtfctnPgntn? {_HEAD.format('')} AddtlNtfctnInf?",
    ),
}
_STATEMENTS = frozenset({"Stmt", "Ntfctn"})
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
"""Booked balances: opening, else the closing one of the day before; closing."""


def read(message: Message) -> Iterator[Item]:
    """Yield each statement and its lines; `BankFileRefused` at the first thing that cannot be read."""
    if message.kind not in SOURCES:
        raise BankFileRefused("bank_kind", element="Document", rule="camt.053 | camt.054", found=message.kind)
    source = SOURCES[message.kind]
    head: list[Record] = []
    statement: Statement | None = None
    lines = 0
    for part_of, section in sections(message, _SHAPES[message.kind]):
        if part_of.name not in _STATEMENTS:
            continue
        if section is not None and section.name != "Ntry":
            head.append(section)
            continue
        if statement is None:
            statement = _statement(source, part_of, head)
            yield statement
        if section is not None:
            lines += 1
            yield read_line(section, lines, statement.account_number)
        else:
            head, statement, lines = [], None, 0


def _statement(source: Source, at: Record, head: list[Record]) -> Statement:
    by_name = {one.name: one for one in head}
    number = by_name.get("ElctrncSeqNb") or by_name.get("LglSeqNb")
    period, copy, summary = by_name.get("FrToDt"), by_name.get("CpyDplctInd"), by_name.get("TxsSummry")
    holder = by_name.get("Acct")
    owned = None if holder is None else account(holder)
    if holder is None or owned is None:
        raise BankFileRefused("bank_element_missing", element=f"{at}/Acct/Id", rule="required")
    opening, closing = _balance(head, _OPENING), _balance(head, _CLOSING)
    currency = holder.text("Ccy") or next((one[1] for one in (opening, closing) if one), None)
    return Statement(
        source=source,
        element=str(at),
        account_number=owned,
        statement_ref=by_name["Id"].text() if "Id" in by_name else None,
        sequence=None if number is None else count(number.need(), number),
        currency=currency,
        opening_minor=opening[0] if opening else None,
        opening_currency=opening[1] if opening else None,
        closing_minor=closing[0] if closing else None,
        closing_currency=closing[1] if closing else None,
        from_on=_bound(period, "FrDtTm"),
        to_on=_bound(period, "ToDtTm"),
        is_copy=copy is not None,
        totals=Totals() if summary is None else _totals(summary, currency or ""),
    )


def _balance(head: list[Record], codes: tuple[str, ...]) -> tuple[int, str] | None:
    """Return the balance of the first of these codes, signed, with its currency; a second one of it is refused."""
    for code in codes:
        found = [one for one in head if one.name == "Bal" and one.text("Tp/CdOrPrtry/Cd") == code]
        if len(found) > 1:
            raise BankFileRefused("bank_balance_repeated", element=found[1], rule="once", balance=code)
        if found:
            return sign(found[0]) * part(found[0], "Amt"), found[0].currency("Amt")
    return None


def _bound(period: Record | None, path: str) -> date | None:
    text = period and period.text(path)
    return day_of_moment(text, Below(period, path)) if period and text else None


def _totals(at: Record, currency: str) -> Totals:
    def counted(name: str) -> int | None:
        text = at.text(f"{name}/NbOfNtries")
        return None if text is None else count(text, Below(at, f"{name}/NbOfNtries"))

    def summed(path: str) -> int | None:
        text = at.text(path)
        return None if text is None else minor_or_zero(text, currency, Below(at, path))

    # Up to .03 the net stands beside its sign, later both have an element of their own.
    net, prefix = summed("TtlNtries/TtlNetNtryAmt"), "TtlNtries/"
    if net is None:
        net, prefix = summed("TtlNtries/TtlNetNtry/Amt"), "TtlNtries/TtlNetNtry/"
    return Totals(
        count=counted("TtlNtries"),
        sum_minor=summed("TtlNtries/Sum"),
        net_minor=None if net is None else sign(at, prefix) * net,
        credit_count=counted("TtlCdtNtries"),
        credit_minor=summed("TtlCdtNtries/Sum"),
        debit_count=counted("TtlDbtNtries"),
        debit_minor=summed("TtlDbtNtries/Sum"),
    )
