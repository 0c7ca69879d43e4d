import tracemalloc
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.banking.answers import BatchMark, Charge, Detail, EntryStatus, Statement, StatementLine
from lifecycle.banking.balance import checked
from lifecycle.banking.camt05x import Item, read
from lifecycle.banking.message import opened
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.values import decimal
from tests.lifecycle.banking.statements import (
    Dripping,
    Growing,
    balance,
    camt053,
    camt054,
    entry,
    long_statement,
    statement,
    transfer,
)

BATCH = '<Btch><MsgId>E1B7</MsgId><PmtInfId>E1B7</PmtInfId><NbOfTxs>2</NbOfTxs><TtlAmt Ccy="CNY">70.00</TtlAmt></Btch>'
RETURN = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>账户已销户</AddtlInf></RtrInf>"
CHARGE = '<Chrgs><Rcrd><Amt Ccy="CNY">0.50</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>'


def items(data: bytes | BinaryIO) -> list[Item]:
    return list(checked(read(opened(BytesIO(data) if isinstance(data, bytes) else data))))


def line(*entries: str, extra: str = "") -> StatementLine:
    found = list(read(opened(BytesIO(camt053(statement(*entries, closing="0.00"))))))[1]
    assert isinstance(found, StatementLine)
    return found


def refused(data: bytes | BinaryIO) -> BankFileRefused:
    with pytest.raises(BankFileRefused) as caught:
        items(data)
    return caught.value


