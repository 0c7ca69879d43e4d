"""The unified social credit code of a Chinese organisation (统一社会信用代码) and its check character, GB 32100."""

from itertools import accumulate, repeat

LENGTH = 18
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z, which are mistaken for digits."""
WEIGHTS = tuple(accumulate(repeat(3, LENGTH - 2), lambda weight, factor: weight * factor % 31, initial=1))
"""3^(i-1) mod 31 for the places 1 to 17."""

_HALF_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}


def half_width(text: str) -> str:
    """Return the text without blanks, its full-width letters, digits and signs as ordinary ones."""
    return "".join(text.translate(_HALF_WIDTH).split())


def normalise(code: str) -> str:
    """Return the code as it is stored and compared: half-width, upper case, no blanks."""
    return half_width(code).upper()


def check_character(first: str) -> str:
    """Return the character that closes these 17; raises `ValueError` when they are not 17 of the alphabet.

    GB 32100: (31 - sum of value x weight mod 31) mod 31, read in the alphabet.
    """
    if len(first) != LENGTH - 1 or set(first) - set(ALPHABET):
        raise ValueError(f"not {LENGTH - 1} characters of the alphabet of GB 32100: {first!r}")
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def problem(code: str) -> str | None:
    """Return why this is no credit code (`credit_code_length`, `_alphabet`, `_check`), None when it is one.

    Any single wrong character is found, and so is any swap of two neighbours. The code may come as people write it.
    """
    code = normalise(code)
    if len(code) != LENGTH:
        return "credit_code_length"
    if set(code) - set(ALPHABET):
        return "credit_code_alphabet"
    return None if check_character(code[:-1]) == code[-1] else "credit_code_check"
