"""One entry of a statement or notice, with the transfers behind it (`Ntry` of camt.053 and camt.054)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar

from lifecycle.banking.answers import BatchMark, Charge, Detail, EntryStatus, StatementLine, content_hash
from lifecycle.banking.message import At, Below
from lifecycle.banking.pain001 import account
from lifecycle.banking.refusal import BankFileRefused, Place, shown
from lifecycle.banking.shapes import Shape
from lifecycle.banking.values import FREE, NAME, count, day, day_of_moment, minor, minor_or_zero

T = TypeVar("T")

_ENTRY = Shape(
    "NtryRef? Amt CdtDbtInd RvslInd? Sts BookgDt? ValDt? AcctSvcrRef? Avlbty* BkTxCd ComssnWvrInd? AddtlInfInd? "
    "AmtDtls? Chrgs* TechInptChanl? Intrst* CardTx? NtryDtls* AddtlNtryInf?"
)
_DETAILS = Shape("Btch? TxDtls*")
_TRANSFER = Shape(
    "Refs? Amt? CdtDbtInd? AmtDtls? Avlbty* BkTxCd? Chrgs* Intrst* RltdPties? RltdAgts? LclInstrm? PmtTpInf? Purp? "
    "RltdRmtInf* RmtInf? RltdDts? RltdPric? RltdQties* FinInstrmId? Tax? RtrInf? CorpActn? SfkpgAcct? CshDpst* "
    "CardTx? AddtlTxInf? SplmtryData*"
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


def read_line(at: At, position: int, account_number: str | None) -> StatementLine:
    """Return one entry; its sign comes from `CdtDbtInd` alone, also where `RvslInd` marks it as a reversal."""
    at.shaped(_ENTRY)
    amount, currency = signed(at, minor)
    status = at.text("Sts") or at.text("Sts", "Cd")
    booked_on, valued_on = dated(at, "BookgDt"), dated(at, "ValDt")
    bank_ref, code, is_reversal = at.text("AcctSvcrRef"), _code(at), _flag(at, "RvslInd")
    groups = [one.shaped(_DETAILS) for one in at.many("NtryDtls")]
    batches = tuple(_batch(mark) for one in groups if (mark := one.one("Btch")) is not None)
    transfers = [one.shaped(_TRANSFER) for group in groups for one in group.many("TxDtls")]
    alone = (amount, currency) if len(transfers) == 1 else None
    details = tuple(_detail(one, amount, alone) for one in transfers)
    charges = _charges(at)
    return StatementLine(
        position=position,
        line_ref=at.text("NtryRef"),
        status=_word(_STATUSES, status, Below(at, ("Sts",))),
        amount_minor=amount,
        currency=currency,
        booked_on=booked_on,
        valued_on=valued_on,
        bank_ref=bank_ref,
        transaction_code=code,
        is_reversal=is_reversal,
        batches=batches,
        details=details,
        charges=charges,
        note=at.text("AddtlNtryInf", most=FREE),
        content_hash=content_hash(
            account_number,
            amount_minor=amount,
            currency=currency,
            booked_on=booked_on,
            valued_on=valued_on,
            bank_ref=bank_ref,
            transaction_code=code,
            is_reversal=is_reversal,
            batches=batches,
            details=details,
            charges=charges,
        ),
    )


def signed(at: At, read: Callable[[str, str, Place], int]) -> tuple[int, str]:
    """Return `Amt` with the sign of `CdtDbtInd`, debit negative, and its currency."""
    amount = at.need("Amt")
    currency = amount.element.get("Ccy", "")
    return sign(at) * read(amount.need_text(most=20), currency, amount), currency


def sign(at: At) -> int:
    """Return 1 for a credit, -1 for a debit."""
    return _word(_SIGNS, at.text("CdtDbtInd"), Below(at, ("CdtDbtInd",)))


def dated(at: At, name: str) -> date | None:
    """Return the day of a date that may be written with a time of day; the day as the bank writes it."""
    found = at.one(name)
    if found is None:
        return None
    text = found.text("Dt")
    if text is not None:
        return day(text, Below(found, ("Dt",)))
    return day_of_moment(found.need_text("DtTm"), Below(found, ("DtTm",)))


def _word(known: Mapping[str, T], text: str | None, place: Place) -> T:
    if text is None or text not in known:
        raise BankFileRefused("bank_word", element=place, rule=" | ".join(known), found=shown(text or "–"))
    return known[text]


def _flag(at: At, name: str) -> bool:
    text = at.text(name)
    return False if text is None else _word(_FLAGS, text, Below(at, (name,)))


def _code(at: At) -> str | None:
    """Return the bank transaction code as `PMNT/RCDT/BOOK`, else the bank's own."""
    parts = (
        at.text("BkTxCd", "Domn", "Cd"),
        at.text("BkTxCd", "Domn", "Fmly", "Cd"),
        at.text("BkTxCd", "Domn", "Fmly", "SubFmlyCd"),
    )
    return "/".join(one for one in parts if one) or at.text("BkTxCd", "Prtry", "Cd")


