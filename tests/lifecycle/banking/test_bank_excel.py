import hashlib
from dataclasses import replace
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from openpyxl.worksheet.worksheet import Worksheet

from lifecycle.banking import bank_csv
from lifecycle.banking.answers import StatementLine, Status
from lifecycle.banking.bank_excel import Result, read_result, render
from lifecycle.banking.orders import PaymentOrder
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.template import GENERIC, Column, DayForm, Template
from models.money import CURRENCY_DECIMALS
from tests.lifecycle.banking.orders import order, transfer
from tests.lifecycle.banking.test_pain001 import orders

ORDER = order(transfer(payee_account="62220202"), transfer(2, amount_minor=5, payee_account="0012", remittance=None))
HEADINGS = ("业务参考号", "处理状态", "金额", "失败原因", "收款账号", "交易流水号", "交易日期")


def cells(data: bytes) -> list[list[str]]:
    sheet = openpyxl.load_workbook(BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


def paid(**changed: str) -> tuple[str, ...]:
    """Return the row of the first transfer, booked; `changed` by heading."""
    usual = dict(zip(HEADINGS, ("E1PO1A1", "交易成功", "70.00", "", "62220202", "B1", "2026-03-02"), strict=True))
    return tuple((usual | changed).values())


def failed(word: str = "失败") -> tuple[str, ...]:
    return ("E1PO2A1", word, "0.05", "户名不符", "0012", "", "")


def result(
    *rows: tuple[str, ...], headings: tuple[str, ...] = HEADINGS, template: Template = GENERIC, first: int = 1
) -> Result:
    return read_result(enumerate((headings, *rows), start=first), template, ORDER, sheet="批量付款")


class TestRender:
    def test_writes_every_fact_as_text(self) -> None:
        assert cells(render(ORDER, GENERIC)) == [
            ["序号", "付款账号", "收款账号", "收款户名", "收款行行号", "金额", "币种", "用途", "业务参考号"],
            ["1", "6222000011112222", "62220202", "甲公司", "102100099996", "70.00", "CNY", "里程碑 T1", "E1PO1A1"],
            ["2", "6222000011112222", "0012", "甲公司", "102100099996", "0.05", "CNY", "", "E1PO2A1"],
        ]  # fmt: skip

    def test_writes_these_bytes(self) -> None:
        digest = hashlib.sha256(render(ORDER, GENERIC)).hexdigest()

        assert digest == "b599e885244436c57d811a12d51d79eb53272c0115c99c19f85bbec17a7838ad"

    @given(orders())
    def test_gives_back_what_was_ordered(self, one: PaymentOrder) -> None:
        data = render(one, GENERIC)
        rows = cells(data)[1:]

        assert render(one, GENERIC) == data
        assert [row[8] for row in rows] == [each.end_to_end_id for each in one.transfers]
        assert [row[3] for row in rows] == [each.payee_name for each in one.transfers]
        written = [row[5] for row in rows]
        assert [int(text.replace(".", "")) for text in written] == [each.amount_minor for each in one.transfers]
        assert {len(text.partition(".")[2]) for text in written} == {CURRENCY_DECIMALS[one.currency]}

    def test_keeps_a_formula_a_text(self) -> None:
        assert cells(render(order(transfer(payee_name="=1+1")), GENERIC))[1][3] == "=1+1"

    def test_names_neither_a_time_nor_a_system(self) -> None:
        with ZipFile(BytesIO(render(ORDER, GENERIC))) as archive:
            members = archive.infolist()

        assert {one.date_time for one in members} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.create_system for one in members} == {0}

    def test_follows_the_columns_of_another_bank_and_adds_its_total(self) -> None:
        columns = (
            Column(heading="Type", fixed="普通"), Column(heading="Ref", fact="end_to_end_id"),
            Column(heading="A/C", fact="payee_account"), Column(heading="Name", fact="payee_name"),
            Column(heading="Amt", fact="amount"),
        )  # fmt: skip
        template = replace(GENERIC, sheet="S", columns=columns, total="合计")

        assert [[row[0], row[4]] for row in cells(render(ORDER, template))] == [
            ["Type", "Amt"], ["普通", "70.00"], ["普通", "0.05"], ["合计", "70.05"],
        ]  # fmt: skip


