"""The payment file: pain.001.001.09 out, byte by byte the same for the same order; .03 to .09 read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import BinaryIO

from lifecycle.banking.message import Below, Kind, Message, Record, opened, whole
from lifecycle.banking.orders import BIC, CNAPS, CreditTransfer, PaymentOrder, utc
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.shapes import shapes
from lifecycle.banking.values import (
    ACCOUNT,
    NAME,
    count,
    day,
    day_of_moment,
    decimal,
    minor,
    minor_or_zero,
    moment,
)
from lifecycle.banking.written import Node, written

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NOT_PROVIDED = "NOTPROVIDED"
"""What stands where the schema wants a code of the debtor's bank and the bank wants none."""

_SHAPES = shapes(
    Document="CstmrCdtTrfInitn",
    CstmrCdtTrfInitn="GrpHdr PmtInf+ SplmtryData*",
    GrpHdr="MsgId CreDtTm Authstn* NbOfTxs CtrlSum? InitgPty FwdgAgt?",
    PmtInf="PmtInfId PmtMtd BtchBookg? NbOfTxs? CtrlSum? PmtTpInf? ReqdExctnDt PoolgAdjstmntDt? Dbtr DbtrAcct DbtrAgt "
    "DbtrAgtAcct? InstrForDbtrAgt? UltmtDbtr? ChrgBr? ChrgsAcct? ChrgsAcctAgt? CdtTrfTxInf+",
    CdtTrfTxInf="PmtId PmtTpInf? Amt XchgRateInf? ChrgBr? ChqInstr? UltmtDbtr? IntrmyAgt1? IntrmyAgt1Acct? IntrmyAgt2? "
    "IntrmyAgt2Acct? IntrmyAgt3? IntrmyAgt3Acct? CdtrAgt? CdtrAgtAcct? Cdtr? CdtrAcct? UltmtCdtr? InstrForCdtrAgt* "
    "InstrForDbtrAgt? Purp? RgltryRptg* Tax? RltdRmtInf* RmtInf? SplmtryData*",
    RmtInf="Ustrd* Strd*",
)
_TOP = "CstmrCdtTrfInitn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One credit transfer as some payment file has it: nothing of ours is asked of it."""

    end_to_end_id: str
    amount_minor: int
    currency: str
    payee_name: str | None
    payee_account: str | None
    payee_bank_code: str | None
    remittance: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The count and the sum that a header states of the transfers below it."""

    element: str
    count: int | None
    sum: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The transfers from one account on one day (`PmtInf`)."""

    payment_id: str
    execution_on: date
    debtor_name: str | None
    debtor_account: str
    debtor_bank_code: str | None
    currency: str | None
    stated: Stated
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFile:
    """A payment file as it is written; whether its counts and sums are right, `check_totals` says."""

    version: int
    msg_id: str
    created_at: str
    """As it is written: some leave out the offset."""
    stated: Stated
    payments: tuple[Payment, ...]


def render(order: PaymentOrder) -> bytes:
    """Return the order as pain.001.001.09: UTF-8, one `PmtInf`, accounts as `Othr/Id`, count and sum twice."""
    return written(_document(order))


def read_back(data: bytes) -> PaymentOrder:
    """Return the order that a payment file of ours carries; `BankFileRefused` for a file that is not one of ours."""
    file = parse(BytesIO(data))
    check_totals(file)
    if len(file.payments) != 1:
        place = "Document/CstmrCdtTrfInitn/PmtInf"
        raise BankFileRefused("bank_payments", element=place, rule="exactly one", found=len(file.payments))
    (payment,) = file.payments
    at = "Document/CstmrCdtTrfInitn/PmtInf[1]"
    return PaymentOrder(
        msg_id=file.msg_id,
        created_at=moment(file.created_at, "Document/CstmrCdtTrfInitn/GrpHdr/CreDtTm"),
        execution_on=payment.execution_on,
        debtor_name=_given(payment.debtor_name, f"{at}/Dbtr/Nm"),
        debtor_account=payment.debtor_account,
        debtor_bank_code=payment.debtor_bank_code,
        currency=_given(payment.currency, f"{at}/DbtrAcct/Ccy"),
        transfers=tuple(_ours(one, f"{at}/CdtTrfTxInf[{n}]") for n, one in enumerate(payment.transfers, start=1)),
    )


