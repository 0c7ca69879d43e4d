"""Statements, notices and reports as a bank would send them."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


def entry(
    amount: str = "70.00", direction: str = "DBIT", *, details: str | None = None, status: str = "<Cd>BOOK</Cd>",
    currency: str = "CNY", extra: str = "", booked: str = "<BookgDt><Dt>2026-03-03</Dt></BookgDt>", ref: str = "1",
) -> str:  # fmt: skip
    below = f"<NtryDtls>{details}</NtryDtls>" if details is not None else ""
    return (
        f'<Ntry><NtryRef>{ref}</NtryRef><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{extra}'
        f"<Sts>{status}</Sts>{booked}<AcctSvcrRef>B{ref}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd>"
        f"<SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>{below}</Ntry>"
    )


def transfer(
    end_to_end_id: str = "E1PO1A1",
    amount: str | None = None,
    *,
    extra: str = "",
    after: str = "",
    account: str = "6222",
) -> str:
    own = f'<Amt Ccy="CNY">{amount}</Amt>' if amount else ""
    return (
        f"<TxDtls><Refs><MsgId>E1B7</MsgId><PmtInfId>E1B7</PmtInfId><EndToEndId>{end_to_end_id}</EndToEndId></Refs>{own}"
        f"{extra}<RltdPties><Cdtr><Pty><Nm>甲公司</Nm></Pty></Cdtr><CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id>"
        f"</CdtrAcct></RltdPties><RmtInf><Ustrd>里程碑 T1</Ustrd></RmtInf>{after}</TxDtls>"
    )


def balance(code: str, amount: str, direction: str = "CRDT", currency: str = "CNY") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>2026-03-03</Dt></Dt></Bal>"
    )


def statement(
    *entries: str, opening: str = "100.00", closing: str | None = None, number: int = 7, summary: str = "",
    balances: str | None = None,
) -> str:  # fmt: skip
    shown = balance("OPBD", opening) + (balance("CLBD", closing) if closing is not None else "")
    return (
        f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>2026-03-03T10:00:00Z</CreDtTm>"
        "<FrToDt><FrDtTm>2026-03-03T00:00:00+08:00</FrDtTm><ToDtTm>2026-03-03T23:59:59+08:00</ToDtTm></FrToDt>"
        "<Acct><Id><Othr><Id>62220000</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        f"{shown if balances is None else balances}{summary}{''.join(entries)}</Stmt>"
    )


def camt053(*statements: str, version: str = "08") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}camt.053.001.{version}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-03T10:00:00Z</CreDtTm></GrpHdr>\n"
        f"{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


def camt054(*entries: str) -> bytes:
    return (
        f'<Document xmlns="{NAMESPACE}camt.054.001.08"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M1</MsgId>'
        "<CreDtTm>2026-03-03T10:00:00Z</CreDtTm></GrpHdr><Ntfctn><Id>N1</Id><Acct><Id><IBAN>NL26VAYB8060476890</IBAN>"
        f"</Id></Acct>{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def pain002(original: str = "", *blocks: str, version: str = "10") -> bytes:
    return (
        f'<Document xmlns="{NAMESPACE}pain.002.001.{version}"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId>'
        "<CreDtTm>2026-03-03T10:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>E1B7</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{original}</OrgnlGrpInfAndSts>{''.join(blocks)}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def block(content: str = "", status: str = "") -> str:
    said = f"<PmtInfSts>{status}</PmtInfSts>" if status else ""
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>E1B7</OrgnlPmtInfId>{said}{content}</OrgnlPmtInfAndSts>"


def told(end_to_end_id: str, status: str, reason: str = "") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
    )


class Dripping(BytesIO):
    """A stream that gives a few bytes at a time, as a slow pipe would."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size, 7) if size and size > 0 else size)


class Growing(BytesIO):
    """A stream made of pieces, so that a long file need not stand in memory."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces: Iterator[bytes] = iter(pieces)

    def read(self, size: int | None = -1, /) -> bytes:
        return next(self._pieces, b"")


def long_statement(lines: int) -> BinaryIO:
    """A statement of many lines, made while it is read."""
    head, tail = camt053(statement("@", opening="10000000.00", closing=f"{10_000_000 - 70 * lines}.00")).split(b"@")

    def pieces() -> Iterator[bytes]:
        yield head
        for first in range(0, lines, 50):
            last = min(first + 50, lines)
            yield "".join(entry(details=transfer(f"E1PO{n}A1"), ref=str(n)) for n in range(first, last)).encode()
        yield tail

    return Growing(pieces())