class TestRead:
    def test_yields_the_statement_before_its_lines(self) -> None:
        head, first, second = items(
            camt053(statement(entry(details=transfer()), entry("5", "CRDT", ref="2"), closing="35.00"))
        )

        assert isinstance(head, Statement)
        assert (head.account_number, head.statement_ref, head.sequence) == ("62220000", "S7", 7)
        assert (head.opening_minor, head.closing_minor, head.currency) == (10_000, 3_500, "CNY")
        assert (head.from_on, head.to_on) == (date(2026, 3, 3), date(2026, 3, 3))
        assert head.element == "Document/BkToCstmrStmt/Stmt[1]"
        assert isinstance(first, StatementLine)
        assert isinstance(second, StatementLine)
        assert (first.position, first.line_ref, first.bank_ref) == (1, "1", "B1")
        assert (first.amount_minor, second.amount_minor) == (-7_000, 500)
        assert (first.booked_on, first.status, first.is_booking) == (date(2026, 3, 3), EntryStatus.BOOKED, True)
        assert first.details == (
            Detail(
                end_to_end_id="E1PO1A1", amount_minor=-7_000, currency="CNY", msg_id="E1B7", payment_id="E1B7",
                counterparty_account="6222", counterparty_name="甲公司", remittance="里程碑 T1",
            ),
        )  # fmt: skip

    def test_reads_the_same_from_a_stream_that_drips(self) -> None:
        data = camt053(statement(entry(details=transfer()), closing="30.00"), statement(closing="100.00", number=8))

        assert items(Dripping(data)) == items(data)

    def test_knows_a_line_that_stands_for_a_batch_without_details(self) -> None:
        found = line(entry(details=BATCH))

        assert found.batches == (
            BatchMark(msg_id="E1B7", payment_id="E1B7", count=2, total_minor=7_000, currency="CNY"),
        )
        assert (found.details, found.details_minor) == ((), None)

    def test_knows_the_parts_of_a_batch(self) -> None:
        found = line(entry(details=BATCH + transfer("A", "30.00") + transfer("B", "40.00")))

        assert [(one.end_to_end_id, one.amount_minor) for one in found.details] == [("A", -3_000), ("B", -4_000)]
        assert found.details_minor == found.amount_minor == -7_000

    def test_gives_no_amount_to_one_of_several_that_has_none(self) -> None:
        found = line(entry(details=transfer("A", "30.00") + transfer("B")))

        assert found.details_minor is None

    def test_takes_a_placeholder_for_no_id_at_all(self) -> None:
        assert line(entry(details=transfer("NOTPROVIDED"))).details[0].end_to_end_id is None

    def test_knows_a_return_by_its_reason_and_the_id_that_came_back(self) -> None:
        found = line(entry(direction="CRDT", extra="<RvslInd>true</RvslInd>", details=transfer(after=RETURN)))

        assert (found.amount_minor, found.is_reversal, found.is_return) == (7_000, True, True)
        assert (found.details[0].return_code, found.details[0].return_reason) == ("AC04", "账户已销户")
        assert found.details[0].end_to_end_id == "E1PO1A1"
        assert found.details[0].counterparty_account == "6222"

    def test_adds_charges_up_with_their_sign(self) -> None:
        found = line(entry(details=transfer(extra=CHARGE)))

        assert found.details[0].charges == (Charge(amount_minor=-50, currency="CNY"),)
        assert found.charges_minor == -50

    def test_calls_a_line_a_fee_by_the_banks_own_code(self) -> None:
        assert line(entry().replace("DMCT", "CHRG")).is_fee
        assert not line(entry()).is_fee

    @pytest.mark.parametrize(
        ("written", "status"),
        [
            ("<Cd>BOOK</Cd>", "booked"),
            ("BOOK", "booked"),
            ("<Cd>PDNG</Cd>", "pending"),
            ("<Cd>FUTR</Cd>", "pending"),
            ("<Cd>INFO</Cd>", "information"),
        ],
    )
    def test_tells_a_booking_from_an_announcement(self, written: str, status: str) -> None:
        found = line(entry(status=written))

        assert (found.status, found.is_booking) == (status, status == "booked")

    def test_reads_a_notice_without_balances(self) -> None:
        head, found = items(camt054(entry(details=transfer(), booked="")))

        assert isinstance(head, Statement)
        assert isinstance(found, StatementLine)
        assert (head.account_number, head.opening_minor, head.currency) == ("NL26VAYB8060476890", None, None)
        assert found.booked_on is None

    @pytest.mark.parametrize("version", ["02", "03", "04", "05", "06", "07", "08"])
    def test_reads_the_same_entry_in_every_version(self, version: str) -> None:
        data = camt053(statement(entry(details=transfer()), closing="30.00"), version=version)

        assert items(data) == items(camt053(statement(entry(details=transfer()), closing="30.00")))

    @pytest.mark.parametrize(
        ("code", "element", "one"),
        [
            ("bank_amount", "Ntry[2]/Amt", entry("-70.00")),
            ("bank_amount", "Ntry[2]/Amt", entry("+70.00")),
            ("bank_amount", "Ntry[2]/Amt", entry("7e1")),
            ("bank_amount", "Ntry[2]/Amt", entry("1,000.00")),
            ("bank_amount", "Ntry[2]/Amt", entry("７０")),
            ("bank_amount", "Ntry[2]/Amt", entry("NaN")),
            ("bank_amount_zero", "Ntry[2]/Amt", entry("0.00")),
            ("bank_amount_decimals", "Ntry[2]/Amt", entry("0.001")),
            ("bank_amount_too_large", "Ntry[2]/Amt", entry("100000000000.01")),
            ("bank_currency_unknown", "Ntry[2]/Amt", entry(currency="")),
            ("bank_word", "Ntry[2]/CdtDbtInd", entry(direction="DEBT")),
            ("bank_word", "Ntry[2]/Sts/Cd", entry(status="<Cd>MAYB</Cd>")),
            ("bank_word", "Ntry[2]/RvslInd", entry(extra="<RvslInd>yes</RvslInd>")),
            ("bank_date", "Ntry[2]/BookgDt/Dt", entry(booked="<BookgDt><Dt>2026-02-29</Dt></BookgDt>")),
            ("bank_element_missing", "Ntry[2]/BookgDt/DtTm", entry(booked="<BookgDt><A/></BookgDt>")),
            ("bank_element_unexpected", "Ntry[2]/Sts", entry(extra="<Sts>BOOK</Sts>")),
            ("bank_element_unexpected", "Ntry[2]/NtryDtls[1]/Tx", entry(details="<Tx/>")),
            ("bank_element_missing", "Ntry[2]/Amt", entry().replace('<Amt Ccy="CNY">70.00</Amt>', "")),
            ("bank_text_length", "TxDtls[1]/Refs/EndToEndId", entry(details=transfer("E" * 36))),
            ("bank_text_between", "Ntry[2]", entry(extra="x")),
            ("bank_xml_depth", "A", entry(extra="<RvslInd>" + "<A>" * 40 + "</A>" * 40 + "</RvslInd>")),
        ],
    )
    def test_names_the_element_of_the_entry(self, code: str, element: str, one: str) -> None:
        refusal = refused(camt053(statement(entry(), one, closing="0.00")))

        assert refusal.codes == (code,)
        assert refusal.element.endswith(element)

    @pytest.mark.parametrize(
        ("code", "element", "data"),
        [
            ("bank_element_missing", "Document/BkToCstmrStmt/Stmt", camt053()),
            ("bank_element_missing", "Stmt[1]/Bal", camt053(statement(balances=""))),
            ("bank_element_missing", "Stmt[1]/Acct/Id", camt053(statement().replace("Othr>", "Prxy>"))),
            ("bank_element_unexpected", "BkToCstmrStmt/GrpHdr", camt053(statement(), "<GrpHdr/>")),
            ("bank_element_unexpected", "Stmt[1]/Bal", camt053(statement(entry() + balance("CLBD", "30.00")))),
            ("bank_element_unexpected", "Document/Other", camt053().replace(b"BkToCstmrStmt", b"Other")),
            ("bank_balance_repeated", "Stmt[1]/Bal[2]", camt053(statement(balances=balance("OPBD", "1") * 2))),
            ("bank_text_between", "Stmt[1]", camt053(statement(entry() + "x"))),
            ("bank_text_between", "BkToCstmrStmt", camt053(statement(), "x")),
            ("bank_xml_malformed", "Document", camt053(statement(entry()))[:-40]),
        ],
    )  # fmt: skip
    def test_names_the_element_of_the_statement(self, code: str, element: str, data: bytes) -> None:
        refusal = refused(data)

        assert refusal.codes == (code,)
        assert refusal.element.endswith(element)

    def test_refuses_an_element_of_another_namespace(self) -> None:
        foreign = camt053(statement(entry())).replace(b"<Amt Ccy", b'<Amt xmlns="urn:other" Ccy', 2)

        assert refused(foreign).codes == ("bank_element_unexpected",)


