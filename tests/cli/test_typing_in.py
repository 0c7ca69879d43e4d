from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

import pytest
import typer

from cli.typing_in import TODAY, amount_of, readable, shape_of
from models.states import Role


def read(hint: Any, text: str, name: str = "field") -> Any:
    """Return what a field of this type makes of a text."""
    parse = shape_of(hint, name).parse
    assert parse is not None
    return readable(parse)(text)


class TestDay:
    def test_is_read_as_one(self) -> None:
        assert read(date | None, "2026-03-31") == date(2026, 3, 31)

    def test_may_be_today(self) -> None:
        assert read(date, "today") == TODAY

    @pytest.mark.parametrize("text", ["31.03.2026", "2026-02-30", "tomorrow", ""])
    def test_is_refused_otherwise(self, text: str) -> None:
        with pytest.raises(typer.BadParameter, match="such as 2026-03-31"):
            read(date, text)


class TestAmount:
    def test_stays_text_until_its_currency_is_known(self) -> None:
        assert shape_of(int | None, "cost_minor").is_amount

    def test_is_counted_in_the_digits_of_its_currency_and_in_yuan_without_one(self) -> None:
        assert amount_of("500", "JPY", field="cost_minor") == 500
        assert amount_of("500", None, field="cost_minor") == 50_000


class TestPair:
    @pytest.mark.parametrize(
        ("text", "pair"),
        [
            ("wok=201.5", ("wok", 201.5)),
            ("count=3", ("count", 3)),
            ("note=too hot", ("note", "too hot")),
            ('wok={"lower": 179.5}', ("wok", {"lower": 179.5})),
            ("formula=a=b", ("formula", "a=b")),
        ],
    )
    def test_is_a_name_and_a_value(self, text: str, pair: tuple[str, Any]) -> None:
        assert read(Mapping[str, Any], text) == pair

    @pytest.mark.parametrize("text", ["wok", "=3"])
    def test_is_refused_without_a_name_or_a_value(self, text: str) -> None:
        with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
            read(Mapping[str, Any], text)


class TestShape:
    def test_of_a_list_may_come_often(self) -> None:
        shape = shape_of(tuple[str, ...] | None, "touched_clauses")

        assert (shape.is_many, shape.kind) == (True, str)

    def test_of_a_word_from_a_list_is_a_choice(self) -> None:
        assert shape_of(Role, "role").kind is Role
        assert shape_of(Literal["sme", "platform"], "party").kind == Literal["sme", "platform"]

    def test_of_a_key_is_one(self) -> None:
        assert read(UUID, "01a20138-10c3-7096-b582-7070daf13e94") == UUID("01a20138-10c3-7096-b582-7070daf13e94")
