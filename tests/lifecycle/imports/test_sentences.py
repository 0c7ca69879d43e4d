import ast
from string import Formatter

import pytest

from lifecycle.stages import credit_code
from tests.lifecycle.imports.sentences import SOURCES, catalogue

RAISES = {"ValueProblem", "Unreadable", "AmountProblem", "Notice", "RowSkipped", "RowError"}
CODES_IN_DATA = {
    "credit_code_length", "credit_code_alphabet", "credit_code_check", "text_normalised", "line_break_removed",
    "invisible_removed", "formula_cell", "error_cell", "csv_cell_too_long", "csv_malformed", "mapping_invalid",
    "batch_fixed", "batch_reason_missing",
}  # fmt: skip
OPTIONAL = {"mapping_invalid": {"file", "where", "why"}}


def raised() -> dict[str, list[set[str]]]:
    """Every code that the package raises by name, with the parameters given at each place."""
    found: dict[str, list[set[str]]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISES:
                texts = [
                    item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
                ]
                code = next((text for text in texts if text in catalogue()), None)
                if code is not None and node.func.id in ("ValueProblem", "Unreadable", "AmountProblem"):
                    names = {word.arg for word in node.keywords if word.arg not in (None, "column")}
                    found.setdefault(code, []).append({str(name) for name in names})
                elif node.func.id == "Notice" and code is not None:
                    found.setdefault(code, []).append(set())
    return found


class TestSentences:
    def test_stand_in_both_languages_with_the_same_placeholders(self) -> None:
        for code, texts in catalogue().items():
            assert set(texts) == {"zh", "en"}, code
            fields = {
                language: {name for _, name, _, _ in Formatter().parse(text) if name}
                for language, text in texts.items()
            }
            assert fields["zh"] == fields["en"], code

    def test_are_given_every_value_they_name(self) -> None:
        for code, places in raised().items():
            needed = {name for _, name, _, _ in Formatter().parse(catalogue()[code]["en"]) if name}
            for given in places:
                assert needed <= given, code

    def test_stand_there_for_every_code_that_is_raised(self) -> None:
        for path in SOURCES:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    first = node.args[0] if node.args else None
                    if node.func.id in ("ValueProblem", "Unreadable", "AmountProblem") and isinstance(
                        first, ast.Constant
                    ):
                        assert first.value in catalogue(), (path.name, node.lineno)
        assert catalogue().keys() >= CODES_IN_DATA

    def test_are_none_that_nothing_raises(self) -> None:
        skips = {"row_filtered", "duplicate_skipped"}
        headings = {code for code in catalogue() if code.startswith("heading_")}
        assert (
            set(catalogue())
            - headings
            - skips
            - CODES_IN_DATA
            - set(raised())
            - {"amount_empty", "amount_sign", "amount_digits", "amount_exponent", "amount_malformed"}
            == set()
        )

    @pytest.mark.parametrize("code", ["", "9" * 17 + "O", "9" * 18])
    def test_cover_what_the_credit_code_says(self, code: str) -> None:
        assert credit_code.problem(code) in catalogue()