class TestContentHash:
    def test_is_the_same_in_two_overlapping_statements(self) -> None:
        first = line(entry(details=transfer()))
        second = line(entry("1.00"), entry(details=transfer()).replace("<NtryRef>1<", "<NtryRef>99<"))
        again = list(read(opened(BytesIO(camt053(statement(entry("1.00"), entry(details=transfer()), number=8))))))[2]

        assert isinstance(again, StatementLine)
        assert again.content_hash == first.content_hash != second.content_hash
        assert again.position == 2

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("70.00", "70.01"), ("DBIT", "CRDT"), ("2026-03-03", "2026-03-04"), ("<AcctSvcrRef>B1", "<AcctSvcrRef>B2"),
            ("E1PO1A1", "E1PO1A2"), (">6222<", ">6223<"), ("甲公司", "乙公司"), ("DMCT", "CHRG"), ("T1", "T2"),
        ],
    )  # fmt: skip
    def test_differs_with_every_fact(self, old: str, new: str) -> None:
        one = entry(details=transfer())

        assert old in one
        assert line(one).content_hash != line(one.replace(old, new)).content_hash


class TestChecked:
    def test_refuses_lines_that_do_not_lead_from_opening_to_closing(self) -> None:
        refusal = refused(camt053(statement(entry(), closing="30.01")))

        assert refusal.codes == ("bank_statement_unbalanced",)
        assert refusal.element == "Document/BkToCstmrStmt/Stmt[1]/Bal"
        assert dict(refusal.unmet[0].values) == {
            "element": refusal.element, "rule": "opening + lines = closing",
            "opening": "100.00", "booked": "-70.00", "closing": "30.01",
        }  # fmt: skip

    def test_refuses_a_flipped_sign(self) -> None:
        flipped = entry("20.00").replace("DBIT", "CRDT")

        assert items(camt053(statement(entry(), entry("20.00"), closing="10.00")))
        assert refused(camt053(statement(entry(), flipped, closing="10.00"))).codes == ("bank_statement_unbalanced",)

    def test_leaves_announced_entries_out_of_the_balance(self) -> None:
        assert items(camt053(statement(entry(), entry("5.00", status="<Cd>PDNG</Cd>"), closing="30.00")))

    def test_asks_the_second_statement_as_well(self) -> None:
        good, bad = statement(entry(), closing="30.00"), statement(entry(), closing="29.99", number=8)

        assert refused(camt053(good, bad)).element == "Document/BkToCstmrStmt/Stmt[2]/Bal"

    @pytest.mark.parametrize("missing", [balance("OPBD", "100.00"), balance("CLBD", "30.00"), balance("ITBD", "1")])
    def test_refuses_a_statement_without_opening_or_closing(self, missing: str) -> None:
        assert refused(camt053(statement(entry(), balances=missing))).codes == ("bank_balance_missing",)

    def test_takes_the_closing_balance_of_the_day_before_for_the_opening(self) -> None:
        before = balance("PRCD", "100.00") + balance("CLBD", "30.00")

        assert items(camt053(statement(entry(), balances=before)))

    def test_knows_an_overdraft(self) -> None:
        overdrawn = balance("OPBD", "10.00") + balance("CLBD", "60.00", "DBIT")

        assert items(camt053(statement(entry(), balances=overdrawn)))

    @pytest.mark.parametrize(
        ("element", "one"),
        [
            ("Ntry[1]/Amt", statement(entry(currency="EUR"), closing="30.00")),
            ("Bal", statement(entry(), balances=balance("OPBD", "1") + balance("CLBD", "1", currency="EUR"))),
        ],
    )
    def test_refuses_two_currencies_in_one_statement(self, element: str, one: str) -> None:
        refusal = refused(camt053(one))

        assert refusal.codes == ("bank_currency_differs",)
        assert refusal.element.endswith(element)

    def test_refuses_a_booking_without_a_day(self) -> None:
        assert refused(camt053(statement(entry(booked=""), closing="30.00"))).codes == ("bank_element_missing",)

    @pytest.mark.parametrize(
        ("code", "summary"),
        [
            ("bank_count_differs", "<TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>"),
            ("bank_count_differs", "<TtlCdtNtries><NbOfNtries>2</NbOfNtries></TtlCdtNtries>"),
            ("bank_count_differs", "<TtlDbtNtries><NbOfNtries>0</NbOfNtries></TtlDbtNtries>"),
            ("bank_sum_differs", "<TtlNtries><Sum>74.99</Sum></TtlNtries>"),
            ("bank_sum_differs", "<TtlCdtNtries><Sum>5.01</Sum></TtlCdtNtries>"),
            ("bank_sum_differs", "<TtlDbtNtries><Sum>70.01</Sum></TtlDbtNtries>"),
            ("bank_sum_differs", "<TtlNtries><TtlNetNtryAmt>65</TtlNetNtryAmt><CdtDbtInd>CRDT</CdtDbtInd></TtlNtries>"),
            (
                "bank_sum_differs",
                "<TtlNtries><TtlNetNtry><Amt>6</Amt><CdtDbtInd>DBIT</CdtDbtInd></TtlNetNtry></TtlNtries>",
            ),
        ],
    )
    def test_refuses_counts_and_sums_that_are_not_those_of_the_lines(self, code: str, summary: str) -> None:
        def summed(text: str) -> bytes:
            whole = f"<TxsSummry>{text}</TxsSummry>"
            return camt053(statement(entry(), entry("5.00", "CRDT"), closing="35.00", summary=whole))

        right = (
            "<TtlNtries><NbOfNtries>2</NbOfNtries><Sum>75.00</Sum><TtlNetNtry><Amt>65.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>"
            "</TtlNetNtry></TtlNtries><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>5</Sum></TtlCdtNtries>"
            "<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>70.000</Sum></TtlDbtNtries>"
        )
        assert items(summed(right))
        assert refused(summed(summary)).codes == (code,)

    @given(st.lists(st.integers(-(10**13), 10**13).filter(bool), max_size=6), st.integers(1, 10**14))
    def test_takes_exactly_what_adds_up(self, amounts: list[int], opening: int) -> None:
        entries = [entry(decimal(abs(one), "CNY"), "CRDT" if one > 0 else "DBIT") for one in amounts]
        closing = opening + sum(amounts)
        sides = [("OPBD", opening), ("CLBD", closing)]
        shown = "".join(balance(code, decimal(abs(one), "CNY"), "DBIT" if one < 0 else "CRDT") for code, one in sides)
        found = items(camt053(statement(*entries, balances=shown)))

        assert [one.amount_minor for one in found if isinstance(one, StatementLine)] == amounts
        head = found[0]
        assert isinstance(head, Statement)
        with pytest.raises(BankFileRefused):
            list(checked([replace(head, closing_minor=closing + 1), *found[1:]]))


