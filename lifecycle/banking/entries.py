"""One entry of a statement or notice, with the transfers behind it (`Ntry` of camt.053 and camt.054)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from lifecycle.banking.answers import BatchMark, Charge, Detail, EntryStatus, StatementLine, content_hash
from lifecycle.banking.message import Below, Record
from lifecycle.banking.pain001 import account
from lifecycle.banking.refusal import BankFileRefused, Place, shown
from lifecycle.banking.shapes import shapes
from lifecycle.banking.values import FREE, NAME, count, day, day_of_moment, minor, minor_or_zero

T = TypeVar("T")

ENTRY_SHAPES = shapes(
    Ntry="NtryRef? Amt CdtDbtInd RvslInd? Sts BookgDt? ValDt? AcctSvcrRef? Avlbty* BkTxCd ComssnWvrInd? AddtlInfInd? "
    "AmtDtls? Chrgs* TechInptChanl? Intrst* CardTx? NtryDtls* AddtlNtryInf?",
    NtryDtls="Btch? TxDtls*",
    TxDtls="Refs? Amt? CdtDbtInd? AmtDtls? Avlbty* BkTxCd? Chrgs* Intrst* RltdPties? RltdAgts? LclInstrm? PmtTpInf? "
    "Purp? RltdRmtInf* RmtInf? RltdDts? RltdPric? RltdQties* FinInstrmId? Tax? RtrInf? CorpActn? SfkpgAcct? CshDpst* "
    "CardTx? AddtlTxInf? SplmtryData*",
    RmtInf="Ustrd* Strd*",
    RtrInf="OrgnlBkTxCd? Orgtr? Rsn? AddtlInf*",
    Chrgs="TtlChrgsAndTaxAmt? Rcrd* Amt? CdtDbtInd? Tp? Rate? Br? Pty? Tax?",
)
_SIGNS = {"CRDT": 1, "DBIT": -1}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_STATUSES: Mapping[str, EntryStatus] = {
    "BOOK": EntryStatus.BOOKED,
    "PDNG": EntryStatus.PENDING,
    "FUTR": EntryStatus.PENDING,
    "INFO": EntryStatus.INFORMATION,
}
_ABSENT = frozenset({"NOTPROVIDED", "NOT PROVIDED"})
"""What stands in the place of an id that nobody gave."""


def read_line(at: Record, position: int, account_number: str | None) -> StatementLine:
    """Return one entry; its sign comes from `CdtDbtInd` alone, also where `RvslInd` marks it as a reversal."""
    amount = sign(at) * minor(at.need("Amt", 20), at.currency("Amt"), Below(at, "Amt"))
    currency, groups = at.currency("Amt"), at.many("NtryDtls")
    transfers = [one for group in groups for one in group.many("TxDtls")]
    alone = (amount, currency) if len(transfers) == 1 else None
    booking: dict[str, Any] = {
        "amount_minor": amount,
        "currency": currency,
        "booked_on": dated(at, "BookgDt"),
        "valued_on": dated(at, "ValDt"),
        "bank_ref": at.text("AcctSvcrRef"),
        "transaction_code": _code(at),
        "is_reversal": _flag(at, "RvslInd"),
        "batches": tuple(_batch(one) for one in groups if one.has("Btch")),
        "details": tuple(_detail(one, amount, alone) for one in transfers),
        "charges": _charges(at),
    }
    path = "Sts" if at.text("Sts") else "Sts/Cd"
    return StatementLine(
        position=position,
        line_ref=at.text("NtryRef"),
        status=_word(_STATUSES, at.text(path), Below(at, path)),
        note=at.text("AddtlNtryInf", most=FREE),
        content_hash=content_hash(account_number=account_number, **booking),
        **booking,
    )


def sign(at: Record, prefix: str = "") -> int:
    """Return 1 for a credit, -1 for a debit."""
    path = f"{prefix}CdtDbtInd"
    return _word(_SIGNS, at.text(path), Below(at, path))


def dated(at: Record, path: str) -> date | None:
    """Return the day of a date that may be written with a time of day; the day as the bank writes it."""
    text = at.text(f"{path}/Dt")
    if text is not None:
        return day(text, Below(at, f"{path}/Dt"))
    if not at.has(path):
        return None
    return day_of_moment(at.need(f"{path}/DtTm"), Below(at, f"{path}/DtTm"))


def part(at: Record, path: str) -> int:
    """Return a part, a balance or a sum, without a sign; it may be zero."""
    return minor_or_zero(at.need(path, 20), at.currency(path), Below(at, path))


def _word(known: Mapping[str, T], text: str | None, place: Place) -> T:
    if text is None or text not in known:
        raise BankFileRefused("bank_word", element=place, rule=" | ".join(known), found=shown(text or "–"))
    return known[text]


def _flag(at: Record, path: str) -> bool:
    text = at.text(path)
    return False if text is None else _word(_FLAGS, text, Below(at, path))


def _code(at: Record) -> str | None:
    """Return the bank transaction code as `PMNT/RCDT/BOOK`, else the bank's own."""
    domain = "BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd"
    return "/".join(text for one in domain if (text := at.text(one))) or at.text("BkTxCd/Prtry/Cd")


