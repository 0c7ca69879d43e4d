"""Every door gives an amount the verdict of one table: command line, files, workbooks, and all that a bank sends.

A new door (form, JSON) is one line in `DOORS`.
"""

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from cli.typing_in import amount_of
from lifecycle.banking.answers import StatementLine
from lifecycle.banking.bank_csv import HEADER as BANK_HEADER
from lifecycle.banking.bank_excel import read_result
from lifecycle.banking.camt05x import read
from lifecycle.banking.message import opened
from lifecycle.banking.reading import read_answer
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.template import GENERIC
from lifecycle.commands import REGISTRY, Command
from lifecycle.errors import Invalid
from lifecycle.imports.rows import RowError, RowSkipped
from models.money import MAX_MINOR
from tests.amounts import CORPUS, NUMBERS, of_fact
from tests.digest import changed, digest
from tests.factories import House, key
from tests.lifecycle.banking.orders import order, transfer
from tests.lifecycle.banking.statements import camt053, camt054, entry, statement
from tests.lifecycle.imports.tables import GOOD, HEADER, mapping, outcomes, xlsx_file
from tests.lifecycle.recipes import RECIPES

Verdict = int | str


def typed(text: str, _: Path) -> Verdict:
    try:
        return amount_of(text, "CNY", field="cost_minor")
    except Invalid as refused:
        return str(refused.codes[0])


