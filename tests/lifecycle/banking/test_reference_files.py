"""Bank files made by others, and the schemas of ISO 20022: both lie outside the repository."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import xmlschema

from lifecycle.banking import camt05x, pain001, pain002
from lifecycle.banking.answers import StatementLine, Status
from lifecycle.banking.balance import checked
from lifecycle.banking.camt05x import Item
from lifecycle.banking.message import Kind, opened
from lifecycle.banking.orders import PaymentOrder
from lifecycle.banking.pain001 import render
from lifecycle.banking.refusal import BankFileRefused
from tests.lifecycle.banking.orders import order, transfer
from tests.lifecycle.banking.test_pain001 import TWO
from tests.lifecycle.banking.test_sandbox import everything

pytestmark = pytest.mark.reference

INVALID = {
    "genkgo_camt/camt053.v2.wrong.xml": ("bank_element_missing", "Document/BkToCstmrStmt/Stmt"),
    "iso20022js_cross_river/pain_001_ach_credit.xml": ("bank_text_between", "Document"),
    "iso20022js_cross_river/pain_001_rtp_credit.xml": ("bank_text_between", "Document"),
    "iso20022js_goldman_sachs/pain_001_ach_credit.xml": (
        "bank_date",
        "Document/CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt",
    ),
    "iso20022js_goldman_sachs/pain_001_v3_sepa.xml": ("bank_date", "Document/CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt"),
    "iso20022js_goldman_sachs/pain_002_v3_accepted.xml": (
        "bank_element_missing",
        "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlMsgNmId",
    ),
}
"""Files that their schema refuses, and where we do."""

ADD_UP = {
    "camt053.v2.multi.statement.xml", "camt054.v2.with-account-name.xml", "camt054.v2.xml", "camt054.v4.xml",
    "camt054.v8-with-UETR.xml", "camt054.v8-with-financial-institution.xml", "camt054.v8.xml", "example_camt.xml",
}  # fmt: skip
"""Statements and notices whose lines explain what they state; publishers make up balances."""


@pytest.fixture
def samples(reference_data: Path) -> list[dict[str, str]]:
    with (reference_data / "iso20022" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row | {"path": str(reference_data / "iso20022" / row["file"])} for row in rows]


def items(path: str) -> Iterator[Item]:
    with Path(path).open("rb") as file:
        yield from camt05x.read(opened(file))


def counts(path: str) -> tuple[int, int, int]:
    """Return credit transfers, entries and transfer statuses, as the manifest counts them."""
    with Path(path).open("rb") as file:
        message = opened(file)
        if message.kind is Kind.PAIN_001:
            return sum(len(one.transfers) for one in pain001.read(message).payments), 0, 0
        if message.kind is Kind.PAIN_002:
            return 0, 0, len(pain002.read(message).transfers)
    return 0, sum(isinstance(one, StatementLine) for one in items(path)), 0


@cache
def schema(folder: Path, name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(folder / "iso20022" / "xsd" / f"{name}.xsd"))


class TestSamples:
    def test_are_all_read_where_their_schema_holds(self, samples: list[dict[str, str]]) -> None:
        valid = [row for row in samples if row["xsd_valid"] == "True"]
        stated = {
            row["file"]: tuple(int(row[name]) for name in ("credit_tx", "stmt_entries", "tx_status")) for row in valid
        }

        assert len(valid) == 31
        assert {row["file"]: counts(row["path"]) for row in valid} == stated

    def test_are_refused_with_element_and_rule_where_it_does_not(self, samples: list[dict[str, str]]) -> None:
        invalid = [row for row in samples if row["xsd_valid"] == "False"]
        found = {}
        for row in invalid:
            with pytest.raises(BankFileRefused) as caught:
                counts(row["path"])
            found[row["file"].removeprefix("samples/")] = (caught.value.codes[0], caught.value.element)
            assert caught.value.rule

        assert found == INVALID

    def test_are_refused_when_they_name_no_namespace(self, samples: list[dict[str, str]]) -> None:
        nameless = [row for row in samples if "cross_river/pain_002" in row["file"]]
        for row in nameless:
            with pytest.raises(BankFileRefused) as caught:
                counts(row["path"])
            assert caught.value.codes == ("bank_namespace",)

        assert len(nameless) == 4

    def test_of_a_version_without_schema_here_are_read(self, samples: list[dict[str, str]]) -> None:
        (third,) = [row for row in samples if row["file"].endswith("camt053.v3.xml")]

        assert counts(third["path"]) == (0, 1, 0)

    def test_do_not_pass_as_statements_where_publishers_made_up_balances(self, samples: list[dict[str, str]]) -> None:
        statements = [row for row in samples if row["message"].startswith("camt") and row["xsd_valid"] == "True"]
        failing = [row for row in statements if Path(row["file"]).name not in ADD_UP]
        for row in failing:
            with pytest.raises(BankFileRefused) as caught:
                list(checked(items(row["path"])))
            assert caught.value.element.startswith("Document/BkToCstmrStmt/Stmt[")
        for row in statements:
            if row not in failing:
                assert list(checked(items(row["path"])))

        assert (len(statements), len(failing)) == (21, 13)

    def test_free_no_money_where_a_bank_rejects_a_file_that_it_has_already(self, samples: list[dict[str, str]]) -> None:
        (path,) = [row["path"] for row in samples if row["file"].endswith("nordea/pain_002_v3_group_reject.xml")]
        with Path(path).open("rb") as file:
            group = pain002.read(opened(file)).group

        assert group is not None
        assert (group.code, group.reason_code, group.status) == ("RJCT", "DU01", Status.PENDING)

    def test_reads_five_decimals_when_they_say_nothing(self, samples: list[dict[str, str]]) -> None:
        (path,) = [row["path"] for row in samples if row["file"].endswith("five.decimals.xml")]
        (line,) = [one for one in items(path) if isinstance(one, StatementLine)]

        assert line.amount_minor == 885


class TestSchema:
    @pytest.mark.parametrize(
        "one",
        [
            TWO,
            order(transfer(payee_bank_code=None), debtor_bank_code=None),
            order(transfer(currency="JPY"), currency="JPY"),
            order(*(transfer(number) for number in range(500))),
        ],
    )
    def test_holds_for_what_we_write(self, one: PaymentOrder, reference_data: Path) -> None:
        schema(reference_data, "pain.001.001.09").validate(render(one).decode())

    def test_holds_for_all_that_the_sandbox_bank_writes(self, reference_data: Path) -> None:
        kinds = {"pain002": "pain.002.001.10", "camt053": "camt.053.001.08", "camt054": "camt.054.001.08"}
        written = everything()
        for letter in written:
            schema(reference_data, kinds[letter.name.split("-")[2]]).validate(letter.write().decode())

        assert {letter.name.split("-")[2] for letter in written} == set(kinds)
