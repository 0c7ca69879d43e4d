"""A bank that does what it is told, as often as it is told: it looks for no repetition, and shares no code with us.

It takes payment files out of a folder or a mapping, pays, sends back, rejects, keeps silent, and writes what it has
done into statements, notices, tables and reports. Amounts are in minor units of a currency with two decimals.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

_OUT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_NOTICE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
_STATUS = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
_BOOKS = ("booked_on", "amount", "currency", "direction")
_COLUMNS = (*_BOOKS, "counterparty_account", "counterparty_name", "end_to_end_id", "bank_ref")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One transfer as the bank read it."""

    file: str
    message: str
    end_to_end_id: str
    amount: int
    account: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One line of the bank's own book: what left is negative."""

    amount: int
    ref: str
    end_to_end_id: str | None = None
    name: str = ""
    code: str = "DMCT"
    """Sub-family of the bank's transaction code."""


@dataclass(slots=True)
class Bank:
    """One account of one customer."""

    account: str
    opening: int
    day: str = "2025-07-08"
    orders: list[Order] = field(default_factory=list)
    """Every order it ever accepted, repetitions and all."""
    files: list[tuple[str, bytes]] = field(default_factory=list)
    book: list[Booking] = field(default_factory=list)
    reports: int = 0
    _seen: set[tuple[str, int, int]] = field(default_factory=set)

    @property
    def balance(self) -> int:
        """What lies on the account."""
        return self.opening + sum(one.amount for one in self.book)

    @property
    def accepted(self) -> Counter[str]:
        """How often each end-to-end id was accepted."""
        return Counter(one.end_to_end_id for one in self.orders)

    # What comes in

    def accept(self, name: str, data: bytes) -> list[Order]:
        """Read a payment file and accept every order in it, whether it knows it already or not."""
        root = ET.fromstring(data)  # noqa: S314 - the file is the house's own
        space = {"p": root.tag[1:].partition("}")[0]}
        message = _text(root, ".//p:GrpHdr/p:MsgId", space)
        found = [
            Order(
                file=name,
                message=message,
                end_to_end_id=_text(one, "p:PmtId/p:EndToEndId", space),
                amount=_minor(_text(one, "p:Amt/p:InstdAmt", space)),
                account=_text(one, "p:CdtrAcct/p:Id//p:Id", space),
                name=_text(one, "p:Cdtr/p:Nm", space),
            )
            for one in root.iterfind(".//p:CdtTrfTxInf", space)
        ]
        stated = int(_text(root, ".//p:GrpHdr/p:NbOfTxs", space)), _minor(_text(root, ".//p:GrpHdr/p:CtrlSum", space))
        assert stated == (len(found), sum(one.amount for one in found)), "the file does not say what it holds"
        self.files.append((name, data))
        self.orders += found
        return found

    def copy_folder(self, folder: Path) -> list[Order]:
        """Accept each file that lies there and is new as a file, and leave it: the same name written anew counts."""
        found = []
        for path in sorted(folder.glob("*.xml")):
            stat = path.stat()
            mark = path.name, stat.st_ino, stat.st_mtime_ns
            if mark not in self._seen:
                self._seen.add(mark)
                found += self.accept(path.name, path.read_bytes())
        return found

    def empty_folder(self, folder: Path) -> list[Order]:
        """Accept each file that lies there, and take it away."""
        found = []
        for path in sorted(folder.glob("*.xml")):
            found += self.accept(path.name, path.read_bytes())
            path.unlink()
        return found

    def empty(self, files: MutableMapping[str, bytes]) -> list[Order]:
        """Do the same with files in memory."""
        return [order for name in sorted(files) for order in self.accept(name, files.pop(name))]

    # What it does

    def pay(self, order: Order, amount: int | None = None) -> Booking:
        """Let the money go; another amount than was ordered where one is named."""
        return self._booked(-(order.amount if amount is None else amount), order)

    def send_back(self, order: Order, amount: int | None = None) -> Booking:
        """Book money of an order back, whether it had left or not."""
        return self._booked(order.amount if amount is None else amount, order)

    def book_unknown(self, amount: int) -> Booking:
        """Book something that no order explains."""
        return self._booked(amount, None)

    def charge(self, amount: int) -> Booking:
        """Take a fee of the account."""
        return self._booked(-amount, None, code="CHRG")

    def _booked(self, amount: int, order: Order | None, code: str = "DMCT") -> Booking:
        named = {} if order is None else {"end_to_end_id": order.end_to_end_id, "name": order.name}
        one = Booking(amount=amount, ref=f"B{len(self.book) + 1}", code=code, **named)
        self.book.append(one)
        return one

    # What it says

    def statement(self, *, first: int = 0, last: int | None = None) -> bytes:
        """Return a camt.053 over a stretch of the book, all of it unless a part is named."""
        self.reports += 1
        end = len(self.book) if last is None else last
        opening = self.opening + sum(one.amount for one in self.book[:first])
        lines = self.book[first:end]
        closing = opening + sum(one.amount for one in lines)
        balances = _balance("OPBD", opening, self.day) + _balance("CLBD", closing, self.day)
        text = (
            f'<Document xmlns="{_OUT}"><BkToCstmrStmt><GrpHdr><MsgId>M{self.reports}</MsgId>'
            f"<CreDtTm>{self.day}T10:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S{self.reports}</Id>"
            f"<CreDtTm>{self.day}T10:00:00Z</CreDtTm>{self._account()}{balances}{self._entries(lines)}"
            "</Stmt></BkToCstmrStmt></Document>"
        )
        return text.encode()

    def notice(self, lines: Iterable[Booking]) -> bytes:
        """Return a camt.054 of some bookings."""
        self.reports += 1
        text = (
            f'<Document xmlns="{_NOTICE}"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M{self.reports}</MsgId>'
            f"<CreDtTm>{self.day}T10:00:00Z</CreDtTm></GrpHdr><Ntfctn><Id>N{self.reports}</Id>{self._account()}"
            f"{self._entries(lines)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
        )
        return text.encode()

    def table(self, lines: Iterable[Booking]) -> bytes:
        """Return a CSV of some bookings."""
        written = io.StringIO()
        rows = csv.writer(written)
        rows.writerow(_COLUMNS)
        for one in lines:
            direction = "credit" if one.amount > 0 else "debit"
            amount = _major(abs(one.amount))
            rows.writerow([self.day, amount, "CNY", direction, "", one.name, one.end_to_end_id or "", one.ref])
        return written.getvalue().encode()

    def report(self, message: str, words: Mapping[str, str]) -> bytes:
        """Return a pain.002: each end-to-end id with the bank's word for it (ACSP, RJCT …)."""
        self.reports += 1
        told = "".join(
            f"<TxInfAndSts><OrgnlEndToEndId>{end}</OrgnlEndToEndId><TxSts>{word}</TxSts></TxInfAndSts>"
            for end, word in words.items()
        )
        text = (
            f'<Document xmlns="{_STATUS}"><CstmrPmtStsRpt><GrpHdr><MsgId>R{self.reports}</MsgId>'
            f"<CreDtTm>{self.day}T10:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>"
            f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>"
            f"<OrgnlPmtInfId>{message}</OrgnlPmtInfId>{told}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
        )
        return text.encode()

    def _account(self) -> str:
        return f"<Acct><Id><Othr><Id>{self.account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"

    def _entries(self, lines: Iterable[Booking]) -> str:
        return "".join(_entry(one, self.day) for one in lines)


def _entry(one: Booking, day: str) -> str:
    direction = "CRDT" if one.amount > 0 else "DBIT"
    details = ""
    if one.end_to_end_id is not None:
        back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if one.amount > 0 else ""
        refs = f"<Refs><EndToEndId>{one.end_to_end_id}</EndToEndId></Refs>"
        details = f"<NtryDtls><TxDtls>{refs}{back}</TxDtls></NtryDtls>"
    return (
        f'<Ntry><Amt Ccy="CNY">{_major(abs(one.amount))}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{one.ref}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{one.code}</SubFmlyCd></Fmly></Domn></BkTxCd>{details}</Ntry>"
    )


def _balance(code: str, amount: int, day: str) -> str:
    direction = "CRDT" if amount >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{_major(abs(amount))}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _text(at: ET.Element, path: str, space: Mapping[str, str]) -> str:
    found = at.find(path, dict(space))
    assert found is not None, path
    assert found.text, path
    return found.text


def _minor(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def _major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
