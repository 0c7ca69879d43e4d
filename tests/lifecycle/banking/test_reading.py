from io import BytesIO

import pytest

from lifecycle.banking.bank_csv import HEADER
from lifecycle.banking.pain001 import render
from lifecycle.banking.reading import detect, read_answer
from lifecycle.banking.refusal import BankFileRefused
from tests.lifecycle.banking.orders import order
from tests.lifecycle.banking.statements import camt053, camt054, entry, pain002, statement

TABLE = (",".join(HEADER) + "\n2026-03-03,70.00,CNY,debit,6222,甲公司,E1PO1A1,B1\n").encode()
STATEMENT = camt053(statement(entry(), closing="30.00"))


class TestDetect:
    @pytest.mark.parametrize(
        ("source", "name", "data"),
        [
            ("pain002", "a.xml", pain002()),
            ("camt053", "A.XML", b"\xef\xbb\xbf\n" + STATEMENT.partition(b"\n")[2]),
            ("camt054", "a.xml", camt054(entry())),
            ("csv", "a.csv", TABLE),
        ],
    )
    def test_goes_by_the_content_and_puts_the_stream_back(self, source: str, name: str, data: bytes) -> None:
        stream = BytesIO(data)

        assert detect(name, stream) == source
        assert stream.read() == data

    @pytest.mark.parametrize(
        ("code", "name", "data"),
        [
            ("bank_file_name", "a.csv", STATEMENT),
            ("bank_file_name", "a.xml", TABLE),
            ("bank_file_name", "a.csv", b"PK\x03\x04"),
            ("bank_file_name", "a.xlsx", TABLE),
            ("bank_workbook", "a.xls", b"\xd0\xcf\x11\xe0"),
            ("bank_kind", "a.xml", render(order())),
            ("bank_namespace", "a.xml", b"<html/>"),
        ],
    )
    def test_refuses_what_is_no_answer(self, code: str, name: str, data: bytes) -> None:
        with pytest.raises(BankFileRefused) as caught:
            detect(name, BytesIO(data))

        assert caught.value.codes == (code,)


class TestReadAnswer:
    def test_hands_a_report_over_whole_and_statements_to_be_walked_through(self) -> None:
        report = read_answer("a.xml", BytesIO(pain002("<GrpSts>ACTC</GrpSts>")))
        lines = read_answer("a.xml", BytesIO(STATEMENT))
        table = read_answer("a.csv", BytesIO(TABLE))

        assert report.report is not None
        assert lines.items is not None
        assert table.items is not None
        assert (len(list(lines.items)), len(list(table.items))) == (2, 2)

    def test_refuses_a_statement_that_does_not_add_up_only_after_its_last_line(self) -> None:
        answer = read_answer("a.xml", BytesIO(STATEMENT.replace(b"30.00", b"31.00")))
        assert answer.items is not None
        walked = [next(answer.items), next(answer.items)]

        assert len(walked) == 2
        with pytest.raises(BankFileRefused):
            next(answer.items)
