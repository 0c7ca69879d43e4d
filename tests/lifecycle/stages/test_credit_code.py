"""The check character of GB 32100, on public codes and on every way to mistype one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.stages.credit_code import ALPHABET, WEIGHTS, check_character, normalise, problem

PUBLIC = ["9144030071526726XG", "914403001922038216", "91440300708461136T", "91110000802100433B"]
FIRST_17 = st.text(ALPHABET, min_size=17, max_size=17)


def test_weights_are_those_of_the_standard() -> None:
    assert WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    assert len(ALPHABET) == len(set(ALPHABET)) == 31


@pytest.mark.parametrize("code", PUBLIC)
def test_public_codes_pass(code: str) -> None:
    assert problem(code) is None


@pytest.mark.parametrize("code", PUBLIC)
def test_codes_pass_as_people_type_them(code: str) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())

    assert normalise(f"\u3000{full_width} ") == code
    assert problem(f" {code[:8]} {code[8:].lower()}\n") is None


@given(FIRST_17)
def test_a_closed_code_passes(first: str) -> None:
    assert problem(first + check_character(first)) is None


@given(FIRST_17, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_any_single_change_is_found(first: str, place: int, other: str) -> None:
    code = first + check_character(first)
    changed = code[:place] + other + code[place + 1 :]

    assert (problem(changed) is None) == (changed == code)


@given(FIRST_17, st.integers(0, 16))
def test_any_swap_of_neighbours_is_found(first: str, place: int) -> None:
    code = first + check_character(first)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    assert (problem(swapped) is None) == (swapped == code)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("", "credit_code_length"),
        ("91440300192203821", "credit_code_length"),
        ("9144030019220382166", "credit_code_length"),
        ("91440300I922038216", "credit_code_alphabet"),
        ("91440300-922038216", "credit_code_alphabet"),
        ("9144030019220三8216", "credit_code_alphabet"),
        ("914403001922038217", "credit_code_check"),
    ],
)
def test_says_what_is_wrong(code: str, found: str) -> None:
    assert problem(code) == found


@given(st.text(max_size=20))
def test_never_fails_on_any_text(text: str) -> None:
    assert problem(text) in {None, "credit_code_length", "credit_code_alphabet", "credit_code_check"}


def test_check_character_refuses_what_is_not_17_characters() -> None:
    with pytest.raises(ValueError, match="GB 32100"):
        check_character("9144030019220382")
