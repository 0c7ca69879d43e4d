"""A bank that takes workbooks: its file is made again byte by byte, its answer is taken whole or not at all."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from flows.bank_channel import BankInMemory
from flows.disbursement import Teller, disburse
from flows.reconciliation import Taken, take_file
from lifecycle.banking.template import GENERIC, Template
from lifecycle.canonical import sha256_of_bytes
from lifecycle.invariants.check import all_checks, check
from models.db import reading
from tests import payments as pay
from tests.digest import changed, digest
from tests.factories import House

TAIL = ("处理状态", "失败原因", "交易流水号", "交易日期")
BOOKED = ("交易成功", None, "B1", "2025-07-08")


@pytest.fixture
def house(each_house: House) -> House:
    """Give the world on both databases."""
    return each_house


def workbook(house: House, template: Template = GENERIC) -> bytes:
    """Return the workbook of the one payout that is due."""
    pay.payouts(house, state="released")
    bank = BankInMemory()
    code = house.one("SELECT debtor_bank FROM fund LIMIT 1")
    run = disburse(house.engine, Teller(bank=bank, holder="me", templates={code: template}), house.stamp())
    assert (len(run.sent), run.failed) == (1, [])
    ((name, data),) = bank.out.items()
    assert name.endswith(".xlsx")
    return data


def answered(data: bytes, row: tuple[Any, ...] = BOOKED, edit: Callable[[Worksheet], None] | None = None) -> bytes:
    """Return the workbook with the columns of the bank filled in."""
    book = openpyxl.load_workbook(BytesIO(data))
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for line, values in enumerate((TAIL, row), start=1):
        for place, value in enumerate(values, start=10):
            sheet.cell(line, place, value)
    if edit is not None:
        edit(sheet)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def take(house: House, data: bytes, name: str = "result.xlsx") -> Taken:
    return take_file(house.engine, name, lambda: BytesIO(data), house.stamp())


def states(house: House) -> tuple[str, str, str]:
    instruction = house.one("SELECT status FROM v_instruction")
    return house.one("SELECT state FROM v_payout"), instruction, house.one("SELECT state FROM v_batch")


def broken(house: House) -> list[str]:
    with reading(house.engine) as session:
        report = check(session, all_checks({}), now=house.now)
    return [one["id"] for one in report.document()["checks"] if not one["ok"]]


class TestAPaymentRun:
    def test_writes_what_the_bank_takes_and_keeps_by_which_template(self, house: House) -> None:
        data = workbook(house)

        assert sha256_of_bytes(data) == house.one("SELECT file_sha256 FROM v_batch")
        assert house.one("SELECT format FROM payment_batch") == "bank_excel"
        sheet = openpyxl.load_workbook(BytesIO(data)).active
        assert isinstance(sheet, Worksheet)
        assert sheet["I2"].value == house.one("SELECT end_to_end_id FROM v_instruction")

    def test_writes_messages_for_every_other_bank(self, house: House) -> None:
        pay.payouts(house, state="released")
        bank = BankInMemory()

        disburse(house.engine, Teller(bank=bank, holder="me", templates={"ABOCCNBJ": GENERIC}), house.stamp())

        assert [name[-4:] for name in bank.out] == [".xml"]


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            (BOOKED, ("paid", "settled", "settled")),
            (("失败", "户名不符", None, None), ("returned", "rejected", "settled")),
            (("已受理", None, None, None), ("instructed", "acknowledged", "acknowledged")),
            (("处理中", None, None, None), ("instructed", "acknowledged", "acknowledged")),
        ],
    )
    def test_leads_where_the_banks_word_says(
        self, house: House, row: tuple[Any, ...], expected: tuple[str, ...]
    ) -> None:
        data = answered(workbook(house), row)

        assert take(house, data).status == "imported"
        assert take(house, data, "again.xlsx").status == "duplicate"

        assert states(house) == expected
        assert broken(house) == []

    def test_is_read_by_the_template_that_the_batch_was_written_by(self, house: House) -> None:
        columns = replace(GENERIC.answer, words={"OK": GENERIC.answer.words["成功"]})
        data = answered(workbook(house, replace(GENERIC, answer=columns)), ("OK", None, "B1", "2025-07-08"))

        assert take(house, data).counts == {"matched": 1}

    def test_is_known_to_the_statement_that_comes_after_it(self, house: House) -> None:
        take(house, answered(workbook(house)))
        end = house.one("SELECT end_to_end_id FROM v_instruction")
        head = "booked_on,amount,currency,direction,counterparty_account,counterparty_name,end_to_end_id,bank_ref\n"
        line = f"2025-07-09,100.00,CNY,debit,6222020200112233,sme,{end},OTHER\n"

        take(house, (head + line).encode(), "day.csv")

        assert states(house)[0] == "paid"
        effects = [row.effect for row in house.rows("SELECT effect FROM v_bank_event ORDER BY seq")]
        assert effects == ["applied", "duplicate"]
        assert broken(house) == []


def formula(sheet: Worksheet) -> None:
    sheet["F2"] = "=100"


def hidden(sheet: Worksheet) -> None:
    sheet.row_dimensions[2].hidden = True


def other_amount(sheet: Worksheet) -> None:
    sheet["F2"] = "100.01"


def other_account(sheet: Worksheet) -> None:
    sheet["C2"] = "62220000"


def without_status(sheet: Worksheet) -> None:
    sheet["J1"] = "状态"


def second_sheet(sheet: Worksheet) -> None:
    assert sheet.parent is not None
    sheet.parent.create_sheet("明细")


class TestAWrongAnswer:
    @pytest.mark.parametrize(
        ("edit", "code", "element", "rule"),
        [
            (formula, "bank_workbook", "批量付款/F2", "values, not formulas"),
            (hidden, "bank_workbook", "批量付款/row 2", "no hidden rows"),
            (second_sheet, "bank_workbook", "file", "one visible sheet, or `sheet` named"),
            (other_amount, "bank_sum_differs", "批量付款/row 2/金额", "= the order"),
            (other_account, "bank_result_differs", "批量付款/row 2/收款账号", "= the order"),
            (without_status, "bank_result_column", "批量付款/row 1", "exactly one"),
        ],
    )
    def test_is_refused_whole_with_its_place_and_rule(
        self, house: House, edit: Callable[[Worksheet], None], code: str, element: str, rule: str
    ) -> None:
        data = answered(workbook(house), edit=edit)
        before = digest(house.engine)

        taken = take(house, data)

        assert taken.why is not None
        assert (taken.status, taken.why.codes, taken.why.element, taken.why.rule) == (
            *("quarantined", (code,), element),
            rule,
        )
        assert states(house) == ("instructed", "sent", "sent")
        assert changed(before, digest(house.engine)) <= {
            *("bank_statement", "exception_case", "audit_record", "command_record", "outbox_message")
        }

    def test_of_nobody_is_quarantined(self, house: House) -> None:
        workbook(house)

        taken = take(house, workbook_of_strangers())

        assert taken.why is not None
        assert (taken.why.codes, taken.why.rule) == (("bank_result_foreign",), "an id of ours")
        assert house.rows("SELECT 1 FROM v_hold") == []

    def test_of_what_a_restore_has_lost_stops_all_disbursement(self, house: House) -> None:
        workbook(house)
        other = "ABCD" if house.one("SELECT epoch FROM installation") != "ABCD" else "DCBA"

        taken = take(house, workbook_of_strangers(f"PW{other}PO20250099A1"))

        assert (taken.status, taken.document()["why"]) == ("quarantined", "bank_result_foreign")
        (hold,) = house.rows("SELECT object_type, reason FROM v_hold")
        assert tuple(hold) == ("disbursement", "restored")

    def test_that_is_a_bomb_is_not_unfolded(self, house: House) -> None:
        data = BytesIO(answered(workbook(house)))
        with ZipFile(data, "a", ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/image1.png", b"0" * (50 << 20))

        taken = take(house, data.getvalue())

        assert taken.why is not None
        assert (taken.why.codes, taken.why.element) == (("bank_workbook",), "file")
        assert taken.why.rule == "ratio <= 100:1"

    def test_that_is_damaged_or_empty_is_quarantined(self, house: House) -> None:
        data = answered(workbook(house))
        empty = BytesIO()
        openpyxl.Workbook().save(empty)

        found = [take(house, one) for one in (data[: len(data) // 2], empty.getvalue())]

        assert [one.why.codes for one in found if one.why is not None] == [("bank_workbook",), ("bank_result_foreign",)]


def workbook_of_strangers(end_to_end_id: str = "PWOTHER1") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["业务参考号"])
    sheet.append([end_to_end_id])
    out = BytesIO()
    book.save(out)
    return out.getvalue()
