"""The sandbox bank says what the endings of accounts ask for, adds up, and says it again byte by byte."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest

from lifecycle.banking.answers import Statement, StatementLine
from lifecycle.banking.pain001 import PaymentFile, parse, render
from lifecycle.banking.reading import read_answer
from lifecycle.banking.sandbox import Conduct, Incoming, Letter, conduct_of, letters
from tests.lifecycle.banking.orders import order, transfer

ENDINGS = ("0001", "9001", "9004", "9105", "9203", "9302", "9400", "9500")
BANK = "6222000011112222"
LONG_AFTER = date(2026, 4, 1)


def paper(*endings: str) -> PaymentFile:
    made = (transfer(n, payee_account=f"622202020001{end}") for n, end in enumerate(endings, start=1))
    return parse(BytesIO(render(order(*made))))


def came_in(on: date = date(2026, 3, 2), amount_minor: int = 1_000_000) -> Incoming:
    return Incoming(account=BANK, currency="CNY", on=on, amount_minor=amount_minor, reference="IN-1")


def everything() -> list[Letter]:
    return letters([paper(*ENDINGS)], [came_in()], LONG_AFTER)


def names(found: list[Letter]) -> list[str]:
    return ["-".join(letter.name.split("-")[:3:2]) for letter in found]


class TestAnEnding:
    @pytest.mark.parametrize(
        ("account", "conduct"),
        [
            ("62220001", Conduct()),
            ("62229004", Conduct(rejects="AC04")),
            ("62229002", Conduct()),
            ("62229107", Conduct(returns_after=7)),
            ("62229100", Conduct()),
            ("62229201", Conduct(returns_after=1, fee_minor=2_500)),
            ("62229330", Conduct(returns_after=30, returned_share=2)),
            ("62229400", Conduct(is_silent=True)),
            ("62229500", Conduct(is_repeated=True)),
            ("6222950A", Conduct()),
            ("04", Conduct()),
            (None, Conduct()),
        ],
    )
    def test_says_what_the_bank_does(self, account: str | None, conduct: Conduct) -> None:
        assert conduct_of(account) == conduct


class TestLetters:
    def test_come_on_their_day_and_statements_when_it_is_over(self) -> None:
        file = paper("0001", "9105")
        on_the_day = letters([file], [], date(2026, 3, 3))

        assert names(on_the_day) == ["20260302-pain002", "20260303-camt054"]
        assert names(letters([file], [], date(2026, 3, 9))) == [
            *names(on_the_day),
            "20260304-camt053",
            "20260308-camt054",
            "20260309-camt053",
        ]

    def test_say_nothing_of_files_that_are_not_there_yet(self) -> None:
        assert letters([paper("0001")], [], date(2026, 3, 1)) == []

    def test_are_the_same_bytes_again_whatever_order_the_files_lie_in(self) -> None:
        one, other = paper("0001"), replace(paper("9105"), msg_id="E1B8")

        first = [(letter.name, letter.write()) for letter in letters([one, other], [came_in()], LONG_AFTER)]
        again = [(letter.name, letter.write()) for letter in letters([other, one], [came_in()], LONG_AFTER)]

        assert first == again

    def test_that_were_given_do_not_change_when_days_pass(self) -> None:
        early = {letter.name: letter.write() for letter in letters([paper(*ENDINGS)], [came_in()], date(2026, 3, 5))}
        late = {letter.name: letter.write() for letter in everything()}

        assert early.items() <= late.items()


class TestStatements:
    def test_chain_and_end_with_what_is_left(self) -> None:
        """Of 10,000.00 five payments of 70.00 left; 70.00, 70.00 less 25.00, and 35.00 came back."""
        read = [
            list(read_answer(letter.name, BytesIO(letter.write())).items or ())
            for letter in everything()
            if "camt053" in letter.name
        ]
        heads = [one for found in read for one in found if isinstance(one, Statement)]

        assert [one.sequence for one in heads] == [1, 2, 3, 4, 5]
        assert [one.opening_minor for one in heads[1:]] == [one.closing_minor for one in heads[:-1]]
        assert (heads[0].opening_minor, heads[-1].closing_minor) == (0, 1_000_000 - 5 * 7_000 + 7_000 + 4_500 + 3_500)
        booked = [one.amount_minor for found in read for one in found if isinstance(one, StatementLine)]
        assert sorted(booked) == [-7_000] * 5 + [3_500, 4_500, 7_000, 1_000_000]
