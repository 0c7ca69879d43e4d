from datetime import date
from io import BytesIO

import pytest

from lifecycle.banking.answers import Statement, StatementLine
from lifecycle.banking.balance import checked
from lifecycle.banking.bank_csv import HEADER, read
from lifecycle.banking.refusal import BankFileRefused

GOOD = "2026-03-03,70.00,CNY,debit,6222,甲公司,E1PO1A1,B1"


def lines(*rows: str, header: str = ",".join(HEADER), encoding: str = "utf-8") -> list[StatementLine]:
    head, *found = checked(read(BytesIO("\r\n".join((header, *rows, "")).encode(encoding))))
    assert isinstance(head, Statement)
    assert (head.account_number, head.opening_minor, head.closing_minor) == (None, None, None)
    return [one for one in found if isinstance(one, StatementLine)]


class TestRead:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_yields_a_booked_line_for_each_row(self, encoding: str) -> None:
        first, second = lines(GOOD, "2026-03-04,0.5,CNY,credit,,,,", encoding=encoding)

        assert (first.amount_minor, first.booked_on, first.bank_ref) == (-7_000, date(2026, 3, 3), "B1")
        assert first.is_booking
        assert first.details[0].end_to_end_id == "E1PO1A1"
        assert (first.details[0].counterparty_account, first.details[0].counterparty_name) == ("6222", "甲公司")
        assert (second.amount_minor, second.bank_ref, second.details[0].end_to_end_id) == (50, None, None)

    def test_hashes_each_fact_but_not_the_place(self) -> None:
        first, again, other = lines(GOOD, GOOD, GOOD.replace("B1", "B2"))

        assert first.content_hash == again.content_hash != other.content_hash

    def test_takes_a_file_without_a_line(self) -> None:
        assert lines() == []

    @pytest.mark.parametrize(
        ("code", "element", "row"),
        [
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", "-70.00")),
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", "(70.00)")),
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", " 70.00")),
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", "")),
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", "７０")),
            ("bank_amount", "row 3/amount", GOOD.replace("70.00", '"1,000.00"')),
            ("bank_amount_decimals", "row 3/amount", GOOD.replace("70.00", "70.000")),
            ("bank_amount_zero", "row 3/amount", GOOD.replace("70.00", "0.00")),
            ("bank_amount_too_large", "row 3/amount", GOOD.replace("70.00", "100000000000.01")),
            ("bank_currency_unknown", "row 3/amount", GOOD.replace("CNY", "cny")),
            ("bank_word", "row 3/direction", GOOD.replace("debit", "Debit")),
            ("bank_date", "row 3/booked_on", GOOD.replace("2026-03-03", "2026-02-30")),
            ("bank_date", "row 3/booked_on", GOOD.replace("2026-03-03", "03.03.2026")),
            ("bank_text_unseen", "row 3/counterparty_name", GOOD.replace("甲公司", "甲\u202e公司")),
            ("bank_text_length", "row 3/end_to_end_id", GOOD.replace("E1PO1A1", "E" * 36)),
            ("bank_csv_cells", "row 3", GOOD + ",more"),
            ("bank_csv_malformed", "row 3", GOOD.replace("B1", "B\0")),
            ("bank_csv_malformed", "file", GOOD.replace("B1", '"B1')),
        ],
    )
    def test_names_the_row_and_the_cell(self, code: str, element: str, row: str) -> None:
        with pytest.raises(BankFileRefused) as caught:
            lines(GOOD, row)

        assert caught.value.codes == (code,)
        assert caught.value.element == element

    @pytest.mark.parametrize(
        ("code", "header"),
        [("bank_csv_header", ""), ("bank_csv_header", "booked_on,amount"), ("bank_csv_header", ";".join(HEADER))],
    )
    def test_refuses_another_header(self, code: str, header: str) -> None:
        with pytest.raises(BankFileRefused) as caught:
            lines(GOOD, header=header)

        assert caught.value.codes == (code,)

    def test_refuses_another_encoding(self) -> None:
        with pytest.raises(BankFileRefused) as caught:
            lines(GOOD, encoding="gb18030")

        assert caught.value.codes == ("bank_csv_malformed",)

    def test_leaves_the_stream_to_who_opened_it(self) -> None:
        stream = BytesIO((",".join(HEADER) + "\n" + GOOD).encode())
        assert len(list(read(stream))) == 2

        assert not stream.closed
