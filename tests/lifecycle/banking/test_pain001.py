from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.banking.orders import CreditTransfer, PaymentOrder
from lifecycle.banking.pain001 import check_totals, parse, read_back, render
from lifecycle.banking.refusal import BankFileRefused
from models.money import CURRENCY_DECIMALS, MAX_MINOR
from tests.lifecycle.banking.orders import order, transfer

GOLDEN = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>E1B7</MsgId>
      <CreDtTm>2026-03-02T01:00:00Z</CreDtTm>
      <NbOfTxs>2</NbOfTxs>
      <CtrlSum>70.05</CtrlSum>
      <InitgPty>
        <Nm>中试基金</Nm>
      </InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>E1B7</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <NbOfTxs>2</NbOfTxs>
      <CtrlSum>70.05</CtrlSum>
      <ReqdExctnDt>
        <Dt>2026-03-03</Dt>
      </ReqdExctnDt>
      <Dbtr>
        <Nm>中试基金</Nm>
      </Dbtr>
      <DbtrAcct>
        <Id>
          <Othr>
            <Id>6222000011112222</Id>
          </Othr>
        </Id>
        <Ccy>CNY</Ccy>
      </DbtrAcct>
      <DbtrAgt>
        <FinInstnId>
          <BICFI>ICBKCNBJ</BICFI>
        </FinInstnId>
      </DbtrAgt>
      <ChrgBr>DEBT</ChrgBr>
      <CdtTrfTxInf>
        <PmtId>
          <EndToEndId>E1PO1A1</EndToEndId>
        </PmtId>
        <Amt>
          <InstdAmt Ccy="CNY">70.00</InstdAmt>
        </Amt>
        <CdtrAgt>
          <FinInstnId>
            <ClrSysMmbId>
              <ClrSysId>
                <Cd>CNAPS</Cd>
              </ClrSysId>
              <MmbId>102100099996</MmbId>
            </ClrSysMmbId>
          </FinInstnId>
        </CdtrAgt>
        <Cdtr>
          <Nm>甲公司</Nm>
        </Cdtr>
        <CdtrAcct>
          <Id>
            <Othr>
              <Id>6222020200012345678</Id>
            </Othr>
          </Id>
        </CdtrAcct>
        <RmtInf>
          <Ustrd>里程碑 T1</Ustrd>
        </RmtInf>
      </CdtTrfTxInf>
      <CdtTrfTxInf>
        <PmtId>
          <EndToEndId>E1PO2A1</EndToEndId>
        </PmtId>
        <Amt>
          <InstdAmt Ccy="CNY">0.05</InstdAmt>
        </Amt>
        <CdtrAgt>
          <FinInstnId>
            <Othr>
              <Id>B1</Id>
            </Othr>
          </FinInstnId>
        </CdtrAgt>
        <Cdtr>
          <Nm>Tom &amp; Söhne &lt;GmbH&gt;</Nm>
        </Cdtr>
        <CdtrAcct>
          <Id>
            <Othr>
              <Id>6222020200012345678</Id>
            </Othr>
          </Id>
        </CdtrAcct>
      </CdtTrfTxInf>
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
"""
TWO = order(
    transfer(),
    transfer(2, amount_minor=5, payee_name="Tom & Söhne <GmbH>", payee_bank_code="B1", remittance=None),
)

codes = st.one_of(
    st.none(), st.from_regex(r"[0-9]{12}", fullmatch=True), st.sampled_from(("ICBKCNBJ", "BKCHCNBJ110", "B1", "工行"))
)
names = st.text(
    st.one_of(st.characters(categories=("L", "N", "P", "S", "M")), st.just(" "), st.just("\u3000")),
    min_size=1, max_size=140,
).filter(lambda text: text == text.strip())  # fmt: skip
accounts = st.from_regex(r"[0-9A-Z-]{1,34}", fullmatch=True)
ids = st.from_regex(r"[A-Z0-9]{1,35}", fullmatch=True)


@st.composite
def orders(draw: st.DrawFn) -> PaymentOrder:
    currency = draw(st.sampled_from(sorted(CURRENCY_DECIMALS)))
    made = draw(st.lists(ids, min_size=1, max_size=6, unique=True))
    transfers = tuple(
        CreditTransfer(
            end_to_end_id=one, amount_minor=draw(st.integers(1, MAX_MINOR)), currency=currency,
            payee_name=draw(names), payee_account=draw(accounts), payee_bank_code=draw(codes),
            remittance=draw(st.none() | names),
        )
        for one in made
    )  # fmt: skip
    return PaymentOrder(
        msg_id=draw(ids), created_at=draw(st.datetimes(timezones=st.just(UTC))),
        execution_on=draw(st.dates(min_value=date(2000, 1, 1))), debtor_name=draw(names),
        debtor_account=draw(accounts), debtor_bank_code=draw(codes), currency=currency, transfers=transfers,
    )  # fmt: skip


def refused(data: bytes | str) -> BankFileRefused:
    with pytest.raises(BankFileRefused) as caught:
        check_totals(parse(BytesIO(data if isinstance(data, bytes) else data.encode())))
    return caught.value


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in GOLDEN
    return GOLDEN.replace(old, new, count)


class TestRender:
    def test_writes_these_bytes(self) -> None:
        assert render(TWO).decode() == GOLDEN

    @given(orders())
    def test_carries_the_whole_order_and_nothing_else(self, one: PaymentOrder) -> None:
        data = render(one)

        assert read_back(data) == one
        assert render(read_back(data)) == data

    def test_states_the_sum_of_the_largest_order_exactly(self) -> None:
        many = [transfer(number, amount_minor=MAX_MINOR) for number in range(500)]

        assert b"<CtrlSum>50000000000000.00</CtrlSum>" in render(order(*many))

    def test_writes_a_currency_without_decimals_as_a_whole_number(self) -> None:
        data = render(order(transfer(currency="JPY"), currency="JPY"))

        assert b'<InstdAmt Ccy="JPY">7000</InstdAmt>' in data

    def test_names_no_bank_where_none_is_known(self) -> None:
        bare = order(transfer(payee_bank_code=None), debtor_bank_code=None)

        assert b"CdtrAgt" not in render(bare)
        assert read_back(render(bare)) == bare


class TestOrder:
    @pytest.mark.parametrize(
        ("code", "changes"),
        [
            ("bank_id", {"end_to_end_id": "e1"}),
            ("bank_id", {"end_to_end_id": ""}),
            ("bank_id", {"end_to_end_id": "E" * 36}),
            ("bank_id", {"end_to_end_id": "E1\n"}),
            ("bank_id", {"end_to_end_id": "Ｅ1"}),
            ("bank_order_amount", {"amount_minor": 0}),
            ("bank_order_amount", {"amount_minor": -1}),
            ("bank_order_amount", {"amount_minor": MAX_MINOR + 1}),
            ("bank_currency_unknown", {"currency": "KWD"}),
            ("bank_text_length", {"payee_name": ""}),
            ("bank_text_length", {"payee_name": "甲" * 141}),
            ("bank_text_spaces", {"payee_name": "甲公司 "}),
            ("bank_text_unseen", {"payee_name": "甲\0公司"}),
            ("bank_text_unseen", {"payee_name": "甲\n公司"}),
            ("bank_text_unseen", {"payee_name": "甲\u202e公司"}),
            ("bank_text_unseen", {"payee_name": "甲\u200b公司"}),
            ("bank_text_unseen", {"payee_name": "甲\ud800公司"}),
            ("bank_text_unseen", {"remittance": "T1\tT2"}),
            ("bank_text_length", {"payee_account": "6" * 35}),
            ("bank_text_length", {"payee_bank_code": "1" * 36}),
        ],
    )
    def test_refuses_a_transfer_that_no_bank_file_may_carry(self, code: str, changes: dict[str, Any]) -> None:
        with pytest.raises(BankFileRefused) as caught:
            transfer(**changes)

        assert caught.value.codes == (code,)
        assert next(iter(changes)).removesuffix("_minor") in caught.value.element

    @pytest.mark.parametrize(
        ("code", "one"),
        [
            ("bank_order_size", lambda: order(transfers=())),
            ("bank_order_size", lambda: order(*(transfer(number) for number in range(501)))),
            ("bank_id_repeated", lambda: order(transfer(), transfer())),
            ("bank_currency_differs", lambda: order(transfer(currency="EUR"))),
            ("bank_moment", lambda: order(created_at=datetime(2026, 3, 2))),  # noqa: DTZ001 - a naive one
            ("bank_moment", lambda: order(created_at=datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=8))))),
            ("bank_id", lambda: order(msg_id="B-7")),
        ],
    )
    def test_refuses_parts_that_do_not_belong_together(self, code: str, one: Any) -> None:
        with pytest.raises(BankFileRefused) as caught:
            one()

        assert caught.value.codes == (code,)


class TestReadBack:
    def test_refuses_an_end_to_end_id_that_stands_twice(self) -> None:
        with pytest.raises(BankFileRefused) as caught:
            read_back(changed("E1PO2A1", "E1PO1A1").encode())

        assert caught.value.codes == ("bank_id_repeated",)

    def test_refuses_a_second_payment_block(self) -> None:
        block = GOLDEN[GOLDEN.index("    <PmtInf>") : GOLDEN.index("  </CstmrCdtTrfInitn>")]
        twice = GOLDEN.replace(block, block + block)
        twice = twice.replace("<NbOfTxs>2<", "<NbOfTxs>4<", 1).replace("<CtrlSum>70.05<", "<CtrlSum>140.10<", 1)
        with pytest.raises(BankFileRefused) as caught:
            read_back(twice.encode())

        assert len(parse(BytesIO(twice.encode())).payments) == 2
        assert caught.value.codes == ("bank_payments",)


class TestParse:
    @pytest.mark.parametrize(
        ("code", "element", "data"),
        [
            ("bank_sum_differs", "GrpHdr/CtrlSum", changed("<CtrlSum>70.05<", "<CtrlSum>70.06<")),
            (
                "bank_sum_differs",
                "PmtInf[1]/CtrlSum",
                changed("70.05</CtrlSum>\n      <Req", "70.06</CtrlSum>\n      <Req"),
            ),
            ("bank_count_differs", "GrpHdr/NbOfTxs", changed("<NbOfTxs>2<", "<NbOfTxs>3<")),
            ("bank_amount_decimals", "CdtTrfTxInf[1]/Amt/InstdAmt", changed(">70.00<", ">70.001<")),
            ("bank_amount", "CdtTrfTxInf[1]/Amt/InstdAmt", changed(">70.00<", ">-70.00<")),
            ("bank_amount", "CdtTrfTxInf[1]/Amt/InstdAmt", changed(">70.00<", ">７0.00<")),
            ("bank_amount", "CdtTrfTxInf[1]/Amt/InstdAmt", changed(">70.00<", ">7e1<")),
            ("bank_amount_zero", "CdtTrfTxInf[1]/Amt/InstdAmt", changed(">70.00<", ">0.00<")),
            ("bank_currency_unknown", "CdtTrfTxInf[1]/Amt/InstdAmt", changed('Ccy="CNY"', 'Ccy="XTS"')),
            ("bank_date", "PmtInf[1]/ReqdExctnDt/Dt", changed("2026-03-03", "2026-02-30")),
            ("bank_moment", "GrpHdr/CreDtTm", changed("2026-03-02T01:00:00Z", "yesterday")),
            ("bank_element_missing", "CdtTrfTxInf[1]/PmtId/EndToEndId", changed("E1PO1A1", "")),
            ("bank_element_unexpected", "GrpHdr/Cheque", changed("<InitgPty>", "<Cheque/><InitgPty>")),
            ("bank_text_between", "CstmrCdtTrfInitn", changed("</PmtInf>", "</PmtInf>x")),
            ("bank_text_length", "GrpHdr/MsgId", changed(">E1B7<", f">{'E' * 36}<")),
        ],
    )
    def test_names_the_element_and_the_rule(self, code: str, element: str, data: str) -> None:
        refusal = refused(data)

        assert refusal.codes == (code,)
        assert refusal.element.endswith(element)
        assert refusal.rule

    def test_takes_zeros_behind_the_last_decimal_of_the_currency(self) -> None:
        assert parse(BytesIO(changed(">70.00<", ">70.00000<").encode())).payments[0].transfers[0].amount_minor == 7_000

    def test_keeps_the_order_when_the_message_is_an_older_one(self) -> None:
        older = GOLDEN.replace("001.001.09", "001.001.03").replace("BICFI", "BIC")
        older = older.replace("<Dt>2026-03-03</Dt>", "2026-03-03")

        assert read_back(older.encode()) == replace(TWO)
