"""The bank's word on a payment file: pain.002.001.03 to .10."""

from collections.abc import Mapping

from lifecycle.banking.answers import Status, StatusReport, StatusWord, TransferStatus
from lifecycle.banking.message import Below, Kind, Message, Record, whole
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.shapes import shapes
from lifecycle.banking.values import FREE, count, decimal, minor_or_zero

STATUSES: Mapping[str, Status] = {
    "ACCC": Status.ACCEPTED,
    "ACCP": Status.ACCEPTED,
    "ACFC": Status.ACCEPTED,
    "ACSC": Status.ACCEPTED,
    "ACSP": Status.ACCEPTED,
    "ACTC": Status.ACCEPTED,
    "ACWC": Status.ACCEPTED,
    "ACWP": Status.ACCEPTED,
    "BLCK": Status.PENDING,
    "PATC": Status.PENDING,
    "PDNG": Status.PENDING,
    "RCVD": Status.PENDING,
    "CANC": Status.REJECTED,
    "RJCT": Status.REJECTED,
    "PART": Status.PART,
}
"""ISO 20022 external status codes; one that is not here is refused, never guessed."""

DUPLICATE = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})
"""External reason codes of what was refused because the bank has it already: no word on the first one, which it keeps.

Read as a rejection it would free the money while the first one is paid.
"""

_SHAPES = shapes(
    Document="CstmrPmtStsRpt",
    CstmrPmtStsRpt="GrpHdr OrgnlGrpInfAndSts OrgnlPmtInfAndSts* SplmtryData*",
    OrgnlGrpInfAndSts="OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? OrgnlNbOfTxs? OrgnlCtrlSum? GrpSts? StsRsnInf* "
    "NbOfTxsPerSts*",
    OrgnlPmtInfAndSts="OrgnlPmtInfId OrgnlNbOfTxs? OrgnlCtrlSum? PmtInfSts? StsRsnInf* NbOfTxsPerSts* TxInfAndSts*",
    TxInfAndSts="StsId? OrgnlInstrId? OrgnlEndToEndId? OrgnlUETR? TxSts? StsRsnInf* ChrgsInf* TrckrData? "
    "AccptncDtTm? AcctSvcrRef? ClrSysRef? OrgnlTxRef? SplmtryData*",
    StsRsnInf="Orgtr? Rsn? AddtlInf*",
)
_ORIGINAL = "CstmrPmtStsRpt/OrgnlGrpInfAndSts/"


def read(message: Message) -> StatusReport:
    """Return the report; `BankFileRefused` for an unknown status, a transfer named twice, or words that contradict."""
    if message.kind is not Kind.PAIN_002:
        raise BankFileRefused("bank_kind", element="Document", rule=Kind.PAIN_002, found=message.kind)
    file = whole(message, _SHAPES)
    group = _word(file, _ORIGINAL, "GrpSts")
    blocks = file.many("CstmrPmtStsRpt/OrgnlPmtInfAndSts")
    stated = file.text(f"{_ORIGINAL}OrgnlNbOfTxs")
    return StatusReport(
        report_id=file.need("CstmrPmtStsRpt/GrpHdr/MsgId"),
        original_msg_id=file.need(f"{_ORIGINAL}OrgnlMsgId"),
        original_kind=file.need(f"{_ORIGINAL}OrgnlMsgNmId"),
        original_count=None if stated is None else count(stated, Below(file, f"{_ORIGINAL}OrgnlNbOfTxs")),
        original_sum=file.text(f"{_ORIGINAL}OrgnlCtrlSum"),
        group=group,
        payments=tuple(
            (one.need("OrgnlPmtInfId"), word) for one in blocks if (word := _word(one, "", "PmtInfSts")) is not None
        ),
        transfers=_transfers(blocks, group),
    )


def refuse_other_order(report: StatusReport, amounts: Mapping[str, int], currency: str) -> None:
    """Refuse a report that does not speak of this message: `amounts` is end-to-end id -> minor units of its transfers.

    `BankFileRefused` for another count or sum than it repeats (one that it does not repeat is not asked), and for a
    transfer that the message does not hold.
    """
    place = f"Document/{_ORIGINAL}"
    if report.original_count not in (None, len(amounts)):
        raise BankFileRefused(
            "bank_count_differs", element=f"{place}OrgnlNbOfTxs", rule="= the order", stated=report.original_count,
            found=len(amounts),
        )  # fmt: skip
    total = sum(amounts.values())
    stated = report.original_sum
    if stated is not None and minor_or_zero(stated, currency, f"{place}OrgnlCtrlSum") != total:
        raise BankFileRefused(
            "bank_sum_differs", element=f"{place}OrgnlCtrlSum", rule="= the order", stated=shown(stated),
            found=decimal(total, currency),
        )  # fmt: skip
    foreign = next((one.end_to_end_id for one in report.transfers if one.end_to_end_id not in amounts), None)
    if foreign is not None:
        element = "Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts/OrgnlEndToEndId"
        raise BankFileRefused("bank_result_foreign", element=element, rule="an id of the order", found=shown(foreign))


def _transfers(blocks: list[Record], group: StatusWord | None) -> tuple[TransferStatus, ...]:
    """Return the status of each transfer that the report names with one; others are only referred to."""
    found: dict[str, TransferStatus] = {}
    for block in blocks:
        above = _word(block, "", "PmtInfSts", group)
        _refuse_contradiction(block, group, above)
        for at in block.many("TxInfAndSts"):
            word = _word(at, "", "TxSts", above or group)
            if word is None:
                continue
            if word.status is Status.PART:
                raise _unknown(at, "TxSts", word.code)
            _refuse_contradiction(at, group, word)
            _refuse_contradiction(at, above, word)
            end_to_end_id = at.need("OrgnlEndToEndId")
            if end_to_end_id in found:
                place, rule = f"{at}/OrgnlEndToEndId", "unique in the report"
                raise BankFileRefused("bank_id_repeated", element=place, rule=rule, found=shown(end_to_end_id))
            found[end_to_end_id] = TransferStatus(end_to_end_id=end_to_end_id, word=word)
    return tuple(found.values())


def _word(at: Record, prefix: str, name: str, above: StatusWord | None = None) -> StatusWord | None:
    code = at.text(prefix + name)
    if code is None:
        return None
    status = STATUSES.get(code)
    if status is None:
        raise _unknown(at, prefix + name, code)
    reasons = at.many(f"{prefix}StsRsnInf")
    codes = (one.text("Rsn/Cd") or one.text("Rsn/Prtry") for one in reasons)
    texts = (info.text(most=FREE) for one in reasons for info in one.many("AddtlInf"))
    reason_code = next((one for one in codes if one), above.reason_code if above is not None else None)
    if status is Status.REJECTED and reason_code in DUPLICATE:
        status = Status.PENDING
    return StatusWord(
        status=status,
        code=code,
        reason_code=reason_code,
        reason=" ".join(one for one in texts if one) or None,
    )


def _refuse_contradiction(at: Record, above: StatusWord | None, below: StatusWord | None) -> None:
    """A rejected whole has no accepted part. The other way round is common: the file was accepted, a payment not."""
    if above is None or below is None or above.status is not Status.REJECTED or below.status is Status.REJECTED:
        return
    raise BankFileRefused(
        "bank_status_contradicts", element=at, rule="parts of what is rejected are rejected",
        above=above.code, found=below.code,
    )  # fmt: skip


def _unknown(at: Record, name: str, code: str) -> BankFileRefused:
    return BankFileRefused("bank_word", element=f"{at}/{name}", rule=" | ".join(STATUSES), found=shown(code))
