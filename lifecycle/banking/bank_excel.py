"""Batch workbooks of Chinese online banking: the payment workbook out, and the bank's result workbook back in.

Every cell is text: an account number keeps its zeros, an amount its fen, and nothing is a formula. The bytes depend on
the order and the template alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from lifecycle.banking.answers import (
    Detail,
    EntryStatus,
    Source,
    Statement,
    StatementLine,
    Status,
    StatusWord,
    TransferStatus,
    content_hash,
)
from lifecycle.banking.orders import CreditTransfer, PaymentOrder
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.template import Fact, ResultColumns, Template
from lifecycle.banking.values import FREE, REFERENCE, decimal, legible, minor_exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a result workbook says: bookings as lines of a statement without balances, and words on all others."""

    statement: Statement
    lines: tuple[StatementLine, ...]
    words: tuple[TransferStatus, ...]


def render(order: PaymentOrder, template: Template) -> bytes:
    """Return the workbook: one heading row, one row per transfer in the order's order, the total where one is asked."""
    rows = [[one.heading for one in template.columns]]
    for number, transfer in enumerate(order.transfers, start=1):
        facts = _facts(order, transfer, number)
        rows.append([one.fixed if one.fact is None else facts[one.fact] for one in template.columns])
    if template.total is not None:
        total = decimal(order.total_minor, order.currency)
        cells = (total if one.fact == "amount" else "" for one in template.columns[1:])
        rows.append([template.total, *cells])
    return _workbook(template.sheet, rows)


