import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.payouts.payee_names import _LOOKALIKES, NameMatch, name_match, payee_reasons, plain, skeleton

FIRM = "上海晶滤（集团）有限公司"
CODE, OTHER_CODE = "9144030071526726XG", "91310115MA1K3UUU8B"


def test_a_lookalike_belongs_to_one_group() -> None:
    characters = "".join(_LOOKALIKES)

    assert [one for one in characters if characters.count(one) > 1] == []


class TestNameMatch:
    @pytest.mark.parametrize(
        ("holder", "organisation", "match"),
        [
            (FIRM, FIRM, "same"),
            ("上海晶滤(集团)有限公司", FIRM, "width_only"),
            (" 上海晶滤（集团） 有限公司\u3000", FIRM, "width_only"),
            ("ＡＢＣ Ｗｏｒｋｓ", "ABC WORKS", "width_only"),
            ("Cafe\u0301 Robot", "Café Robot", "width_only"),
            ("上海晶滤（集团）有限公\u200b司", FIRM, "lookalike"),
            ("上海晶滤（集团）有限公\u2060司", FIRM, "lookalike"),
            ("上海晶滤（集团）有限公司\ufe00", FIRM, "lookalike"),
            ("\u202e上海晶滤（集团）有限公司", FIRM, "lookalike"),
            ("АBC Works", "ABC Works", "lookalike"),  # Cyrillic А
            ("ΑΒC Works", "ABC Works", "lookalike"),  # Greek Alpha, Beta
            ("R0B0T Co", "ROBOT Co", "lookalike"),
            ("A1pha Co", "AIpha Co", "lookalike"),
            ("AIpha Co", "Alpha Co", "lookalike"),
            ("⼀方科技", "一方科技", "lookalike"),  # Kangxi radical
            ("未来科技", "末来科技", "lookalike"),
            ("上海治金研究所", "上海冶金研究所", "lookalike"),
            ("力方科技", "カ方科技", "lookalike"),  # katakana
            ("ﬁrst Co", "first Co", "lookalike"),
            ("Cafe Robot", "Café Robot", "lookalike"),
            ("A—B 科技", "A一B 科技", "lookalike"),
            ("上海晶滤有限公司", FIRM, "different"),
            ("北京晶滤（集团）有限公司", FIRM, "different"),
            ("", "", "different"),
            ("", FIRM, "different"),
            ("\u200b", "\u200b", "different"),
            ("\u3164", "\u3164", "different"),
        ],
        ids=ascii,
    )
    def test_tells_what_is_the_same_from_what_looks_the_same(self, holder: str, organisation: str, match: str) -> None:
        assert name_match(holder, organisation) == match
        assert name_match(organisation, holder) == match

    @given(st.text(max_size=20))
    def test_folding_a_second_time_changes_nothing(self, name: str) -> None:
        assert plain(plain(name)) == plain(name)
        assert skeleton(skeleton(name)) == skeleton(name)

    @given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=8))
    def test_of_ordinary_names_is_the_same_with_themselves_alone(self, name: str) -> None:
        assert name_match(name, name) == NameMatch.SAME
        assert name_match(name + "厂", name) == NameMatch.DIFFERENT

    @given(st.text(min_size=1, max_size=12))
    def test_is_never_better_than_lookalike_for_a_compatibility_form(self, name: str) -> None:
        form = unicodedata.normalize("NFKC", name)

        if plain(form) != plain(name):
            assert name_match(form, name) in {NameMatch.LOOKALIKE, NameMatch.DIFFERENT}


def codes(holder: str, holder_code: str | None = CODE, organisation_code: str | None = CODE) -> list[str]:
    found = payee_reasons(
        holder=holder, organisation=FIRM, holder_code=holder_code, organisation_code=organisation_code
    )
    return [one.code for one in found]


class TestPayeeReasons:
    @pytest.mark.parametrize(
        ("holder", "holder_code", "found"),
        [
            (FIRM, CODE, []),
            ("上海晶滤(集团)有限公司", "９１４４０３００７１５２６７２６ｘｇ", []),
            (FIRM, None, []),
            ("上海晶滤（集困）有限公司", CODE, ["payee_name_differs"]),
            ("上海晶滤（集团）有限公司\u200b", CODE, ["payee_name_lookalike"]),
            (FIRM, "9144030071526726XH", ["credit_code_wrong"]),
            (FIRM, OTHER_CODE, ["payee_code_differs"]),
            ("深圳智厨", OTHER_CODE, ["payee_name_differs", "payee_code_differs"]),
        ],
    )
    def test_name_what_does_not_belong_together(self, holder: str, holder_code: str | None, found: list[str]) -> None:
        assert codes(holder, holder_code) == found

    def test_compare_no_code_that_the_organisation_does_not_have(self) -> None:
        assert codes(FIRM, CODE, None) == []