def parse(stream: BinaryIO) -> PaymentFile:
    """Read any payment file of the versions spoken; `BankFileRefused` names the element that cannot be read."""
    return read(opened(stream))


def read(message: Message) -> PaymentFile:
    """Read a payment file whose prolog is read already."""
    if message.kind is not Kind.PAIN_001:
        raise BankFileRefused("bank_kind", element="Document", rule=Kind.PAIN_001, found=message.kind)
    file = whole(message, _SHAPES)
    created = file.need(f"{_TOP}/GrpHdr/CreDtTm")
    day_of_moment(created, Below(file, f"{_TOP}/GrpHdr/CreDtTm"))
    return PaymentFile(
        version=message.version,
        msg_id=file.need(f"{_TOP}/GrpHdr/MsgId"),
        created_at=created,
        stated=_stated(file, f"{_TOP}/GrpHdr/"),
        payments=tuple(_payment(one) for one in file.many(f"{_TOP}/PmtInf")),
    )


def check_totals(file: PaymentFile) -> None:
    """Refuse (`BankFileRefused`) a file whose counts or sums, where they are given, are not those of its transfers."""
    _check_stated(file.stated, [one for payment in file.payments for one in payment.transfers])
    for payment in file.payments:
        _check_stated(payment.stated, payment.transfers)


def _payment(at: Record) -> Payment:
    path = next((one for one in ("ReqdExctnDt/Dt", "ReqdExctnDt/DtTm") if at.has(one)), "ReqdExctnDt")
    return Payment(
        payment_id=at.need("PmtInfId"),
        execution_on=(day_of_moment if path.endswith("DtTm") else day)(at.need(path), Below(at, path)),
        debtor_name=at.text("Dbtr/Nm", most=NAME),
        debtor_account=_given(account(at, "DbtrAcct/"), f"{at}/DbtrAcct/Id"),
        debtor_bank_code=_bank_code(at, "DbtrAgt"),
        currency=at.text("DbtrAcct/Ccy"),
        stated=_stated(at, ""),
        transfers=tuple(_transfer(one) for one in at.many("CdtTrfTxInf")),
    )


def _transfer(at: Record) -> Transfer:
    currency = at.currency("Amt/InstdAmt")
    return Transfer(
        end_to_end_id=at.need("PmtId/EndToEndId"),
        amount_minor=minor(at.need("Amt/InstdAmt"), currency, Below(at, "Amt/InstdAmt")),
        currency=currency,
        payee_name=at.text("Cdtr/Nm", most=NAME),
        payee_account=account(at, "CdtrAcct/"),
        payee_bank_code=_bank_code(at, "CdtrAgt"),
        remittance=next((one.text(most=NAME) for one in at.many("RmtInf/Ustrd")), None),
    )


def account(at: Record, prefix: str = "") -> str | None:
    """Return the number of the account there, whether it is an IBAN or another."""
    return at.text(f"{prefix}Id/IBAN", most=ACCOUNT) or at.text(f"{prefix}Id/Othr/Id", most=ACCOUNT)


def _bank_code(at: Record, path: str) -> str | None:
    codes = (at.text(f"{path}/FinInstnId/{one}") for one in ("BICFI", "BIC", "ClrSysMmbId/MmbId", "Othr/Id"))
    code = next((one for one in codes if one), None)
    return None if code == NOT_PROVIDED else code


def _stated(at: Record, prefix: str) -> Stated:
    stated = at.text(f"{prefix}NbOfTxs")
    number = None if stated is None else count(stated, Below(at, f"{prefix}NbOfTxs"))
    return Stated(element=str(Below(at, prefix)), count=number, sum=at.text(f"{prefix}CtrlSum"))