def table(text: str, folder: Path) -> Verdict:
    with (folder / "book.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADER, ["P1", *GOOD[1:-1], text]])
    return imported(folder / "book.csv", folder)


def cell(value: object, folder: Path) -> Verdict:
    path, book = xlsx_file(folder, [HEADER, ["P1", *GOOD[1:-1], value]])
    if isinstance(value, str):
        book.active["H2"].data_type = "s"
    book.save(path)
    return imported(path, folder)


def imported(path: Path, folder: Path) -> Verdict:
    """The amount of the only row, or the code it is refused with: of a formula nothing more is said."""
    one = list(outcomes(path, mapping(folder)))[-1]
    assert not isinstance(one, RowSkipped)
    return one.code if isinstance(one, RowError) else one.money[0].amount_minor


def banked(lines: Callable[[str], Any], text: str, _: Path) -> Verdict:
    try:
        return int(lines(text))
    except BankFileRefused as refused:
        return str(refused.codes[0])


def bank_table(text: str) -> int:
    written = StringIO()
    csv.writer(written).writerows([BANK_HEADER, ["2026-03-03", text, "CNY", "credit", "", "", "", "B1"]])
    items = read_answer("a.csv", BytesIO(written.getvalue().encode())).items
    assert items is not None
    return sum(one.amount_minor for one in items if isinstance(one, StatementLine))


def bank_workbook(text: str) -> int:
    """A result must repeat what was ordered: it is accepted for an order of the amount that the table says."""
    ordered = dict(CORPUS).get(text)
    asked = order(transfer(amount_minor=ordered if isinstance(ordered, int) else 1))
    paid_to, day = asked.transfers[0].payee_account, "2025-07-08"
    row = {"业务参考号": "E1PO1A1", "处理状态": "成功", "金额": text, "收款账号": paid_to, "交易日期": day}
    rows = [tuple(GENERIC.answer.headings), tuple(row.get(name, "") for name in GENERIC.answer.headings)]
    read_result(enumerate(rows, start=1), GENERIC, asked, sheet="批量付款")
    return asked.transfers[0].amount_minor


def booking(message: Callable[[str], bytes], text: str) -> int:
    found = list(read(opened(BytesIO(message(escape(text))))))[1]
    assert isinstance(found, StatementLine)
    return found.amount_minor


def in_statement(text: str) -> bytes:
    return camt053(statement(entry(text, "CRDT"), closing="0.00"))


def in_notice(text: str) -> bytes:
    return camt054(entry(text, "CRDT"))


BANK_CODES: Mapping[str, str] = {
    "amount_zero": "bank_amount_zero",
    "amount_decimals": "bank_amount_decimals",
    "amount_too_large": "bank_amount_too_large",
}
"""How a bank's file is refused; whatever is no amount by its form is `bank_amount`, and empty is absent in XML."""


def by_bank(text: str, verdict: Verdict) -> Verdict:
    if isinstance(verdict, int):
        return verdict
    return "bank_amount" if len(text) > 18 and verdict == "amount_too_large" else BANK_CODES.get(verdict, "bank_amount")


def by_message(text: str, verdict: Verdict) -> Verdict:
    """What XML says otherwise: white space around an amount is none, an empty element is absent, text has a limit.

    The type of the standard has five decimals: zeros behind the currency's last one say nothing.
    """
    plain = text.strip(" \t\r\n")
    if not plain:
        return "bank_element_missing"
    if len(plain) > 35:
        return "bank_text_length"
    same = {one: found for one, found in CORPUS if one == plain}
    return {"100.000": 10_000}.get(plain, by_bank(plain, same.get(plain, verdict)))


@dataclass(frozen=True)
class Door:
    """How an amount comes in, and what the door says instead of the table's word."""

    ask: Callable[[Any, Path], Verdict]
    says: Callable[[str, Verdict], Verdict] = lambda _, verdict: verdict
    takes_nothing: bool = True
    """Whether it tells an empty amount from none at all."""


def fact(_: str, verdict: Verdict) -> Verdict:
    return of_fact(verdict)


def of_table(text: str, verdict: Verdict) -> Verdict:
    """What a table says: a cell that begins as a formula is one, and not looked at as an amount."""
    return "formula_text" if text.startswith("=") else of_fact(verdict)


DOORS: Mapping[str, Door] = {
    "command line": Door(typed, fact),
    "CSV file": Door(table, of_table, takes_nothing=False),
    "cell of text": Door(cell, of_table, takes_nothing=False),
    "table of the bank": Door(partial(banked, bank_table), by_bank),
    "workbook of the bank": Door(partial(banked, bank_workbook), by_bank),
    "camt.053": Door(partial(banked, partial(booking, in_statement)), by_message),
    "camt.054": Door(partial(banked, partial(booking, in_notice)), by_message),
}


@pytest.mark.parametrize("name", DOORS)
def test_every_door_gives_the_verdict_of_the_corpus(name: str, tmp_path: Path) -> None:
    door = DOORS[name]
    asked = [(text, verdict) for text, verdict in CORPUS if text or door.takes_nothing]
    wrong = {
        text: (found, wanted)
        for text, verdict in asked
        if (found := door.ask(text, tmp_path)) != (wanted := door.says(text, verdict))
    }
    assert len(asked) > 75
    assert wrong == {}


@pytest.mark.parametrize(("number", "verdict"), NUMBERS)
def test_a_cell_with_a_number_gets_the_verdict_of_its_digits(number: float, verdict: Verdict, tmp_path: Path) -> None:
    assert cell(number, tmp_path) == of_fact(verdict)


BEYOND = (2**63, -(2**63) - 1, 10**40)
LIMITS = (MAX_MINOR + 1, -MAX_MINOR - 1, 2**63 - 1)
OF_THE_BANK = {"payout.learn", "statement.take"}
"""These tell what a file said, which its reader has bounded; balances may be larger than one amount."""
NO_NUMBERS = (100.0, 100.5, math.nan, math.inf, True, "100", "１００", Decimal(100), Decimal("NaN"))


def amounts_of(verb: str) -> list[tuple[type[Command], str]]:
    """Return the fields of a verb's command that hold an amount."""
    (command,) = (one for one in REGISTRY.values() if one.permission == verb)
    return [(command.command, one.name) for one in fields(command.command) if one.name.endswith("_minor")]


WITH_AMOUNTS = sorted(verb for verb in RECIPES if amounts_of(verb))


class TestACommand:
    @pytest.mark.parametrize("verb", WITH_AMOUNTS)
    def test_with_no_whole_number_within_bounds_is_refused_and_writes_nothing(self, house: House, verb: str) -> None:
        """Whoever builds commands past the doors finds the same bounds."""
        (command,) = RECIPES[verb].make(house, 1)
        before = digest(house.engine)
        taken = []
        for _, name in amounts_of(verb):
            for value in (*BEYOND, *NO_NUMBERS, *(LIMITS if verb not in OF_THE_BANK else ())):
                (answer,) = house.ask(replace(command, command_id=key(), **{name: value}), by=RECIPES[verb].by)
                if answer.is_done:
                    taken.append((name, value))
        assert taken == []
        assert changed(before, digest(house.engine)) == set()
