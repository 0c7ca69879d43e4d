import json
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.canonical import canonical, canonical_of_json

TEXTS = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('"\\/=<>\u0301\u0338\u0327가ᅡᆨé')))
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=4))


class TestCanonicalOfJson:
    @given(st.dictionaries(st.text(alphabet="abc_", max_size=5), VALUES, max_size=5))
    def test_is_the_canonical_form_of_what_json_can_write(self, value: dict[str, Any]) -> None:
        """Bringing the whole text to NFC at once joins no string with what stands around it."""
        assert canonical_of_json(value) == canonical(value)

    @given(TEXTS)
    def test_reads_back_as_its_normal_form(self, text: str) -> None:
        assert json.loads(canonical_of_json([text])) == [unicodedata.normalize("NFC", text)]