def _check_stated(stated: Stated, transfers: Sequence[Transfer]) -> None:
    if stated.count is not None and stated.count != len(transfers):
        place, found = f"{stated.element}/NbOfTxs", len(transfers)
        raise BankFileRefused("bank_count_differs", element=place, rule="= transfers", stated=stated.count, found=found)
    currencies = {one.currency for one in transfers}
    if stated.sum is None or len(currencies) != 1:
        return  # a sum over several currencies is a number without a meaning
    (currency,) = currencies
    total, place = sum(one.amount_minor for one in transfers), f"{stated.element}/CtrlSum"
    if minor_or_zero(stated.sum, currency, place) != total:
        said, found_sum = shown(stated.sum), decimal(total, currency)
        raise BankFileRefused("bank_sum_differs", element=place, rule="= amounts", stated=said, found=found_sum)


def _ours(one: Transfer, at: str) -> CreditTransfer:
    return CreditTransfer(
        end_to_end_id=one.end_to_end_id,
        amount_minor=one.amount_minor,
        currency=one.currency,
        payee_name=_given(one.payee_name, f"{at}/Cdtr/Nm"),
        payee_account=_given(one.payee_account, f"{at}/CdtrAcct/Id"),
        payee_bank_code=one.payee_bank_code,
        remittance=one.remittance,
    )


def _given(text: str | None, element: str) -> str:
    if text is None:
        raise BankFileRefused("bank_element_missing", element=element, rule="required")
    return text


def _document(order: PaymentOrder) -> Node:
    totals: list[Node] = [
        ("NbOfTxs", str(len(order.transfers))),
        ("CtrlSum", decimal(order.total_minor, order.currency)),
    ]
    header: list[Node] = [
        ("MsgId", order.msg_id),
        ("CreDtTm", utc(order.created_at)),
        *totals,
        ("InitgPty", [("Nm", order.debtor_name)]),
    ]
    payment: list[Node] = [
        ("PmtInfId", order.msg_id),
        ("PmtMtd", "TRF"),
        *totals,
        ("ReqdExctnDt", [("Dt", order.execution_on.isoformat())]),
        ("Dbtr", [("Nm", order.debtor_name)]),
        ("DbtrAcct", [*_other(order.debtor_account), ("Ccy", order.currency)]),
        ("DbtrAgt", _institution(order.debtor_bank_code or NOT_PROVIDED)),
        ("ChrgBr", "DEBT"),  # the fund bears the charges: what was approved arrives in full
        *(_transfer_node(one) for one in order.transfers),
    ]
    return (f'Document xmlns="{NAMESPACE}"', [("CstmrCdtTrfInitn", [("GrpHdr", header), ("PmtInf", payment)])])


def _transfer_node(one: CreditTransfer) -> Node:
    content: list[Node] = [
        ("PmtId", [("EndToEndId", one.end_to_end_id)]),
        ("Amt", [(f'InstdAmt Ccy="{one.currency}"', decimal(one.amount_minor, one.currency))]),
    ]
    if one.payee_bank_code is not None:
        content.append(("CdtrAgt", _institution(one.payee_bank_code)))
    content += [("Cdtr", [("Nm", one.payee_name)]), ("CdtrAcct", _other(one.payee_account))]
    if one.remittance is not None:
        content.append(("RmtInf", [("Ustrd", one.remittance)]))
    return ("CdtTrfTxInf", content)


def _other(number: str) -> list[Node]:
    return [("Id", [("Othr", [("Id", number)])])]


def _institution(code: str) -> list[Node]:
    """Return the bank by its number in CNAPS, by its BIC, or by whatever code the bank has agreed on."""
    if CNAPS.fullmatch(code):
        by: Node = ("ClrSysMmbId", [("ClrSysId", [("Cd", "CNAPS")]), ("MmbId", code)])
    elif BIC.fullmatch(code):
        by = ("BICFI", code)
    else:
        by = ("Othr", [("Id", code)])
    return [("FinInstnId", [by])]