def _batch(at: At) -> BatchMark:
    stated, total = at.text("NbOfTxs"), at.one("TtlAmt")
    currency = None if total is None else total.element.get("Ccy", "")
    return BatchMark(
        msg_id=_id(at, "MsgId"),
        payment_id=_id(at, "PmtInfId"),
        count=None if stated is None else count(stated, Below(at, ("NbOfTxs",))),
        total_minor=None if total is None else minor_or_zero(total.need_text(most=20), currency or "", total),
        currency=currency,
    )


def _detail(at: At, line_minor: int, alone: tuple[int, str] | None) -> Detail:
    amount, currency = _own_amount(at, line_minor) or alone or (None, None)
    is_return = (returned := at.one("RtrInf")) is not None
    number, name = _counterparty(at, amount or line_minor, is_return=is_return)
    return Detail(
        end_to_end_id=_id(at, "Refs", "EndToEndId"),
        amount_minor=amount,
        currency=currency,
        msg_id=_id(at, "Refs", "MsgId"),
        payment_id=_id(at, "Refs", "PmtInfId"),
        bank_ref=at.text("Refs", "AcctSvcrRef"),
        counterparty_account=number,
        counterparty_name=name,
        remittance=_remittance(at),
        is_return=is_return,
        return_code=None if returned is None else returned.text("Rsn", "Cd") or returned.text("Rsn", "Prtry"),
        return_reason=None if returned is None else returned.text("AddtlInf", most=FREE),
        charges=_charges(at),
    )


def _own_amount(at: At, line_minor: int) -> tuple[int, str] | None:
    """Return the transfer's own amount: from .04 on `Amt`, before `AmtDtls/TxAmt`; its sign, else the line's."""
    found = at.one("Amt") or at.down("AmtDtls", "TxAmt", "Amt")
    if found is None:
        return None
    currency = found.element.get("Ccy", "")
    direction = sign(at) if at.one("CdtDbtInd") else (1 if line_minor > 0 else -1)
    return direction * minor_or_zero(found.need_text(most=20), currency, found), currency


def _counterparty(at: At, amount_minor: int, *, is_return: bool) -> tuple[str | None, str | None]:
    """Return account and name of the other side: who was paid, or who paid; of a return, whoever is named."""
    parties = at.one("RltdPties")
    if parties is None:
        return None, None
    sides = ("Cdtr", "Dbtr") if amount_minor < 0 else ("Dbtr", "Cdtr")
    found: tuple[str | None, str | None] = None, None
    for side in sides if is_return else sides[:1]:
        holder = parties.one(f"{side}Acct")
        name = parties.text(side, "Nm", most=NAME) or parties.text(side, "Pty", "Nm", most=NAME)
        found = None if holder is None else account(holder), name
        if any(found):
            break
    return found


def _remittance(at: At) -> str | None:
    info = at.one("RmtInf")
    if info is None:
        return None
    texts = [one.text(most=NAME) for one in info.many("Ustrd")]
    texts += [one.text("CdtrRefInf", "Ref") for one in info.many("Strd")]
    return " ".join(one for one in texts if one) or None


def _charges(at: At) -> tuple[Charge, ...]:
    """Return what the bank took: each record, else the total; what bears no sign is a debit."""
    found = []
    for one in at.many("Chrgs"):
        records = one.many("Rcrd") or [one]
        for record in records:
            amount = record.one("Amt") or record.one("TtlChrgsAndTaxAmt")
            if amount is not None:
                currency = amount.element.get("Ccy", "")
                direction = sign(record) if record.one("CdtDbtInd") else -1
                minor_units = minor_or_zero(amount.need_text(most=20), currency, amount)
                found.append(Charge(amount_minor=direction * minor_units, currency=currency))
    return tuple(one for one in found if one.amount_minor)


def _id(at: At, *names: str) -> str | None:
    """Return an id; a word that stands for an absent one is none."""
    text = at.text(*names)
    return None if text is None or text.upper() in _ABSENT else text