class TestReadResult:
    def test_books_what_went_out_and_passes_the_banks_words_on(self) -> None:
        found = result(paid(), failed())

        (line,), (word,) = found.lines, found.words
        assert (line.amount_minor, line.booked_on, line.bank_ref) == (-7000, date(2026, 3, 2), "B1")
        assert [one.end_to_end_id for one in line.details] == ["E1PO1A1"]
        assert (word.end_to_end_id, word.word.status, word.word.reason) == ("E1PO2A1", Status.REJECTED, "户名不符")
        assert found.statement.account_number == ORDER.debtor_account

    def test_hashes_a_booking_like_the_table_that_tells_of_it_too(self) -> None:
        text = f"{','.join(bank_csv.HEADER)}\n2026-03-02,70.00,CNY,debit,62220202,甲公司,E1PO1A1,B1\n"
        (line,) = [one for one in bank_csv.read(BytesIO(text.encode())) if isinstance(one, StatementLine)]

        assert result(paid()).lines[0].content_hash == line.content_hash

    def test_says_nothing_of_a_transfer_that_is_not_there(self) -> None:
        found = result(paid(处理状态="处理中", 交易日期=""))

        assert [one.end_to_end_id for one in found.words] == ["E1PO1A1"]
        assert found.words[0].word.status is Status.PENDING

    def test_reads_below_the_lines_that_the_portal_puts_above(self) -> None:
        template = replace(GENERIC, answer=replace(GENERIC.answer, heading_row=3))
        rows = [("批次结果",), ("",), HEADINGS, paid()]

        assert len(read_result(enumerate(rows, start=1), template, ORDER, sheet="S").lines) == 1

    @pytest.mark.parametrize(("form", "text"), [("YYYYMMDD", "20260302"), ("YYYY/MM/DD", "2026/03/02")])
    def test_reads_the_day_as_the_bank_writes_it(self, form: DayForm, text: str) -> None:
        template = replace(GENERIC, answer=replace(GENERIC.answer, day=form))

        assert result(paid(交易日期=text), template=template).lines[0].booked_on == date(2026, 3, 2)

    @pytest.mark.parametrize(
        ("code", "element", "rows"),
        [
            ("bank_result_foreign", "row 2/业务参考号", [paid(业务参考号="E9")]),
            ("bank_result_foreign", "row 2/业务参考号", [paid(业务参考号="")]),
            ("bank_word", "row 2/处理状态", [paid(处理状态="大概成功")]),
            ("bank_sum_differs", "row 2/金额", [paid(金额="70.01")]),
            ("bank_amount", "row 2/金额", [paid(金额="7,0")]),
            ("bank_result_differs", "row 2/收款账号", [paid(收款账号="62220203")]),
            ("bank_date", "row 2/交易日期", [paid(交易日期="20260302")]),
            ("bank_date", "row 2/交易日期", [paid(交易日期="")]),
            ("bank_text_length", "row 2/交易流水号", [paid(交易流水号="B" * 36)]),
            ("bank_id_repeated", "row 3/业务参考号", [paid()] * 2),
        ],
    )
    def test_refuses_what_does_not_belong_to_the_order(
        self, code: str, element: str, rows: list[tuple[str, ...]]
    ) -> None:
        with pytest.raises(BankFileRefused) as caught:
            result(*rows)

        assert caught.value.codes == (code,)
        assert (caught.value.element, bool(caught.value.rule)) == (f"批量付款/{element}", True)

    def test_refuses_a_total_that_is_not_the_sum_of_its_rows(self) -> None:
        template = replace(GENERIC, total="合计")
        headings = ("序号", *HEADINGS)
        rows = [("1", *paid()), ("2", *failed())]
        total = ("合计", "", "", "70.05", "", "", "", "")
        assert len(result(*rows, total, headings=headings, template=template).lines) == 1

        with pytest.raises(BankFileRefused) as caught:
            result(rows[0], total, headings=headings, template=template)

        assert (caught.value.codes, caught.value.element) == (("bank_sum_differs",), "批量付款/row 3/金额")

    @pytest.mark.parametrize("headings", [HEADINGS[1:], (*HEADINGS, "金额"), ()])
    def test_refuses_a_workbook_without_its_columns(self, headings: tuple[str, ...]) -> None:
        with pytest.raises(BankFileRefused) as caught:
            result(headings=headings)

        assert (caught.value.codes, caught.value.element) == (("bank_result_column",), "批量付款/row 1")
