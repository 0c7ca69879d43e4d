from io import BytesIO

import pytest

from lifecycle.banking.answers import Status, StatusReport
from lifecycle.banking.message import opened
from lifecycle.banking.pain002 import DUPLICATE, read, refuse_other_order
from lifecycle.banking.refusal import BankFileRefused
from tests.lifecycle.banking.statements import block, pain002, told

REASON = (
    "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号</AddtlInf><AddtlInf>有误</AddtlInf></StsRsnInf>"
    "<StsRsnInf><Rsn><Prtry>X1</Prtry></Rsn></StsRsnInf>"
)


def report(*parts: str, version: str = "10") -> StatusReport:
    return read(opened(BytesIO(pain002(*parts, version=version))))


def said(found: StatusReport, end_to_end_id: str) -> str | None:
    word = found.of(end_to_end_id, "E1B7")
    return None if word is None else word.status.value


class TestRead:
    @pytest.mark.parametrize("version", ["03", "10"])
    def test_says_of_each_transfer_what_became_of_it_and_why(self, version: str) -> None:
        found = report("", block(told("A", "ACSP") + told("B", "RJCT", REASON) + told("C", "PDNG")), version=version)

        assert (found.report_id, found.original_msg_id, found.original_kind) == ("R1", "E1B7", "pain.001.001.09")
        assert [said(found, one) for one in "ABCD"] == ["accepted", "rejected", "pending", None]
        word = found.of("B", "E1B7")
        assert word is not None
        assert (word.code, word.reason_code, word.reason) == ("RJCT", "AC01", "账号 有误")

    def test_lets_the_nearest_word_count(self) -> None:
        found = report("<GrpSts>ACTC</GrpSts>", block(told("A", "RJCT"), "ACCP"))

        assert [said(found, one) for one in "AB"] == ["rejected", "accepted"]
        other = found.of("B", "OTHERPAYMENT")
        assert other is not None
        assert other.code == "ACTC"

    def test_says_nothing_of_a_transfer_in_a_group_that_is_accepted_in_part(self) -> None:
        found = report("<GrpSts>PART</GrpSts>", block(told("A", "RJCT")))

        assert [said(found, one) for one in "AB"] == ["rejected", None]

    def test_rejects_all_with_the_message(self) -> None:
        assert said(report(f"<GrpSts>RJCT</GrpSts>{REASON}"), "A") == "rejected"

    def test_repeats_count_and_sum_of_the_message(self) -> None:
        found = report("<OrgnlNbOfTxs>2</OrgnlNbOfTxs><OrgnlCtrlSum>70.0500</OrgnlCtrlSum>", block(told("A", "ACSP")))

        refuse_other_order(found, {"A": 7_000, "B": 5}, "CNY")
        refuse_other_order(report(), {"A": 1}, "CNY")

    @pytest.mark.parametrize(
        ("code", "element", "amounts"),
        [
            ("bank_count_differs", "OrgnlNbOfTxs", {"A": 7_000, "B": 4, "C": 1}),
            ("bank_sum_differs", "OrgnlCtrlSum", {"A": 7_000, "B": 6}),
            ("bank_result_foreign", "OrgnlEndToEndId", {"C": 7_000, "B": 5}),
        ],
    )
    def test_of_another_message_is_refused(self, code: str, element: str, amounts: dict[str, int]) -> None:
        found = report("<OrgnlNbOfTxs>2</OrgnlNbOfTxs><OrgnlCtrlSum>70.0500</OrgnlCtrlSum>", block(told("A", "ACSP")))

        with pytest.raises(BankFileRefused) as caught:
            refuse_other_order(found, amounts, "CNY")

        assert caught.value.codes == (code,)
        assert caught.value.element.endswith(element)

    @pytest.mark.parametrize(
        ("code", "element", "parts"),
        [
            ("bank_word", "TxInfAndSts[2]/TxSts", ("", block(told("A", "ACSP") + told("B", "GOOD")))),
            ("bank_word", "TxInfAndSts[1]/TxSts", ("", block(told("A", "PART")))),
            ("bank_word", "OrgnlGrpInfAndSts/GrpSts", ("<GrpSts>acsp</GrpSts>",)),
            ("bank_id_repeated", "OrgnlEndToEndId", ("", block(told("A", "ACSP") + told("A", "RJCT")))),
            ("bank_id_repeated", "OrgnlEndToEndId", ("", block(told("A", "ACSP")), block(told("A", "ACSP")))),
            ("bank_status_contradicts", "TxInfAndSts[1]", ("<GrpSts>RJCT</GrpSts>", block(told("A", "ACSP")))),
            ("bank_status_contradicts", "TxInfAndSts[1]", ("", block(told("A", "PDNG"), "RJCT"))),
            ("bank_status_contradicts", "PmtInfAndSts[1]", ("<GrpSts>RJCT</GrpSts>", block("", "ACCP"))),
            ("bank_element_missing", "OrgnlEndToEndId", ("", block(told("", "ACSP")))),
            ("bank_element_unexpected", "GrpSts", ("<StsRsnInf/><GrpSts>RJCT</GrpSts>",)),
            ("bank_count", "OrgnlNbOfTxs", ("<OrgnlNbOfTxs>two</OrgnlNbOfTxs>",)),
        ],
    )
    def test_refuses_what_it_would_have_to_guess(self, code: str, element: str, parts: tuple[str, ...]) -> None:
        with pytest.raises(BankFileRefused) as caught:
            report(*parts)

        assert caught.value.codes == (code,)
        assert caught.value.element.endswith(element)

    @pytest.mark.parametrize("code", sorted(DUPLICATE))
    @pytest.mark.parametrize("parts", [(), ("A",)])
    def test_says_nothing_of_the_first_when_it_rejects_the_second(self, code: str, parts: tuple[str, ...]) -> None:
        """A file that is uploaded twice is rejected once: the money of the first is still on its way."""
        why = f"<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"

        word = report(why, *(block(told(one, "RJCT"), "RJCT") for one in parts)).of("A", "M")

        assert word is not None
        assert (word.status, word.reason_code) == (Status.PENDING, code)

    def test_refuses_another_kind_of_message(self) -> None:
        statement = pain002().replace(b"pain.002.001.10", b"camt.053.001.08")
        with pytest.raises(BankFileRefused) as caught:
            read(opened(BytesIO(statement)))

        assert caught.value.codes == ("bank_kind",)
