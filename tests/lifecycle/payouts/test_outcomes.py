"""What the bank says of one payment means the same in every order, however often it is said."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.payouts.outcomes import Known, Outcome, Said, outcome, tellings
from models.states import BankEffect, BankEventKind, BankSource, InstructionStatus, PostingKind

AMOUNT = 100


def said(kind: str, amount: int = AMOUNT, source: str = "camt053", ref: str = "1") -> Said:
    return Said(source=BankSource(source), kind=BankEventKind(kind), amount_minor=amount, bank_ref=f"{kind}-{ref}")


@dataclass
class Fold:
    """An instruction, with everything that was said of it so far."""

    known: Known = field(default_factory=lambda: Known(amount_minor=AMOUNT, status=InstructionStatus.SENT))
    moved: Counter[PostingKind] = field(default_factory=Counter)
    cases: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    words: list[tuple[Said, BankEffect]] = field(default_factory=list)

    def hear(self, words: Sequence[Said]) -> "Fold":
        for word in words:
            self._take(outcome(self.known, word))
        return self

    def _take(self, result: Outcome) -> None:
        self.words += [(step.said, step.effect) for step in result.steps]
        applied = [step.said for step in result.steps if step.effect == BankEffect.APPLIED]
        self.known = replace(
            self.known,
            status=result.status,
            applied=(*self.known.applied, *applied),
            told=tellings(self.words),
        )
        for step in result.steps:
            if step.posting is not None:
                self.moved[step.posting] += step.posted_minor
            self.events += [step.event] if step.event else []
        self.cases += [result.exception] if result.exception else []


PAID_AND_BACK = (
    said("acknowledge"),
    said("settle"),
    said("settle"),
    said("settle", source="csv", ref="9"),
    said("fee", 3),
    said("fee", 3),
    said("return", 40, ref="1"),
    said("return", 60, ref="2"),
    said("return", 60, source="csv", ref="8"),
)


class TestOrder:
    @given(st.permutations(PAID_AND_BACK))
    def test_of_settlement_returns_fees_and_repeats_does_not_matter(self, words: list[Said]) -> None:
        fold = Fold().hear(words)

        assert fold.known.status == InstructionStatus.RETURNED
        assert fold.moved == {PostingKind.POST: AMOUNT, PostingKind.RETURN: AMOUNT, PostingKind.FEE: 3}
        assert fold.events == ["confirm", "bounce"]
        assert set(fold.cases) <= {"returned_in_part"}

    @given(st.permutations([said("settle", ref="1"), said("settle", ref="2"), said("return")]))
    def test_does_not_hide_that_the_bank_paid_twice(self, words: list[Said]) -> None:
        fold = Fold().hear(words)

        assert fold.cases == ["paid_twice_by_bank"]
        assert fold.moved[PostingKind.SUSPENSE] == -AMOUNT

    @given(st.permutations([said("settle", ref="1"), said("settle", source="csv", ref="1"), said("settle", ref="2")]))
    def test_does_not_hide_a_second_payment_behind_the_first_one_of_another_channel(self, words: list[Said]) -> None:
        fold = Fold().hear(words)

        assert fold.cases == ["paid_twice_by_bank"]
        assert fold.moved[PostingKind.SUSPENSE] == -AMOUNT

    @given(st.lists(st.sampled_from(PAID_AND_BACK), max_size=30))
    def test_never_moves_more_than_the_payment(self, words: list[Said]) -> None:
        fold = Fold().hear(words)

        assert fold.moved[PostingKind.POST] in (0, AMOUNT)
        assert 0 <= fold.moved[PostingKind.RETURN] <= fold.moved[PostingKind.POST]


class TestContradiction:
    @pytest.mark.parametrize(
        ("first", "then", "code", "aside"),
        [
            (said("settle"), said("reject"), "rejected_after_settlement", 0),
            (said("reject"), said("settle"), "settled_after_rejection", -AMOUNT),
            (said("reject"), said("acknowledge"), "accepted_after_rejection", 0),
            (said("reject"), said("return", 40), "returned_without_payment", 40),
            (said("acknowledge"), said("settle", 99), "amount_differs", -99),
            (said("settle"), said("settle", ref="2"), "paid_twice_by_bank", -AMOUNT),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_is_set_aside_and_holds_the_fund(self, first: Said, then: Said, code: str, aside: int) -> None:
        fold = Fold().hear([first])

        result = outcome(fold.known, then)

        assert (result.exception, result.holds_fund, result.status) == (code, True, fold.known.status)
        assert sum(step.posted_minor for step in result.steps) == aside

    def test_of_a_return_of_too_much_keeps_the_rest_aside(self) -> None:
        result = outcome(Fold().hear([said("settle")]).known, said("return", 130))

        assert [(step.posting, step.posted_minor) for step in result.steps] == [
            (PostingKind.RETURN, 100),
            (PostingKind.SUSPENSE, 30),
        ]
        assert (result.exception, result.status) == ("returned_too_much", InstructionStatus.RETURNED)

    def test_is_settled_after_rejection_when_people_say_so(self) -> None:
        result = outcome(Fold().hear([said("reject")]).known, said("settle", source="people"))

        (step,) = result.steps
        assert (step.event, step.is_after_rejection, result.exception) == ("confirm", True, None)


class TestRejection:
    def test_frees_the_money_once(self) -> None:
        fold = Fold().hear([said("reject"), said("reject")])

        assert fold.moved == {PostingKind.VOID: AMOUNT}
        assert fold.known.status == InstructionStatus.REJECTED