class TestLongStatements:
    @pytest.mark.long
    def test_take_no_more_memory_for_4_000_lines_than_for_1_000(self) -> None:
        def peak(lines: int) -> int:
            tracemalloc.start()
            try:
                found = sum(isinstance(one, StatementLine) for one in checked(read(opened(long_statement(lines)))))
                assert found == lines
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        peak(10)
        assert peak(4_000) <= 1.3 * peak(1_000)

    @pytest.mark.parametrize("filler", ["<A a='{}'/>", "<A>{}</A>", "<!-- {} -->"])
    def test_hold_no_section_longer_than_8_mebibytes(self, filler: str) -> None:
        long = filler.format("x" * (9 << 20))

        assert refused(camt053(statement(entry(extra=long)))).codes == ("bank_file_too_large",)

    @pytest.mark.long
    def test_hold_no_more_than_160_mebibytes(self) -> None:
        piece = entry(details=transfer()).encode() + b" " * (1 << 20)
        head, tail = camt053(statement("@", closing="0.00")).split(b"@")

        assert refused(Growing([head, *[piece] * 161, tail])).codes == ("bank_file_too_large",)

    def test_end_after_100_000_lines(self) -> None:
        head, one = items(camt053(statement(entry("1.00"), closing="99.00")))
        assert isinstance(head, Statement)
        many = [head, *[one] * 100_001]

        with pytest.raises(BankFileRefused) as caught:
            list(checked(many))

        assert caught.value.codes == ("bank_lines",)
        with pytest.raises(BankFileRefused) as unbalanced:
            list(checked(many[:-1]))
        assert unbalanced.value.codes == ("bank_statement_unbalanced",)