def _batch(at: Record) -> BatchMark:
    stated, has_total = at.text("Btch/NbOfTxs"), at.has("Btch/TtlAmt")
    return BatchMark(
        msg_id=_id(at, "Btch/MsgId"),
        payment_id=_id(at, "Btch/PmtInfId"),
        count=None if stated is None else count(stated, Below(at, "Btch/NbOfTxs")),
        total_minor=part(at, "Btch/TtlAmt") if has_total else None,
        currency=at.currency("Btch/TtlAmt") if has_total else None,
    )


def _detail(at: Record, line_minor: int, alone: tuple[int, str] | None) -> Detail:
    amount, currency = _own_amount(at, line_minor) or alone or (None, None)
    is_return = at.has("RtrInf")
    number, name = _counterparty(at, amount or line_minor, is_return=is_return)
    reasons = (one.text(most=FREE) for one in at.many("RtrInf/AddtlInf"))
    return Detail(
        end_to_end_id=_id(at, "Refs/EndToEndId"),
        amount_minor=amount,
        currency=currency,
        msg_id=_id(at, "Refs/MsgId"),
        payment_id=_id(at, "Refs/PmtInfId"),
        bank_ref=at.text("Refs/AcctSvcrRef"),
        counterparty_account=number,
        counterparty_name=name,
        remittance=_remittance(at),
        is_return=is_return,
        return_code=at.text("RtrInf/Rsn/Cd") or at.text("RtrInf/Rsn/Prtry"),
        return_reason=" ".join(one for one in reasons if one) or None,
        charges=_charges(at),
    )


def _own_amount(at: Record, line_minor: int) -> tuple[int, str] | None:
    """Return the transfer's own amount: from .04 on `Amt`, before `AmtDtls/TxAmt`; its sign, else the line's."""
    path = next((one for one in ("Amt", "AmtDtls/TxAmt/Amt") if at.has(one)), None)
    if path is None:
        return None
    direction = sign(at) if at.has("CdtDbtInd") else (1 if line_minor > 0 else -1)
    return direction * part(at, path), at.currency(path)


def _counterparty(at: Record, amount_minor: int, *, is_return: bool) -> tuple[str | None, str | None]:
    """Return account and name of the other side: who was paid, or who paid; of a return, whoever is named."""
    sides = ("Cdtr", "Dbtr") if amount_minor < 0 else ("Dbtr", "Cdtr")
    found: tuple[str | None, str | None] = None, None
    for side in sides if is_return else sides[:1]:
        path = f"RltdPties/{side}"
        found = account(at, f"{path}Acct/"), at.text(f"{path}/Nm", NAME) or at.text(f"{path}/Pty/Nm", NAME)
        if any(found):
            break
    return found


def _remittance(at: Record) -> str | None:
    texts = [one.text(most=NAME) for one in at.many("RmtInf/Ustrd")]
    texts += [one.text("CdtrRefInf/Ref") for one in at.many("RmtInf/Strd")]
    return " ".join(one for one in texts if one) or None


def _charges(at: Record) -> tuple[Charge, ...]:
    """Return what the bank took: each record, else the total; what bears no sign is a debit."""
    found = []
    for one in at.many("Chrgs"):
        for record in one.many("Rcrd") or [one]:
            path = "Amt" if record.has("Amt") else "TtlChrgsAndTaxAmt"
            direction = sign(record) if record.has("CdtDbtInd") else -1
            found.append(Charge(amount_minor=direction * part(record, path), currency=record.currency(path)))
    return tuple(one for one in found if one.amount_minor)


def _id(at: Record, path: str) -> str | None:
    """Return an id; a word that stands for an absent one is none."""
    text = at.text(path)
    return None if text is None or text.upper() in _ABSENT else text
