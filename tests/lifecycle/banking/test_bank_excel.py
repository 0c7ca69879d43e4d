import hashlib
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from openpyxl.worksheet.worksheet import Worksheet

from lifecycle.banking.answers import Status, StatusReport
from lifecycle.banking.bank_excel import GENERIC, GENERIC_RESULT, Column, Template, read_result, render
from lifecycle.banking.orders import PaymentOrder
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.imports.xlsx_file import xlsx_rows
from models.money import CURRENCY_DECIMALS
from tests.lifecycle.banking.orders import order, transfer
from tests.lifecycle.banking.test_pain001 import orders

ORDER = order(transfer(payee_account="62220202"), transfer(2, amount_minor=5, payee_account="0012", remittance=None))
HEADINGS = ("业务参考号", "处理状态", "金额", "失败原因")


def cells(data: bytes) -> list[list[str]]:
    sheet = openpyxl.load_workbook(BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


def result(*rows: tuple[str, ...], headings: tuple[str, ...] = HEADINGS) -> StatusReport:
    return read_result(enumerate((headings, *rows), start=1), GENERIC_RESULT, ORDER)


class TestRender:
    def test_writes_every_fact_as_text(self) -> None:
        assert cells(render(ORDER)) == [
            ["序号", "付款账号", "收款账号", "收款户名", "收款行行号", "金额", "币种", "用途", "业务参考号"],
            ["1", "6222000011112222", "62220202", "甲公司", "102100099996", "70.00", "CNY", "里程碑 T1", "E1PO1A1"],
            ["2", "6222000011112222", "0012", "甲公司", "102100099996", "0.05", "CNY", "", "E1PO2A1"],
        ]  # fmt: skip

    def test_writes_these_bytes(self) -> None:
        digest = hashlib.sha256(render(ORDER)).hexdigest()

        assert digest == "b599e885244436c57d811a12d51d79eb53272c0115c99c19f85bbec17a7838ad"

    @given(orders())
    def test_gives_back_what_was_ordered(self, one: PaymentOrder) -> None:
        data = render(one)
        rows = cells(data)[1:]

        assert render(one) == data
        assert [row[8] for row in rows] == [each.end_to_end_id for each in one.transfers]
        assert [row[3] for row in rows] == [each.payee_name for each in one.transfers]
        written = [row[5] for row in rows]
        assert [int(text.replace(".", "")) for text in written] == [each.amount_minor for each in one.transfers]
        assert {len(text.partition(".")[2]) for text in written} == {CURRENCY_DECIMALS[one.currency]}

    def test_keeps_a_formula_a_text(self) -> None:
        assert cells(render(order(transfer(payee_name="=1+1"))))[1][3] == "=1+1"

    def test_names_neither_a_time_nor_a_system(self) -> None:
        with ZipFile(BytesIO(render(ORDER))) as archive:
            members = archive.infolist()

        assert {one.date_time for one in members} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.create_system for one in members} == {0}

    def test_follows_the_columns_of_another_bank(self) -> None:
        columns = (
            Column(heading="Ref", fact="end_to_end_id"), Column(heading="A/C", fact="payee_account"),
            Column(heading="Name", fact="payee_name"), Column(heading="Amt", fact="amount"),
            Column(heading="Type", fixed="普通"),
        )  # fmt: skip

        assert cells(render(order(), Template(sheet="S", columns=columns)))[1][4] == "普通"

    def test_refuses_a_template_without_our_id(self) -> None:
        with pytest.raises(BankFileRefused) as caught:
            Template(sheet="S", columns=tuple(one for one in GENERIC.columns if one.fact != "end_to_end_id"))

        assert (caught.value.codes, caught.value.rule) == (("bank_template_lacks",), "end_to_end_id")


class TestReadResult:
    def test_says_what_became_of_each_transfer(self) -> None:
        found = result(("E1PO1A1", "交易成功", "70.00", ""), ("E1PO2A1", "失败", "0.05", "户名不符"))

        first, second = (found.of(one, "E1B7") for one in ("E1PO1A1", "E1PO2A1"))
        assert first is not None
        assert second is not None
        assert (first.status, second.status, second.reason) == (Status.ACCEPTED, Status.REJECTED, "户名不符")
        assert found.original_msg_id == "E1B7"

    def test_says_nothing_of_a_transfer_that_is_not_there(self) -> None:
        assert result(("E1PO1A1", "处理中", "70.00", "")).of("E1PO2A1", "E1B7") is None

    def test_reads_the_rows_of_the_hardened_workbook_reader(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert isinstance(sheet, Worksheet)
        sheet.append(HEADINGS)
        sheet.append(("E1PO1A1", "成功", 70, None))
        book.save(tmp_path / "result.xlsx")
        rows = ((row.number, row.cells) for row in xlsx_rows(tmp_path / "result.xlsx", None, 1))

        assert len(read_result(rows, GENERIC_RESULT, ORDER).transfers) == 1

    @pytest.mark.parametrize(
        ("code", "element", "rows"),
        [
            ("bank_result_foreign", "row 2/业务参考号", [("E9", "成功", "70.00", "")]),
            ("bank_result_foreign", "row 2/业务参考号", [("", "成功", "70.00", "")]),
            ("bank_word", "row 2/处理状态", [("E1PO1A1", "大概成功", "70.00", "")]),
            ("bank_sum_differs", "row 2/金额", [("E1PO1A1", "成功", "70.01", "")]),
            ("bank_amount", "row 2/金额", [("E1PO1A1", "成功", "7,0", "")]),
            ("bank_id_repeated", "row 3/业务参考号", [("E1PO1A1", "成功", "70.00", "")] * 2),
        ],
    )
    def test_refuses_what_does_not_belong_to_the_order(
        self, code: str, element: str, rows: list[tuple[str, ...]]
    ) -> None:
        with pytest.raises(BankFileRefused) as caught:
            result(*rows)

        assert caught.value.codes == (code,)
        assert caught.value.element == element

    @pytest.mark.parametrize("headings", [HEADINGS[1:], (*HEADINGS, "金额"), ()])
    def test_refuses_a_workbook_without_its_columns(self, headings: tuple[str, ...]) -> None:
        with pytest.raises(BankFileRefused) as caught:
            result(headings=headings)

        assert caught.value.codes == ("bank_result_column",)
