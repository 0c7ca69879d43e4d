"""A bank for rehearsals: what it does with each transfer, told by the last digits of the payee's account. Pure.

Everything it says by a day follows from the payment files it has and from what came in: no state, the same bytes again.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from itertools import groupby

from lifecycle.banking.pain001 import Payment, PaymentFile, Transfer
from lifecycle.banking.values import day_of_moment, decimal
from lifecycle.banking.written import Node, written

STATUS = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
NOTICE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
STATEMENT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
FEE_MINOR = 2_500
"""What it takes for sending money back, where it takes anything; in minor units."""
_REFERENCE = 35
_ENDING = re.compile(r"(9[0-5])([0-9]{2})$", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What it does with a transfer; without a word it accepts and books it."""

    rejects: str | None = None
    """ISO 20022 code of the reason."""
    returns_after: int | None = None
    """Days from the booking until the money comes back (AC04)."""
    returned_share: int = 1
    """One n-th of the amount comes back."""
    fee_minor: int = 0
    is_silent: bool = False
    is_repeated: bool = False
    """Every answer comes twice."""


def conduct_of(account: str | None) -> Conduct:
    """Return what is done with a transfer to this account, by its last four digits.

    9001 no such account, 9004 closed, 9006 blocked: rejected (AC01, AC04, AC06); 91nn returned after nn days, 92nn so
    and less a fee, 93nn half of it; 9400 silence; 9500 every answer twice; all others are booked.
    """
    ending = _ENDING.search(account or "")
    kind, days = (ending[1], int(ending[2])) if ending else ("", 0)
    match kind:
        case "90" if days in (1, 4, 6):
            return Conduct(rejects=f"AC0{days}")
        case "91" | "92" | "93" if days:
            share, fee = (2 if kind == "93" else 1), (FEE_MINOR if kind == "92" else 0)
            return Conduct(returns_after=days, returned_share=share, fee_minor=fee)
        case "94" | "95" if days == 0:
            return Conduct(is_silent=kind == "94", is_repeated=kind == "95")
    return Conduct()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Money that came in from outside, or, negative, went out there; booked on this day."""

    account: str
    currency: str
    on: date
    amount_minor: int
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One line of an account's book: what left is negative. `gross_minor` is before the fee that was taken."""

    account: str
    currency: str
    on: date
    gross_minor: int
    reference: str | None
    fee_minor: int = 0
    transfer: Transfer | None = None
    message: str = ""
    """The message that ordered it."""

    @property
    def amount_minor(self) -> int:
        """What is booked."""
        return self.gross_minor - self.fee_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A file for the customer; its name sorts in the order of time, and it is written when it is wanted."""

    name: str
    write: Callable[[], bytes]


def letters(files: Sequence[PaymentFile], incoming: Sequence[Incoming], today: date) -> list[Letter]:
    """Return all it has written by this day, oldest first; files of a later day are not there yet.

    A status report and a notice of each booking come at once; the statement of a day with its opening and closing
    balance comes when the day is over.
    """
    known = sorted((one for one in files if _made_on(one) <= today), key=lambda one: (one.created_at, one.msg_id))
    bookings = [one for file in known for one in _bookings(file)]
    found = [letter for file in known for letter in _of_file(file, today)]
    found += _statements([*map(_from_outside, incoming), *bookings], today)
    return sorted(found, key=lambda one: one.name)


def _made_on(file: PaymentFile) -> date:
    return day_of_moment(file.created_at, "CreDtTm")


def _transfers(file: PaymentFile) -> Iterator[tuple[Payment, Transfer, Conduct]]:
    for payment in file.payments:
        for transfer in payment.transfers:
            yield payment, transfer, conduct_of(transfer.payee_account)


def _bookings(file: PaymentFile) -> list[Booking]:
    found = []
    for payment, transfer, conduct in _transfers(file):
        if conduct.rejects or conduct.is_silent:
            continue
        on = max(payment.execution_on, _made_on(file))
        found.append(_booking(file, payment, transfer, on, -transfer.amount_minor))
        if conduct.returns_after is not None:
            back = transfer.amount_minor // conduct.returned_share
            later, fee = on + timedelta(days=conduct.returns_after), min(conduct.fee_minor, back - 1)
            found.append(_booking(file, payment, transfer, later, back, fee))
    return found


def _booking(
    file: PaymentFile, payment: Payment, transfer: Transfer, on: date, amount_minor: int, fee_minor: int = 0
) -> Booking:
    side = "C" if amount_minor > 0 else "D"
    return Booking(
        account=payment.debtor_account,
        currency=transfer.currency,
        on=on,
        gross_minor=amount_minor,
        fee_minor=fee_minor,
        reference=side + _digest(f"{payment.debtor_account}:{file.msg_id}:{transfer.end_to_end_id}"),
        transfer=transfer,
        message=file.msg_id,
    )


def _from_outside(one: Incoming) -> Booking:
    of = {"account": one.account, "currency": one.currency, "reference": one.reference}
    return Booking(on=one.on, gross_minor=one.amount_minor, **of)  # type: ignore[arg-type]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:15].upper()


def _of_file(file: PaymentFile, today: date) -> list[Letter]:
    """Return the status report of a payment file and the notices of what was booked for it, repeated where it says."""
    words = [one for one in _transfers(file) if not one[2].is_silent]
    times = 2 if any(conduct.is_repeated for _, _, conduct in words) else 1
    made, found = _made_on(file), []
    for again in range(1, times + 1) if words else ():
        ref = f"{file.msg_id}R{again}"
        found.append(Letter(name=f"{made:%Y%m%d}-1-pain002-{ref}.xml", write=partial(_report, file, ref)))
    noticed = sorted((one for one in _bookings(file) if one.on <= today), key=lambda one: one.on)
    for on, group in groupby(noticed, key=lambda one: one.on):
        lines = list(group)
        for again in range(1, times + 1):
            ref = f"{file.msg_id}N{on:%m%d}{again}"
            found.append(Letter(name=f"{on:%Y%m%d}-2-camt054-{ref}.xml", write=partial(_notice, lines, on, ref)))
    return found


def _statements(bookings: Sequence[Booking], today: date) -> list[Letter]:
    """Return a statement of each account for each day with bookings that is over, chained by number and balance."""
    found = []
    books = sorted(bookings, key=lambda one: (one.account, one.currency, one.on))
    for (account, currency), group in groupby(books, key=lambda one: (one.account, one.currency)):
        balance = 0
        for number, (on, lines) in enumerate(groupby(group, key=lambda one: one.on), start=1):
            day = list(lines)
            opening, balance = balance, balance + sum(one.amount_minor for one in day)
            if on < today:
                name = f"{on + timedelta(days=1):%Y%m%d}-0-camt053-{_digest(account + currency)[:6]}-{number:05d}.xml"
                found.append(Letter(name=name, write=partial(_statement, day, number, opening, balance)))
    return found


def _report(file: PaymentFile, ref: str) -> bytes:
    head: list[Node] = [("OrgnlMsgId", file.msg_id), ("OrgnlMsgNmId", f"pain.001.001.{file.version:02d}")]
    blocks: list[Node] = [("GrpHdr", _header(ref, _made_on(file))), ("OrgnlGrpInfAndSts", head)]
    for payment in file.payments:
        told = [_word(one, conduct) for of, one, conduct in _transfers(file) if of is payment and not conduct.is_silent]
        blocks.append(("OrgnlPmtInfAndSts", [("OrgnlPmtInfId", payment.payment_id), *told]))
    return written((f'Document xmlns="{STATUS}"', [("CstmrPmtStsRpt", blocks)]))


def _word(transfer: Transfer, conduct: Conduct) -> Node:
    said: list[Node] = [("OrgnlEndToEndId", transfer.end_to_end_id), ("TxSts", "RJCT" if conduct.rejects else "ACSP")]
    if conduct.rejects:
        said.append(("StsRsnInf", [("Rsn", [("Cd", conduct.rejects)])]))
    return ("TxInfAndSts", said)


def _notice(lines: Sequence[Booking], on: date, ref: str) -> bytes:
    body: list[Node] = [("Id", ref[:_REFERENCE]), ("CreDtTm", _moment(on)), _account(lines[0]), *map(_entry, lines)]
    content: list[Node] = [("GrpHdr", _header(ref, on)), ("Ntfctn", body)]
    return written((f'Document xmlns="{NOTICE}"', [("BkToCstmrDbtCdtNtfctn", content)]))


def _statement(lines: Sequence[Booking], number: int, opening: int, closing: int) -> bytes:
    one = lines[0]
    ref = f"{one.account[-8:]}{one.currency}{number:05d}"
    body: list[Node] = [
        ("Id", ref),
        ("ElctrncSeqNb", str(number)),
        ("CreDtTm", _moment(one.on)),
        ("FrToDt", [("FrDtTm", f"{one.on}T00:00:00+08:00"), ("ToDtTm", f"{one.on}T23:59:59+08:00")]),
        _account(one),
        _balance("OPBD", opening, one),
        _balance("CLBD", closing, one),
        *map(_entry, lines),
    ]
    content: list[Node] = [("GrpHdr", _header(ref, one.on)), ("Stmt", body)]
    return written((f'Document xmlns="{STATEMENT}"', [("BkToCstmrStmt", content)]))


def _header(ref: str, on: date) -> list[Node]:
    return [("MsgId", ref[:_REFERENCE]), ("CreDtTm", _moment(on))]


def _moment(on: date) -> str:
    return f"{on}T18:00:00+08:00"


def _account(one: Booking) -> Node:
    return ("Acct", [("Id", [("Othr", [("Id", one.account)])]), ("Ccy", one.currency)])


def _balance(code: str, minor: int, one: Booking) -> Node:
    kind: Node = ("Tp", [("CdOrPrtry", [("Cd", code)])])
    return ("Bal", [kind, *_money(minor, one.currency), ("Dt", [("Dt", one.on.isoformat())])])


def _money(minor: int, currency: str) -> list[Node]:
    return [(f'Amt Ccy="{currency}"', decimal(abs(minor), currency)), ("CdtDbtInd", "DBIT" if minor < 0 else "CRDT")]


def _entry(one: Booking) -> Node:
    is_return = one.transfer is not None and one.gross_minor > 0
    family = ("RCDT", "RRTN") if is_return else ("ICDT" if one.transfer else "RCDT", "DMCT")
    code: list[Node] = [("Cd", "PMNT"), ("Fmly", [("Cd", family[0]), ("SubFmlyCd", family[1])])]
    day: list[Node] = [("Dt", one.on.isoformat())]
    content: list[Node] = [*_money(one.amount_minor, one.currency), ("Sts", [("Cd", "BOOK")])]
    content += [("BookgDt", day), ("ValDt", day)]
    if one.reference is not None:
        content.append(("AcctSvcrRef", one.reference[:_REFERENCE]))
    content.append(("BkTxCd", [("Domn", code)]))
    if one.fee_minor:
        content.append(("Chrgs", [("Rcrd", _money(-one.fee_minor, one.currency))]))
    if one.transfer is not None:
        content.append(("NtryDtls", [("TxDtls", _details(one, one.transfer))]))
    return ("Ntry", content)


def _details(one: Booking, transfer: Transfer) -> list[Node]:
    refs: list[Node] = [("MsgId", one.message), ("EndToEndId", transfer.end_to_end_id)]
    said: list[Node] = [("Refs", refs), *_money(one.gross_minor, one.currency)]
    party: list[Node] = []
    if transfer.payee_name is not None:
        party.append(("Cdtr", [("Pty", [("Nm", transfer.payee_name)])]))
    if transfer.payee_account is not None:
        party.append(("CdtrAcct", [("Id", [("Othr", [("Id", transfer.payee_account)])])]))
    if party:
        said.append(("RltdPties", party))
    if one.gross_minor > 0:
        said.append(("RtrInf", [("Rsn", [("Cd", "AC04")])]))
    return said
