"""The bank's word on a payment file: pain.002.001.03 to .10."""

from collections.abc import Mapping

from lifecycle.banking.answers import Status, StatusReport, StatusWord, TransferStatus
from lifecycle.banking.message import At, Below, Kind, Message, tree
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.shapes import Shape
from lifecycle.banking.values import FREE, count, minor_or_zero

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

_DOCUMENT = Shape("CstmrPmtStsRpt")
_REPORT = Shape("GrpHdr OrgnlGrpInfAndSts OrgnlPmtInfAndSts* SplmtryData*")
_GROUP = Shape("OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? OrgnlNbOfTxs? OrgnlCtrlSum? GrpSts? StsRsnInf* NbOfTxsPerSts*")
_PAYMENT = Shape("OrgnlPmtInfId OrgnlNbOfTxs? OrgnlCtrlSum? PmtInfSts? StsRsnInf* NbOfTxsPerSts* TxInfAndSts*")
_TRANSFER = Shape(
    "StsId? OrgnlInstrId? OrgnlEndToEndId? OrgnlUETR? TxSts? StsRsnInf* ChrgsInf* TrckrData? AccptncDtTm? "
    "PrcgDt? FctvIntrBkSttlmDt? AcctSvcrRef? ClrSysRef? OrgnlTxRef? SplmtryData*"
)


def read(message: Message) -> StatusReport:
    """Return the report; `BankFileRefused` for an unknown status, a transfer named twice, or words that contradict."""
    if message.kind is not Kind.PAIN_002:
        raise BankFileRefused("bank_kind", element="Document", rule=Kind.PAIN_002, found=message.kind)
    top = tree(message).shaped(_DOCUMENT).need("CstmrPmtStsRpt").shaped(_REPORT)
    original = top.need("OrgnlGrpInfAndSts").shaped(_GROUP)
    group = _word(original, "GrpSts")
    blocks = [(at.shaped(_PAYMENT).need_text("OrgnlPmtInfId"), at, _word(at, "PmtInfSts"))
              for at in top.many("OrgnlPmtInfAndSts")]  # fmt: skip
    transfers: dict[str, TransferStatus] = {}
    for _, at, block in blocks:
        _refuse_contradiction(at, group, block)
        for one in at.many("TxInfAndSts"):
            found = _transfer(one, group, block)
            if found is not None and transfers.setdefault(found.end_to_end_id, found) is not found:
                rule, again = "unique in the report", shown(found.end_to_end_id)
                raise BankFileRefused("bank_id_repeated", element=f"{one}/OrgnlEndToEndId", rule=rule, found=again)
    stated = original.text("OrgnlNbOfTxs")
    return StatusReport(
        report_id=top.need("GrpHdr").need_text("MsgId"),
        original_msg_id=original.need_text("OrgnlMsgId"),
        original_kind=original.need_text("OrgnlMsgNmId"),
        original_count=None if stated is None else count(stated, Below(original, ("OrgnlNbOfTxs",))),
        original_sum=original.text("OrgnlCtrlSum"),
        group=group,
        payments=tuple((ref, word) for ref, _, word in blocks if word is not None),
        transfers=tuple(transfers.values()),
    )


def is_sum(report: StatusReport, minor_units: int, currency: str) -> bool:
    """Say whether the sum that the report repeats is this one; a report that repeats none is not asked."""
    if report.original_sum is None:
        return True
    place = "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlCtrlSum"
    return minor_or_zero(report.original_sum, currency, place) == minor_units


def _transfer(at: At, group: StatusWord | None, block: StatusWord | None) -> TransferStatus | None:
    """Return the status of one transfer, or None where the report only repeats what it refers to."""
    word = _word(at.shaped(_TRANSFER), "TxSts")
    if word is None:
        return None
    if word.status is Status.PART:
        raise _unknown(at, "TxSts", word.code)
    _refuse_contradiction(at, group, word)
    _refuse_contradiction(at, block, word)
    return TransferStatus(end_to_end_id=at.need_text("OrgnlEndToEndId"), word=word)


def _word(at: At, name: str) -> StatusWord | None:
    code = at.text(name)
    if code is None:
        return None
    status = STATUSES.get(code)
    if status is None:
        raise _unknown(at, name, code)
    reasons = at.many("StsRsnInf")
    codes = (one.text("Rsn", "Cd") or one.text("Rsn", "Prtry") for one in reasons)
    texts = [info.text(most=FREE) or "" for one in reasons for info in one.many("AddtlInf")]
    return StatusWord(
        status=status,
        code=code,
        reason_code=next((one for one in codes if one), None),
        reason=" ".join(filter(None, texts)) or None,
    )


def _refuse_contradiction(at: At, above: StatusWord | None, below: StatusWord | None) -> None:
    """A rejected whole has no accepted part. The other way round is common: the file was accepted, a payment not."""
    if above is None or below is None or above.status is not Status.REJECTED or below.status is Status.REJECTED:
        return
    raise BankFileRefused(
        "bank_status_contradicts", element=at, rule="parts of what is rejected are rejected",
        above=above.code, found=below.code,
    )  # fmt: skip


def _unknown(at: At, name: str, code: str) -> BankFileRefused:
    return BankFileRefused("bank_word", element=f"{at}/{name}", rule=" | ".join(STATUSES), found=shown(code))