def read_result(
    rows: Iterable[tuple[int, Sequence[str]]], template: Template, order: PaymentOrder, *, sheet: str
) -> Result:
    """Return what the result workbook says of the order it answers; `rows` are (number, texts) from the first on.

    `BankFileRefused` with sheet, row, column and rule for a column that is missing or there twice, a row of another
    order, one that comes twice, another amount or account, a word not agreed on, a day that is none, a wrong total.
    """
    reader = _Reader(template=template, order=order, sheet=sheet)
    numbered = (row for row in rows if row[0] >= template.answer.heading_row)
    first, headings = next(numbered, (template.answer.heading_row, ()))
    at = {name: _index(headings, name, f"{sheet}/row {first}") for name in template.answer.headings}
    found: dict[str, _Row] = {}
    for number, cells in numbered:
        row = _Row(place=f"{sheet}/row {number}", cells=cells, at=at)
        if template.total is not None and cells and cells[0].strip() == template.total:
            reader.check_total(row, found)
        elif any(cells):
            transfer = reader.transfer_of(row)
            if found.setdefault(transfer.end_to_end_id, row) is not row:
                place, rule = f"{row.place}/{template.answer.end_to_end_id}", "unique in the result"
                raise BankFileRefused("bank_id_repeated", element=place, rule=rule, found=transfer.end_to_end_id)
    return reader.result(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row below the headings."""

    place: str
    cells: Sequence[str]
    at: Mapping[str, int]

    def cell(self, name: str | None) -> str:
        """Return the text under a heading without blanks around it; nothing where there is no such column."""
        return self.written(name).strip()

    def written(self, name: str | None) -> str:
        """Return the text under a heading as it stands there: an amount with blanks is none."""
        return "" if name is None or self.at[name] >= len(self.cells) else self.cells[self.at[name]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One result workbook against the order that it answers."""

    template: Template
    order: PaymentOrder
    sheet: str

    @property
    def columns(self) -> ResultColumns:
        """Where it says what."""
        return self.template.answer

    def transfer_of(self, row: _Row) -> CreditTransfer:
        """Return which transfer a row speaks of, with the amount and to the account that were ordered."""
        end_to_end_id = row.cell(self.columns.end_to_end_id)
        transfer = next((one for one in self.order.transfers if one.end_to_end_id == end_to_end_id), None)
        if transfer is None:
            place, found = f"{row.place}/{self.columns.end_to_end_id}", shown(end_to_end_id[:REFERENCE]) or "–"
            raise BankFileRefused("bank_result_foreign", element=place, rule="an id of the order", found=found)
        if self.columns.amount is not None:
            self._check_amount(row, transfer.amount_minor, "= the order")
        account = row.cell(self.columns.payee_account)
        if self.columns.payee_account is not None and account != transfer.payee_account:
            place = f"{row.place}/{self.columns.payee_account}"
            raise BankFileRefused("bank_result_differs", element=place, rule="= the order", found=f"…{account[-4:]}")
        return transfer

    def check_total(self, row: _Row, found: Mapping[str, _Row]) -> None:
        """Refuse a total that is not the sum of the rows above it."""
        total = sum(one.amount_minor for one in self.order.transfers if one.end_to_end_id in found)
        self._check_amount(row, total, "= the rows above")

    def _check_amount(self, row: _Row, found_minor: int, rule: str) -> None:
        place, text = f"{row.place}/{self.columns.amount}", row.written(self.columns.amount)
        if minor_exact(text, self.order.currency, place) != found_minor:
            stated, found = shown(text), decimal(found_minor, self.order.currency)
            raise BankFileRefused("bank_sum_differs", element=place, rule=rule, stated=stated, found=found)

    def result(self, found: Mapping[str, _Row]) -> Result:
        """Return lines for what was booked, in the order's order, and words for the rest."""
        lines: list[StatementLine] = []
        words: list[TransferStatus] = []
        for transfer in self.order.transfers:
            row = found.get(transfer.end_to_end_id)
            if row is None:
                continue
            word = self._word(row)
            if word.status is Status.BOOKED:
                lines.append(self._line(row, transfer, len(lines) + 1))
            else:
                words.append(TransferStatus(end_to_end_id=transfer.end_to_end_id, word=word))
        head = Statement(
            source=Source.BANK_EXCEL, element=self.sheet, account_number=self.order.debtor_account,
            statement_ref=None, sequence=None, currency=self.order.currency,
        )  # fmt: skip
        return Result(statement=head, lines=tuple(lines), words=tuple(words))

    def _word(self, row: _Row) -> StatusWord:
        text = row.cell(self.columns.status)
        status = self.columns.words.get(text)
        if status is None:
            place, rule = f"{row.place}/{self.columns.status}", " | ".join(self.columns.words)
            raise BankFileRefused("bank_word", element=place, rule=rule, found=shown(text) or "–")
        return StatusWord(status=status, code=text, reason=row.cell(self.columns.reason)[:FREE] or None)

    def _line(self, row: _Row, transfer: CreditTransfer, position: int) -> StatementLine:
        columns, amount = self.columns, -transfer.amount_minor
        ref = row.cell(columns.bank_ref)
        bank_ref = legible(ref, f"{row.place}/{columns.bank_ref}", REFERENCE) if ref else None
        booked_on = columns.day_of(row.cell(columns.booked_on), f"{row.place}/{columns.booked_on}")
        details = (
            Detail(
                end_to_end_id=transfer.end_to_end_id, amount_minor=amount, currency=transfer.currency,
                counterparty_account=transfer.payee_account, counterparty_name=transfer.payee_name,
            ),
        )  # fmt: skip
        return StatementLine(
            position=position, line_ref=None, status=EntryStatus.BOOKED, amount_minor=amount,
            currency=transfer.currency, booked_on=booked_on, bank_ref=bank_ref, details=details,
            content_hash=content_hash(
                None, amount_minor=amount, currency=transfer.currency, booked_on=booked_on, bank_ref=bank_ref,
                details=details,
            ),
        )  # fmt: skip


def _index(headings: Sequence[str], name: str, place: str) -> int:
    found = [index for index, heading in enumerate(headings) if heading.strip() == name]
    if len(found) != 1:
        raise BankFileRefused("bank_result_column", element=place, rule="exactly one", column=name, found=len(found))
    return found[0]


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
