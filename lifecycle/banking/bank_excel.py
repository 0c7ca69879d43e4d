"""Batch templates of Chinese online banking: a workbook out, and the rows of the bank's result workbook back in.

Each bank names its columns differently; the columns are data. Every cell is text: an account number keeps its zeros,
an amount its fen, and nothing is a formula. The bytes depend on the order and the template alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from lifecycle.banking.answers import Status, StatusReport, StatusWord, TransferStatus
from lifecycle.banking.orders import CreditTransfer, PaymentOrder
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.values import FREE, REFERENCE, decimal, legible, minor_exact

Fact: TypeAlias = Literal[
    "number", "end_to_end_id", "payee_name", "payee_account", "payee_bank_code", "amount", "currency", "remittance",
    "debtor_name", "debtor_account", "execution_on", "msg_id",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a template: its heading, and a fact of the transfer or a fixed text."""

    heading: str
    fact: Fact | None = None
    fixed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The workbook that a bank's portal takes; without our own id in it no answer could be matched."""

    sheet: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        facts = [one.fact for one in self.columns]
        for fact in ("end_to_end_id", "payee_account", "payee_name", "amount"):
            if fact not in facts:
                raise BankFileRefused("bank_template_lacks", element=f"template/{shown(self.sheet)}", rule=fact)
        for one in self.columns:
            legible(one.heading, f"template/{shown(self.sheet)}/heading", FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumns:
    """Where the result workbook says what; `words` are the bank's words for what became of a transfer."""

    end_to_end_id: str
    status: str
    words: Mapping[str, Status]
    amount: str | None = None
    reason: str | None = None


GENERIC = Template(
    sheet="批量付款",
    columns=(
        Column(heading="序号", fact="number"),
        Column(heading="付款账号", fact="debtor_account"),
        Column(heading="收款账号", fact="payee_account"),
        Column(heading="收款户名", fact="payee_name"),
        Column(heading="收款行行号", fact="payee_bank_code"),
        Column(heading="金额", fact="amount"),
        Column(heading="币种", fact="currency"),
        Column(heading="用途", fact="remittance"),
        Column(heading="业务参考号", fact="end_to_end_id"),
    ),
)
GENERIC_RESULT = ResultColumns(
    end_to_end_id="业务参考号",
    status="处理状态",
    amount="金额",
    reason="失败原因",
    words={
        "成功": Status.ACCEPTED,
        "交易成功": Status.ACCEPTED,
        "处理中": Status.PENDING,
        "待处理": Status.PENDING,
        "失败": Status.REJECTED,
        "交易失败": Status.REJECTED,
    },
)


def render(order: PaymentOrder, template: Template = GENERIC) -> bytes:
    """Return the workbook: one heading row, then one row per transfer, in the order's order."""
    rows = [[one.heading for one in template.columns]]
    for number, transfer in enumerate(order.transfers, start=1):
        facts = _facts(order, transfer, number)
        rows.append([one.fixed if one.fact is None else facts[one.fact] for one in template.columns])
    return _workbook(template.sheet, rows)


def read_result(rows: Iterable[tuple[int, Sequence[str]]], columns: ResultColumns, order: PaymentOrder) -> StatusReport:
    """Return what the result workbook says of the order it answers; `rows` are (number, texts), the heading first.

    `BankFileRefused` for a row of another order, one that comes twice, another amount, or a word not agreed on.
    """
    numbered = iter(rows)
    first, headings = next(numbered, (1, ()))
    at = {name: _index(headings, name, first) for name in _wanted(columns)}
    ordered = {one.end_to_end_id: one for one in order.transfers}
    found: dict[str, TransferStatus] = {}
    for number, cells in numbered:
        if any(cells):
            one = _result(cells, columns, at, ordered, f"row {number}")
            if found.setdefault(one.end_to_end_id, one) is not one:
                place, rule = f"row {number}/{columns.end_to_end_id}", "unique in the result"
                raise BankFileRefused("bank_id_repeated", element=place, rule=rule, found=one.end_to_end_id)
    return StatusReport(
        report_id="", original_msg_id=order.msg_id, original_kind="bank-excel", original_count=None, original_sum=None,
        group=None, payments=(), transfers=tuple(found.values()),
    )  # fmt: skip


def _wanted(columns: ResultColumns) -> list[str]:
    return [one for one in (columns.end_to_end_id, columns.status, columns.amount, columns.reason) if one is not None]


def _index(headings: Sequence[str], name: str, row: int) -> int:
    found = [index for index, heading in enumerate(headings) if heading.strip() == name]
    if len(found) != 1:
        raise BankFileRefused(
            "bank_result_column", element=f"row {row}", rule="exactly one", column=name, found=len(found)
        )
    return found[0]


def _result(
    cells: Sequence[str], columns: ResultColumns, at: Mapping[str, int], ordered: Mapping[str, CreditTransfer], row: str
) -> TransferStatus:
    def written(name: str) -> str:
        return cells[at[name]] if at[name] < len(cells) else ""

    def cell(name: str) -> str:
        return written(name).strip()

    end_to_end_id, word = cell(columns.end_to_end_id), cell(columns.status)
    transfer = ordered.get(end_to_end_id)
    if transfer is None:
        place, found = f"{row}/{columns.end_to_end_id}", shown(end_to_end_id[:REFERENCE]) or "–"
        raise BankFileRefused("bank_result_foreign", element=place, rule="an id of the order", found=found)
    if columns.amount is not None:
        _check_amount(written(columns.amount), transfer, f"{row}/{columns.amount}")
    status = columns.words.get(word)
    if status is None:
        place, rule = f"{row}/{columns.status}", " | ".join(columns.words)
        raise BankFileRefused("bank_word", element=place, rule=rule, found=shown(word) or "–")
    reason = cell(columns.reason)[:FREE] if columns.reason is not None else ""
    return TransferStatus(end_to_end_id=end_to_end_id, word=StatusWord(status=status, code=word, reason=reason or None))


def _check_amount(text: str, transfer: CreditTransfer, place: str) -> None:
    if minor_exact(text, transfer.currency, place) != transfer.amount_minor:
        stated, found = shown(text), decimal(transfer.amount_minor, transfer.currency)
        raise BankFileRefused("bank_sum_differs", element=place, rule="= the order", stated=stated, found=found)


def _facts(order: PaymentOrder, one: CreditTransfer, number: int) -> dict[Fact, str]:
    return {
        "number": str(number),
        "end_to_end_id": one.end_to_end_id,
        "payee_name": one.payee_name,
        "payee_account": one.payee_account,
        "payee_bank_code": one.payee_bank_code or "",
        "amount": decimal(one.amount_minor, one.currency),
        "currency": one.currency,
        "remittance": one.remittance or "",
        "debtor_name": order.debtor_name,
        "debtor_account": order.debtor_account,
        "execution_on": order.execution_on.isoformat(),
        "msg_id": order.msg_id,
    }


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FIXED_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def _workbook(sheet: str, rows: list[list[str]]) -> bytes:
    """Return a workbook of one sheet of texts: stored, not packed, since packers differ; with a fixed time."""
    named = f'<sheet name="{escape(sheet, {chr(34): "&quot;"})}" sheetId="1" r:id="rId1"/>'
    parts = _FIXED_PARTS | {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{_sheet(rows)}</sheetData></worksheet>',
    }
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name, text in parts.items():
            member = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system = 0  # else the operating system would stand in it
            archive.writestr(member, (_XML + text).encode())
    return out.getvalue()


def _sheet(rows: list[list[str]]) -> str:
    return "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>' for text in row)
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
