"""What a table cannot hold is refused when it is compiled, not ignored."""

from typing import Any

import pytest
from statemachine import State

from lifecycle.chart import Chart, compiled, requires
from lifecycle.errors import Unmet


def never(_facts: Any) -> tuple[Unmet, ...]:
    return (Unmet(code="never"),)


class TestCompiled:
    def test_refuses_a_condition(self) -> None:
        class Doubting(Chart):
            start, end = State(initial=True), State(final=True)
            go = start.to(end, cond="sure")

            def sure(self) -> bool:
                return True

        with pytest.raises(TypeError, match="validators only"):
            compiled(Doubting)

    def test_refuses_an_action(self) -> None:
        class Acting(Chart):
            start, end = State(initial=True), State(final=True)
            go = start.to(end, on="act")

            def act(self) -> None:
                pass

        with pytest.raises(TypeError, match="validators only"):
            compiled(Acting)

    def test_refuses_a_validator_that_requires_did_not_make(self) -> None:
        class Own(Chart):
            start, end = State(initial=True), State(final=True)
            go = start.to(end, validators=never)

        with pytest.raises(TypeError, match="made by requires"):
            compiled(Own)

    def test_refuses_two_arrows_for_one_state_and_event(self) -> None:
        class Forked(Chart):
            start, left, right = State(initial=True), State(final=True), State(final=True)
            go = start.to(left, validators=requires(never)) | start.to(right)

        with pytest.raises(TypeError, match="two arrows"):
            compiled(Forked)
