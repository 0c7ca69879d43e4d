"""Statements (camt.053.001.02 to .08) and notices of bookings (camt.054, the same versions), with flat memory.

A `Statement` is yielded first, then its lines, then the next one. What is read here is not yet checked: see `balance`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeAlias

from lifecycle.banking.answers import Source, Statement, StatementLine, Totals
from lifecycle.banking.entries import dated, read_line, sign, signed
from lifecycle.banking.message import At, Kind, Message, sections
from lifecycle.banking.pain001 import account
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.shapes import Progress, Shape
from lifecycle.banking.values import count, day_of_moment, minor_or_zero

Item: TypeAlias = Statement | StatementLine
"""A statement's head, or one of the lines that follow it."""

SOURCES: Mapping[Kind, Source] = {Kind.CAMT_053: Source.CAMT_053, Kind.CAMT_054: Source.CAMT_054}

_TOPS = {Kind.CAMT_053: "BkToCstmrStmt", Kind.CAMT_054: "BkToCstmrDbtCdtNtfctn"}
_PARTS = {Kind.CAMT_053: "Stmt", Kind.CAMT_054: "Ntfctn"}
_TOP_SHAPES = {Kind.CAMT_053: Shape("GrpHdr Stmt+ SplmtryData*"), Kind.CAMT_054: Shape("GrpHdr Ntfctn+ SplmtryData*")}
_HEAD = (
    "ElctrncSeqNb? RptgSeq? LglSeqNb? CreDtTm? FrToDt? CpyDplctInd? RptgSrc? Acct RltdAcct? Intrst* {} TxsSummry? Ntry*"
)
_PART_SHAPES = {
    Kind.CAMT_053: Shape(f"Id StmtPgntn? {_HEAD.format('Bal+')} AddtlStmtInf?"),
    Kind.CAMT_054: Shape(f"Id NtfctnPgntn? {_HEAD.format('')} AddtlNtfctnInf?"),
}
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
"""Booked balances: opening, else the closing one of the day before; closing."""


def read(message: Message) -> Iterator[Item]:
    """Yield each statement and its lines; `BankFileRefused` at the first thing that cannot be read."""
    if message.kind not in SOURCES:
        raise BankFileRefused("bank_kind", element="Document", rule="camt.053 | camt.054", found=message.kind)
    top, begun = _TOP_SHAPES[message.kind].progress(), None
    for part, section in sections(message):
        if begun is None or begun.at is not part:
            _take_part(message.kind, part, top)
            begun = _Begun(message.kind, part)
        if part.name != _PARTS[message.kind]:
            continue
        if section is not None:
            yield from begun.take(section)
        else:
            begun.shape.end(part)
            yield from begun.head()
    top.end(f"Document/{_TOPS[message.kind]}")


def _take_part(kind: Kind, part: At, top: Progress) -> None:
    above = part.parent
    if above is None or above.name != _TOPS[kind]:
        raise BankFileRefused("bank_element_unexpected", element=above, rule=_TOPS[kind])
    top.take(part.name, above)


class _Begun:
    """A part of the message while it is read: what of its head has come, and how many lines."""

    def __init__(self, kind: Kind, at: At) -> None:
        self.kind, self.at, self.shape = kind, at, _PART_SHAPES[kind].progress()
        self.parts: list[At] = []
        self.statement: Statement | None = None
        self.lines = 0

    def take(self, section: At) -> Iterator[Item]:
        """Take the next section; yield the head before the first line, and each line."""
        self.shape.take(section.name, self.at)
        if section.name != "Ntry":
            self.parts.append(section)
            return
        yield from self.head()
        self.lines += 1
        yield read_line(section, self.lines, self.statement.account_number if self.statement else None)

    def head(self) -> Iterator[Statement]:
        """Yield the head unless it has been yielded."""
        if self.statement is None:
            self.statement = _statement(SOURCES[self.kind], self.at, self.parts)
            self.parts = []
            yield self.statement


def _statement(source: Source, at: At, parts: list[At]) -> Statement:
    by_name = {one.name: one for one in parts}
    texts = {name: one.text() for name, one in by_name.items() if name in ("Id", "ElctrncSeqNb", "LglSeqNb")}
    number = texts.get("ElctrncSeqNb") or texts.get("LglSeqNb")
    holder = by_name.get("Acct")
    if holder is None or (owned := account(holder)) is None:
        raise BankFileRefused("bank_element_missing", element=f"{at}/Acct/Id", rule="required")
    opening, closing = _balance(parts, _OPENING), _balance(parts, _CLOSING)
    currency = holder.text("Ccy") or next((one[1] for one in (opening, closing) if one), None)
    summary = by_name.get("TxsSummry")
    copy = by_name.get("CpyDplctInd")
    return Statement(
        source=source,
        element=str(at),
        account_number=owned,
        statement_ref=texts.get("Id"),
        sequence=None if number is None else count(number, f"{at}/ElctrncSeqNb"),
        currency=currency,
        opening_minor=opening[0] if opening else None,
        opening_currency=opening[1] if opening else None,
        closing_minor=closing[0] if closing else None,
        closing_currency=closing[1] if closing else None,
        from_on=_bound(by_name.get("FrToDt"), "FrDtTm"),
        to_on=_bound(by_name.get("FrToDt"), "ToDtTm"),
        is_copy=copy is not None and copy.text() is not None,
        totals=Totals() if summary is None else _totals(summary, currency or ""),
    )


def _balance(parts: list[At], codes: tuple[str, ...]) -> tuple[int, str] | None:
    """Return the first balance of the first of these codes, signed, with its currency; a second one is refused."""
    for code in codes:
        found = [one for one in parts if one.name == "Bal" and one.text("Tp", "CdOrPrtry", "Cd") == code]
        if len(found) > 1:
            raise BankFileRefused("bank_balance_repeated", element=found[1], rule="once", balance=code)
        if found:
            dated(found[0], "Dt")
            return signed(found[0], minor_or_zero)
    return None


def _bound(at: At | None, name: str) -> date | None:
    found = at and at.one(name)
    return day_of_moment(found.need_text(), found) if found else None


def _totals(at: At, currency: str) -> Totals:
    def counted(name: str) -> int | None:
        found = at.down(name, "NbOfNtries")
        return count(found.need_text(), found) if found else None

    def summed(name: str) -> int | None:
        found = at.down(name, "Sum")
        return minor_or_zero(found.need_text(most=20), currency, found) if found else None

    every = at.one("TtlNtries")
    return Totals(
        count=counted("TtlNtries"),
        sum_minor=summed("TtlNtries"),
        net_minor=_net(every, currency) if every else None,
        credit_count=counted("TtlCdtNtries"),
        credit_minor=summed("TtlCdtNtries"),
        debit_count=counted("TtlDbtNtries"),
        debit_minor=summed("TtlDbtNtries"),
    )


def _net(at: At, currency: str) -> int | None:
    """Return the net of all entries: `TtlNetNtryAmt` with its sign beside it, in later versions `TtlNetNtry`."""
    below = at.one("TtlNetNtry")
    found = below.one("Amt") if below else at.one("TtlNetNtryAmt")
    if found is None:
        return None
    return sign(below or at) * minor_or_zero(found.need_text(most=20), currency, found)
