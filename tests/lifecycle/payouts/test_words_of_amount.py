import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.payouts.words_of_amount import capitals
from models.money import MAX_MINOR

KNOWN = {
    0: "零元整",
    1: "壹分",
    10: "壹角整",
    11: "壹角壹分",
    100: "壹元整",
    101: "壹元零壹分",
    110: "壹元壹角整",
    1000: "壹拾元整",
    1001: "壹拾元零壹分",
    1500: "壹拾伍元整",
    10_005: "壹佰元零伍分",
    10_100: "壹佰零壹元整",
    32_504: "叁佰贰拾伍元零肆分",
    100_100: "壹仟零壹元整",
    101_000: "壹仟零壹拾元整",
    140_950: "壹仟肆佰零玖元伍角整",
    168_032: "壹仟陆佰捌拾元叁角贰分",
    600_714: "陆仟零柒元壹角肆分",
    1_000_000: "壹万元整",
    1_000_100: "壹万零壹元整",
    1_640_902: "壹万陆仟肆佰零玖元零贰分",
    10_000_101: "壹拾万零壹元零壹分",
    10_700_053: "壹拾万柒仟元伍角叁分",
    30_007_000: "叁拾万零柒拾元整",
    50_000_000: "伍拾万元整",
    100_000_000: "壹佰万元整",
    120_345_678: "壹佰贰拾万叁仟肆佰伍拾陆元柒角捌分",
    1_000_000_000: "壹仟万元整",
    1_010_010_101: "壹仟零壹拾万零壹佰零壹元零壹分",
    10_000_000_000: "壹亿元整",
    10_000_000_100: "壹亿零壹元整",
    10_000_100_000: "壹亿零壹仟元整",
    10_001_000_000: "壹亿零壹万元整",
    10_010_000_000: "壹亿零壹拾万元整",
    10_100_000_000: "壹亿零壹佰万元整",
    11_000_000_000: "壹亿壹仟万元整",
    10_500_050_000: "壹亿零伍佰万零伍佰元整",
    102_003_004_005: "壹拾亿贰仟零叁万零肆拾元零伍分",
    999_999_999_999: "玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    1_000_000_000_001: "壹佰亿元零壹分",
    9_999_999_999_999: "玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    MAX_MINOR: "壹仟亿元整",
}
DIGIT = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNIT = {"分": 1, "角": 10, "拾": 10, "佰": 100, "仟": 1000, "万": 10**4, "亿": 10**8}


def read_back(text: str) -> int:
    """An independent reader: places within a group add up, 万 and 亿 close a group, 零 and 整 say nothing."""
    whole, yuan, rest = text.removesuffix("整").rpartition("元")
    fen = sum(DIGIT[digit] * UNIT[unit] for digit, unit in re.findall("([壹贰叁肆伍陆柒捌玖])([角分])", rest))
    total = group = 0
    for digit, unit in re.findall("([壹贰叁肆伍陆柒捌玖]?)([拾佰仟万亿]|$)", whole.replace("零", "") if yuan else ""):
        group += DIGIT.get(digit, 0) * (UNIT[unit] if unit in ("拾", "佰", "仟") else 1)
        if unit in ("万", "亿"):
            total, group = total + group * UNIT[unit], 0
    return (total + group) * 100 + fen


class TestCapitals:
    @pytest.mark.parametrize(("fen", "text"), KNOWN.items())
    def test_are_written_as_the_bank_forms_ask(self, fen: int, text: str) -> None:
        assert capitals(fen) == text

    @given(st.integers(min_value=0, max_value=MAX_MINOR))
    def test_can_be_read_back(self, fen: int) -> None:
        assert read_back(capitals(fen)) == fen

    @given(st.integers(min_value=0, max_value=13), st.integers(min_value=0, max_value=13), st.integers(1, 9))
    def test_can_be_read_back_where_most_digits_are_zero(self, high: int, low: int, digit: int) -> None:
        fen = min(digit * 10**high + 10**low, MAX_MINOR)

        assert read_back(capitals(fen)) == fen

    @given(st.integers(min_value=0, max_value=MAX_MINOR))
    def test_never_repeat_a_zero_or_end_in_one(self, fen: int) -> None:
        text = capitals(fen)

        assert "零零" not in text
        assert not re.search("零[万亿元角分整拾佰仟]", text.removeprefix("零元整"))

    @pytest.mark.parametrize("fen", [-1, MAX_MINOR + 1, 1.0, True, "1"])
    def test_refuse_what_is_no_amount(self, fen: object) -> None:
        with pytest.raises(ValueError, match="fen"):
            capitals(fen)  # type: ignore[arg-type]
